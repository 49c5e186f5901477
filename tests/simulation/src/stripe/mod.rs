//! A Stripe in memory: intents with their charges, idempotency keys, events, and what happens around Stripe.
//!
//! Read in this order: this module (the service's calls), [`described`] (their form), [`calls`] (keys), [`intents`] and
//! [`returns`] (changes to a payment), [`lasting`] (lasting refusals), [`events`], [`happenings`] (payers, banks, the
//! studio) and [`state`].
//!
//! Invariant: it behaves like the stand-in over HTTP (a test compares the two), and its answers are what our adapter
//! makes of Stripe's. A call in progress holds no lock.

mod calls;
mod described;
mod events;
mod happenings;
mod intents;
mod lasting;
mod returns;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;
use classpay_service::stripe::payments::Payments;
use classpay_service::stripe::requests::Asked;
use classpay_service::stripe::{
    CustomerSession, EphemeralKey, EventPage, EventQuery, Intent, NewIntent, SavedCards, StripeError,
};

use calls::{Answer, Request, refused_unsent};
use described::hold;
use state::State;

pub use events::Event;
pub use happenings::Verdict;
pub use intents::{Authentication, PaysWith};
pub use lasting::{Capability, LastingRefusals};
pub use returns::{Arrival, Complaint};
pub use state::IntentView;

use super::faults::{CallKind, Fault, Network};

/// The longest idempotency key.
const LONGEST_KEY: usize = 255;

/// Stripe. Its clones share their state.
#[derive(Debug, Clone)]
pub struct MemoryStripe {
    state: Arc<Mutex<State>>,
    network: Network,
}

impl MemoryStripe {
    /// A Stripe without customers, behind this network. The world moves the clock, which is in milliseconds since 1970.
    #[must_use]
    pub fn new(network: Network, clock: Arc<AtomicI64>) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(clock))), network }
    }

    /// A copy with the same accounts, keys and intents, for a world that continues from a prepared one. It has no
    /// requests on their way, no new events and no watcher.
    #[must_use]
    pub fn copy(&self, network: Network, clock: Arc<AtomicI64>) -> Self {
        Self { state: Arc::new(Mutex::new(self.state().copy(clock))), network }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A watcher that panics has found a violation; the state must stay readable for the report.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present state, after expiring holds.
    fn looked_at(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.end_holds();
        state
    }

    async fn send(
        &self,
        kind: CallKind,
        account: &AccountId,
        key: &str,
        request: Request,
    ) -> Result<Answer, StripeError> {
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Err(refused_unsent("an idempotency key is 1 to 255 characters"));
        }
        self.network.call(kind, |fault| self.state().receive(fault, account, key, request)).await
    }

    async fn send_for_intent(
        &self,
        kind: CallKind,
        account: &AccountId,
        key: &str,
        request: Request,
    ) -> Result<Intent, StripeError> {
        match self.send(kind, account, key, request).await? {
            Answer::Intent(intent) => Ok(*intent),
            other => panic!("{other:?} answers a call for an intent"),
        }
    }
}

#[async_trait]
impl Payments for MemoryStripe {
    /// A call takes no time here: the world's clock stands still during it.
    fn within(&self, _budget: Duration) -> Arc<dyn Payments> {
        Arc::new(self.clone())
    }

    async fn load_intent(&self, account: &AccountId, intent: &IntentId) -> Result<Option<Intent>, StripeError> {
        hold(Asked::LoadIntent(intent));
        let read = |fault| {
            if fault != Fault::None {
                // A read changes nothing, however it fails.
                return Err(StripeError::Unavailable);
            }
            let mut state = self.looked_at();
            let account = state.connected(account)?;
            Ok(state.place_on(account, intent).ok().map(|at| state.payments[at].intent.clone()))
        };
        self.network.call(CallKind::LoadIntent, read).await
    }

    async fn create_intent(&self, account: &AccountId, new: &NewIntent<'_>, key: &str) -> Result<Intent, StripeError> {
        if new.currency.len() != 3 || !new.currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return Err(refused_unsent("not a currency, or not in lower case"));
        }
        hold(Asked::CreateIntent(new));
        self.send_for_intent(CallKind::CreateIntent, account, key, Request::create(new)).await
    }

    async fn capture_intent(
        &self,
        account: &AccountId,
        intent: &IntentId,
        amount: Money,
        key: &str,
    ) -> Result<Intent, StripeError> {
        hold(Asked::CaptureIntent(intent, amount));
        let request = Request::Capture { intent: intent.clone(), amount: amount.units() };
        self.send_for_intent(CallKind::Capture, account, key, request).await
    }

    async fn cancel_intent(&self, account: &AccountId, intent: &IntentId, key: &str) -> Result<Intent, StripeError> {
        hold(Asked::CancelIntent(intent));
        let request = Request::Cancel { intent: intent.clone() };
        self.send_for_intent(CallKind::Cancel, account, key, request).await
    }

    async fn create_customer(
        &self,
        account: &AccountId,
        name: &str,
        about: &BTreeMap<String, String>,
        key: &str,
    ) -> Result<CustomerId, StripeError> {
        hold(Asked::CreateCustomer(name, about));
        let request = Request::Customer { name: name.to_owned(), metadata: about.clone() };
        match self.send(CallKind::CreateCustomer, account, key, request).await? {
            Answer::Customer(customer) => Ok(customer),
            other => panic!("{other:?} answers a call for a customer"),
        }
    }

    async fn create_customer_session(
        &self,
        account: &AccountId,
        customer: &CustomerId,
        cards: SavedCards,
        key: &str,
    ) -> Result<CustomerSession, StripeError> {
        hold(Asked::CreateCustomerSession(customer, cards));
        let request = Request::CustomerSession { customer: customer.clone(), cards };
        match self.send(CallKind::CustomerSession, account, key, request).await? {
            Answer::CustomerSession(session) => Ok(session),
            other => panic!("{other:?} answers a call for a customer's session"),
        }
    }

    async fn create_ephemeral_key(
        &self,
        account: &AccountId,
        customer: &CustomerId,
        key: &str,
    ) -> Result<EphemeralKey, StripeError> {
        hold(Asked::CreateEphemeralKey(customer));
        let request = Request::EphemeralKey { customer: customer.clone() };
        match self.send(CallKind::EphemeralKey, account, key, request).await? {
            Answer::EphemeralKey(key) => Ok(key),
            other => panic!("{other:?} answers a call for an ephemeral key"),
        }
    }

    async fn list_events(&self, account: &AccountId, query: EventQuery<'_>) -> Result<EventPage, StripeError> {
        hold(Asked::ListEvents(query));
        let read = |fault| {
            if fault != Fault::None {
                return Err(StripeError::Unavailable);
            }
            let mut state = self.looked_at();
            let account = state.connected(account)?;
            Ok(state.list_events(account, query))
        };
        self.network.call(CallKind::ListEvents, read).await
    }
}
