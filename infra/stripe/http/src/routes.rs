//! Routes calls, and checks requests and answers against Stripe's description.
//!
//! Invariant: a call that isn't listed here is answered as Stripe answers for an unknown address; nothing is guessed.
//! Every listed call has the name that Stripe's description gives it.

use classpay_stripe_model::page::List;
use classpay_stripe_model::params::Terms;
use classpay_stripe_model::{
    ApiError, Call, Charge, Customer, Dispute, Effect, Event, Object, Refund, STRIPE_VERSION, charges, confirm,
    customer_sessions, customers, disputes, ephemeral_keys, events, intents, payment_methods, refunds,
};
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::description::{self, Parameters};
use crate::expand;
use crate::form::{Form, read};

type Answer = Result<Value, ApiError>;

/// What a call says besides its path, as Stripe's description takes it.
struct Asked<'a> {
    given: Value,
    /// The `Stripe-Version` header, if there is one.
    version: Option<&'a str>,
}

impl Asked<'_> {
    fn typed<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        read(self.given)
    }

    fn terms(self) -> Result<Terms, ApiError> {
        let version = self.version.unwrap_or(STRIPE_VERSION);
        let terms: Terms = self.typed()?;
        terms.check_version(version)?;
        Ok(terms)
    }

    /// At creation there is nothing to unset, so Stripe refuses an empty value.
    fn without_empty(self) -> Result<Self, ApiError> {
        match self.given.as_object().into_iter().flatten().find(|(_, value)| *value == "") {
            Some((name, _)) => Err(ApiError::empty(name)),
            None => Ok(self),
        }
    }
}

fn one<T: Object>(result: Result<T, ApiError>) -> Answer {
    result.map(|object| object.json())
}

fn page<T: Object>(result: Result<List<T>, ApiError>) -> Answer {
    result.map(|list| list.json())
}

/// A key is made for the API version of the phone. Only here is its secret answered.
fn create_ephemeral_key(call: &mut Call, asked: Asked) -> Answer {
    if asked.version.is_none() {
        return Err(ApiError::invalid(
            "Please specify a Stripe-Version header when creating an ephemeral key: it has to be \
             the API version of the mobile SDK that will use it.",
        ));
    }
    let key = ephemeral_keys::create(call, &asked.typed()?)?;
    let mut answer = key.json();
    answer["secret"] = key.secret.into();
    Ok(answer)
}

/// The handler: for a kind of object, or for one object.
#[derive(Clone, Copy)]
enum Handler {
    Kind(fn(&mut Call, Asked) -> Answer),
    One(fn(&mut Call, &str, Asked) -> Answer),
}

use Handler::{Kind, One};

