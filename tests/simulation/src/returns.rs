//! Reversals of a payment: the studio refunds, refunds arrive later or fail, and the payer's bank disputes a payment,
//! or inquires, and decides.
//!
//! Nothing here calls the service, which learns of it by events or by reading. An open reversal may stay open for good.

use classpay_domain::id::IntentId;
use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;

use super::stripe::{Arrival, Complaint, Verdict};
use super::world::{Violation, World};

/// The reversals at Stripe, by id.
#[derive(Debug, Default)]
pub struct Returns {
    refunds: Vec<String>,
    /// Disputes, and inquiries.
    disputes: Vec<String>,
}

/// Partial amounts: one smaller than any fee, and one larger.
const PARTS: [i64; 3] = [10, 100, 3_000];

/// Starts a reversal, or decides an open one.
pub(super) fn happen(world: &mut World) {
    match world.rng.below(8) {
        0..=2 => refund(world),
        3 => complain(world, Complaint::Dispute),
        4 => complain(world, Complaint::Inquiry),
        5 => {
            if let Some(refund) = one_of(world, &world.returns.refunds) {
                refund_ends(world, &refund);
            }
        }
        _ => {
            if let Some(dispute) = one_of(world, &world.returns.disputes) {
                bank_decides(world, &dispute);
            }
        }
    }
}

/// Decides the open reversals, or leaves them open.
pub(super) fn are_decided(world: &mut World) -> Result<(), Violation> {
    for refund in world.returns.refunds.clone() {
        if world.rng.one_in(2) {
            refund_ends(world, &refund);
            world.check()?;
        }
    }
    for dispute in world.returns.disputes.clone() {
        if world.rng.one_in(2) {
            bank_decides(world, &dispute);
            world.check()?;
        }
    }
    Ok(())
}

fn one_of(world: &World, ids: &[String]) -> Option<String> {
    if ids.is_empty() { None } else { Some(world.rng.pick(ids).clone()) }
}

/// A random payment of ours. The studio's own payments are not our concern.
fn a_payment(world: &World) -> Option<IntentId> {
    let mut found = Vec::new();
    world.stripe.for_each(|view| {
        if view.status == IntentStatus::Succeeded && !view.is_studios {
            found.push(view.intent.clone());
        }
    });
    if found.is_empty() { None } else { Some(world.rng.pick(&found).clone()) }
}

/// The whole payment, or part of it.
fn an_amount(world: &World) -> Option<Money> {
    if world.rng.one_in(2) { None } else { Some(Money::minor(*world.rng.pick(&PARTS))) }
}

fn refund(world: &mut World) {
    let Some(intent) = a_payment(world) else { return };
    let arrival = *world.rng.pick(&[Arrival::AtOnce, Arrival::AtOnce, Arrival::Later]);
    let amount = an_amount(world);
    if let Ok(refund) = world.stripe.refund(&intent, amount, arrival) {
        world.returns.refunds.push(refund);
    }
}

fn refund_ends(world: &mut World, refund: &str) {
    if world.rng.one_in(2) {
        world.coverage.refund_arrived += u64::from(world.stripe.settle_refund(refund).is_ok());
    } else {
        world.stripe.fail_refund(refund).ok();
    }
}

fn complain(world: &mut World, complaint: Complaint) {
    let Some(intent) = a_payment(world) else { return };
    let amount = an_amount(world);
    if let Ok(dispute) = world.stripe.dispute(&intent, amount, complaint) {
        world.coverage.inquiry += u64::from(complaint == Complaint::Inquiry);
        world.returns.disputes.push(dispute);
    }
}

/// A dispute is won or lost; an inquiry ends or becomes a dispute.
fn bank_decides(world: &mut World, dispute: &str) {
    let verdict = *world.rng.pick(&[Verdict::Won, Verdict::Won, Verdict::Lost]);
    if world.stripe.close_dispute(dispute, verdict).is_ok() {
        world.coverage.dispute_lost += u64::from(verdict == Verdict::Lost);
    } else if world.rng.one_in(2) {
        world.coverage.inquiry_closed += u64::from(world.stripe.close_dispute(dispute, Verdict::WarningClosed).is_ok());
    } else {
        world.coverage.inquiry_escalated += u64::from(world.stripe.escalate(dispute).is_ok());
    }
}
