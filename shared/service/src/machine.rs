//! What the service runs on, and the safeguards that it keeps.
//!
//! Invariant: what is shipped is [`Shipped`], which keeps every safeguard. A simulation may put its own table and its own
//! Stripe in their places, and take one safeguard away to see that it is missed.

use std::fmt::Debug;

use crate::store::{DynamoDb, Table};
use crate::stripe::{Payments, Stripe};

/// What the service runs on.
///
/// Each constant is a safeguard; none is a setting.
pub trait Machine: Debug + Clone + Send + Sync + 'static {
    /// Where it remembers.
    type Table: Table;
    /// What takes the money.
    type Stripe: Payments;

    /// Everything is reserved and recorded before anything is captured.
    const RECORDS_BEFORE_CAPTURE: bool = true;
    /// A seat is taken on the condition that there is one, not because one was read.
    const SEATS_ARE_CONDITIONAL: bool = true;
    /// What a debit still owes is lowered on the condition that so much is owed.
    const DUE_IS_CONDITIONAL: bool = true;
    /// An order is finished only if it is pending.
    const FINISHES_ONLY_PENDING: bool = true;
    /// Who decides about an intent puts a claim first.
    const CLAIMS: bool = true;
    /// Whoever cancels an intent of a refused call claims it as rejected first.
    const CLAIMS_BEFORE_CANCEL: bool = true;
    /// What an order was priced from includes the family's version.
    const GUARDS_FAMILY: bool = true;
    /// A call that got no answer is unknown, and the intent is asked.
    const ASKS_AFTER_SILENCE: bool = true;
    /// A call that Stripe refused for the intent's state is no failure: the intent is asked.
    const ASKS_AFTER_REFUSAL: bool = true;
    /// The schedule asks Stripe before it gives anything back.
    const SCHEDULE_ASKS: bool = true;
    /// The schedule reads Stripe's events for those that never arrived.
    const SCHEDULE_READS_EVENTS: bool = true;
    /// The intent's amount is compared with the quote.
    const COMPARES_AMOUNT: bool = true;
    /// The basket of a claim is compared with the caller's.
    const COMPARES_BASKET: bool = true;
    /// Nothing is given back before Stripe says `canceled`.
    const RELEASES_AFTER_CANCEL: bool = true;
    /// A bank debit that is under way posts nothing.
    const POSTS_AFTER_SUCCESS: bool = true;
}

/// Production: DynamoDB, Stripe, every safeguard.
#[derive(Debug, Clone, Copy)]
pub struct Shipped;

impl Machine for Shipped {
    type Table = DynamoDb;
    type Stripe = Stripe;
}
