//! The webhook endpoint, and the signatures of its events.
//!
//! Invariant: the address is on this machine, and no secret is ever returned.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use http::Uri;
use sha2::Sha256;

/// Events can't be delivered to this endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EndpointError(String);

#[derive(Clone)]
pub(crate) struct Endpoint {
    pub uri: Uri,
    secrets: Vec<String>,
}

impl Endpoint {
    pub fn new(url: &str, secrets: &[&str]) -> Result<Self, EndpointError> {
        let wrong = |why: &str| EndpointError(format!("events can't be delivered to {url}: {why}"));
        let uri: Uri = url.parse().map_err(|_| wrong("that is no address"))?;
        let loopback = matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if uri.scheme_str() != Some("http") || !loopback {
            return Err(wrong("it must be http:// on 127.0.0.1, [::1] or localhost"));
        }
        if secrets.is_empty() || secrets.contains(&"") {
            return Err(wrong("at least one secret is needed, and none may be empty"));
        }
        Ok(Self { uri, secrets: secrets.iter().map(|&secret| secret.to_owned()).collect() })
    }

    pub fn secrets(&self) -> usize {
        self.secrets.len()
    }

    pub fn with_a_wrong_secret(mut self) -> Self {
        self.secrets = vec!["whsec_of_somebody_else".into()];
        self
    }

    /// The `Stripe-Signature` header: one `v1` for each secret.
    pub fn signature(&self, body: &str, now: i64) -> String {
        let mut header = format!("t={now}");
        for secret in &self.secrets {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
            mac.update(format!("{now}.{body}").as_bytes());
            header += ",v1=";
            for byte in mac.finalize().into_bytes() {
                write!(header, "{byte:02x}").expect("a string takes any text");
            }
        }
        header
    }
}
