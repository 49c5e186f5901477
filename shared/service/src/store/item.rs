//! Items: attributes written and read by name.
//!
//! Invariant: an attribute that is missing or of another type is [`StoreError::Corrupt`], never a default.

use std::collections::HashMap;

use super::StoreError;
use super::key::Key;
use super::lane::{Lane, job_due};

/// An attribute's value. The store writes no other types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A value that the store never writes: of another type, or a number that isn't whole. Reading this attribute is
    /// [`StoreError::Corrupt`]; the rest of the item stays readable.
    Other,
}

impl Value {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The flag, if it is one.
    #[must_use]
    pub const fn as_flag(&self) -> Option<bool> {
        if let Self::Flag(flag) = self { Some(*flag) } else { None }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Number(i64::try_from(count).expect("what is counted one by one fits"))
    }
}

impl From<usize> for Value {
    fn from(length: usize) -> Self {
        Self::Number(i64::try_from(length).expect("what is in memory fits"))
    }
}

/// An item as the table holds it.
pub type Attributes = HashMap<String, Value>;

/// An item being written.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, name: &str, value: impl Into<String>) -> Self {
        self.with(name, value.into())
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, name: &str, value: impl TryInto<i64>) -> Self {
        self.with(name, value.try_into().ok().expect("what is counted or paid fits"))
    }

    /// Adds a flag.
    #[must_use]
    pub fn flag(self, name: &str, value: bool) -> Self {
        self.with(name, value)
    }

    /// Adds a text, if there is one.
    #[must_use]
    pub fn text_if(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Puts the item into a lane of the index of unfinished items, due then (seconds since 1970).
    #[must_use]
    pub fn due_at(self, lane: Lane, due_s: i64) -> Self {
        let shard = lane.shard_of(&self.key);
        self.text("gsi1pk", shard).text("gsi1sk", job_due(due_s))
    }

    /// The value of this name, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// The item's key.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// The attributes, including the key.
    #[must_use]
    pub fn into_attributes(self) -> Attributes {
        self.attributes
    }
}

/// A key as attributes.
#[must_use]
pub fn key_attributes(key: &Key) -> Attributes {
    [("pk".to_owned(), key.pk.as_str().into()), ("sk".to_owned(), key.sk.as_str().into())].into()
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
    fn number<N: TryFrom<i64>>(&self, name: &'static str) -> Result<N, StoreError>;

    /// A number that may be missing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it doesn't fit.
    fn number_if<N: TryFrom<i64>>(&self, name: &'static str) -> Result<Option<N>, StoreError>;

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
        self.get(name).and_then(Value::as_text)
    }

    fn number<N: TryFrom<i64>>(&self, name: &'static str) -> Result<N, StoreError> {
        self.number_if(name)?.ok_or(StoreError::Corrupt(name))
    }

    fn number_if<N: TryFrom<i64>>(&self, name: &'static str) -> Result<Option<N>, StoreError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_number().ok_or(StoreError::Corrupt(name))?;
        N::try_from(number).map(Some).map_err(|_| StoreError::Corrupt(name))
    }

    fn flag(&self, name: &'static str) -> Result<bool, StoreError> {
        self.get(name).and_then(Value::as_flag).ok_or(StoreError::Corrupt(name))
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
