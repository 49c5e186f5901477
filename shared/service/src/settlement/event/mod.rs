//! Stripe's events: believed if they are signed, kept until what they tell of is done.
//!
//! Read in this order: here (receive, act), [`topic`] (what an event says), [`reversals`] (refunds, disputes).
//!
//! Invariant: what an event says is a hint. What is done is decided by what Stripe says when it is asked, and whose
//! payment it is by our own session or claim, never by metadata. 200 is answered only for an event that is put.

pub mod reversals;
pub mod topic;

use std::time::Duration;

use classpay_domain::id::{CompanyId, OrderId};
use classpay_domain::order::{IntentStatus, OrderState, order_of_intent};
use classpay_domain::reversals::{ReversalStatus, dispute_status, refund_status};

use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::settlement::link;
use crate::settlement::unallocated;
use crate::settlement::{Outcome, release_rejected, settle};
use crate::store::{
    Claim, Commit, CreditedPayment, Decision, EventObject, EventRecord, Put, Rejection, ReviewReason, Session,
    SessionKind, StoreError,
};
use crate::stripe::{Intent, Secret, signature};
use crate::telemetry::{self, Count};
use topic::Topic;

/// What is kept back of the time, for noting that an event is done.
const RESERVE: Duration = Duration::from_secs(3);
const DAY_S: i64 = 24 * 60 * 60;
/// For so long an event that can't be finished is looked at, once a day after the first.
const PUT_OFF_AT_MOST_S: i64 = 90 * DAY_S;
/// How long after an event has told that a basket is paid it is looked at. So long its payer's own call has precedence.
const PAID_LOOK_S: i64 = 5 * 60;

/// Whether all that an event tells of is done.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ending {
    Finished,
    Kept,
    Doubted(Doubt),
}

/// What may still be borne out, and may never be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Doubt {
    /// It has our marker, and we have neither a session nor a claim for its payment.
    UnknownPayment,
    /// It tells of a dispute, and the charge of this company's payment isn't disputed.
    NotDisputed(CompanyId),
}

/// How far the payment of an intent is.
#[derive(Debug)]
enum Stand<'a> {
    /// It is this order's, and posted.
    Posted(OrderId),
    /// What was opened by this session was captured without an order, and credited: a person has been told.
    Unallocated(&'a Session),
    /// It has come to nothing.
    Void,
    /// It is not at its end.
    Underway,
}

/// Takes an event in: puts it and acts on it. What can't be done now is left for the schedule.
///
/// # Errors
/// `bad_signature`; `malformed_json` and `wrong_type` for what is no event; `unavailable` if it can't be put.
pub async fn receive(ctx: &Context, header: Option<&str>, body: &[u8], deadline: Deadline) -> Result<(), Error> {
    let now_s = ctx.clock.now_s();
    let is_signed = |secrets: &[Secret]| signature::verify(header, body, secrets, now_s);
    if let Err(why) = ctx.signing_secrets().check(is_signed).await {
        tracing::warn!(%why, "webhook signature invalid");
        return Err(ErrorCode::BadSignature.into());
    }
    take_in(ctx, &topic::parse(body, now_s)?, deadline.keeping(RESERVE)).await
}

/// Puts an event that is known to be Stripe's, and acts on it if it wasn't finished before.
///
/// # Errors
/// `unavailable` if it can't be put.
pub async fn take_in(ctx: &Context, event: &EventRecord, deadline: Deadline) -> Result<(), Error> {
    match ctx.store.put_event(event, Topic::of(&event.kind) != Topic::Other).await? {
        Put::Finished => tracing::info!(event = event.id.as_str(), kind = event.kind, "event was finished before"),
        Put::Unfinished => drop(finish(ctx, event, deadline).await),
    }
    Ok(())
}

