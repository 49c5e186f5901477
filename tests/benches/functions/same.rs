//! That a function and its counterpart in Node do the same: what both have answered, and what both have left in their
//! tables.
//!
//! Invariant: ids that are made differ between any two runs, and so do times: of ids it is compared where the same one
//! appears again, of times that they are there. All else is compared as it is.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_service::store::key::EVENT;
use classpay_tests::Item;
use serde_json::{Map, Value, json};

use crate::work::Work;
use crate::world::{World, body};

/// What ids that are made begin with.
const MADE: [&str; 9] = ["trn_", "trnd_", "trne_", "enr_", "trl_", "ord_", "pi_", "cus_", "evt_"];
/// What follows from a time or an id. Times themselves are called `…_s`.
const OF_TIME: [&str; 3] = ["gsi1pk", "gsi1sk", "ttl"];
const ULID_CHARS: usize = 26;

/// What a row has done.
pub struct Done {
    answer: String,
    table: Vec<String>,
}

impl Done {
    /// What it has answered to its first request, and what is in its table by now.
    pub async fn of(work: Work, answer: &[u8], world: &World) -> Self {
        let everything = world.table.everything().await;
        // Stripe's events are another function's to note.
        let own =
            everything.iter().filter(|item| !matches!(&item["pk"], AttributeValue::S(pk) if pk.starts_with(EVENT)));
        let mut table: Vec<String> = own.map(item).collect();
        table.sort();
        Self { answer: numbered(&body(work.function(), answer).to_string()), table }
    }

    /// Fails if somebody else has done anything else.
    pub fn assert_same(&self, work: Work, other: &Self) {
        assert_eq!(self.answer, other.answer, "{} answers otherwise", work.name());
        for (own, other) in self.table.iter().zip(&other.table) {
            assert_eq!(own, other, "{} writes otherwise", work.name());
        }
        assert_eq!(self.table.len(), other.table.len(), "{} writes more, or less", work.name());
    }
}

/// An item as text, its documents as what they say.
fn item(item: &Item) -> String {
    let mut fields = Map::new();
    for (name, value) in item {
        let said = match value {
            _ if name.ends_with("_s") || OF_TIME.contains(&name.as_str()) => Value::Null,
            AttributeValue::S(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
            AttributeValue::N(number) => json!({"number": number}),
            other => json!(format!("{other:?}")),
        };
        fields.insert(name.clone(), said);
    }
    numbered(&Value::Object(fields).to_string())
}

/// The text with a number for each id that is made.
fn numbered(text: &str) -> String {
    let mut known: Vec<&str> = Vec::new();
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut numbered = String::with_capacity(text.len());
    for part in text.split_inclusive(|character| !is_part(character)) {
        let word = part.trim_end_matches(|character| !is_part(character));
        let prefix = MADE.into_iter().find(|prefix| word.starts_with(prefix)).unwrap_or_default();
        let id = &word[prefix.len()..];
        if prefix.is_empty() && !is_ulid(id) {
            numbered.push_str(part);
            continue;
        }
        let number = known.iter().position(|known| *known == id).unwrap_or(known.len());
        if number == known.len() {
            known.push(id);
        }
        numbered.push_str(&format!("{prefix}{number}{}", &part[word.len()..]));
    }
    numbered
}

fn is_ulid(word: &str) -> bool {
    word.len() == ULID_CHARS && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
