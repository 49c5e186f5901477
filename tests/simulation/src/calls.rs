//! Calls of the shipped handlers, in the form in which API Gateway makes them.
//!
//! The authorizer's claims identify a caller; the handlers trust nothing else in a request, so nothing else is passed
//! here.

use std::collections::HashMap;
use std::sync::Arc;

use classpay_service::api::{Endpoint, Response};
use classpay_service::context::Context;
use classpay_service::deadline::Deadline;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::settlement::job;
use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayRequestAuthorizer, ApiGatewayRequestAuthorizerJwtDescription, ApiGatewayV2httpRequestContext,
};
use lambda_http::http::Request as HttpRequest;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _};

use super::signature::signature;
use super::stripe::Event;
use super::studio::{COMPANY, OTHER_COMPANY, WEBHOOK_SECRET};

/// The dependencies of a function.
pub type Hands = Arc<Context>;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The code of a refusal.
    pub code: Option<ErrorCode>,
    /// Whether it says that the payment was released.
    pub released: bool,
    /// The body, unless it is a refusal.
    pub body: Option<String>,
}

impl Answer {
    fn of(endpoint: Endpoint, result: Result<Response, Error>) -> Self {
        match result {
            Ok(response) => Self {
                status: response.status().as_u16(),
                code: None,
                released: false,
                body: response.body().map(str::to_owned),
            },
            Err(error) => Self {
                status: endpoint.status_of(error.code),
                code: Some(error.code),
                released: error.payment_released,
                body: None,
            },
        }
    }

    /// Whether repeating the call may give another answer.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status, 202 | 429 | 503)
    }
}

fn request(path: (&str, &str), claims: &[(&str, &str)], body: String) -> Request {
    let mut jwt = ApiGatewayRequestAuthorizerJwtDescription::default();
    jwt.claims = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut authorizer = ApiGatewayRequestAuthorizer::default();
    authorizer.jwt = Some(jwt);
    let mut context = ApiGatewayV2httpRequestContext::default();
    context.authorizer = (!claims.is_empty()).then_some(authorizer);
    let parameters: HashMap<_, _> = [(path.0.to_owned(), path.1.to_owned())].into();
    HttpRequest::new(Body::Text(body))
        .with_request_context(RequestContext::ApiGatewayV2(context))
        .with_path_parameters(parameters)
}

fn of_family(family: &str, body: String) -> Request {
    request(("familyId", family), &[("company_id", COMPANY), ("role", "family"), ("family_id", family)], body)
}

/// A family requests a payment session for these items.
pub async fn open_session(ctx: Hands, family: &'static str, items: Arc<str>) -> Answer {
    let request = of_family(family, format!(r#"{{"items":{items}}}"#));
    Answer::of(Endpoint::PaymentSession, create_payment_session::handle(&ctx, &request).await)
}

/// A family requests a payment session for an amount, without naming its basket.
pub async fn open_amount(ctx: Hands, family: &'static str, amount: i64) -> Answer {
    let request = of_family(family, format!(r#"{{"amount":{amount}}}"#));
    Answer::of(Endpoint::PaymentSession, create_payment_session::handle(&ctx, &request).await)
}

/// A family checks a basket out.
pub async fn check_out(
    ctx: Hands,
    family: &'static str,
    intent: Option<String>,
    items: Arc<str>,
    key: Option<String>,
) -> Answer {
    let intent = intent.map_or_else(|| "null".to_owned(), |intent| format!("\"{intent}\""));
    let mut request = of_family(family, format!(r#"{{"paymentIntentId":{intent},"items":{items}}}"#));
    if let Some(key) = key {
        let key = key.parse().expect("a key is visible ASCII");
        request.headers_mut().insert("idempotency-key", key);
    }
    Answer::of(Endpoint::Checkout, basket_checkout::handle(&ctx, &request).await)
}

/// A family of another studio, with the same ids, uses an intent that isn't that studio's.
pub async fn trespass(ctx: Hands, family: &'static str, intent: String, items: Arc<str>) -> Answer {
    let claims = [("company_id", OTHER_COMPANY), ("role", "family"), ("family_id", family)];
    let body = format!(r#"{{"paymentIntentId":"{intent}","items":{items}}}"#);
    Answer::of(Endpoint::Checkout, basket_checkout::handle(&ctx, &request(("familyId", family), &claims, body)).await)
}

/// A payer opens a link.
pub async fn open_link(ctx: Hands, link: Arc<str>) -> Answer {
    let request = request(("paymentLinkId", &link), &[], String::new());
    Answer::of(Endpoint::RetrieveLink, retrieve_payment_link::handle(&ctx, &request).await)
}

/// A payer reports that a link is paid.
pub async fn process_link(ctx: Hands, link: Arc<str>, intent: Option<String>) -> Answer {
    let intent = intent.map_or_else(|| "null".to_owned(), |intent| format!("\"{intent}\""));
    let request = request(("paymentLinkId", &link), &[], format!(r#"{{"paymentIntentId":{intent}}}"#));
    Answer::of(Endpoint::ProcessLink, process_payment_link::handle(&ctx, &request).await)
}

/// Staff create a link for a debit.
pub async fn make_link(ctx: Hands, debit: &str, expires_at: Option<&str>) -> Answer {
    let expires = expires_at.map_or_else(String::new, |at| format!(r#","expiresAt":"{at}""#));
    let staff = [("company_id", COMPANY), ("role", "staff")];
    let request = request(("", ""), &staff, format!(r#"{{"transactionId":"{debit}"{expires}}}"#));
    Answer::of(Endpoint::CreateLink, create_payment_link::handle(&ctx, &request).await)
}

/// Staff revoke a link.
pub async fn revoke_link(ctx: Hands, link: Arc<str>) -> Answer {
    let staff = [("company_id", COMPANY), ("role", "staff")];
    let request = request(("paymentLinkId", &link), &staff, String::new());
    Answer::of(Endpoint::RevokeLink, revoke_payment_link::handle(&ctx, &request).await)
}

/// Stripe delivers an event, signed with this secret.
pub async fn deliver(ctx: Hands, event: Event, secret: &'static str) -> Answer {
    let signature = signature(secret, event.body(), ctx.clock.now_s());
    let mut request = request(("", ""), &[], event.body().to_owned());
    request.headers_mut().insert("stripe-signature", signature.parse().expect("a signature is visible ASCII"));
    Answer::of(Endpoint::StripeWebhook, stripe_webhook::handle(&ctx, &request).await)
}

/// The secret with which a delivery is signed.
#[must_use]
pub fn secret(is_right: bool) -> &'static str {
    if is_right { WEBHOOK_SECRET } else { "whsec_of_somebody_else" }
}

/// Runs the settlement job. Returns how many records it found; `None` if nothing could be read.
pub async fn run_schedule(ctx: Hands) -> Option<u32> {
    job::run(&ctx, Deadline::at_ms(u64::MAX)).await.ok().map(|report| report.visited)
}
