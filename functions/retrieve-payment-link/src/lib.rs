//! `POST /v1/payment-links/{paymentLinkId}`: shows a debit, and opens its payment or finds the open one.
//!
//! Public: the id authorises the call. It answers no secret of a link that can no longer be paid.

mod body;
mod open;
mod retrieve;
mod retrieved;

use classpay_service::api::{Response, extract};
use classpay_service::context::Context;
use classpay_service::error::Error;
use lambda_http::Request;
use retrieve::{Opened, retrieve};

pub use body::RetrieveBody;

/// Answers a retrieval.
///
/// # Errors
/// The refusals of a payment link.
pub async fn handle(ctx: &Context, request: &Request) -> Result<Response, Error> {
    let id = extract::path(request, "paymentLinkId")?;
    match retrieve(ctx, id, extract::deadline(request)).await? {
        Opened::Shown(retrieved) => Response::ok(&RetrieveBody::from(&*retrieved)),
        Opened::Pending(order) => Ok(Response::processing(&order)),
    }
}
