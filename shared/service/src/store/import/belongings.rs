//! The places and fees that families of a file have already.
//!
//! Invariant: each is added once, in one transaction with the place that it takes and its family's next version. What is
//! there was loaded or sold before, and stays as it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use classpay_domain::catalogue::ChargedFee;
use classpay_domain::id::{ClassId, CompanyId};
use classpay_domain::ledger::DetailKind;

use super::super::fees::charged_fee_item;
use super::super::instalments;
use super::super::item::{Item, number, text};
use super::super::key::{self, Key};
use super::super::places::{ACTIVE, enrolment_item, place_item, trial_item};
use super::super::table::Written;
use super::super::transact::{Change, MAX_ACTIONS, Transaction};
use super::super::{Store, StoreError};
use super::ImportError;
use super::changes::Kind;
use crate::catalogue::FamilyEntry;
use crate::catalogue::documents::{ClassDoc, CompanyDoc, EnrolmentEntry, StudentDoc, TrialEntry};
use crate::machine::Machine;
use crate::schedule::{Schedule, ScheduledLine};
use crate::snapshot::{BookedEnrolment, BookedTrial};

/// So many are added at a time. Each takes four actions at most: itself, its instalments, its place, its family.
const TOGETHER: usize = MAX_ACTIONS / 4;

/// A place or a fee that the file brings.
#[derive(Debug)]
pub(super) struct Belonging {
    pub(super) kind: Kind,
    pub(super) key: Key,
    /// Itself, with its instalments.
    items: Vec<Item>,
    /// The class's seats or the lesson's trial places, of which it takes one.
    takes: Option<Key>,
    family: Key,
    enrolment: Option<AddedEnrolment>,
}

/// An enrolment that the file brings.
#[derive(Debug)]
pub(super) struct AddedEnrolment {
    pub(super) id: String,
    pub(super) class: ClassId,
    /// The student's name.
    pub(super) student: String,
}

impl<M: Machine> Store<M> {
    /// Adds places and fees. The enrolments among them.
    pub(super) async fn import_belongings(
        &self,
        company: &CompanyId,
        belongings: Vec<Belonging>,
    ) -> Result<Vec<AddedEnrolment>, ImportError> {
        let mut added = Vec::new();
        let mut belongings = belongings.into_iter().peekable();
        while belongings.peek().is_some() {
            let batch: Vec<_> = belongings.by_ref().take(TOGETHER).collect();
            let is_added = self.transact(adding(company, &batch)).await?;
            if is_new(is_added)? {
                added.extend(batch.into_iter().filter_map(|belonging| belonging.enrolment));
                continue;
            }
            // Somebody was faster with one of them.
            for belonging in batch {
                if is_new(self.transact(adding(company, std::slice::from_ref(&belonging))).await?)? {
                    added.extend(belonging.enrolment);
                }
            }
        }
        Ok(added)
    }
}

/// Whether it was written; if not, somebody was faster, and it is there.
fn is_new(written: Written) -> Result<bool, ImportError> {
    match written {
        Written::Done => Ok(true),
        Written::Lost => Ok(false),
        Written::Busy | Written::Unknown => Err(ImportError::Interrupted),
    }
}

/// Adds them, with what they take and the next version of each of their families.
fn adding(company: &CompanyId, belongings: &[Belonging]) -> Transaction {
    let mut transaction = Transaction::new();
    belongings.iter().flat_map(|belonging| &belonging.items).for_each(|item| transaction.create(item.clone()));
    let mut taken: BTreeMap<(&Key, Kind), i64> = BTreeMap::new();
    for belonging in belongings {
        if let Some(places) = &belonging.takes {
            let count = taken.entry((places, belonging.kind)).or_default();
            *count = count.saturating_add(1);
        }
    }
    for ((places, kind), count) in taken {
        let places = Change::of(places.clone());
        transaction.change(if kind == Kind::Enrolment {
            places.update("ADD seats_left :taken").value(":taken", number(-count))
        } else {
            let booked = places.update("ADD trials_booked :taken SET cid = :cid").value(":taken", number(count));
            booked.value(":cid", text(company.as_str()))
        });
    }
    let families: BTreeSet<_> = belongings.iter().map(|belonging| &belonging.family).collect();
    for family in families {
        let next = Change::of(family.clone()).update("SET family_version = family_version + :one");
        transaction.change(next.value(":one", number(1)));
    }
    transaction
}

