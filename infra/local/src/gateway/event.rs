//! A request in API Gateway's payload format 2.0.
//!
//! A body arrives byte for byte: as text if its type and its bytes are text, otherwise in base64.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::routes::percent_decoded;
use crate::random;
use crate::runtime::LOCAL_ACCOUNT;
use crate::template::Route;

/// The stack listens on loopback only, so the caller's address is always this.
const SOURCE_IP: &str = "127.0.0.1";

/// A request that passed authorisation.
pub(super) struct Incoming<'a> {
    pub parts: &'a Parts,
    pub body: Bytes,
    pub route: &'a Route,
    pub parameters: BTreeMap<String, String>,
    /// The token's claims, if the route requires a token.
    pub claims: Option<BTreeMap<String, String>>,
    pub request_id: &'a str,
    /// The time of the request, by the stack's clock.
    pub at: Timestamp,
}

/// The event that a function receives.
pub(super) fn payload(incoming: &Incoming<'_>) -> Vec<u8> {
    let Incoming { parts, body, route, parameters, .. } = incoming;
    let query = parts.uri.query().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": route.key(),
        "rawPath": parts.uri.path(),
        "rawQueryString": query,
        "headers": headers(&parts.headers),
        "requestContext": context(incoming),
        "isBase64Encoded": false,
    });
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !query.is_empty() {
        event["queryStringParameters"] = query_parameters(query);
    }
    if !parameters.is_empty() {
        event["pathParameters"] = json!(parameters);
    }
    if !body.is_empty() {
        match std::str::from_utf8(body) {
            Ok(text) if is_textual(&parts.headers) => event["body"] = json!(text),
            _ => {
                event["body"] = json!(BASE64_STANDARD.encode(body));
                event["isBase64Encoded"] = json!(true);
            }
        }
    }
    event.to_string().into_bytes()
}

fn context(incoming: &Incoming<'_>) -> Value {
    let Incoming { parts, route, request_id, at, .. } = incoming;
    let text =
        |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let domain = text(header::HOST).rsplit_once(':').map_or(text(header::HOST), |(name, _)| name);
    let mut context = json!({
        "accountId": LOCAL_ACCOUNT,
        "apiId": "local",
        "domainName": domain,
        "domainPrefix": domain.split('.').next().unwrap_or_default(),
        "http": {
            "method": parts.method.as_str(),
            "path": parts.uri.path(),
            "protocol": format!("{:?}", parts.version),
            "sourceIp": SOURCE_IP,
            "userAgent": text(header::USER_AGENT),
        },
        "requestId": request_id,
        "routeKey": route.key(),
        "stage": "$default",
        "time": at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": at.as_millisecond(),
    });
    if let Some(claims) = &incoming.claims {
        context["authorizer"] = json!({"jwt": {"claims": claims, "scopes": null}});
    }
    context
}

/// Headers with lower-case names and several values joined with a comma. Cookies are passed separately, and connection
/// headers are dropped.
fn headers(given: &HeaderMap) -> Value {
    let mut joined = Map::new();
    for name in given.keys() {
        if [header::COOKIE, header::CONNECTION, header::TRANSFER_ENCODING, header::TE, header::UPGRADE].contains(name) {
            continue;
        }
        let values: Vec<_> =
            given.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        joined.insert(name.as_str().to_owned(), json!(values.join(",")));
    }
    joined.insert("x-amzn-trace-id".to_owned(), json!(random::trace_root()));
    joined.insert("x-forwarded-for".to_owned(), json!(SOURCE_IP));
    joined.insert("x-forwarded-proto".to_owned(), json!("http"));
    let host = given.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    joined.insert("x-forwarded-port".to_owned(), json!(host.rsplit_once(':').map_or("80", |(_, port)| port)));
    Value::Object(joined)
}

fn cookies(given: &HeaderMap) -> Vec<String> {
    let lines = given.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .map(|cookie| cookie.trim().to_owned())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

fn query_parameters(query: &str) -> Value {
    let mut joined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        joined.entry(percent_decoded(name, true)).or_default().push(percent_decoded(value, true));
    }
    joined.into_iter().map(|(name, values)| (name, Value::String(values.join(",")))).collect::<Map<_, _>>().into()
}

/// Whether a body of this type is passed as text. One without a type is, if its bytes are text.
fn is_textual(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let Ok(text) = value.to_str() else { return false };
    let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"].contains(&kind.as_str())
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}
