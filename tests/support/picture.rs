//! A snapshot of a table, for comparison with a later one.
//!
//! Every item and every attribute counts: "nothing was written" means nothing at all.

use std::collections::BTreeMap;

use crate::{Item, Table};

/// A snapshot of a table: the contents of each item, by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture(BTreeMap<String, BTreeMap<String, String>>);

impl Table {
    /// Takes a snapshot of the table.
    ///
    /// # Panics
    /// If the table can't be read.
    pub async fn picture(&self) -> Picture {
        Picture::of(self.everything().await)
    }
}

impl Picture {
    /// Makes a snapshot of these items.
    ///
    /// # Panics
    /// If an item has no key.
    #[must_use]
    pub fn of(items: Vec<Item>) -> Self {
        let items = items.into_iter().map(|item| {
            let key = |name: &str| item[name].as_s().expect("a key is text").clone();
            let attributes = item.iter().map(|(name, value)| (name.clone(), format!("{value:?}"))).collect();
            (format!("{}/{}", key("pk"), key("sk")), attributes)
        });
        Self(items.collect())
    }

    /// The items that are new (`+`), changed (`~`, with the attributes) or gone (`-`) in a later snapshot, sorted by
    /// key.
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