/// Does what an event tells of, and notes that it is done. How far it got is what the table says afterwards; when to
/// look again, in seconds since 1970, if nothing bears the event out yet.
pub async fn finish(ctx: &Context, event: &EventRecord, deadline: Deadline) -> Option<i64> {
    let (id, kind) = (event.id.as_str(), event.kind.as_str());
    let next_s = next_doubted(event.received_s, ctx.clock.now_s());
    let noted = match act(ctx, event, deadline).await {
        Ok(Ending::Finished) => ctx.store.finish_event(event).await,
        Ok(Ending::Doubted(doubt)) if next_s.is_none() => give_up(ctx, event, &doubt).await,
        Ok(Ending::Doubted(doubt)) => {
            tracing::info!(event = id, kind, ?doubt, next_s, "event kept: Stripe does not confirm it yet");
            return next_s;
        }
        Ok(Ending::Kept) => {
            tracing::info!(event = id, kind, "event kept for the settlement job");
            return None;
        }
        Err(error) => {
            let cause = error.cause.as_deref();
            tracing::warn!(event = id, kind, %error, cause, "event not finished");
            let for_s = ctx.clock.now_s().saturating_sub(event.received_s);
            if error.retryable() || for_s < DAY_S {
                return None;
            }
            match put_off(ctx, event, for_s).await {
                Ok(None) => ctx.store.finish_event(event).await,
                Ok(next_s) => return next_s,
                Err(error) => Err(error),
            }
        }
    };
    match noted {
        Ok(written) => tracing::info!(event = id, kind, ?written, "event finished"),
        Err(error) => tracing::warn!(event = id, kind, %error, "event not marked as finished"),
    }
    None
}

/// How old an event that nothing bears out yet is at each look. After the last it is given up.
const DOUBTED_LOOKS_S: [i64; 3] = [2 * 60, 60 * 60, 24 * 60 * 60];

/// When to look again at an event that came then and that nothing bears out; `None`: it has had its time.
fn next_doubted(received_s: i64, now_s: i64) -> Option<i64> {
    let looks = DOUBTED_LOOKS_S.iter().map(|age_s| received_s.saturating_add(*age_s));
    looks.into_iter().find(|look_s| *look_s > now_s)
}

/// Ends an event that nothing has borne out in its time. What may be about a family's money is put before a person.
async fn give_up(ctx: &Context, event: &EventRecord, doubt: &Doubt) -> Result<Commit, StoreError> {
    let intent = event.intent.as_ref().map_or("none", |intent| intent.as_str());
    if let Doubt::NotDisputed(company) = doubt {
        let (dispute, told_by) = (event.object.id.as_str(), event.kind.as_str());
        let reason = ReviewReason::DisputeNotShown { dispute, intent, told_by };
        ctx.store.note_for_review(company, &reason, ctx.clock.now_s()).await?;
    }
    let written = ctx.store.finish_event(event).await?;
    if written == Commit::Done {
        let (account, id) = (event.account.as_str(), event.id.as_str());
        tracing::error!(event = id, kind = event.kind, account, intent, ?doubt, "event given up");
        telemetry::count(Count::EventsGivenUp);
    }
    Ok(written)
}

/// When to look again at an event that has not been finished for so long, in seconds, and won't be by trying again: Stripe refuses
/// to tell of its intent, or the table to take what it tells of. `None`: never.
///
/// A payment is looked at without it. What went back of one is put before a person, and posted once that can be.
async fn put_off(ctx: &Context, event: &EventRecord, for_s: i64) -> Result<Option<i64>, StoreError> {
    let (Topic::Refund | Topic::Dispute, Some(intent)) = (Topic::of(&event.kind), &event.intent) else {
        return Ok(None);
    };
    let (session, claim) = ctx.store.load_payment(&event.account, intent).await?;
    // What is released of a card shows as a refund, and nothing was paid.
    let is_released = |claim: &Claim| matches!(claim.decision, Decision::Rejected { state: Rejection::Released, .. });
    if claim.as_ref().is_some_and(is_released) {
        return Ok(None);
    }
    let company = claim.map(|claim| claim.company).or(session.map(|session| session.company));
    let Some(company) = company else { return Ok(None) };
    let reason = ReviewReason::ReversalUnposted { intent, told_by: &event.kind, told_s: event.received_s };
    ctx.store.note_for_review(&company, &reason, ctx.clock.now_s()).await?;
    if for_s >= PUT_OFF_AT_MOST_S {
        tracing::error!(event = event.id.as_str(), kind = event.kind, intent = intent.as_str(), "event given up");
        telemetry::count(Count::EventsGivenUp);
        return Ok(None);
    }
    Ok(Some(ctx.clock.now_s().saturating_add(DAY_S)))
}

