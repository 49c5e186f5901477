//! What becomes of a world whose faults have stopped.
//!
//! Invariant: nothing is helped along but by what heals in life: the schedule, clients who call again, and Stripe's
//! events. Each is tried alone first.

use std::collections::BTreeSet;

use classpay_domain::order::IntentStatus;
use classpay_service::error::ErrorCode;

use super::calls;
use super::invariants;
use super::outside;
use super::purchases::Wanted;
use super::returns;
use super::run::{deliver, everybody_has_what_he_was_told};
use super::world::{Doing, Violation, World, lock};

/// Who is tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Healing {
    /// Nobody comes back; no event arrives.
    Schedule,
    /// Clients call again.
    Clients,
    /// The events that were not delivered arrive.
    Webhook,
}

/// How often a client calls again before it counts as unhealed.
const CALLS_AGAIN: u32 = 6;
/// How long a client waits who is told that he has called too often.
const AN_HOUR_S: i64 = 3600;

/// Ends a world: faults stop, calls end or are killed, what was lost lands or doesn't; then it heals.
///
/// # Errors
/// What is violated.
pub fn to_the_end(world: &mut World, healing: Healing) -> Result<(), Violation> {
    lock(&world.faults).end();
    while !world.running.is_empty() && world.chance.one_in(3) {
        world.kill_one()?;
    }
    run_all(world)?;
    land_all(world)?;
    outside::last_import_holds(world)?;
    at_first(world, healing)?;
    // What payers and banks have still to do, they do or leave.
    settle_debits(world)?;
    returns::are_decided(world)?;
    days_go_by(world, healing)
}

/// What is still on its way arrives.
///
/// # Errors
/// What is violated after it.
pub fn land_all(world: &mut World) -> Result<(), Violation> {
    while world.has_late() {
        world.land_one()?;
    }
    Ok(())
}

/// What is tried alone, within minutes. The schedule comes anyway.
///
/// # Errors
/// What is violated meanwhile, or not healed.
pub fn at_first(world: &mut World, healing: Healing) -> Result<(), Violation> {
    match healing {
        Healing::Schedule => Ok(()),
        Healing::Clients => by_clients(world),
        Healing::Webhook => by_webhook(world),
    }
}

/// Days go by: the schedule runs, and in the end all events arrive. Nothing is unfinished then.
///
/// # Errors
/// What is violated meanwhile, or in the end.
pub fn days_go_by(world: &mut World, healing: Healing) -> Result<(), Violation> {
    for _ in 0..5 {
        by_schedule(world, 40)?;
    }
    by_schedule(world, 26 * 3600)?;
    for _ in 0..6 {
        by_schedule(world, 9 * 3600)?;
    }
    if healing == Healing::Schedule {
        world.coverage.healed_by_schedule += 1;
        let never_told = world.outbox.iter().filter(|(event, count)| *count == 0 && event.kind == "refund.created");
        world.coverage.refund_read += u64::try_from(never_told.count()).expect("few");
        invariants::at_the_end(world.model(), &world.stripe)?;
    }
    deliver_all(world)?;
    for _ in 0..6 {
        by_schedule(world, 9 * 3600)?;
    }
    invariants::at_the_end(world.model(), &world.stripe)?;
    everybody_has_what_he_was_told(world)
}

/// Lets all tasks come to their end.
///
/// # Errors
/// What is violated meanwhile.
pub fn run_all(world: &mut World) -> Result<(), Violation> {
    while !world.running.is_empty() {
        if let Some(done) = world.step()?
            && let Some(answer) = done.answer
        {
            world.learn(done.what, answer);
        }
    }
    Ok(())
}

/// The schedule runs, so many seconds later.
///
/// # Errors
/// What is violated meanwhile.
pub fn by_schedule(world: &mut World, seconds: i64) -> Result<(), Violation> {
    world.pass_s(seconds);
    let ctx = world.ctx.clone();
    world.spawn(Doing::Scheduled, async move {
        calls::run_schedule(ctx).await;
        None
    });
    run_all(world)
}

