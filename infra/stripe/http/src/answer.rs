//! From an HTTP request to an HTTP answer: authentication, injected faults, replays of idempotency keys, the call
//! itself, and Stripe's headers.
//!
//! No lock is held over an await. A caller that hangs up doesn't stop its call, as at Stripe. A call that an injected
//! fault hangs holds no lock and no idempotency key.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use classpay_stripe_model::{ApiError, Effect, Origin, STRIPE_VERSION, keys};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::StandIn;
use crate::auth::{self, Caller, text};
use crate::faults::{self, Action, When};
use crate::form::Form;
use crate::in_flight::Claim;
use crate::request_log::{Entry, machine_time};
use crate::{control, description, locked, pretty, routes};

/// Far above any of our calls.
const LARGEST_BODY: usize = 1024 * 1024;

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer, as ordered")]
pub(crate) struct Dropped;

/// No answer is sent.
#[derive(Debug, Clone, Copy)]
enum Unanswered {
    /// The connection is closed.
    Closed,
    /// It stays open until the caller closes it.
    Hangs,
}

/// An API call as received.
#[derive(Clone)]
pub(crate) struct Incoming {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: String,
    request_id: String,
}

impl Incoming {
    /// Only a POST needs a key; the other methods are idempotent by themselves.
    fn key(&self) -> Option<&str> {
        text(&self.headers, "idempotency-key").filter(|_| self.method == Method::POST)
    }
}

/// An answer as it is stored under its key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Remembered {
    status: u16,
    body: String,
    request: String,
}

struct Reply {
    status: u16,
    body: String,
    /// The original request, if this answer is its replay.
    original: Option<String>,
}

