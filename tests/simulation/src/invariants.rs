//! The invariants, which hold at every instant and at the end.
//!
//! Nothing here asks the service: the table, Stripe and the answers to clients are compared with each other. The
//! numbers are those of the list in `tests/README.md`.

use std::collections::BTreeMap;

use classpay_domain::id::IntentId;
use classpay_domain::order::{IntentStatus, order_of_intent};

use super::books;
use super::model::{Code, Model, Order, Place};
use super::stripe::{IntentView, MemoryStripe};
use super::studio::{FEE_CAP, TRIAL_DAY};

/// An intent, as Stripe reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Its status.
    pub status: IntentStatus,
    /// Its amount.
    pub amount: i64,
    /// Its currency.
    pub currency: Code,
    /// The amount captured.
    pub received: i64,
    /// The amount refunded.
    pub refunded: i64,
    /// The amount that the payer's bank has taken back and not returned.
    pub disputed: i64,
    /// Whether our calls for its account are answered. If not, it stays as it is.
    pub is_connected: bool,
    /// Whether our calls for its account were ever refused.
    pub was_disconnected: bool,
    /// Whether the studio created it, so that it is not ours.
    pub is_studios: bool,
}

impl From<&IntentView<'_>> for Taken {
    fn from(view: &IntentView<'_>) -> Self {
        Self {
            status: view.status,
            amount: view.amount.units(),
            currency: Code::of(view.currency),
            received: view.received.units(),
            refunded: view.refunded.units(),
            disputed: view.disputed.units(),
            is_connected: view.is_connected,
            was_disconnected: view.was_disconnected,
            is_studios: view.is_studios,
        }
    }
}

/// Stripe's view of an intent; `None` if there is no intent with that id.
#[must_use]
pub fn taken(stripe: &MemoryStripe, intent: &str) -> Option<Taken> {
    let intent = IntentId::parse(intent).ok()?;
    stripe.inspect(&intent, |view| Taken::from(view))
}

/// Checks what holds at every instant.
pub fn at_every_instant(model: &Model, stripe: &MemoryStripe) -> Result<(), String> {
    places(model)?;
    books::balances(model)?;
    books::dues(model)?;
    books::collectable(model)?;
    fees(model)?;
    for (id, order) in &model.orders {
        order_agrees(id, order, stripe)?;
    }
    books::currencies(model, stripe)?;
    one_live_intent(model, stripe)
}

/// 5: the places left and the places taken sum to the capacity, and neither is negative.
fn places(model: &Model) -> Result<(), String> {
    for (class, (left, total)) in &model.seats {
        let taken = model.enrolments.values().filter(|place| place.class == *class && place.is_live()).count();
        let taken = i64::try_from(taken).expect("few");
        if *left < 0 || left + taken != *total {
            return Err(format!("5: {class} has {total} places, {left} are left and {taken} taken"));
        }
    }
    for ((class, on), booked) in &model.lessons {
        let of_lesson = |trial: &&Place| trial.class == *class && trial.on.as_deref() == Some(on.as_str());
        let live = model.trials.values().filter(|trial| of_lesson(trial) && trial.is_live());
        let live = i64::try_from(live.count()).expect("few");
        if *booked != live || *booked > 1 {
            return Err(format!("5: {class} says {booked} trials on {on}, there are {live} in one place"));
        }
    }
    ended_trials(model)
}

/// 5: a trial has ended, or is going to end, exactly if an order enrols its student.
fn ended_trials(model: &Model) -> Result<(), String> {
    for (key, trial) in &model.trials {
        let order = trial.ending.as_ref().map(|order| model.orders.get(order).map(|order| order.state.as_str()));
        let is_right = match trial.state.as_str() {
            "ACTIVE" => matches!(order, None | Some(Some("PENDING"))),
            "ENDED" => order == Some(Some("COMPLETED")),
            _ => order.is_none(),
        };
        if !is_right {
            return Err(format!("5: {key:?} is {trial:?}, and its order {order:?}"));
        }
        if trial.on.as_deref() == Some(TRIAL_DAY) && trial.ending.is_none() && model.overtaken.contains(key) {
            return Err(format!("5: {key:?} is {trial:?}, and its student has enrolled"));
        }
    }
    Ok(())
}