/// Every client who has paid calls again until his answer is final.
fn by_clients(world: &mut World) -> Result<(), Violation> {
    for which in 0..world.purchases.len() {
        let purchase = &world.purchases[which];
        let has_called = purchase.called.0 > 0;
        if !purchase.is_paid() || !has_called {
            continue;
        }
        let mut is_open = true;
        for _ in 0..CALLS_AGAIN {
            world.pass_s(3);
            world.call(which);
            run_all(world)?;
            let last = world.calls.last().and_then(|call| call.answer.as_ref());
            is_open = last.is_some_and(super::calls::Answer::is_open);
            let is_told_to_wait = last.is_some_and(|answer| answer.code == Some(ErrorCode::TooManyAttempts));
            if !is_open {
                break;
            }
            if is_told_to_wait {
                world.pass_s(AN_HOUR_S);
            }
        }
        let purchase = &world.purchases[which];
        let waits = purchase.intent.as_deref().is_some_and(|intent| world.is_meddled(intent));
        // A bank debit takes days, whoever of those who share the intent has chosen it. And where our calls are refused,
        // nobody gets further.
        let status = purchase.intent.as_deref().and_then(|intent| invariants::taken(&world.stripe, intent));
        let is_under_way = status.is_some_and(|taken| taken.status == IntentStatus::Processing || !taken.is_connected);
        if is_open && !waits && !is_under_way {
            return Err(format!("a client alone heals nothing: {purchase:?}"));
        }
        world.coverage.healed_by_clients += 1;
    }
    Ok(())
}

/// The events that were not delivered arrive. A link's payment whose last event is among them is settled by it: the
/// webhook takes the road. (A basket's is not: its payer may still be on his way. And where the event was delivered and
/// its own run was cut short, no other follows: that is the schedule's.)
fn by_webhook(world: &mut World) -> Result<(), Violation> {
    let undelivered: BTreeSet<String> = world
        .outbox
        .iter()
        .filter(|(event, count)| *count == 0 && event.kind == "payment_intent.amount_capturable_updated")
        .filter_map(|(event, _)| event.intent.as_ref().map(|intent| intent.as_str().to_owned()))
        .collect();
    let links: Vec<(String, bool)> = world
        .purchases
        .iter()
        .filter(|purchase| matches!(purchase.wanted, Wanted::Link(_)))
        .filter_map(|purchase| purchase.intent.clone().map(|intent| (intent, purchase.paid.is_some())))
        .collect();
    deliver_all(world)?;
    for (intent, _) in links.iter().filter(|(intent, is_paid)| *is_paid && undelivered.contains(intent)) {
        let is_remembered = world.model().link_sessions.contains_key(intent);
        let reached = invariants::taken(&world.stripe, intent).filter(|taken| taken.is_connected);
        let status = reached.map(|taken| taken.status);
        if is_remembered && status == Some(IntentStatus::RequiresCapture) && !world.is_meddled(intent) {
            return Err(format!("its event alone does not recover {intent}"));
        }
        world.coverage.healed_by_webhook += 1;
    }
    Ok(())
}

fn deliver_all(world: &mut World) -> Result<(), Violation> {
    for _ in 0..8 {
        let events = std::mem::take(&mut world.outbox);
        if events.is_empty() {
            break;
        }
        for (event, _) in events {
            deliver(world, event, true);
            run_all(world)?;
        }
    }
    Ok(())
}

/// Bank debits arrive or fail, one by one; some are left on their way.
fn settle_debits(world: &mut World) -> Result<(), Violation> {
    let mut under_way = Vec::new();
    world.stripe.for_each(|glance| {
        if glance.status == IntentStatus::Processing {
            under_way.push(glance.intent.clone());
        }
    });
    for intent in under_way {
        match world.chance.below(3) {
            0 => world.coverage.debit_settled += u64::from(world.stripe.settle_debit(&intent).is_ok()),
            1 => world.coverage.debit_failed += u64::from(world.stripe.fail_debit(&intent).is_ok()),
            _ => {}
        }
        world.check()?;
    }
    Ok(())
}
