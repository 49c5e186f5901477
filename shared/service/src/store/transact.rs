//! One transaction: all of its actions or none.
//!
//! Invariant: a lost reply is [`Written::Unknown`]; whoever gets it reads again and concludes nothing.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};

use super::item::{Attributes, Item, key_attributes};
use super::key::Key;
use super::table::{Table as _, Written};
use super::{Store, StoreError};
use crate::machine::Machine;

/// The most actions that DynamoDB takes in one transaction.
pub const MAX_ACTIONS: usize = 100;
/// A condition or an update on one item, with the values it names.
#[derive(Debug, Clone)]
pub struct Change {
    key: Key,
    update: Option<String>,
    condition: Option<String>,
    values: Vec<(&'static str, AttributeValue)>,
    names: Vec<(&'static str, &'static str)>,
}

impl Change {
    /// A change of the item at `key`.
    #[must_use]
    pub fn of(key: Key) -> Self {
        Self { key, update: None, condition: None, values: Vec::new(), names: Vec::new() }
    }

    /// What to write.
    #[must_use]
    pub fn update(mut self, expression: impl Into<String>) -> Self {
        self.update = Some(expression.into());
        self
    }

    /// What must hold.
    #[must_use]
    pub fn only_if(mut self, expression: impl Into<String>) -> Self {
        self.condition = Some(expression.into());
        self
    }

    /// A value that an expression names.
    #[must_use]
    pub fn value(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.values.push((name, value));
        self
    }

    /// A name for an attribute whose own is reserved.
    #[must_use]
    pub fn name(mut self, placeholder: &'static str, attribute: &'static str) -> Self {
        self.names.push((placeholder, attribute));
        self
    }
}

impl Change {
    fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        let values: HashMap<_, _> =
            self.values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Some(values).filter(|values| !values.is_empty())
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        let names: HashMap<_, _> =
            self.names.iter().map(|(name, attribute)| ((*name).to_owned(), (*attribute).to_owned())).collect();
        Some(names).filter(|names| !names.is_empty())
    }

    fn into_update(self) -> Update {
        let (values, names) = (self.values(), self.names());
        Update::builder()
            .table_name("")
            .set_key(Some(key_attributes(&self.key)))
            .update_expression(self.update.unwrap_or_default())
            .set_condition_expression(self.condition)
            .set_expression_attribute_values(values)
            .set_expression_attribute_names(names)
            .build()
            .expect(COMPLETE)
    }
}

/// Actions that are written together.
#[derive(Debug, Default)]
pub struct Transaction {
    actions: Vec<TransactWriteItem>,
}

const COMPLETE: &str = "every required field of the action is set above";

impl Transaction {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These changes.
    #[must_use]
    pub fn of(changes: &[Change]) -> Self {
        let mut transaction = Self::new();
        changes.iter().cloned().for_each(|change| transaction.change(change));
        transaction
    }

    /// How many actions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Makes every condition hold: what [`Machine::FINISHES_ONLY_PENDING`] is for.
    pub(super) fn forget_conditions(&mut self) {
        for action in &mut self.actions {
            if let Some(put) = &mut action.put {
                put.condition_expression = None;
                put.expression_attribute_values = None;
            }
            if let Some(update) = &mut action.update {
                update.condition_expression = None;
                let named = |value: &String| update.update_expression.contains(value.as_str());
                if let Some(values) = &mut update.expression_attribute_values {
                    values.retain(|value, _| named(value));
                }
                update.expression_attribute_values.take_if(|values| values.is_empty());
            }
        }
    }

    /// Puts an item where there is none.
    pub fn create(&mut self, item: Item) {
        self.put_if(item, Change::of(Key { pk: String::new(), sk: String::new() }).only_if("attribute_not_exists(pk)"));
    }

    /// Puts an item if the condition of `guard` holds for what is there.
    pub fn put_if(&mut self, item: Item, guard: Change) {
        let mut put = Put::builder().table_name("").set_item(Some(item.into_attributes()));
        put = put.set_condition_expression(guard.condition);
        for (name, value) in guard.values {
            put = put.expression_attribute_values(name, value);
        }
        for (placeholder, attribute) in guard.names {
            put = put.expression_attribute_names(placeholder, attribute);
        }
        self.actions.push(TransactWriteItem::builder().put(put.build().expect(COMPLETE)).build());
    }

    /// Removes an item. Only what a file says and no sale names is removed; what was recorded stays.
    pub fn remove(&mut self, key: &Key) {
        let delete = Delete::builder().table_name("").set_key(Some(key_attributes(key)));
        self.actions.push(TransactWriteItem::builder().delete(delete.build().expect(COMPLETE)).build());
    }

    /// Updates an item; a change without an update only checks its condition.
    pub fn change(&mut self, change: Change) {
        let action = TransactWriteItem::builder();
        self.actions.push(if change.update.is_some() {
            action.update(change.into_update()).build()
        } else {
            let (values, names) = (change.values(), change.names());
            let check = ConditionCheck::builder()
                .table_name("")
                .set_key(Some(key_attributes(&change.key)))
                .set_condition_expression(change.condition)
                .set_expression_attribute_values(values)
                .set_expression_attribute_names(names);
            action.condition_check(check.build().expect(COMPLETE)).build()
        });
    }
}

impl<M: Machine> Store<M> {
    /// Writes a transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it was provably not sent, [`StoreError::Corrupt`] if it can't be sent at all.
    pub async fn transact(&self, transaction: Transaction) -> Result<Written, StoreError> {
        debug_assert!(transaction.len() <= MAX_ACTIONS, "what is written fits into a transaction");
        self.table.transact(transaction.actions).await
    }

    /// Changes one item without a condition; the item as it is then.
    pub(super) async fn update(&self, change: Change) -> Result<Attributes, StoreError> {
        self.table.update(change.into_update()).await
    }
}
