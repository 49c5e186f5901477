//! Many small changes in as few transactions as hold them.
//!
//! Invariant: no transaction has more actions or bytes than DynamoDB takes; a change is in one of them as a whole.

use classpay_service::store::{MAX_ACTIONS, Store, Writes};

use crate::{ImportError, done};

/// Bytes of documents in a transaction: DynamoDB takes 4 MB, with keys and names.
const MAX_BYTES: usize = 3_000_000;

/// Changes that are not written yet.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    store: &'a Store,
    writes: Writes,
    bytes: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self { store, writes: Writes::new(), bytes: 0 }
    }

    /// The transaction that an action with so many bytes of documents goes into. What has no room beside it is written.
    pub(super) async fn room_for(&mut self, bytes: usize) -> Result<&mut Writes, ImportError> {
        if self.writes.len() >= MAX_ACTIONS || self.bytes.saturating_add(bytes) > MAX_BYTES {
            self.write().await?;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(&mut self.writes)
    }

    /// Writes what is left.
    pub(super) async fn write(&mut self) -> Result<(), ImportError> {
        let writes = std::mem::take(&mut self.writes);
        self.bytes = 0;
        if writes.is_empty() { Ok(()) } else { done(self.store.transact(writes).await?) }
    }
}
