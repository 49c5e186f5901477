//! `POST /v1/payment-links/{paymentLinkId}/process`: takes the payment that the payer has authorised.
//!
//! Public: the id authorises the call. It touches only the link's own intent.

mod body;
mod process;
mod records;

use classpay_domain::id::IntentId;
use classpay_service::api::{Response, extract};
use classpay_service::catalogue::documents::text::or_null;
use classpay_service::context::Context;
use classpay_service::error::{Error, ErrorCode};
use lambda_http::Request;
use process::{Processed, process};
use schemars::JsonSchema;
use serde::Deserialize;

pub use body::ProcessBody;

/// Which payment is to be taken.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ProcessPaymentLinkRequest")]
pub struct ProcessRequest {
    /// The intent that the payer has authorised; null is the link's own.
    #[serde(deserialize_with = "extract::present")]
    #[schemars(schema_with = "or_null::<IntentId>")]
    payment_intent_id: Option<String>,
}

/// Answers the payment of a link.
///
/// # Errors
/// The refusals of a link's payment.
pub async fn handle(ctx: &Context, request: &Request) -> Result<Response, Error> {
    let id = extract::path(request, "paymentLinkId")?;
    let body: ProcessRequest = extract::body(request)?;
    let asked =
        body.payment_intent_id.map(IntentId::parse).transpose().map_err(|_| ErrorCode::PaymentIntentMismatch)?;
    match process(ctx, id, asked.as_ref(), extract::deadline(request)).await? {
        Processed::Paid(paid) => Response::ok(&ProcessBody::from(&*paid)),
        Processed::Pending(order) => Ok(Response::processing(&order)),
    }
}
