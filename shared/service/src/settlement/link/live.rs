//! The one live intent of a link, and how it ends when the link must no longer be paid.
//!
//! Invariant: the live intent is cancelled first, and the link changes only on the condition that it is still the live
//! one. This never takes back what the payer has paid.

use classpay_domain::id::AccountId;
use classpay_domain::link::LinkState;
use classpay_domain::order::{IntentStatus, order_of_intent};

use super::is_used_up;
use crate::context::Context;
use crate::error::Error;
use crate::settlement::cancel;
use crate::store::{Link, ReviewReason};
use crate::stripe::{Payments, StripeError};

/// Whether the link has expired.
#[must_use]
pub fn is_over(ctx: &Context, link: &Link) -> bool {
    link.expires_s.is_some_and(|expires_s| expires_s <= ctx.clock.now_s())
}

/// The state of a link's live intent after the attempt to cancel it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    /// There is none, or it is void.
    Ended,
    /// It was paid, or is being paid.
    Underway,
    /// It could not be cancelled.
    Held,
    /// It was out of our reach and no longer belongs to the link. Read the link again.
    LetGo,
}

/// Ends an expired link. If another call was faster, the link has changed: read it again.
pub async fn expire(ctx: &Context, stripe: &dyn Payments, account: &AccountId, link: &Link) -> Result<(), Error> {
    match cancel_live(ctx, stripe, account, link).await? {
        Live::Ended => ctx.store.close_link(link, LinkState::Expired).await?,
        Live::LetGo => {
            let link = Link { intent: None, account: None, ..link.clone() };
            ctx.store.close_link(&link, LinkState::Expired).await?
        }
        Live::Underway | Live::Held => return Ok(()),
    };
    Ok(())
}

/// Cancels the live intent, and answers its state. A rejected intent is over, even if its bank debit has arrived since:
/// that money is the family's credit and doesn't pay this link. So is an intent that has paid a part.
///
/// # Errors
/// [`Error`] if Stripe doesn't report its state.
pub async fn cancel_live(
    ctx: &Context,
    stripe: &dyn Payments,
    account: &AccountId,
    link: &Link,
) -> Result<Live, Error> {
    let Some(intent) = &link.intent else { return Ok(Live::Ended) };
    let claim = ctx.store.load_claim(account, intent).await?;
    if is_used_up(ctx, claim.as_ref()).await? {
        return Ok(Live::Ended);
    }
    // A key replays even a stored 500 for a day, so the second key is new each time.
    for key in [format!("close:{intent}"), format!("close:{intent}:{}", ctx.ids.bare())] {
        let known =
            cancel(stripe, account, intent, &key).await.and_then(|known| known.ok_or_else(StripeError::missing));
        let status = match known {
            Ok(known) => known.status,
            Err(error) if let_go_if_out_of_reach(ctx, account, link, &error).await? => return Ok(Live::LetGo),
            Err(error) => return Err(error.into()),
        };
        match status {
            IntentStatus::Canceled => return Ok(Live::Ended),
            IntentStatus::Processing | IntentStatus::Succeeded => return Ok(Live::Underway),
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::RequiresCapture => {}
        }
    }
    Ok(Live::Held)
}

/// Lets go of the live intent of an open link if Stripe doesn't know it, or permanently refuses us on an account that
/// the company no longer names: nobody can cancel it there, and the link must not wait for that. The intent is put up
/// for review.
pub async fn let_go_if_out_of_reach(
    ctx: &Context,
    account: &AccountId,
    link: &Link,
    error: &StripeError,
) -> Result<bool, Error> {
    let (Some(intent), LinkState::Open) = (&link.intent, link.state) else { return Ok(false) };
    let is_left = async || Ok::<_, Error>(ctx.store.load_account(&link.company).await?.as_ref() != Some(account));
    let is_out_of_reach = error.is_missing() || (error.tells_nothing() && is_left().await?);
    if !is_out_of_reach {
        return Ok(false);
    }
    let order = order_of_intent(account, intent);
    let reason = ReviewReason::IntentLetGo(&order, intent, account);
    let written = ctx.store.drop_intent(link, intent, &reason, ctx.clock.now_s()).await?;
    tracing::error!(order = order.as_str(), intent = intent.as_str(), %error, ?written, "intent dropped");
    Ok(true)
}
