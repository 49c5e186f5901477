//! Places, trials and fees of an order: reserved with P1, made active with P2, given back with P2c.
//!
//! Invariant: a place is reserved only where there is none, and moved on only by the order that reserved it.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_domain::catalogue::Seats;
use classpay_domain::id::{ClassId, CompanyId};
use classpay_domain::pricing::Buyer;
use jiff::civil::Date;

use super::fees;
use super::instalments;
use super::item::{Item, document, number, text};
use super::key::{self, Key};
use super::orders::{OrderRecord, PlaceOrder};
use super::transact::{Change, Transaction};
use crate::machine::Machine;
use crate::snapshot::{BookedEnrolment, BookedTrial, Snapshot};

/// The states of a place.
pub(super) const RESERVED: &str = "RESERVED";
/// See [`RESERVED`].
pub(super) const ACTIVE: &str = "ACTIVE";
/// See [`RESERVED`].
pub(super) const CANCELLED: &str = "CANCELLED";

const NOT_LIVE: &str = "attribute_not_exists(pk) OR place_state = :cancelled";

/// Takes seats, trial places, enrolments, trials and fees.
pub(super) fn reserve<M: Machine>(transaction: &mut Transaction, order: &PlaceOrder<'_>, state: &str) {
    let snapshot = order.snapshot;
    let taken = snapshot.seats();
    for (class, seats) in order.seats {
        transaction.change(take_seats::<M>(order, class, *seats, taken.get(class).copied().unwrap_or(0)));
    }
    for ((class, on), (taken, most)) in snapshot.lessons() {
        transaction.change(take_trial_places(order, class, on, taken, most));
    }
    for enrolment in &snapshot.enrolments {
        let place = place_item(&enrolment_key(snapshot, enrolment), &snapshot.company, state);
        transaction.put_if(enrolment_item(place, enrolment).text("order_id", order.id.as_str()), not_live());
        if state == ACTIVE {
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
    for ((class, on), (taken, _)) in snapshot.lessons() {
        let back = Change::of(key::lesson(&snapshot.company, class, on))
            .update("ADD trials_booked :back")
            .value(":back", number(-i64::from(taken)));
        transaction.change(back);
    }
    for enrolment in &snapshot.enrolments {
        transaction.change(move_place(enrolment_key(snapshot, enrolment), order, CANCELLED).update(MOVE));
    }
    for trial in &snapshot.trials {
        transaction.change(move_place(trial_key(snapshot, trial), order, CANCELLED).update(MOVE));
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
    if taken > 0 {
        // What is sold is counted for an unlimited class as well, so that its capacity can be limited later.
        change = change.update("SET seats_left = seats_left - :taken").value(":taken", number(taken));
        if seats.left.is_some() && M::SEATS_ARE_CONDITIONAL {
            condition.push_str(" AND seats_left >= :taken");
        }
    }
    change.only_if(condition)
}

fn take_trial_places(order: &PlaceOrder<'_>, class: &ClassId, on: Date, taken: u32, most: Option<u32>) -> Change {
    let company = &order.snapshot.company;
    let change = Change::of(key::lesson(company, class, on))
        .update("ADD trials_booked :taken SET cid = :cid")
        .value(":taken", number(taken))
        .value(":cid", text(company.as_str()));
    match most {
        None => change,
        // Fewer places than are wanted were refused before: what is left here is never below zero.
        Some(most) => change
            .only_if("attribute_not_exists(trials_booked) OR trials_booked <= :room")
            .value(":room", number(most.saturating_sub(taken))),
    }
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

fn trial_key(snapshot: &Snapshot, trial: &BookedTrial) -> Key {
    key::trial(&snapshot.company, &snapshot.family, &trial.student, &trial.class)
}