async fn act(ctx: &Context, event: &EventRecord, deadline: Deadline) -> Result<Ending, Error> {
    let topic = Topic::of(&event.kind);
    let (Some(id), false) = (&event.intent, topic == Topic::Other) else { return Ok(Ending::Finished) };
    telemetry::about_intent(id);
    let (session, claim) = ctx.store.load_payment(&event.account, id).await?;
    if session.is_none() && claim.is_none() {
        return Ok(unknown(ctx, event));
    }
    if deadline.is_near() {
        return Ok(Ending::Kept);
    }
    let stripe = ctx.stripe()?.within(deadline.for_stripe());
    let intent = match stripe.load_intent(&event.account, id).await {
        Ok(intent) => intent.ok_or_else(|| Error::internal("stripe has no such intent"))?,
        Err(error) => {
            if let (Some(session), None, true) = (&session, &claim, error.tells_nothing())
                && let Some(told) = topic::told(&event.kind)
            {
                ctx.store.note_told(session, told, event.created_s).await?;
            }
            return Err(error.into());
        }
    };
    if let (Some(session), None) = (&session, &claim) {
        ctx.store.note_intent(session, &intent, ctx.clock.now_s()).await?;
        look_soon(ctx, session, intent.status).await?;
    }
    if let Some(claim) = &claim {
        note_unposted(ctx, claim, event, topic).await?;
    }
    let stand = advance(ctx, session.as_ref(), claim, intent, deadline).await?;
    if topic == Topic::Payment {
        // What is under way is in the index by itself: session, order or claim.
        return Ok(Ending::Finished);
    }
    match stand {
        Stand::Void => Ok(Ending::Finished),
        // What went back of it is posted after its credit.
        Stand::Underway => Ok(Ending::Kept),
        Stand::Posted(order) => reversals::post(ctx, event, topic, CreditedPayment::Order(&order), deadline).await,
        Stand::Unallocated(session) => {
            let credit = unallocated::credit_id(session);
            let payment = CreditedPayment::Unallocated { session, credit: &credit };
            reversals::post(ctx, event, topic, payment, deadline).await
        }
    }
}

/// Has a session that is paid late looked at as soon as one that is paid at once: its looks grow rare with its age. A link is
/// settled by its event, and a bare amount that is held waits for its checkout.
async fn look_soon(ctx: &Context, session: &Session, status: IntentStatus) -> Result<(), StoreError> {
    let is_due = match (&session.kind, status) {
        (SessionKind::Basket { .. }, IntentStatus::RequiresCapture | IntentStatus::Succeeded)
        | (SessionKind::Amount, IntentStatus::Succeeded) => true,
        (SessionKind::Basket { .. } | SessionKind::Amount | SessionKind::Link { .. }, _) => false,
    };
    let now_s = ctx.clock.now_s();
    if !is_due || now_s.saturating_sub(session.created_s) <= PAID_LOOK_S {
        return Ok(());
    }
    match ctx.store.look_sooner(session, now_s, now_s.saturating_add(PAID_LOOK_S)).await? {
        Commit::Done | Commit::ConditionFailed => Ok(()),
        Commit::Contended | Commit::Unknown => Err(StoreError::Unavailable),
    }
}

/// Puts before a person what an event tells of a payment that isn't in the ledger, and was ended as given back or dealt with
/// elsewhere: a refund that has failed, and a dispute.
async fn note_unposted(ctx: &Context, claim: &Claim, event: &EventRecord, topic: Topic) -> Result<(), Error> {
    let Some(intent) = &event.intent else { return Ok(()) };
    let EventObject { id, status, .. } = &event.object;
    let reason = match topic {
        Topic::Refund if refund_status(status) == ReversalStatus::Undone => {
            ReviewReason::RefundFailed { refund: id, intent }
        }
        Topic::Dispute if dispute_status(&event.kind, status) == ReversalStatus::Returned => {
            ReviewReason::DisputeNotShown { dispute: id, intent: intent.as_str(), told_by: &event.kind }
        }
        Topic::Refund | Topic::Dispute | Topic::Payment | Topic::Other => return Ok(()),
    };
    let is_ended = match &claim.decision {
        Decision::Rejected { .. } => claim.is_given_back(),
        // A person has ended it, and nothing was received as he said.
        Decision::Order(order) => ctx.store.load_order(order).await?.is_some_and(|order| {
            order.state != OrderState::Pending && order.resolved.is_some() && order.credit.is_none()
        }),
    };
    if is_ended {
        ctx.store.note_for_review(&claim.company, &reason, ctx.clock.now_s()).await?;
    }
    Ok(())
}

