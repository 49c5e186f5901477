//! Payment methods: made from test cards and test bank accounts, attached to customers and detached from them.
//!
//! Invariant: a payment method that belongs to one customer never pays for another.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::error::ApiError;
use crate::form::Metadata;
use crate::ids;
use crate::objects::banks::{self, TestAccount};
use crate::objects::cards::{self, Issuer, TestCard};
use crate::objects::customers;
use crate::page::{self, Page};
use crate::store::{Object, Where};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentMethod {
    pub id: String,
    pub allow_redisplay: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub bacs_debit: Value,
    pub billing_details: Value,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub card: Value,
    pub created: i64,
    pub customer: Option<String>,
    pub metadata: Metadata,
    #[serde(rename = "type")]
    pub kind: String,
}

impl Object for PaymentMethod {
    const KIND: &'static str = "payment_method";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn constants() -> Value {
        json!({ "customer_account": null, "radar_options": {} })
    }
}

impl PaymentMethod {
    fn of_card(card: &TestCard, now: i64) -> Self {
        Self {
            id: ids::object("pm"),
            allow_redisplay: "unspecified".into(),
            bacs_debit: Value::Null,
            billing_details: json!({
                "address": {
                    "city": null, "country": null, "line1": null, "line2": null,
                    "postal_code": null, "state": null,
                },
                "email": null, "name": null, "phone": null, "tax_id": null,
            }),
            card: json!({
                "brand": card.brand,
                "checks": {
                    "address_line1_check": null, "address_postal_code_check": null,
                    "cvc_check": "unchecked",
                },
                "country": card.country,
                "display_brand": card.brand,
                "exp_month": 12,
                "exp_year": expiry_year(now),
                "fingerprint": card.fingerprint,
                "funding": card.funding,
                "generated_from": null,
                "last4": card.last4,
                "networks": { "available": [card.brand], "preferred": null },
                "regulated_status": "unregulated",
                "three_d_secure_usage": { "supported": true },
                "wallet": null,
            }),
            created: now,
            customer: None,
            metadata: Metadata::new(),
            kind: "card".into(),
        }
    }

    fn of_bank_account(account: &TestAccount, now: i64) -> Self {
        Self {
            id: ids::object("pm"),
            allow_redisplay: "unspecified".into(),
            bacs_debit: json!({
                "fingerprint": account.fingerprint, "last4": account.last4, "sort_code": banks::SORT_CODE,
            }),
            billing_details: json!({
                "address": {
                    "city": "London", "country": "GB", "line1": "1 Ballet Lane", "line2": null,
                    "postal_code": "N1 1AA", "state": null,
                },
                "email": "payer@example.com", "name": "Jenny Rosen", "phone": null, "tax_id": null,
            }),
            card: Value::Null,
            created: now,
            customer: None,
            metadata: Metadata::new(),
            kind: "bacs_debit".into(),
        }
    }

    /// The payment method's details, as a charge shows them.
    pub fn details(&self, amount: i64) -> Value {
        if self.kind == "bacs_debit" {
            let mut details = self.bacs_debit.clone();
            details["mandate"] = ids::object("mandate").into();
            return json!({ "type": "bacs_debit", "bacs_debit": details });
        }
        let of_card = |field: &str| self.card[field].clone();
        json!({
            "type": "card",
            "card": {
                "amount_authorized": amount,
                "authorization_code": null,
                "brand": of_card("brand"),
                "checks": {
                    "address_line1_check": null, "address_postal_code_check": null,
                    "cvc_check": null,
                },
                "country": of_card("country"),
                "exp_month": of_card("exp_month"),
                "exp_year": of_card("exp_year"),
                "extended_authorization": { "status": "disabled" },
                "fingerprint": of_card("fingerprint"),
                "funding": of_card("funding"),
                "incremental_authorization": { "status": "unavailable" },
                "installments": null,
                "last4": of_card("last4"),
                "mandate": null,
                "multicapture": { "status": "unavailable" },
                "network": of_card("brand"),
                "network_token": { "used": false },
                "network_transaction_id": null,
                "overcapture": { "maximum_amount_capturable": amount, "status": "unavailable" },
                "regulated_status": "unregulated",
                "three_d_secure": null,
                "transaction_link_id": null,
                "wallet": null,
            },
        })
    }

    pub fn issuer(&self) -> Issuer {
        let fingerprint = self.card["fingerprint"].as_str().unwrap_or_default();
        cards::by_fingerprint(fingerprint).map_or(Issuer::Approves, |card| card.issuer)
    }
}

