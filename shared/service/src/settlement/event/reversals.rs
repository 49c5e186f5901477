//! What refunds and disputes of a credited payment add to the ledger.
//!
//! Invariant: refunds are those that Stripe lists on the charge. A dispute can't be read through the intent: it is
//! posted as its event reports it, but only if its charge is the payment's and Stripe says that the charge was
//! disputed.

use classpay_domain::ledger::DetailKind;
use classpay_domain::money::Money;
use classpay_domain::reversals::{
    Posting, Reversal, ReversalKind, ReversalStatus, ReversedPayment, dispute_status, postings, refund_status,
};

use super::topic::Topic;
use super::{Doubt, Ending};
use crate::aggregate::{AggregateTransaction, Ledger};
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::store::{
    Commit, CreditedPayment, EventRecord, Owed, PaymentReversals, PostReversals, ReversalEntry, Reversed,
};
use crate::stripe::Charge;

/// How often posting restarts because another call was faster.
const MAX_ROUNDS: usize = 5;

/// Posts the reversals of a payment that are not posted yet and that Stripe confirms.
///
/// # Errors
/// [`Error`] if it can't be known now whether all of it is posted.
pub(super) async fn post(
    ctx: &Context,
    event: &EventRecord,
    topic: Topic,
    payment: CreditedPayment<'_>,
    deadline: Deadline,
) -> Result<Ending, Error> {
    for _ in 0..MAX_ROUNDS {
        if deadline.is_near() {
            break;
        }
        let read = ctx.store.load_reversals(payment).await?;
        let read = read.ok_or_else(|| Error::internal("a credited payment has no credit"))?;
        let stripe = ctx.stripe()?.within(deadline.for_stripe());
        let intent = stripe.load_intent(&read.account, &read.intent).await?;
        let charge = intent.and_then(|intent| intent.charge);
        let charge = charge.ok_or_else(|| Error::internal("a captured intent has no charge"))?;
        let found = match topic {
            Topic::Dispute => match dispute(event, &charge) {
                Disputed::Posted(found) => vec![found],
                Disputed::Nothing => return Ok(Ending::Finished),
                Disputed::Unborne => return Ok(Ending::Doubted(Doubt::NotDisputed(read.company))),
            },
            Topic::Refund | Topic::Payment | Topic::Other => refunds(event, &charge),
        };
        match post_found(ctx, &read, &charge, &found).await? {
            Commit::Done => return Ok(Ending::Finished),
            Commit::ConditionFailed | Commit::Contended | Commit::Unknown => {}
        }
    }
    Err(Error::from(ErrorCode::Unavailable).because("what went back of a payment was not posted"))
}

async fn post_found(
    ctx: &Context,
    read: &PaymentReversals<'_>,
    charge: &Charge,
    found: &[Reversal],
) -> Result<Commit, Error> {
    let PaymentReversals { company, family, credit, .. } = read;
    let ids = found.iter().flat_map(Reversal::transactions);
    let posted = ctx.store.posted_among(company, family, ids).await?;
    let timezone = ctx.store.load_timezone(company).await?;
    let on = ctx.clock.today(&timezone)?;
    let is_full = is_fully_refunded(charge);
    let ids: Vec<_> = posted.keys().cloned().collect();
    let payment =
        ReversedPayment { on, fee: fee_of(credit), is_full, was_full: read.is_full, returns: found, posted: &ids };
    let overflow = |_| Error::internal("the sums overflow");
    let (postings, is_full) = postings(&payment).map_err(overflow)?;
    if postings.is_empty() {
        return Ok(Commit::Done);
    }
    let ledger = Ledger { company, family, family_name: &credit.transaction.family_name, order: None };
    let reversed = postings.iter().filter_map(|posting| posting.reverses.clone());
    let dues = ctx.store.load_dues(company, reversed).await?;
    let entries = postings.into_iter().map(|Posting { id, entry, reverses }| {
        let reverses = reverses.map(|debit| {
            // If another call has posted one since, this write fails its condition, so the amount due read here doesn't
            // matter.
            let owed = posted.get(&debit).zip(dues.get(&debit)).map(|(total, due)| Owed { total: *total, due: *due });
            Reversed { debit, owed }
        });
        // A debit names the payment that it reverses, and a credit the debit that it takes back.
        let of = reverses.as_ref().map_or(credit.transaction.id.as_str(), |reversed| reversed.debit.as_str());
        Ok(ReversalEntry { entry: ledger.derived(&entry, &id, Some(of))?, reverses })
    });
    let entries = entries.collect::<Result<Vec<_>, _>>().map_err(overflow)?;
    let link = match &read.link {
        Some(paid) => ctx.store.load_link(paid).await?.map(|link| link.state),
        None => None,
    };
    let written = ctx.store.post_reversals(&PostReversals { read, entries: &entries, is_full, link }).await?;
    tracing::info!(intent = read.intent.as_str(), entries = entries.len(), ?written, "posted reversal");
    Ok(written)
}

