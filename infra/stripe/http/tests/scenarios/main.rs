//! Tests the stand-in over real HTTP.
#![expect(clippy::unwrap_used, reason = "a scenario that breaks off has failed")]

mod accounts;
mod api;
mod async_stripe;
mod customers;
mod debits;
mod disputes;
mod ephemeral_keys;
mod events;
mod faults;
mod harness;
mod idempotency;
mod payments;
mod receiver;
mod refunds;
mod webhooks;
