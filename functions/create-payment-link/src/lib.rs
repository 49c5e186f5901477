//! `POST /v1/payment-links`: staff create a link for a debit with something due.
//!
//! The link's id is 130 bits from the operating system, and the only secret: a person who has it can see and pay this
//! debit.

use classpay_domain::id::TransactionId;
use classpay_service::api::{Caller, LinkWithUrl, Response, extract};
use classpay_service::catalogue::documents::text::AsText;
use classpay_service::context::Context;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::store::{Commit, Link};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use lambda_http::Request;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a link is made for.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CreatePaymentLinkRequest")]
pub struct CreateBody {
    /// The debit to pay.
    #[schemars(with = "AsText<TransactionId>")]
    transaction_id: String,
    /// Until when it can be paid (UTC); a time to come.
    #[schemars(with = "Option<AsText<DateTime>>")]
    expires_at: Option<String>,
}

/// Answers the creation of a link.
///
/// # Errors
/// `forbidden` for families; `not_found` if the company has no such debit; `nothing_to_pay`.
pub async fn handle(ctx: &Context, request: &Request) -> Result<Response, Error> {
    let caller = Caller::staff_of(request)?;
    let body: CreateBody = extract::body(request)?;
    let expires_s = body.expires_at.as_deref().map(|text| instant(ctx, text)).transpose()?;
    let debit_id = TransactionId::parse(body.transaction_id).map_err(|_| Error::not_found())?;
    let debit = ctx.store.load_debit(caller.company(), &debit_id).await?.ok_or_else(Error::not_found)?;
    if debit.due.due.units() <= 0 {
        return Err(ErrorCode::NothingToPay.into());
    }
    let id = ctx.ids.payment_link();
    let link = Link::open(id, caller.company(), debit_id, debit, ctx.clock.now_s(), expires_s);
    match ctx.store.create_link(&link).await? {
        Commit::Done => Response::created(&LinkWithUrl::new(&link, ctx.payment_link_url()?)),
        Commit::ConditionFailed | Commit::Contended | Commit::Unknown => Err(ErrorCode::Unavailable.into()),
    }
}

/// Parses a future instant in the contract's form, `2023-12-05 14:30:41` in UTC.
fn instant(ctx: &Context, text: &str) -> Result<i64, Error> {
    let wrong =
        || Error::new(ErrorCode::WrongType, "expiresAt must be a time to come, like 2027-01-31 23:59:59 (UTC).");
    let local = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).map_err(|_| wrong())?;
    let instant = local.to_zoned(TimeZone::UTC).map_err(|_| wrong())?.timestamp();
    if instant > ctx.clock.now() { Ok(instant.as_second()) } else { Err(wrong()) }
}
