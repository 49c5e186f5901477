//! The interface between the store and its table: a few calls, each of which can be lost.
//!
//! The production table is DynamoDB ([`super::dynamodb`]). A substitute evaluates the same writes that are sent to
//! DynamoDB, so that no condition is implemented twice.

use std::collections::HashMap;

use async_trait::async_trait;

use super::StoreError;
use super::item::Attributes;
use super::key::Key;
use super::write::{Edit, Write};

/// How current a read must be. An eventual read is never a reason to refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Sees everything that was written before.
    Strong,
    /// May lag behind: good enough for a quote, at half the price.
    Eventual,
}

impl Consistency {
    /// Whether it is [`Self::Strong`].
    #[must_use]
    pub fn is_strong(self) -> bool {
        self == Self::Strong
    }
}

/// The key of an unfinished item, and when it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueKey {
    /// The item.
    pub key: Key,
    /// When it is due, in the index's sort form.
    pub due: String,
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// All of it was written.
    Done,
    /// A condition didn't hold: another call was faster, or an item no longer exists. Nothing was written.
    ConditionFailed,
    /// Only conflicts or throttling, on every retry. Nothing was written.
    Contended,
    /// The reply was lost: it may have been written, and may still be.
    Unknown,
}

/// A table with one sparse index of unfinished items.
///
/// Every call may fail with [`StoreError::Unavailable`]: then nothing was written. A transaction whose reply is lost is
/// [`Commit::Unknown`].
#[async_trait]
pub trait Table: std::fmt::Debug + Send + Sync {
    /// An item, read consistently.
    async fn get(&self, key: &Key) -> Result<Option<Attributes>, StoreError>;

    /// The items that exist among these keys.
    async fn get_all(&self, keys: Vec<Key>, consistency: Consistency) -> Result<HashMap<Key, Attributes>, StoreError>;

    /// All items of a partition, in the order of their sort keys.
    async fn query(&self, pk: &str, consistency: Consistency) -> Result<Vec<Attributes>, StoreError>;

    /// What is due in a partition of the index up to `until` (as [`super::lane::job_due`] writes it), oldest first, at
    /// most `most`. The index may lag behind.
    async fn due(&self, shard: &str, until: &str, most: usize) -> Result<Vec<DueKey>, StoreError>;

    /// Makes all writes or none. It has already retried conflicts when it answers [`Commit::Contended`].
    async fn transact(&self, writes: Vec<Write>) -> Result<Commit, StoreError>;

    /// Edits one item without a guard, and answers the item afterwards. For counters only: a lost reply is
    /// [`StoreError::Unavailable`].
    async fn edit(&self, key: &Key, edits: Vec<Edit>) -> Result<Attributes, StoreError>;
}
