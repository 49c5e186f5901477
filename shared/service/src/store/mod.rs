//! The store: one DynamoDB table, and methods named for what they mean.
//!
//! Every write that matters has a condition, so that doing it twice does it once. Nothing is scanned, and nothing is
//! deleted but a holiday that a studio's file no longer has. No type of the SDK leaves this module.

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
pub mod lane;
pub mod layout;
mod link_reads;
mod links;
mod order;
mod orders;
mod payments;
mod place_state;
mod read;
mod reason;
mod refusal;
mod resolve;
mod reversals;
mod review;
mod size;
mod sold;
mod starts;
mod studio;
mod table;
mod unfinished;
mod versions;
mod write;
mod zero_due;

use std::sync::Arc;

pub use due::Due;
pub use dynamodb::DynamoDb;
pub use events::{EventObject, EventRecord, Put, Reported};
pub use feeds::Feed;
pub use instalments::{Debtor, Scheduled};
pub use item::{Attributes, Item, Read, Value, document};
pub use links::{Debit, Link, LinkTarget};
pub use order::{OrderRecord, PlaceOrder};
pub use payments::{Authorisation, Claim, Decision, Rejection, Session, SessionKind};
pub use reason::ReviewReason;
pub use resolve::{Resolution, Resolved, Witness};
pub use reversals::{CreditedPayment, Owed, PaymentReversals, PostReversals, ReversalEntry, Reversed};
pub use review::ReviewRecord;
pub use size::{document_surely_fits, order_fits};
pub use starts::{Starts, hour_of};
pub use studio::LoadedStudio;
pub use table::{Commit, Consistency, DueKey, Table};
pub use unfinished::{DueItem, UnallocatedCredit, Unfinished};
pub use versions::{IdempotencyRecord, Versions};
pub use write::{Action, Edit, Guard, MAX_ACTIONS, Name, Write, Writes};
pub use zero_due::ZeroDueOrder;

/// Why a call to the store failed. The caller can retry later, or call a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB didn't answer, or not usefully.
    #[error("the table can't be reached")]
    Unavailable,
    /// DynamoDB permanently refuses the call: the table doesn't exist, or we lack permission. The log says why.
    #[error("the table refuses a call")]
    Refused,
    /// DynamoDB permanently refuses a write, and nothing was written: an item or a transaction is too large or
    /// malformed.
    #[error("the table refuses to write this")]
    Unwritable,
    /// A stored item can't be what we wrote. Names the attribute that is wrong.
    #[error("a stored item is corrupt: {0}")]
    Corrupt(&'static str),
}

/// The store.
#[derive(Debug, Clone)]
pub struct Store {
    table: Arc<dyn Table>,
}

impl Store {
    /// A store over this table.
    #[must_use]
    pub fn new(table: impl Table + 'static) -> Self {
        Self { table: Arc::new(table) }
    }

    /// Makes all writes or none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if they were provably not sent, [`StoreError::Unwritable`] if DynamoDB never accepts
    /// them.
    pub async fn transact(&self, writes: impl Into<Writes>) -> Result<Commit, StoreError> {
        let writes = writes.into().into_vec();
        debug_assert!(writes.len() <= MAX_ACTIONS, "what is written fits into a transaction");
        self.table.transact(writes).await
    }
}
