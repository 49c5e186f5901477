//! Families: their version, and the places and fees that they have already.
//!
//! Invariant: the version is raised after every change of what a family's prices are made from: when the documents of
//! the family and its students differ from those it was last raised for, and with each place or fee that is added.

use std::collections::HashMap;

use classpay_domain::catalogue::ChargedFee;
use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::{ClassId, CompanyId, FamilyId};
use classpay_domain::ledger::DetailKind;

use super::super::fees::charged_fee_item;
use super::super::instalments;
use super::super::item::{Read as _, document, number, text};
use super::super::key::{self, Key};
use super::super::places::{ACTIVE, enrolment_item, place_item, trial_item};
use super::super::table::Consistency;
use super::super::table::Written;
use super::super::transact::{Change, Transaction};
use super::super::{Store, StoreError};
use super::{ImportError, done};
use crate::catalogue::documents::{ClassDoc, CompanyDoc, EnrolmentEntry, TrialEntry};
use crate::catalogue::{Catalogue, FamilyEntry};
use crate::machine::Machine;
use crate::schedule::{Schedule, ScheduledLine};
use crate::snapshot::{BookedEnrolment, BookedTrial};

impl<M: Machine> Store<M> {
    /// How many families' documents, places and fees were written.
    pub(super) async fn import_families(&self, catalogue: &Catalogue) -> Result<usize, ImportError> {
        let company = &catalogue.company.id;
        let family_key = |entry: &FamilyEntry| key::family(company, &entry.family.id);
        let stored = self.get_all(catalogue.families.iter().map(family_key).collect(), Consistency::Strong).await?;
        let mut written = 0;
        for entry in &catalogue.families {
            let (doc, from) = (document(&entry.family), imported_from(entry));
            let item = stored.get(&family_key(entry));
            written += usize::from(item.and_then(|item| item.text_if("doc")) != Some(&doc));
            if item.and_then(|item| item.text_if("imported_from")) != Some(&from) {
                self.import_family(company, &entry.family.id, doc, from).await?;
            }
        }
        Ok(written + self.import_belongings(catalogue).await?)
    }

    /// A family's document changes; its balance, version and customer are given to it once.
    async fn import_family(
        &self,
        company: &CompanyId,
        family: &FamilyId,
        doc: String,
        from: String,
    ) -> Result<(), ImportError> {
        let change = Change::of(key::family(company, family))
            .update(
                "SET cid = :cid, doc = :doc, imported_from = :from, \
                 family_balance = if_not_exists(family_balance, :zero), \
                 family_version = if_not_exists(family_version, :zero) + :one",
            )
            .value(":cid", text(company.as_str()))
            .value(":doc", text(doc))
            .value(":from", text(from))
            .value(":zero", number(0))
            .value(":one", number(1));
        let mut transaction = Transaction::new();
        transaction.change(change);
        done(self.transact(transaction).await?)
    }

    /// Places and fees that are not there yet. What is there was loaded or sold before, and stays as it is.
    async fn import_belongings(&self, catalogue: &Catalogue) -> Result<usize, ImportError> {
        let mut belongings = Vec::new();
        let classes = catalogue.classes.iter().map(|class| (&class.id, class)).collect();
        for entry in &catalogue.families {
            belongings.extend(belongings_of(&catalogue.company, &classes, entry)?);
        }
        let keys = belongings.iter().map(|(key, _)| key.clone()).collect();
        let stored = self.get_all(keys, Consistency::Strong).await?;
        let mut written = 0;
        for (key, transaction) in belongings {
            if !stored.contains_key(&key) && is_new(self.transact(transaction).await?)? {
                written += 1;
            }
        }
        Ok(written)
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

/// The digest of the documents that decide a family's prices: an import that was interrupted finds what it left.
fn imported_from(entry: &FamilyEntry) -> String {
    let mut digest = Fingerprint::new("family");
    digest.text(&document(&entry.family));
    entry.students.iter().for_each(|student| {
        digest.text(&document(student));
    });
    digest.finish_hex()
}

/// Every place and fee of a family, each with the transaction that adds it, its seat and the family's next version.
fn belongings_of(
    studio: &CompanyDoc,
    classes: &HashMap<&ClassId, &ClassDoc>,
    entry: &FamilyEntry,
) -> Result<Vec<(Key, Transaction)>, StoreError> {
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
        all.push((key, transaction));
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
        all.push((key, transaction));
    }
    for charged in &entry.charged_fees {
        let charged = ChargedFee::try_from(charged).map_err(|_| StoreError::Corrupt("chargedFees"))?;
        let key = key::charged_fee(company, family, &charged.fee, &charged.student, &charged.period);
        let mut transaction = Transaction::new();
        transaction.create(charged_fee_item(&key, company, &charged));
        all.push((key, transaction));
    }
    for (_, transaction) in &mut all {
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
