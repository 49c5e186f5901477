//! The effects of classpay: everything that touches the outside world. Its decisions are in `classpay-domain`.
//!
//! Read in this order: [`api`] (requests come in), [`catalogue`] (what is sold), [`quoting`] (what a basket costs),
//! [`settlement`] (money and places move together), [`store`] (the table), [`stripe`] (the payments).

pub mod aggregate;
pub mod api;
pub mod aws;
pub mod basket;
pub mod catalogue;
pub mod clock;
pub mod config;
pub mod context;
pub mod deadline;
pub mod error;
pub mod ids;
pub mod net;
pub mod quoting;
pub mod refusals;
pub mod runtime;
pub mod schedule;
pub mod scope;
pub mod secrets;
pub mod settlement;
pub mod snapshot;
pub mod store;
pub mod stored_entry;
pub mod strict;
pub mod stripe;
pub mod telemetry;
pub mod wire;
