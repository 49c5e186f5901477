//! What a table holds at one moment, to be compared with a later one.
//!
//! Invariant: every item and every attribute counts; "nothing was written" means nothing.

use std::collections::BTreeMap;

use crate::{Item, Table};

/// A table at one moment: by key, what each item holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture(BTreeMap<String, BTreeMap<String, String>>);

impl Table {
    /// What it holds now.
    ///
    /// # Panics
    /// If the table can't be read.
    pub async fn picture(&self) -> Picture {
        Picture::of(self.everything().await)
    }
}

impl Picture {
    /// One of these items.
    ///
    /// # Panics
    /// If one of them has no key.
    #[must_use]
    pub fn of(items: Vec<Item>) -> Self {
        let items = items.into_iter().map(|item| {
            let key = |name: &str| item[name].as_s().expect("a key is text").clone();
            let attributes = item.iter().map(|(name, value)| (name.clone(), format!("{value:?}"))).collect();
            (format!("{}/{}", key("pk"), key("sk")), attributes)
        });
        Self(items.collect())
    }

    /// What is new (`+`), changed (`~`, with the attributes) or gone (`-`) in a later picture; sorted by key.
    #[must_use]
    pub fn changes(&self, later: &Self) -> Vec<String> {
        let mut keys: Vec<_> = self.0.keys().chain(later.0.keys()).collect();
        keys.sort();
        keys.dedup();
        let change = |key: &String| match (self.0.get(key), later.0.get(key)) {
            (None, Some(_)) => Some(format!("+ {key}")),
            (Some(_), None) => Some(format!("- {key}")),
            (Some(before), Some(after)) if before != after => {
                let mut names: Vec<_> = before.keys().chain(after.keys()).map(String::as_str).collect();
                names.sort_unstable();
                names.dedup();
                names.retain(|name| before.get(*name) != after.get(*name));
                Some(format!("~ {key} {}", names.join(" ")))
            }
            _ => None,
        };
        keys.into_iter().filter_map(change).collect()
    }
}
