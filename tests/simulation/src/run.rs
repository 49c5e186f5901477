//! Runs a world from its seed to its end.
//!
//! A seed does the same on every machine, so that a failing one can be run again alone.

use classpay_domain::id::IntentId;
use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;
use classpay_import::Extent;
use classpay_service::error::ErrorCode;

use super::calls;
use super::coverage::Coverage;
use super::forgetful::Forgotten;
use super::invariants;
use super::outside::{self, Choice, Surroundings};
use super::purchases::{Call, Purchase, Wanted};
use super::recover::{self, Recovery};
use super::returns;
use super::stripe::LastingRefusals;
use super::studio;
use super::world::{Doing, Violation, World, lock};

/// The number of steps in a world before its faults stop.
const MOMENTS: usize = 220;
/// The most events that wait; the rest are lost for the world's first part.
const TWICE: u32 = 2;

/// The result of a world.
#[derive(Debug)]
pub struct Report {
    /// The cases that it came across.
    pub coverage: Coverage,
    /// The violations.
    pub violation: Option<Violation>,
}

/// Runs the world of a seed, with these changes from outside, on a table that may ignore a guard.
#[must_use]
pub fn run(seed: u64, choice: &Choice, forgotten: Option<Forgotten>) -> Report {
    let mut world = World::begin(seed);
    if let Some(forgotten) = forgotten {
        world.table.forget(forgotten);
    }
    world.outside = Surroundings::of(choice, seed);
    let result = match seed % 16 {
        0 => calm(&mut world),
        1..=4 => race(&mut world),
        _ => live(&mut world),
    };
    let mut coverage = std::mem::take(&mut world.coverage);
    coverage.replies_lost += lock(&world.faults).replies_lost();
    let LastingRefusals { deleted_customer, not_activated, by_kind, declined } = world.stripe.lasting_refusals();
    coverage.deleted_customer += deleted_customer;
    coverage.not_activated += not_activated;
    coverage.lastingly_refused += by_kind;
    coverage.declined += declined;
    Report { coverage, violation: result.err() }
}

/// 11: without faults and competitors, a valid call that is clicked several times completes once and answers alike.
fn calm(world: &mut World) -> Result<(), Violation> {
    lock(&world.faults).end();
    let number = world.rng.below(1000);
    let mut purchase = Purchase::draw(&world.rng, number, &world.links[..1]);
    (purchase.opened, purchase.amount) = ((0, 1), None);
    if purchase.wanted != Wanted::Link(world.links[0].clone()) {
        let items = r#"{"enrolments":[{"classId":"cls_1","studentId":"stu_1","pricingPlanId":"pp_u"}],"trials":[]}"#;
        (purchase.family, purchase.wanted) = ("fml_1", Wanted::Basket(items.into()));
    }
    world.purchases.push(purchase);
    world.open(0);
    recover::run_all(world)?;
    let intent = world.purchases[0].intent.clone().ok_or("11: a valid purchase can't be opened")?;
    let intent_id = IntentId::parse(intent.as_str()).expect("an intent's id");
    world.stripe.confirm(&intent_id, super::stripe::PaysWith::Card).map_err(|error| format!("11: {error}"))?;
    world.purchases[0].paid = Some(super::stripe::PaysWith::Card);
    let clicks = 2 + world.rng.below(4);
    for _ in 0..clicks {
        world.call(0);
    }
    recover::run_all(world)?;
    let answers = world.calls.iter().filter_map(|call| call.answer.as_ref());
    let told: Vec<_> = answers.map(|answer| (answer.status, answer.code)).collect();
    if told.len() != clicks || told.iter().any(|(status, _)| *status != 200) {
        return Err(format!("11: {clicks} clicks were answered {told:?}"));
    }
    world.coverage.calm += 1;
    recover::to_the_end(world, Recovery::Schedule)
}

