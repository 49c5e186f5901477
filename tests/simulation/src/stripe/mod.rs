//! Stripe in memory: the model that the stand-in serves, behind the service's port.
//!
//! What Stripe does is the model's. Here is what a world adds: the service's types ([`convert`]), calls that are lost
//! or late, and lasting refusals ([`calls`]), payers, banks and the studio ([`happenings`]), and what a world observes
//! ([`state`], [`events`]). Each of the service's requests is checked against Stripe's description ([`described`]).
//!
//! A call in progress holds no lock.

mod calls;
mod convert;
mod described;
mod events;
mod happenings;
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
use classpay_stripe_model::keys;

use calls::{Answer, Request, refused_unsent};
use described::hold;
use state::State;

pub use calls::LastingRefusals;
pub use events::Event;
pub use happenings::{Arrival, Capability, Complaint, PaysWith, Verdict};
pub use state::IntentView;

use super::faults::{CallKind, Fault, Network};

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

    fn state(&self) -> MutexGuard<'_, State> {
        // A watcher that panics has found a violation; the state must stay readable for the report.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present state, after expiring holds.
    fn looked_at(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.pass_time();
        state
    }

    async fn send(&self, account: &AccountId, key: &str, request: Request) -> Result<Answer, StripeError> {
        if key.is_empty() || keys::check(key).is_err() {
            return Err(refused_unsent("an idempotency key is 1 to 255 characters"));
        }
        self.network.call(request.kind(), |fault| self.state().receive(fault, account, key, request)).await
    }

    async fn send_for_intent(&self, account: &AccountId, key: &str, request: Request) -> Result<Intent, StripeError> {
        match self.send(account, key, request).await? {
            Answer::Intent(intent) => Ok(*intent),
            other => panic!("{other:?} answers a call for an intent"),
        }
    }

    /// A read changes nothing, however it fails.
    async fn read<A>(
        &self,
        kind: CallKind,
        account: &AccountId,
        read: impl FnOnce(&mut State) -> Result<A, StripeError>,
    ) -> Result<A, StripeError> {
        let read = |fault| match fault {
            Fault::None => {
                let mut state = self.looked_at();
                state.connected(account)?;
                read(&mut state)
            }
            _ => Err(StripeError::Unavailable),
        };
        self.network.call(kind, read).await
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
        let read = |state: &mut State| {
            let found = state.stripe.get(account.as_str(), intent.as_str());
            Ok(found.map(|found| convert::intent(&state.stripe, account.as_str(), found)))
        };
        self.read(CallKind::LoadIntent, account, read).await
    }

    async fn create_intent(&self, account: &AccountId, new: &NewIntent<'_>, key: &str) -> Result<Intent, StripeError> {
        if new.currency.len() != 3 || !new.currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return Err(refused_unsent("not a currency, or not in lower case"));
        }
        hold(Asked::CreateIntent(new));
        self.send_for_intent(account, key, Request::create(new)).await
    }

    async fn capture_intent(
        &self,
        account: &AccountId,
        intent: &IntentId,
        amount: Money,
        key: &str,
    ) -> Result<Intent, StripeError> {
        hold(Asked::CaptureIntent(intent, amount));
        let request = Request::Capture { intent: intent.as_str().to_owned(), amount: amount.units() };
        self.send_for_intent(account, key, request).await
    }

    async fn cancel_intent(&self, account: &AccountId, intent: &IntentId, key: &str) -> Result<Intent, StripeError> {
        hold(Asked::CancelIntent(intent));
        self.send_for_intent(account, key, Request::Cancel { intent: intent.as_str().to_owned() }).await
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
        match self.send(account, key, request).await? {
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
        match self.send(account, key, Request::CustomerSession { customer: customer.clone(), cards }).await? {
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
        match self.send(account, key, Request::EphemeralKey { customer: customer.clone() }).await? {
            Answer::EphemeralKey(key) => Ok(key),
            other => panic!("{other:?} answers a call for an ephemeral key"),
        }
    }

    async fn list_events(&self, account: &AccountId, query: EventQuery<'_>) -> Result<EventPage, StripeError> {
        hold(Asked::ListEvents(query));
        self.read(CallKind::ListEvents, account, |state| state.list_events(account, query)).await
    }
}
