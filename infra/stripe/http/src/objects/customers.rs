//! Customers.
//!
//! Invariant: a deleted customer is still reported as deleted, owns nothing, and pays for nothing.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::error::ApiError;
use crate::form::{Metadata, merge, set};
use crate::ids;
use crate::objects::PaymentMethod;
use crate::objects::postal::{Address, Shipping};
use crate::page::{self, Created, Page};
use crate::store::{self, Object, Where};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Customer {
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
pub(crate) struct InvoiceSettings {
    custom_fields: Option<Value>,
    default_payment_method: Option<String>,
    footer: Option<String>,
    rendering_options: Option<Value>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TaxExempt {
    #[default]
    None,
    Exempt,
    Reverse,
}

impl Object for Customer {
    const KIND: &'static str = "customer";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    address: Option<Address>,
    balance: Option<i64>,
    description: Option<String>,
    email: Option<String>,
    invoice_settings: Option<GivenInvoiceSettings>,
    metadata: Option<Metadata>,
    name: Option<String>,
    payment_method: Option<String>,
    phone: Option<String>,
    preferred_locales: Option<Vec<String>>,
    shipping: Option<Shipping>,
    tax_exempt: Option<TaxExempt>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenInvoiceSettings {
    default_payment_method: Option<String>,
    footer: Option<String>,
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
                let method: Option<PaymentMethod> = call.load(id)?;
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
pub(crate) fn check_email(email: &str, param: &str) -> Result<(), ApiError> {
    let plausible = email.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'));
    if plausible && !email.contains(char::is_whitespace) {
        return Ok(());
    }
    let message = format!("Invalid email address: {email}");
    Err(ApiError::invalid(message).code("email_invalid").param(param))
}

/// A customer that a parameter names and that isn't deleted.
pub(crate) fn named(call: &Call, id: &str) -> Result<Customer, ApiError> {
    let customer: Option<Customer> = call.load(id)?;
    customer
        .filter(|customer| customer.deleted_at.is_none())
        .ok_or_else(|| ApiError::no_such_reference("customer", id, "customer"))
}

/// Whether a customer with this id exists and isn't deleted.
pub(crate) fn is_living(call: &Call, id: &str) -> Result<bool, ApiError> {
    let customer: Option<Customer> = call.load(id)?;
    Ok(customer.is_some_and(|customer| customer.deleted_at.is_none()))
}

fn living(call: &Call, id: &str) -> Result<Customer, ApiError> {
    let customer: Option<Customer> = call.load(id)?;
    customer.filter(|customer| customer.deleted_at.is_none()).ok_or_else(|| ApiError::no_such("customer", id, "id"))
}

pub(crate) fn create(call: &Call) -> Answer {
    let given: Given = call.form.typed()?;
    let mut customer = Customer {
        id: ids::object("cus"),
        address: None,
        balance: 0,
        created: call.now,
        deleted_at: None,
        description: None,
        email: None,
        invoice_settings: InvoiceSettings::default(),
        metadata: Metadata::new(),
        name: None,
        phone: None,
        preferred_locales: Vec::new(),
        shipping: None,
        tax_exempt: TaxExempt::None,
    };
    let method = given.payment_method.clone();
    let method = method.map(|id| super::payment_methods::named(call, &id)).transpose()?;
    if let Some(mut method) = method {
        method.customer = Some(customer.id.clone());
        call.save(&method)?;
    }
    customer.apply(call, given)?;
    call.save(&customer)?;
    call.event("customer.created", &customer)?;
    Ok(customer.json())
}

pub(crate) fn retrieve(call: &Call, id: &str) -> Answer {
    let customer: Option<Customer> = call.load(id)?;
    Ok(customer.ok_or_else(|| ApiError::no_such("customer", id, "id"))?.json())
}

pub(crate) fn update(call: &Call, id: &str) -> Answer {
    let given: Given = call.form.typed()?;
    let mut customer = living(call, id)?;
    let before = customer.json();
    customer.apply(call, given)?;
    call.save(&customer)?;
    call.event_since("customer.updated", &customer, &before)?;
    Ok(customer.json())
}

pub(crate) fn delete(call: &Call, id: &str) -> Answer {
    remove(call, living(call, id)?)
}

/// By our call, or by the studio in its dashboard.
pub(crate) fn remove(call: &Call, mut customer: Customer) -> Answer {
    if customer.deleted_at.is_some() {
        return Err(ApiError::no_such("customer", &customer.id, "id"));
    }
    let theirs = [Where::Is("customer", customer.id.clone())];
    let methods: Vec<PaymentMethod> = store::select(call.db, call.account, &theirs, i64::MAX, false)?;
    for mut method in methods {
        method.customer = None;
        call.save(&method)?;
    }
    // The event shows the customer as it was, not the stub.
    call.event("customer.deleted", &customer)?;
    customer.deleted_at = Some(call.now);
    call.save(&customer)?;
    Ok(customer.json())
}

pub(crate) fn list(call: &Call) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        created: Option<Created>,
        email: Option<String>,
        ending_before: Option<String>,
        limit: Option<i64>,
        starting_after: Option<String>,
    }
    let List { created, email, ending_before, limit, starting_after } = call.form.typed()?;
    let mut conditions = vec![Where::IsNull("deleted_at")];
    conditions.extend(email.map(|email| Where::Is("email", email)));
    let page = Page { limit, starting_after, ending_before, created };
    page::list::<Customer>(call, "/v1/customers", page, conditions)
}
