//! The table, as an operator sees it.
//!
//! A test reads it to see what was written, and writes only what no call of the API can cause.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use classpay_service::store::key::Key;
use classpay_service::store::{self, Attributes};
use classpay_service::stored_entry::StoredEntry;
use serde_json::Value;
use std::collections::HashMap;

/// An item.
pub type Item = HashMap<String, AttributeValue>;

/// An item that the store has read, in the operator's form.
#[must_use]
pub fn seen(item: Attributes) -> Item {
    let value = |value| match value {
        store::Value::Text(text) => AttributeValue::S(text),
        store::Value::Number(number) => AttributeValue::N(number.to_string()),
        store::Value::Flag(flag) => AttributeValue::Bool(flag),
        store::Value::Other => panic!("the store writes no such value"),
    };
    item.into_iter().map(|(name, of)| (name, value(of))).collect()
}

/// An item in the operator's form, as the store writes it.
///
/// # Panics
/// If it has no key, or a value that the store doesn't write.
#[must_use]
pub fn stored(item: Item) -> store::Item {
    let part = |name: &str| item[name].as_s().expect("a key is text").clone();
    let at = store::Item::at(&Key { pk: part("pk"), sk: part("sk") });
    item.into_iter().fold(at, |at, (name, value)| match value {
        AttributeValue::S(text) => at.with(&name, text),
        AttributeValue::N(digits) => at.with(&name, digits.parse::<i64>().expect("an integer")),
        AttributeValue::Bool(flag) => at.with(&name, flag),
        other => panic!("the store writes no {other:?}"),
    })
}

/// The debit or credit that an item of a family's ledger holds, as the API shows it.
///
/// # Panics
/// If it isn't one.
#[must_use]
pub fn entry(item: &Item) -> Value {
    let text = |name: &str| item[name].as_s().expect("a text");
    let mut pk = text("pk").split('#').skip(1).step_by(2);
    let (company, family) = (pk.next().expect("a company"), pk.next().expect("a family"));
    let stored: StoredEntry = serde_json::from_str(text("doc")).expect("an entry");
    let expanded = stored.expand(&company.parse().expect("an id"), &family.parse().expect("an id"));
    serde_json::to_value(expanded).expect("JSON")
}

/// The table of a stack.
#[derive(Debug, Clone)]
pub struct Table {
    /// The SDK's client.
    pub client: Client,
    /// Its name.
    pub name: String,
}

impl Table {
    pub(crate) fn new(url: &str, name: &str) -> Self {
        Self { client: classpay_local::dynamodb::client(url, true), name: name.to_owned() }
    }

    /// An item.
    ///
    /// # Panics
    /// If the table can't be read.
    pub async fn get(&self, pk: &str, sk: &str) -> Option<Item> {
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let get = self.client.get_item().table_name(&self.name).key("pk", key(pk)).key("sk", key(sk));
        get.consistent_read(true).send().await.expect("the table can be read").item
    }

    /// Replaces a text in an item's document.
    ///
    /// # Panics
    /// If there is no such item, or its document doesn't contain the text.
    pub async fn rewrite(&self, (pk, sk): (&str, &str), that: &str, this: &str) {
        let mut item = self.get(pk, sk).await.expect("an item");
        let doc = item["doc"].as_s().expect("a document");
        assert!(doc.contains(that), "{that} in {doc}");
        let doc = AttributeValue::S(doc.replace(that, this));
        item.insert("doc".to_owned(), doc);
        self.put(item).await;
    }

    /// Puts an item, whatever is there.
    ///
    /// # Panics
    /// If the table refuses it.
    pub async fn put(&self, item: Item) {
        self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await.expect("it can be written");
    }

    /// Removes an item.
    ///
    /// # Panics
    /// If it doesn't exist.
    pub async fn delete(&self, pk: &str, sk: &str) {
        let [pk, sk] = [pk, sk].map(|part| AttributeValue::S(part.to_owned()));
        let delete = self.client.delete_item().table_name(&self.name).key("pk", pk).key("sk", sk);
        let deleted = delete.return_values(ReturnValue::AllOld).send().await.expect("the table answers");
        assert!(deleted.attributes.is_some(), "nothing is there");
    }

    /// All items of a partition whose sort key begins with this.
    ///
    /// # Panics
    /// If the table can't be read.
    pub async fn partition(&self, pk: &str, sk_begins: &str) -> Vec<Item> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let query = self.client.query().table_name(&self.name).consistent_read(true);
        let query = query.key_condition_expression("pk = :pk AND begins_with(sk, :sk)");
        let query =
            query.expression_attribute_values(":pk", text(pk)).expression_attribute_values(":sk", text(sk_begins));
        query.send().await.expect("the table can be read").items.unwrap_or_default()
    }

    /// Every item in the table.
    ///
    /// # Panics
    /// If the table can't be read.
    pub async fn everything(&self) -> Vec<Item> {
        let mut pages = self.client.scan().table_name(&self.name).into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.expect("the table can be read"));
        }
        items
    }
}
