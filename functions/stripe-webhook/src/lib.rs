//! `POST /v1/stripe/webhook`: receives Stripe's events.
//!
//! Invariant: the signature is the only credential, and it is checked on the received bytes. 200 says that the event is
//! stored, not that it is fully acted on: the settlement job does the rest.

use classpay_service::api::{Response, extract};
use classpay_service::context::Context;
use classpay_service::error::Error;
use classpay_service::settlement::event::receive;
use lambda_http::Request;
use schemars::JsonSchema;
use serde::Serialize;

const SIGNATURE: &str = "stripe-signature";

/// The event is kept.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventReceived")]
pub struct Received {
    /// Always true.
    #[schemars(extend("const" = true))]
    received: bool,
}

/// Answers Stripe.
///
/// # Errors
/// `bad_signature`; `unavailable` if the event can't be stored: Stripe sends it again.
pub async fn handle(ctx: &Context, request: &Request) -> Result<Response, Error> {
    let signature = request.headers().get(SIGNATURE).and_then(|header| header.to_str().ok());
    receive(ctx, signature, request.body().as_ref(), extract::deadline(request)).await?;
    Response::ok(&Received { received: true })
}
