//! The tokens callers bring, as API Gateway's JWT authorizer checks them, and the ones this stack
//! gives out.
//!
//! Invariant: the key is public and worth nothing: no deployed API trusts its issuer. Expiry is
//! measured with the machine's own clock, so that moving the stack's locks nobody out.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::{Map, Value, json};

use crate::clock::machine_time;

/// Who signs the local tokens. `.invalid` never resolves.
pub const ISSUER: &str = "https://local.classpay.invalid/";

/// Whom the local tokens are for.
pub const AUDIENCE: &str = "classpay-local";

/// What signs them. It protects nothing: the stack listens on loopback only.
pub const DEVELOPMENT_KEY: &[u8] = b"classpay local development key: not a secret, trusted by no deployed API";

/// Long enough for a day at the keyboard.
const LIFETIME_S: i64 = 24 * 60 * 60;

/// Whom a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A member of the studio's staff.
    Staff,
    /// A family, by its id.
    Family(String),
}

/// A bearer token for a day.
#[must_use]
pub fn mint_token(company_id: &str, holder: &Holder) -> String {
    let now = machine_time().as_second();
    let mut claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + LIFETIME_S,
        "company_id": company_id,
    });
    match holder {
        Holder::Staff => {
            claims["role"] = json!("staff");
            claims["sub"] = json!(format!("staff:{company_id}"));
        }
        Holder::Family(family_id) => {
            claims["role"] = json!("family");
            claims["family_id"] = json!(family_id);
            claims["sub"] = json!(format!("family:{family_id}"));
        }
    }
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(DEVELOPMENT_KEY))
        .expect("HS256 signs any JSON with any key")
}

/// The claims of the request's token, every value as text; otherwise the challenge to answer with.
pub(super) fn check(headers: &HeaderMap) -> Result<BTreeMap<String, String>, String> {
    let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return Err("Bearer".to_owned());
    };
    let value = value.trim();
    // The prefix may be left out, as there.
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value,
    };
    if token.is_empty() {
        return Err("Bearer".to_owned());
    }
    let mut rules = Validation::new(Algorithm::HS256);
    rules.leeway = 0;
    rules.validate_nbf = true;
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "iss", "aud"]);
    let claims = decode::<Map<String, Value>>(token, &DecodingKey::from_secret(DEVELOPMENT_KEY), &rules)
        .map_err(|error| challenge(error.kind()))?
        .claims;
    Ok(claims.iter().map(|(name, value)| (name.clone(), as_text(value))).collect())
}

fn challenge(problem: &ErrorKind) -> String {
    let description = match problem {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the issuer is invalid",
        ErrorKind::InvalidAudience => "the audience is invalid",
        ErrorKind::InvalidSignature => "the signature is invalid",
        ErrorKind::InvalidAlgorithm => "the signing method is invalid",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks a required claim",
        _ => "the token is malformed",
    };
    format!(r#"Bearer scope="" error="invalid_token" error_description="{description}""#)
}

/// An authorizer passes every claim on as text: a list as `[a b]`.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => format!("[{}]", values.iter().map(as_text).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}
