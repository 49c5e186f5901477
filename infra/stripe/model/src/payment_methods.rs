//! Payment methods: made from test cards and test bank accounts, attached to customers and detached from them.
//!
//! Invariant: a payment method that belongs to one customer never pays for another.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::customers;
use crate::error::ApiError;
use crate::fields::{Metadata, overlay};
use crate::means::{Issuer, Means, SORT_CODE, TestAccount, TestCard};
use crate::page::{self, List, Listing, is_given};
use crate::state::Object;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentMethod {
    pub id: String,
    pub created: i64,
    pub customer: Option<String>,
    pub means: Means,
    pub metadata: Metadata,
}

const ALLOW_REDISPLAY: &str = "unspecified";

impl Object for PaymentMethod {
    const KIND: &'static str = "payment_method";
    const OURS: &'static [&'static str] = &["means"];

    fn constants() -> Value {
        json!({ "allow_redisplay": ALLOW_REDISPLAY, "customer_account": null, "radar_options": {} })
    }

    fn json(&self) -> Value {
        let mut whole = self.whole();
        whole["type"] = self.means.kind().into();
        whole["billing_details"] = self.means.billing_details();
        whole[self.means.kind()] = match self.means {
            Means::Card(card) => card.json(
                self.created,
                json!({
                    "checks": { "cvc_check": "unchecked" },
                    "display_brand": card.brand,
                    "generated_from": null,
                    "networks": { "available": [card.brand], "preferred": null },
                    "three_d_secure_usage": { "supported": true },
                }),
            ),
            Means::BankAccount(account) => account.json(),
        };
        whole
    }
}

impl TestCard {
    /// What a payment method made at this time and its charges show of the card, and what only one of them shows.
    pub(crate) fn json(&self, created: i64, also: Value) -> Value {
        let mut shown = json!({
            "brand": self.brand,
            "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": null },
            "country": self.country,
            "exp_month": EXPIRY_MONTH,
            "exp_year": expiry_year(created),
            "fingerprint": self.fingerprint,
            "funding": self.funding,
            "last4": self.last4,
            "regulated_status": "unregulated",
            "wallet": null,
        });
        overlay(&mut shown, also);
        shown
    }
}

impl TestAccount {
    pub(crate) fn json(&self) -> Value {
        json!({ "fingerprint": self.fingerprint, "last4": self.last4, "sort_code": SORT_CODE })
    }
}

pub const EXPIRY_MONTH: i64 = 12;

/// Well after `now`, so that no test card expires under a moved clock. A year counts as 365 days.
pub fn expiry_year(now: i64) -> i64 {
    1970 + now / (365 * 24 * 60 * 60) + 4
}

/// The payment method with this id. A test id (`pm_card_visa`) makes a new one.
pub fn find(call: &mut Call, id: &str) -> Option<PaymentMethod> {
    let Some(means) = Means::of(id) else { return call.load(id) };
    let method =
        PaymentMethod { id: call.new_id("pm"), created: call.now, customer: None, means, metadata: Metadata::new() };
    call.save(&method);
    Some(method)
}

/// As `find`, for an id that a parameter names.
pub fn named(call: &mut Call, id: &str) -> Result<PaymentMethod, ApiError> {
    find(call, id).ok_or_else(|| ApiError::no_such_reference("PaymentMethod", id, "payment_method"))
}

pub fn of_path(call: &mut Call, id: &str) -> Result<PaymentMethod, ApiError> {
    find(call, id).ok_or_else(|| ApiError::no_such("PaymentMethod", id, "payment_method"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attach {
    pub customer: String,
}

pub fn attach(call: &mut Call, id: &str, given: Attach) -> Result<PaymentMethod, ApiError> {
    customers::named(call, &given.customer)?;
    let mut method = of_path(call, id)?;
    match &method.customer {
        Some(customer) if *customer == given.customer => return Ok(method),
        Some(_) => {
            return Err(ApiError::refused(
                "payment_method_unexpected_state",
                "The payment method you provided has already been attached to a customer.",
            ));
        }
        None => {}
    }
    if let Means::Card(card) = method.means
        && let (Issuer::Declines(decline), false) = (card.issuer, card.attachable)
    {
        return Err(ApiError::declined(decline));
    }
    method.customer = Some(given.customer);
    call.save(&method);
    call.event("payment_method.attached", &method);
    Ok(method)
}

pub fn detach(call: &mut Call, id: &str) -> Result<PaymentMethod, ApiError> {
    let mut method = of_path(call, id)?;
    let before = method.clone();
    if method.customer.take().is_none() {
        return Err(ApiError::refused(
            "payment_method_unexpected_state",
            "The payment method you provided is not attached to a customer so detachment is impossible.",
        ));
    }
    call.save(&method);
    call.event_since("payment_method.detached", &method, &before);
    Ok(method)
}

pub fn list(call: &Call, listing: Listing) -> Result<List<PaymentMethod>, ApiError> {
    let Some(customer) = listing.customer.clone() else { return Err(ApiError::missing("customer")) };
    customers::named(call, &customer)?;
    page_of(call, &customer, "/v1/payment_methods", listing)
}

/// `GET /v1/customers/{id}/payment_methods`.
pub fn list_of_customer(call: &Call, customer: &str, listing: Listing) -> Result<List<PaymentMethod>, ApiError> {
    if customers::named(call, customer).is_err() {
        return Err(ApiError::no_such("customer", customer, "customer"));
    }
    page_of(call, customer, &format!("/v1/customers/{customer}/payment_methods"), listing)
}

fn page_of(call: &Call, customer: &str, url: &str, listing: Listing) -> Result<List<PaymentMethod>, ApiError> {
    page::list(call, url, listing, |listing, method: &PaymentMethod| {
        method.customer.as_deref() == Some(customer)
            && is_given(&listing.kind, method.means.kind())
            && is_given(&listing.allow_redisplay, ALLOW_REDISPLAY)
    })
}
