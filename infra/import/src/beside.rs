//! What stands beside documents: what the classes of each season are, for what was sold of them, and whether the list of
//! what the company has is whole.
//!
//! Invariant: it follows from the documents as they will be, and from what stood there before: so that an import that was
//! interrupted finds what it left.

use std::collections::{BTreeMap, BTreeSet};

use classpay_service::store::key::Key;
use classpay_service::store::layout::{GIVEN_UP, MOVED, UNDISCOUNTED};
use classpay_service::store::{Attributes, Read as _, StoreError, document};
use serde::Deserialize;

use crate::changes::{Extent, Kind};
use crate::planned::{Entry, PlannedClass};

/// The attribute of a company that says that all it has is listed ([`classpay_service::store::key::roll_pk`]).
const ROLL: &str = "roll";
const WHOLE: &str = "whole";

/// The attributes that stand beside the document of such a kind.
const fn names(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Season => &[GIVEN_UP, MOVED, UNDISCOUNTED],
        Kind::Company => &[ROLL],
        _ => &[],
    }
}

/// By the document's key: its attributes.
pub(super) type Beside = BTreeMap<Key, BTreeMap<&'static str, String>>;

/// What is stored beside a document.
pub(super) fn stored_beside(kind: Kind, item: &Attributes) -> BTreeMap<&'static str, String> {
    names(kind).iter().filter_map(|name| Some((*name, item.text_if(name)?.to_owned()))).collect()
}

/// Whether all that the company has is listed.
pub(super) fn is_whole(of_company: Option<&BTreeMap<&'static str, String>>) -> bool {
    of_company.and_then(|attributes| attributes.get(ROLL)).is_some_and(|roll| roll == WHOLE)
}

/// What will stand beside all documents. A list is whole if the company is new; and after a whole file, for its author was
/// told that what isn't listed stays.
pub(super) fn beside(
    entries: &[Entry],
    classes: &[PlannedClass],
    stored: &Beside,
    extent: Extent,
) -> Result<Beside, StoreError> {
    let moved = moved(entries, stored)?;
    let mut lists: BTreeMap<&str, [BTreeSet<&str>; 3]> = BTreeMap::new();
    for PlannedClass { doc, .. } in classes {
        let [given_up, away, undiscounted] = lists.entry(doc.season_id.as_str()).or_default();
        let belongs = [
            (given_up, doc.archived_at.is_some()),
            (away, moved.contains(doc.id.as_str())),
            (undiscounted, !doc.settings.discountable),
        ];
        belongs.into_iter().filter(|(_, belongs)| *belongs).for_each(|(list, _)| {
            list.insert(doc.id.as_str());
        });
    }
    let mut beside = Beside::new();
    for entry in entries {
        let attributes: BTreeMap<_, _> = match entry.kind {
            Kind::Season => {
                let lists = lists.remove(entry.id.as_str()).unwrap_or_default();
                names(Kind::Season).iter().copied().zip(lists.iter().map(document)).collect()
            }
            Kind::Company => {
                let is_whole = entry.stored.is_none() || extent != Extent::Part || is_whole(stored.get(&entry.key));
                is_whole.then(|| (ROLL, WHOLE.to_owned())).into_iter().collect()
            }
            _ => continue,
        };
        beside.insert(entry.key.clone(), attributes);
    }
    Ok(beside)
}

/// A class's document, as far as where it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placed {
    season_id: String,
}

/// The classes that have been in another season: what was sold of them there may say so.
fn moved(entries: &[Entry], stored: &Beside) -> Result<BTreeSet<String>, StoreError> {
    let mut moved = BTreeSet::new();
    for list in stored.values().filter_map(|attributes| attributes.get(MOVED)) {
        let classes: Vec<String> = serde_json::from_str(list).map_err(|_| StoreError::Corrupt(MOVED))?;
        moved.extend(classes);
    }
    // An earlier version has not said which have moved: any may have.
    let is_unknown = entries.iter().any(|entry| {
        let known = stored.get(&entry.key).is_some_and(|attributes| attributes.contains_key(MOVED));
        entry.kind == Kind::Season && entry.stored.is_some() && !known
    });
    for entry in entries.iter().filter(|entry| entry.kind == Kind::Class && (is_unknown || entry.is_new())) {
        let (Some(stored), Some(target)) = (&entry.stored, &entry.target) else { continue };
        if is_unknown {
            moved.insert(entry.id.clone());
            continue;
        }
        let season = |doc: &str| -> Result<String, StoreError> {
            let placed: Placed = serde_json::from_str(doc).map_err(|_| StoreError::Corrupt("doc"))?;
            Ok(placed.season_id)
        };
        if season(stored)? != season(target)? {
            moved.insert(entry.id.clone());
        }
    }
    Ok(moved)
}
