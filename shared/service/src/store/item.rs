//! Attributes of an item, written and read by name.
//!
//! Invariant: an attribute that is missing or of another type is [`StoreError::Corrupt`], never a default.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::StoreError;
use super::key::{Key, Lane, sweep_due};

/// An item as DynamoDB holds it.
pub type Attributes = HashMap<String, AttributeValue>;

/// An item being written.
#[derive(Debug, Clone)]
pub struct Item {
    key: Key,
    attributes: Attributes,
}

impl Item {
    /// An item with nothing but its key.
    #[must_use]
    pub fn at(key: &Key) -> Self {
        Self { key: key.clone(), attributes: key_attributes(key) }
    }

    /// With a text.
    #[must_use]
    pub fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.insert(name.to_owned(), AttributeValue::S(value.into()));
        self
    }

    /// With a number.
    #[must_use]
    pub fn number(mut self, name: &str, value: impl ToString) -> Self {
        self.attributes.insert(name.to_owned(), number(value));
        self
    }

    /// With yes or no.
    #[must_use]
    pub fn flag(mut self, name: &str, value: bool) -> Self {
        self.attributes.insert(name.to_owned(), AttributeValue::Bool(value));
        self
    }

    /// With a text, if there is one.
    #[must_use]
    pub fn text_if(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// In a lane of the index of unfinished things, due then (seconds since 1970).
    #[must_use]
    pub fn swept_at(self, lane: Lane, due_s: i64) -> Self {
        let shard = lane.shard_of(&self.key);
        self.text("gsi1pk", shard).text("gsi1sk", sweep_due(due_s))
    }

    /// The attributes, the key among them.
    #[must_use]
    pub fn into_attributes(self) -> Attributes {
        self.attributes
    }
}

/// A key as attributes.
#[must_use]
pub fn key_attributes(key: &Key) -> Attributes {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    [("pk".to_owned(), text(&key.pk)), ("sk".to_owned(), text(&key.sk))].into()
}

/// A number as an attribute.
#[must_use]
pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A text as an attribute.
#[must_use]
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Reads attributes of an item.
pub trait Read {
    /// A text.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it isn't there or isn't text.
    fn text(&self, name: &'static str) -> Result<&str, StoreError>;

    /// A text that may be missing.
    fn text_if(&self, name: &'static str) -> Option<&str>;

    /// A number.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it isn't there or doesn't fit.
    fn number<N: std::str::FromStr>(&self, name: &'static str) -> Result<N, StoreError>;

    /// A number that may be missing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it doesn't fit.
    fn number_if<N: std::str::FromStr>(&self, name: &'static str) -> Result<Option<N>, StoreError>;

    /// Yes or no.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it isn't there or is neither.
    fn flag(&self, name: &'static str) -> Result<bool, StoreError>;

    /// A text that is read as an id or the like.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it isn't there or can't be read.
    fn parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, StoreError> {
        self.text(name)?.parse().map_err(|_| StoreError::Corrupt(name))
    }

    /// A document: JSON in one attribute.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it isn't there or can't be read.
    fn document<'de, T: serde::Deserialize<'de>>(&'de self, name: &'static str) -> Result<T, StoreError> {
        serde_json::from_str(self.text(name)?).map_err(|_| StoreError::Corrupt(name))
    }
}

impl Read for Attributes {
    fn text(&self, name: &'static str) -> Result<&str, StoreError> {
        self.text_if(name).ok_or(StoreError::Corrupt(name))
    }

    fn text_if(&self, name: &'static str) -> Option<&str> {
        self.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
    }

    fn number<N: std::str::FromStr>(&self, name: &'static str) -> Result<N, StoreError> {
        self.number_if(name)?.ok_or(StoreError::Corrupt(name))
    }

    fn number_if<N: std::str::FromStr>(&self, name: &'static str) -> Result<Option<N>, StoreError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let digits = value.as_n().map_err(|_| StoreError::Corrupt(name))?;
        digits.parse().map(Some).map_err(|_| StoreError::Corrupt(name))
    }

    fn flag(&self, name: &'static str) -> Result<bool, StoreError> {
        self.get(name).and_then(|value| value.as_bool().ok()).copied().ok_or(StoreError::Corrupt(name))
    }
}

/// A document as the text of an attribute.
///
/// # Panics
/// Never: our documents have text keys and no floats.
#[must_use]
pub fn document(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("a document has text keys and no floats")
}
