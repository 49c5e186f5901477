//! Places, trials and fees of an order: reserved with P1, made active with P2, given back with P2c.
//!
//! Invariant: a place is reserved only where there is none, and moved on only by the order that reserved it; a trial is
//! ended only by the order that has marked it.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_domain::catalogue::Seats;
use classpay_domain::id::{ClassId, CompanyId, OrderId};
use classpay_domain::pricing::Buyer;
use jiff::civil::Date;

use super::fees;
use super::instalments;
use super::item::{Item, document, number, text};
use super::key::{self, Key};
use super::orders::{OrderRecord, PlaceOrder};
use super::transact::{Change, Transaction};
use crate::machine::Machine;
use crate::snapshot::{BookedEnrolment, BookedTrial, EndedTrial, LessonPlaces, Snapshot};

/// The states of a place.
pub(super) const RESERVED: &str = "RESERVED";
/// See [`RESERVED`].
pub(super) const ACTIVE: &str = "ACTIVE";
/// See [`RESERVED`].
pub(super) const CANCELLED: &str = "CANCELLED";
/// See [`RESERVED`]. A trial whose student has enrolled before its lesson.
const ENDED: &str = "ENDED";
/// The attribute by which an order marks the trials that end with it, from P1 on.
pub(super) const ENDING_ORDER: &str = "ending_order";

const NOT_LIVE: &str = "attribute_not_exists(pk) OR place_state = :cancelled";

/// Takes seats, trial places, enrolments, trials and fees.
pub(super) fn reserve<M: Machine>(transaction: &mut Transaction, order: &PlaceOrder<'_>, state: &str) {
    let snapshot = order.snapshot;
    let is_done = state == ACTIVE;
    let taken = snapshot.seats();
    for (class, seats) in order.seats {
        transaction.change(take_seats::<M>(order, class, *seats, taken.get(class).copied().unwrap_or(0)));
    }
    for ((class, on), places) in snapshot.lessons() {
        // What is given back is free when the order is done, and not before.
        let places = if is_done { places } else { LessonPlaces { given_back: 0, ..places } };
        if places.taken + places.given_back > 0 {
            transaction.change(take_trial_places(order, class, on, places));
        }
    }
    for enrolment in &snapshot.enrolments {
        let place = place_item(&enrolment_key(snapshot, enrolment), &snapshot.company, state);
        transaction.put_if(enrolment_item(place, enrolment).text("order_id", order.id.as_str()), not_live());
        if is_done {
            instalments::schedule(transaction, (&snapshot.company, &snapshot.family), enrolment);
        }
    }
    for trial in &snapshot.trials {
        let place = place_item(&trial_key(snapshot, trial), &snapshot.company, state);
        let item = trial_item(place, trial).text("order_id", order.id.as_str());
        transaction.put_if(item, not_live());
        let enrolment = key::enrolment(&snapshot.company, &snapshot.family, &trial.student, &trial.class);
        transaction.change(Change::of(enrolment).only_if(NOT_LIVE).value(":cancelled", text(CANCELLED)));
    }
    for trial in &snapshot.ended_trials {
        transaction.change(mark_trial(snapshot, trial, order.id, is_done));
    }
    for fee in &snapshot.fees {
        fees::charge(transaction, snapshot, fee, order.id);
    }
}

/// Makes the order's places active, and puts the instalments that are due later where the schedule finds them.
pub(super) fn activate(transaction: &mut Transaction, order: &OrderRecord) {
    let snapshot = &order.snapshot;
    for enrolment in &snapshot.enrolments {
        transaction.change(move_place(enrolment_key(snapshot, enrolment), order, ACTIVE).update(MOVE));
        instalments::schedule(transaction, (&snapshot.company, &snapshot.family), enrolment);
    }
    for trial in &snapshot.trials {
        transaction.change(move_place(trial_key(snapshot, trial), order, ACTIVE).update(MOVE));
    }
    for ((class, on), LessonPlaces { given_back, .. }) in snapshot.lessons() {
        if given_back > 0 {
            transaction.change(give_trial_places_back(snapshot, class, on, given_back));
        }
    }
    for trial in &snapshot.ended_trials {
        let ended = marked_trial(snapshot, trial, order).update("SET place_state = :ended");
        transaction.change(ended.value(":ended", text(ENDED)));
    }
}