/// Well after `now`, so that no test card expires under a moved clock. A year counts as 365 days.
fn expiry_year(now: i64) -> i64 {
    1970 + now / (365 * 24 * 60 * 60) + 4
}

/// The payment method with this id. A test id (`pm_card_visa`) makes a new one.
pub(crate) fn find(call: &Call, id: &str) -> Result<Option<PaymentMethod>, ApiError> {
    let method = match (cards::by_id(id), banks::by_id(id)) {
        (Some(card), _) => PaymentMethod::of_card(card, call.now),
        (None, Some(account)) => PaymentMethod::of_bank_account(account, call.now),
        (None, None) => return call.load(id),
    };
    call.save(&method)?;
    Ok(Some(method))
}

/// As `find`, for an id that a parameter names.
pub(crate) fn named(call: &Call, id: &str) -> Result<PaymentMethod, ApiError> {
    find(call, id)?.ok_or_else(|| ApiError::no_such_reference("PaymentMethod", id, "payment_method"))
}

/// Whether a payment method with this id is attached to this customer.
pub(crate) fn is_of(call: &Call, id: &str, customer: &str) -> Result<bool, ApiError> {
    let method: Option<PaymentMethod> = call.load(id)?;
    Ok(method.is_some_and(|method| method.customer.as_deref() == Some(customer)))
}

fn of_path(call: &Call, id: &str) -> Result<PaymentMethod, ApiError> {
    find(call, id)?.ok_or_else(|| ApiError::no_such("PaymentMethod", id, "payment_method"))
}

pub(crate) fn retrieve(call: &Call, id: &str) -> Answer {
    Ok(of_path(call, id)?.json())
}

pub(crate) fn attach(call: &Call, id: &str) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Attach {
        customer: String,
    }
    let given: Attach = call.form.typed()?;
    customers::named(call, &given.customer)?;
    let mut method = of_path(call, id)?;
    match &method.customer {
        Some(customer) if *customer == given.customer => return Ok(method.json()),
        Some(_) => {
            return Err(ApiError::refused(
                "payment_method_unexpected_state",
                "The payment method you provided has already been attached to a customer.",
            ));
        }
        None => {}
    }
    let fingerprint = method.card["fingerprint"].as_str().unwrap_or_default();
    if let Some(card) = cards::by_fingerprint(fingerprint)
        && let (Issuer::Declines(decline), false) = (card.issuer, card.attachable)
    {
        let mut error = ApiError::card(decline.code, decline.message);
        error.0.detail.decline_code = Some(decline.decline_code.into());
        return Err(error);
    }
    method.customer = Some(given.customer);
    call.save(&method)?;
    call.event("payment_method.attached", &method)?;
    Ok(method.json())
}

pub(crate) fn detach(call: &Call, id: &str) -> Answer {
    let mut method = of_path(call, id)?;
    let before = method.json();
    if method.customer.take().is_none() {
        return Err(ApiError::refused(
            "payment_method_unexpected_state",
            "The payment method you provided is not attached to a customer so detachment is \
             impossible.",
        ));
    }
    call.save(&method)?;
    call.event_since("payment_method.detached", &method, &before)?;
    Ok(method.json())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    allow_redisplay: Option<String>,
    customer: Option<String>,
    ending_before: Option<String>,
    limit: Option<i64>,
    starting_after: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

pub(crate) fn list(call: &Call) -> Answer {
    let given: List = call.form.typed()?;
    let Some(customer) = given.customer.clone() else { return Err(ApiError::missing("customer")) };
    customers::named(call, &customer)?;
    page_of(call, &customer, "/v1/payment_methods", given)
}

/// `GET /v1/customers/{id}/payment_methods`.
pub(crate) fn list_of_customer(call: &Call, customer: &str) -> Answer {
    let given: List = call.form.typed()?;
    if !customers::is_living(call, customer)? {
        return Err(ApiError::no_such("customer", customer, "customer"));
    }
    page_of(call, customer, &format!("/v1/customers/{customer}/payment_methods"), given)
}

fn page_of(call: &Call, customer: &str, url: &str, given: List) -> Answer {
    let List { allow_redisplay, kind, limit, starting_after, ending_before, .. } = given;
    let mut conditions = vec![Where::Is("customer", customer.to_owned())];
    conditions.extend(kind.map(|kind| Where::Is("type", kind)));
    conditions.extend(allow_redisplay.map(|given| Where::Is("allow_redisplay", given)));
    let page = Page { limit, starting_after, ending_before, created: None };
    page::list::<PaymentMethod>(call, url, page, conditions)
}
