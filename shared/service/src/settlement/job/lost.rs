//! What is unfinished, and out of our reach: on an account that the studio has left or disconnected, or that Stripe refuses to
//! tell of or to release.
//!
//! Invariant: nothing is concluded about the money: whether it was taken is to be seen in that account only. A person is
//! told, and it is looked at again, for the studio may connect the account once more.

use classpay_domain::id::{AccountId, CompanyId, IntentId, OrderId};
use classpay_domain::order::{IntentStatus, PaidBy, order_of_intent};

use super::plan;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::settlement::drive::{can_be_cancelled, cancel, report};
use crate::snapshot::OrderPayment;
use crate::store::key::{self, Key};
use crate::store::{OrderRecord, ReviewReason, Session, StoreError};
use crate::stripe::{Intent, StripeError};

/// Whether nobody here can learn what an intent is, by what Stripe has answered: the account has no such intent, or is closed to
/// us, or Stripe refuses for good to tell.
pub(super) fn is_out_of_reach(answer: &Result<Option<Intent>, StripeError>) -> bool {
    match answer {
        Ok(Some(_)) => false,
        Ok(None) => true,
        Err(error) => error.tells_nothing(),
    }
}

/// Puts an order of that age before a person if its intent is out of our reach, or isn't released.
pub(super) async fn report_order(ctx: &Context, order: &OrderRecord, age_s: i64, deadline: Deadline) {
    let (Some(payment), Ok(stripe)) = (&order.snapshot.payment, ctx.stripe()) else { return };
    let OrderPayment { account, intent, .. } = payment;
    let answer = stripe.within(deadline.for_stripe()).load_intent(account, intent).await;
    if payment.paid_by == PaidBy::BankDebit && !is_to_be_told(ctx, &key::order(&order.id), &answer).await {
        return;
    }
    if let Some(reason) = reason(&answer, &order.id, intent, account, age_s) {
        report(ctx, order, &reason).await;
    }
}

/// Whether what Stripe has answered about a bank debit may be put before a person: that is on its way for days, and may be out of
/// our reach for a moment.
async fn is_to_be_told(ctx: &Context, unfinished: &Key, answer: &Result<Option<Intent>, StripeError>) -> bool {
    let lost_s = lost_since_s(ctx, unfinished, answer).await;
    !is_out_of_reach(answer) || lost_s.is_some_and(|lost_s| is_for_long(ctx, lost_s))
}

/// Since when the intent of something unfinished is out of our reach by this answer, in seconds since 1970; `None`: it isn't, or
/// the table can't be asked.
pub(super) async fn lost_since_s(
    ctx: &Context,
    unfinished: &Key,
    answer: &Result<Option<Intent>, StripeError>,
) -> Option<i64> {
    let noted = match answer {
        Ok(Some(_)) => ctx.store.note_found(unfinished).await.map(|_| None),
        _ if is_out_of_reach(answer) => ctx.store.note_lost(unfinished, ctx.clock.now_s()).await.map(Some),
        Ok(None) | Err(_) => Ok(None),
    };
    noted.unwrap_or_else(|error| {
        tracing::warn!(%error, "start of being out of reach not noted");
        None
    })
}

/// Whether what is out of our reach since then, in seconds since 1970, is to be put before a person.
pub(super) fn is_for_long(ctx: &Context, lost_s: i64) -> bool {
    ctx.clock.now_s().saturating_sub(lost_s) >= plan::LOST_S
}

/// Puts a rejection of that age before a person if its intent is out of our reach, or isn't released.
pub(super) async fn report_rejection(ctx: &Context, session: &Session, age_s: i64, deadline: Deadline) {
    let Session { account, intent, company, .. } = session;
    let Ok(stripe) = ctx.stripe() else { return };
    let answer = stripe.within(deadline.for_stripe()).load_intent(account, intent).await;
    let told = ctx.store.noted_status(account, intent).await;
    if told == Ok(Some(IntentStatus::Processing)) && !is_to_be_told(ctx, &key::claim(account, intent), &answer).await {
        return;
    }
    let order = order_of_intent(account, intent);
    if let Some(reason) = reason(&answer, &order, intent, account, age_s) {
        note(ctx, company, &reason).await;
    }
}

