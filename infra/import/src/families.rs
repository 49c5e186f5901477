//! Families and their version.
//!
//! Invariant: the version is raised after every change of what a family's prices are made from: when the documents of
//! the family and its students differ from those it was last raised for, and when places or fees are added
//! ([`super::belongings`]).

use std::collections::HashMap;

use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::CompanyId;
use classpay_service::store::key::Key;
use classpay_service::store::{Consistency, Read as _, Write};

use crate::batch::Batch;
use crate::changes::Kind;
use crate::plan::Plan;
use crate::planned::Entry;
use crate::{Import, ImportError};

impl Import<'_> {
    pub(super) async fn write_families(&self, plan: &Plan<'_>) -> Result<(), ImportError> {
        let mut students: HashMap<&str, Vec<&Entry>> = HashMap::new();
        for entry in plan.entries.iter().filter(|entry| entry.kind == Kind::Student) {
            students.entry(&entry.key.pk).or_default().push(entry);
        }
        let families: Vec<_> = plan.entries.iter().filter(|entry| entry.kind == Kind::Family).collect();
        let keys = families.iter().map(|entry| entry.key.clone()).collect();
        let stored = self.store.get_all(keys, Consistency::Strong).await?;
        let mut batch = Batch::of(self.store);
        for entry in families {
            let Some(doc) = &entry.target else { continue };
            let from = imported_from(doc, students.remove(entry.key.pk.as_str()).unwrap_or_default());
            let item = stored.get(&entry.key);
            if item.and_then(|item| item.text_if("imported_from")) != Some(&from) {
                let change = family_change(&plan.catalogue.company.id, &entry.key, doc, from);
                batch.room_for(doc.len()).await?.push(change);
            }
        }
        batch.write().await
    }
}

/// A family's document changes; its balance, version and customer are given to it once.
fn family_change(company: &CompanyId, family: &Key, doc: &str, from: String) -> Write {
    Write::edit(family.clone())
        .set("cid", company.as_str())
        .set("doc", doc)
        .set("imported_from", from)
        .set_if_missing("family_balance", 0)
        .add("family_version", 1)
}

/// The digest of the documents that decide a family's prices: an import that was interrupted finds what it left.
fn imported_from(family: &str, mut students: Vec<&Entry>) -> String {
    students.sort_by_key(|entry| &entry.key);
    let mut digest = Fingerprint::new("family");
    digest.text(family);
    students.iter().filter_map(|entry| entry.target.as_deref()).for_each(|student| {
        digest.text(student);
    });
    digest.finish_hex()
}
