//! The rules of classpay. Everything here is a pure function of its arguments: no I/O, no clock, no randomness, no
//! floats, no async. `classpay-service` carries the decisions out.
//!
//! Read in this order: [`money`], [`catalogue`], [`surcharge`], [`basket`], [`pricing`], [`ledger`], [`order`],
//! [`reversals`].

pub mod basket;
pub mod calendar;
pub mod catalogue;
pub mod fingerprint;
pub mod id;
pub mod ledger;
pub mod link;
pub mod money;
pub mod order;
pub mod pricing;
pub mod reversals;
pub mod surcharge;
