//! Reads: one item, many items by key, all of a partition.

use std::collections::HashMap;

use super::item::Attributes;
use super::key::Key;
use super::table::Consistency;
use super::{Store, StoreError};

impl Store {
    /// An item, read consistently.
    pub async fn get(&self, key: &Key) -> Result<Option<Attributes>, StoreError> {
        self.table.get(key).await
    }

    /// The items that exist among these keys.
    pub async fn get_all(
        &self,
        keys: Vec<Key>,
        consistency: Consistency,
    ) -> Result<HashMap<Key, Attributes>, StoreError> {
        self.table.get_all(keys, consistency).await
    }

    /// All items of a partition.
    pub async fn query(&self, pk: &str, consistency: Consistency) -> Result<Vec<Attributes>, StoreError> {
        self.table.query(pk, consistency).await
    }
}
