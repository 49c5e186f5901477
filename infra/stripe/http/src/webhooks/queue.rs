//! The queue of deliveries: waiting, held and finished ones.
//!
//! A delivery is added with its event and never removed, so the queue is also the log.

use classpay_stripe_model::Event;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Seconds until the next attempt after the first, second, … failed one; the last value repeats.
const BACKOFF: &[i64] = &[1, 5, 30, 5 * 60, 30 * 60, 3600, 3 * 3600, 6 * 3600, 12 * 3600];

/// After this long we give up.
const GIVEN_UP_AFTER: i64 = 3 * 24 * 3600;

/// The log shows this many deliveries, the latest ones.
const TOLD: usize = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    Waiting,
    /// Held until it is released.
    Held,
    /// Held until the next delivery has been attempted.
    Behind,
    Delivered,
    Lost,
    GivenUp,
}

impl State {
    const ALL: [Self; 6] = [Self::Waiting, Self::Held, Self::Behind, Self::Delivered, Self::Lost, Self::GivenUp];
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delivery {
    /// Its place in the queue.
    pub seq: usize,
    pub account: String,
    pub event: String,
    pub kind: String,
    pub due: i64,
    pub state: State,
    pub attempts: u32,
    pub last_status: Option<u16>,
    pub last_error: Option<String>,
}

impl Delivery {
    /// Records an attempt. The event counts as delivered once any attempt got a 2xx.
    pub fn attempted(&mut self, answer: Result<u16, String>, event_created: i64, now: i64) {
        self.attempts += 1;
        (self.last_status, self.last_error) = match answer {
            Ok(status) => (Some(status), None),
            Err(why) => (None, Some(why)),
        };
        if self.last_status.is_some_and(|status| (200..300).contains(&status)) {
            self.state = State::Delivered;
        }
        if self.state == State::Delivered {
            return;
        }
        let index = usize::try_from(self.attempts - 1).unwrap_or(usize::MAX).min(BACKOFF.len() - 1);
        self.due = now + BACKOFF[index];
        if self.due > event_created + GIVEN_UP_AFTER {
            self.state = State::GivenUp;
        }
    }

    pub fn json(&self) -> Value {
        json!({
            "eventId": self.event,
            "type": self.kind,
            "account": self.account,
            "state": self.state,
            "attempts": self.attempts,
            "lastStatus": self.last_status,
            "lastError": self.last_error,
            "nextAttemptAt": (self.state == State::Waiting).then_some(self.due),
        })
    }
}

/// All deliveries, in the order of their events.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Queue(Vec<Delivery>);

impl Queue {
    /// Of an event of the platform's own there is no delivery: the endpoint is a Connect endpoint.
    pub fn add(&mut self, event: &Event, now: i64) {
        let Some(account) = event.account.clone() else { return };
        self.0.push(Delivery {
            seq: self.0.len(),
            account,
            event: event.id.clone(),
            kind: event.kind.clone().into_owned(),
            due: now,
            state: State::Waiting,
            attempts: 0,
            last_status: None,
            last_error: None,
        });
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn put(&mut self, delivery: &Delivery) {
        self.0[delivery.seq].clone_from(delivery);
    }

    /// The deliveries that wait, the oldest event first.
    pub fn waiting(&self) -> impl Iterator<Item = &Delivery> {
        self.0.iter().filter(|delivery| delivery.state == State::Waiting)
    }

    /// The log: the latest deliveries, oldest first.
    pub fn latest(&self) -> &[Delivery] {
        &self.0[self.0.len().saturating_sub(TOLD)..]
    }

    pub fn counts(&self) -> Value {
        let mut counts = json!({});
        for state in State::ALL {
            let count = self.0.iter().filter(|delivery| delivery.state == state).count();
            counts[json!(state).as_str().unwrap_or_default()] = count.into();
        }
        counts
    }

    /// Another delivery was attempted, so those put behind it may go.
    pub fn release_behind(&mut self, attempted: usize) {
        for delivery in self.0.iter_mut().filter(|delivery| delivery.seq != attempted) {
            if delivery.state == State::Behind {
                delivery.state = State::Waiting;
            }
        }
    }

    /// Releases what is held, of one event or of all. Returns how many were released.
    pub fn release(&mut self, event: Option<&str>, now: i64) -> usize {
        let is_held = |delivery: &&mut Delivery| {
            matches!(delivery.state, State::Held | State::Behind) && event.is_none_or(|event| event == delivery.event)
        };
        let held = self.0.iter_mut().filter(is_held);
        held.map(|delivery| (delivery.state, delivery.due) = (State::Waiting, delivery.due.min(now))).count()
    }
}
