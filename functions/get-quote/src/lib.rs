//! `GET /v1/basket/{familyId}/quote`: what a basket costs, and what a checkout would charge now.
//!
//! It writes nothing, and prices with the same function as a checkout.

mod body;

use classpay_service::api::{Caller, Response, extract, query};
use classpay_service::basket::{self, Plans};
use classpay_service::context::Context;
use classpay_service::error::Error;
use classpay_service::quoting::{local_now, price};
use lambda_http::Request;

pub use body::QuoteBody;

/// Answers a quote.
///
/// # Errors
/// The refusals of a quote: bad input, an unknown family, a basket that can't be sold.
pub async fn handle(ctx: &Context, request: &Request) -> Result<Response, Error> {
    let scope = Caller::of(request)?.scope(extract::path(request, "familyId")?)?;
    let basket = basket::parse(&query::items(extract::raw_query(request))?, Plans::Optional)?;
    let loaded = ctx.store.load_studio(&scope, &basket).await?.ok_or_else(Error::not_found)?;
    let quote = price(ctx, &scope, &loaded, &basket, local_now(ctx, &loaded)?)?;
    Response::ok(&QuoteBody::new(&loaded, &quote))
}
