//! Students that a file has in another family than the table.
//!
//! Invariant: nobody has a place twice: a student who has a place in one family is not added to another.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::id::{SeasonId, StudentId};
use classpay_service::store::key::{self, Key};
use classpay_service::store::layout::{ACTIVE, RESERVED};
use classpay_service::store::{Attributes, Consistency, Read as _, StoreError};
use jiff::civil::Date;

use crate::Import;
use crate::catalogue::{Catalogue, Note};
use crate::changes::Kind;
use crate::planned::{Entry, PlannedClass, PlannedSeason};

/// The classes that still have lessons to come, by their ids.
pub(super) fn going_on<'a>(
    classes: &'a [PlannedClass],
    seasons: &BTreeMap<SeasonId, PlannedSeason>,
    today: Date,
) -> BTreeSet<&'a str> {
    let goes_on = |class: &&PlannedClass| {
        let season = seasons.get(&class.doc.season_id);
        class.doc.archived_at.is_none() && season.is_some_and(|season| season.doc.end_at >= today)
    };
    classes.iter().filter(goes_on).map(|class| class.doc.id.as_str()).collect()
}

impl Import<'_> {
    /// Names the new students of a family who have places in another, in one of these classes.
    pub(super) async fn students_with_places_elsewhere(
        &self,
        catalogue: &Catalogue,
        entries: &[Entry],
        classes: &BTreeSet<&str>,
    ) -> Result<Vec<Note>, StoreError> {
        let mut stored: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.kind == Kind::Student && entry.stored.is_some()) {
            stored.entry(entry.id.as_str()).or_default().push(&entry.key);
        }
        let company = &catalogue.company.id;
        let mut notes = Vec::new();
        for (i, family) in catalogue.families.iter().enumerate() {
            for (j, student) in family.students.iter().enumerate() {
                let there = stored.get(student.id.as_str()).map(Vec::as_slice).unwrap_or_default();
                if there.contains(&&key::student(company, &family.family.id, &student.id)) {
                    continue;
                }
                for other in there {
                    let places = self.live_places(other, &student.id, classes).await?;
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

    /// How many places the student has in the family of that key, in one of these classes.
    async fn live_places(
        &self,
        there: &Key,
        student: &StudentId,
        classes: &BTreeSet<&str>,
    ) -> Result<usize, StoreError> {
        let own = format!("{}{student}#", key::ENROLMENT);
        let items = self.store.query(&there.pk, Consistency::Strong).await?;
        let is_live = |item: &&Attributes| [ACTIVE, RESERVED].map(Some).contains(&item.text_if("place_state"));
        let class = |item: &Attributes| item.text_if("sk").and_then(|sk| sk.strip_prefix(&own)).map(str::to_owned);
        Ok(items.iter().filter(is_live).filter_map(class).filter(|class| classes.contains(class.as_str())).count())
    }
}

fn elsewhere(student: &StudentId, family: &str, places: usize) -> String {
    let places = if places == 1 { "a place".to_owned() } else { format!("{places} places") };
    format!(
        "{student} has {places} in the family {family}, and a file can't move a place: keep the student in that family"
    )
}
