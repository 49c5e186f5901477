//! The Runtime API of one process: `/2018-06-01/runtime/…` as the Lambda documentation has it.
//!
//! Invariant: one event at a time. The next event is handed out only when the last was answered, and an answer counts
//! only for the current event.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::PAYLOAD_LIMIT_BYTES;
use crate::clock::machine_time;
use crate::random;

/// How an event ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Answered(Bytes),
    Failed(Bytes),
}

/// An event on its way to a process.
#[derive(Debug)]
pub(super) struct Event {
    pub payload: Bytes,
    /// Notified when the process has the event.
    pub taken: oneshot::Sender<()>,
    pub outcome: oneshot::Sender<Outcome>,
}

/// The state shared by the process's requests.
pub(super) struct Desk {
    arn: String,
    timeout: Duration,
    /// Only one request waits at a time. The lock is there for the type, not for contention.
    waiting: tokio::sync::Mutex<mpsc::Receiver<Event>>,
    out: Mutex<Option<(String, oneshot::Sender<Outcome>)>>,
    /// The error that the process reported when it started.
    init_error: Mutex<Option<String>>,
}

impl Desk {
    pub fn new(arn: String, timeout: Duration, events: mpsc::Receiver<Event>) -> Arc<Self> {
        Arc::new(Self {
            arn,
            timeout,
            waiting: tokio::sync::Mutex::new(events),
            out: Mutex::new(None),
            init_error: Mutex::new(None),
        })
    }

    pub fn init_error(&self) -> Option<String> {
        self.init_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Completes the current event, if it has this id.
    fn settle(&self, id: &str, outcome: Outcome) -> bool {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.take() {
            Some((current, sender)) if current == id => {
                // The receiver is gone if the event has timed out.
                drop(sender.send(outcome));
                true
            }
            other => {
                *out = other;
                false
            }
        }
    }
}

pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::max(PAYLOAD_LIMIT_BYTES))
        .with_state(desk)
}

async fn next(State(desk): State<Arc<Desk>>) -> Response {
    let unanswered = desk.out.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((_, sender)) = unanswered {
        drop(sender.send(Outcome::Failed(Bytes::from_static(b"asked for the next event without answering the last"))));
    }
    let Some(event) = desk.waiting.lock().await.recv().await else {
        return (StatusCode::GONE, "the stack is ending").into_response();
    };
    let id = random::uuid();
    *desk.out.lock().unwrap_or_else(PoisonError::into_inner) = Some((id.clone(), event.outcome));
    event.taken.send(()).unwrap_or_default();
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline_ms(desk.timeout).to_string()),
        ("lambda-runtime-invoked-function-arn", desk.arn.clone()),
        ("lambda-runtime-trace-id", format!("{};Parent={};Sampled=0", random::trace_root(), random::hex(16))),
        (header::CONTENT_TYPE.as_str(), "application/json".to_owned()),
    ];
    (StatusCode::OK, headers, event.payload).into_response()
}

/// By the machine's clock, not the stack's, because a process measures its remaining time with it.
fn deadline_ms(timeout: Duration) -> i64 {
    machine_time().as_millisecond().saturating_add(i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX))
}

async fn response(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match body {
        Ok(body) => receipt(desk.settle(&id, Outcome::Answered(body))),
        Err(rejection) => {
            let report =
                r#"{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"the answer is larger than 6 MB"}"#;
            desk.settle(&id, Outcome::Failed(Bytes::from_static(report.as_bytes())));
            rejection.into_response()
        }
    }
}

async fn error(State(desk): State<Arc<Desk>>, Path(id): Path<String>, body: Bytes) -> Response {
    receipt(desk.settle(&id, Outcome::Failed(body)))
}

async fn init_error(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    let report = String::from_utf8_lossy(&body).into_owned();
    *desk.init_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    receipt(true)
}

fn receipt(known: bool) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    if known {
        (StatusCode::ACCEPTED, json, r#"{"status":"OK"}"#).into_response()
    } else {
        let body = r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#;
        (StatusCode::BAD_REQUEST, json, body).into_response()
    }
}