/// Why a person must look at what is unfinished for more than a day, if he must.
fn reason<'a>(
    answer: &Result<Option<Intent>, StripeError>,
    order: &'a OrderId,
    intent: &'a IntentId,
    account: &'a AccountId,
    age_s: i64,
) -> Option<ReviewReason<'a>> {
    if is_out_of_reach(answer) {
        return Some(ReviewReason::IntentLost(order, intent, account));
    }
    match answer {
        Ok(Some(known)) if can_be_cancelled(known.status) && age_s >= plan::NOT_RELEASED_S => {
            Some(ReviewReason::NotReleased(order, known.status))
        }
        Ok(_) | Err(_) => None,
    }
}

/// Looks at the payment of an order that a person has ended without Stripe: what is still held is released, and what Stripe has
/// received is compared with what the person said. Once Stripe has said it, the order needs nobody any more, or a person.
pub(super) async fn watch(ctx: &Context, order: &OrderRecord, deadline: Deadline) {
    let (Some(payment), Ok(stripe)) = (&order.snapshot.payment, ctx.stripe()) else { return };
    let OrderPayment { account, intent, .. } = payment;
    let stripe = stripe.within(deadline.for_stripe());
    let Ok(Some(mut known)) = stripe.load_intent(account, intent).await else { return };
    if can_be_cancelled(known.status) {
        let key = format!("watch:{}:{}", order.id, ctx.clock.now_s());
        let Ok(Some(now)) = cancel(&*stripe, account, intent, &key).await else { return };
        known = now;
    }
    match known.status {
        IntentStatus::Canceled | IntentStatus::Succeeded => {}
        IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture
        | IntentStatus::Processing => return,
    }
    if Some(known.amount_received) != order.resolved {
        let reason = ReviewReason::ResolutionDiffers(&order.id, known.amount_received);
        if !note(ctx, &order.snapshot.company, &reason).await {
            return;
        }
    }
    if let Err(error) = ctx.store.stop_watching(&order.id).await {
        tracing::warn!(order = order.id.as_str(), %error, "a resolved order is still watched");
    }
}

/// Puts a session that has been out of our reach for a day before a person. What is known to be received stays measured until
/// that person has ended it. What is held or on its way doesn't: nobody here can release it. Of what nobody has told about, which
/// is mostly what nobody has paid, the account is reported, once for all.
pub(super) async fn report_session(ctx: &Context, session: &Session, lost_s: i64) {
    let order = order_of_intent(&session.account, &session.intent);
    if let Err(error) = try_report_session(ctx, session, &order, lost_s).await {
        tracing::warn!(order = order.as_str(), %error, "session out of reach not reported");
    }
}

async fn try_report_session(ctx: &Context, session: &Session, order: &OrderId, lost_s: i64) -> Result<(), StoreError> {
    let Session { account, intent, company, .. } = session;
    let lost = ReviewReason::IntentLost(order, intent, account);
    let let_go = ReviewReason::IntentLetGo(order, intent, account);
    match ctx.store.noted_status(account, intent).await? {
        Some(IntentStatus::Succeeded) => {
            note(ctx, company, &lost).await;
        }
        Some(IntentStatus::RequiresCapture | IntentStatus::Processing) => {
            let is_left = ctx.store.load_account(company).await?.as_ref() != Some(account);
            if note(ctx, company, if is_left { &let_go } else { &lost }).await {
                ctx.store.let_session_go(session).await?;
            }
        }
        Some(IntentStatus::Canceled) => {
            ctx.store.close_cancelled(session).await?;
        }
        Some(
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction,
        )
        | None => {
            // A link has let go of it already, and a person was told.
            if ctx.store.review_reason(company, &let_go.record()).await?.is_none() {
                note(ctx, company, &ReviewReason::AccountLost(account, lost_s)).await;
            }
        }
    }
    Ok(())
}

/// Whether it is noted.
async fn note(ctx: &Context, company: &CompanyId, reason: &ReviewReason<'_>) -> bool {
    tracing::error!(record = reason.record(), reason = reason.name(), "intent out of reach");
    let noted = ctx.store.note_for_review(company, reason, ctx.clock.now_s()).await;
    noted.inspect_err(|error| tracing::error!(%error, "review record not written")).is_ok()
}
