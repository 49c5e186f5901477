//! What the table has already of a file's places and fees.
//!
//! Invariant: planning only reads. What the file says otherwise than the table is added where the table has nothing,
//! named and kept, or refused; nothing is passed over.

use std::collections::{BTreeSet, HashMap};

use classpay_domain::catalogue::ChargedFee;
use classpay_domain::id::EnrolmentId;
use classpay_service::snapshot::BookedTrial;
use classpay_service::store::key::{self, Key};
use classpay_service::store::layout::{ACTIVE, CANCELLED, PENDING, RELEASED, RESERVED, scheduled_of};
use classpay_service::store::{Attributes, Consistency, Item, Read as _, Scheduled, StoreError};
use jiff::civil::Date;

use crate::belongings::{Belonging, Of, PlaceOf, belongings_of};
use crate::catalogue::{Catalogue, InstalmentEntry, Note, TrialEntry};
use crate::schedules::LateSchedule;
use crate::spelling::spellings;
use crate::{Import, ImportError};

/// What is to be done about the places and fees of a file.
#[derive(Debug, Default)]
pub(super) struct PlannedPlaces<'a> {
    /// What is not there yet.
    pub(super) new: Vec<Belonging<'a>>,
    /// What enrolments lack that are there.
    pub(super) late: Vec<LateSchedule>,
    /// The records of ids that places lack which an earlier version has loaded.
    pub(super) missing_records: Vec<Item>,
    /// What the file says otherwise and isn't done, and what is done at once.
    pub(super) notes: Vec<Note>,
    /// What stands elsewhere.
    pub(super) refused: Vec<Note>,
    /// The enrolments that have instalments.
    pub(super) scheduled: BTreeSet<EnrolmentId>,
}

impl Import<'_> {
    /// Compares the places and fees of a file with what is there.
    pub(super) async fn plan_places<'a>(
        &self,
        catalogue: &'a Catalogue,
        today: Date,
    ) -> Result<PlannedPlaces<'a>, ImportError> {
        let classes = catalogue.classes.iter().map(|class| (&class.id, class)).collect();
        let mut all = Vec::new();
        for family in catalogue.families.iter().enumerate() {
            all.extend(belongings_of(&catalogue.company, &classes, family)?);
        }
        let keys = all.iter().flat_map(|belonging| spellings(&belonging.key)).collect();
        let stored = self.store.get_all(keys, Consistency::Strong).await?;
        let asked = all.iter().map(|belonging| beside(belonging, here(belonging, &stored)));
        let asked = asked.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let around = self.store.get_all(asked, Consistency::Strong).await?;
        let mut planned = PlannedPlaces::default();
        for belonging in all {
            match here(&belonging, &stored) {
                Some(item) => planned.compare(&belonging, item, (&around, today))?,
                None => planned.add(belonging, &around, today)?,
            }
        }
        Ok(planned)
    }
}

/// What is there of it; nothing, if an order has given it back.
fn here<'s>(belonging: &Belonging<'_>, stored: &'s HashMap<Key, Attributes>) -> Option<&'s Attributes> {
    let item = spellings(&belonging.key).find_map(|key| stored.get(&key))?;
    let is_given_back = item.text_if("place_state") == Some(CANCELLED) || item.text_if("fee_state") == Some(RELEASED);
    (is_own(belonging, item) || !is_given_back).then_some(item)
}

/// Whether what is there is what the file says, by its id.
fn is_own(belonging: &Belonging<'_>, item: &Attributes) -> bool {
    match &belonging.of {
        Of::Enrolment(place) => item.text_if("enrolment_id") == Some(place.enrolment.id.as_str()),
        Of::Trial(trial) => item.text_if("trial_id") == Some(trial.id.as_str()),
        // What an order gave back, it had charged.
        Of::Fee(_) => !item.contains_key("order_id"),
    }
}

/// What else must be known of it: the record of its id; an enrolment's instalments; whether a trial's student is
/// enrolled; and the order that has charged a fee.
fn beside(belonging: &Belonging<'_>, here: Option<&Attributes>) -> Result<Vec<Key>, StoreError> {
    let record = belonging.loaded_place.as_ref().map(|(key, _)| key.clone());
    let other = match &belonging.of {
        Of::Enrolment(place) => Some(place.plans()),
        Of::Trial(_) => belonging.enrolment.clone().filter(|_| here.is_none()),
        Of::Fee(_) => here.map(order_of).transpose()?.flatten(),
    };
    Ok(record.into_iter().chain(other).collect())
}

/// The order that a place or fee is of.
fn order_of(item: &Attributes) -> Result<Option<Key>, StoreError> {
    let Some(id) = item.text_if("order_id") else { return Ok(None) };
    id.parse().map(|id| Some(key::order(&id))).map_err(|_| StoreError::Corrupt("order_id"))
}

