//! Customers as they are stored, and how one is created.
//!
//! Invariant: a customer is used only on the account that it was made on, and never created under a key that an earlier
//! customer of the same family or link used.

use std::collections::BTreeMap;

use classpay_domain::id::{AccountId, CustomerId};

use super::error::StripeError;
use super::payments::Payments;
use crate::ids::Ids;

/// How many numbered keys are tried for a customer, each after the one before is used up. The key after them is unique
/// to the call.
const NUMBERED_KEYS: u32 = 3;

/// A customer on its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Stripe's id.
    pub id: CustomerId,
    /// The account that it was made on.
    pub account: AccountId,
}

/// The customer of a family or of a link, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownCustomer {
    /// The customer; `None`: there is none, or it was removed.
    pub customer: Option<Customer>,
    /// How many numbered keys were used to create one.
    pub keys_used: u32,
}

impl KnownCustomer {
    /// The customer's id, if it is on this account.
    #[must_use]
    pub fn on(&self, account: &AccountId) -> Option<&CustomerId> {
        self.customer.as_ref().filter(|customer| customer.account == *account).map(|customer| &customer.id)
    }
}

/// A customer to be created.
#[derive(Debug, Clone, Copy)]
pub struct NewCustomer<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The name that the studio sees.
    pub name: &'a str,
    /// Metadata for people who see the customer in Stripe.
    pub about: &'a BTreeMap<String, String>,
    /// The first of its idempotency keys; every caller derives the same.
    pub key: &'a str,
}

impl NewCustomer<'_> {
    /// Creates the customer that follows the known one, under the next key that isn't used up. Answers the customer and
    /// its id.
    ///
    /// # Errors
    /// [`StripeError`] of the last try.
    pub async fn make(
        &self,
        stripe: &dyn Payments,
        known: &KnownCustomer,
        ids: &Ids,
    ) -> Result<(KnownCustomer, CustomerId), StripeError> {
        if let Some(gone) = &known.customer {
            let (account, gone) = (gone.account.as_str(), gone.id.as_str());
            tracing::warn!(account, gone, to = self.account.as_str(), "another customer takes the place of one");
        }
        let mut number = known.keys_used;
        for _ in 0..NUMBERED_KEYS {
            number = number.saturating_add(1);
            let key = if number == 1 { self.key.to_owned() } else { format!("{}:{number}", self.key) };
            match self.create(stripe, &key).await {
                Err(error) if error.is_used_up() => {}
                made => return Ok(self.known(made?, number)),
            }
        }
        let made = self.create(stripe, &format!("{}:{}", self.key, ids.bare())).await?;
        Ok(self.known(made, number))
    }

    async fn create(&self, stripe: &dyn Payments, key: &str) -> Result<CustomerId, StripeError> {
        stripe.create_customer(self.account, self.name, self.about, key).await
    }

    fn known(&self, id: CustomerId, keys_used: u32) -> (KnownCustomer, CustomerId) {
        let customer = Customer { id: id.clone(), account: self.account.clone() };
        (KnownCustomer { customer: Some(customer), keys_used }, id)
    }
}
