//! The stack's own calls: a function's environment and its last event, moving the clock, and running a function now.
//!
//! Only a program on this machine is answered, not a page in its browser: the environment may hold a developer's own
//! key.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Gateway;
use crate::runtime::Pool;
use crate::schedule;

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// A page of another site sends its `Origin`.
fn is_from_a_browser_page(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || !is_this_machine(headers)
}

/// A page whose name was rebound to loopback sends that name as `Host`.
pub(super) fn is_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["127.0.0.1", "localhost"].contains(&name)
}

/// `GET /_local/env/{function}`: `KEY=VALUE` lines.
pub(super) async fn environment(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if is_from_a_browser_page(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(pool) = pool(&gateway, &name) else {
        return unknown(&gateway, &name);
    };
    let environment = pool.environment();
    let lines: String = environment.variables().iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    lines.into_response()
}

fn pool(gateway: &Gateway, name: &str) -> Option<Arc<Pool>> {
    gateway.pools.get(&gateway.template.function(name)?.resource).cloned()
}

fn unknown(gateway: &Gateway, name: &str) -> Response {
    let known: Vec<_> = gateway.template.functions.values().map(|function| function.package.as_str()).collect();
    (StatusCode::NOT_FOUND, format!("there is no function {name}; there are {}\n", known.join(", "))).into_response()
}

/// `GET /_local/event/{function}`: the last event that the function received, as a sample for other tools that run it.
pub(super) async fn event(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if is_from_a_browser_page(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(pool) = pool(&gateway, &name) else {
        return unknown(&gateway, &name);
    };
    match pool.last_event() {
        Some(event) => (JSON, event).into_response(),
        None => (StatusCode::NOT_FOUND, format!("{name} has not been handed an event yet\n")).into_response(),
    }
}

/// `POST /_local/run/{function}`: makes a scheduled run and returns the function's answer.
pub(super) async fn run(State(gateway): State<Arc<Gateway>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let event = schedule::event(gateway.clock.now());
    hand(&gateway, &name, &headers, event).await
}

/// `POST /_local/invoke/{function}`: passes any event and returns the function's answer.
pub(super) async fn invoke(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    event: Bytes,
) -> Response {
    hand(&gateway, &name, &headers, event).await
}

async fn hand(gateway: &Gateway, name: &str, headers: &HeaderMap, event: Bytes) -> Response {
    if is_from_a_browser_page(headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(pool) = pool(gateway, name) else {
        return unknown(gateway, name);
    };
    // Runs in a task of its own, like a run that nothing waits for.
    match tokio::spawn(async move { pool.run_now(event).await }).await {
        Ok(Ok(answer)) => (JSON, answer).into_response(),
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the stack is ending\n").into_response(),
    }
}

/// `POST /_local/clock` with `{"now": "2026-09-01T09:00:00Z"}`: moves the stack's clock and restarts the functions,
/// which take their offset from it.
pub(super) async fn move_clock(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, body: String) -> Response {
    if is_from_a_browser_page(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let now = serde_json::from_str::<Value>(&body).ok();
    let now = now.as_ref().and_then(|body| body.get("now")?.as_str()?.parse::<Timestamp>().ok());
    let Some(now) = now else {
        return (StatusCode::BAD_REQUEST, "expected {\"now\": \"2026-09-01T09:00:00Z\"}\n").into_response();
    };
    if gateway.clock.set(now).is_err() {
        return (StatusCode::CONFLICT, "this stack's clock cannot be moved: its DynamoDB is not local\n")
            .into_response();
    }
    let offset_ms = gateway.clock.offset_ms();
    gateway.pools.restart(|environment| environment.with_clock_offset(offset_ms)).await;
    gateway.clock.announce();
    axum::Json(json!({"now": gateway.clock.now().to_string(), "offsetMs": offset_ms})).into_response()
}

/// `POST /_local/secrets/`: the stack's Secrets Manager.
pub(super) async fn secret(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, body: String) -> Response {
    if is_from_a_browser_page(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    gateway.secrets.answer(&headers, &body)
}
