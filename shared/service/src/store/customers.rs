//! Stripe's customers of families and links, each with its account.
//!
//! Invariant: a customer is forgotten, and another takes its place, only on the condition that it is the one that was
//! read. How many keys were used stands with it and never goes back.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_domain::id::{CompanyId, FamilyId};

use super::item::{Attributes, Read as _, number, text};
use super::table::Written;
use super::transact::{Change, Transaction};
use super::{Link, Store, StoreError, key};
use crate::machine::Machine;
use crate::stripe::{Customer, KnownCustomer};

/// What sets a customer, with [`values`].
pub(super) const SET: &str =
    "stripe_customer = :customer, customer_account = :customer_account, customer_keys = :customer_keys";

impl<M: Machine> Store<M> {
    /// Remembers the family's Stripe customer in the place of the one that was read. [`Written::Lost`]: another was
    /// faster, or there is no such family.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn remember_customer(
        &self,
        (company, family): (&CompanyId, &FamilyId),
        made: &KnownCustomer,
        read: &KnownCustomer,
    ) -> Result<Written, StoreError> {
        let Some(made_values) = values(made) else { return Err(StoreError::Corrupt("stripe_customer")) };
        let mut change = Change::of(key::family(company, family)).update(format!("SET {SET}"));
        for (name, value) in made_values {
            change = change.value(name, value);
        }
        let change = match &read.customer {
            None => change.only_if("attribute_exists(pk) AND attribute_not_exists(stripe_customer)"),
            Some(read) => change
                .only_if("stripe_customer = :read AND customer_account = :read_account")
                .value(":read", text(read.id.as_str()))
                .value(":read_account", text(read.account.as_str())),
        };
        let mut transaction = Transaction::new();
        transaction.change(change);
        self.transact(transaction).await
    }

    /// The family's Stripe customer, now.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn load_customer(&self, company: &CompanyId, family: &FamilyId) -> Result<KnownCustomer, StoreError> {
        let item = self.get(&key::family(company, family)).await?;
        item.as_ref().map_or(Ok(KnownCustomer::default()), customer_of)
    }

    /// Forgets a link's customer, which Stripe doesn't know; or, if it was made and never remembered, the keys that it was
    /// made under. [`Written::Lost`]: somebody else is further.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn forget_link_customer(&self, link: &Link, gone: &KnownCustomer) -> Result<Written, StoreError> {
        let change = Change::of(key::link(&link.id.alias())).value(":keys", number(gone.keys_used));
        let change = match &link.customer.customer {
            None => change.update("SET customer_keys = :keys").only_if(
                "attribute_exists(pk) AND attribute_not_exists(stripe_customer) \
                 AND (attribute_not_exists(customer_keys) OR customer_keys < :keys)",
            ),
            Some(read) => change
                .update("SET customer_keys = :keys REMOVE stripe_customer, customer_account")
                .only_if("stripe_customer = :read AND customer_account = :read_account")
                .value(":read", text(read.id.as_str()))
                .value(":read_account", text(read.account.as_str())),
        };
        let mut transaction = Transaction::new();
        transaction.change(change);
        self.transact(transaction).await
    }
}

/// The values of [`SET`]; `None` for no customer.
pub(super) fn values(known: &KnownCustomer) -> Option<[(&'static str, AttributeValue); 3]> {
    let Customer { id, account } = known.customer.as_ref()?;
    Some([
        (":customer", text(id.as_str())),
        (":customer_account", text(account.as_str())),
        (":customer_keys", number(known.keys_used)),
    ])
}

pub(super) fn customer_of(item: &Attributes) -> Result<KnownCustomer, StoreError> {
    let customer = match item.text_if("stripe_customer") {
        None => None,
        Some(_) => Some(Customer { id: item.parsed("stripe_customer")?, account: item.parsed("customer_account")? }),
    };
    Ok(KnownCustomer { customer, keys_used: item.number_if("customer_keys")?.unwrap_or(0) })
}
