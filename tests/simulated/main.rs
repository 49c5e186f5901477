//! The shipped handlers on a table and a Stripe in memory, with every fault.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps, and says what")]

mod every_fault;
mod refund_races;
mod simulation;
