//! The answer to a caller: a function's answer turned back into HTTP, or the gateway's own refusal.
//!
//! Refusals have exactly API Gateway's status and body, so a client that handles them here handles them there.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};

/// Why the gateway itself answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No route, or no route of this method.
    NotFound,
    /// No token, or one that is not accepted; holds the `www-authenticate` header that says why.
    Unauthorized(String),
    /// The body is larger than an HTTP API takes.
    TooLarge,
    /// The function failed, died, timed out or gave an invalid answer.
    ServerError,
    /// The integration did not answer in time or is not available.
    Unavailable,
}

impl Refusal {
    pub fn into_response(self) -> Response<Body> {
        let (status, message) = match &self {
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found"),
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        };
        let mut response = Response::new(Body::from(format!(r#"{{"message":"{message}"}}"#)));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Self::Unauthorized(challenge) = self
            && let Ok(challenge) = HeaderValue::from_str(&challenge)
        {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The HTTP answer that a function gave; `None` if it is invalid.
pub(super) fn from_function(given: &Bytes) -> Option<Response<Body>> {
    let answer: Value = serde_json::from_slice(given).ok()?;
    match &answer {
        Value::Object(answer) if answer.contains_key("statusCode") => structured(answer),
        // Format 2.0: anything else is the body of a 200.
        _ => {
            let mut response = Response::new(Body::from(given.clone()));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Some(response)
        }
    }
}

fn structured(answer: &Map<String, Value>) -> Option<Response<Body>> {
    let status = match answer.get("statusCode")? {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        Value::String(digits) => digits.parse().ok()?,
        _ => return None,
    };
    let body = body(answer)?;
    let typed = !body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).ok().filter(|status| status.as_u16() < 600)?;
    let headers = response.headers_mut();
    for (name, values) in fields(answer, "headers").chain(fields(answer, "multiValueHeaders")) {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        // Headers about the connection are the gateway's to set.
        if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION].contains(&name) {
            continue;
        }
        for value in values {
            headers.append(&name, HeaderValue::from_str(&value?).ok()?);
        }
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        headers.append(header::SET_COOKIE, HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    if typed && !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=utf-8"));
    }
    Some(response)
}

/// The names and values of one part of the answer; a value is `None` if it is not a scalar.
fn fields<'a>(
    answer: &'a Map<String, Value>,
    part: &str,
) -> impl Iterator<Item = (&'a String, Vec<Option<String>>)> + use<'a> {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let values = move |value: &Value| match value {
        Value::Array(values) => values.iter().map(plain).collect(),
        value => vec![plain(value)],
    };
    answer.get(part).and_then(Value::as_object).into_iter().flatten().map(move |(name, value)| (name, values(value)))
}

fn body(answer: &Map<String, Value>) -> Option<Bytes> {
    let text = match answer.get("body") {
        None | Some(Value::Null) => return Some(Bytes::new()),
        Some(Value::String(text)) => text,
        Some(_) => return None,
    };
    if answer.get("isBase64Encoded").and_then(Value::as_bool) == Some(true) {
        BASE64_STANDARD.decode(text).ok().map(Bytes::from)
    } else {
        Some(Bytes::from(text.clone()))
    }
}
