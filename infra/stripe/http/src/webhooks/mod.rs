//! Webhooks: delivers events to the one endpoint, signed and with retries, and with injected faults.
//!
//! An event is delivered at least once or stays in the queue, unless a fault lost it or it was given up after three
//! days. It goes to the loopback address only. Deliveries happen one at a time, in the order of the events, so that
//! only a fault or a retry changes the order.

mod endpoint;
pub(crate) mod faults;
pub(crate) mod queue;
mod send;

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use classpay_stripe_model::{ApiError, Event, Object};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{StandIn, locked};

use endpoint::Endpoint;
pub use endpoint::EndpointError;
use faults::{Action, Faults};
use queue::{Delivery, State};
use send::Sender;

/// How often we check the clock for retries; new events wake the deliverer at once.
const TICK: Duration = Duration::from_millis(100);

/// The part of the stand-in that delivers. The queue itself is stored.
#[derive(Default)]
pub(crate) struct Webhooks {
    pub endpoint: Mutex<Option<Endpoint>>,
    /// In memory, like the other faults.
    pub faults: Mutex<Faults>,
    /// Held during a delivery.
    delivering: tokio::sync::Mutex<()>,
    news: Notify,
    sender: Sender,
}

impl Webhooks {
    /// Signals that there may be something to deliver.
    pub fn wake(&self) {
        self.news.notify_one();
    }
}

/// How a delivery ended.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    delivery: Delivery,
    action: Option<Action>,
}

impl Outcome {
    pub fn json(&self) -> Value {
        let mut told = self.delivery.json();
        told["fault"] = json!(self.action);
        told
    }
}

impl StandIn {
    /// Sets where events go from now on, and the secrets that sign them: one, or two during a rotation. Queued events
    /// go there too. A second call replaces the first.
    ///
    /// # Errors
    /// The address isn't `http://` on the loopback address, or there is no secret.
    pub fn deliver_to(&self, url: &str, secrets: &[&str]) -> Result<(), EndpointError> {
        let endpoint = Endpoint::new(url, secrets)?;
        *locked(&self.webhooks.endpoint) = Some(endpoint);
        self.webhooks.wake();
        Ok(())
    }

    /// Delivers until `shutdown`: queued events, new events, and retries when they fall due. A delivery that was in
    /// progress then is repeated after the next start.
    pub async fn deliver(self: Arc<Self>, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        loop {
            let work = async {
                self.flush(false).await;
                // Either is a reason to check the queue; a tick is the common one.
                tokio::time::timeout(TICK, self.webhooks.news.notified()).await.unwrap_or_default();
            };
            tokio::select! {
                () = &mut shutdown => return,
                () = work => {}
            }
        }
    }

    /// Delivers what is due, including what falls due meanwhile. With `all`, it also tries once every delivery that
    /// waits for its next attempt.
    pub(crate) async fn flush(&self, all: bool) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut early = Vec::new();
        loop {
            let _one_at_a_time = self.webhooks.delivering.lock().await;
            let outcome = match self.next(all.then_some(&early)) {
                Some((delivery, event)) => {
                    early.push(delivery.seq);
                    self.attempt(delivery, &event).await
                }
                None => return outcomes,
            };
            match outcome {
                Ok(outcome) => outcomes.push(outcome),
                // Our state can't be written, which was reported on stderr, and no loop gets further.
                Err(_) => return outcomes,
            }
        }
    }

    /// The delivery that is due first. With `early` it may be one that isn't due yet, but each only once.
    fn next(&self, early: Option<&Vec<usize>>) -> Option<(Delivery, Arc<Event>)> {
        if locked(&self.webhooks.endpoint).is_none() {
            return None;
        }
        let now = self.now();
        let mut stored = self.store.lock();
        stored.pass_time(now);
        let is_next =
            |delivery: &&Delivery| delivery.due <= now || early.is_some_and(|done| !done.contains(&delivery.seq));
        let delivery = stored.queue.waiting().find(is_next)?.clone();
        let event = Arc::clone(stored.stripe.get(&delivery.account, &delivery.event)?);
        Some((delivery, event))
    }

    async fn attempt(&self, mut delivery: Delivery, event: &Event) -> Result<Outcome, ApiError> {
        let action =
            locked(&self.webhooks.faults).strike(|deliveries, _| deliveries.fit(&event.kind, &delivery.account));
        let set_aside = match action {
            Some(Action::HoldBack) => Some(State::Held),
            Some(Action::Reorder) => Some(State::Behind),
            Some(Action::Lose) => Some(State::Lost),
            _ => None,
        };
        if let Some(state) = set_aside {
            delivery.state = state;
            let mut stored = self.store.lock();
            stored.queue.put(&delivery);
            self.store.keep(&stored)?;
            return Ok(Outcome { delivery, action });
        }
        if let Some(Action::Delay(milliseconds)) = action {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        let Some(endpoint) = locked(&self.webhooks.endpoint).clone() else { return Ok(Outcome { delivery, action }) };
        let endpoint = if action == Some(Action::MisSign) { endpoint.with_a_wrong_secret() } else { endpoint };
        let body = event.json().to_string();
        let times = if action == Some(Action::Duplicate) { 2 } else { 1 };
        for _ in 0..times {
            let answer = self.webhooks.sender.send(&endpoint, &body, self.now()).await;
            delivery.attempted(answer, event.created, self.now());
        }
        self.conclude(&delivery)?;
        Ok(Outcome { delivery, action })
    }

    /// Records how it ended, and releases the deliveries that waited for it.
    fn conclude(&self, delivery: &Delivery) -> Result<(), ApiError> {
        let mut stored = self.store.lock();
        stored.queue.put(delivery);
        stored.queue.release_behind(delivery.seq);
        if delivery.state == State::Delivered {
            stored.stripe.event_delivered(&delivery.account, &delivery.event);
        }
        self.store.keep(&stored)
    }
}
