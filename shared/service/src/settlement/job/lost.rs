//! Unfinished payments out of our reach: on an account that the studio has left or disconnected, or that Stripe refuses
//! to show or to release.
//!
//! Nothing is concluded about the money, because only that account shows whether it was taken. A person is notified,
//! and the job keeps visiting, because the studio may connect the account again.

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

/// Whether Stripe's answer means that we can't learn an intent's state: the account has no such intent, or is closed to
/// us, or Stripe permanently refuses to show it.
pub(super) fn is_out_of_reach(answer: &Result<Option<Intent>, StripeError>) -> bool {
    match answer {
        Ok(Some(_)) => false,
        Ok(None) => true,
        Err(error) => error.tells_nothing(),
    }
}

/// Puts an order of that age up for review if its intent is out of our reach, or isn't released.
pub(super) async fn report_order(ctx: &Context, order: &OrderRecord, age_s: i64, deadline: Deadline) {
    let (Some(payment), Ok(stripe)) = (&order.snapshot.payment, ctx.stripe()) else { return };
    let OrderPayment { account, intent, .. } = payment;
    let answer = stripe.within(deadline.for_stripe()).load_intent(account, intent).await;
    if payment.paid_by == PaidBy::BankDebit && !is_due_for_review(ctx, &key::order(&order.id), &answer).await {
        return;
    }
    if let Some(reason) = reason(&answer, &order.id, intent, account, age_s) {
        report(ctx, order, &reason).await;
    }
}

/// Whether Stripe's answer about a bank debit may be put up for review: a debit takes days, and may be out of our reach
/// for a moment.
async fn is_due_for_review(ctx: &Context, unfinished: &Key, answer: &Result<Option<Intent>, StripeError>) -> bool {
    let lost_s = lost_since_s(ctx, unfinished, answer).await;
    !is_out_of_reach(answer) || lost_s.is_some_and(|lost_s| is_for_long(ctx, lost_s))
}

/// Since when the intent of something unfinished is out of our reach by this answer, in seconds since 1970; `None`: it
/// isn't, or the table can't be read.
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

/// Whether something out of our reach since then, in seconds since 1970, is due for review.
pub(super) fn is_for_long(ctx: &Context, lost_s: i64) -> bool {
    ctx.clock.now_s().saturating_sub(lost_s) >= plan::LOST_S
}

/// Puts a rejection of that age up for review if its intent is out of our reach, or isn't released.
pub(super) async fn report_rejection(ctx: &Context, session: &Session, age_s: i64, deadline: Deadline) {
    let Session { account, intent, company, .. } = session;
    let Ok(stripe) = ctx.stripe() else { return };
    let answer = stripe.within(deadline.for_stripe()).load_intent(account, intent).await;
    let noted = ctx.store.noted_status(account, intent).await;
    if noted == Ok(Some(IntentStatus::Processing))
        && !is_due_for_review(ctx, &key::claim(account, intent), &answer).await
    {
        return;
    }
    let order = order_of_intent(account, intent);
    if let Some(reason) = reason(&answer, &order, intent, account, age_s) {
        note(ctx, company, &reason).await;
    }
}

/// Why something that is unfinished for more than a day needs review, if it does.
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

/// Checks the payment of an order that a person has ended without Stripe: releases what is still held, and compares
/// what Stripe has received with what the person stated. Once Stripe has answered, the order needs no more visits, or
/// it needs review.
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

/// Puts a session that has been out of our reach for a day up for review. Money known to be received stays measured
/// until a person has ended it. A hold or a debit under way doesn't, because we can't release it. If nothing is known
/// about the payment, usually because nobody paid, the account is reported once for all its sessions.
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
            // A link has already let go of it, and a person was notified.
            if ctx.store.review_reason(company, &let_go.record()).await?.is_none() {
                note(ctx, company, &ReviewReason::AccountLost(account, lost_s)).await;
            }
        }
    }
    Ok(())
}

/// Whether the review record is stored.
async fn note(ctx: &Context, company: &CompanyId, reason: &ReviewReason<'_>) -> bool {
    tracing::error!(record = reason.record(), reason = reason.name(), "intent out of reach");
    let noted = ctx.store.note_for_review(company, reason, ctx.clock.now_s()).await;
    noted.inspect_err(|error| tracing::error!(%error, "review record not written")).is_ok()
}
