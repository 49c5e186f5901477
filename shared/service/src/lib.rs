//! What classpay does: everything that touches the outside. What it decides is in `classpay-domain`.
//!
//! Read in this order: [`api`] (requests come in), [`catalogue`] (what is sold), [`checkout`] (a basket is claimed, paid and booked),
//! [`settle`] (money and places move together), [`webhook`] (what Stripe tells), [`store`] (the table), [`stripe`] (the
//! payments).

pub mod aggregate;
pub mod api;
pub mod aws;
pub mod basket;
pub mod catalogue;
pub mod checkout;
pub mod clock;
pub mod config;
pub mod context;
pub mod deadline;
pub mod error;
pub mod links;
pub mod mint;
pub mod net;
pub mod refusals;
pub mod runtime;
pub mod schedule;
pub mod scope;
pub mod secrets;
pub mod settle;
pub mod snapshot;
pub mod store;
pub mod stored_entry;
pub mod strict;
pub mod stripe;
pub mod sweep;
pub mod telemetry;
pub mod unallocated;
pub mod webhook;
pub mod wire;
