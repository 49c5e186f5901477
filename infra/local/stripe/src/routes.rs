//! Which call goes where.
//!
//! Invariant: every call that isn't here is answered as Stripe answers for an address it doesn't
//! have; nothing is guessed.

use http::Method;

use crate::call::{Answer, Call};
use crate::error::{ApiError, Effect};
use crate::objects::{self, customer_sessions, customers, disputes, ephemeral_keys, payment_methods, refunds};
use crate::{events, expand, intents};

pub(crate) fn dispatch(call: &Call, method: &Method, path: &str) -> Answer {
    let mut answer = handle(call, method, path)?;
    expand::apply(call, &mut answer)?;
    Ok(answer)
}

fn handle(call: &Call, method: &Method, path: &str) -> Answer {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (method.as_str(), segments.as_slice()) {
        (_, segments) if segments.contains(&"") => Err(unrecognised(method, path)),
        ("POST", ["v1", "payment_intents"]) => intents::create(call),
        ("GET", ["v1", "payment_intents"]) => intents::list(call),
        ("GET", ["v1", "payment_intents", id]) => intents::retrieve(call, id),
        ("POST", ["v1", "payment_intents", id]) => intents::update(call, id),
        ("POST", ["v1", "payment_intents", id, "confirm"]) => intents::confirm(call, id),
        ("POST", ["v1", "payment_intents", id, "capture"]) => intents::capture(call, id),
        ("POST", ["v1", "payment_intents", id, "cancel"]) => intents::cancel(call, id),
        ("GET", ["v1", "events"]) => events::list(call),
        ("GET", ["v1", "events", id]) => events::retrieve(call, id),
        ("POST", ["v1", "refunds"]) => refunds::create(call),
        ("GET", ["v1", "refunds"]) => refunds::list(call),
        ("GET", ["v1", "refunds", id]) => refunds::retrieve(call, id),
        ("POST", ["v1", "refunds", id]) => refunds::update(call, id),
        ("POST", ["v1", "refunds", id, "cancel"]) => refunds::cancel(call, id),
        ("GET", ["v1", "disputes"]) => disputes::list(call),
        ("GET", ["v1", "disputes", id]) => disputes::retrieve(call, id),
        ("POST", ["v1", "disputes", id, "close"]) => disputes::accept(call, id),
        ("GET", ["v1", "charges"]) => objects::list_charges(call),
        ("GET", ["v1", "charges", id]) => objects::retrieve_charge(call, id),
        ("POST", ["v1", "customers"]) => customers::create(call),
        ("GET", ["v1", "customers"]) => customers::list(call),
        ("GET", ["v1", "customers", id]) => customers::retrieve(call, id),
        ("POST", ["v1", "customers", id]) => customers::update(call, id),
        ("DELETE", ["v1", "customers", id]) => customers::delete(call, id),
        ("GET", ["v1", "customers", id, "payment_methods"]) => payment_methods::list_of_customer(call, id),
        ("GET", ["v1", "payment_methods"]) => payment_methods::list(call),
        ("GET", ["v1", "payment_methods", id]) => payment_methods::retrieve(call, id),
        ("POST", ["v1", "payment_methods", id, "attach"]) => payment_methods::attach(call, id),
        ("POST", ["v1", "payment_methods", id, "detach"]) => payment_methods::detach(call, id),
        ("POST", ["v1", "customer_sessions"]) => customer_sessions::create(call),
        ("POST", ["v1", "ephemeral_keys"]) => ephemeral_keys::create(call),
        ("DELETE", ["v1", "ephemeral_keys", id]) => ephemeral_keys::delete(call, id),
        _ => Err(unrecognised(method, path)),
    }
}

fn unrecognised(method: &Method, path: &str) -> ApiError {
    let message = format!(
        "Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove \
         the trailing slash. If you are trying to retrieve an object, make sure you passed a valid \
         (non-empty) identifier in your code. Please see https://stripe.com/docs or we can help at \
         https://support.stripe.com/."
    );
    ApiError::new(404, "invalid_request_error", Effect::NotExecuted, message)
}

/// `/v1/payment_intents/pi_…/capture` → `/v1/payment_intents/{id}/capture`.
pub(crate) fn pattern(path: &str) -> String {
    let segments = path.split('/').enumerate().map(|(index, segment)| {
        // "", "v1", the kind, an id, what to do with it, an id again.
        let is_id = index >= 3 && index % 2 == 1;
        if is_id { "{id}" } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn ids_are_left_out_of_a_pattern() {
        for (path, expected) in [
            ("/v1/payment_intents", "/v1/payment_intents"),
            ("/v1/payment_intents/pi_1", "/v1/payment_intents/{id}"),
            ("/v1/payment_intents/pi_1/capture", "/v1/payment_intents/{id}/capture"),
        ] {
            assert_eq!(pattern(path), expected);
        }
    }
}
