//! Answers: JSON, nothing, "still working on it", and refusals.
//!
//! Invariant: every answer leaves through [`answer`]. No answer may be kept by a cache.

use lambda_http::http::header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER};
use lambda_http::http::{HeaderValue, StatusCode};
use lambda_http::{Body, Request, RequestExt};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use classpay_domain::id::OrderId;

use super::endpoint::Endpoint;
use crate::catalogue::documents::text::{AsText, one_of};
use crate::error::{Error, ErrorCode};
use crate::refusals::PaymentBody;

/// How long a caller waits before repeating a call whose money is still on its way.
const PROCESSING_RETRY_S: u32 = 2;
/// What is said meanwhile.
const PROCESSING: &str = "processing";

/// An answer that is no refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    status: StatusCode,
    body: Option<String>,
    retry_after_s: Option<u32>,
    replayed: bool,
}

/// The answer while money is still on its way.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Processing")]
pub struct ProcessingBody<'a> {
    /// Always this word.
    #[schemars(extend("const" = PROCESSING))]
    status: &'static str,
    /// What the payment is for. The same call repeated tells how it ended.
    #[schemars(with = "AsText<OrderId>")]
    order_id: &'a str,
}

/// A refusal.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Refusal")]
pub struct RefusalBody<'a> {
    /// The HTTP status once more.
    status_code: u16,
    /// What is wrong, in sentences for people.
    messages: &'a [String],
    /// What is wrong, for programs.
    #[schemars(schema_with = "codes", extend("x-addition" = true))]
    code: ErrorCode,
    /// The id under which the service's log knows this request.
    #[schemars(extend("x-addition" = true))]
    request_id: &'a str,
    /// There, and true, when the payer's authorisation was released: nothing is held any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-addition" = true))]
    payment_released: bool,
    /// With `quote_changed`: what a payment would be now, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PaymentBody", extend("x-addition" = true))]
    payment: Option<&'a serde_json::value::RawValue>,
}

fn codes(_: &mut SchemaGenerator) -> Schema {
    one_of(ErrorCode::ALL.iter().map(|code| code.as_str()))
}

impl Response {
    /// 200 with a JSON body.
    ///
    /// # Errors
    /// `internal` for a body that can't be written as JSON: a fault of ours.
    pub fn ok(body: &impl Serialize) -> Result<Self, Error> {
        let text = serde_json::to_string(body).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self::from_stored(StatusCode::OK, text))
    }

    /// 201 with a JSON body.
    ///
    /// # Errors
    /// As [`Response::ok`].
    pub fn created(body: &impl Serialize) -> Result<Self, Error> {
        Ok(Self { status: StatusCode::CREATED, ..Self::ok(body)? })
    }

    /// An answer that was stored, to be given again exactly as it was.
    #[must_use]
    pub fn from_stored(status: StatusCode, body: String) -> Self {
        Self { status, body: Some(body), retry_after_s: None, replayed: false }
    }

    /// 204: done, and nothing to say.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, retry_after_s: None, replayed: false }
    }

    /// 202: the outcome isn't known yet. The same call repeated gives the final answer.
    #[must_use]
    pub fn processing(order: &OrderId) -> Self {
        let body = ProcessingBody { status: PROCESSING, order_id: order.as_str() };
        let text = serde_json::to_string(&body).expect("two strings are JSON");
        Self {
            status: StatusCode::ACCEPTED,
            body: Some(text),
            retry_after_s: Some(PROCESSING_RETRY_S),
            replayed: false,
        }
    }

    /// The same answer, marked as that of an earlier call with the same idempotency key.
    #[must_use]
    pub fn replayed(mut self) -> Self {
        self.replayed = true;
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The JSON text, to be stored for a repetition.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }
}

/// The id under which Lambda's log knows this request.
#[must_use]
pub fn request_id(request: &Request) -> &str {
    request.lambda_context_ref().map_or("", |context| context.request_id.as_str())
}

/// Turns a handler's result into what goes over the wire: the one place that does.
#[must_use]
pub fn answer(result: Result<Response, Error>, endpoint: Endpoint, request_id: &str) -> lambda_http::Response<Body> {
    let response = result.unwrap_or_else(|error| refuse(&error, endpoint, request_id));
    let mut reply = lambda_http::Response::new(response.body.map_or(Body::Empty, Body::Text));
    *reply.status_mut() = response.status;
    let headers = reply.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A payment link's id is in its address: no page that is opened from there may learn it.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if response.status != StatusCode::NO_CONTENT {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(seconds) = response.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if response.replayed {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    reply
}

fn refuse(refusal: &Error, endpoint: Endpoint, request_id: &str) -> Response {
    let status = endpoint.status_of(refusal.code);
    let body = RefusalBody {
        status_code: status,
        messages: &refusal.messages,
        code: refusal.code,
        request_id,
        payment_released: refusal.payment_released,
        payment: refusal.payment.as_deref(),
    };
    let text = serde_json::to_string(&body).expect("strings, numbers and JSON text are JSON");
    let status = StatusCode::from_u16(status).expect("the table has valid statuses; a test walks it");
    Response { status, body: Some(text), retry_after_s: refusal.retry_after_s, replayed: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn parts(reply: &lambda_http::Response<Body>) -> (u16, &str, Option<&str>) {
        let header = |name| reply.headers().get(name).and_then(|value| value.to_str().ok());
        let body = std::str::from_utf8(reply.body().as_ref()).unwrap();
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("content-type").is_some(), !body.is_empty());
        (reply.status().as_u16(), body, header("retry-after"))
    }

    #[test]
    fn a_refusal_has_the_published_shape_and_our_code() {
        let reply = answer(Err(ErrorCode::ClassFull.into()), Endpoint::Checkout, "req-1");
        let body = r#"{"statusCode":409,"messages":["The class is full."],"code":"class_full","requestId":"req-1"}"#;
        assert_eq!(parts(&reply), (409, body, None));
    }

    #[test]
    fn a_released_payment_is_said_only_when_it_was_released() {
        let reply = answer(Err(Error::from(ErrorCode::ClassFull).released()), Endpoint::Checkout, "req-1");
        assert!(parts(&reply).1.ends_with(r#""requestId":"req-1","paymentReleased":true}"#));
    }

    #[test]
    fn what_the_log_learns_the_caller_does_not() {
        let reply = answer(Err(Error::internal("item C#co_1 is corrupt")), Endpoint::Checkout, "req-1");
        assert!(!parts(&reply).1.contains("corrupt"));
    }

    #[test]
    fn an_outcome_not_yet_known_is_202_and_asks_for_patience() {
        let order = OrderId::parse("ord_1").unwrap();
        let reply = answer(Ok(Response::processing(&order)), Endpoint::Checkout, "req-1");
        assert_eq!(parts(&reply), (202, r#"{"status":"processing","orderId":"ord_1"}"#, Some("2")));
    }

    #[test]
    fn nothing_to_say_is_204_without_a_body() {
        assert_eq!(parts(&answer(Ok(Response::no_content()), Endpoint::Checkout, "req-1")), (204, "", None));
    }

    #[test]
    fn every_code_can_be_answered() {
        for code in ErrorCode::ALL {
            for endpoint in Endpoint::ALL {
                let reply = answer(Err((*code).into()), endpoint, "r");
                let (status, is_refusal) = (reply.status().as_u16(), code.kind() == ErrorKind::Refused);
                assert_eq!(status, endpoint.status_of(*code), "{code}");
                assert_eq!((400..500).contains(&status), is_refusal, "{code}");
            }
        }
    }
}
