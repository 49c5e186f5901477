//! Places, trials and fees of an order: reserved with P1, made active with P2, given back with P2c.
//!
//! Invariant: a place is reserved only where none exists, and only the order that reserved it changes its state. Only
//! the order that marked a trial ends it.

use classpay_domain::catalogue::Seats;
use classpay_domain::id::{ClassId, CompanyId, OrderId};
use classpay_domain::pricing::Buyer;
use jiff::civil::Date;

use super::fees;
use super::instalments;
use super::item::{Item, document};
use super::key::{self, Key};
use super::order::{OrderRecord, PlaceOrder};
use super::place_state::{ACTIVE, CANCELLED, ENDED, RESERVED};
use super::write::{Guard, Write, Writes};
use crate::snapshot::{BookedEnrolment, BookedTrial, EndedTrial, LessonPlaces, Snapshot};

/// The attribute by which an order marks the trials that end with it, from P1 on.
pub(super) const ENDING_ORDER: &str = "ending_order";

/// Takes seats, trial places, enrolments, trials and fees.
pub(super) fn reserve(writes: &mut Writes, order: &PlaceOrder<'_>, state: &str) {
    let snapshot = order.snapshot;
    let is_done = state == ACTIVE;
    let taken = snapshot.seats();
    for (class, seats) in order.seats {
        writes.push(take_seats(order, class, *seats, taken.get(class).copied().unwrap_or(0)));
    }
    for ((class, on), places) in snapshot.lessons() {
        // A place that is given back becomes free when the order completes, and not before.
        let places = if is_done { places } else { LessonPlaces { given_back: 0, ..places } };
        if places.taken + places.given_back > 0 {
            writes.push(take_trial_places(order, class, on, places));
        }
    }
    for enrolment in &snapshot.enrolments {
        let place = place_item(&enrolment_key(snapshot, enrolment), &snapshot.company, state);
        let item = enrolment_item(place, enrolment).text("order_id", order.id.as_str());
        writes.push(Write::put(item).when(not_live()));
        if is_done {
            instalments::schedule(writes, (&snapshot.company, &snapshot.family), enrolment);
        }
    }
    for trial in &snapshot.trials {
        let place = place_item(&trial_key(snapshot, trial), &snapshot.company, state);
        let item = trial_item(place, trial).text("order_id", order.id.as_str());
        writes.push(Write::put(item).when(not_live()));
        let enrolment = key::enrolment(&snapshot.company, &snapshot.family, &trial.student, &trial.class);
        writes.push(Write::edit(enrolment).when(not_live()));
    }
    for trial in &snapshot.ended_trials {
        writes.push(mark_trial(snapshot, trial, order.id, is_done));
    }
    for fee in &snapshot.fees {
        fees::charge(writes, snapshot, fee, order.id);
    }
}

/// Makes the order's places active, and puts the later instalments where the settlement job finds them.
pub(super) fn activate(writes: &mut Writes, order: &OrderRecord) {
    let snapshot = &order.snapshot;
    for enrolment in &snapshot.enrolments {
        writes.push(move_place(enrolment_key(snapshot, enrolment), order, ACTIVE));
        instalments::schedule(writes, (&snapshot.company, &snapshot.family), enrolment);
    }
    for trial in &snapshot.trials {
        writes.push(move_place(trial_key(snapshot, trial), order, ACTIVE));
    }
    for ((class, on), LessonPlaces { given_back, .. }) in snapshot.lessons() {
        if given_back > 0 {
            writes.push(give_trial_places_back(snapshot, class, on, given_back));
        }
    }
    for trial in &snapshot.ended_trials {
        writes.push(marked_trial(snapshot, trial, order).set("place_state", ENDED));
    }
}

/// Gives the order's places and fees back.
pub(super) fn cancel(writes: &mut Writes, order: &OrderRecord) {
    let snapshot = &order.snapshot;
    for (class, taken) in snapshot.seats() {
        writes.push(Write::edit(key::seats(&snapshot.company, class)).add("seats_left", taken));
    }
    for ((class, on), LessonPlaces { taken, .. }) in snapshot.lessons() {
        if taken > 0 {
            writes.push(give_trial_places_back(snapshot, class, on, taken));
        }
    }
    for enrolment in &snapshot.enrolments {
        writes.push(move_place(enrolment_key(snapshot, enrolment), order, CANCELLED));
    }
    for trial in &snapshot.trials {
        writes.push(move_place(trial_key(snapshot, trial), order, CANCELLED));
    }
    for trial in &snapshot.ended_trials {
        writes.push(marked_trial(snapshot, trial, order).clear(ENDING_ORDER));
    }
    for fee in &snapshot.fees {
        writes.push(fees::released(snapshot, fee, &order.id));
    }
}

