//! `/_control/`: injects faults between the functions and the embedded DynamoDB, and reports the functions' calls.
//!
//! | call | body | |
//! |---|---|---|
//! | `GET`, `POST`, `DELETE /_control/faults` | `{"match": {"operation": "TransactWriteItems", "function": "basket-checkout", "says": "#LEDGER"}, "after": 0, "count": 1, "do": {…}}` | see `faults` |
//! | `POST /_control/faults/land` | | what was dropped late arrives now; what did, and with which status |
//! | `GET`, `DELETE /_control/requests` | | the functions' calls, and the permissions that they used |
//!
//! What `do` may be: `{"drop": "before"}`, `{"drop": "after"}`, `{"drop": "late"}` (with `"landAfterMs": 500` or
//! `"landAfterCalls": 0`), `{"status": 500}` (with `"executed": true`), `{"throttle": "calls"}`, `{"throttle": "table"}`,
//! `{"cancel": [{"at": 0, "code": "ConditionalCheckFailed"}, {"at": 1, "code": "TransactionConflict"}]}`,
//! `{"delayMs": 100}` (with `"executed": true`).
//!
//! Nothing of it is kept when the stack ends, and none of it reaches an item.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::faults;
use super::proxy::Proxy;

pub(super) fn router() -> Router<Arc<Proxy>> {
    Router::new()
        .route("/faults", get(waiting).post(order).delete(withdraw))
        .route("/faults/land", post(land))
        .route("/requests", get(requests).delete(forget))
}

async fn waiting(State(proxy): State<Arc<Proxy>>) -> Json<Value> {
    Json(json!(proxy.state().faults.waiting()))
}

async fn order(State(proxy): State<Arc<Proxy>>, body: String) -> Response {
    let mut state = proxy.state();
    match state.faults.order(&body, faults::mistake) {
        Ok(()) => Json(json!(state.faults.waiting())).into_response(),
        Err(mistake) => (StatusCode::BAD_REQUEST, Json(json!({"error": {"message": mistake}}))).into_response(),
    }
}

async fn withdraw(State(proxy): State<Arc<Proxy>>) -> Json<Value> {
    proxy.state().faults.clear();
    Json(json!({}))
}

async fn land(State(proxy): State<Arc<Proxy>>) -> Json<Value> {
    let landed = proxy.land().await;
    let told = landed
        .iter()
        .map(|(call, status)| json!({"operation": call.operation, "function": call.function, "status": status}));
    Json(told.collect())
}

async fn requests(State(proxy): State<Arc<Proxy>>) -> Json<Value> {
    Json(proxy.state().log.json())
}

async fn forget(State(proxy): State<Arc<Proxy>>) -> Json<Value> {
    proxy.state().log.clear();
    Json(json!({}))
}
