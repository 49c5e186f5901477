//! Money and places move together: the one protocol by which a checkout, a payment link, Stripe's events and the
//! settlement job take a payment.
//!
//! ```text
//! P1       one write: the intent is claimed, the order is PENDING, its places (or its part of a debit) are taken
//! capture  Stripe takes exactly the order's total
//! P2       one write: the order is COMPLETED, and what it says is in the ledger
//! ```
//!
//! What can no longer be booked (a full class, a changed quote) is rejected: one write claims the intent as rejected,
//! then Stripe cancels it, and only when Stripe reports `canceled` does a refusal say that the payment was released.
//! An order whose intent ends without paying gives its places back in one write. An order that collects nothing is P1
//! and P2 in one write.
//!
//! A lost reply is never a failure: after one from the table we read again, after one from Stripe we ask for the
//! intent. An outcome that can't be known before the call's deadline is answered as pending, and the settlement job
//! continues.
//!
//! Read in this order: [`checkout`] and [`link`] (to P1), [`rounds`] (another call was faster, or a reply was lost),
//! [`claim`] (what was decided before), [`drive`] (from P1 to the end; nothing else captures or cancels), [`outcome`]
//! (how far it got), [`unallocated`] (money that no order takes), [`event`] (what Stripe reports on its own), [`job`]
//! (what requests left behind), [`resolve`] (what a person decides).

pub mod checkout;
mod claim;
mod drive;
pub mod event;
pub mod job;
pub mod link;
mod outcome;
pub mod resolve;
pub mod rounds;
pub mod unallocated;

pub use claim::follow;
pub use drive::{cancel, release_rejected, settle, void_and_settle};
pub use outcome::{IntentView, Outcome, Settled, posted};
