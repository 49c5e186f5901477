//! What the store asks of its table: a few calls, each of which can be lost.
//!
//! The production table is DynamoDB ([`super::dynamodb`]). Whatever else stands in for it evaluates the very writes that
//! DynamoDB is sent, so that no condition is written twice.

use std::collections::HashMap;

use async_trait::async_trait;

use super::StoreError;
use super::item::Attributes;
use super::key::Key;
use super::write::{Edit, Write};

/// How current a read must be. Nothing is refused on an eventual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// All that was written before.
    Strong,
    /// Perhaps a moment old: good for a quote, half the price.
    Eventual,
}

impl Consistency {
    /// Whether it is [`Self::Strong`].
    #[must_use]
    pub fn is_strong(self) -> bool {
        self == Self::Strong
    }
}

/// Where something unfinished is, and when it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueKey {
    /// The item.
    pub key: Key,
    /// When it is due, as the index sorts it.
    pub due: String,
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// All of it.
    Done,
    /// A condition didn't hold: somebody was faster, or something is no longer there. Nothing was written.
    ConditionFailed,
    /// Only conflicts or throttling, again and again. Nothing was written.
    Contended,
    /// The reply was lost: it may have been written, and may still be.
    Unknown,
}

/// A table with one sparse index of what is unfinished.
///
/// Every call may fail with [`StoreError::Unavailable`]: then nothing was written. A write whose reply is lost is
/// [`Commit::Unknown`].
#[async_trait]
pub trait Table: std::fmt::Debug + Send + Sync {
    /// An item as it stands.
    async fn get(&self, key: &Key) -> Result<Option<Attributes>, StoreError>;

    /// The items that exist among these keys.
    async fn get_all(&self, keys: Vec<Key>, consistency: Consistency) -> Result<HashMap<Key, Attributes>, StoreError>;

    /// All items of a partition, in the order of their sort keys.
    async fn query(&self, pk: &str, consistency: Consistency) -> Result<Vec<Attributes>, StoreError>;

    /// What is due in a partition of the index up to then (as [`super::key::job_due`] writes it), oldest first, at
    /// most so many. It may be a moment old.
    async fn due(&self, shard: &str, until: &str, most: usize) -> Result<Vec<DueKey>, StoreError>;

    /// Makes all writes or none. Conflicts have been tried again when it says [`Commit::Contended`].
    async fn transact(&self, writes: Vec<Write>) -> Result<Commit, StoreError>;

    /// Edits one item without a guard, and answers it as it is then. For counters only: a reply that is lost is
    /// [`StoreError::Unavailable`].
    async fn edit(&self, key: &Key, edits: Vec<Edit>) -> Result<Attributes, StoreError>;
}
