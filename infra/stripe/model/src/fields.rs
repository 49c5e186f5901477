//! Fields that several objects have: metadata, and postal addresses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ApiError;

/// An empty string unsets the value; an absent one leaves it unchanged.
pub fn set(field: &mut Option<String>, given: Option<String>) {
    if let Some(given) = given {
        *field = Some(given).filter(|given| !given.is_empty());
    }
}

/// Puts the given fields over the present ones, also inside of objects. An empty text unsets a field.
pub(crate) fn overlay(present: &mut Value, given: Value) {
    match (present, given) {
        (Value::Object(present), Value::Object(given)) => {
            for (name, value) in given {
                if value == "" {
                    present.remove(&name);
                } else {
                    overlay(present.entry(name).or_insert_with(|| json!({})), value);
                }
            }
        }
        (present, given) => *present = given,
    }
}

pub type Metadata = BTreeMap<String, String>;

/// Stripe's limits on metadata.
const METADATA_KEYS: usize = 50;
const METADATA_KEY_CHARACTERS: usize = 40;
const METADATA_VALUE_CHARACTERS: usize = 500;

/// Merges metadata: given keys replace, an empty value deletes its key, and empty metadata deletes all keys.
pub fn merge(metadata: &mut Metadata, given: Option<Metadata>) -> Result<(), ApiError> {
    let Some(given) = given else { return Ok(()) };
    if given.is_empty() {
        metadata.clear();
    }
    for (key, value) in given {
        if key.chars().count() > METADATA_KEY_CHARACTERS {
            let message = format!(
                "Metadata keys can have up to {METADATA_KEY_CHARACTERS} characters, but you passed \
                 in a key that is {} characters. Invalid key: {key}",
                key.chars().count()
            );
            return Err(ApiError::invalid(message).param("metadata"));
        }
        if value.chars().count() > METADATA_VALUE_CHARACTERS {
            let message = format!(
                "Metadata values can have up to {METADATA_VALUE_CHARACTERS} characters, but you \
                 passed in a value that is {} characters. Invalid value: {value}",
                value.chars().count()
            );
            return Err(ApiError::invalid(message).param("metadata"));
        }
        if value.is_empty() {
            metadata.remove(&key);
        } else {
            metadata.insert(key, value);
        }
    }
    if metadata.len() > METADATA_KEYS {
        let message = format!("Metadata can have up to {METADATA_KEYS} keys.");
        return Err(ApiError::invalid(message).param("metadata"));
    }
    Ok(())
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    pub city: Option<String>,
    pub country: Option<String>,
    pub line1: Option<String>,
    pub line2: Option<String>,
    pub postal_code: Option<String>,
    pub state: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shipping {
    pub address: Address,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub carrier: Option<String>,
    pub tracking_number: Option<String>,
}
