//! `DELETE /v1/payment-links/{paymentLinkId}`: staff take a link back.
//!
//! Invariant: the live intent is cancelled before the link is; a payment that is on its way is never taken back.

use classpay_domain::link::PaymentLinkId;
use classpay_service::api::{Caller, Response, extract};
use classpay_service::context::Context;
use classpay_service::error::Error;
use classpay_service::links::end;
use lambda_http::Request;

/// Answers the revocation of a link.
///
/// # Errors
/// `forbidden` for families, `not_found` for another company's link, `payment_in_progress`.
pub async fn handle(ctx: &Context, request: &Request) -> Result<Response, Error> {
    let caller = Caller::staff_of(request)?;
    let id = PaymentLinkId::parse(extract::path(request, "paymentLinkId")?).map_err(|_| Error::not_found())?;
    let link = ctx.store.load_link(&id.alias()).await?.filter(|link| link.company == *caller.company());
    end::revoke(ctx, link.ok_or_else(Error::not_found)?, extract::deadline(request)).await?;
    Ok(Response::no_content())
}