/// What is said of something that an order has, which may come to nothing.
fn being_bought(at: &str) -> Note {
    let what = "is being bought just now: load the file again when that has ended";
    Note { place: at.to_owned(), what: what.to_owned() }
}

impl<'a> PlannedPlaces<'a> {
    /// Adds what is not here, unless its id is loaded elsewhere.
    fn add(
        &mut self,
        belonging: Belonging<'a>,
        around: &HashMap<Key, Attributes>,
        today: Date,
    ) -> Result<(), StoreError> {
        let loaded_place = belonging.loaded_place.as_ref().and_then(|(key, _)| around.get(key));
        let schedule = match &belonging.of {
            Of::Enrolment(place) => around.get(&place.plans()),
            _ => None,
        };
        if let Some(item) = loaded_place.or(schedule) {
            self.refused.push(elsewhere(&belonging, item)?);
            return Ok(());
        }
        let enrolment = belonging.enrolment.as_ref().and_then(|key| around.get(key));
        if enrolment.is_some_and(|item| item.text_if("place_state") == Some(RESERVED)) {
            self.notes.push(being_bought(&belonging.at));
            return Ok(());
        }
        if let Some(item) = enrolment.filter(|item| item.text_if("place_state") != Some(CANCELLED)) {
            let (student, class) = (item.text("student")?, item.text("class")?);
            self.note(belonging.at, format!("{student} is enrolled in {class}: the trial is not added"));
            return Ok(());
        }
        if let Of::Enrolment(place) = &belonging.of {
            self.notes.extend(past(&belonging.at, place, today));
        }
        self.new.push(belonging);
        Ok(())
    }

    fn compare(
        &mut self,
        belonging: &Belonging<'a>,
        item: &Attributes,
        seen: (&HashMap<Key, Attributes>, Date),
    ) -> Result<(), StoreError> {
        let (around, _) = seen;
        let order = order_of(item)?.and_then(|order| around.get(&order));
        if item.text_if("place_state") == Some(RESERVED)
            || order.is_some_and(|order| order.text_if("order_state") == Some(PENDING))
        {
            self.notes.push(being_bought(&belonging.at));
            return Ok(());
        }
        let record = belonging.loaded_place.as_ref();
        let missing = record.filter(|(key, _)| is_own(belonging, item) && !around.contains_key(key));
        self.missing_records.extend(missing.map(|(_, item)| item.clone()));
        match &belonging.of {
            Of::Enrolment(place) => self.enrolment(&belonging.at, (*place, &belonging.key), item, seen),
            Of::Trial(trial) => {
                self.notes.extend(trial_otherwise(&belonging.at, trial, item)?);
                Ok(())
            }
            Of::Fee(fee) => {
                self.notes.extend(fee_otherwise(&belonging.at, fee, item)?);
                Ok(())
            }
        }
    }

    fn note(&mut self, place: String, what: String) {
        self.notes.push(Note { place, what });
    }