/// An intent that we have neither a session nor a claim for. One with our marker may be ours, and its session not
/// written yet; one that was cancelled holds nothing, and a session that is written later is looked at by itself.
fn unknown(ctx: &Context, event: &EventRecord) -> Ending {
    if !event.marker.as_deref().is_some_and(|marker| ctx.is_ours(marker)) {
        telemetry::count(Count::EventsForeign);
        return Ending::Finished;
    }
    if event.kind == topic::CANCELLED { Ending::Finished } else { Ending::Doubted(Doubt::UnknownPayment) }
}

/// Takes the payment as far as it can be taken now.
async fn advance<'a>(
    ctx: &Context,
    session: Option<&'a Session>,
    claim: Option<Claim>,
    intent: Intent,
    deadline: Deadline,
) -> Result<Stand<'a>, Error> {
    let Some(claim) = claim else {
        let Some(session) = session else { return Ok(Stand::Void) };
        return unclaimed(ctx, session, intent, deadline).await;
    };
    match (&claim.decision, session) {
        (Decision::Order(id), _) => {
            let order = ctx.store.load_named_order(id).await?;
            let id = order.id.clone();
            // A person has ended it by what was received: what goes back of that is posted, whatever became of the places.
            if order.state != OrderState::Pending && order.resolved.is_some() {
                return Ok(if order.credit.is_some() { Stand::Posted(id) } else { Stand::Void });
            }
            Ok(stand(settle(ctx, order, Some(intent.into()), deadline).await.outcome, id))
        }
        (Decision::Rejected { state: Rejection::Open, refusal }, Some(session)) => {
            let order = order_of_intent(&session.account, &session.intent);
            Ok(stand(release_rejected(ctx, session, refusal.clone(), deadline).await, order))
        }
        (Decision::Rejected { state: Rejection::Captured, .. }, Some(session)) => Ok(Stand::Unallocated(session)),
        (Decision::Rejected { state: Rejection::Captured, .. }, None) => {
            Err(Error::internal("a payment was credited without its session"))
        }
        (Decision::Rejected { state: Rejection::Open | Rejection::Released | Rejection::GivenBack, .. }, _) => {
            Ok(Stand::Void)
        }
    }
}

/// A payer who has authorised a link and closed the tab has paid. A basket waits for its payer's own call first.
async fn unclaimed(
    ctx: &Context,
    session: &Session,
    intent: Intent,
    deadline: Deadline,
) -> Result<Stand<'static>, Error> {
    match session.kind {
        SessionKind::Link { .. } => {
            let order = order_of_intent(&session.account, &session.intent);
            let outcome = link::pay::settle_session(ctx, session, intent, deadline).await?;
            Ok(outcome.map_or(Stand::Void, |outcome| stand(outcome, order)))
        }
        SessionKind::Basket { .. } | SessionKind::Amount if intent.amount_received.is_zero() => Ok(Stand::Void),
        SessionKind::Basket { .. } | SessionKind::Amount => Ok(Stand::Underway),
    }
}

fn stand(outcome: Outcome, order: OrderId) -> Stand<'static> {
    match outcome {
        Outcome::Completed(_) => Stand::Posted(order),
        Outcome::Refused(refusal) if refusal.payment_released => Stand::Void,
        // Refused, and not given back: somebody has captured it meanwhile, and the next look finds its credit.
        Outcome::Refused(_) | Outcome::Pending(_) => Stand::Underway,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_nothing_bears_out_has_three_looks() {
        let looks: Vec<_> =
            std::iter::successors(next_doubted(1000, 1000), |now_s| next_doubted(1000, *now_s)).collect();
        assert_eq!(looks, [1120, 4600, 87_400]);
    }

    #[test]
    fn a_refused_payment_is_void_only_if_it_was_given_back() {
        let order = OrderId::from_bits(1);
        let refused = |refusal| stand(Outcome::Refused(refusal), order.clone());
        assert!(matches!(refused(Error::from(ErrorCode::ClassFull).released()), Stand::Void));
        assert!(matches!(refused(ErrorCode::PaymentAlreadyCaptured.into()), Stand::Underway));
        assert!(matches!(stand(Outcome::Pending(order.clone()), order.clone()), Stand::Underway));
        assert!(matches!(stand(Outcome::Completed(Vec::new()), order.clone()), Stand::Posted(of) if of == order));
    }
}
