//! Events: changes in the form in which Stripe reports them, and the calls that read them.
//!
//! An event is written in the transaction of the change that it reports, with the object as of that change. Only its
//! number of pending deliveries changes later.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{Answer, Call, PLATFORM, STRIPE_VERSION};
use crate::description;
use crate::error::ApiError;
use crate::ids;
use crate::objects::Account;
use crate::page::{self, Created, Page};
use crate::store::{Object, Where};
use crate::webhooks::queue;

/// Stripe's limit on `types` in one call.
const MOST_TYPES: usize = 20;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub id: String,
    /// The connected account; `None` for the platform's own events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    pub api_version: String,
    pub created: i64,
    pub data: Value,
    pub pending_webhooks: i64,
    pub request: Value,
    #[serde(rename = "type")]
    pub kind: String,
}

impl Object for Event {
    const KIND: &'static str = "event";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn constants() -> Value {
        json!({})
    }
}

impl Call<'_> {
    /// Records an event about this object.
    pub fn event<T: Object>(&self, kind: &str, object: &T) -> Result<(), ApiError> {
        self.tell(kind, json!({ "object": object.json() }))
    }

    /// As `event`, with the previous values of the changed fields.
    pub fn event_since<T: Object>(&self, kind: &str, object: &T, before: &Value) -> Result<(), ApiError> {
        let now = object.json();
        let previous: Map<String, Value> = now
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(field, value)| before[field.as_str()] != **value)
            .map(|(field, _)| (field.clone(), before[field.as_str()].clone()))
            .collect();
        self.tell(kind, json!({ "object": now, "previous_attributes": previous }))
    }

    fn tell(&self, kind: &str, mut data: Value) -> Result<(), ApiError> {
        let padding = Account::of(self)?.event_padding;
        if padding > 0 {
            // The only part of an event in which Stripe's description allows any field.
            data["previous_attributes"]["padding"] = ".".repeat(padding).into();
        }
        // The endpoint is a Connect endpoint, so it receives events of connected accounts only.
        let connected = self.account != PLATFORM;
        let event = Event {
            id: ids::object("evt"),
            account: connected.then(|| self.account.to_owned()),
            api_version: STRIPE_VERSION.into(),
            created: self.now,
            data,
            pending_webhooks: i64::from(connected),
            request: json!({ "id": self.origin.request, "idempotency_key": self.origin.key }),
            kind: kind.into(),
        };
        description::check_event(&event.json())?;
        self.save(&event)?;
        if connected {
            queue::add(self.db, &event, self.now)?;
        }
        Ok(())
    }
}

pub(crate) fn retrieve(call: &Call, id: &str) -> Answer {
    let event: Option<Event> = call.load(id)?;
    Ok(event.ok_or_else(|| ApiError::no_such("event", id, "id"))?.json())
}

pub(crate) fn list(call: &Call) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        created: Option<Created>,
        delivery_success: Option<bool>,
        ending_before: Option<String>,
        limit: Option<i64>,
        starting_after: Option<String>,
        #[serde(rename = "type")]
        kind: Option<String>,
        types: Option<Vec<String>>,
    }
    let given: List = call.form.typed()?;
    if given.kind.is_some() && given.types.is_some() {
        return Err(ApiError::invalid("You may only specify one of these parameters: type, types."));
    }
    if given.types.as_ref().is_some_and(|types| types.len() > MOST_TYPES) {
        let message = format!("Array must have at most {MOST_TYPES} elements");
        return Err(ApiError::invalid(message).param("types"));
    }
    let mut conditions = Vec::new();
    if let Some(kinds) = given.kind.map(|kind| vec![kind]).or(given.types) {
        conditions.push(Where::Like("type", kinds));
    }
    conditions.extend(given.delivery_success.map(Where::Delivered));
    let List { created, ending_before, limit, starting_after, .. } = given;
    page::list::<Event>(call, "/v1/events", Page { limit, starting_after, ending_before, created }, conditions)
}
