//! The places and fees that families of a file have already.
//!
//! Invariant: each is added once, in one transaction with the place that it takes and its family's next version, and an
//! id stands in one place. What is there was loaded or sold before, and stays as it is ([`super::planned_places`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use classpay_domain::catalogue::ChargedFee;
use classpay_domain::id::{ClassId, CompanyId, FamilyId, PlanId, TrialId};
use classpay_domain::ledger::DetailKind;
use classpay_service::catalogue::documents::{ClassDoc, CompanyDoc, StudentDoc};
use classpay_service::schedule::{Schedule, ScheduledLine};
use classpay_service::snapshot::{BookedEnrolment, BookedTrial};
use classpay_service::store::key::{self, Key};
use classpay_service::store::layout::{
    ACTIVE, CANCELLED, RELEASED, charged_fee_item, enrolment_item, instalments_item, place_item, trial_item,
};
use classpay_service::store::{Commit, Guard, Item, MAX_ACTIONS, StoreError, Write, Writes};
use jiff::civil::Date;

use crate::catalogue::{EnrolmentEntry, FamilyEntry, TrialEntry};
use crate::changes::Kind;
use crate::{Import, ImportError};

/// So many are added at a time. Each takes five actions at most: itself, its instalments or that nobody is enrolled beside it,
/// where it was loaded, its place, its family.
const TOGETHER: usize = MAX_ACTIONS / 5;

/// A place or a fee that the file brings.
#[derive(Debug)]
pub(super) struct Belonging<'a> {
    pub(super) kind: Kind,
    pub(super) key: Key,
    /// Where it stands in the file.
    pub(super) at: String,
    pub(super) of: Of<'a>,
    /// The record of its id: no other family or class can be loaded with the same.
    pub(super) loaded_place: Option<(Key, Item)>,
    /// The enrolment of a trial's student in its class: beside one that is live no trial is added.
    pub(super) enrolment: Option<Key>,
    item: Item,
    instalments: Option<Item>,
    /// The class's seats or the lesson's trial places, of which it takes one.
    takes: Option<Key>,
    family: Key,
}

/// What it is, as the file says it.
#[derive(Debug)]
pub(super) enum Of<'a> {
    /// An enrolment.
    Enrolment(PlaceOf<'a>),
    /// A trial.
    Trial(&'a TrialEntry),
    /// A fee.
    Fee(ChargedFee),
}

/// An enrolment with what it is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlaceOf<'a> {
    pub(super) enrolment: &'a EnrolmentEntry,
    family: &'a FamilyEntry,
    class: &'a ClassDoc,
    company: &'a CompanyDoc,
}

/// What was added.
#[derive(Debug, Default)]
pub(super) struct Added {
    pub(super) enrolments: Vec<AddedEnrolment>,
    /// The trials of each lesson.
    pub(super) lessons: BTreeMap<(ClassId, Date), Vec<TrialId>>,
}

/// An enrolment that the file brings.
#[derive(Debug)]
pub(super) struct AddedEnrolment {
    pub(super) id: String,
    pub(super) class: ClassId,
    /// The student's name.
    pub(super) student: String,
}

impl Import<'_> {
    /// Adds places and fees. What was added.
    pub(super) async fn write_belongings(
        &self,
        company: &CompanyId,
        belongings: Vec<Belonging<'_>>,
    ) -> Result<Added, ImportError> {
        let mut added = Added::default();
        // Somebody was faster with one of them: what is there now is named when the file is loaded again.
        let mut is_missed = false;
        let mut belongings = belongings.into_iter().peekable();
        while belongings.peek().is_some() {
            let batch: Vec<_> = belongings.by_ref().take(TOGETHER).collect();
            let is_added = self.store.transact(adding(company, &batch)).await?;
            if is_new(is_added)? {
                batch.iter().for_each(|belonging| added.add(belonging));
                continue;
            }
            for belonging in batch {
                if is_new(self.store.transact(adding(company, std::slice::from_ref(&belonging))).await?)? {
                    added.add(&belonging);
                } else {
                    is_missed = true;
                }
            }
        }
        if is_missed { Err(ImportError::Interrupted) } else { Ok(added) }
    }
}

