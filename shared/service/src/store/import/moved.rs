//! Students that a file has in another family than the table.
//!
//! Invariant: nobody has a place twice: a student who has places in one family is not added to another.

use std::collections::BTreeMap;

use classpay_domain::id::StudentId;

use super::super::item::{Attributes, Read as _};
use super::super::key::{self, Key};
use super::super::places::{ACTIVE, RESERVED};
use super::super::table::Consistency;
use super::super::{Store, StoreError};
use super::archive::Head;
use super::changes::Kind;
use super::plan::Entry;
use crate::catalogue::{Catalogue, Note};
use crate::machine::Machine;

impl<M: Machine> Store<M> {
    /// Names the new students of a family who have places in another.
    pub(super) async fn students_with_places_elsewhere(
        &self,
        catalogue: &Catalogue,
        entries: &[Entry],
    ) -> Result<Vec<Note>, StoreError> {
        let mut stored: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.kind == Kind::Student) {
            if let Some(text) = &entry.stored
                && !Head::of(text)?.is_archived()
            {
                stored.entry(entry.id.as_str()).or_default().push(entry);
            }
        }
        let company = &catalogue.company.id;
        let mut notes = Vec::new();
        for (i, family) in catalogue.families.iter().enumerate() {
            for (j, student) in family.students.iter().enumerate() {
                let own = key::student(company, &family.family.id, &student.id);
                let there = stored.get(student.id.as_str()).into_iter().flatten();
                let there: Vec<_> = there.map(|entry| &entry.key).collect();
                if there.contains(&&own) {
                    continue;
                }
                for other in there {
                    let places = self.live_places(other, &student.id).await?;
                    if places > 0 {
                        let family = other.pk.rsplit('#').next().unwrap_or_default();
                        let place = format!("families[{i}].students[{j}]");
                        notes.push(Note { place, what: elsewhere(&student.id, family, places) });
                    }
                }
            }
        }
        Ok(notes)
    }

    /// How many places the student has in the family of that key.
    async fn live_places(&self, there: &Key, student: &StudentId) -> Result<usize, StoreError> {
        let own = format!("{}{student}#", key::ENROLMENT);
        let items = self.query(&there.pk, Consistency::Strong).await?;
        let is_live = |item: &&Attributes| [ACTIVE, RESERVED].map(Some).contains(&item.text_if("place_state"));
        let is_own = |item: &&Attributes| item.text_if("sk").is_some_and(|sk| sk.starts_with(&own));
        Ok(items.iter().filter(is_live).filter(is_own).count())
    }
}

fn elsewhere(student: &StudentId, family: &str, places: usize) -> String {
    let places = if places == 1 { "a place".to_owned() } else { format!("{places} places") };
    format!("{student} has {places} in the family {family}, and a file moves none to another: keep the student there")
}
