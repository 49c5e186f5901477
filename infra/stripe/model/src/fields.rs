//! Fields that several objects have: metadata, and postal addresses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// An empty string unsets the value; an absent one leaves it unchanged.
pub fn set(field: &mut Option<String>, given: Option<String>) {
    if let Some(given) = given {
        *field = Some(given).filter(|given| !given.is_empty());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_deletes_its_key() {
        let mut metadata = Metadata::from([("a".into(), "1".into()), ("b".into(), "2".into())]);
        let given = Metadata::from([("a".into(), String::new()), ("c".into(), "3".into())]);
        merge(&mut metadata, Some(given)).expect("within the limits");
        assert_eq!(metadata, Metadata::from([("b".into(), "2".into()), ("c".into(), "3".into())]));
        merge(&mut metadata, Some(Metadata::new())).expect("within the limits");
        assert!(metadata.is_empty());
    }
}
