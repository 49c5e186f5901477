//! `/_control/webhooks`: the queue, its faults, and immediate delivery.
//!
//! | call | body | |
//! |---|---|---|
//! | `GET /_control/webhooks` | | endpoint, counts, faults, and the latest deliveries, oldest first |
//! | `POST /_control/webhooks/endpoint` | `{"url": "http://127.0.0.1:…", "secrets": ["whsec_…"]}` | where events go |
//! | `GET`, `POST`, `DELETE /_control/webhooks/faults` | `{"match": {"type": "charge.*"}, "count": 1, "do": "duplicate"}` | see `faults` |
//! | `POST /_control/webhooks/release` | `{"eventId": "evt_…"}`, or nothing for all | lets go what is held back |
//! | `POST /_control/webhooks/flush` | `{"all": true}`, or nothing | delivers what is due (or all that waits, once) and answers then |
//! | `POST /_control/webhooks/replay` | `{"eventId": "evt_…"}` | puts an old event at the end of the queue |
//!
//! The secrets are never returned.

use classpay_stripe_model::{ApiError, Event};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{nothing_here, parse};
use crate::webhooks::{Outcome, queue};
use crate::{StandIn, locked};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Which {
    event_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flush {
    #[serde(default)]
    all: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    url: String,
    secrets: Vec<String>,
}

pub(super) async fn handle(standin: &StandIn, method: &Method, path: &str, body: &str) -> Result<Value, ApiError> {
    let segments: Vec<&str> = path.split('/').skip(3).collect();
    match (method.as_str(), segments.as_slice()) {
        ("GET", []) => Ok(overview(standin)),
        ("POST", ["endpoint"]) => endpoint(standin, &parse(body)?),
        ("GET", ["faults"]) => Ok(json!(locked(&standin.webhooks.faults).waiting())),
        ("POST", ["faults"]) => order(standin, body),
        ("DELETE", ["faults"]) => {
            locked(&standin.webhooks.faults).clear();
            Ok(json!({}))
        }
        ("POST", ["release"]) => release(standin, &parse(body)?),
        ("POST", ["replay"]) => replay(standin, parse(body)?),
        ("POST", ["flush"]) => {
            let Flush { all } = parse(body)?;
            let outcomes = standin.flush(all).await;
            let attempts: Vec<Value> = outcomes.iter().map(Outcome::json).collect();
            let counts = standin.store.lock().queue.counts();
            Ok(json!({ "deliveries": attempts, "counts": counts }))
        }
        _ => Err(nothing_here(method, path)),
    }
}

fn overview(standin: &StandIn) -> Value {
    let endpoint = locked(&standin.webhooks.endpoint).clone();
    let stored = standin.store.lock();
    let deliveries: Vec<Value> = stored.queue.latest().iter().map(queue::Delivery::json).collect();
    json!({
        "endpoint": endpoint.map(|it| json!({ "url": it.uri.to_string(), "secrets": it.secrets() })),
        "counts": stored.queue.counts(),
        "faults": locked(&standin.webhooks.faults).waiting(),
        "deliveries": deliveries,
    })
}

fn endpoint(standin: &StandIn, given: &Target) -> Result<Value, ApiError> {
    let secrets: Vec<&str> = given.secrets.iter().map(String::as_str).collect();
    standin.deliver_to(&given.url, &secrets).map_err(|error| ApiError::invalid(error.to_string()).param("url"))?;
    Ok(json!({ "url": given.url, "secrets": secrets.len() }))
}

fn order(standin: &StandIn, body: &str) -> Result<Value, ApiError> {
    let mut faults = locked(&standin.webhooks.faults);
    faults.order(body, |_, _| None).map_err(ApiError::invalid)?;
    Ok(json!(faults.waiting()))
}

fn release(standin: &StandIn, given: &Which) -> Result<Value, ApiError> {
    let now = standin.now();
    let mut stored = standin.store.lock();
    let released = stored.queue.release(given.event_id.as_deref(), now);
    standin.store.keep(&stored)?;
    standin.webhooks.wake();
    Ok(json!({ "released": released }))
}

fn replay(standin: &StandIn, given: Which) -> Result<Value, ApiError> {
    let id = given.event_id.ok_or_else(|| ApiError::missing("eventId"))?;
    let now = standin.now();
    let mut stored = standin.store.lock();
    let account = stored.stripe.account_of(&id).map(str::to_owned);
    let event = account.and_then(|account| stored.stripe.get::<Event>(&account, &id).cloned());
    let event = event.ok_or_else(|| ApiError::no_such("event", &id, "eventId"))?;
    if event.account.is_none() {
        return Err(ApiError::invalid("The platform's own events aren't delivered to a Connect endpoint."));
    }
    stored.queue.add(&event, now);
    standin.store.keep(&stored)?;
    standin.webhooks.wake();
    Ok(json!({ "eventId": id }))
}