/// 6: no fee exceeds its family's cap.
fn fees(model: &Model) -> Result<(), String> {
    let mut charged: BTreeMap<&str, i64> = BTreeMap::new();
    for (family, _, amount) in model.fees.values().filter(|(_, fee, _)| fee == "reg_1") {
        *charged.entry(family).or_default() += amount;
    }
    match charged.into_iter().find(|(_, amount)| *amount > FEE_CAP) {
        Some((family, amount)) => Err(format!("6: {family} was charged {amount} of at most {FEE_CAP}")),
        None => Ok(()),
    }
}

/// 3, 4, 7 and 15: the amount of a completed order was captured exactly, and nothing was captured of a cancelled one.
fn order_agrees(id: &str, order: &Order, stripe: &MemoryStripe) -> Result<(), String> {
    let Some(intent) = &order.intent else { return Ok(()) };
    let Some(taken) = taken(stripe, intent) else { return Err(format!("3: {id} is paid by no intent")) };
    if taken.is_studios {
        return Err(format!("15: {id} is paid by an intent that the studio has made: {order:?}"));
    }
    match order.state.as_str() {
        "COMPLETED" if taken.status != IntentStatus::Succeeded || taken.received != order.total => {
            Err(format!("3: {id} of {} is completed, and Stripe says {taken:?}", order.total))
        }
        "CANCELLED" if taken.status != IntentStatus::Canceled => {
            Err(format!("3: {id} is cancelled, and Stripe says {taken:?}"))
        }
        _ => Ok(()),
    }
}

/// 8: a link has one live intent.
fn one_live_intent(model: &Model, stripe: &MemoryStripe) -> Result<(), String> {
    let mut live: BTreeMap<&str, &str> = BTreeMap::new();
    for (intent, link) in &model.link_sessions {
        let at_stripe = taken(stripe, intent);
        let status = at_stripe.map(|taken| taken.status);
        // After a partial capture, the rest may be paid by another intent.
        let is_part = at_stripe.is_some_and(|taken| taken.received < taken.amount)
            && model.orders.values().any(|o| o.intent.as_ref() == Some(intent) && o.state == "COMPLETED");
        // An intent on an account that refused us was left, because it could not be cancelled.
        let is_let_go = at_stripe.is_some_and(|taken| taken.was_disconnected) && was_let_go(model, stripe, intent);
        // A rejected intent is cancelled, or credited without an order. Either way the link no longer uses it.
        let is_rejected = model.claims.get(intent).is_some_and(|claim| claim.is_rejected);
        if status.is_some_and(|status| status != IntentStatus::Canceled)
            && !is_rejected
            && !is_part
            && !is_let_go
            && let Some(other) = live.insert(link, intent)
        {
            return Err(format!("8: a link has two live intents, {other} and {intent}"));
        }
    }
    Ok(())
}

/// Whether a review record says that an intent was left.
fn was_let_go(model: &Model, stripe: &MemoryStripe, intent: &str) -> bool {
    let intent = IntentId::parse(intent).ok();
    let order = intent.and_then(|id| stripe.inspect(&id, |view| order_of_intent(view.account, &id)));
    order.is_some_and(|order| model.reviews.contains(&format!("left-{order}")))
}

/// Checks what holds in addition when the faults have stopped, everyone has returned, and two days have passed.
pub fn at_the_end(model: &Model, stripe: &MemoryStripe) -> Result<(), String> {
    at_every_instant(model, stripe)?;
    settled(model, stripe)?;
    lost_is_told(model, stripe)?;
    books::paid(model, stripe)
}

/// Whether an order waits for a person: its account is out of reach, or what was received is not its amount, because the
/// studio captured it or had edited the amount.
#[must_use]
pub fn is_for_a_person(stripe: &MemoryStripe, order: &Order) -> bool {
    let taken = order.intent.as_deref().and_then(|intent| taken(stripe, intent));
    let differs = |taken: &Taken| taken.status == IntentStatus::Succeeded && taken.received != order.total;
    order.needs_review && taken.is_some_and(|taken| differs(&taken) || !taken.is_connected)
}

