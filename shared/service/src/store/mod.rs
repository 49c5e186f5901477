//! What is remembered: one DynamoDB table, and methods named for what they mean.
//!
//! Invariant: every write that matters has a condition, so that doing it twice does it once; nothing is scanned, and
//! nothing is deleted but a holiday that a studio's file no longer has; no type of the SDK leaves this module.

mod accounts;
mod bookings;
mod customers;
mod due;
mod dynamodb;
mod entries;
mod events;
mod feeds;
mod fees;
mod instalments;
mod item;
pub mod key;
pub mod layout;
mod links;
mod orders;
mod payments;
mod read;
mod reason;
mod refusal;
mod resolve;
mod reversals;
mod review;
mod size;
mod sold;
mod studio;
mod table;
mod tries;
mod unfinished;
mod versions;
mod write;
mod zero_due;

use std::sync::Arc;

pub use due::Due;
pub use dynamodb::DynamoDb;
pub use events::{EventObject, EventRecord, Put, Told};
pub use feeds::Feed;
pub use instalments::{Debtor, Scheduled};
pub use item::{Attributes, Item, Read, Value, document};
pub use links::{Debit, Link, LinkTarget};
pub use orders::{OrderRecord, PlaceOrder};
pub use payments::{Authorisation, Claim, Decision, Rejection, Session, SessionKind};
pub use reason::ReviewReason;
pub use resolve::{Resolution, Resolved, Witness};
pub use reversals::{CreditedPayment, Owed, PaymentReversals, PostReversals, ReversalEntry, Reversed};
pub use review::ReviewRecord;
pub use size::{document_surely_fits, order_fits};
pub use studio::LoadedStudio;
pub use table::{Commit, Consistency, DueKey, Table};
pub use tries::{Starts, hour_of};
pub use unfinished::{DueItem, UnallocatedCredit, Unfinished};
pub use versions::{IdempotencyRecord, Versions};
pub use write::{Action, Edit, Guard, MAX_ACTIONS, Name, Write, Writes};
pub use zero_due::ZeroDueOrder;

/// What a caller can do about a failed call: try again later, or call a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB didn't answer, or not usefully.
    #[error("the table can't be reached")]
    Unavailable,
    /// DynamoDB refuses the call for good: the table isn't there, or we may not do this. Why is in the log.
    #[error("the table refuses a call")]
    Refused,
    /// DynamoDB refuses a write for good, and nothing was written: an item or a transaction is too large, or malformed.
    #[error("the table refuses to write this")]
    Unwritable,
    /// What is stored can't be what we wrote: the attribute that is wrong.
    #[error("a stored item is corrupt: {0}")]
    Corrupt(&'static str),
}

/// What is remembered.
#[derive(Debug, Clone)]
pub struct Store {
    table: Arc<dyn Table>,
}

impl Store {
    /// What this table remembers.
    #[must_use]
    pub fn new(table: impl Table + 'static) -> Self {
        Self { table: Arc::new(table) }
    }

    /// Makes all writes or none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if they were provably not sent, [`StoreError::Unwritable`] if DynamoDB never takes them.
    pub async fn transact(&self, writes: impl Into<Writes>) -> Result<Commit, StoreError> {
        let writes = writes.into().into_vec();
        debug_assert!(writes.len() <= MAX_ACTIONS, "what is written fits into a transaction");
        self.table.transact(writes).await
    }
}