/// Gives the order's places and fees back.
pub(super) fn cancel(transaction: &mut Transaction, order: &OrderRecord) {
    let snapshot = &order.snapshot;
    for (class, taken) in snapshot.seats() {
        let back = Change::of(key::seats(&snapshot.company, class))
            .update("ADD seats_left :taken")
            .value(":taken", number(taken));
        transaction.change(back);
    }
    for ((class, on), LessonPlaces { taken, .. }) in snapshot.lessons() {
        if taken > 0 {
            transaction.change(give_trial_places_back(snapshot, class, on, taken));
        }
    }
    for enrolment in &snapshot.enrolments {
        transaction.change(move_place(enrolment_key(snapshot, enrolment), order, CANCELLED).update(MOVE));
    }
    for trial in &snapshot.trials {
        transaction.change(move_place(trial_key(snapshot, trial), order, CANCELLED).update(MOVE));
    }
    for trial in &snapshot.ended_trials {
        transaction.change(marked_trial(snapshot, trial, order).update("REMOVE ending_order"));
    }
    for fee in &snapshot.fees {
        transaction.change(fees::released(snapshot, fee, &order.id));
    }
}

/// What moves a place on.
const MOVE: &str = "SET place_state = :state";

/// Moves a place on, if it is this order's. The update is still to be said.
fn move_place(key: Key, order: &OrderRecord, state: &str) -> Change {
    Change::of(key)
        .only_if("order_id = :order AND place_state = :reserved")
        .value(":state", text(state))
        .value(":order", text(order.id.as_str()))
        .value(":reserved", text(RESERVED))
}

/// Marks a trial that ends with the order, if it is as it was read: booked, and marked by nobody. Where the order is done
/// with that, it ends at once.
fn mark_trial(snapshot: &Snapshot, trial: &EndedTrial, order: &OrderId, is_done: bool) -> Change {
    let update = if is_done { "SET ending_order = :order, place_state = :ended" } else { "SET ending_order = :order" };
    let mark = Change::of(ended_trial_key(snapshot, trial))
        .update(update)
        .only_if("trial_id = :trial AND place_state = :active AND attribute_not_exists(ending_order)")
        .value(":order", text(order.as_str()))
        .value(":trial", text(trial.id.as_str()))
        .value(":active", text(ACTIVE));
    if is_done { mark.value(":ended", text(ENDED)) } else { mark }
}

/// A trial that the order has marked. The update is still to be said.
fn marked_trial(snapshot: &Snapshot, trial: &EndedTrial, order: &OrderRecord) -> Change {
    Change::of(ended_trial_key(snapshot, trial))
        .only_if("ending_order = :order AND place_state = :active")
        .value(":order", text(order.id.as_str()))
        .value(":active", text(ACTIVE))
}

fn not_live() -> Change {
    Change::of(Key { pk: String::new(), sk: String::new() }).only_if(NOT_LIVE).value(":cancelled", text(CANCELLED))
}

fn take_seats<M: Machine>(order: &PlaceOrder<'_>, class: &ClassId, seats: Seats, taken: u32) -> Change {
    let mut condition = "price_version = :version".to_owned();
    let mut change =
        Change::of(key::seats(&order.snapshot.company, class)).value(":version", number(seats.price_version));
    if order.buyer == Buyer::Family {
        condition.push_str(" AND on_sale = :yes");
        change = change.value(":yes", AttributeValue::Bool(true));
    }
    // A trial takes no seat, and needs that one is left beside the order's own.
    let needed = taken + u32::from(order.snapshot.trials.iter().any(|trial| trial.class == *class));
    if needed > 0 && seats.left.is_some() && M::SEATS_ARE_CONDITIONAL {
        condition.push_str(" AND seats_left >= :needed");
        change = change.value(":needed", number(needed));
    }
    if taken > 0 {
        // What is sold is counted for an unlimited class as well, so that its capacity can be limited later.
        change = change.update("SET seats_left = seats_left - :taken").value(":taken", number(taken));
    }
    change.only_if(condition)
}

fn take_trial_places(order: &PlaceOrder<'_>, class: &ClassId, on: Date, places: LessonPlaces) -> Change {
    let company = &order.snapshot.company;
    let LessonPlaces { taken, given_back, most } = places;
    let change = Change::of(key::lesson(company, class, on))
        .update("ADD trials_booked :more SET cid = :cid")
        .value(":more", number(i64::from(taken) - i64::from(given_back)))
        .value(":cid", text(company.as_str()));
    match most {
        None => change,
        // Fewer places than are wanted were refused before: what is left here is never below zero.
        Some(most) => change
            .only_if("attribute_not_exists(trials_booked) OR trials_booked <= :room")
            .value(":room", number(most.saturating_sub(taken))),
    }
}

fn give_trial_places_back(snapshot: &Snapshot, class: &ClassId, on: Date, places: u32) -> Change {
    Change::of(key::lesson(&snapshot.company, class, on))
        .update("ADD trials_booked :back")
        .value(":back", number(-i64::from(places)))
}

pub(super) fn place_item(key: &Key, company: &CompanyId, state: &str) -> Item {
    Item::at(key).text("cid", company.as_str()).text("place_state", state)
}

pub(super) fn enrolment_item(place: Item, enrolment: &BookedEnrolment) -> Item {
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

pub(super) fn trial_item(place: Item, trial: &BookedTrial) -> Item {
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
