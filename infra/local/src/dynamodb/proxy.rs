//! The proxy in front of the embedded DynamoDB. It refuses a function any call that the template doesn't allow, applies
//! injected faults, and passes every other call on.
//!
//! A call that is allowed and has no fault passes unchanged, and so does its answer. No lock is held over an await. A
//! caller that hangs up doesn't stop its call, as at DynamoDB.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response, Uri, header};
use axum::serve::ListenerExt as _;
use futures_util::stream;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::access::Access;
use super::answers;
use super::faults::{self, Call, Cancel, Delay, DropConnection, Effect, Fail, Faults, Leave, Throttle, What, When};
use super::log::Log;
use crate::developer::tell;
use crate::loopback::send_at_once;

/// DynamoDB's limit on a request.
const LARGEST_BODY: usize = 16 * 1024 * 1024;
/// Identifies the calling function: the SDK appends its `AWS_SDK_UA_APP_ID` to it.
const APP: &str = "app/";

/// The embedded DynamoDB as callers see it.
pub(super) struct Proxy {
    /// Where the embedded DynamoDB is.
    behind: Uri,
    client: Client<HttpConnector, Body>,
    access: Access,
    state: Mutex<ProxyState>,
}

/// Injected faults, calls that are still to land, and the log.
#[derive(Default)]
pub(super) struct ProxyState {
    pub faults: Faults,
    kept: Vec<Kept>,
    pub log: Log,
}

/// A dropped call that lands later.
struct Kept {
    call: Call,
    sent: Sent,
    /// Lands after this many further calls; `None` if it lands on request.
    after_calls: Option<u32>,
}

/// A call as received.
#[derive(Clone)]
struct Sent {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("closed without an answer")
    }
}

impl std::error::Error for Dropped {}

/// Serves until the future is ready; `behind` is the embedded DynamoDB, and `control` answers under `/_control`.
pub(super) async fn serve(
    listener: TcpListener,
    behind: Uri,
    access: Access,
    control: Router<Arc<Proxy>>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let proxy = Arc::new(Proxy { behind, client, access, state: Mutex::default() });
    let router = Router::new().nest("/_control", control).fallback(answer).with_state(proxy);
    let server = axum::serve(listener.tap_io(send_at_once), router).with_graceful_shutdown(shutdown);
    server.await.map_err(|problem| problem.to_string())
}

async fn answer(State(proxy): State<Arc<Proxy>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else { return no_answer() };
    let sent = Sent { method: parts.method, headers: parts.headers, body };
    // A separate task outlives the connection.
    let answered = tokio::spawn(async move {
        match sent.call() {
            Some(call) => proxy.answer_function(call, sent).await,
            None => proxy.pass_on(sent).await,
        }
    });
    answered.await.unwrap_or(Err(Dropped)).unwrap_or_else(|Dropped| no_answer())
}

/// A body that fails before its first byte, so that hyper closes the connection without having sent anything.
fn no_answer() -> Response<Body> {
    Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(Dropped)])))
}

impl Sent {
    /// The operation and the calling function, which is `None` if the caller is not one of ours.
    fn call(&self) -> Option<Call> {
        let text = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        let agent = text(header::USER_AGENT)?;
        let function = agent.split_ascii_whitespace().find_map(|part| part.strip_prefix(APP))?.to_owned();
        let target = text(header::HeaderName::from_static("x-amz-target"))?;
        Some(Call { operation: target.rsplit('.').next()?.to_owned(), function })
    }
}

