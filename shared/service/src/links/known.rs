//! What can be said of a link's payment without asking Stripe: what our records say.
//!
//! Invariant: it moves nothing. What is still to be captured or cancelled is left to the webhook and the schedule.

use classpay_domain::order::{IntentStatus, OrderState, PaidBy, order_of_intent};

use super::road::Step;
use crate::context::Context;
use crate::error::{Error, ErrorCode};
use crate::settle::{Outcome, posted};
use crate::store::{Decision, LinkTarget, Session};
use crate::stripe::{Intent, Secret};

/// What a decision has come to so far, and the intent as it must be by that.
pub(super) async fn follow(
    ctx: &Context,
    session: &Session,
    decision: &Decision,
) -> Result<(Step, Option<Intent>), Error> {
    let shown = |status| Some(intent(session, status));
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
            (state.told(refusal).map_or_else(|| pending(session), Outcome::Refused), None)
        }
    };
    Ok((Step::Got(outcome.into()), intent))
}

/// What an intent that nobody has decided about comes to, by what Stripe's last event has said of it.
pub(super) fn undecided(target: &LinkTarget, session: &Session) -> Result<Step, ErrorCode> {
    match target.intent_status {
        // It was authorised: the webhook and the schedule take it.
        Some(IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded) => {
            Ok(Step::Got(pending(session).into()))
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

/// The intent as far as we know it: who pays it with what, and its charge, only Stripe knows.
pub(super) fn intent(session: &Session, status: IntentStatus) -> Intent {
    Intent {
        id: session.intent.clone(),
        client_secret: Secret::new(String::new()),
        amount: session.amount,
        amount_received: session.amount,
        currency: session.currency.code().to_owned(),
        status,
        payment_method: None,
        charge: None,
    }
}
