//! Stripe's own description of its API, and what is held against it: every request before it is handled, and, in a
//! debug build, every answer, error and event before it leaves. `description/README.md` says where it is from.
//!
//! Read in this order: here (what is described), [`typed`] (from a form to JSON), [`refusals`] (what is said of a wrong
//! request) and [`differences`] (what the description doesn't say, or says of another version).
//!
//! Invariant: the rules are the description's. Those that it can't express (states, limits of numbers, what excludes
//! what) are the handlers'.

mod differences;
mod refusals;
#[cfg(test)]
mod tests;
mod typed;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use classpay_stripe_model::ApiError;
use jsonschema::{Registry, Validator};
use serde_json::{Map, Value, json};

use crate::locked;

/// Answers are checked where tests run, and not where somebody measures.
const ANSWERS_ARE_CHECKED: bool = cfg!(debug_assertions);

/// What the lines on standard error begin with that tell of an answer which Stripe would never give.
pub const WRONG_ANSWER: &str = "stripe stand-in: not an answer of Stripe's: ";

/// What they are called in the description.
const ERROR: &str = "error";
const EVENT: &str = "event";

/// What the description is known by to its own references.
const ADDRESS: &str = "stripe:/description";

static DESCRIPTION: LazyLock<Description> = LazyLock::new(Description::read);

struct Description {
    whole: Value,
    registry: Registry<'static>,
    /// By the call and which of its parameters; each is made when it is first needed.
    requests: Mutex<HashMap<(String, &'static str), Arc<Validator>>>,
    /// Of everything that is answered or told: one, because Stripe's objects show each other.
    answers: OnceLock<Validator>,
}

impl Description {
    fn read() -> Self {
        let whole = serde_json::from_str(include_str!("../../description/stripe.json"));
        let whole = differences::apply(whole.expect("extract.py writes JSON"));
        let registry = Registry::new().add(ADDRESS, whole.clone()).and_then(jsonschema::RegistryBuilder::prepare);
        let registry = registry.expect("extract.py writes every schema that it refers to");
        Self { whole, registry, requests: Mutex::default(), answers: OnceLock::new() }
    }

    fn request(&self, call: &str, part: &'static str) -> Arc<Validator> {
        let mut requests = locked(&self.requests);
        let make = || Arc::new(self.validator(&self.whole["calls"][call][part]));
        Arc::clone(requests.entry((call.to_owned(), part)).or_insert_with(make))
    }

    /// Takes an object with one field, which is named for the call that it answers, or for what it is.
    fn answers(&self) -> &Validator {
        self.answers.get_or_init(|| {
            let mut properties = Map::new();
            for (call, of) in self.whole["calls"].as_object().into_iter().flatten() {
                let mut answer = of["answer"].clone();
                refer(&mut answer);
                properties.insert(call.clone(), answer);
            }
            for name in self.whole["schemas"].as_object().into_iter().flatten().map(|(name, _)| name) {
                if name == ERROR || self.is_kind(name) {
                    properties.insert(name.clone(), json!({ "$ref": format!("{ADDRESS}#/schemas/{name}") }));
                }
            }
            self.validator(&json!({ "properties": properties, "additionalProperties": false }))
        })
    }

    fn validator(&self, schema: &Value) -> Validator {
        let made = jsonschema::options().with_registry(&self.registry).offline().build(schema);
        made.expect("extract.py writes JSON Schema")
    }

    /// Whether something says in its `object` that it is this.
    fn is_kind(&self, name: &str) -> bool {
        self.whole["schemas"][name]["properties"]["object"]["enum"].as_array().is_some_and(|kind| kind[0] == name)
    }
}

/// References from inside the description, as they are written outside it.
fn refer(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(place) if name == "$ref" => place.insert_str(0, ADDRESS),
                    inner => refer(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(refer),
        _ => {}
    }
}

/// The parameters of a call: those in its address, and those of its query and form, decoded, as they came.
pub(crate) struct Parameters<'a> {
    pub path: &'a [(&'a str, &'a str)],
    pub form: &'a [(String, String)],
}

/// The parameters of query and form as JSON, or what Stripe would say of the request before anything is looked up.
pub(crate) fn check_request(call: &str, given: &Parameters) -> Result<Value, ApiError> {
    let path: Value = given.path.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let schema = &DESCRIPTION.whole["calls"][call]["parameters"];
    let parameters = typed::parameters(given.form, schema);
    for (part, given) in [("path", &path), ("parameters", &parameters)] {
        let validator = DESCRIPTION.request(call, part);
        if let Some(mistake) = refusals::first(validator.iter_errors(given)) {
            return Err(mistake.refusal());
        }
    }
    Ok(parameters)
}

/// The kind of object of which a call answers a list.
pub(crate) fn listed(call: &str) -> &'static str {
    referred(&DESCRIPTION.whole["calls"][call]["answer"]["properties"]["data"]["items"]).unwrap_or_default()
}

/// The kind of object to which a field can be expanded. It is empty if the stand-in keeps no such objects.
pub(crate) fn expanded(kind: &str, field: &str) -> Option<&'static str> {
    let choices = DESCRIPTION.whole["schemas"][kind]["properties"][field]["anyOf"].as_array()?;
    choices.iter().find(|choice| choice["type"] == "string")?;
    Some(choices.iter().find_map(referred).unwrap_or_default())
}

fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/schemas/")
}

/// A form to `/_control/` as JSON. Nothing describes it, so what looks like a number is one.
pub(crate) fn undescribed(form: &[(String, String)]) -> Value {
    let lists = json!({ "type": "array", "items": { "type": "string" } });
    let any = json!([{ "type": "integer" }, { "type": "boolean" }, { "type": "string" }, lists]);
    typed::parameters(form, &json!({ "additionalProperties": { "anyOf": any } }))
}

/// An answer with 200 is as the description says, or it is none.
pub(crate) fn check_answer(call: &str, answer: &Value) -> Result<(), ApiError> {
    check(call, answer).map_err(|what| wrong(&format!("{call}: {what}")))
}

/// So is an error, whichever call it answers.
pub(crate) fn check_error(body: &Value) -> Result<(), ApiError> {
    check(ERROR, body).map_err(|what| wrong(&format!("error: {what}")))
}

/// So is an event, whose object the description leaves open: it is what it says it is.
pub(crate) fn check_event(event: &Value) -> Result<(), ApiError> {
    let object = &event["data"]["object"];
    let kind = object["object"].as_str().unwrap_or_default();
    let found = check(EVENT, event).and_then(|()| match DESCRIPTION.is_kind(kind) {
        true => check(kind, object),
        false => Err(format!("/data/object: nothing is a {kind:?}")),
    });
    found.map_err(|what| wrong(&format!("event {}: {what}", event["type"])))
}

fn check(what: &str, value: &Value) -> Result<(), String> {
    if !ANSWERS_ARE_CHECKED {
        return Ok(());
    }
    let named = json!({ what: value });
    let errors = DESCRIPTION.answers().iter_errors(&named);
    let mistakes: Vec<String> = errors.map(|error| refusals::in_answer(&error)).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes.join("; ")) }
}

/// Reported twice: to the caller, who can't do anything with it, and in the log.
fn wrong(what: &str) -> ApiError {
    eprintln!("{WRONG_ANSWER}{what}");
    ApiError::internal_because(format!("This isn't what Stripe would answer: {what}"))
}
