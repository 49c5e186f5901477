//! Revoke and expiry: a link that is not to be paid any more.
//!
//! Invariant: the live intent is cancelled first, and the link is changed only on the condition that it is still the
//! live one. What the payer has paid is never taken back by this.

use classpay_domain::id::AccountId;
use classpay_domain::link::LinkState;
use classpay_domain::order::IntentStatus;

use super::{MAX_ROUNDS, account, is_used_up};
use crate::context::{Context, Deadline};
use crate::http::{ApiError, ErrorCode};
use crate::machine::Machine;
use crate::settle::cancel;
use crate::store::{Link, Written};
use crate::stripe::Payments;

/// Whether the link's time is over.
pub(super) fn is_over<M: Machine>(ctx: &Context<M>, link: &Link) -> bool {
    link.expires_s.is_some_and(|expires_s| expires_s <= ctx.clock.now_s())
}

/// Ends a link whose time is over. Whoever was faster has changed it: look again.
pub(super) async fn expire<M: Machine>(
    ctx: &Context<M>,
    stripe: &M::Stripe,
    account: &AccountId,
    link: &Link,
) -> Result<(), ApiError> {
    if cancel_live(ctx, stripe, account, link).await? == IntentStatus::Canceled {
        ctx.store.close_link(link, LinkState::Expired).await?;
    }
    Ok(())
}

/// Cancels the live intent, and says what it is now. One that was rejected is over, even if its bank debit has
/// arrived since: that money is the family's credit, and not this link's. So is one that has paid a part.
pub(super) async fn cancel_live<M: Machine>(
    ctx: &Context<M>,
    stripe: &M::Stripe,
    account: &AccountId,
    link: &Link,
) -> Result<IntentStatus, ApiError> {
    let Some(intent) = &link.intent else { return Ok(IntentStatus::Canceled) };
    if let Some(claim) = ctx.store.load_claim(account, intent).await?
        && is_used_up(ctx, &claim.decision).await?
    {
        return Ok(IntentStatus::Canceled);
    }
    let mut status = None;
    // A key replays even a stored 500 for a day: the second one is new each time.
    for key in [format!("close:{intent}"), format!("close:{intent}:{}", ctx.mint.bare())] {
        let known = cancel(stripe, account, intent, &key).await.ok_or(ErrorCode::Unavailable)?;
        status = Some(known.status);
        if matches!(known.status, IntentStatus::Canceled | IntentStatus::Processing | IntentStatus::Succeeded) {
            break;
        }
    }
    status.ok_or(ErrorCode::Unavailable.into())
}

/// Revokes a link. One that is revoked or expired already stays as it is.
///
/// # Errors
/// `payment_in_progress` once somebody has paid or is paying.
pub async fn revoke<M: Machine>(ctx: &Context<M>, mut link: Link, deadline: Deadline) -> Result<(), ApiError> {
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
            match cancel_live(ctx, &stripe, &account, &link).await? {
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
                link = ctx.store.load_link(&link.id.alias()).await?.ok_or_else(ApiError::not_found)?;
            }
        }
    }
    Err(ErrorCode::Unavailable.into())
}
