//! Runs the real handlers and the real settlement in one thread, against a table and a Stripe in memory.
//!
//! Everything that can happen is drawn from one seed or chosen by the test, so that a run can be repeated. The
//! stand-ins know nothing of payments: they do what DynamoDB and Stripe do with the requests that they receive.

pub mod books;
pub mod calls;
pub mod coverage;
pub mod executor;
pub mod faults;
pub mod flows;
pub mod forgetful;
pub mod invariants;
pub mod model;
pub mod outside;
pub mod planned;
pub mod purchases;
pub mod random;
pub mod recover;
pub mod returns;
pub mod rng;
pub mod run;
pub mod scenario;
mod signature;
pub mod stripe;
pub mod studio;
pub mod table;
pub mod tenancy;
pub mod told;
pub mod world;

pub use signature::signature;
