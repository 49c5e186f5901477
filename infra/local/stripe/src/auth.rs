//! Who calls, and for which account.
//!
//! Invariant: a live key is never accepted, and no key is repeated in an answer.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

use crate::call::PLATFORM;
use crate::error::{ApiError, Effect};

/// An account whose id contains this has disconnected from the platform.
const DISCONNECTED: &str = "disconnected";

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The account that a call with these headers is about.
pub(crate) fn account(headers: &HeaderMap, revoked: &HashSet<String>) -> Result<String, ApiError> {
    let Some(key) = key(headers) else {
        return Err(unauthorised(
            "You did not provide an API key. You need to provide your API key in the Authorization \
             header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See \
             https://stripe.com/docs/api#authentication for details, or we can help at \
             https://support.stripe.com/."
                .into(),
        ));
    };
    if !key.starts_with("sk_test_") && !key.starts_with("rk_test_") {
        let shown: String = key.chars().take(8).collect();
        return Err(unauthorised(format!("Invalid API Key provided: {shown}****")));
    }
    if revoked.contains(&key) {
        return Err(unauthorised("Expired API Key provided: sk_test_****".into()).code("api_key_expired"));
    }
    let Some(account) = text(headers, "stripe-account") else { return Ok(PLATFORM.into()) };
    if !account.starts_with("acct_") || account.contains(DISCONNECTED) {
        let message = format!(
            "The provided key 'sk_test_****' does not have access to account '{account}' (or that \
             account does not exist). Application access may have been revoked."
        );
        return Err(ApiError::new(403, "invalid_request_error", Effect::NotExecuted, message).code("account_invalid"));
    }
    Ok(account.into())
}

fn unauthorised(message: String) -> ApiError {
    ApiError::new(401, "invalid_request_error", Effect::NotExecuted, message)
}

/// From `Bearer KEY`, or from Basic with the key as the user, as curl's `-u KEY:` sends it.
fn key(headers: &HeaderMap) -> Option<String> {
    let given = text(headers, "authorization")?;
    let (scheme, credentials) = given.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.trim().to_owned()).filter(|key| !key.is_empty());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let key = decoded.split(':').next()?.to_owned();
    Some(key).filter(|key| !key.is_empty())
}
