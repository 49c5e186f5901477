//! The local stack from outside: a template and a function of its own behind its gateway.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps, and says what")]

mod command_line;
mod cors;
mod echo;
mod events;
mod faults;
mod permissions;
mod processes;
mod refusals;
mod table;
mod template;
