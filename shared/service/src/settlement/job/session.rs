//! Abandoned sessions.
//!
//! Invariant: a basket is booked through the same checkout as its payer's own call. An intent is cancelled only after
//! its claim says that it is rejected, so that no concurrent call can book it.

use classpay_domain::basket::{Basket, BasketHash};
use classpay_domain::order::{IntentStatus, order_of_intent};

use super::plan::{self, SessionStep, session_step};
use super::{lost, word};
use crate::basket::{self, Plans};
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorCode};
use crate::settlement::checkout::{CheckoutRequest, checkout};
use crate::settlement::link::pay::settle_session;
use crate::settlement::release_rejected;
use crate::settlement::unallocated;
use crate::store::{Commit, Session, SessionKind, key};
use crate::stripe::Intent;
use crate::wire::ItemsBody;

/// Does what a session needs.
pub(super) async fn finish(ctx: &Context, session: &Session, age_s: i64, deadline: Deadline) {
    let Ok(stripe) = ctx.stripe() else { return };
    let answer = stripe.within(deadline.for_stripe()).load_intent(&session.account, &session.intent).await;
    let key = key::session(&session.account, &session.intent);
    match &answer {
        Ok(Some(intent)) => {
            if session.lost_s.is_some() {
                lost::lost_since_s(ctx, &key, &answer).await;
            }
            return act(ctx, session, intent.clone(), age_s, deadline).await;
        }
        Ok(None) => tracing::error!(intent = session.intent.as_str(), "stripe has no such intent"),
        // An intent that Stripe permanently refuses to show may be held: it is released unseen, even on an account that
        // the studio has left.
        Err(error) if error.refusal().is_some() && may_be_held_for_long(ctx, session, age_s).await => {
            error.note_if_refused();
            return void_unbooked(ctx, session, deadline).await;
        }
        Err(error) => {
            // A person is notified, once, about a session that is out of reach for a day.
            if !session.lost_s.is_some_and(|lost_s| lost::is_for_long(ctx, lost_s)) {
                error.note_if_refused();
            }
            tracing::warn!(intent = session.intent.as_str(), %error, "stripe can't be asked about a session");
        }
    }
    if let Some(lost_s) = lost::lost_since_s(ctx, &key, &answer).await
        && lost::is_for_long(ctx, lost_s)
    {
        lost::report_session(ctx, session, lost_s).await;
    }
}

/// Whether a card may have been held for a session for more than a day, as far as we know. A link waits longer than
/// that for its payer, and for days on a bank debit, so it counts only if an event reported a held card. What was
/// captured is no longer held.
async fn may_be_held_for_long(ctx: &Context, session: &Session, age_s: i64) -> bool {
    let (account, intent) = (&session.account, &session.intent);
    let held_since_s = match session.kind {
        SessionKind::Basket { .. } | SessionKind::Amount => {
            let noted = ctx.store.noted_status(account, intent).await;
            return age_s >= plan::LOST_S && noted.is_ok_and(|noted| noted != Some(IntentStatus::Succeeded));
        }
        SessionKind::Link { .. } => ctx.store.held_since_s(account, intent).await,
    };
    let held_for_s = |since_s: i64| ctx.clock.now_s().saturating_sub(since_s);
    held_since_s.is_ok_and(|since_s| since_s.is_some_and(|since_s| held_for_s(since_s) >= plan::LOST_S))
}

/// Does what a session needs, given its intent.
async fn act(ctx: &Context, session: &Session, intent: Intent, age_s: i64, deadline: Deadline) {
    let authorised_s = intent.charge.as_ref().map(|charge| charge.created_s);
    let held_for_s = authorised_s.map_or(0, |authorised_s| ctx.clock.now_s().saturating_sub(authorised_s));
    let step = session_step(&session.kind, intent.status, age_s, held_for_s);
    tracing::info!(intent = intent.id.as_str(), status = intent.status.as_str(), age_s, ?step, "visited a session");
    // Without a webhook, the hold or the received payment is not recorded yet, and both must be measured.
    if matches!(intent.status, IntentStatus::RequiresCapture | IntentStatus::Processing | IntentStatus::Succeeded)
        && let Err(error) = ctx.store.note_intent(session, &intent, ctx.clock.now_s()).await
    {
        tracing::warn!(intent = intent.id.as_str(), %error, "intent of a session not noted");
    }
    match step {
        SessionStep::Wait => {}
        SessionStep::Book => match &session.kind {
            SessionKind::Basket { items, .. } => book(ctx, session, items, deadline).await,
            SessionKind::Link { .. } => settle_link(ctx, session, intent, deadline).await,
            SessionKind::Amount => {}
        },
        SessionStep::Void => void_unbooked(ctx, session, deadline).await,
        SessionStep::Close => {
            if let Err(error) = ctx.store.close_cancelled(session).await {
                tracing::warn!(%error, "session not closed");
            }
        }
        SessionStep::Credit => {
            unallocated::credit(ctx, session, &intent).await;
        }
    }
}

