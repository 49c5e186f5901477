//! DynamoDB error answers that the embedded one never gives.
//!
//! Each says that nothing was done, except the 500, which says nothing, and the partial batch.

use axum::body::Body;
use axum::http::{Response, header};
use serde_json::{Value, json};

use super::faults::{Call, Reason};

const NAMESPACE: &str = "com.amazonaws.dynamodb.v20120810";

/// Splits a batch in two: the request that is executed, and the last keys, which are left unprocessed.
pub(super) fn split_batch(body: &[u8], left: usize) -> (Value, Value) {
    let mut asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut rest = asked["RequestItems"].clone();
    for (table, request) in asked["RequestItems"].as_object_mut().into_iter().flatten() {
        if let (Some(keys), Some(others)) = (request["Keys"].as_array_mut(), rest[table]["Keys"].as_array_mut()) {
            let kept = keys.len().saturating_sub(left);
            keys.truncate(kept);
            others.drain(..kept);
        }
    }
    (asked, rest)
}

/// The answer of a batch: the items found and the keys left unprocessed.
pub(super) fn half_a_batch(found: &[u8], left: Value) -> Response<Body> {
    let mut answer = serde_json::from_slice(found).unwrap_or_else(|_| json!({"Responses": {}}));
    answer["UnprocessedKeys"] = left;
    refusal(200, &answer)
}

fn refusal(status: u16, body: &Value) -> Response<Body> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
        .body(Body::from(body.to_string()))
        .expect("made of known parts")
}

pub(super) fn broken() -> Response<Body> {
    let kind = format!("{NAMESPACE}#InternalServerError");
    refusal(500, &json!({"__type": kind, "message": "The request processing has failed because of an unknown error."}))
}

pub(super) fn too_many_calls() -> Response<Body> {
    let kind = "com.amazon.coral.availability#ThrottlingException";
    refusal(400, &json!({"__type": kind, "message": "Rate of requests exceeds the allowed throughput."}))
}

/// The caller's policies don't allow it.
pub(super) fn denied(message: &str) -> Response<Body> {
    refusal(400, &json!({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message}))
}

/// Throttling by the table: a transaction reports it among its cancellation reasons, every other call as an error.
pub(super) fn table_overloaded(call: &Call, body: &[u8]) -> Response<Body> {
    if call.is_transaction() {
        return cancelled(body, &[Reason { at: 0, code: "ThrottlingError".to_owned() }]);
    }
    let kind = format!("{NAMESPACE}#ProvisionedThroughputExceededException");
    let message = "The level of configured provisioned throughput for the table was exceeded. \
                   Consider increasing your provisioning level with the UpdateTable API.";
    refusal(400, &json!({"__type": kind, "message": message}))
}

/// Cancels a transaction with this body: one reason for each of its actions, by position.
pub(super) fn cancelled(body: &[u8], reasons: &[Reason]) -> Response<Body> {
    let transaction: Value = serde_json::from_slice(body).unwrap_or_default();
    let actions = transaction["TransactItems"].as_array().map_or(0, Vec::len).max(1);
    let mut codes = vec!["None"; actions];
    for reason in reasons {
        codes[reason.at.min(actions - 1)] = &reason.code;
    }
    let told: Vec<Value> = codes.iter().map(|code| told(code)).collect();
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    let kind = format!("{NAMESPACE}#TransactionCanceledException");
    refusal(400, &json!({"__type": kind, "Message": message, "CancellationReasons": told}))
}

fn told(code: &str) -> Value {
    let message = match code {
        "None" => return json!({"Code": code}),
        "ConditionalCheckFailed" => "The conditional request failed",
        "TransactionConflict" => "Transaction is ongoing for the item",
        _ => "Throughput exceeds the current capacity of your table or index.",
    };
    json!({"Code": code, "Message": message})
}