/// The processing fee within a credit, as the payer paid it.
fn fee_of(credit: &AggregateTransaction) -> Money {
    let fees = credit.details.iter().filter(|detail| detail.details.kind == DetailKind::FeeCompany.as_str());
    Money::minor(fees.map(|detail| detail.details.amount).sum::<i64>().saturating_neg())
}

/// Stripe counts the part that was held but not captured as refunded, like the part that was given back.
fn is_fully_refunded(charge: &Charge) -> bool {
    !charge.amount_captured.is_zero() && charge.amount_refunded >= charge.amount
}

/// The refunds of a charge, oldest first, with the one in the event if it is too old to be listed.
fn refunds(event: &EventRecord, charge: &Charge) -> Vec<Reversal> {
    let refund = |id: &str, amount, status: &str, created_s| Reversal {
        kind: ReversalKind::Refund,
        id: id.to_owned(),
        amount,
        status: refund_status(status),
        created_s,
    };
    let listed = charge.refunds.iter().rev();
    let mut found: Vec<_> = listed.map(|r| refund(&r.id, r.amount, &r.status, r.created_s)).collect();
    leave_out_release(&mut found, charge);
    let reported = &event.object;
    let is_refund = event.kind != "charge.refunded";
    if is_refund
        && reported.amount > 0
        && is_in_currency(event, charge)
        && !charge.refunds.iter().any(|listed| listed.id == reported.id)
    {
        found.insert(0, refund(&reported.id, Money::minor(reported.amount), &reported.status, reported.created_s));
    }
    found
}

/// The part that was held but not captured may show as the oldest refund, although no money went back to anyone.
fn leave_out_release(found: &mut Vec<Reversal>, charge: &Charge) {
    let released = charge.amount.units().saturating_sub(charge.amount_captured.units());
    let given: i64 = found.iter().filter(|r| r.status == ReversalStatus::Returned).map(|r| r.amount.units()).sum();
    // Only if the list reaches back to the capture.
    let is_listed = released > 0 && given == charge.amount_refunded.units();
    let oldest = found.iter().position(|r| r.status == ReversalStatus::Returned && r.amount.units() == released);
    if let Some(oldest) = oldest.filter(|_| is_listed) {
        found.remove(oldest);
    }
}

/// Whether the event's amount is in the charge's currency. An event stored by an earlier version has no currency.
fn is_in_currency(event: &EventRecord, charge: &Charge) -> bool {
    event.object.currency.is_empty() || event.object.currency == charge.currency
}

/// What a dispute event means for the ledger.
#[derive(Debug, PartialEq, Eq)]
enum Disputed {
    Posted(Reversal),
    /// It moves no money, or none of this payment.
    Nothing,
    /// Stripe's charge doesn't show it, or it is in another currency.
    Unborne,
}