impl Added {
    fn add(&mut self, belonging: &Belonging<'_>) {
        match &belonging.of {
            Of::Enrolment(place) => self.enrolments.push(place.added()),
            Of::Trial(trial) => {
                let lesson = (trial.class_id.clone(), trial.trial_at);
                self.lessons.entry(lesson).or_default().push(trial.id.clone());
            }
            Of::Fee(_) => {}
        }
    }
}

/// Whether it was written; if not, somebody was faster, and something is there.
fn is_new(written: Commit) -> Result<bool, ImportError> {
    match written {
        Commit::Done => Ok(true),
        Commit::ConditionFailed => Ok(false),
        Commit::Contended | Commit::Unknown => Err(ImportError::Interrupted),
    }
}

/// Adds them, with what they take and the next version of each of their families.
fn adding(company: &CompanyId, belongings: &[Belonging<'_>]) -> Writes {
    let mut writes = Writes::new();
    for belonging in belongings {
        writes.push(Write::put(belonging.item.clone()).when(belonging.is_free()));
        let record = belonging.loaded_place.iter().map(|(_, item)| item);
        belonging.instalments.iter().chain(record).for_each(|item| writes.create(item.clone()));
        if let Some(enrolment) = &belonging.enrolment {
            writes.push(Write::edit(enrolment.clone()).when(not_live()));
        }
    }
    let mut taken: BTreeMap<(&Key, Kind), i64> = BTreeMap::new();
    for belonging in belongings {
        if let Some(places) = &belonging.takes {
            let count = taken.entry((places, belonging.kind)).or_default();
            *count = count.saturating_add(1);
        }
    }
    for ((places, kind), count) in taken {
        let places = Write::edit(places.clone());
        writes.push(if kind == Kind::Enrolment {
            places.add("seats_left", -count)
        } else {
            places.add("trials_booked", count).set("cid", company.as_str())
        });
    }
    let families: BTreeSet<_> = belongings.iter().map(|belonging| &belonging.family).collect();
    for family in families {
        writes.push(Write::edit(family.clone()).add("family_version", 1).when(Guard::Exists));
    }
    writes
}

impl Belonging<'_> {
    /// That nothing is there, or only what an order has given back.
    fn is_free(&self) -> Guard {
        match self.of {
            Of::Enrolment(_) | Of::Trial(_) => not_live(),
            Of::Fee(_) => Guard::Absent.or(Guard::is("fee_state", RELEASED)),
        }
    }
}

/// That no place is there, or one that was given back.
fn not_live() -> Guard {
    Guard::Absent.or(Guard::is("place_state", CANCELLED))
}

/// Every place and fee of a family, which has this number in the file.
pub(super) fn belongings_of<'a>(
    studio: &'a CompanyDoc,
    classes: &HashMap<&ClassId, &'a ClassDoc>,
    (index, entry): (usize, &'a FamilyEntry),
) -> Result<Vec<Belonging<'a>>, StoreError> {
    let (company, family) = (&studio.id, &entry.family.id);
    let of = |kind, key, at, of, item| {
        let family = key::family(company, family);
        Belonging {
            kind,
            key,
            at,
            of,
            loaded_place: None,
            enrolment: None,
            item,
            instalments: None,
            takes: None,
            family,
        }
    };
    let mut all = Vec::new();
    for (j, enrolment) in entry.enrolments.iter().enumerate() {
        let Some(class) = classes.get(&enrolment.class_id) else { continue };
        let place = PlaceOf { enrolment, family: entry, class, company: studio };
        let key = key::enrolment(company, family, &enrolment.student_id, &enrolment.class_id);
        let booked = place.booked(enrolment.pricing_plan_id.as_ref());
        let item = enrolment_item(place_item(&key, company, ACTIVE), &booked);
        let record = key::loaded_place(company, key::ENROLMENT, enrolment.id.as_str());
        let at = format!("families[{index}].enrolments[{j}]");
        all.push(Belonging {
            loaded_place: Some(place_record(
                record,
                (company, family),
                (enrolment.student_id.as_str(), &enrolment.class_id),
            )),
            instalments: instalments_item(company, family, &booked),
            takes: Some(key::seats(company, &enrolment.class_id)),
            ..of(Kind::Enrolment, key, at, Of::Enrolment(place), item)
        });
    }
    for (j, trial) in entry.trials.iter().enumerate() {
        let key = key::trial(company, family, &trial.student_id, &trial.class_id);
        let item = trial_item(place_item(&key, company, ACTIVE), &booked_trial(trial));
        let record = key::loaded_place(company, key::TRIAL, trial.id.as_str());
        let at = format!("families[{index}].trials[{j}]");
        all.push(Belonging {
            loaded_place: Some(place_record(record, (company, family), (trial.student_id.as_str(), &trial.class_id))),
            enrolment: Some(key::enrolment(company, family, &trial.student_id, &trial.class_id)),
            takes: Some(key::lesson(company, &trial.class_id, trial.trial_at)),
            ..of(Kind::Trial, key, at, Of::Trial(trial), item)
        });
    }
    for (j, charged) in entry.charged_fees.iter().enumerate() {
        let charged = ChargedFee::try_from(charged).map_err(|_| StoreError::Corrupt("chargedFees"))?;
        let key = key::charged_fee(company, family, &charged.fee, &charged.student, &charged.period);
        let item = charged_fee_item(&key, company, &charged);
        all.push(of(Kind::ChargedFee, key, format!("families[{index}].chargedFees[{j}]"), Of::Fee(charged), item));
    }
    Ok(all)
}

