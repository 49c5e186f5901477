//! A change in progress: what a call of the API, or something that happens around Stripe, does to one account.
//!
//! Invariant: a call that fails changes nothing, unless its error says that it did (a decline).

use std::sync::Arc;

use serde_json::Value;

use crate::accounts::Account;
use crate::error::{ApiError, Effect};
use crate::events::{Event, Reported, Snapshot};
use crate::holds;
use crate::state::{Object, Objects, State, is_connected_account};

/// The request that causes a change. Changes from outside the API have none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    pub request: Option<&'a str>,
    pub key: Option<&'a str>,
}

/// What has changed.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    pub intents: Vec<TouchedIntent>,
    /// The new events, oldest first.
    pub events: Vec<Arc<Event>>,
}

/// An intent whose status or money may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedIntent {
    pub account: String,
    pub id: String,
}

impl Touched {
    pub(crate) fn append(&mut self, mut later: Self) {
        self.intents.append(&mut later.intents);
        self.events.append(&mut later.events);
    }
}

type Undo = Box<dyn FnOnce(&mut Objects)>;

pub struct Call<'a> {
    state: &'a mut State,
    pub account: &'a str,
    /// Unix seconds.
    pub now: i64,
    origin: Origin<'a>,
    undo: Vec<Undo>,
    touched: Touched,
}

impl State {
    /// Runs a call, after ending every hold whose time has come. Says also what has changed.
    pub fn call<A>(
        &mut self,
        account: &str,
        now: i64,
        origin: Origin<'_>,
        run: impl FnOnce(&mut Call<'_>) -> Result<A, ApiError>,
    ) -> (Result<A, ApiError>, Touched) {
        let mut touched = self.pass_time(now);
        let mut call = Call::of(self, account, now, origin);
        let result = run(&mut call);
        if result.as_ref().err().is_none_or(|error| error.0.effect == Effect::Changed) {
            touched.append(call.keep());
        }
        (result, touched)
    }

    /// Ends every hold whose time has come.
    pub fn pass_time(&mut self, now: i64) -> Touched {
        holds::expire_due(self, now)
    }
}

impl<'a> Call<'a> {
    pub(crate) fn of(state: &'a mut State, account: &'a str, now: i64, origin: Origin<'a>) -> Self {
        Self { state, account, now, origin, undo: Vec::new(), touched: Touched::default() }
    }

    /// Ends the call. Otherwise it is undone.
    pub(crate) fn keep(mut self) -> Touched {
        self.undo.clear();
        std::mem::take(&mut self.touched)
    }

    pub fn state(&self) -> &State {
        self.state
    }

    pub fn load<T: Object>(&self, id: &str) -> Option<T> {
        self.state.get::<T>(self.account, id).map(|object| T::clone(object))
    }

    /// The object with this id, of whatever kind, as Stripe returns it.
    pub fn json(&self, id: &str) -> Option<Value> {
        self.state.json(self.account, id)
    }

    /// The object that a path names.
    pub fn get<T: Object>(&self, id: &str) -> Result<T, ApiError> {
        self.load(id).ok_or_else(|| ApiError::no_such(T::KIND, id, "id"))
    }

    /// The account's objects, oldest first.
    pub fn all<T: Object>(&self) -> &[Arc<T>] {
        self.state.all(self.account)
    }

    pub(crate) fn position<T: Object>(&self, id: &str) -> Option<usize> {
        self.state.position::<T>(self.account, id)
    }

    pub fn save<T: Object>(&mut self, object: &T) {
        if let Some(intent) = object.payment() {
            self.touch(intent);
        }
        let saved = self.state.objects_mut(self.account, |objects| T::table_mut(objects).put(object.clone()));
        self.undo.push(Box::new(move |objects| T::table_mut(objects).put_back(saved)));
    }

    fn touch(&mut self, intent: &str) {
        if !self.touched.intents.iter().any(|touched| touched.id == intent) {
            let (account, id) = (self.account.to_owned(), intent.to_owned());
            self.touched.intents.push(TouchedIntent { account, id });
        }
    }

    /// The settings of the account.
    pub fn settings(&self) -> Account {
        self.state.account(self.account)
    }

    /// See [`crate::ids`].
    pub fn new_id(&mut self, prefix: &str) -> String {
        self.state.ids.object(prefix)
    }

    /// See [`crate::ids`].
    pub fn new_secret(&mut self, prefix: &str) -> String {
        self.state.ids.secret(prefix)
    }

    pub(crate) fn holds_until(&mut self, end: i64) {
        self.state.holds_until(end);
    }

    /// Records an event about this object.
    pub fn event<T: Reported>(&mut self, kind: &'static str, object: &T) {
        self.report(kind, object.snapshot(), None);
    }

    /// As `event`, with the previous values of the fields that have changed since `before`.
    pub fn event_since<T: Reported>(&mut self, kind: &'static str, object: &T, before: &T) {
        self.report(kind, object.snapshot(), Some(before.snapshot()));
    }

    fn report(&mut self, kind: &'static str, object: Snapshot, before: Option<Snapshot>) {
        // The endpoint is a Connect endpoint, so it receives events of connected accounts only.
        let connected = is_connected_account(self.account);
        let event = Event {
            id: self.new_id("evt"),
            account: connected.then(|| self.account.to_owned()),
            created: self.now,
            object,
            before,
            padding: self.settings().event_padding,
            pending_webhooks: i64::from(connected),
            request: self.origin.request.map(str::to_owned),
            idempotency_key: self.origin.key.map(str::to_owned),
            kind: kind.into(),
        };
        self.save(&event);
        let saved = self.state.get(self.account, &event.id).map(Arc::clone);
        self.touched.events.extend(saved);
    }

    /// The events of this call so far, oldest first.
    pub fn new_events(&self) -> &[Arc<Event>] {
        &self.touched.events
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        for undo in std::mem::take(&mut self.undo).into_iter().rev() {
            self.state.objects_mut(self.account, undo);
        }
    }
}