impl StandIn {
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Body>) -> Result<Response<Body>, Dropped> {
        let (Parts { method, uri, headers, .. }, body) = request.into_parts();
        // A body that can't be read comes from a caller that is gone, or that isn't ours.
        let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(|_| Dropped)?;
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
        // A connection without a request is not a call.
        if path == "/healthcheck" {
            return Ok(Response::new(Body::empty()));
        }
        if path.starts_with("/_control/") {
            return Ok(control::answer(&self, &method, &path, &body).await);
        }
        let request_id = self.store.lock().stripe.request_id();
        let incoming = Incoming { method, path, query, headers, body, request_id };
        // A separate task outlives the connection.
        let call = tokio::spawn(async move { self.log_and_answer(incoming).await });
        match call.await {
            Ok(Ok(response)) => Ok(response),
            // Here and not in the task, so that it ends with the connection.
            Ok(Err(Unanswered::Hangs)) => std::future::pending().await,
            Ok(Err(Unanswered::Closed)) | Err(_) => Err(Dropped),
        }
    }

    fn caller(&self, incoming: &Incoming) -> Result<Caller, ApiError> {
        auth::caller(&self.store.lock().stripe, &incoming.headers, &locked(&self.revoked), self.now())
    }

    async fn log_and_answer(&self, incoming: Incoming) -> Result<Response<Body>, Unanswered> {
        let began = machine_time();
        let caller = self.caller(&incoming);
        let result = match &caller {
            Ok(caller) => self.with_faults(&incoming, caller).await,
            Err(error) => Ok(refusal(error, &incoming)),
        };
        locked(&self.log).add(Entry {
            at: self.now(),
            method: incoming.method.to_string(),
            path: incoming.path.clone(),
            account: caller.ok().map(|caller| caller.account),
            idempotency_key: incoming.key().map(str::to_owned),
            status: result.as_ref().ok().map(|reply| reply.status),
            replayed: result.as_ref().is_ok_and(|reply| reply.original.is_some()),
            began,
            ended: machine_time(),
        });
        Ok(response(&incoming, result?))
    }

    async fn with_faults(&self, incoming: &Incoming, caller: &Caller) -> Result<Reply, Unanswered> {
        let fault = locked(&self.faults).strike(|calls, _| calls.fit(incoming.method.as_str(), &incoming.path));
        match &fault {
            Some(Action::Answer { status: 429, .. }) => {
                return Ok(refusal(&faults::rate_limited(), incoming));
            }
            Some(Action::Answer { status: 409, .. }) => {
                let key = incoming.key().unwrap_or_default();
                return Ok(refusal(&keys::in_use(key), incoming));
            }
            Some(Action::Hang { hang: When::Before }) => return Err(Unanswered::Hangs),
            Some(Action::Drop { drop: When::Before }) => return Err(Unanswered::Closed),
            Some(Action::Drop { drop: When::Late }) => {
                locked(&self.late).push((incoming.clone(), caller.clone()));
                return Err(Unanswered::Closed);
            }
            _ => {}
        }
        let claim = match self.claim(incoming, caller) {
            Ok(claim) => claim,
            Err(error) => return Ok(refusal(&error, incoming)),
        };
        if let Some(Action::Delay { delay_ms, executed: false }) = fault {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        }
        let reply = self.execute(incoming, caller, fault.as_ref()).unwrap_or_else(|error| refusal(&error, incoming));
        if let Some(Action::Delay { delay_ms, executed: true }) = fault {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        }
        drop(claim);
        match fault {
            Some(Action::Drop { drop: When::After }) => Err(Unanswered::Closed),
            Some(Action::Hang { .. }) => Err(Unanswered::Hangs),
            _ => Ok(reply),
        }
    }

    /// Its key is in use until the claim is dropped.
    fn claim(&self, incoming: &Incoming, caller: &Caller) -> Result<Option<Claim<'_>>, ApiError> {
        let Some(key) = incoming.key() else { return Ok(None) };
        keys::check(key)?;
        self.in_flight.claim(&caller.account, key).map(Some).ok_or_else(|| keys::in_use(key))
    }

    /// Executes the calls that were dropped late, and returns each with the answer that nobody received.
    pub(crate) fn land(&self) -> Vec<Value> {
        let late = std::mem::take(&mut *locked(&self.late));
        let land = |(incoming, caller): (Incoming, Caller)| {
            let reply = self.execute(&incoming, &caller, None).unwrap_or_else(|error| refusal(&error, &incoming));
            json!({ "method": incoming.method.as_str(), "path": incoming.path, "status": reply.status })
        };
        late.into_iter().map(land).collect()
    }

    /// Executes the call, or does what a fault orders instead, and stores the answer under its key. An `Err` leaves no
    /// trace: nothing was changed.
    fn execute(&self, incoming: &Incoming, caller: &Caller, fault: Option<&Action>) -> Result<Reply, ApiError> {
        let account = &caller.account;
        let form = Form::parse(&incoming.query, &incoming.body)?;
        let fingerprint = format!("{} {}\n{}", incoming.method, incoming.path, form.canonical());
        let now = self.now();
        let mut stored = self.store.lock();
        auth::permit(&stored.stripe, caller, &form, &incoming.method, &incoming.path)?;
        if let Some(key) = incoming.key()
            && let Some(Remembered { status, body, request }) = stored.keys.recall(account, key, &fingerprint, now)?
        {
            return Ok(Reply { status, body, original: Some(request) });
        }
        let version = text(&incoming.headers, "stripe-version");
        let origin = Origin { request: Some(&incoming.request_id), key: incoming.key() };
        let queued = stored.queue.len();
        let result = stored.call(account, now, origin, |call| match fault {
            Some(Action::Answer { executed: false, .. }) => Err(ApiError::broken()),
            Some(Action::Refuse { refuse }) => Err(refuse.error()),
            _ => routes::dispatch(call, &form, version, &incoming.method, &incoming.path),
        });
        let result = match (fault, result) {
            (_, Err(error)) if error.0.effect == Effect::NotExecuted => return Err(error),
            (Some(Action::Answer { executed: true, .. }), _) => Err(ApiError::broken()),
            (_, result) => result,
        };
        let reply = match &result {
            Ok(answer) => Reply { status: 200, body: pretty(answer), original: None },
            Err(error) => refusal(error, incoming),
        };
        if let Some(key) = incoming.key() {
            let (status, body) = (reply.status, reply.body.clone());
            let answer = Remembered { status, body, request: incoming.request_id.clone() };
            stored.keys.remember(account, key, fingerprint, answer, now);
        }
        // A read changes nothing, unless it finds that a hold's time has come.
        if incoming.method != Method::GET || stored.queue.len() > queued {
            self.store.keep(&stored)?;
            self.webhooks.wake();
        }
        Ok(reply)
    }
}

fn refusal(error: &ApiError, incoming: &Incoming) -> Reply {
    let mut body = error.body();
    let url = format!("https://dashboard.stripe.com/test/logs/{}", incoming.request_id);
    body["error"]["request_log_url"] = url.into();
    if let Err(wrong) = description::check_error(&body) {
        return Reply { status: wrong.0.status, body: pretty(&wrong.body()), original: None };
    }
    Reply { status: error.0.status, body: pretty(&body), original: None }
}

fn response(incoming: &Incoming, reply: Reply) -> Response<Body> {
    let version = text(&incoming.headers, "stripe-version").unwrap_or(STRIPE_VERSION);
    let mut response = Response::builder()
        .status(reply.status)
        .header("content-type", "application/json")
        .header("request-id", &incoming.request_id)
        .header("stripe-version", version);
    if let Some(account) = text(&incoming.headers, "stripe-account") {
        response = response.header("stripe-account", account);
    }
    if let Some(key) = incoming.key() {
        let original = reply.original.as_ref().unwrap_or(&incoming.request_id);
        response = response.header("idempotency-key", key).header("original-request", original);
    }
    if reply.original.is_some() {
        response = response.header("idempotent-replayed", "true");
    }
    response.body(Body::from(reply.body)).expect("made of a known status and received headers")
}
