//! Bearer tokens, checked as API Gateway's JWT authorizer checks them.
//!
//! Invariant: expiry is measured by the machine's own clock, so moving the stack's clock locks nobody out.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use classpay_operator::token::{AUDIENCE, DEVELOPMENT_KEY, ISSUER};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Map, Value};

/// The claims of the request's token, every value as text; otherwise the challenge to answer with.
pub(super) fn check(headers: &HeaderMap) -> Result<BTreeMap<String, String>, String> {
    let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return Err("Bearer".to_owned());
    };
    let value = value.trim();
    // The prefix is optional, as it is at API Gateway.
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

/// An authorizer passes every claim as text: a list as `[a b]`.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => format!("[{}]", values.iter().map(as_text).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}
