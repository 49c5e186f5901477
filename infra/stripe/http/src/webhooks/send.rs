//! One POST to the endpoint.
//!
//! Every attempt uses its own connection and has a timeout, so that a receiver that restarts or hangs costs only one
//! attempt.

use std::time::Duration;

use axum::body::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::webhooks::endpoint::Endpoint;

/// In real time: a receiver doesn't follow the stand-in's clock.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Sender(Client<HttpConnector, Full<Bytes>>);

impl Default for Sender {
    fn default() -> Self {
        Self(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http())
    }
}

impl Sender {
    /// The status, or why there is none.
    pub async fn send(&self, endpoint: &Endpoint, body: &str, now: i64) -> Result<u16, String> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(&endpoint.uri)
            .header("accept", "*/*; q=0.5, application/xml")
            .header("cache-control", "no-cache")
            .header("content-type", "application/json; charset=utf-8")
            .header("stripe-signature", endpoint.signature(body, now))
            .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
            .body(Full::new(Bytes::from(body.to_owned())))
            .expect("made of known parts");
        let exchange = async {
            let response = self.0.request(request).await.map_err(|error| said(&error))?;
            let status = response.status().as_u16();
            // The answer counts only when it is complete.
            response.into_body().collect().await.map_err(|error| said(&error))?;
            Ok(status)
        };
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err("timed out".into()))
    }
}

/// Includes the causes, because the outermost error says only that a request failed.
fn said(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words += &format!(": {error}");
        cause = error.source();
    }
    words
}