/// The record of the family, student and class that an enrolment or trial of this id was loaded into.
fn place_record(
    key: Key,
    (company, family): (&CompanyId, &FamilyId),
    (student, class): (&str, &ClassId),
) -> (Key, Item) {
    let item = Item::at(&key).text("cid", company.as_str()).text("fid", family.as_str());
    (key, item.text("student", student).text("class", class.as_str()))
}

impl PlaceOf<'_> {
    /// As it is stored when it is on this plan.
    pub(super) fn booked(&self, plan: Option<&PlanId>) -> BookedEnrolment {
        let Self { enrolment, class, .. } = *self;
        BookedEnrolment {
            id: enrolment.id.clone(),
            student: enrolment.student_id.clone(),
            class: enrolment.class_id.clone(),
            season: class.season_id.clone(),
            discountable: class.settings.discountable,
            plan: plan.cloned(),
            schedule: self.schedule(plan),
        }
    }

    /// What a loaded enrolment owes later: an amount a date, of which nothing more is known than that it is tuition.
    fn schedule(&self, plan: Option<&PlanId>) -> Option<Schedule> {
        let Self { enrolment, class, company, .. } = *self;
        let plan = plan.filter(|_| !enrolment.instalments.is_empty())?;
        let settings = &company.settings;
        let mut schedule = Schedule {
            timezone: settings.general.timezone.clone(),
            currency: settings.billing.currency,
            lines: Vec::new(),
            instalments: Vec::new(),
        };
        for instalment in &enrolment.instalments {
            let tuition = ScheduledLine {
                kind: DetailKind::Tuition.as_str().to_owned(),
                description: class.name.clone(),
                given_by: plan.to_string(),
            };
            schedule.push(instalment.date, [(tuition, instalment.amount.units())]);
        }
        Some(schedule)
    }

    /// Where its instalments are.
    pub(super) fn plans(&self) -> Key {
        key::plans(&self.company.id, &self.family.family.id, &self.enrolment.id)
    }

    /// Its instalments as they are stored when it is on this plan.
    pub(super) fn instalments(&self, plan: Option<&PlanId>) -> Option<Item> {
        instalments_item(&self.company.id, &self.family.family.id, &self.booked(plan))
    }

    fn added(&self) -> AddedEnrolment {
        let student = self.family.students.iter().find(|student| student.id == self.enrolment.student_id);
        AddedEnrolment {
            id: self.enrolment.id.to_string(),
            class: self.enrolment.class_id.clone(),
            student: student.map(StudentDoc::full_name).unwrap_or_default(),
        }
    }
}

fn booked_trial(entry: &TrialEntry) -> BookedTrial {
    BookedTrial {
        id: entry.id.clone(),
        student: entry.student_id.clone(),
        class: entry.class_id.clone(),
        on: entry.trial_at,
        at: entry.time,
        places: None,
    }
}
