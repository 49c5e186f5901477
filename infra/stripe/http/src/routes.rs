//! Routes calls, and checks requests and answers against Stripe's description.
//!
//! Invariant: a call that isn't listed here is answered as Stripe answers for an unknown address; nothing is guessed.
//! Every listed call has the name that Stripe's description gives it.

use http::Method;

use crate::call::{Answer, Call};
use crate::description::{self, Parameters};
use crate::error::{ApiError, Effect};
use crate::form::Form;
use crate::objects::{self, customer_sessions, customers, disputes, ephemeral_keys, payment_methods, refunds};
use crate::{events, expand, intents};

/// The handler: for a kind of object, or for one object.
#[derive(Clone, Copy)]
enum Handler {
    Kind(fn(&Call) -> Answer),
    One(fn(&Call, &str) -> Answer),
}

use Handler::{Kind, One};

const ROUTES: &[(&str, &str, Handler)] = &[
    ("POST", "/v1/payment_intents", Kind(intents::create)),
    ("GET", "/v1/payment_intents", Kind(intents::list)),
    ("GET", "/v1/payment_intents/{intent}", One(intents::retrieve)),
    ("POST", "/v1/payment_intents/{intent}", One(intents::update)),
    ("POST", "/v1/payment_intents/{intent}/confirm", One(intents::confirm)),
    ("POST", "/v1/payment_intents/{intent}/capture", One(intents::capture)),
    ("POST", "/v1/payment_intents/{intent}/cancel", One(intents::cancel)),
    ("GET", "/v1/events", Kind(events::list)),
    ("GET", "/v1/events/{id}", One(events::retrieve)),
    ("POST", "/v1/refunds", Kind(refunds::create)),
    ("GET", "/v1/refunds", Kind(refunds::list)),
    ("GET", "/v1/refunds/{refund}", One(refunds::retrieve)),
    ("POST", "/v1/refunds/{refund}", One(refunds::update)),
    ("POST", "/v1/refunds/{refund}/cancel", One(refunds::cancel)),
    ("GET", "/v1/disputes", Kind(disputes::list)),
    ("GET", "/v1/disputes/{dispute}", One(disputes::retrieve)),
    ("POST", "/v1/disputes/{dispute}/close", One(disputes::accept)),
    ("GET", "/v1/charges", Kind(objects::list_charges)),
    ("GET", "/v1/charges/{charge}", One(objects::retrieve_charge)),
    ("POST", "/v1/customers", Kind(customers::create)),
    ("GET", "/v1/customers", Kind(customers::list)),
    ("GET", "/v1/customers/{customer}", One(customers::retrieve)),
    ("POST", "/v1/customers/{customer}", One(customers::update)),
    ("DELETE", "/v1/customers/{customer}", One(customers::delete)),
    ("GET", "/v1/customers/{customer}/payment_methods", One(payment_methods::list_of_customer)),
    ("GET", "/v1/payment_methods", Kind(payment_methods::list)),
    ("GET", "/v1/payment_methods/{payment_method}", One(payment_methods::retrieve)),
    ("POST", "/v1/payment_methods/{payment_method}/attach", One(payment_methods::attach)),
    ("POST", "/v1/payment_methods/{payment_method}/detach", One(payment_methods::detach)),
    ("POST", "/v1/customer_sessions", Kind(customer_sessions::create)),
    ("POST", "/v1/ephemeral_keys", Kind(ephemeral_keys::create)),
    ("DELETE", "/v1/ephemeral_keys/{key}", One(ephemeral_keys::delete)),
];

/// A call's name in Stripe's description: `GET /v1/charges/{charge}`.
fn name(method: &str, template: &str) -> String {
    format!("{method} {template}")
}

/// A listed call, by its name, with the parameters of its path.
struct Found<'a> {
    name: String,
    handler: Handler,
    ids: Vec<(&'a str, &'a str)>,
}

fn find<'a>(method: &str, path: &'a str) -> Option<Found<'a>> {
    let mut routes = ROUTES.iter().filter(|(of, ..)| *of == method);
    routes.find_map(|(of, template, handler)| {
        let ids = in_path(template, path)?;
        Some(Found { name: name(of, template), handler: *handler, ids })
    })
}

pub(crate) fn dispatch(call: &Call, method: &Method, path: &str) -> Answer {
    let Some(Found { name, handler, ids }) = find(method.as_str(), path) else {
        return Err(unrecognised(method, path));
    };
    description::check_request(&name, &Parameters { path: &ids, form: &call.form.pairs })?;
    let mut answer = match handler {
        Kind(handle) => handle(call)?,
        One(handle) => handle(call, ids.first().map_or("", |(_, id)| id))?,
    };
    expand::apply(call, &mut answer)?;
    description::check_answer(&name, &answer)?;
    Ok(answer)
}

/// Stripe's objection to a request according to its description, in Stripe's words; `None` if there is none. Nothing is
/// executed.
///
/// `query` and `body` are encoded, as they are sent.
#[must_use]
pub fn mistake(method: &str, path: &str, query: &str, body: &str) -> Option<String> {
    let Some(Found { name, ids, .. }) = find(method, path) else {
        return Some(format!("there is no {method} {path}"));
    };
    let form = Form::parse(query, body);
    let checked =
        form.and_then(|form| description::check_request(&name, &Parameters { path: &ids, form: &form.pairs }));
    checked.err().map(|error| format!("{method} {path}: {}", error.0.detail.message))
}

/// The parts of a path that match the names in braces of a template, if the path matches it.
fn in_path<'a>(template: &'a str, path: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let mut found = Vec::new();
    let (mut names, mut segments) = (template.split('/'), path.split('/'));
    loop {
        match (names.next(), segments.next()) {
            (None, None) => return Some(found),
            (Some(name), Some(segment)) => match name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !segment.is_empty() => found.push((name, segment)),
                None if name == segment => {}
                _ => return None,
            },
            _ => return None,
        }
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
        // "", "v1", the kind, an id, the action, another id.
        let is_id = index >= 3 && index % 2 == 1;
        if is_id { "{id}" } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The names of all calls.
#[cfg(test)]
pub(crate) fn names() -> Vec<String> {
    ROUTES.iter().map(|(method, template, _)| name(method, template)).collect()
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
