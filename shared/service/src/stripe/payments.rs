//! What this service asks of Stripe, in the domain's words.
//!
//! Invariant: everything happens on the business's connected account, and whatever changes something carries the
//! caller's key. An error says what it proves ([`StripeError`]): only [`StripeError::Unavailable`], `Refused`,
//! `Declined` and `Misconfigured` prove that nothing was done.

use std::collections::BTreeMap;
use std::time::Duration;

use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;

use super::adapter::{CustomerSession, EphemeralKey, NewIntent, SavedCards};
use super::error::StripeError;
use super::events::{EventPage, EventQuery};
use super::intent::Intent;

/// Stripe, or what stands in for it.
pub trait Payments: std::fmt::Debug + Clone + Send + Sync + 'static {
    /// The same for a caller who has only so much time left from now, for all calls together.
    #[must_use]
    fn within(&self, left: Duration) -> Self;

    /// An intent with its last charge, its refunds and its payment method; `None`: the account has none of that id.
    /// Reading changes nothing, so a read that fails is `Unavailable`.
    fn load_intent(
        &self,
        account: &AccountId,
        intent: &IntentId,
    ) -> impl Future<Output = Result<Option<Intent>, StripeError>> + Send;

    /// Makes an intent whose card is held first and captured later, or answers the one that was made with this key:
    /// so the same key again finds out what became of an unknown outcome.
    fn create_intent(
        &self,
        account: &AccountId,
        new: &NewIntent<'_>,
        key: &str,
    ) -> impl Future<Output = Result<Intent, StripeError>> + Send;

    /// Takes exactly this much of what is held. `Ok` is no proof by itself: look at status and amount received.
    fn capture_intent(
        &self,
        account: &AccountId,
        intent: &IntentId,
        amount: Money,
        key: &str,
    ) -> impl Future<Output = Result<Intent, StripeError>> + Send;

    /// Cancels an intent, and with it what is held. It is released only if the answer's status is `canceled`.
    fn cancel_intent(
        &self,
        account: &AccountId,
        intent: &IntentId,
        key: &str,
    ) -> impl Future<Output = Result<Intent, StripeError>> + Send;

    /// Makes a customer, or answers the one that was made with this key.
    fn create_customer(
        &self,
        account: &AccountId,
        name: &str,
        about: &BTreeMap<String, String>,
        key: &str,
    ) -> impl Future<Output = Result<CustomerId, StripeError>> + Send;

    /// Opens a customer's payment form.
    fn create_customer_session(
        &self,
        account: &AccountId,
        customer: &CustomerId,
        cards: SavedCards,
        key: &str,
    ) -> impl Future<Output = Result<CustomerSession, StripeError>> + Send;

    /// Opens a customer's mobile payment form.
    fn create_ephemeral_key(
        &self,
        account: &AccountId,
        customer: &CustomerId,
        key: &str,
    ) -> impl Future<Output = Result<EphemeralKey, StripeError>> + Send;

    /// One page of an account's events, the newest first. Reading changes nothing, so a read that fails is
    /// `Unavailable`; an account that is no longer connected is `Misconfigured`.
    fn list_events(
        &self,
        account: &AccountId,
        query: EventQuery<'_>,
    ) -> impl Future<Output = Result<EventPage, StripeError>> + Send;
}
