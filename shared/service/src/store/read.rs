//! Reads: one item, many items by key, all of a partition.
//!
//! Invariant: what DynamoDB leaves unprocessed, or cuts at a page, is asked for again until it is complete.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::item::{Attributes, Read as _, key_attributes, text};
use super::key::Key;
use super::{Store, StoreError, unavailable};

/// How current a read must be. Nothing is refused on an eventual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// All that was written before.
    Strong,
    /// Perhaps a moment old: good for a quote, half the price.
    Eventual,
}

impl Consistency {
    fn is_strong(self) -> bool {
        self == Self::Strong
    }
}

/// The most keys of one batch.
const BATCH_MAX: usize = 100;
/// How often what was left unprocessed is asked for again before the table counts as unavailable.
const BATCH_ROUNDS: usize = 5;

impl Store {
    pub(super) async fn get(&self, key: &Key) -> Result<Option<Attributes>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = get.set_key(Some(key_attributes(key))).send().await.map_err(unavailable)?;
        Ok(answer.item)
    }

    /// The items that exist among these keys.
    pub(super) async fn get_all(
        &self,
        mut keys: Vec<Key>,
        consistency: Consistency,
    ) -> Result<HashMap<Key, Attributes>, StoreError> {
        keys.sort();
        keys.dedup();
        let mut found = HashMap::with_capacity(keys.len());
        for batch in keys.chunks(BATCH_MAX) {
            self.get_batch(batch, consistency, &mut found).await?;
        }
        Ok(found)
    }

    async fn get_batch(
        &self,
        keys: &[Key],
        consistency: Consistency,
        found: &mut HashMap<Key, Attributes>,
    ) -> Result<(), StoreError> {
        let keys = keys.iter().map(key_attributes).collect();
        let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(consistency.is_strong());
        let mut left = Some(request.build().expect("the keys are set above"));
        for _ in 0..BATCH_ROUNDS {
            let Some(request) = left.take() else { return Ok(()) };
            let batch = self.client.batch_get_item().request_items(&self.table, request);
            let answer = batch.send().await.map_err(unavailable)?;
            for item in answer.responses.unwrap_or_default().remove(&self.table).unwrap_or_default() {
                found.insert(Key { pk: item.text("pk")?.to_owned(), sk: item.text("sk")?.to_owned() }, item);
            }
            left = answer.unprocessed_keys.and_then(|mut left| left.remove(&self.table));
        }
        if left.is_none() { Ok(()) } else { Err(StoreError::Unavailable) }
    }

    /// All items of a partition.
    pub(super) async fn query(&self, pk: &str, consistency: Consistency) -> Result<Vec<Attributes>, StoreError> {
        let query = self.client.query().table_name(&self.table).consistent_read(consistency.is_strong());
        let query = query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", text(pk));
        let mut pages = query.into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(unavailable)?);
        }
        Ok(items)
    }
}