impl Proxy {
    pub fn state(&self) -> MutexGuard<'_, ProxyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass_on(&self, sent: Sent) -> Result<Response<Body>, Dropped> {
        let mut request = Request::new(Body::from(sent.body));
        *request.method_mut() = sent.method;
        *request.uri_mut() = self.behind.clone();
        *request.headers_mut() = sent.headers;
        let answer = self.client.request(request).await.map_err(|_| Dropped)?;
        Ok(answer.map(Body::new))
    }

    async fn answer_function(self: &Arc<Self>, call: Call, sent: Sent) -> Result<Response<Body>, Dropped> {
        let needs = self.access.needs(&call, &sent.body);
        if let Some(refused) = self.access.refused(&call.function, &needs) {
            let message = self.access.refusal(&call.function, refused);
            tell(format_args!("DynamoDB: {message}"));
            let answer = answers::denied(&message);
            let mut state = self.state();
            let number = state.log.begin(&call, BTreeSet::new(), false);
            state.log.end(number, Some(answer.status().as_u16()));
            return Ok(answer);
        }
        let (landing, effect, number) = {
            let mut state = self.state();
            let landing = state.landing_before_a_call();
            let effect = faults::strike(&mut state.faults, &call, &sent.body);
            let number = state.log.begin(&call, needs, effect.is_some());
            (landing, effect, number)
        };
        self.execute(landing).await;
        let answer = match effect {
            None => self.pass_on(sent).await,
            Some(effect) => self.apply(&call, sent, effect).await,
        };
        let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        self.state().log.end(number, status);
        answer
    }

    async fn apply(self: &Arc<Self>, call: &Call, sent: Sent, effect: Effect) -> Result<Response<Body>, Dropped> {
        match effect {
            Effect::Fail(Fail { executed, .. }) => {
                if executed {
                    self.pass_on(sent).await?;
                }
                Ok(answers::broken())
            }
            Effect::Throttle(Throttle { throttle: What::Calls }) => Ok(answers::too_many_calls()),
            Effect::Throttle(Throttle { throttle: What::Table }) => Ok(answers::table_overloaded(call, &sent.body)),
            Effect::Cancel(Cancel { cancel }) => Ok(answers::cancelled(&sent.body, &cancel)),
            Effect::Leave(Leave { leave }) => self.leave(sent, leave).await,
            Effect::Drop(DropConnection { drop: When::Before, .. }) => Err(Dropped),
            Effect::Drop(DropConnection { drop: When::After, .. }) => self.pass_on(sent).await.and(Err(Dropped)),
            Effect::Drop(DropConnection { drop: When::Late, land_after_ms: Some(ms), .. }) => {
                let proxy = Arc::clone(self);
                tokio::spawn(async move {
                    sleep(Duration::from_millis(ms)).await;
                    proxy.pass_on(sent).await.map(drop)
                });
                Err(Dropped)
            }
            Effect::Drop(DropConnection { drop: When::Late, land_after_calls, .. }) => {
                self.state().kept.push(Kept { call: call.clone(), sent, after_calls: land_after_calls });
                Err(Dropped)
            }
            Effect::Delay(Delay { delay_ms, executed }) => {
                let delay = sleep(Duration::from_millis(delay_ms));
                if executed {
                    let answer = self.pass_on(sent).await;
                    delay.await;
                    answer
                } else {
                    delay.await;
                    self.pass_on(sent).await
                }
            }
        }
    }

    /// Answers a batch except for its last keys.
    async fn leave(&self, sent: Sent, keys: usize) -> Result<Response<Body>, Dropped> {
        let (asked, left) = answers::split_batch(&sent.body, keys);
        let asks = |request: &Value| request["Keys"].as_array().is_some_and(|keys| !keys.is_empty());
        if !asked["RequestItems"].as_object().is_some_and(|tables| tables.values().any(asks)) {
            return Ok(answers::half_a_batch(b"", left));
        }
        let mut headers = sent.headers;
        headers.remove(header::CONTENT_LENGTH);
        let answer = self.pass_on(Sent { method: sent.method, headers, body: asked.to_string().into() }).await?;
        let found = axum::body::to_bytes(answer.into_body(), LARGEST_BODY).await.map_err(|_| Dropped)?;
        Ok(answers::half_a_batch(&found, left))
    }

    /// Executes the calls that were dropped late, and reports each with its status.
    pub async fn land(&self) -> Vec<(Call, Option<u16>)> {
        let kept = std::mem::take(&mut self.state().kept);
        self.execute(kept).await
    }

    async fn execute(&self, kept: Vec<Kept>) -> Vec<(Call, Option<u16>)> {
        let mut landed = Vec::with_capacity(kept.len());
        for Kept { call, sent, .. } in kept {
            let answer = self.pass_on(sent).await;
            landed.push((call, answer.ok().map(|answer| answer.status().as_u16())));
        }
        landed
    }
}

impl ProxyState {
    /// Executes the calls that land just before the present one.
    fn landing_before_a_call(&mut self) -> Vec<Kept> {
        let (landing, kept) = std::mem::take(&mut self.kept).into_iter().partition(|kept| kept.after_calls == Some(0));
        self.kept = kept;
        for after in self.kept.iter_mut().filter_map(|kept| kept.after_calls.as_mut()) {
            *after -= 1;
        }
        landing
    }
}