/// The dispute in the event, if it moves money and Stripe's charge confirms it. A bank's inquiry moves none, and shows
/// on no charge.
fn dispute(event: &EventRecord, charge: &Charge) -> Disputed {
    let reported = &event.object;
    if reported.charge != charge.id {
        tracing::error!(event = event.id.as_str(), "dispute of another charge than the one that paid");
        return Disputed::Nothing;
    }
    let status = dispute_status(&event.kind, &reported.status);
    if status == ReversalStatus::Open {
        return Disputed::Nothing;
    }
    if !charge.disputed || !is_in_currency(event, charge) {
        return Disputed::Unborne;
    }
    let amount = Money::minor(reported.amount.clamp(0, charge.amount_captured.units().max(0)));
    let (id, created_s) = (reported.id.clone(), reported.created_s);
    Disputed::Posted(Reversal { kind: ReversalKind::Dispute, id, amount, status, created_s })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::EventObject;
    use crate::stripe::Refund;
    use classpay_domain::id::{AccountId, EventId};

    fn charge(amount: i64, captured: i64, refunded: i64, refunds: &[(&str, i64, &str)]) -> Charge {
        let refund = |(id, amount, status): &(&str, i64, &str)| Refund {
            id: (*id).to_owned(),
            amount: Money::minor(*amount),
            currency: "gbp".to_owned(),
            status: (*status).to_owned(),
            created_s: 9,
            created_on: jiff::civil::date(2026, 9, 7),
        };
        Charge {
            id: "ch_1".to_owned(),
            amount: Money::minor(amount),
            amount_captured: Money::minor(captured),
            amount_refunded: Money::minor(refunded),
            currency: "gbp".to_owned(),
            refunded: refunded == amount,
            disputed: true,
            created_s: 1,
            refunds: refunds.iter().map(refund).collect(),
        }
    }

    fn event(kind: &str, id: &str, amount: i64, status: &str) -> EventRecord {
        EventRecord {
            account: AccountId::parse("acct_1").unwrap(),
            id: EventId::parse("evt_1").unwrap(),
            kind: kind.to_owned(),
            created_s: 5,
            received_s: 6,
            intent: None,
            marker: None,
            object: EventObject {
                id: id.to_owned(),
                amount,
                currency: "gbp".to_owned(),
                status: status.to_owned(),
                charge: "ch_1".to_owned(),
                created_s: 4,
            },
        }
    }

    fn ids(found: &[Reversal]) -> Vec<&str> {
        found.iter().map(|found| found.id.as_str()).collect()
    }

    #[test]
    fn refunds_are_what_stripe_lists_oldest_first_whatever_the_event_says_of_them() {
        let listed = charge(1029, 1029, 500, &[("re_2", 500, "succeeded"), ("re_1", 529, "failed")]);
        let found = refunds(&event("refund.created", "re_1", 529, "succeeded"), &listed);
        assert_eq!(ids(&found), ["re_1", "re_2"]);
        assert_eq!(
            found.iter().map(|r| r.status).collect::<Vec<_>>(),
            [ReversalStatus::Undone, ReversalStatus::Returned]
        );
    }

    #[test]
    fn a_refund_that_is_too_old_to_be_listed_is_taken_from_its_event_and_a_charge_is_no_refund() {
        let listed = charge(1029, 1029, 500, &[("re_2", 500, "succeeded")]);
        assert_eq!(ids(&refunds(&event("refund.failed", "re_1", 100, "failed"), &listed)), ["re_1", "re_2"]);
        assert_eq!(ids(&refunds(&event("charge.refunded", "ch_1", 1029, "succeeded"), &listed)), ["re_2"]);
    }

    #[test]
    fn what_was_held_and_not_captured_is_no_refund() {
        let event = event("charge.refunded", "ch_1", 0, "succeeded");
        let released = charge(5000, 1029, 3971, &[("re_0", 3971, "succeeded")]);
        assert!(refunds(&event, &released).is_empty() && !is_fully_refunded(&released));
        let refunded = charge(5000, 1029, 5000, &[("re_1", 1029, "succeeded"), ("re_0", 3971, "succeeded")]);
        assert_eq!(ids(&refunds(&event, &refunded)), ["re_1"]);
        assert!(is_fully_refunded(&refunded));
        // The release is beyond the list, so no listed refund is it.
        let long = charge(2000, 1900, 300, &[("re_2", 100, "succeeded"), ("re_1", 100, "succeeded")]);
        assert_eq!(ids(&refunds(&event, &long)), ["re_1", "re_2"]);
        let never_captured = charge(1029, 0, 1029, &[("re_0", 1029, "succeeded")]);
        assert!(refunds(&event, &never_captured).is_empty() && !is_fully_refunded(&never_captured));
    }

    #[test]
    fn a_dispute_is_posted_only_if_the_charge_bears_it_out() {
        let disputed = charge(1029, 1029, 0, &[]);
        let lost = event("charge.dispute.closed", "du_1", 2000, "lost");
        let Disputed::Posted(found) = dispute(&lost, &disputed) else { panic!("it is posted") };
        assert_eq!((found.amount, found.status), (Money::minor(1029), ReversalStatus::Returned));
        let quiet = Charge { disputed: false, ..disputed.clone() };
        assert_eq!(dispute(&lost, &quiet), Disputed::Unborne);
        assert_eq!(dispute(&lost, &Charge { id: "ch_2".to_owned(), ..disputed.clone() }), Disputed::Nothing);
        let inquiry = event("charge.dispute.created", "du_1", 2000, "warning_needs_response");
        assert_eq!((dispute(&inquiry, &quiet), dispute(&inquiry, &disputed)), (Disputed::Nothing, Disputed::Nothing));
    }
}
