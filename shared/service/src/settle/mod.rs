//! Drives an order to its end, and a rejected intent to its release. The request, and whoever finishes what a
//! request left, call what is here; nothing else captures or cancels.
//!
//! Read in this order: here (an order's steps), [`outcome`] (how far it got), [`release`] (what gives money back),
//! [`resolve`] (what a person decides).
//!
//! Invariant: nothing is concluded from a lost reply. Whatever isn't a clear answer is followed by asking Stripe what
//! the intent is now; and what can't be known in time is [`Outcome::Pending`], never a refusal.

mod outcome;
mod release;
pub mod resolve;

use classpay_domain::money::Money;
use classpay_domain::order::{IntentStatus, OrderState, PaidBy, Step, next_step};

pub use outcome::{Known, Outcome, Settled};
pub use release::release_rejected;
use release::{MAX_CANCELS, void};
pub(crate) use release::{can_be_cancelled, cancel};

use crate::aggregate::AggregateTransaction;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::snapshot::{OrderPayment, Snapshot};
use crate::store::{Commit, OrderRecord, ReviewReason, StoreError};
use crate::stripe::{Intent, Payments};
use crate::telemetry::{self, Count};

/// How many steps one call takes at most: capture, read, capture anew, read, post, with room for a rival.
const MAX_STEPS: usize = 10;
/// How many captures one call tries. After that the schedule goes on.
const MAX_CAPTURES: usize = 3;

/// Settles an order.
pub async fn settle(ctx: &Context, order: OrderRecord, known: Option<Known>, deadline: Deadline) -> Settled {
    let mut known = known;
    let outcome = drive(ctx, order, &mut known, deadline).await;
    let intent = match known {
        Some(Known::Read(intent)) => Some(intent),
        Some(Known::Held(_)) | None => None,
    };
    Settled { outcome, intent }
}

/// Takes the steps of an order; `known` is what the last of them was decided by.
async fn drive(ctx: &Context, mut order: OrderRecord, known: &mut Option<Known>, deadline: Deadline) -> Outcome {
    telemetry::about_order(&order.id);
    let (mut captures, mut voids) = (0, 0);
    for _ in 0..MAX_STEPS {
        match order.state {
            OrderState::Completed => match posted(ctx, &order).await {
                Ok(posted) => return Outcome::Completed(posted),
                Err(error) => {
                    tracing::warn!(order = order.id.as_str(), %error, "what was posted can't be read");
                    break;
                }
            },
            OrderState::Cancelled => return Outcome::of_cancelled(&order),
            OrderState::Pending => {}
        }
        let (Some(payment), Ok(stripe)) = (&order.snapshot.payment, ctx.stripe()) else { break };
        telemetry::about_intent(&payment.intent);
        if deadline.is_near() {
            break;
        }
        let stripe = stripe.within(deadline.for_stripe());
        let now = match known.take() {
            Some(known) => known,
            None => match stripe.load_intent(&payment.account, &payment.intent).await {
                Ok(Some(intent)) => Known::from(intent),
                Ok(None) => break,
                Err(error) => {
                    error.note_if_refused();
                    tracing::warn!(order = order.id.as_str(), %error, "stripe can't be asked about an order");
                    break;
                }
            },
        };
        let step = step(&order.snapshot, payment, &now);
        let (state, written) = match step {
            Step::Capture if captures == MAX_CAPTURES => break,
            Step::Capture => {
                if captures > 0 && !take_next_attempt(ctx, &mut order).await {
                    break;
                }
                captures += 1;
                *known = capture(&*stripe, &order).await.map(Known::from);
                continue;
            }
            Step::Void if voids == MAX_CANCELS => break,
            Step::Void => {
                voids += 1;
                *known = void(ctx, &*stripe, &order, payment, voids).await.map(Known::from);
                continue;
            }
            Step::Complete => (OrderState::Completed, ctx.store.post(&order).await),
            Step::Release => (OrderState::Cancelled, ctx.store.release(&order).await),
            Step::Wait => {
                *known = Some(now);
                break;
            }
            Step::Review => {
                let status = now.facts().status;
                let reason = match status {
                    IntentStatus::RequiresPaymentMethod
                    | IntentStatus::RequiresConfirmation
                    | IntentStatus::RequiresAction => ReviewReason::AuthorisationGone(&order.id, status),
                    IntentStatus::RequiresCapture
                    | IntentStatus::Processing
                    | IntentStatus::Succeeded
                    | IntentStatus::Canceled => ReviewReason::PaymentDiffers(&order.id, status),
                };
                report(ctx, &order, &reason).await;
                break;
            }
        };
        let status = now.facts().status;
        tracing::info!(order = order.id.as_str(), ?written, intent = status.as_str(), "settled a step");
        if written == Ok(Commit::Done) {
            let is_paid = state == OrderState::Completed;
            telemetry::count(if is_paid { Count::PaymentsCompleted } else { Count::PaymentsReleased });
            order.state = state;
            *known = Some(now);
            continue;
        }
        if written == Err(StoreError::Unwritable) {
            let reason = match state {
                OrderState::Completed => ReviewReason::OrderUnpostable(&order.id),
                OrderState::Cancelled | OrderState::Pending => ReviewReason::OrderUnreleasable(&order.id),
            };
            report(ctx, &order, &reason).await;
            break;
        }
        // Lost to a rival, or unknown: the record says what is.
        let Ok(Some(read)) = ctx.store.load_order(&order.id).await else { break };
        order = read;
    }
    Outcome::Pending(order.id)
}