/// Every place and fee of a family.
pub(super) fn belongings_of(
    studio: &CompanyDoc,
    classes: &HashMap<&ClassId, &ClassDoc>,
    entry: &FamilyEntry,
) -> Result<Vec<Belonging>, StoreError> {
    let (company, family) = (&studio.id, &entry.family.id);
    let of = |kind, key, items, takes, enrolment| {
        let family = key::family(company, family);
        Belonging { kind, key, items, takes, family, enrolment }
    };
    let mut all = Vec::new();
    for enrolment in &entry.enrolments {
        let Some(class) = classes.get(&enrolment.class_id) else { continue };
        let key = key::enrolment(company, family, &enrolment.student_id, &enrolment.class_id);
        let booked = booked_enrolment(enrolment, class, studio);
        let place = enrolment_item(place_item(&key, company, ACTIVE), &booked);
        let items = std::iter::once(place).chain(instalments::item(company, family, &booked)).collect();
        let student = entry.students.iter().find(|student| student.id == enrolment.student_id);
        let added = AddedEnrolment {
            id: enrolment.id.to_string(),
            class: enrolment.class_id.clone(),
            student: student.map(StudentDoc::full_name).unwrap_or_default(),
        };
        let seats = key::seats(company, &enrolment.class_id);
        all.push(of(Kind::Enrolment, key, items, Some(seats), Some(added)));
    }
    for trial in &entry.trials {
        let key = key::trial(company, family, &trial.student_id, &trial.class_id);
        let items = vec![trial_item(place_item(&key, company, ACTIVE), &booked_trial(trial))];
        let lesson = key::lesson(company, &trial.class_id, trial.trial_at);
        all.push(of(Kind::Trial, key, items, Some(lesson), None));
    }
    for charged in &entry.charged_fees {
        let charged = ChargedFee::try_from(charged).map_err(|_| StoreError::Corrupt("chargedFees"))?;
        let key = key::charged_fee(company, family, &charged.fee, &charged.student, &charged.period);
        let items = vec![charged_fee_item(&key, company, &charged)];
        all.push(of(Kind::ChargedFee, key, items, None, None));
    }
    Ok(all)
}

fn booked_enrolment(entry: &EnrolmentEntry, class: &ClassDoc, company: &CompanyDoc) -> BookedEnrolment {
    BookedEnrolment {
        id: entry.id.clone(),
        student: entry.student_id.clone(),
        class: entry.class_id.clone(),
        season: class.season_id.clone(),
        discountable: class.settings.discountable,
        plan: entry.pricing_plan_id.clone(),
        schedule: schedule(entry, class, company),
    }
}

/// What a loaded enrolment owes later: an amount a date, of which nothing more is known than that it is tuition.
fn schedule(entry: &EnrolmentEntry, class: &ClassDoc, company: &CompanyDoc) -> Option<Schedule> {
    let plan = entry.pricing_plan_id.as_ref().filter(|_| !entry.instalments.is_empty())?;
    let settings = &company.settings;
    let mut schedule = Schedule {
        timezone: settings.general.timezone.clone(),
        currency: settings.billing.currency,
        lines: Vec::new(),
        instalments: Vec::new(),
    };
    for instalment in &entry.instalments {
        let tuition = ScheduledLine {
            kind: DetailKind::Tuition.as_str().to_owned(),
            description: class.name.clone(),
            given_by: plan.to_string(),
        };
        schedule.push(instalment.date, [(tuition, instalment.amount.units())]);
    }
    Some(schedule)
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
