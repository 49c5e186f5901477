//! An operation's answers: its successes, its refusals by status, and the gateway's own.
//!
//! A code and its status come from [`Endpoint`]; the description is the code's own sentence.

use std::collections::BTreeMap;

use classpay_local::template::{Authorizer, Route};
use classpay_service::api::Endpoint;
use classpay_service::error::ErrorCode;
use classpay_service::refusals::releases;
use serde_json::{Map, Value, json};

use super::document::example;
use super::operations::{Operation, Success, schema};

/// The gateway's own answers: status, message, and when.
const BY_GATEWAY: [(u16, &str, &str); 6] = [
    (401, "Unauthorized", "no bearer token that is valid"),
    (404, "Not Found", "an id in the path that is empty or has a slash: no route"),
    (413, "Request Entity Too Large", "more than the gateway takes"),
    (429, "Too Many Requests", "more calls than the gateway lets through"),
    (500, "Internal Server Error", "the function failed"),
    (503, "Service Unavailable", "the function didn't answer in time"),
];

/// The request id of the examples.
const REQUEST_ID: &str = "8f5a2c1e-6f0b-4a51-9c39-2f6a1f0c7d55";

/// Whether the gateway can give this answer for an operation.
fn gateway_can(status: u16, operation: &Operation, route: &Route) -> bool {
    match status {
        401 => route.authorizer == Authorizer::Jwt,
        404 => route.path.contains('{'),
        413 => operation.request.is_some(),
        _ => true,
    }
}

/// All answers of an operation, by their status.
pub fn answers(operation: &Operation, route: &Route) -> Map<String, Value> {
    let successes = operation.successes.iter().map(|success| (success.status, good(operation, success)));
    let mut codes: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in operation.endpoint.refusals() {
        codes.entry(operation.endpoint.status_of(code)).or_default().push(code);
    }
    for (status, ..) in BY_GATEWAY.iter().filter(|(status, ..)| gateway_can(*status, operation, route)) {
        codes.entry(*status).or_default();
    }
    let refusals = codes.iter().map(|(status, codes)| {
        let gateway = BY_GATEWAY.iter().find(|(of, ..)| of == status);
        let gateway = gateway.filter(|_| gateway_can(*status, operation, route)).map(|(_, says, when)| (*says, *when));
        (*status, refusal(operation, codes, gateway))
    });
    successes.chain(refusals).map(|(status, answer)| (status.to_string(), answer)).collect()
}

fn good(operation: &Operation, success: &Success) -> Value {
    let mut answer = json!({"description": success.what});
    if success.status == 202 {
        answer["x-addition"] = true.into();
        answer["headers"] = json!({"Retry-After": {"$ref": "#/components/headers/RetryAfter"}});
    }
    if success.can_be_replayed {
        answer["headers"] = json!({"Idempotent-Replayed": {"$ref": "#/components/headers/IdempotentReplayed"}});
    }
    if let Some(body) = &success.body {
        let mut media = json!({"schema": body});
        if let Some(example) = example(&format!("{}-{}", operation.id, success.status)) {
            media["example"] = example;
        }
        answer["content"] = json!({"application/json": media});
    }
    answer
}

/// The schema of an operation's refusals, by its name: any refusal, with one of the operation's codes. It stands on its
/// own, because generators make no type of a schema that narrows another.
pub fn refusals(operation: &Operation, any: &Value) -> (String, Value) {
    let mut refusal = any.clone();
    refusal["description"] = format!("A refusal of `{}`.", operation.id).into();
    let codes = operation.endpoint.refusals().into_iter().map(ErrorCode::as_str);
    refusal["properties"]["code"]["enum"] = codes.collect::<Vec<_>>().into();
    (refusal_name(operation), refusal)
}

fn refusal_name(operation: &Operation) -> String {
    let (first, rest) = operation.id.split_at(1);
    format!("{}{rest}Refusal", first.to_uppercase())
}

fn refusal(operation: &Operation, codes: &[ErrorCode], gateway: Option<(&str, &str)>) -> Value {
    let endpoint = operation.endpoint;
    let released = |code: &ErrorCode| endpoint == Endpoint::Checkout && releases(*code);
    let after = |code| if released(code) { " What was authorised is released." } else { "" };
    let mut said: Vec<_> = codes.iter().map(|code| format!("- `{code}`: {}{}", code.sentence(), after(code))).collect();
    let mut shapes = Vec::new();
    let mut media = Map::new();
    if let Some(first) = codes.first() {
        shapes.push(schema(&refusal_name(operation)));
        let body = json!({
            "statusCode": endpoint.status_of(*first), "messages": [first.sentence()], "code": first.as_str(),
            "requestId": REQUEST_ID,
        });
        media.insert("example".into(), body);
    }
    if let Some((message, when)) = gateway {
        said.push(format!("- By the gateway, `{{\"message\": \"{message}\"}}`: {when}."));
        shapes.push(schema("GatewayRefusal"));
        media.entry("example").or_insert_with(|| json!({"message": message}));
    }
    let shape = if shapes.len() == 1 { shapes.remove(0) } else { json!({"anyOf": shapes}) };
    media.insert("schema".into(), shape);
    let mut answer = json!({"description": said.join("\n"), "content": {"application/json": media}});
    if codes.iter().any(|code| matches!(code, ErrorCode::Unavailable | ErrorCode::TooManyAttempts)) {
        answer["headers"] = json!({"Retry-After": {"$ref": "#/components/headers/RetryAfter"}});
    }
    answer
}