/// Two payers pay at the same time for something of which there is one: a seat, a debit, the rest of a fee's cap.
fn race(world: &mut World) -> Result<(), Violation> {
    lock(&world.faults).pause();
    let [one, other] = rivals(world);
    world.purchases.extend([one, other]);
    for which in 0..2 {
        world.purchases[which].opened = (1, 1);
        world.open(which);
    }
    recover::run_all(world)?;
    for which in 0..2 {
        if world.purchases[which].intent.is_some() {
            world.pay(which);
        }
    }
    lock(&world.faults).resume();
    for _ in 0..=world.rng.below(2) {
        for which in 0..2 {
            if world.purchases[which].is_paid() {
                world.call(which);
            }
        }
    }
    for _ in 0..MOMENTS / 2 {
        match world.rng.below(40) {
            0 => deliver_one(world),
            1 => world.land_one()?,
            2 if lock(&world.faults).are_on() => world.kill_one()?,
            _ => goes_on(world)?,
        }
    }
    let recovery = *world.rng.pick(&[Recovery::Schedule, Recovery::Clients, Recovery::Webhook]);
    recover::to_the_end(world, recovery)
}

/// Two purchases that can't both succeed, or not at the price shown to both.
fn rivals(world: &World) -> [Purchase; 2] {
    let place = |class: &str, student: &str, plan: &str| -> Wanted {
        let item = format!(r#"{{"classId":"{class}","studentId":"{student}","pricingPlanId":"{plan}"}}"#);
        Wanted::Basket(format!(r#"{{"enrolments":[{item}],"trials":[]}}"#).into())
    };
    let [one, other] = match world.rng.below(4) {
        // Two links for one debit.
        0 => [("fml_1", Wanted::Link(world.links[0].clone())), ("fml_1", Wanted::Link(world.links[1].clone()))],
        // The only place of a class, for two families.
        1 => [("fml_1", place("cls_1", "stu_1", "pp_u")), ("fml_2", place("cls_1", "stu_3", "pp_u"))],
        // The same, with nothing to pay.
        2 => [("fml_1", place("cls_free", "stu_1", "pp_free")), ("fml_2", place("cls_free", "stu_3", "pp_free"))],
        // The rest of a family's cap, and which student is the second.
        _ => [("fml_1", place("cls_1", "stu_1", "pp_u")), ("fml_1", place("cls_2", "stu_2", "pp_m"))],
    };
    [one, other].map(|(family, wanted)| Purchase::of(family, wanted, &world.rng, 0))
}

/// Everything at once, then recovery.
fn live(world: &mut World) -> Result<(), Violation> {
    for number in 0..=world.rng.below(5) {
        let links = world.links.clone();
        world.purchases.push(Purchase::draw(&world.rng, number, &links));
    }
    // Competitors want the same.
    if world.rng.one_in(2) {
        let first = &world.purchases[0];
        let (family, wanted) = (first.family, first.wanted.clone());
        let rival = Purchase::of(family, wanted, &world.rng, 0);
        world.purchases.push(rival);
    }
    // A child tries a class and enrols in it.
    if world.rng.one_in(4) {
        world.purchases.extend(Purchase::trial_and_place(&world.rng));
    }
    for _ in 0..MOMENTS {
        moment(world)?;
    }
    let recovery = match world.rng.below(3) {
        0 => Recovery::Schedule,
        1 => Recovery::Clients,
        _ => Recovery::Webhook,
    };
    recover::to_the_end(world, recovery)?;
    outside::lasting_refusals_are_final(world)?;
    outside::reconnected_accounts_recover(world)
}

fn moment(world: &mut World) -> Result<(), Violation> {
    if outside::is_drawn(world) {
        return outside::happen(world);
    }
    match world.rng.below(100) {
        0..=59 => goes_on(world),
        60..=75 => {
            let which = world.rng.below(world.purchases.len());
            world.advance(which);
            Ok(())
        }
        76..=81 => {
            deliver_one(world);
            Ok(())
        }
        82..=84 => {
            let ctx = world.ctx.clone();
            world.spawn(Doing::Scheduled, async move {
                calls::run_schedule(ctx).await;
                None
            });
            Ok(())
        }
        85..=90 => {
            let seconds = *world.rng.pick(&[1, 5, 61, 130, 400, 4_000]);
            world.pass_s(seconds);
            world.check()
        }
        91..=93 => world.land_one(),
        94 if lock(&world.faults).are_on() => world.kill_one(),
        95..=97 => interfere(world),
        _ => goes_on(world),
    }
}

fn goes_on(world: &mut World) -> Result<(), Violation> {
    if let Some(done) = world.step()?
        && let Some(answer) = done.answer
    {
        world.learn(done.what, answer);
    }
    Ok(())
}

/// Delivers a drawn event, perhaps not for the last time, and perhaps forged.
fn deliver_one(world: &mut World) {
    if world.outbox.is_empty() {
        return;
    }
    let which = world.rng.below(world.outbox.len());
    let is_right = !world.rng.one_in(20);
    let again = !is_right || world.rng.one_in(4);
    let (event, count) = &mut world.outbox[which];
    let event = event.clone();
    *count += u32::from(is_right);
    world.coverage.delivered_twice += u64::from(*count == TWICE);
    world.coverage.forged += u64::from(!is_right);
    if !again {
        world.outbox.swap_remove(which);
    }
    deliver(world, event, is_right);
}

/// Delivers an event.
pub(super) fn deliver(world: &mut World, event: super::stripe::Event, is_right: bool) {
    let ctx = world.ctx.clone();
    world.spawn(Doing::Delivering, async move { Some(calls::deliver(ctx, event, calls::secret(is_right)).await) });
}

/// A random intent with this status.
fn an_intent(world: &World, status: &[IntentStatus]) -> Option<IntentId> {
    let mut found = Vec::new();
    world.stripe.for_each(|view| {
        if status.contains(&view.status) {
            found.push(view.intent.clone());
        }
    });
    if found.is_empty() { None } else { Some(world.rng.pick(&found).clone()) }
}

/// Actions of others: the payer's bank, the studio in Stripe's dashboard, staff.
fn interfere(world: &mut World) -> Result<(), Violation> {
    world.note(|| "somebody interferes".to_owned());
    const UNPAID: &[IntentStatus] = &[IntentStatus::RequiresPaymentMethod];
    const HELD: &[IntentStatus] = &[IntentStatus::RequiresCapture];
    match world.rng.below(14) {
        0..=2 => {
            if let Some(intent) = an_intent(world, &[IntentStatus::Processing]) {
                if world.rng.one_in(2) {
                    world.coverage.debit_settled += u64::from(world.stripe.settle_debit(&intent).is_ok());
                } else {
                    world.coverage.debit_failed += u64::from(world.stripe.fail_debit(&intent).is_ok());
                }
            }
        }
        3 => {
            if let Some(intent) = an_intent(world, HELD) {
                world.coverage.hold_expired += u64::from(world.stripe.expire(&intent).is_ok());
            }
        }
        4 => {
            if let Some(intent) = an_intent(world, UNPAID) {
                let amount = Money::minor(*world.rng.pick(&[100, 3_000, 99_999]));
                world.coverage.tampered += u64::from(world.stripe.edit_amount(&intent, amount).is_ok());
            }
        }
        5 => capture_in_dashboard(world, an_intent(world, HELD)),
        6 => {
            if let Some(intent) =
                an_intent(world, &[IntentStatus::RequiresCapture, IntentStatus::RequiresPaymentMethod])
            {
                world.stripe.cancel_in_dashboard(&intent).ok();
            }
        }
        7..=10 => returns::happen(world),
        11 => {
            let (ctx, link) = (world.ctx.clone(), world.rng.pick(&world.links).clone());
            world.spawn(Doing::Revoking, async move { Some(calls::revoke_link(ctx, link).await) });
        }
        _ => {
            let (ctx, price) = (world.ctx.clone(), 5_000 + i64::from(world.rng.one_in(2)) * 100);
            let account = world.outside.account;
            world.coverage.repriced += 1;
            world.spawn(Doing::Repricing, async move {
                studio::load(&ctx.store, &studio::catalogue_as(account, "gbp", price), Extent::Part).await.ok();
                None
            });
        }
    }
    world.check()
}

fn capture_in_dashboard(world: &mut World, intent: Option<IntentId>) {
    let Some(intent) = intent else { return };
    let amount = world.rng.one_in(3).then(|| Money::minor(100));
    lock(&world.interfered).insert(intent.as_str().to_owned());
    let is_captured = world.stripe.capture_in_dashboard(&intent, amount).is_ok();
    world.coverage.interfered += u64::from(is_captured);
    let taken = invariants::taken(&world.stripe, intent.as_str());
    let is_part = taken.is_some_and(|taken| taken.received < taken.amount);
    world.coverage.captured_in_part += u64::from(is_captured && is_part);
}

/// 10: a payer who was answered 200 has what was paid for; one who was answered "released" was not charged.
pub(super) fn every_client_has_what_it_was_answered(world: &World) -> Result<(), Violation> {
    for call in &world.calls {
        let (Some(answer), Some(intent)) = (&call.answer, &call.intent) else { continue };
        let taken = invariants::taken(&world.stripe, intent);
        if answer.released && taken.is_some_and(|taken| taken.status != IntentStatus::Canceled) {
            return Err(format!("10: {call:?} was told that it is released, and Stripe says {taken:?}"));
        }
        if answer.status == 200 {
            told_done(world, call, intent)?;
        }
        if answer.code == Some(ErrorCode::BasketTooLarge) && has_order(world, call, intent) {
            return Err(format!("10: {call:?} was told that no order can hold it, and there is one"));
        }
    }
    Ok(())
}

/// Whether there is an order of exactly this basket.
fn has_order(world: &World, call: &Call, intent: &String) -> bool {
    let Wanted::Basket(items) = &call.wanted else { return false };
    let mut orders = world.model().orders.values().filter(|order| order.intent.as_ref() == Some(intent));
    orders.any(|order| super::told::is_basket(&order.basket, call.family, items))
}

fn told_done(world: &World, call: &Call, intent: &String) -> Result<(), Violation> {
    let order = world.model().orders.values().find(|order| order.intent.as_ref() == Some(intent));
    let taken = invariants::taken(&world.stripe, intent);
    // A bank debit that was under way may have failed since; its payer was answered "pending".
    let was_under_way =
        call.answer.as_ref().and_then(|a| a.body.as_ref()).is_some_and(|b| b.contains("payment-pending-card"));
    match order {
        Some(order) if order.state == "COMPLETED" => {
            let is_own = match &call.wanted {
                Wanted::Basket(items) => super::told::is_basket(&order.basket, call.family, items),
                Wanted::Link(_) => order.link.is_some(),
            };
            if !is_own {
                return Err(format!("10: {call:?} was told 200, and its intent has paid another basket: {order:?}"));
            }
            let received = taken.map(|taken| taken.received);
            // Of a partial capture by the studio, only the amount received is credited.
            let is_part = taken.is_some_and(|taken| taken.received < taken.amount) && world.is_interfered(intent);
            let is_other = call.shown.is_some_and(|shown| shown != order.total) && !is_part;
            if is_other || received != Some(order.total) {
                return Err(format!("7: {call:?} was charged {received:?}: {order:?}"));
            }
            Ok(())
        }
        Some(_) if was_under_way => Ok(()),
        _ => Err(format!("10: {call:?} was told 200 and has {order:?}, Stripe says {taken:?}")),
    }
}
