//! The store on the embedded DynamoDB through the real SDK, and on the simulation's table.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps, and says what")]

mod contract;
mod fees;
mod import;
mod import_prices;
mod layout;
mod races;
mod simulated_table;
mod trials;
