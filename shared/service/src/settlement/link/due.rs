//! Expired links.
//!
//! Invariant: an authorised payment is settled first, and [`settle_session`] alone decides whether it was in time. Only
//! a link that nobody is paying is ended.

use classpay_domain::id::AccountId;
use classpay_domain::link::LinkState;
use classpay_domain::order::HELD_AT_MOST_S;

use super::pay::settle_session;
use super::{account, is_authorised, live};
use crate::context::Context;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::settlement::Outcome;
use crate::store::Link;

/// Ends an expired link if nobody has paid it or is paying it.
pub async fn end_if_over(ctx: &Context, link: &Link, deadline: Deadline) -> Result<(), Error> {
    if link.state != LinkState::Open || !live::is_over(ctx, link) {
        return Ok(());
    }
    let Some(live_intent) = &link.intent else {
        ctx.store.close_link(link, LinkState::Expired).await?;
        return Ok(());
    };
    let account = account(ctx, link).await?;
    let stripe = ctx.stripe()?.within(deadline.for_stripe());
    let intent = match stripe.load_intent(&account, live_intent).await {
        Ok(intent) => intent,
        // The payer may have paid in time, so the link stays for a day.
        Err(error) if error.tells_nothing() && may_be_held(ctx, link, &account, error.refusal().is_some()).await? => {
            return Ok(());
        }
        // Any other unreadable intent can't be paid: the link lets it go, or stays as it is.
        Err(error) if error.tells_nothing() => None,
        Err(error) => return Err(error.into()),
    };
    if let Some(intent) = intent
        && is_authorised(&intent)
        && let (Some(session), _) = ctx.store.load_payment(&account, live_intent).await?
    {
        match settle_session(ctx, &session, intent, deadline).await? {
            // The intent was authorised too late, or paid a part: the link is open and expired. A paid link stays paid,
            // because only an open link is closed.
            Some(Outcome::Refused(_) | Outcome::Completed(_)) | None => {}
            Some(Outcome::Pending(_)) => return Ok(()),
        }
    }
    live::expire(ctx, &*stripe, &account, link).await
}

/// Whether a card may still be held for an expired link. It may be for a day after its authorisation, or, if that is
/// unknown because Stripe `refuses` to show it, for a day after the link's end.
async fn may_be_held(ctx: &Context, link: &Link, account: &AccountId, refuses: bool) -> Result<bool, Error> {
    let Some(intent) = &link.intent else { return Ok(false) };
    let held_since_s = ctx.store.held_since_s(account, intent).await?;
    let since_s = held_since_s.or(link.expires_s.filter(|_| refuses));
    Ok(since_s.is_some_and(|since_s| ctx.clock.now_s().saturating_sub(since_s) < HELD_AT_MOST_S))
}
