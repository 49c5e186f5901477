//! `DELETE /v1/payment-links/{paymentLinkId}`: staff revoke a link.
//!
//! Invariant: the live intent is cancelled before the link is revoked, and a payment under way is never stopped.

use classpay_domain::link::{LinkState, PaymentLinkId};
use classpay_service::api::{Caller, Response, extract};
use classpay_service::context::Context;
use classpay_service::deadline::Deadline;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::settlement::link::account;
use classpay_service::settlement::link::live::{Live, cancel_live};
use classpay_service::settlement::rounds::{Round, Rounds};
use classpay_service::store::{Commit, Link};
use lambda_http::Request;

/// Answers the revocation of a link.
///
/// # Errors
/// `forbidden` for families, `not_found` for another company's link, `payment_in_progress`.
pub async fn handle(ctx: &Context, request: &Request) -> Result<Response, Error> {
    let caller = Caller::staff_of(request)?;
    let id = PaymentLinkId::parse(extract::path(request, "paymentLinkId")?).map_err(|_| Error::not_found())?;
    let deadline = extract::deadline(request);
    let mut rounds = Rounds::until(deadline);
    while rounds.another() {
        let link = ctx.store.load_link(&id.alias()).await?.filter(|link| link.company == *caller.company());
        let round = revoke(ctx, &link.ok_or_else(Error::not_found)?, deadline).await;
        if let Some(revoked) = rounds.judge(round) {
            return revoked.map(|()| Response::no_content());
        }
    }
    // A repeated call continues where this one stopped.
    Err(ErrorCode::Unavailable.into())
}

/// Revokes a link. A link that is already revoked or expired stays as it is.
async fn revoke(ctx: &Context, link: &Link, deadline: Deadline) -> Result<Round<()>, Error> {
    match link.state {
        LinkState::Revoked | LinkState::Expired => return Ok(Round::Over(())),
        LinkState::Processing | LinkState::Paid | LinkState::Refunded => {
            return Err(ErrorCode::PaymentInProgress.into());
        }
        LinkState::Open => {}
    }
    if link.intent.is_some() {
        let (account, stripe) = (account(ctx, link).await?, ctx.stripe()?.within(deadline.for_stripe()));
        match cancel_live(ctx, &*stripe, &account, link).await? {
            Live::Ended => {}
            Live::Underway => return Err(ErrorCode::PaymentInProgress.into()),
            Live::Held => return Err(ErrorCode::Unavailable.into()),
            Live::LetGo => return Ok(Round::Again),
        }
    }
    Ok(match ctx.store.close_link(link, LinkState::Revoked).await? {
        Commit::Done => Round::Over(()),
        Commit::ConditionFailed | Commit::Contended | Commit::Unknown => Round::Again,
    })
}