/// 9: nothing is pending, reserved or authorised, except bank debits under way and orders up for review.
fn settled(model: &Model, stripe: &MemoryStripe) -> Result<(), String> {
    let taken_for = |order: &Order| order.intent.as_deref().and_then(|intent| taken(stripe, intent));
    let on_its_way = |order: &Order| taken_for(order).is_some_and(|taken| taken.status == IntentStatus::Processing);
    for (id, order) in model.orders.iter().filter(|(_, order)| order.state == "PENDING") {
        if !on_its_way(order) && !is_for_a_person(stripe, order) {
            return Err(format!("9: {id} is pending: {order:?}"));
        }
    }
    let waiting = model.orders.values().any(|order| order.state == "PENDING");
    if let Some((key, _)) = model.enrolments.iter().find(|(_, place)| place.state == "RESERVED" && !waiting) {
        return Err(format!("9: {key:?} is reserved"));
    }
    let is_open = |trial: &Place| trial.state == "RESERVED" || trial.is_marked();
    if let Some((key, _)) = model.trials.iter().find(|(_, trial)| is_open(trial) && !waiting) {
        return Err(format!("9: {key:?} is reserved, or marked"));
    }
    let mut wrong = None;
    stripe.for_each(|view| {
        if view.status == IntentStatus::RequiresCapture && view.is_connected && !view.is_studios {
            wrong = Some(format!("9: {} is authorised", view.intent));
        }
    });
    if let Some(key) = model.indexed.iter().find(|key| !may_stay_indexed(key, model, stripe, &on_its_way)) {
        return Err(format!("9: {key:?} is still in the index"));
    }
    wrong.map_or(Ok(()), Err)
}

/// A payment that we can't reach and that nobody has claimed is put up for review.
fn lost_is_told(model: &Model, stripe: &MemoryStripe) -> Result<(), String> {
    let mut wrong = None;
    stripe.for_each(|view| {
        let is_paid =
            matches!(view.status, IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded);
        let intent = view.intent.as_str();
        let is_unclaimed = model.sessions.contains_key(intent) && !model.claims.contains_key(intent);
        if view.is_connected || !is_paid || !is_unclaimed {
            return;
        }
        let order = order_of_intent(view.account, view.intent);
        let records = [order.to_string(), format!("left-{order}"), format!("lost-{}", view.account)];
        if !records.iter().any(|record| model.reviews.contains(record)) {
            wrong = Some(format!("9: {intent} is paid and out of reach, and nobody is told"));
        }
    });
    wrong.map_or(Ok(()), Err)
}

fn may_stay_indexed(
    key: &classpay_service::store::key::Key,
    model: &Model,
    stripe: &MemoryStripe,
    on_its_way: &dyn Fn(&Order) -> bool,
) -> bool {
    // An account's events are read for as long as the settlement job runs.
    if key.sk == "FEED" {
        return true;
    }
    // A review record stays until it has been reviewed.
    if key.pk.starts_with("REVIEW#") {
        return true;
    }
    // Instalments that fall due later.
    if key.is_of_plans() {
        return true;
    }
    let of_event = model.events.get(key).map(String::as_str);
    let intent = of_event.or_else(|| key.pk.strip_prefix("PI#").and_then(|pk| pk.rsplit('#').next()));
    let of_intent = intent.and_then(|intent| taken(stripe, intent));
    if of_intent.is_some_and(|taken| !taken.is_connected) {
        return true;
    }
    match of_intent.map(|taken| taken.status) {
        // A bank debit takes days.
        Some(IntentStatus::Processing) => return true,
        // The intent of an open link stays open with it.
        Some(IntentStatus::RequiresPaymentMethod)
            if intent.is_some_and(|intent| model.link_sessions.contains_key(intent)) =>
        {
            return true;
        }
        _ => {}
    }
    // The intent's session was never stored, so nobody can pay it. Its events are kept for as long as it may be ours.
    if model.events.get(key).is_some_and(|intent| !model.sessions.contains_key(intent)) {
        return true;
    }
    // A payment's reversals are posted after its order, which waits for review.
    let of_order = |id: &str| model.orders.values().find(|order| order.intent.as_deref() == Some(id));
    if of_event.and_then(of_order).is_some_and(|order| order.state == "PENDING" && order.needs_review) {
        return true;
    }
    // A link's end waits for the order that is paying it, or for its account. Whether the order may wait is checked
    // above.
    if let Some(link) = key.pk.strip_prefix("PL#") {
        let is_under_way = |intent: &str| {
            taken(stripe, intent).is_some_and(|t| t.status == IntentStatus::Processing || !t.is_connected)
        };
        let own = model.link_sessions.iter().filter(|(_, of)| *of == link);
        if own.into_iter().any(|(intent, _)| is_under_way(intent)) {
            return true;
        }
        return model.orders.values().any(|order| order.state == "PENDING" && order.link.is_some());
    }
    let order = key.pk.strip_prefix("ORD#").and_then(|id| model.orders.get(id));
    order.is_some_and(|order| order.needs_review || on_its_way(order))
}
