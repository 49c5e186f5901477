//! Revoke and expiry: a link that is not to be paid any more.
//!
//! Invariant: the live intent is cancelled first, and the link is changed only on the condition that it is still the
//! live one. What the payer has paid is never taken back by this.

use classpay_domain::id::AccountId;
use classpay_domain::link::LinkState;
use classpay_domain::order::IntentStatus;

use super::{MAX_ROUNDS, account};
use crate::context::{Context, Deadline};
use crate::http::{ApiError, ErrorCode};
use crate::store::{Link, Written};
use crate::stripe::{Stripe, StripeError};

/// Whether the link's time is over.
pub(super) fn is_over(ctx: &Context, link: &Link) -> bool {
    link.expires_s.is_some_and(|expires_s| expires_s <= ctx.clock.now_s())
}

/// Ends a link whose time is over. Whoever was faster has changed it: look again.
pub(super) async fn expire(ctx: &Context, stripe: &Stripe, account: &AccountId, link: &Link) -> Result<(), ApiError> {
    if link.intent.is_some() && cancel_live(stripe, account, link).await? != IntentStatus::Canceled {
        return Ok(());
    }
    ctx.store.close_link(link, LinkState::Expired).await?;
    Ok(())
}

/// Cancels the live intent, and says what it is now.
pub(super) async fn cancel_live(stripe: &Stripe, account: &AccountId, link: &Link) -> Result<IntentStatus, ApiError> {
    let Some(intent) = &link.intent else { return Ok(IntentStatus::Canceled) };
    match stripe.cancel_intent(account, intent, &format!("close:{intent}")).await {
        Ok(cancelled) => Ok(cancelled.status),
        Err(StripeError::Misconfigured(why)) => Err(StripeError::Misconfigured(why).into()),
        Err(_) => {
            let read = stripe.load_intent(account, intent).await?;
            read.map(|intent| intent.status).ok_or(ErrorCode::Unavailable.into())
        }
    }
}

/// Revokes a link. One that is revoked or expired already stays as it is.
///
/// # Errors
/// `payment_in_progress` once somebody has paid or is paying.
pub async fn revoke(ctx: &Context, mut link: Link, deadline: Deadline) -> Result<(), ApiError> {
    let account = account(ctx, &link).await?;
    for _ in 0..MAX_ROUNDS {
        match link.state {
            LinkState::Revoked | LinkState::Expired => return Ok(()),
            LinkState::Processing | LinkState::Paid | LinkState::Refunded => {
                return Err(ErrorCode::PaymentInProgress.into());
            }
            LinkState::Open => {}
        }
        if link.intent.is_some() {
            let stripe = ctx.stripe()?.within(deadline.left());
            match cancel_live(&stripe, &account, &link).await? {
                IntentStatus::Canceled => {}
                IntentStatus::Processing | IntentStatus::Succeeded => return Err(ErrorCode::PaymentInProgress.into()),
                IntentStatus::RequiresPaymentMethod
                | IntentStatus::RequiresConfirmation
                | IntentStatus::RequiresAction
                | IntentStatus::RequiresCapture => return Err(ErrorCode::Unavailable.into()),
            }
        }
        match ctx.store.close_link(&link, LinkState::Revoked).await? {
            Written::Done => return Ok(()),
            Written::Lost | Written::Busy | Written::Unknown => {
                link = ctx.store.load_link(&link.id).await?.ok_or_else(ApiError::not_found)?;
            }
        }
    }
    Err(ErrorCode::Unavailable.into())
}
