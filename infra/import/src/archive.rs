//! Stored documents as they are, by the little that all kinds have in common.
//!
//! Invariant: a document that is archived keeps every other field as it was written, also those that only a later
//! version knows.

use std::collections::BTreeMap;

use classpay_service::store::StoreError;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::changes::Kind;

/// What a stored document says of itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    name: Option<String>,
    label: Option<String>,
    #[serde(alias = "firstname")]
    first_name: Option<String>,
    #[serde(alias = "lastname")]
    last_name: Option<String>,
    archived_at: Option<IgnoredAny>,
    deleted_at: Option<IgnoredAny>,
}

const CORRUPT: StoreError = StoreError::Corrupt("doc");

impl Head {
    pub(super) fn of(doc: &str) -> Result<Self, StoreError> {
        serde_json::from_str(doc).map_err(|_| CORRUPT)
    }

    /// Whether it was given up before.
    pub(super) const fn is_archived(&self) -> bool {
        self.archived_at.is_some() || self.deleted_at.is_some()
    }

    /// What it is called; what has no name is called nothing.
    pub(super) fn name(self) -> String {
        let of_student = [self.first_name, self.last_name].into_iter().flatten().collect::<Vec<_>>().join(" ");
        self.name.or(self.label).unwrap_or(of_student).trim().to_owned()
    }
}

/// The document as it is from now on. A discount scheme is switched off as well: so it stands for versions that don't
/// know of archived ones, which would give two of a kind.
pub(super) fn archived(kind: Kind, doc: &str, now: Timestamp) -> Result<String, StoreError> {
    let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(doc).map_err(|_| CORRUPT)?;
    let mut set = |name: &str, value: String| -> Result<(), StoreError> {
        fields.insert(name.to_owned(), RawValue::from_string(value).map_err(|_| CORRUPT)?);
        Ok(())
    };
    set("archivedAt", format!("\"{}\"", now.strftime("%Y-%m-%d %H:%M:%S")))?;
    if kind == Kind::DiscountScheme {
        set("enabled", "false".to_owned())?;
    }
    serde_json::to_string(&fields).map_err(|_| CORRUPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archived_document_keeps_the_digits_and_the_fields_that_nobody_knows() {
        let doc = r#"{"id":"pp_1","discount":2.90,"laterField":{"of":[1.50]},"archivedAt":null,"enabled":true}"#;
        let now = "2026-09-07T08:00:00Z".parse().unwrap();
        let class = archived(Kind::Class, doc, now).unwrap();
        assert!(class.contains("2.90") && class.contains("[1.50]") && class.contains("\"enabled\":true"), "{class}");
        assert!(class.contains("\"archivedAt\":\"2026-09-07 08:00:00\""), "{class}");
        assert!(Head::of(&class).unwrap().is_archived() && !Head::of(doc).unwrap().is_archived());
        assert!(archived(Kind::DiscountScheme, doc, now).unwrap().contains("\"enabled\":false"));
    }
}
