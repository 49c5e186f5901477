//! How a function starts and serves: its log, its connections, one request after the other.
//!
//! Configuration errors surface here, before the first request. A request that panics is answered as our fault, and the
//! next one is served.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lambda_http::{Body, Request};
use tracing::Instrument as _;
use tracing_subscriber::EnvFilter;

use crate::api::{Endpoint, Response, answer, respond};
use crate::clock::machine_ms;
use crate::config::Config;
use crate::context::{Context, StartError};
use crate::error::Error;
use crate::telemetry::line::{self, Outcome, Place, RequestSummary};
use crate::telemetry::observe;

/// A running function.
#[derive(Debug)]
pub struct Function {
    /// Its context.
    pub ctx: Context,
    place: Place,
}

/// Sets up the log and connects. The result lives as long as the process.
///
/// # Errors
/// [`StartError`]: a variable that is missing or malformed, a secret that can't be read.
pub async fn start() -> Result<&'static Function, StartError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Lambda stores each line of standard output as one entry, and adds the timestamp.
    let log = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_target(false)
        .with_current_span(true)
        .with_span_list(false);
    log.without_time().init();
    let config = Config::from_environment()?;
    let place = Place { service: config.service.clone(), function: config.function.clone() };
    Ok(Box::leak(Box::new(Function { ctx: Context::connect(config).await?, place })))
}

/// Serves an endpoint for as long as the process lives.
///
/// # Errors
/// [`StartError`], and fatal errors of the runtime.
pub async fn serve<H>(endpoint: Endpoint, handle: H) -> Result<(), lambda_http::Error>
where
    H: for<'a> Fn(&'a Context, &'a Request) -> BoxFuture<'a, Result<Response, Error>> + Sync,
{
    let function = start().await?;
    let handle = &handle;
    let answer =
        |request: Request| async move { function.serve(endpoint, &request, handle(&function.ctx, &request)).await };
    lambda_http::run(lambda_http::service_fn(answer)).await
}

impl Function {
    /// Serves a request of an endpoint; `handled` is the handler's future.
    ///
    /// # Errors
    /// Never: a refusal is an answer too.
    pub async fn serve(
        &self,
        endpoint: Endpoint,
        request: &Request,
        handled: impl Future<Output = Result<Response, Error>> + Send,
    ) -> Result<lambda_http::Response<Body>, Infallible> {
        let request_id = respond::request_id(request);
        let began = Instant::now();
        let span = tracing::info_span!("request", request_id);
        let (result, metrics) = observe(AssertUnwindSafe(handled).catch_unwind().instrument(span)).await;
        let result = result.unwrap_or_else(|_| Err(Error::internal("the handler has panicked")));
        let refusal = result.as_ref().err();
        let summary = RequestSummary {
            request_id,
            outcome: match refusal {
                None => Outcome::Answered,
                Some(error) if error.is_refusal() => Outcome::Refused,
                Some(_) => Outcome::Failed,
            },
            status: Some(match &result {
                Ok(response) => response.status().as_u16(),
                Err(error) => endpoint.status_of(error.code),
            }),
            code: refusal.map(|refusal| refusal.code.as_str()),
            cause: refusal.and_then(|refusal| refusal.cause.as_deref()),
            took: began.elapsed(),
            at_ms: machine_ms(),
        };
        line::write(&self.place, &summary, &metrics);
        Ok(answer(result, endpoint, request_id))
    }

    /// Makes a scheduled run; `done` is the run's future.
    ///
    /// # Errors
    /// Those of the run.
    pub async fn run<T>(
        &self,
        request_id: &str,
        done: impl Future<Output = Result<T, lambda_http::Error>> + Send,
    ) -> Result<T, lambda_http::Error> {
        let began = Instant::now();
        let span = tracing::info_span!("request", request_id);
        let (result, metrics) = observe(done.instrument(span)).await;
        let cause = result.as_ref().err().map(ToString::to_string);
        let summary = RequestSummary {
            request_id,
            outcome: if result.is_ok() { Outcome::Done } else { Outcome::Failed },
            status: None,
            code: None,
            cause: cause.as_deref(),
            took: began.elapsed(),
            at_ms: machine_ms(),
        };
        line::write(&self.place, &summary, &metrics);
        result
    }
}
