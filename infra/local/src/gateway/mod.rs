//! The API as API Gateway's HTTP API presents it: routes, tokens, the event that a function receives, the answer that a
//! caller receives, and the gateway's own refusals.
//!
//! The gateway listens on 127.0.0.1 only, and a function sees nothing here that it would not see in the cloud. The
//! stack's own paths are under `/_local/` and `/docs`, which reach no function.

mod answer;
mod cors;
mod docs;
mod event;
mod local;
mod routes;
mod token;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::loopback::send_at_once;
use crate::random;
use crate::runtime::{PAYLOAD_LIMIT_BYTES, Pools};
use crate::secrets::{self, Secrets};
use crate::studio::Loaded;
use crate::template::{Authorizer, Template};

use answer::Refusal;
use event::Incoming;
use routes::Matched;

/// The largest request of an HTTP API.
const BODY_LIMIT_BYTES: usize = 10 * 1024 * 1024;

/// An HTTP API's timeout for its integration. It can't be set higher.
pub const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// The header that identifies a request, for reports of errors.
const REQUEST_ID: &str = "apigw-requestid";

/// The state shared by all requests.
pub struct Gateway {
    template: Template,
    pools: Arc<Pools>,
    clock: Arc<Clock>,
    secrets: Secrets,
    integration_timeout: Duration,
    studio: Loaded,
}

impl Gateway {
    /// Makes a gateway to these functions.
    #[must_use]
    pub fn new(
        template: Template,
        pools: Arc<Pools>,
        clock: Arc<Clock>,
        secrets: Secrets,
        integration_timeout: Duration,
        studio: Loaded,
    ) -> Arc<Self> {
        Arc::new(Self { template, pools, clock, secrets, integration_timeout, studio })
    }

    /// Serves until the future is ready, then finishes the requests in progress.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let router = Router::new()
            .route("/_local/env/{function}", get(local::environment))
            .route("/_local/clock", post(local::move_clock))
            .route(&format!("{}/", secrets::PATH), post(local::secret))
            .route("/_local/event/{function}", get(local::event))
            .route("/_local/run/{function}", post(local::run))
            .route("/_local/invoke/{function}", post(local::invoke))
            .route("/docs", get(docs::index))
            .route("/docs/callers.json", get(docs::callers))
            .route("/docs/openapi.json", get(docs::description))
            .route("/docs/{file}", get(docs::file))
            .fallback(answer_request)
            .with_state(self);
        let listener = listener.tap_io(send_at_once);
        axum::serve(listener, router).with_graceful_shutdown(shutdown).await
    }

    async fn answer(self: &Arc<Self>, request: Request, request_id: &str) -> Result<Response, Refusal> {
        let (parts, body) = request.into_parts();
        if let Some(cors) = self.template.cors.as_ref().filter(|_| cors::is_preflight(&parts)) {
            let origin = cors::allowed_origin(Some(cors), &parts.headers);
            return Ok(cors::preflight(cors, origin));
        }
        let Matched { route, parameters } =
            routes::find(&self.template.routes, parts.method.as_str(), parts.uri.path()).ok_or(Refusal::NotFound)?;
        let claims = match route.authorizer {
            Authorizer::None => None,
            Authorizer::Jwt => Some(token::check(&parts.headers).map_err(Refusal::Unauthorized)?),
        };
        let body = axum::body::to_bytes(body, BODY_LIMIT_BYTES).await.map_err(|_| Refusal::TooLarge)?;
        let incoming = Incoming { parts: &parts, body, route, parameters, claims, request_id, at: self.clock.now() };
        let payload = event::payload(&incoming);
        if payload.len() > PAYLOAD_LIMIT_BYTES {
            return Err(Refusal::TooLarge);
        }
        let pool = self.pools.get(&route.function).ok_or(Refusal::Unavailable)?;
        // Runs in a task of its own: neither a caller that disconnects nor a gateway timeout stops a function.
        let pool = Arc::clone(pool);
        let invocation = tokio::spawn(async move { pool.invoke(payload.into()).await });
        match timeout(self.integration_timeout, invocation).await {
            Err(_) => Err(Refusal::Unavailable),
            Ok(Ok(Ok(given))) => answer::from_function(&given).ok_or(Refusal::ServerError),
            Ok(Ok(Err(_)) | Err(_)) => Err(Refusal::ServerError),
        }
    }
}

async fn answer_request(State(gateway): State<Arc<Gateway>>, request: Request) -> Response<Body> {
    let request_id = random::gateway_request_id();
    let cors = gateway.template.cors.as_ref();
    let origin = cors::allowed_origin(cors, request.headers()).cloned();
    let mut response = match gateway.answer(request, &request_id).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Some((cors, origin)) = cors.zip(origin) {
        cors::mark(response.headers_mut(), cors, origin);
    }
    response
}
