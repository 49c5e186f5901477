//! What our records say about a link's payment, without asking Stripe.
//!
//! This changes nothing: captures and cancels are left to the webhook and the settlement job.

use classpay_domain::order::{IntentStatus, OrderState, PaidBy, order_of_intent};
use classpay_service::context::Context;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::settlement::link::recorded_intent;
use classpay_service::settlement::{Outcome, posted};
use classpay_service::store::{Decision, LinkTarget, Session};
use classpay_service::stripe::Intent;

/// How far a decision has got, and the state of the intent that follows from it.
pub(crate) async fn follow(
    ctx: &Context,
    session: &Session,
    decision: &Decision,
) -> Result<(Outcome, Option<Intent>), Error> {
    let shown = |status| Some(recorded_intent(session, status));
    let (outcome, intent) = match decision {
        Decision::Order(id) => {
            let order = ctx.store.load_named_order(id).await?;
            let paid_by = order.snapshot.payment.as_ref().map(|payment| payment.paid_by);
            match (order.state, paid_by) {
                (OrderState::Completed, _) => {
                    (Outcome::Completed(posted(ctx, &order).await?), shown(IntentStatus::Succeeded))
                }
                (OrderState::Cancelled, _) => (Outcome::of_cancelled(&order), None),
                (OrderState::Pending, Some(PaidBy::BankDebit)) => {
                    (Outcome::Pending(order.id), shown(IntentStatus::Processing))
                }
                (OrderState::Pending, Some(PaidBy::Card) | None) => (Outcome::Pending(order.id), None),
            }
        }
        Decision::Rejected { refusal, state } => {
            (state.refusal(refusal).map_or_else(|| pending(session), Outcome::Refused), None)
        }
    };
    Ok((outcome, intent))
}

/// The answer for an unclaimed intent, from its last recorded status.
pub(crate) fn undecided(target: &LinkTarget, session: &Session) -> Result<Outcome, ErrorCode> {
    match target.intent_status {
        // It was authorised: the webhook and the settlement job settle it.
        Some(IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded) => {
            Ok(pending(session))
        }
        Some(IntentStatus::Canceled) => Err(ErrorCode::PaymentCancelled),
        Some(
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction,
        )
        | None => Err(ErrorCode::PaymentNotAuthorised),
    }
}

fn pending(session: &Session) -> Outcome {
    Outcome::Pending(order_of_intent(&session.account, &session.intent))
}
