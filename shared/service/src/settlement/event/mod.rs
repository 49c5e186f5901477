//! Stripe's events: accepted if they are signed, kept until they are acted on.
//!
//! Read in this order: here (receive, act), [`topic`] (what an event says), [`reversals`] (refunds, disputes).
//!
//! Invariant: an event is a hint. Stripe's answer decides what is done, and our own session or claim, never metadata,
//! decides whose payment it is. 200 is answered only for a stored event.

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

/// Time reserved for recording that an event is done.
const RESERVE: Duration = Duration::from_secs(3);
const DAY_S: i64 = 24 * 60 * 60;
/// How long an event that can't be finished is retried, once a day after the first day.
const PUT_OFF_AT_MOST_S: i64 = 90 * DAY_S;
/// How long after an event reports a basket as paid the settlement job visits it. Until then the payer's own call has
/// precedence.
const PAID_VISIT_S: i64 = 5 * 60;

/// Whether everything that an event reports is done.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ending {
    Finished,
    Kept,
    Doubted(Doubt),
}

/// What an event reports that Stripe doesn't confirm yet, and may never.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Doubt {
    /// It has our marker, but we have neither a session nor a claim for its payment.
    UnknownPayment,
    /// It reports a dispute, but the charge of this company's payment isn't disputed.
    NotDisputed(CompanyId),
}

/// How far the payment of an intent has got.
#[derive(Debug)]
enum Progress<'a> {
    /// It belongs to this order, and is posted.
    Posted(OrderId),
    /// This session's intent was captured without an order, and credited; a person was notified.
    Unallocated(&'a Session),
    /// It is void.
    Void,
    /// It is not finished.
    Underway,
}

/// Verifies an event, stores it and acts on it. What can't be done now is left to the settlement job.
///
/// # Errors
/// `bad_signature`; `malformed_json` and `wrong_type` if the body is no event; `unavailable` if it can't be stored.
pub async fn receive(ctx: &Context, header: Option<&str>, body: &[u8], deadline: Deadline) -> Result<(), Error> {
    let now_s = ctx.clock.now_s();
    let is_signed = |secrets: &[Secret]| signature::verify(header, body, secrets, now_s);
    if let Err(why) = ctx.signing_secrets().check(is_signed).await {
        tracing::warn!(%why, "webhook signature invalid");
        return Err(ErrorCode::BadSignature.into());
    }
    take_in(ctx, &topic::parse(body, now_s)?, deadline.keeping(RESERVE)).await
}

/// Stores an event that is known to be Stripe's, and acts on it unless it is already finished.
///
/// # Errors
/// `unavailable` if it can't be stored.
pub async fn take_in(ctx: &Context, event: &EventRecord, deadline: Deadline) -> Result<(), Error> {
    match ctx.store.put_event(event, Topic::of(&event.kind) != Topic::Other).await? {
        Put::Finished => tracing::info!(event = event.id.as_str(), kind = event.kind, "event was finished before"),
        Put::Unfinished => drop(finish(ctx, event, deadline).await),
    }
    Ok(())
}

/// Acts on an event, and records that it is done. The table says how far it got. Returns when to visit it next, in
/// seconds since 1970, if nothing confirms the event yet.
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

/// The ages at which an unconfirmed event is visited. After the last it is given up.
const DOUBTED_VISITS_S: [i64; 3] = [2 * 60, 60 * 60, 24 * 60 * 60];

/// When to visit an unconfirmed event next, given when it was received; `None`: its time is over.
fn next_doubted(received_s: i64, now_s: i64) -> Option<i64> {
    let visits = DOUBTED_VISITS_S.iter().map(|age_s| received_s.saturating_add(*age_s));
    visits.into_iter().find(|visit_s| *visit_s > now_s)
}