/// Changes the state of a place, if it belongs to this order.
fn move_place(key: Key, order: &OrderRecord, state: &str) -> Write {
    Write::edit(key)
        .set("place_state", state)
        .when(Guard::is("order_id", order.id.as_str()))
        .when(Guard::is("place_state", RESERVED))
}

/// Marks a trial that ends with the order, if it is still as it was read: booked and unmarked. If this write completes
/// the order, the trial ends at once.
fn mark_trial(snapshot: &Snapshot, trial: &EndedTrial, order: &OrderId, is_done: bool) -> Write {
    let mark = Write::edit(ended_trial_key(snapshot, trial))
        .set(ENDING_ORDER, order.as_str())
        .when(Guard::is("trial_id", trial.id.as_str()))
        .when(Guard::is("place_state", ACTIVE))
        .when(Guard::Missing(ENDING_ORDER));
    if is_done { mark.set("place_state", ENDED) } else { mark }
}

/// A write to a trial that the order has marked. The caller adds the edit.
fn marked_trial(snapshot: &Snapshot, trial: &EndedTrial, order: &OrderRecord) -> Write {
    Write::edit(ended_trial_key(snapshot, trial))
        .when(Guard::is(ENDING_ORDER, order.id.as_str()))
        .when(Guard::is("place_state", ACTIVE))
}

/// The place doesn't exist, or it was given back.
fn not_live() -> Guard {
    Guard::Absent.or(Guard::is("place_state", CANCELLED))
}

fn take_seats(order: &PlaceOrder<'_>, class: &ClassId, seats: Seats, taken: u32) -> Write {
    let mut write =
        Write::edit(key::seats(&order.snapshot.company, class)).when(Guard::is("price_version", seats.price_version));
    if order.buyer == Buyer::Family {
        write = write.when(Guard::is("on_sale", true));
    }
    // A trial takes no seat, but needs one to be left beside the order's own.
    let needed = taken + u32::from(order.snapshot.trials.iter().any(|trial| trial.class == *class));
    if needed > 0 && seats.left.is_some() {
        write = write.when(Guard::at_least("seats_left", needed));
    }
    if taken > 0 {
        // Seats of an unlimited class are counted as well, so that its capacity can be limited later.
        write = write.add("seats_left", -i64::from(taken));
    }
    write
}

fn take_trial_places(order: &PlaceOrder<'_>, class: &ClassId, on: Date, places: LessonPlaces) -> Write {
    let company = &order.snapshot.company;
    let LessonPlaces { taken, given_back, most } = places;
    let write = Write::edit(key::lesson(company, class, on))
        .add("trials_booked", i64::from(taken) - i64::from(given_back))
        .set("cid", company.as_str());
    let Some(most) = most else { return write };
    // An order for more places than exist was refused before, so this is never below zero.
    let room = most.saturating_sub(taken);
    write.when(Guard::Missing("trials_booked").or(Guard::at_most("trials_booked", room)))
}

fn give_trial_places_back(snapshot: &Snapshot, class: &ClassId, on: Date, places: u32) -> Write {
    Write::edit(key::lesson(&snapshot.company, class, on)).add("trials_booked", -i64::from(places))
}

/// The item of a place in this state. The caller adds what an enrolment or a trial has besides.
#[must_use]
pub fn place_item(key: &Key, company: &CompanyId, state: &str) -> Item {
    Item::at(key).text("cid", company.as_str()).text("place_state", state)
}

/// Adds the attributes of an enrolment.
#[must_use]
pub fn enrolment_item(place: Item, enrolment: &BookedEnrolment) -> Item {
    let place = place
        .text("enrolment_id", enrolment.id.as_str())
        .text("student", enrolment.student.as_str())
        .text("class", enrolment.class.as_str())
        .text("season", enrolment.season.as_str())
        .flag("discountable", enrolment.discountable);
    match &enrolment.plan {
        Some(plan) => place.text("plan", plan.as_str()),
        None => place,
    }
}

/// Adds the attributes of a trial.
#[must_use]
pub fn trial_item(place: Item, trial: &BookedTrial) -> Item {
    place
        .text("trial_id", trial.id.as_str())
        .text("student", trial.student.as_str())
        .text("class", trial.class.as_str())
        .text("doc", document(trial))
}

fn enrolment_key(snapshot: &Snapshot, enrolment: &BookedEnrolment) -> Key {
    key::enrolment(&snapshot.company, &snapshot.family, &enrolment.student, &enrolment.class)
}

fn ended_trial_key(snapshot: &Snapshot, trial: &EndedTrial) -> Key {
    key::trial(&snapshot.company, &snapshot.family, &trial.student, &trial.class)
}

fn trial_key(snapshot: &Snapshot, trial: &BookedTrial) -> Key {
    key::trial(&snapshot.company, &snapshot.family, &trial.student, &trial.class)
}
