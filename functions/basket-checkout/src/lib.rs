//! `POST /v1/basket/{familyId}/checkout`: books a basket and captures what is due now, together or not at all.
//!
//! This reads the request and writes the answer; everything about money and places is in
//! `classpay_service::settlement::checkout`.

use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::IntentId;
use classpay_service::api::{Caller, Response, extract};
use classpay_service::basket::{self, Plans};
use classpay_service::catalogue::documents::text::or_null;
use classpay_service::context::Context;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::settlement::Outcome;
use classpay_service::settlement::checkout::{Answer, CheckoutRequest, checkout};
use classpay_service::wire::ItemsBody;
use classpay_service::wire::object::object;
use lambda_http::Request;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is checked out.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CheckoutRequest")]
pub struct CheckoutBody {
    /// The intent that the payer has authorised; null if nothing is to be collected now.
    #[serde(deserialize_with = "extract::present")]
    #[schemars(schema_with = "or_null::<IntentId>")]
    payment_intent_id: Option<String>,
    /// The `quoteHash` of the quote that the payer saw: at another price nothing is charged.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"), extend("x-addition" = true))]
    quote_hash: Option<String>,
    /// What is in the basket.
    #[serde(deserialize_with = "object")]
    items: ItemsBody,
}

/// Answers a checkout.
///
/// # Errors
/// The refusals of a checkout: nothing was changed, or the authorised amount has been released.
pub async fn handle(ctx: &Context, request: &Request) -> Result<Response, Error> {
    let scope = Caller::of(request)?.scope(extract::path(request, "familyId")?)?;
    let body: CheckoutBody = extract::body(request)?;
    let fingerprint = || body_fingerprint(&String::from_utf8_lossy(request.body().as_ref()));
    let checkout_request = CheckoutRequest {
        scope,
        basket: basket::parse_any_size(&body.items, Plans::Required)?,
        // Text that can't be an intent's id is refused like an intent that isn't this family's.
        intent: body
            .payment_intent_id
            .map(IntentId::parse)
            .transpose()
            .map_err(|_| ErrorCode::PaymentIntentMismatch)?,
        quote_hash: body.quote_hash,
        idempotency: extract::idempotency_key(request)?.map(|key| (key.to_owned(), fingerprint())),
    };
    let Answer { outcome, replayed } = checkout(ctx, &checkout_request, extract::deadline(request)).await?;
    let response = match outcome {
        Outcome::Completed(transactions) if nothing_was_due(&transactions) => Response::no_content(),
        Outcome::Completed(transactions) => Response::ok(&transactions)?,
        Outcome::Refused(refusal) => return Err(refusal),
        Outcome::Pending(order) => Response::processing(&order),
    };
    Ok(if replayed { response.replayed() } else { response })
}

/// 204 is only for a basket that costs nothing now. For one that costs less than Stripe's minimum the answer shows its
/// debits.
fn nothing_was_due(transactions: &[classpay_service::aggregate::AggregateTransaction]) -> bool {
    transactions.iter().all(|transaction| transaction.is_debit() && transaction.stats.total == 0)
}

/// The SHA-256 of a body, in hex, which detects the same idempotency key with another body.
#[must_use]
pub fn body_fingerprint(body: &str) -> String {
    let mut digest = Fingerprint::new("body");
    digest.text(body);
    digest.finish_hex()
}