/// Settles a link. A received payment that can't be posted because a document is unreadable needs review.
async fn settle_link(ctx: &Context, session: &Session, intent: Intent, deadline: Deadline) {
    match settle_session(ctx, session, intent.clone(), deadline).await {
        Ok(outcome) => {
            tracing::info!(outcome = outcome.as_ref().map(word), "settled a link for an absent payer");
        }
        Err(error) => {
            let cause = error.cause.as_deref();
            tracing::warn!(intent = intent.id.as_str(), %error, cause, "payment of a link not settled");
            if intent.status == IntentStatus::Succeeded && error.code == ErrorCode::Internal {
                unallocated::note_unpostable(ctx, session, &intent).await;
            }
        }
    }
}

/// Checks out the items that the session was made for. A refused basket is voided, whatever the reason: the payer isn't
/// there to correct it.
async fn book(ctx: &Context, session: &Session, items: &ItemsBody, deadline: Deadline) {
    let basket = match basket::parse(items, Plans::Required) {
        Ok(basket) => basket,
        Err(error) => {
            tracing::error!(intent = session.intent.as_str(), %error, "items of a session not readable");
            return;
        }
    };
    let hash = basket.hash(&session.company, &session.family);
    let request = CheckoutRequest {
        scope: session.scope(),
        basket,
        intent: Some(session.intent.clone()),
        quote_hash: None,
        idempotency: None,
    };
    match checkout(ctx, &request, deadline).await {
        Ok(answer) => tracing::info!(outcome = word(&answer.outcome), "checked out for an absent payer"),
        Err(refusal) if is_final(&refusal) => void(ctx, session, &hash, refusal, deadline).await,
        Err(error) => tracing::warn!(intent = session.intent.as_str(), %error, "session not booked"),
    }
}

/// Whether a refusal will be the same at the next visit. The others mean that the intent or its claim has changed, or
/// that something can't be reached: the next visit deals with that.
fn is_final(refusal: &Error) -> bool {
    let has_moved = matches!(
        refusal.code,
        ErrorCode::PaymentNotAuthorised
            | ErrorCode::PaymentProcessing
            | ErrorCode::PaymentCancelled
            | ErrorCode::PaymentAlreadyUsed
            | ErrorCode::PaymentAlreadyCaptured
    );
    refusal.is_refusal() && !has_moved
}

/// Voids a session without judging a basket.
pub(super) async fn void_unbooked(ctx: &Context, session: &Session, deadline: Deadline) {
    let no_basket = Basket::new(Vec::new(), Vec::new()).hash(&session.company, &session.family);
    void(ctx, session, &no_basket, ErrorCode::PaymentCancelled.into(), deadline).await;
}

/// Claims the intent as rejected, then cancels it.
async fn void(ctx: &Context, session: &Session, basket: &BasketHash, refusal: Error, deadline: Deadline) {
    let order = order_of_intent(&session.account, &session.intent);
    match ctx.store.reject(session, basket.as_str(), &refusal, ctx.clock.now_s()).await {
        Ok(Commit::Done) => {
            let outcome = release_rejected(ctx, session, refusal, deadline).await;
            tracing::info!(outcome = word(&outcome), "voided an abandoned payment");
        }
        // Another call has claimed it: if that was a rejection too, the money may still be held.
        Ok(Commit::ConditionFailed) => super::release(ctx, &session.account, &session.intent, 0, deadline).await,
        Ok(Commit::Contended | Commit::Unknown) => {}
        Err(error) => tracing::warn!(order = order.as_str(), %error, "session not rejected"),
    }
}
