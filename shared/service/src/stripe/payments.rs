//! The calls that this service makes to Stripe, in the domain's terms.
//!
//! Invariant: every call is made on the business's connected account, and every change carries the caller's idempotency
//! key. [`StripeError`] says what an error proves: only [`StripeError::Unavailable`], `Refused`, `Declined` and
//! `Misconfigured` prove that nothing was done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;

use super::error::StripeError;
use super::events::{EventPage, EventQuery};
use super::intent::Intent;
use super::secret::Secret;

/// Stripe, or a substitute for it.
#[async_trait]
pub trait Payments: std::fmt::Debug + Send + Sync {
    /// The same, limited to this much time from now for all calls together.
    #[must_use]
    fn within(&self, left: Duration) -> Arc<dyn Payments>;

    /// An intent with its last charge, its refunds and its payment method; `None`: the account has none of that id.
    /// Reading changes nothing, so a read that fails is `Unavailable`.
    async fn load_intent(&self, account: &AccountId, intent: &IntentId) -> Result<Option<Intent>, StripeError>;

    /// Creates an intent whose card is held first and captured later, or answers the one that was created with this
    /// key. So repeating the call with the same key resolves an unknown outcome.
    async fn create_intent(&self, account: &AccountId, new: &NewIntent<'_>, key: &str) -> Result<Intent, StripeError>;

    /// Captures exactly this much of what is held. `Ok` is no proof by itself: check the status and the amount
    /// received.
    async fn capture_intent(
        &self,
        account: &AccountId,
        intent: &IntentId,
        amount: Money,
        key: &str,
    ) -> Result<Intent, StripeError>;

    /// Cancels an intent, and with it the hold. It is released only if the answer's status is `canceled`.
    async fn cancel_intent(&self, account: &AccountId, intent: &IntentId, key: &str) -> Result<Intent, StripeError>;

    /// Creates a customer, or answers the one that was created with this key.
    async fn create_customer(
        &self,
        account: &AccountId,
        name: &str,
        about: &BTreeMap<String, String>,
        key: &str,
    ) -> Result<CustomerId, StripeError>;

    /// Opens a customer's payment form.
    async fn create_customer_session(
        &self,
        account: &AccountId,
        customer: &CustomerId,
        cards: SavedCards,
        key: &str,
    ) -> Result<CustomerSession, StripeError>;

    /// Opens a customer's mobile payment form.
    async fn create_ephemeral_key(
        &self,
        account: &AccountId,
        customer: &CustomerId,
        key: &str,
    ) -> Result<EphemeralKey, StripeError>;

    /// One page of an account's events, the newest first. Reading changes nothing, so a read that fails is
    /// `Unavailable`; an account that is no longer connected is `Misconfigured`.
    async fn list_events(&self, account: &AccountId, query: EventQuery<'_>) -> Result<EventPage, StripeError>;
}

/// An intent to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent<'a> {
    /// What it charges.
    pub amount: Money,
    /// In lower case: `gbp`.
    pub currency: &'a str,
    /// The family's customer on the connected account.
    pub customer: CustomerId,
    /// How it may be paid.
    pub methods: Methods,
    /// The deployment that made it, and the payer. We never read from it whose intent it is.
    pub metadata: BTreeMap<String, String>,
}

/// How an intent may be paid. Never Stripe's automatic methods: some of them can't be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Methods {
    /// A card, held first and captured later.
    Card,
    /// A card, held first; or a British bank debit, which nobody can hold.
    CardOrBankDebit,
}

/// Whether the payer sees and keeps saved cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SavedCards {
    /// The family's own session.
    Offered,
    /// The holder of a link: they must not see any card of the family, and none is saved.
    Off,
}

/// What Stripe's payment form needs to show saved cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerSession {
    /// The customer.
    pub customer_id: CustomerId,
    /// Opens the customer's saved cards.
    pub client_secret: Secret,
}

/// What Stripe's mobile payment form needs to show saved cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EphemeralKey {
    /// Stripe's id.
    pub id: String,
    /// Opens the customer's saved cards.
    pub secret: Secret,
    /// The id of the object that it opens.
    pub associated_object_id: String,
    /// The type of that object: `customer`.
    pub associated_object_type: &'static str,
}
