//! What is promised on paper, held to the code: the API's description, shapes, permissions, metrics, and the list of
//! mutants.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps, and says what")]

mod events;
mod link_shapes;
mod manifests;
mod mutants;
mod openapi;
mod permissions;
mod shapes;
mod telemetry;
mod welcome;