/// What a completed order has posted: what it says, or, resolved by a person, the credit of what was received.
pub(crate) async fn posted(ctx: &Context, order: &OrderRecord) -> Result<Vec<AggregateTransaction>, StoreError> {
    let planned = order.snapshot.transactions();
    if order.resolved.is_none() {
        return Ok(planned);
    }
    let credit = ctx.store.load_resolved_credit(order).await?;
    Ok(planned.into_iter().filter(AggregateTransaction::is_debit).chain(credit).collect())
}

/// The next step of a PENDING order, as its intent is.
fn step(snapshot: &Snapshot, payment: &OrderPayment, known: &Known) -> Step {
    let facts = known.facts();
    // Money never meets money of another currency: nothing is captured or posted, a person decides.
    if known.currency() != snapshot.currency.code() {
        return if facts.status == IntentStatus::Canceled { Step::Release } else { Step::Review };
    }
    match next_step(payment.paid_by, Money::minor(payment.total), facts) {
        Step::Capture if is_too_late(snapshot, known) => Step::Void,
        step => step,
    }
}

/// Whether a payer whose bank debit failed has confirmed anew after the link's time was over: that is a new
/// authorisation, and it is judged as one.
fn is_too_late(snapshot: &Snapshot, known: &Known) -> bool {
    let again = snapshot.payment.as_ref().is_some_and(|payment| payment.paid_by == PaidBy::BankDebit);
    let expires_s = snapshot.link.as_ref().and_then(|link| link.expires_s);
    again && expires_s.zip(known.charged_s()).is_some_and(|(expires_s, authorised_s)| authorised_s > expires_s)
}

/// Gives up an order that could not be captured for too long: cancels, and settles what the intent is then.
pub async fn give_up(ctx: &Context, order: OrderRecord, deadline: Deadline) -> Outcome {
    let (Some(payment), Ok(stripe)) = (&order.snapshot.payment, ctx.stripe()) else {
        return Outcome::Pending(order.id);
    };
    let OrderPayment { account, intent, .. } = payment;
    let read = stripe.within(deadline.for_stripe()).load_intent(account, intent).await;
    // What Stripe refuses for good to tell may still be held, and be cancelled.
    let mut may_be_held = match &read {
        Ok(Some(intent)) => can_be_cancelled(intent.status),
        Ok(None) => false,
        Err(error) => error.refusal().is_some(),
    };
    let mut known = read.ok().flatten();
    for attempt in 1..=MAX_CANCELS {
        if !may_be_held || deadline.is_near() {
            break;
        }
        tracing::warn!(order = order.id.as_str(), attempt, "an order is given up");
        known = void(ctx, &*stripe.within(deadline.for_stripe()), &order, payment, attempt).await;
        may_be_held = known.as_ref().is_some_and(|intent| can_be_cancelled(intent.status));
    }
    match known {
        Some(known) if !can_be_cancelled(known.status) => {
            settle(ctx, order, Some(known.into()), deadline).await.outcome
        }
        // Captured now, it would be taken beside a cancel that may still land.
        Some(_) | None => Outcome::Pending(order.id),
    }
}

/// Captures exactly the order's total. `None`: whatever the answer was, it is no proof, and Stripe must be asked what the
/// intent is; even where it says that it captured nothing, a rival may have, or an earlier attempt.
async fn capture(stripe: &dyn Payments, order: &OrderRecord) -> Option<Intent> {
    let OrderPayment { account, intent, total, .. } = order.snapshot.payment.as_ref()?;
    let key = format!("cap:{}:{}", order.id, order.attempt);
    match stripe.capture_intent(account, intent, Money::minor(*total), &key).await {
        Ok(intent) if intent.status == IntentStatus::Succeeded => Some(intent),
        Ok(_) => None,
        Err(error) => {
            error.note_if_refused();
            error.note_if_forbidden();
            tracing::warn!(order = order.id.as_str(), %error, "a capture did not answer with success");
            None
        }
    }
}

/// Stores the number of the next attempt before it is used. False: somebody else is at it, or it can't be stored.
async fn take_next_attempt(ctx: &Context, order: &mut OrderRecord) -> bool {
    let stored = matches!(ctx.store.next_attempt(order).await, Ok(Commit::Done));
    if stored {
        order.attempt += 1;
    }
    stored
}

/// Puts an order before a person.
pub(crate) async fn report(ctx: &Context, order: &OrderRecord, reason: &ReviewReason<'_>) {
    tracing::error!(order = order.id.as_str(), reason = reason.name(), "an order needs a person");
    if let Err(error) = ctx.store.mark_for_review(order, reason, ctx.clock.now_s()).await {
        tracing::error!(order = order.id.as_str(), %error, "the review record was not written");
    }
}
