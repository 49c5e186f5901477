//! Secrets Manager, as far as the functions and a rotation need it: one secret's value, read and replaced.
//!
//! It answers programs on this machine only. What it holds stays in memory and is worthless, unless it is the
//! developer's own test key.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

/// The path at which the API serves it.
pub const PATH: &str = "/_local/secrets";
/// The name of the secret that holds the platform's Stripe key.
pub const STRIPE_KEY_ARN: &str = "arn:aws:secretsmanager:eu-west-2:000000000000:secret:classpay-stripe-key-aaaaaa";
/// The name of the secret with which Stripe signs its events.
pub const WEBHOOK_SIGNING_ARN: &str = "arn:aws:secretsmanager:eu-west-2:000000000000:secret:classpay-webhook-aaaaaa";

/// Signs the stand-in's events. It protects nothing.
pub const LOCAL_WEBHOOK_SECRET: &str = "whsec_local";

const OPERATIONS: &str = "secretsmanager.";

/// The platform's Stripe key. Its type keeps it from being printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct PlatformKey(pub String);

impl fmt::Debug for PlatformKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlatformKey(…)")
    }
}

/// The stack's secrets, by ARN.
pub struct Secrets(Mutex<BTreeMap<String, String>>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    secret_id: String,
    secret_string: Option<String>,
}

impl Secrets {
    /// The two secrets of a stack that calls Stripe with this key.
    #[must_use]
    pub fn with(stripe_key: &PlatformKey) -> Self {
        let secrets = [(STRIPE_KEY_ARN, stripe_key.0.as_str()), (WEBHOOK_SIGNING_ARN, LOCAL_WEBHOOK_SECRET)];
        Self(Mutex::new(secrets.map(|(arn, value)| (arn.to_owned(), value.to_owned())).into()))
    }

    /// Answers `GetSecretValue` and `PutSecretValue`.
    #[must_use]
    pub fn answer(&self, headers: &HeaderMap, body: &str) -> Response {
        let operation = headers.get("x-amz-target").and_then(|target| target.to_str().ok()?.strip_prefix(OPERATIONS));
        let Ok(asked) = serde_json::from_str::<Asked>(body) else {
            return refused("InvalidRequestException", "the body is not understood here");
        };
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(secret) = secrets.get_mut(&asked.secret_id) else {
            return refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
        };
        match (operation, asked.secret_string) {
            (Some("GetSecretValue"), None) => {
                answered(json!({"ARN": asked.secret_id, "Name": asked.secret_id, "SecretString": *secret}))
            }
            (Some("PutSecretValue"), Some(value)) => {
                *secret = value;
                answered(json!({"ARN": asked.secret_id, "Name": asked.secret_id}))
            }
            _ => refused("InvalidRequestException", "only GetSecretValue and PutSecretValue are answered here"),
        }
    }
}

const AMZ_JSON: &str = "application/x-amz-json-1.1";

fn answered(body: Value) -> Response {
    ([(header::CONTENT_TYPE, AMZ_JSON)], body.to_string()).into_response()
}

fn refused(kind: &str, message: &str) -> Response {
    let body = json!({"__type": kind, "message": message}).to_string();
    (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, AMZ_JSON)], body).into_response()
}