/// Ends an event that was not confirmed in time. An event that may concern a family's money is put up for review.
async fn give_up(ctx: &Context, event: &EventRecord, doubt: &Doubt) -> Result<Commit, StoreError> {
    let intent = event.intent.as_ref().map_or("none", |intent| intent.as_str());
    if let Doubt::NotDisputed(company) = doubt {
        let (dispute, reported_by) = (event.object.id.as_str(), event.kind.as_str());
        let reason = ReviewReason::DisputeNotShown { dispute, intent, reported_by };
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

/// When to visit an event again that is unfinished for so many seconds and that retrying won't finish: Stripe refuses
/// to show its intent, or the table to store the result. `None`: never.
///
/// The settlement job visits a payment without its event. A refund or dispute is put up for review, and posted once
/// that is possible.
async fn put_off(ctx: &Context, event: &EventRecord, for_s: i64) -> Result<Option<i64>, StoreError> {
    let (Topic::Refund | Topic::Dispute, Some(intent)) = (Topic::of(&event.kind), &event.intent) else {
        return Ok(None);
    };
    let (session, claim) = ctx.store.load_payment(&event.account, intent).await?;
    // A released authorisation shows as a refund, although nothing was paid.
    let is_released = |claim: &Claim| matches!(claim.decision, Decision::Rejected { state: Rejection::Released, .. });
    if claim.as_ref().is_some_and(is_released) {
        return Ok(None);
    }
    let company = claim.map(|claim| claim.company).or(session.map(|session| session.company));
    let Some(company) = company else { return Ok(None) };
    let reason = ReviewReason::ReversalUnposted { intent, reported_by: &event.kind, reported_s: event.received_s };
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
                && let Some(reported) = topic::reported(&event.kind)
            {
                ctx.store.note_reported(session, reported, event.created_s).await?;
            }
            return Err(error.into());
        }
    };
    if let (Some(session), None) = (&session, &claim) {
        ctx.store.note_intent(session, &intent, ctx.clock.now_s()).await?;
        visit_soon(ctx, session, intent.status).await?;
    }
    if let Some(claim) = &claim {
        note_unposted(ctx, claim, event, topic).await?;
    }
    let progress = advance(ctx, session.as_ref(), claim, intent, deadline).await?;
    if topic == Topic::Payment {
        // A payment under way has its own entry in the index: session, order or claim.
        return Ok(Ending::Finished);
    }
    match progress {
        Progress::Void => Ok(Ending::Finished),
        // A reversal is posted after the payment's credit.
        Progress::Underway => Ok(Ending::Kept),
        Progress::Posted(order) => reversals::post(ctx, event, topic, CreditedPayment::Order(&order), deadline).await,
        Progress::Unallocated(session) => {
            let credit = unallocated::credit_id(session);
            let payment = CreditedPayment::Unallocated { session, credit: &credit };
            reversals::post(ctx, event, topic, payment, deadline).await
        }
    }
}

/// Brings forward the visit of a session that is paid late, because visits grow rare with age. A link is settled by its
/// event, and a held amount without a basket waits for its checkout.
async fn visit_soon(ctx: &Context, session: &Session, status: IntentStatus) -> Result<(), StoreError> {
    let is_due = match (&session.kind, status) {
        (SessionKind::Basket { .. }, IntentStatus::RequiresCapture | IntentStatus::Succeeded)
        | (SessionKind::Amount, IntentStatus::Succeeded) => true,
        (SessionKind::Basket { .. } | SessionKind::Amount | SessionKind::Link { .. }, _) => false,
    };
    let now_s = ctx.clock.now_s();
    if !is_due || now_s.saturating_sub(session.created_s) <= PAID_VISIT_S {
        return Ok(());
    }
    match ctx.store.visit_sooner(session, now_s, now_s.saturating_add(PAID_VISIT_S)).await? {
        Commit::Done | Commit::ConditionFailed => Ok(()),
        Commit::Contended | Commit::Unknown => Err(StoreError::Unavailable),
    }
}

/// Puts up for review a failed refund or a dispute of a payment that isn't in the ledger and was closed as given back
/// or dealt with elsewhere.
async fn note_unposted(ctx: &Context, claim: &Claim, event: &EventRecord, topic: Topic) -> Result<(), Error> {
    let Some(intent) = &event.intent else { return Ok(()) };
    let EventObject { id, status, .. } = &event.object;
    let reason = match topic {
        Topic::Refund if refund_status(status) == ReversalStatus::Undone => {
            ReviewReason::RefundFailed { refund: id, intent }
        }
        Topic::Dispute if dispute_status(&event.kind, status) == ReversalStatus::Returned => {
            ReviewReason::DisputeNotShown { dispute: id, intent: intent.as_str(), reported_by: &event.kind }
        }
        Topic::Refund | Topic::Dispute | Topic::Payment | Topic::Other => return Ok(()),
    };
    let is_ended = match &claim.decision {
        Decision::Rejected { .. } => claim.is_given_back(),
        // A person has ended it and stated that nothing was received.
        Decision::Order(order) => ctx.store.load_order(order).await?.is_some_and(|order| {
            order.state != OrderState::Pending && order.resolved.is_some() && order.credit.is_none()
        }),
    };
    if is_ended {
        ctx.store.note_for_review(&claim.company, &reason, ctx.clock.now_s()).await?;
    }
    Ok(())
}

