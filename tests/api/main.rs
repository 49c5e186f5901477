//! The shipped binaries, driven over HTTP and by command, on a stack of their own.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps, and says what")]

mod bank_debits;
mod checkout;
mod dashboard;
mod doubted;
mod hangs;
mod idempotency;
mod import;
mod killed;
mod large_baskets;
mod later_fields;
mod link_door;
mod link_ends;
mod link_payers;
mod link_refused;
mod links;
mod logs;
mod lost_replies;
mod nothing_due;
mod operator;
mod out_of_reach;
mod payments_refused;
mod races;
mod refusals;
mod restart;
mod rotation;
mod round_trips;
mod settlement_job;
mod sign_in;
mod stripe_elsewhere;
mod surcharge_law;
mod table_faults;
mod trials;
mod try_again;
mod unborne_events;
mod unprocessed;
mod webhook;
mod whole_price_list;
