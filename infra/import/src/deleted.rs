//! What a file has deleted of what was sold, and the table still has.
//!
//! Invariant: it is only reported. A file takes no place and no entry away.

use std::collections::HashMap;

use classpay_service::store::key::{self, Key};
use classpay_service::store::layout::ACTIVE;
use classpay_service::store::{Attributes, Consistency, Read as _, StoreError};

use crate::Import;
use crate::catalogue::{Catalogue, Deleted, Note, Sold};

impl Import<'_> {
    /// Names what is deleted in the file and goes on.
    pub(super) async fn deleted_and_there(&self, catalogue: &Catalogue) -> Result<Vec<Note>, StoreError> {
        let known = catalogue.deleted.iter().flat_map(|deleted| known_by(catalogue, deleted)).collect();
        let known = self.store.get_all(known, Consistency::Strong).await?;
        let mut there = Vec::new();
        for deleted in &catalogue.deleted {
            if let Some(item) = known_by(catalogue, deleted).iter().find_map(|key| known.get(key)) {
                there.push((deleted, place_of(catalogue, deleted.kind, item)?));
            }
        }
        let places = there.iter().filter_map(|(_, place)| place.clone()).collect();
        let places = self.store.get_all(places, Consistency::Strong).await?;
        Ok(there.into_iter().filter_map(|(deleted, place)| goes_on(deleted, place.as_ref(), &places)).collect())
    }
}

/// Where the table says that it has this id.
fn known_by(catalogue: &Catalogue, deleted: &Deleted) -> Vec<Key> {
    let (company, id) = (&catalogue.company.id, &deleted.id);
    match deleted.kind {
        Sold::Enrolment => vec![key::loaded_place(company, key::ENROLMENT, id)],
        Sold::Trial => vec![key::loaded_place(company, key::TRIAL, id)],
        Sold::Transaction => {
            id.parse().map(|id| vec![key::due(company, &id), key::loaded_credit(company, &id)]).unwrap_or_default()
        }
    }
}

/// The place that an id was loaded as; none for an entry.
fn place_of(catalogue: &Catalogue, kind: Sold, record: &Attributes) -> Result<Option<Key>, StoreError> {
    let company = &catalogue.company.id;
    let place = match kind {
        Sold::Enrolment => key::enrolment,
        Sold::Trial => key::trial,
        Sold::Transaction => return Ok(None),
    };
    Ok(Some(place(company, &record.parsed("fid")?, &record.parsed("student")?, &record.parsed("class")?)))
}

fn goes_on(deleted: &Deleted, place: Option<&Key>, places: &HashMap<Key, Attributes>) -> Option<Note> {
    let Deleted { kind, place: at, id } = deleted;
    let id_of = if *kind == Sold::Enrolment { "enrolment_id" } else { "trial_id" };
    let is_live = place.is_none_or(|place| {
        let item = places.get(place);
        item.is_some_and(|item| item.text_if("place_state") == Some(ACTIVE) && item.text_if(id_of) == Some(id))
    });
    let what = match kind {
        Sold::Enrolment | Sold::Trial => {
            format!("{id} is deleted in the file, and goes on: a file takes no place away")
        }
        Sold::Transaction => format!("{id} is deleted in the file, and stays: entries are never taken away"),
    };
    is_live.then(|| Note { place: at.clone(), what })
}
