//! What gives money back: a rejected intent is released, a hold is cancelled.
//!
//! Invariant: a refusal says "released" only once Stripe has said `canceled`; a cancel that is not answered is followed by
//! asking what the intent is now.

use classpay_domain::id::{AccountId, IntentId, OrderId};
use classpay_domain::order::IntentStatus;

use super::outcome::Outcome;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::snapshot::OrderPayment;
use crate::store::{Commit, OrderRecord, Session};
use crate::stripe::{Intent, Payments, StripeError};
use crate::telemetry::{self, Count};
use crate::unallocated;

/// How many cancels one call tries, each under a key of its own, for a key replays even a stored 500.
pub(super) const MAX_CANCELS: usize = 3;

/// Releases the authorisation of an intent that was claimed as rejected, and only then gives the refusal.
pub async fn release_rejected(
    ctx: &Context,
    session: &Session,
    order: &OrderId,
    refusal: Error,
    deadline: Deadline,
) -> Outcome {
    telemetry::about_order(order);
    telemetry::about_intent(&session.intent);
    let Ok(stripe) = ctx.stripe() else { return Outcome::Pending(order.clone()) };
    for attempt in 1..=MAX_CANCELS {
        if deadline.is_near() {
            break;
        }
        let stripe = stripe.within(deadline.for_stripe());
        let key = cancel_key("rej", order, attempt, ctx.clock.now_s());
        let Ok(Some(intent)) = cancel(&*stripe, &session.account, &session.intent, &key).await else { break };
        match intent.status {
            IntentStatus::Canceled => {
                match ctx.store.finish_rejection(&session.account, &session.intent).await {
                    Ok(Commit::Done) => telemetry::count(Count::PaymentsRejected),
                    Ok(Commit::ConditionFailed | Commit::Contended | Commit::Unknown) => {}
                    // The money is free: the next look finds the intent canceled and notes it.
                    Err(error) => {
                        tracing::warn!(order = order.as_str(), %error, "a released payment was not noted as done");
                    }
                }
                return Outcome::Refused(refusal.released());
            }
            IntentStatus::Succeeded => {
                unallocated::credit(ctx, session, order, &intent).await;
                break;
            }
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::Processing
            | IntentStatus::RequiresCapture => {}
        }
    }
    Outcome::Pending(order.clone())
}

/// Whether Stripe cancels what is in this status.
pub(crate) fn can_be_cancelled(status: IntentStatus) -> bool {
    match status {
        IntentStatus::RequiresCapture
        | IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction => true,
        IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled => false,
    }
}

/// The key of a cancel. Only the first attempt's key is the same for every call: a key replays a stored 500 for a day, so later
/// attempts use keys of their own. A cancel sent twice is one cancel under any key.
fn cancel_key(why: &str, order: &OrderId, attempt: usize, now_s: i64) -> String {
    if attempt == 1 { format!("{why}:{order}") } else { format!("{why}:{order}:{attempt}:{now_s}") }
}

/// Cancels, or reads what the intent is if the answer is not a clear one. `None`: the account has no such intent.
///
/// # Errors
/// [`StripeError`] if Stripe doesn't say; or that it refuses for good to cancel what could be cancelled.
pub(crate) async fn cancel(
    stripe: &dyn Payments,
    account: &AccountId,
    intent: &IntentId,
    key: &str,
) -> Result<Option<Intent>, StripeError> {
    match stripe.cancel_intent(account, intent, key).await {
        Ok(intent) => Ok(Some(intent)),
        Err(StripeError::Unavailable) => Err(StripeError::Unavailable),
        Err(error) => {
            tracing::warn!(key, %error, "a cancel did not answer with success");
            if !error.is_missing() {
                error.note_if_refused();
            }
            let known = stripe.load_intent(account, intent).await?;
            let is_refused = error.tells_nothing() && !error.is_missing();
            match known {
                Some(known) if is_refused && can_be_cancelled(known.status) => {
                    error.note_if_forbidden();
                    Err(error)
                }
                known => Ok(known),
            }
        }
    }
}

/// Cancels what an order holds; what it is then, if Stripe says.
pub(super) async fn void(
    ctx: &Context,
    stripe: &dyn Payments,
    order: &OrderRecord,
    payment: &OrderPayment,
    attempt: usize,
) -> Option<Intent> {
    let key = cancel_key("void", &order.id, attempt, ctx.clock.now_s());
    cancel(stripe, &payment.account, &payment.intent, &key).await.ok().flatten()
}
