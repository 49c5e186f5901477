//! Customers.
//!
//! Invariant: a deleted customer is still reported as deleted, owns nothing, and pays for nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::ApiError;
use crate::fields::{Address, Metadata, Shipping, merge, set};
use crate::page::{self, List, Listing};
use crate::payment_methods::{self, PaymentMethod};
use crate::state::Object;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Customer {
    pub id: String,
    pub address: Option<Address>,
    pub balance: i64,
    pub created: i64,
    /// Not part of Stripe's object: a deleted customer is answered as a stub.
    pub deleted_at: Option<i64>,
    pub description: Option<String>,
    pub email: Option<String>,
    pub invoice_settings: InvoiceSettings,
    pub metadata: Metadata,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub preferred_locales: Vec<String>,
    pub shipping: Option<Shipping>,
    pub tax_exempt: TaxExempt,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct InvoiceSettings {
    custom_fields: Option<Value>,
    default_payment_method: Option<String>,
    footer: Option<String>,
    rendering_options: Option<Value>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxExempt {
    #[default]
    None,
    Exempt,
    Reverse,
}

impl Object for Customer {
    const KIND: &'static str = "customer";

    fn constants() -> Value {
        json!({
            "currency": null, "customer_account": null, "default_source": null,
            "delinquent": false, "discount": null, "invoice_prefix": "STANDIN",
            "next_invoice_sequence": 1, "test_clock": null,
        })
    }

    const OURS: &'static [&'static str] = &["deleted_at"];

    fn json(&self) -> Value {
        if self.deleted_at.is_some() {
            return json!({ "id": self.id, "object": Self::KIND, "deleted": true });
        }
        self.whole()
    }
}

/// The parameters of a creation and of an update.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    pub address: Option<Address>,
    pub balance: Option<i64>,
    pub description: Option<String>,
    pub email: Option<String>,
    pub invoice_settings: Option<GivenInvoiceSettings>,
    pub metadata: Option<Metadata>,
    pub name: Option<String>,
    pub payment_method: Option<String>,
    pub phone: Option<String>,
    pub preferred_locales: Option<Vec<String>>,
    pub shipping: Option<Shipping>,
    pub tax_exempt: Option<TaxExempt>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenInvoiceSettings {
    pub default_payment_method: Option<String>,
    pub footer: Option<String>,
}

impl Customer {
    fn apply(&mut self, call: &Call, given: Given) -> Result<(), ApiError> {
        if let Some(email) = given.email.as_deref().filter(|email| !email.is_empty()) {
            check_email(email, "email")?;
        }
        set(&mut self.description, given.description);
        set(&mut self.email, given.email);
        set(&mut self.name, given.name);
        set(&mut self.phone, given.phone);
        merge(&mut self.metadata, given.metadata)?;
        self.address = given.address.or(self.address.take());
        self.shipping = given.shipping.or(self.shipping.take());
        self.balance = given.balance.unwrap_or(self.balance);
        self.tax_exempt = given.tax_exempt.unwrap_or(self.tax_exempt);
        if let Some(locales) = given.preferred_locales {
            self.preferred_locales = locales;
        }
        if let Some(settings) = given.invoice_settings {
            if let Some(id) = settings.default_payment_method.as_deref().filter(|id| !id.is_empty()) {
                let param = "invoice_settings[default_payment_method]";
                let method: Option<PaymentMethod> = call.load(id);
                method
                    .filter(|method| method.customer.as_deref() == Some(&self.id))
                    .ok_or_else(|| ApiError::no_such_reference("PaymentMethod", id, param))?;
            }
            set(&mut self.invoice_settings.default_payment_method, settings.default_payment_method);
            set(&mut self.invoice_settings.footer, settings.footer);
        }
        Ok(())
    }
}

/// Checks an e-mail address as far as possible without sending to it.
pub fn check_email(email: &str, param: &str) -> Result<(), ApiError> {
    let plausible = email.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'));
    if plausible && !email.contains(char::is_whitespace) {
        return Ok(());
    }
    let message = format!("Invalid email address: {email}");
    Err(ApiError::invalid(message).code("email_invalid").param(param))
}

/// A customer that a parameter names and that isn't deleted.
pub(crate) fn named(call: &Call, id: &str) -> Result<Customer, ApiError> {
    living(call, id).ok_or_else(|| ApiError::no_such_reference("customer", id, "customer"))
}

fn living(call: &Call, id: &str) -> Option<Customer> {
    call.load(id).filter(|customer: &Customer| customer.deleted_at.is_none())
}

fn of_path(call: &Call, id: &str) -> Result<Customer, ApiError> {
    living(call, id).ok_or_else(|| ApiError::no_such(Customer::KIND, id, "id"))
}

pub fn create(call: &mut Call, given: Given) -> Result<Customer, ApiError> {
    let mut customer = Customer { id: call.new_id("cus"), created: call.now, ..Customer::default() };
    let method = given.payment_method.clone();
    let method = method.map(|id| payment_methods::named(call, &id)).transpose()?;
    if let Some(mut method) = method {
        method.customer = Some(customer.id.clone());
        call.save(&method);
    }
    customer.apply(call, given)?;
    call.save(&customer);
    call.event("customer.created", &customer);
    Ok(customer)
}

pub fn update(call: &mut Call, id: &str, given: Given) -> Result<Customer, ApiError> {
    let mut customer = of_path(call, id)?;
    let before = customer.clone();
    customer.apply(call, given)?;
    call.save(&customer);
    call.event_since("customer.updated", &customer, &before);
    Ok(customer)
}

/// By our call, or by the studio in its dashboard.
pub fn delete(call: &mut Call, id: &str) -> Result<Customer, ApiError> {
    let mut customer = of_path(call, id)?;
    let theirs = call.all().iter().filter(|method: &&Arc<PaymentMethod>| method.customer.as_deref() == Some(id));
    for method in theirs.cloned().collect::<Vec<_>>() {
        call.save(&PaymentMethod { customer: None, ..PaymentMethod::clone(&method) });
    }
    // The event shows the customer as it was, not the stub.
    call.event("customer.deleted", &customer);
    customer.deleted_at = Some(call.now);
    call.save(&customer);
    Ok(customer)
}

pub fn list(call: &Call, listing: Listing) -> Result<List<Customer>, ApiError> {
    page::list(call, "/v1/customers", listing, |listing, customer: &Customer| {
        customer.deleted_at.is_none() && (listing.email.is_none() || listing.email == customer.email)
    })
}
