//! What goes back of a payment: the studio refunds, refunds arrive later or fail, the payer's bank disputes a payment or
//! only asks, and decides.
//!
//! Invariant: nothing here is a call of the service: it hears of it by events, or reads them. What is left open may be
//! so for good.

use classpay_domain::id::IntentId;
use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;

use super::stripe::{Arrival, Complaint, Verdict};
use super::world::{Violation, World};

/// What there is at Stripe, by id.
#[derive(Debug, Default)]
pub struct Returns {
    refunds: Vec<String>,
    /// Disputes, and inquiries.
    disputes: Vec<String>,
}

/// What a part of a payment is: less than any fee, and more.
const PARTS: [i64; 3] = [10, 100, 3_000];

/// Something goes back, or what is open is decided.
pub(super) fn happen(world: &mut World) {
    match world.chance.below(8) {
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

/// What is open is decided, or is left open.
///
/// # Errors
/// What is violated after it.
pub(super) fn are_decided(world: &mut World) -> Result<(), Violation> {
    for refund in world.returns.refunds.clone() {
        if world.chance.one_in(2) {
            refund_ends(world, &refund);
            world.check()?;
        }
    }
    for dispute in world.returns.disputes.clone() {
        if world.chance.one_in(2) {
            bank_decides(world, &dispute);
            world.check()?;
        }
    }
    Ok(())
}

fn one_of(world: &World, ids: &[String]) -> Option<String> {
    if ids.is_empty() { None } else { Some(world.chance.pick(ids).clone()) }
}

/// A payment of ours, by chance. What the studio does with its own is none of our business.
fn a_payment(world: &World) -> Option<IntentId> {
    let mut found = Vec::new();
    world.stripe.for_each(|glance| {
        if glance.status == IntentStatus::Succeeded && !glance.is_studios {
            found.push(glance.intent.clone());
        }
    });
    if found.is_empty() { None } else { Some(world.chance.pick(&found).clone()) }
}

/// All of it, or a part.
fn an_amount(world: &World) -> Option<Money> {
    if world.chance.one_in(2) { None } else { Some(Money::minor(*world.chance.pick(&PARTS))) }
}

fn refund(world: &mut World) {
    let Some(intent) = a_payment(world) else { return };
    let arrival = *world.chance.pick(&[Arrival::AtOnce, Arrival::AtOnce, Arrival::Later]);
    let amount = an_amount(world);
    if let Ok(refund) = world.stripe.refund(&intent, amount, arrival) {
        world.returns.refunds.push(refund);
    }
}

fn refund_ends(world: &mut World, refund: &str) {
    if world.chance.one_in(2) {
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

/// A dispute is won or lost; an inquiry is over, or becomes a dispute.
fn bank_decides(world: &mut World, dispute: &str) {
    let verdict = *world.chance.pick(&[Verdict::Won, Verdict::Won, Verdict::Lost]);
    if world.stripe.close_dispute(dispute, verdict).is_ok() {
        world.coverage.dispute_lost += u64::from(verdict == Verdict::Lost);
    } else if world.chance.one_in(2) {
        world.coverage.inquiry_closed += u64::from(world.stripe.close_dispute(dispute, Verdict::WarningClosed).is_ok());
    } else {
        world.coverage.inquiry_escalated += u64::from(world.stripe.escalate(dispute).is_ok());
    }
}
