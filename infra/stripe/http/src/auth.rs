//! Authentication: the caller, the account of the call, and what the key may access there.
//!
//! Invariant: a live key is never accepted, and no answer repeats a key. An ephemeral key accesses its own customer and
//! that customer's payment methods, and nothing else.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use classpay_stripe_model::ephemeral_keys::SECRET;
use classpay_stripe_model::{ApiError, Effect, EphemeralKey, PLATFORM, PaymentMethod, State};
use http::{HeaderMap, Method};

use crate::form::Form;

/// An account whose id contains this text has disconnected from the platform.
const DISCONNECTED: &str = "disconnected";

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// An authenticated caller.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The account that the call concerns.
    pub account: String,
    /// The only customer that the key may access, if it is an ephemeral key.
    pub customer: Option<String>,
}

/// Authenticates the caller by these headers.
pub(crate) fn caller(
    state: &State,
    headers: &HeaderMap,
    revoked: &HashSet<String>,
    now: i64,
) -> Result<Caller, ApiError> {
    let Some(key) = key(headers) else {
        return Err(unauthorised(
            "You did not provide an API key. You need to provide your API key in the Authorization \
             header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See \
             https://stripe.com/docs/api#authentication for details, or we can help at \
             https://support.stripe.com/."
                .into(),
        ));
    };
    if key.starts_with(SECRET) {
        return ephemeral(state, headers, &key, now);
    }
    if !key.starts_with("sk_test_") && !key.starts_with("rk_test_") {
        let shown: String = key.chars().take(8).collect();
        return Err(unauthorised(format!("Invalid API Key provided: {shown}****")));
    }
    if revoked.contains(&key) {
        return Err(unauthorised("Expired API Key provided: sk_test_****".into()).code("api_key_expired"));
    }
    let Some(account) = text(headers, "stripe-account") else {
        return Ok(Caller { account: PLATFORM.into(), customer: None });
    };
    let left = state.account(account).disconnected;
    if !account.starts_with("acct_") || account.contains(DISCONNECTED) || left {
        return Err(no_access("sk_test_****", account));
    }
    Ok(Caller { account: account.into(), customer: None })
}

/// An ephemeral key implies its account; a header may only repeat it.
fn ephemeral(state: &State, headers: &HeaderMap, key: &str, now: i64) -> Result<Caller, ApiError> {
    let Some((account, found)) = EphemeralKey::of_secret(state, key) else {
        return Err(unauthorised("Invalid API Key provided: ek_test_****".into()));
    };
    if now >= found.expires {
        return Err(unauthorised("Expired API Key provided: ek_test_****".into()).code("api_key_expired"));
    }
    if let Some(other) = text(headers, "stripe-account").filter(|other| *other != account) {
        return Err(no_access("ek_test_****", other));
    }
    Ok(Caller { customer: Some(found.customer.clone()), account: account.to_owned() })
}

fn no_access(key: &str, account: &str) -> ApiError {
    let message = format!(
        "The provided key '{key}' does not have access to account '{account}' (or that account \
         does not exist). Application access may have been revoked."
    );
    ApiError::new(403, "invalid_request_error", Effect::NotExecuted, message).code("account_invalid")
}

/// Whether the caller's key permits this call.
pub(crate) fn permit(state: &State, caller: &Caller, form: &Form, method: &Method, path: &str) -> Result<(), ApiError> {
    let Caller { account, customer: Some(customer) } = caller else { return Ok(()) };
    let mut named = form.pairs.iter().filter(|(name, _)| name == "customer").peekable();
    let mut is_named = || named.peek().is_some() && named.all(|(_, value)| value == customer);
    let segments: Vec<&str> = path.split('/').skip(2).collect();
    let permitted = match (method.as_str(), segments.as_slice()) {
        ("GET", ["customers", id] | ["customers", id, "payment_methods"]) => *id == customer,
        ("GET", ["payment_methods"]) | ("POST", ["payment_methods", _, "attach"]) => is_named(),
        ("POST", ["payment_methods", id, "detach"]) => {
            let method = state.get::<PaymentMethod>(account, id);
            method.is_some_and(|method| method.customer.as_ref() == Some(customer))
        }
        _ => false,
    };
    if permitted {
        return Ok(());
    }
    let message = format!(
        "The provided key 'ek_test_****' does not have the required permissions for this endpoint \
         on account '{account}'. Having more permissions would allow this request to continue."
    );
    Err(ApiError::new(403, "invalid_request_error", Effect::NotExecuted, message))
}

fn unauthorised(message: String) -> ApiError {
    ApiError::new(401, "invalid_request_error", Effect::NotExecuted, message)
}

/// Reads the key from `Bearer KEY`, or from Basic with the key as the user, as curl's `-u KEY:` sends it.
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
