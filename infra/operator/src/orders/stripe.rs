//! What the read-only commands ask of Stripe, with async-stripe's own client.
//!
//! Invariant: nothing here changes anything at Stripe, and nothing that moves money is decided by it. The commands that
//! finish or void an order go through the service's settlement and its transport.

use std::time::Duration;

use classpay_domain::id::{AccountId, IntentId};
use classpay_service::stripe::{Intent, MARKER, Secret, StripeConfigError, is_stripe_or_this_machine};
use futures_util::{StreamExt as _, TryStreamExt as _};
use stripe::{Client, ClientBuilder, StripeError};
use stripe_client_core::RequestStrategy;
use stripe_core::payment_intent::{ListPaymentIntent, RetrievePaymentIntent};
use stripe_types::{RangeBoundsTs, RangeQueryTs};

use crate::Problem;

/// How many intents are requested at once: with their charges they are some 10 KB each.
const PER_PAGE: i64 = 100;
/// The time limit of one attempt.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a call is tried; a read may be repeated.
const ATTEMPTS: u32 = 3;

/// Stripe, to be read.
pub(super) struct StripeReader(ClientBuilder);

/// An intent that was listed.
#[derive(Debug, Clone)]
pub(super) struct ListedIntent {
    /// The intent with its last charge, without its refunds and its payment method.
    pub intent: Intent,
    /// The deployment named in its metadata: the studio may have other intents on its account.
    pub marker: Option<String>,
}

impl StripeReader {
    /// Stripe at this address, with the platform's key.
    ///
    /// # Errors
    /// The address is neither Stripe's own nor on this machine: it would receive the key.
    pub fn new(url: &str, key: &Secret) -> Result<Self, StripeConfigError> {
        if !is_stripe_or_this_machine(url) {
            return Err(StripeConfigError::Elsewhere);
        }
        let builder = ClientBuilder::new(key.expose()).url(url).timeout(TIMEOUT);
        Ok(Self(builder.request_strategy(RequestStrategy::ExponentialBackoff(ATTEMPTS))))
    }

    fn on(&self, account: &AccountId) -> Result<Client, Problem> {
        self.0.clone().account_id(account.as_str().into()).build().map_err(unreadable)
    }

    /// The intents of an account that were made in this time, in seconds since 1970, the newest first. The list may lag
    /// behind.
    pub async fn list_intents(
        &self,
        account: &AccountId,
        (from_s, until_s): (i64, i64),
    ) -> Result<Vec<ListedIntent>, Problem> {
        let client = self.on(account)?;
        let between = RangeBoundsTs { gte: Some(from_s), lte: Some(until_s), ..RangeBoundsTs::default() };
        let list = ListPaymentIntent::new().created(RangeQueryTs::Bounds(between)).limit(PER_PAGE);
        let intents = list.expand(vec!["data.latest_charge".to_owned()]).paginate().stream(&client);
        intents.map(|intent| listed(intent.map_err(unreadable)?)).try_collect().await
    }

    /// An intent with its last charge, the charge's refunds and its payment method.
    pub async fn load_intent(&self, account: &AccountId, intent: &IntentId) -> Result<Option<Intent>, Problem> {
        let expanded = ["latest_charge.refunds", "payment_method"].map(str::to_owned).to_vec();
        let call = RetrievePaymentIntent::new(intent.as_str()).expand(expanded);
        match call.send(&self.on(account)?).await {
            Ok(found) => Ok(Some(read(found)?)),
            Err(StripeError::Stripe(_, 404)) => Ok(None),
            Err(error) => Err(unreadable(error)),
        }
    }
}

fn listed(intent: stripe_shared::PaymentIntent) -> Result<ListedIntent, Problem> {
    let marker = intent.metadata.get(MARKER).cloned();
    Ok(ListedIntent { intent: read(intent)?, marker })
}

fn read(intent: stripe_shared::PaymentIntent) -> Result<Intent, Problem> {
    intent.try_into().map_err(super::of_stripe)
}

fn unreadable(error: StripeError) -> Problem {
    match error {
        // The code, not the message: that may show part of the key.
        StripeError::Stripe(said, status) => {
            let code = said.code.as_ref().map_or(said.type_.as_str(), |code| code.as_str());
            Problem::new(format!("stripe answers {status}: {code}"))
        }
        error => Problem::new(format!("stripe can't be read: {error}")),
    }
}