/// In a handler, `c` is the call, `a` what was asked.
const ROUTES: &[(&str, &str, Handler)] = &[
    ("POST", "/v1/payment_intents", Kind(|c, a| one(intents::create(c, a.without_empty()?.terms()?)))),
    ("GET", "/v1/payment_intents", Kind(|c, a| page(intents::list(c, a.typed()?)))),
    ("GET", "/v1/payment_intents/{intent}", One(|c, id, a| one(intents::retrieve(c, id, a.typed()?)))),
    ("POST", "/v1/payment_intents/{intent}", One(|c, id, a| one(intents::update(c, id, a.terms()?)))),
    ("POST", "/v1/payment_intents/{intent}/confirm", One(|c, id, a| one(confirm::confirm(c, id, a.terms()?)))),
    ("POST", "/v1/payment_intents/{intent}/capture", One(|c, id, a| one(intents::capture(c, id, a.typed()?)))),
    ("POST", "/v1/payment_intents/{intent}/cancel", One(|c, id, a| one(intents::cancel(c, id, a.typed()?)))),
    ("GET", "/v1/events", Kind(|c, a| page(events::list(c, a.typed()?)))),
    ("GET", "/v1/events/{id}", One(|c, id, _| one(c.get::<Event>(id)))),
    ("POST", "/v1/refunds", Kind(|c, a| one(refunds::create(c, a.without_empty()?.typed()?)))),
    ("GET", "/v1/refunds", Kind(|c, a| page(refunds::list(c, a.typed()?)))),
    ("GET", "/v1/refunds/{refund}", One(|c, id, _| one(c.get::<Refund>(id)))),
    ("POST", "/v1/refunds/{refund}", One(|c, id, a| one(refunds::update(c, id, a.typed()?)))),
    ("POST", "/v1/refunds/{refund}/cancel", One(|c, id, _| one(refunds::cancel(c, id)))),
    ("GET", "/v1/disputes", Kind(|c, a| page(disputes::list(c, a.typed()?)))),
    ("GET", "/v1/disputes/{dispute}", One(|c, id, _| one(c.get::<Dispute>(id)))),
    ("POST", "/v1/disputes/{dispute}/close", One(|c, id, _| one(disputes::accept(c, id)))),
    ("GET", "/v1/charges", Kind(|c, a| page(charges::list(c, a.typed()?)))),
    ("GET", "/v1/charges/{charge}", One(|c, id, _| one(c.get::<Charge>(id)))),
    ("POST", "/v1/customers", Kind(|c, a| one(customers::create(c, a.typed()?)))),
    ("GET", "/v1/customers", Kind(|c, a| page(customers::list(c, a.typed()?)))),
    ("GET", "/v1/customers/{customer}", One(|c, id, _| one(c.get::<Customer>(id)))),
    ("POST", "/v1/customers/{customer}", One(|c, id, a| one(customers::update(c, id, a.typed()?)))),
    ("DELETE", "/v1/customers/{customer}", One(|c, id, _| one(customers::delete(c, id)))),
    (
        "GET",
        "/v1/customers/{customer}/payment_methods",
        One(|c, id, a| page(payment_methods::list_of_customer(c, id, a.typed()?))),
    ),
    ("GET", "/v1/payment_methods", Kind(|c, a| page(payment_methods::list(c, a.typed()?)))),
    ("GET", "/v1/payment_methods/{payment_method}", One(|c, id, _| one(payment_methods::of_path(c, id)))),
    (
        "POST",
        "/v1/payment_methods/{payment_method}/attach",
        One(|c, id, a| one(payment_methods::attach(c, id, a.typed()?))),
    ),
    ("POST", "/v1/payment_methods/{payment_method}/detach", One(|c, id, _| one(payment_methods::detach(c, id)))),
    ("POST", "/v1/customer_sessions", Kind(|c, a| one(customer_sessions::create(c, a.typed()?)))),
    ("POST", "/v1/ephemeral_keys", Kind(create_ephemeral_key)),
    ("DELETE", "/v1/ephemeral_keys/{key}", One(|c, id, _| one(ephemeral_keys::delete(c, id)))),
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

pub(crate) fn dispatch(call: &mut Call, form: &Form, version: Option<&str>, method: &Method, path: &str) -> Answer {
    let Some(Found { name, handler, ids }) = find(method.as_str(), path) else {
        return Err(unrecognised(method, path));
    };
    let mut given = description::check_request(&name, &Parameters { path: &ids, form: &form.pairs })?;
    let expand = given.as_object_mut().and_then(|given| given.remove("expand"));
    if let Some(metadata) = given.get_mut("metadata").filter(|metadata| **metadata == "") {
        // An empty text is no metadata, which unsets all of it.
        *metadata = json!({});
    }
    let asked = Asked { given, version };
    let mut answer = match handler {
        Kind(handle) => handle(call, asked)?,
        One(handle) => handle(call, ids.first().map_or("", |(_, id)| id), asked)?,
    };
    expand::apply(call, &name, &read::<Vec<String>>(expand.unwrap_or_else(|| json!([])))?, &mut answer)?;
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
