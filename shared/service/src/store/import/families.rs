//! Families: their version, and the places and fees that they have already.
//!
//! Invariant: the version is raised after every change of what a family's prices are made from: when the documents of
//! the family and its students differ from those it was last raised for, and with each place or fee that is added.

use std::collections::HashMap;

use classpay_domain::catalogue::ChargedFee;
use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::{ClassId, CompanyId};
use classpay_domain::ledger::DetailKind;

use super::super::fees::charged_fee_item;
use super::super::instalments;
use super::super::item::{Read as _, number, text};
use super::super::key::{self, Key};
use super::super::places::{ACTIVE, enrolment_item, place_item, trial_item};
use super::super::table::Consistency;
use super::super::table::Written;
use super::super::transact::{Change, Transaction};
use super::super::{Store, StoreError};
use super::ImportError;
use super::batch::Batch;
use super::changes::Kind;
use super::plan::{Entry, Plan};
use crate::catalogue::FamilyEntry;
use crate::catalogue::documents::{ClassDoc, CompanyDoc, EnrolmentEntry, StudentDoc, TrialEntry};
use crate::machine::Machine;
use crate::schedule::{Schedule, ScheduledLine};
use crate::snapshot::{BookedEnrolment, BookedTrial};

/// A place or a fee that the file brings.
#[derive(Debug)]
pub(super) struct Belonging {
    pub(super) kind: Kind,
    pub(super) key: Key,
    /// Adds it, with its seat and the family's next version.
    transaction: Transaction,
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
    pub(super) async fn import_families(&self, plan: &Plan<'_>) -> Result<(), ImportError> {
        let mut students: HashMap<&str, Vec<&Entry>> = HashMap::new();
        for entry in plan.entries.iter().filter(|entry| entry.kind == Kind::Student) {
            students.entry(&entry.key.pk).or_default().push(entry);
        }
        let families: Vec<_> = plan.entries.iter().filter(|entry| entry.kind == Kind::Family).collect();
        let keys = families.iter().map(|entry| entry.key.clone()).collect();
        let stored = self.get_all(keys, Consistency::Strong).await?;
        let mut batch = Batch::of(self);
        for entry in families {
            let Some(doc) = &entry.target else { continue };
            let from = imported_from(doc, students.remove(entry.key.pk.as_str()).unwrap_or_default());
            let item = stored.get(&entry.key);
            if item.and_then(|item| item.text_if("imported_from")) != Some(&from) {
                let change = family_change(&plan.catalogue.company.id, &entry.key, doc, from);
                batch.room_for(doc.len()).await?.change(change);
            }
        }
        batch.write().await
    }

    /// Adds places and fees. The enrolments among them.
    pub(super) async fn import_belongings(
        &self,
        belongings: Vec<Belonging>,
    ) -> Result<Vec<AddedEnrolment>, ImportError> {
        let mut added = Vec::new();
        for Belonging { transaction, enrolment, .. } in belongings {
            if is_new(self.transact(transaction).await?)? {
                added.extend(enrolment);
            }
        }
        Ok(added)
    }
}

/// A family's document changes; its balance, version and customer are given to it once.
fn family_change(company: &CompanyId, family: &Key, doc: &str, from: String) -> Change {
    Change::of(family.clone())
        .update(
            "SET cid = :cid, doc = :doc, imported_from = :from, \
             family_balance = if_not_exists(family_balance, :zero), \
             family_version = if_not_exists(family_version, :zero) + :one",
        )
        .value(":cid", text(company.as_str()))
        .value(":doc", text(doc))
        .value(":from", text(from))
        .value(":zero", number(0))
        .value(":one", number(1))
}

/// Whether it was written; if not, somebody was faster, and it is there.
fn is_new(written: Written) -> Result<bool, ImportError> {
    match written {
        Written::Done => Ok(true),
        Written::Lost => Ok(false),
        Written::Busy | Written::Unknown => Err(ImportError::Interrupted),
    }
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

/// Every place and fee of a family, each with the transaction that adds it, its seat and the family's next version.
pub(super) fn belongings_of(
    studio: &CompanyDoc,
    classes: &HashMap<&ClassId, &ClassDoc>,
    entry: &FamilyEntry,
) -> Result<Vec<Belonging>, StoreError> {
    let (company, family) = (&studio.id, &entry.family.id);
    let mut all = Vec::new();
    for enrolment in &entry.enrolments {
        let Some(class) = classes.get(&enrolment.class_id) else { continue };
        let key = key::enrolment(company, family, &enrolment.student_id, &enrolment.class_id);
        let mut transaction = Transaction::new();
        let booked = booked_enrolment(enrolment, class, studio);
        let place = place_item(&key, company, ACTIVE);
        transaction.create(enrolment_item(place, &booked));
        instalments::schedule(&mut transaction, (company, family), &booked);
        let seat = Change::of(key::seats(company, &enrolment.class_id));
        transaction.change(seat.update("ADD seats_left :one_less").value(":one_less", number(-1)));
        let student = entry.students.iter().find(|student| student.id == enrolment.student_id);
        let added = AddedEnrolment {
            id: enrolment.id.to_string(),
            class: enrolment.class_id.clone(),
            student: student.map(StudentDoc::full_name).unwrap_or_default(),
        };
        all.push(Belonging { kind: Kind::Enrolment, key, transaction, enrolment: Some(added) });
    }
    for trial in &entry.trials {
        let key = key::trial(company, family, &trial.student_id, &trial.class_id);
        let mut transaction = Transaction::new();
        transaction.create(trial_item(place_item(&key, company, ACTIVE), &booked_trial(trial)));
        let lesson = Change::of(key::lesson(company, &trial.class_id, trial.trial_at))
            .update("ADD trials_booked :one SET cid = :cid")
            .value(":one", number(1))
            .value(":cid", text(company.as_str()));
        transaction.change(lesson);
        all.push(Belonging { kind: Kind::Trial, key, transaction, enrolment: None });
    }
    for charged in &entry.charged_fees {
        let charged = ChargedFee::try_from(charged).map_err(|_| StoreError::Corrupt("chargedFees"))?;
        let key = key::charged_fee(company, family, &charged.fee, &charged.student, &charged.period);
        let mut transaction = Transaction::new();
        transaction.create(charged_fee_item(&key, company, &charged));
        all.push(Belonging { kind: Kind::ChargedFee, key, transaction, enrolment: None });
    }
    for Belonging { transaction, .. } in &mut all {
        let next = Change::of(key::family(company, family)).update("SET family_version = family_version + :one");
        transaction.change(next.value(":one", number(1)));
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