    fn enrolment(
        &mut self,
        at: &str,
        (place, key): (PlaceOf<'a>, &Key),
        item: &Attributes,
        (around, today): (&HashMap<Key, Attributes>, Date),
    ) -> Result<(), StoreError> {
        let entry = place.enrolment;
        let (id, there) = (&entry.id, item.text("enrolment_id")?);
        if there != id.as_str() {
            let (student, class) = (&entry.student_id, &entry.class_id);
            let what = format!("{student} has a place in {class} already, {there}: {id} is not added");
            self.note(format!("{at}.id"), what);
            return Ok(());
        }
        if item.text("place_state")? != ACTIVE {
            self.note(at.to_owned(), format!("{id} was cancelled: it is not brought back"));
            return Ok(());
        }
        let (plan, stored_plan) = (entry.pricing_plan_id.as_ref(), item.text_if("plan"));
        if let (Some(wanted), Some(stored)) = (plan, stored_plan)
            && wanted.as_str() != stored
        {
            let what = format!("is {wanted}, and {id} is on {stored}: it stays on that");
            self.note(format!("{at}.pricingPlanId"), what);
        }
        let schedule = around.get(&place.plans()).map(scheduled_of).transpose()?;
        if let Some(schedule) = schedule {
            self.scheduled.insert(id.clone());
            self.notes.extend(instalments_otherwise(at, &entry.instalments, &schedule));
        }
        // An enrolment is on one plan: what it owes later is of the plan that it is on.
        let on = match stored_plan {
            Some(stored) => Some(stored.parse().map_err(|_| StoreError::Corrupt("plan"))?),
            None => plan.cloned(),
        };
        let instalments = if self.scheduled.contains(id) { None } else { place.instalments(on.as_ref()) };
        if instalments.is_some() {
            self.notes.extend(past(at, &place, today));
        }
        let plan = on.filter(|_| stored_plan.is_none());
        if instalments.is_some() || plan.is_some() {
            self.late.push(LateSchedule { place: key.clone(), enrolment: id.clone(), plan, instalments });
        }
        Ok(())
    }
}

/// That an id stands elsewhere: under that, it isn't added once more.
fn elsewhere(belonging: &Belonging<'_>, item: &Attributes) -> Result<Note, StoreError> {
    let (id, what) = match &belonging.of {
        Of::Enrolment(place) => (place.enrolment.id.as_str(), "the place"),
        Of::Trial(trial) => (trial.id.as_str(), "the trial"),
        Of::Fee(fee) => (fee.fee.as_str(), "the fee"),
    };
    let (student, class, family) = (item.text("student")?, item.text("class")?, item.text("fid")?);
    let is_same = match &belonging.of {
        Of::Enrolment(place) => place.enrolment.student_id.as_str() == student,
        Of::Trial(trial) => trial.student_id.as_str() == student,
        Of::Fee(_) => false,
    };
    let advice = match is_same {
        true => "leave it and the student there",
        false => "leave it there, and give what is new an id of its own",
    };
    let what = format!("{id} is {what} of {student} in {class}, of the family {family}, and is not moved: {advice}");
    Ok(Note { place: format!("{}.id", belonging.at), what })
}

/// Instalments whose dates are over.
fn past(at: &str, place: &PlaceOf<'_>, today: Date) -> Option<Note> {
    let past: Vec<_> = place.enrolment.instalments.iter().filter(|instalment| instalment.date < today).collect();
    let first = past.first()?;
    let what = match past.len() {
        1 => format!("one is dated {}, before today: it is debited at once, under its date", first.date),
        more => format!(
            "{more} are dated before today, the first {}: they are debited at once, under their dates",
            first.date
        ),
    };
    Some(Note { place: format!("{at}.instalments"), what })
}

/// A file may leave out, from the first date on, what is debited already.
fn instalments_otherwise(at: &str, wanted: &[InstalmentEntry], stored: &Scheduled) -> Option<Note> {
    let all: Vec<(Date, i64)> =
        stored.schedule.instalments.iter().map(|instalment| (instalment.0, instalment.1.iter().sum())).collect();
    let wanted: Vec<_> = wanted.iter().map(|instalment| (instalment.date, instalment.amount.units())).collect();
    if all.len().checked_sub(wanted.len()).is_some_and(|from| from <= stored.written && all.ends_with(&wanted)) {
        return None;
    }
    let (count, sum) = (all.len(), all.iter().map(|(_, amount)| amount).sum::<i64>());
    let what = format!(
        "are not those that {} has, {count} of {sum} in all, {} of them debited: those stay",
        stored.enrolment, stored.written
    );
    Some(Note { place: format!("{at}.instalments"), what })
}

fn fee_otherwise(at: &str, fee: &ChargedFee, item: &Attributes) -> Result<Option<Note>, StoreError> {
    let (amount, charged): (i64, i64) = (fee.amount.units(), item.number("amount")?);
    if item.text_if("fee_state") == Some(RELEASED) {
        let what = format!("{} was given back: it is not charged again", fee.fee);
        return Ok(Some(Note { place: at.to_owned(), what }));
    }
    let what = format!("is {amount}, and {charged} was charged: that stays");
    Ok((charged != amount).then(|| Note { place: format!("{at}.amount"), what }))
}

fn trial_otherwise(at: &str, trial: &TrialEntry, item: &Attributes) -> Result<Option<Note>, StoreError> {
    let booked: BookedTrial = item.document("doc")?;
    let TrialEntry { id, student_id: student, class_id: class, .. } = trial;
    let time = |on: Date, at: jiff::civil::Time| format!("{on} at {}", at.strftime("%H:%M"));
    let (wanted, stored) = (time(trial.trial_at, trial.time), time(booked.on, booked.at));
    let note = |place: String, what: String| Ok(Some(Note { place, what }));
    if booked.id != *id {
        let what = format!("{student} has a trial of {class} already, {} on {stored}: {id} is not added", booked.id);
        return note(format!("{at}.id"), what);
    }
    match item.text("place_state")? {
        ACTIVE if wanted == stored => Ok(None),
        ACTIVE => note(format!("{at}.trialAt"), format!("is {wanted}, and {id} is booked on {stored}: that stays")),
        _ => note(
            at.to_owned(),
            format!("{id} is over here, cancelled or ended by an enrolment: it is not brought back"),
        ),
    }
}
