//! Recovery of a world after its faults have stopped.
//!
//! Only what helps in production helps here: the settlement job, clients that call again, and Stripe's events. Each is
//! first tried alone.

use std::collections::BTreeSet;

use classpay_domain::order::IntentStatus;
use classpay_service::error::ErrorCode;

use super::calls;
use super::invariants;
use super::outside;
use super::purchases::Wanted;
use super::returns;
use super::run::{deliver, every_client_has_what_it_was_answered};
use super::world::{Doing, Violation, World, lock};

/// What recovers a world first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Only the settlement job: nobody comes back, and no event arrives.
    Schedule,
    /// Clients call again.
    Clients,
    /// The events that were not delivered arrive.
    Webhook,
}

/// How often a client calls again before we count it as not recovered.
const CALLS_AGAIN: u32 = 6;
/// How long a client waits after an answer that it has called too often.
const AN_HOUR_S: i64 = 3600;

/// Ends a world: faults stop, calls end or are killed, lost calls land or don't, and then the world recovers.
pub fn to_the_end(world: &mut World, recovery: Recovery) -> Result<(), Violation> {
    lock(&world.faults).end();
    while !world.running.is_empty() && world.rng.one_in(3) {
        world.kill_one()?;
    }
    run_all(world)?;
    land_all(world)?;
    outside::last_import_holds(world)?;
    at_first(world, recovery)?;
    // Payers and banks complete what they have begun, or leave it.
    settle_debits(world)?;
    returns::are_decided(world)?;
    days_go_by(world, recovery)
}

/// Calls that are still on their way arrive.
pub fn land_all(world: &mut World) -> Result<(), Violation> {
    while world.has_late() {
        world.land_one()?;
    }
    Ok(())
}

/// What is tried alone, within minutes. The settlement job runs in any case.
pub fn at_first(world: &mut World, recovery: Recovery) -> Result<(), Violation> {
    match recovery {
        Recovery::Schedule => Ok(()),
        Recovery::Clients => by_clients(world),
        Recovery::Webhook => by_webhook(world),
    }
}

/// Days pass: the settlement job runs, and in the end all events arrive. Then nothing is unfinished.
pub fn days_go_by(world: &mut World, recovery: Recovery) -> Result<(), Violation> {
    for _ in 0..5 {
        by_schedule(world, 40)?;
    }
    by_schedule(world, 26 * 3600)?;
    for _ in 0..6 {
        by_schedule(world, 9 * 3600)?;
    }
    if recovery == Recovery::Schedule {
        world.coverage.recovered_by_schedule += 1;
        let never_told = world.outbox.iter().filter(|(event, count)| *count == 0 && event.kind == "refund.created");
        world.coverage.refund_read += u64::try_from(never_told.count()).expect("few");
        invariants::at_the_end(world.model(), &world.stripe)?;
    }
    deliver_all(world)?;
    for _ in 0..6 {
        by_schedule(world, 9 * 3600)?;
    }
    invariants::at_the_end(world.model(), &world.stripe)?;
    every_client_has_what_it_was_answered(world)
}

/// Runs all tasks to their end.
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

/// Runs the settlement job this many seconds later.
pub fn by_schedule(world: &mut World, seconds: i64) -> Result<(), Violation> {
    world.pass_s(seconds);
    let ctx = world.ctx.clone();
    world.spawn(Doing::Scheduled, async move {
        calls::run_schedule(ctx).await;
        None
    });
    run_all(world)
}

/// Every client that has paid calls again until its answer is final.
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
        let is_interfered = purchase.intent.as_deref().is_some_and(|intent| world.is_interfered(intent));
        let order = world.model().orders.values().find(|order| order.intent == purchase.intent);
        let waits = is_interfered || order.is_some_and(|order| invariants::is_for_a_person(&world.stripe, order));
        // A bank debit takes days, whichever of the clients that share the intent has chosen it. And on an account that
        // refuses our calls, no client makes progress.
        let status = purchase.intent.as_deref().and_then(|intent| invariants::taken(&world.stripe, intent));
        let is_under_way = status.is_some_and(|taken| taken.status == IntentStatus::Processing || !taken.is_connected);
        if is_open && !waits && !is_under_way {
            return Err(format!("a client alone recovers nothing: {purchase:?}"));
        }
        world.coverage.recovered_by_clients += 1;
    }
    Ok(())
}

/// Delivers the events that were not delivered. If a link's payment has its last event among them, the webhook settles
/// the payment. A basket's payment is not settled, because its payer may still call. And if the event was delivered but
/// its run was cut short, no other event follows: the settlement job settles it.
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
        if is_remembered && status == Some(IntentStatus::RequiresCapture) && !world.is_interfered(intent) {
            return Err(format!("its event alone does not recover {intent}"));
        }
        world.coverage.recovered_by_webhook += 1;
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

/// Bank debits are paid or fail, one by one; some stay under way.
fn settle_debits(world: &mut World) -> Result<(), Violation> {
    let mut under_way = Vec::new();
    world.stripe.for_each(|view| {
        if view.status == IntentStatus::Processing {
            under_way.push(view.intent.clone());
        }
    });
    for intent in under_way {
        match world.rng.below(3) {
            0 => world.coverage.debit_settled += u64::from(world.stripe.settle_debit(&intent).is_ok()),
            1 => world.coverage.debit_failed += u64::from(world.stripe.fail_debit(&intent).is_ok()),
            _ => {}
        }
        world.check()?;
    }
    Ok(())
}
