//! The calls to Stripe that this service makes, named for the domain.
//!
//! Invariant: every call is made on the business's connected account, and every change carries the caller's idempotency
//! key. Nothing here repeats a call or interprets a refusal: the transport and the settlement do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;
use stripe_client_core::{CustomizableStripeRequest, IdempotencyKey, RequestStrategy, StripeRequest};

use super::config::{StripeConfig, StripeConfigError};
use super::error::StripeError;
use super::events::{EventPage, EventQuery};
use super::intent::Intent;
use super::payments::{CustomerSession, EphemeralKey, NewIntent, Payments, SavedCards};
use super::requests;
use super::secret::Secret;
use super::transport::Transport;

/// The metadata entry that names the deployment that made an object.
pub const MARKER: &str = "classpay";

/// Stripe. A clone is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct Stripe {
    pub(super) transport: Transport,
}

impl Stripe {
    /// Sets up the connection; the first call opens it.
    ///
    /// # Errors
    /// [`StripeConfigError`] for a configuration that can't work or isn't safe.
    pub fn new(config: &StripeConfig) -> Result<Self, StripeConfigError> {
        Ok(Self { transport: Transport::new(config)? })
    }
}

#[async_trait]
impl Payments for Stripe {
    fn within(&self, left: Duration) -> Arc<dyn Payments> {
        Arc::new(Self { transport: self.transport.within(left) })
    }

    async fn load_intent(&self, account: &AccountId, intent: &IntentId) -> Result<Option<Intent>, StripeError> {
        match on(account, &requests::load_intent(intent)).send(&self.transport).await {
            Ok(found) => Intent::try_from(found).map(Some),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create_intent(&self, account: &AccountId, new: &NewIntent<'_>, key: &str) -> Result<Intent, StripeError> {
        keyed(account, &requests::create_intent(new)?, key)?.send(&self.transport).await?.try_into()
    }

    async fn capture_intent(
        &self,
        account: &AccountId,
        intent: &IntentId,
        amount: Money,
        key: &str,
    ) -> Result<Intent, StripeError> {
        keyed(account, &requests::capture_intent(intent, amount), key)?.send(&self.transport).await?.try_into()
    }

    async fn cancel_intent(&self, account: &AccountId, intent: &IntentId, key: &str) -> Result<Intent, StripeError> {
        keyed(account, &requests::cancel_intent(intent), key)?.send(&self.transport).await?.try_into()
    }

    async fn create_customer(
        &self,
        account: &AccountId,
        name: &str,
        about: &BTreeMap<String, String>,
        key: &str,
    ) -> Result<CustomerId, StripeError> {
        let customer = keyed(account, &requests::create_customer(name, about), key)?.send(&self.transport).await?;
        customer_id(customer.id.as_str())
    }

    async fn create_customer_session(
        &self,
        account: &AccountId,
        customer: &CustomerId,
        cards: SavedCards,
        key: &str,
    ) -> Result<CustomerSession, StripeError> {
        let session =
            keyed(account, &requests::create_customer_session(customer, cards), key)?.send(&self.transport).await?;
        let customer_id = customer_id(session.customer.id().as_str())?;
        Ok(CustomerSession { customer_id, client_secret: Secret::new(session.client_secret) })
    }

    async fn create_ephemeral_key(
        &self,
        account: &AccountId,
        customer: &CustomerId,
        key: &str,
    ) -> Result<EphemeralKey, StripeError> {
        let made = keyed(account, &requests::create_ephemeral_key(customer), key)?.send(&self.transport).await?;
        Ok(EphemeralKey {
            id: made.id.to_string(),
            secret: Secret::new(made.secret.ok_or(StripeError::OutcomeUnknown)?),
            // The SDK omits the object that the key is for, which is always the customer that we asked for.
            associated_object_id: customer.as_str().to_owned(),
            associated_object_type: "customer",
        })
    }

    async fn list_events(&self, account: &AccountId, query: EventQuery<'_>) -> Result<EventPage, StripeError> {
        let mut most = requests::EVENTS_PER_PAGE;
        loop {
            let list = requests::list_events(query, most);
            match self.transport.read(account, list.build()).await {
                Err(error) if error.is_too_large() && most > 1 => most /= 2,
                answer => return EventPage::read(&answer?),
            }
        }
    }
}

fn on<R: StripeRequest>(account: &AccountId, request: &R) -> CustomizableStripeRequest<R::Output> {
    request.customize().account_id(account.as_str().into())
}

fn keyed<R: StripeRequest>(
    account: &AccountId,
    request: &R,
    key: &str,
) -> Result<CustomizableStripeRequest<R::Output>, StripeError> {
    let key = IdempotencyKey::new(key)
        .map_err(|_| StripeError::refused_unsent("an idempotency key is 1 to 255 characters"))?;
    Ok(on(account, request).request_strategy(RequestStrategy::Idempotent(key)))
}

fn customer_id(text: &str) -> Result<CustomerId, StripeError> {
    CustomerId::parse(text).map_err(|_| StripeError::OutcomeUnknown)
}
