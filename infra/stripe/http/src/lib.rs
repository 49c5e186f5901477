//! A stateful stand-in for the part of Stripe's HTTP API that the service uses, for local development and tests. What
//! Stripe does is `classpay-stripe-model`'s; this is Stripe's wire format around it (bracketed forms in, Stripe's
//! objects, error bodies and codes out), the check against Stripe's own description, webhooks, injected faults, and the
//! state's file.
//!
//! - `/v1/…` is Stripe's API. Any key that starts with `sk_test_` or `rk_test_` is accepted until it is revoked; an
//!   ephemeral key (`ek_test_…`) opens the customer that it was made for.
//! - `/_control/…` plays the payer's browser, the bank, the studio's dashboard and the passing of time, reports what
//!   happened, and injects faults. It takes no key, so bind the listener to the loopback address.
//! - A call for a `Stripe-Account` whose id contains `disconnected` is answered as Stripe answers for a studio that has
//!   disconnected its account. Every other account exists.
//!
//! Every change makes an event. `StandIn::deliver_to` sets the Connect endpoint that receives them, and
//! `StandIn::deliver` (or `POST /_control/webhooks/flush`) delivers them.
//!
//! The stand-in never accepts a live key or a card number, and its requests never leave the machine.

mod answer;
mod auth;
mod control;
mod description;
mod expand;
pub mod fault_queue;
mod faults;
mod form;
mod in_flight;
mod request_log;
mod routes;
mod serve;
mod store;
mod webhooks;

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use answer::Incoming;
use auth::Caller;
use faults::Faults;
use in_flight::InFlight;
use request_log::RequestLog;
use store::Store;
use webhooks::Webhooks;

pub use description::WRONG_ANSWER;
pub use routes::mistake;
pub use serve::serve;
pub use store::OpenError;
pub use webhooks::EndpointError;

/// The time in Unix seconds, by the stack's clock, which can be moved.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The whole stand-in: state, clock and injected faults.
pub struct StandIn {
    store: Store,
    now: Clock,
    /// In memory: a restart forgets the faults and the log, but not the state.
    faults: Mutex<Faults>,
    /// Calls that were dropped and will land, with their callers.
    late: Mutex<Vec<(Incoming, Caller)>>,
    log: Mutex<RequestLog>,
    /// Keys that were rolled and are no longer accepted.
    revoked: Mutex<HashSet<String>>,
    in_flight: InFlight,
    webhooks: Webhooks,
    /// The address at which the clock is moved.
    clock_owner: Mutex<Option<String>>,
}

impl StandIn {
    /// Keeps its state in memory.
    pub fn memory(now: Clock) -> Result<Self, OpenError> {
        Ok(Self::with(Store::memory(), now))
    }

    /// Keeps its state in this file, which is created if it doesn't exist.
    ///
    /// # Errors
    /// The file can't be read or written, or isn't our snapshot.
    pub fn open(path: &Path, now: Clock) -> Result<Self, OpenError> {
        Ok(Self::with(Store::open(path)?, now))
    }

    fn with(store: Store, now: Clock) -> Self {
        Self {
            store,
            now,
            faults: Mutex::default(),
            late: Mutex::default(),
            log: Mutex::default(),
            revoked: Mutex::default(),
            in_flight: InFlight::default(),
            webhooks: Webhooks::default(),
            clock_owner: Mutex::default(),
        }
    }

    /// Sets where the clock is moved, which this stand-in only reads: `POST /_control/clock` is redirected to this
    /// address.
    pub fn clock_is_moved_at(&self, url: impl Into<String>) {
        *locked(&self.clock_owner) = Some(url.into());
    }

    fn now(&self) -> i64 {
        (self.now)()
    }
}

/// Indented, as Stripe's answers are, so that curl's output is readable.
fn pretty(body: &serde_json::Value) -> String {
    format!("{body:#}\n")
}

/// Nothing that is locked is left half changed by a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
