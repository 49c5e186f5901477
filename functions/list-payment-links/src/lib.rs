//! `GET /v1/payment-links?transactionId=`: the links of a debit, for staff.
//!
//! Invariant: a debit of another company is not found.

use classpay_domain::id::TransactionId;
use classpay_service::api::{Caller, LinkWithUrl, Response, extract, query};
use classpay_service::context::Context;
use classpay_service::error::{Error, ErrorCode};
use lambda_http::Request;

/// Answers the links of a debit, the oldest first.
///
/// # Errors
/// `forbidden` for families, `not_found` if the company has no such debit.
pub async fn handle(ctx: &Context, request: &Request) -> Result<Response, Error> {
    let caller = Caller::staff_of(request)?;
    let debit = query::value(extract::raw_query(request), "transactionId")?;
    let debit = debit.ok_or_else(|| Error::new(ErrorCode::WrongType, "transactionId must be given."))?;
    let debit = TransactionId::parse(debit).map_err(|_| Error::not_found())?;
    let mut links = ctx.store.load_links_of(caller.company(), &debit).await?.ok_or_else(Error::not_found)?;
    links.sort_by(|a, b| (a.created_s, &a.id).cmp(&(b.created_s, &b.id)));
    let url = ctx.payment_link_url()?;
    Response::ok(&links.iter().map(|link| LinkWithUrl::new(link, url)).collect::<Vec<_>>())
}