/// Handles an intent that has neither a session nor a claim. One with our marker may be ours with its session not yet
/// written. A cancelled one holds nothing, and the settlement job visits a session that is written later.
fn unknown(ctx: &Context, event: &EventRecord) -> Ending {
    if !event.marker.as_deref().is_some_and(|marker| ctx.is_ours(marker)) {
        telemetry::count(Count::EventsForeign);
        return Ending::Finished;
    }
    if event.kind == topic::CANCELLED { Ending::Finished } else { Ending::Doubted(Doubt::UnknownPayment) }
}

/// Settles the payment as far as possible now.
async fn advance<'a>(
    ctx: &Context,
    session: Option<&'a Session>,
    claim: Option<Claim>,
    intent: Intent,
    deadline: Deadline,
) -> Result<Progress<'a>, Error> {
    let Some(claim) = claim else {
        let Some(session) = session else { return Ok(Progress::Void) };
        return unclaimed(ctx, session, intent, deadline).await;
    };
    match (&claim.decision, session) {
        (Decision::Order(id), _) => {
            let order = ctx.store.load_named_order(id).await?;
            let id = order.id.clone();
            // A person has ended it by what was received: reversals of that amount are posted, whether or not the
            // places were kept.
            if order.state != OrderState::Pending && order.resolved.is_some() {
                return Ok(if order.credit.is_some() { Progress::Posted(id) } else { Progress::Void });
            }
            Ok(progress(settle(ctx, order, Some(intent.into()), deadline).await.outcome, id))
        }
        (Decision::Rejected { state: Rejection::Open, refusal }, Some(session)) => {
            let order = order_of_intent(&session.account, &session.intent);
            Ok(progress(release_rejected(ctx, session, refusal.clone(), deadline).await, order))
        }
        (Decision::Rejected { state: Rejection::Captured, .. }, Some(session)) => Ok(Progress::Unallocated(session)),
        (Decision::Rejected { state: Rejection::Captured, .. }, None) => {
            Err(Error::internal("a payment was credited without its session"))
        }
        (Decision::Rejected { state: Rejection::Open | Rejection::Released | Rejection::GivenBack, .. }, _) => {
            Ok(Progress::Void)
        }
    }
}

/// A payer who has authorised a link and closed the tab has paid. A basket waits for the payer's own call first.
async fn unclaimed(
    ctx: &Context,
    session: &Session,
    intent: Intent,
    deadline: Deadline,
) -> Result<Progress<'static>, Error> {
    match session.kind {
        SessionKind::Link { .. } => {
            let order = order_of_intent(&session.account, &session.intent);
            let outcome = link::pay::settle_session(ctx, session, intent, deadline).await?;
            Ok(outcome.map_or(Progress::Void, |outcome| progress(outcome, order)))
        }
        SessionKind::Basket { .. } | SessionKind::Amount if intent.amount_received.is_zero() => Ok(Progress::Void),
        SessionKind::Basket { .. } | SessionKind::Amount => Ok(Progress::Underway),
    }
}

fn progress(outcome: Outcome, order: OrderId) -> Progress<'static> {
    match outcome {
        Outcome::Completed(_) => Progress::Posted(order),
        Outcome::Refused(refusal) if refusal.payment_released => Progress::Void,
        // Refused but not released: someone has captured it meanwhile, and the next visit finds its credit.
        Outcome::Refused(_) | Outcome::Pending(_) => Progress::Underway,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_nothing_confirms_has_three_visits() {
        let visits: Vec<_> =
            std::iter::successors(next_doubted(1000, 1000), |now_s| next_doubted(1000, *now_s)).collect();
        assert_eq!(visits, [1120, 4600, 87_400]);
    }

    #[test]
    fn a_refused_payment_is_void_only_if_it_was_given_back() {
        let order = OrderId::from_bits(1);
        let refused = |refusal| progress(Outcome::Refused(refusal), order.clone());
        assert!(matches!(refused(Error::from(ErrorCode::ClassFull).released()), Progress::Void));
        assert!(matches!(refused(ErrorCode::PaymentAlreadyCaptured.into()), Progress::Underway));
        assert!(matches!(progress(Outcome::Pending(order.clone()), order.clone()), Progress::Underway));
        assert!(matches!(progress(Outcome::Completed(Vec::new()), order.clone()), Progress::Posted(of) if of == order));
    }
}
