//! The Stripe customers of families and links, each with its account.
//!
//! Invariant: a customer is removed or replaced only on the condition that it is the one that was read. The number of
//! used keys is stored with it and never decreases.

use classpay_domain::id::{CompanyId, FamilyId};

use super::item::{Attributes, Read as _};
use super::table::Commit;
use super::write::{Guard, Write};
use super::{Link, Store, StoreError, key};
use crate::stripe::{Customer, KnownCustomer};

impl Store {
    /// Replaces the family's Stripe customer that was read. [`Commit::ConditionFailed`]: another call was faster, or
    /// there is no such family.
    pub async fn remember_customer(
        &self,
        (company, family): (&CompanyId, &FamilyId),
        made: &KnownCustomer,
        read: &KnownCustomer,
    ) -> Result<Commit, StoreError> {
        let write = with_customer(Write::edit(key::family(company, family)), made)?;
        let as_read = match &read.customer {
            None => Guard::Exists.and(Guard::Missing("stripe_customer")),
            Some(read) => still_has(read),
        };
        self.transact(write.when(as_read)).await
    }

    /// The family's current Stripe customer.
    pub async fn load_customer(&self, company: &CompanyId, family: &FamilyId) -> Result<KnownCustomer, StoreError> {
        let item = self.get(&key::family(company, family)).await?;
        item.as_ref().map_or(Ok(KnownCustomer::default()), customer_of)
    }

    /// Removes a link's customer that Stripe doesn't know; or, if it was made and never recorded, counts the keys that
    /// it was made under as used. [`Commit::ConditionFailed`]: another call has got further.
    pub async fn forget_link_customer(&self, link: &Link, gone: &KnownCustomer) -> Result<Commit, StoreError> {
        let write = Write::edit(key::link(&link.id.alias())).set("customer_keys", gone.keys_used);
        self.transact(match &link.customer.customer {
            None => write
                .when(Guard::Exists)
                .when(Guard::Missing("stripe_customer"))
                .when(Guard::Missing("customer_keys").or(Guard::below("customer_keys", gone.keys_used))),
            Some(read) => write.clear("stripe_customer").clear("customer_account").when(still_has(read)),
        })
        .await
    }
}

/// This write, extended to set the customer.
///
/// # Errors
/// [`StoreError::Corrupt`] if there is no customer to set.
pub(super) fn with_customer(write: Write, known: &KnownCustomer) -> Result<Write, StoreError> {
    let Some(Customer { id, account }) = &known.customer else { return Err(StoreError::Corrupt("stripe_customer")) };
    Ok(write
        .set("stripe_customer", id.as_str())
        .set("customer_account", account.as_str())
        .set("customer_keys", known.keys_used))
}

/// The customer is the one that was read.
fn still_has(read: &Customer) -> Guard {
    Guard::is("stripe_customer", read.id.as_str()).and(Guard::is("customer_account", read.account.as_str()))
}

pub(super) fn customer_of(item: &Attributes) -> Result<KnownCustomer, StoreError> {
    let customer = match item.text_if("stripe_customer") {
        None => None,
        Some(_) => Some(Customer { id: item.parsed("stripe_customer")?, account: item.parsed("customer_account")? }),
    };
    Ok(KnownCustomer { customer, keys_used: item.number_if("customer_keys")?.unwrap_or(0) })
}
