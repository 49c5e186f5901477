//! What is unfinished on an account that is out of our reach.
//!
//! Invariant: nothing is concluded about the money: whether it was taken is to be seen in that account only. A person is
//! told, and it is looked at again, for the studio may connect the account once more.

use classpay_domain::id::{AccountId, CompanyId};
use classpay_domain::order::{IntentStatus, order_of_intent};

use crate::context::{Context, Deadline};
use crate::machine::Machine;
use crate::settle::report;
use crate::snapshot::OrderPayment;
use crate::store::{OrderRecord, ReviewReason, Session};
use crate::stripe::{Intent, Payments as _, StripeError};

/// Whether nobody here can learn what an intent is, by what Stripe has answered: the account has no such intent, or refuses
/// us for good and the company has left it.
async fn is_out_of_reach<M: Machine>(
    ctx: &Context<M>,
    company: &CompanyId,
    account: &AccountId,
    answer: &Result<Option<Intent>, StripeError>,
) -> bool {
    match answer {
        Ok(Some(_)) => false,
        Ok(None) => true,
        Err(error) => error.is_of_a_lost_account() && has_left(ctx, company, account).await,
    }
}

/// Whether an intent is on an account that the company has left, and that doesn't say what it is.
pub(super) async fn is_left_behind<M: Machine>(
    ctx: &Context<M>,
    company: &CompanyId,
    account: &AccountId,
    answer: &Result<Option<Intent>, StripeError>,
) -> bool {
    is_out_of_reach(ctx, company, account, answer).await && has_left(ctx, company, account).await
}

async fn has_left<M: Machine>(ctx: &Context<M>, company: &CompanyId, account: &AccountId) -> bool {
    ctx.store.load_account(company).await.is_ok_and(|named| named.as_ref() != Some(account))
}

/// Puts an old order before a person if its intent is out of our reach.
pub(super) async fn report_order<M: Machine>(ctx: &Context<M>, order: &OrderRecord, deadline: Deadline) {
    let (Some(payment), Ok(stripe)) = (&order.snapshot.payment, ctx.stripe()) else { return };
    let OrderPayment { account, intent, .. } = payment;
    let answer = stripe.within(deadline.for_stripe()).load_intent(account, intent).await;
    if is_out_of_reach(ctx, &order.snapshot.company, account, &answer).await {
        report(ctx, order, &ReviewReason::IntentLost(&order.id, intent, account)).await;
    }
}

/// Puts an old rejection before a person if its intent is out of our reach.
pub(super) async fn report_rejection<M: Machine>(ctx: &Context<M>, session: &Session, deadline: Deadline) {
    let Session { account, intent, company, .. } = session;
    let Ok(stripe) = ctx.stripe() else { return };
    let answer = stripe.within(deadline.for_stripe()).load_intent(account, intent).await;
    if is_out_of_reach(ctx, company, account, &answer).await {
        let order = order_of_intent(account, intent);
        note(ctx, company, &ReviewReason::IntentLost(&order, intent, account)).await;
    }
}

/// Takes a session whose intent has been left behind for a day out of what is measured: nobody here can release what may be
/// held for it. A person is told if its payer is known to have authorised it.
pub(super) async fn let_go<M: Machine>(ctx: &Context<M>, session: &Session) {
    let Session { account, intent, company, .. } = session;
    let order = order_of_intent(account, intent);
    let told = match ctx.store.noted_status(account, intent).await {
        Ok(told) => told,
        Err(error) => {
            tracing::warn!(order = order.as_str(), %error, "a session can't be read");
            return;
        }
    };
    let may_be_paid = match told {
        Some(IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded) => true,
        Some(
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::Canceled,
        )
        | None => false,
    };
    if may_be_paid && !note(ctx, company, &ReviewReason::IntentLetGo(&order, intent, account)).await {
        return;
    }
    if let Err(error) = ctx.store.let_session_go(session).await {
        tracing::warn!(order = order.as_str(), %error, "a session was not let go");
    }
}

/// Whether it is noted.
async fn note<M: Machine>(ctx: &Context<M>, company: &CompanyId, reason: &ReviewReason<'_>) -> bool {
    tracing::error!(record = reason.record(), reason = reason.name(), "an intent is out of reach");
    let noted = ctx.store.note_for_review(company, reason, ctx.clock.now_s()).await;
    noted.inspect_err(|error| tracing::error!(%error, "the review record was not written")).is_ok()
}
