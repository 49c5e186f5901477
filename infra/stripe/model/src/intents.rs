//! Payment intents: the object, its statuses, and the calls on it, except confirmation.
//!
//! Invariant: `amount_capturable` + `amount_received` ≤ `amount`. Only `requires_capture` has a capturable amount, only
//! `succeeded` has a received amount, and `succeeded` and `canceled` are final. Each change of status makes its event.
//! A call that isn't allowed in the intent's status changes nothing and fails with `payment_intent_unexpected_state`
//! and the intent.

use classpay_domain::order::IntentStatus;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::confirm::{Attempt, attempt};
use crate::error::ApiError;
use crate::fields::{self, Metadata, Shipping};
use crate::holds;
use crate::page::{self, List, Listing};
use crate::params::{self, Novelty, Terms};
use crate::state::Object;

/// A status is stored as Stripe's name for it.
mod status {
    use classpay_domain::order::IntentStatus;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub fn serialize<S: Serializer>(status: &IntentStatus, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(status.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IntentStatus, D::Error> {
        let name = String::deserialize(deserializer)?;
        IntentStatus::parse(&name).ok_or_else(|| D::Error::custom(format!("{name} is no status")))
    }
}

/// Whether the payer hasn't authorised anything yet, so that the terms may still change.
pub(crate) fn is_open(status: IntentStatus) -> bool {
    matches!(
        status,
        IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMethod {
    Automatic,
    AutomaticAsync,
    Manual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmationMethod {
    Automatic,
    Manual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancellationReason {
    Abandoned,
    Automatic,
    Duplicate,
    Fraudulent,
    RequestedByCustomer,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferData {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    pub destination: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentIntent {
    pub id: String,
    pub allowed_payment_method_types: Option<Vec<String>>,
    pub amount: i64,
    pub amount_capturable: i64,
    pub amount_received: i64,
    pub application_fee_amount: Option<i64>,
    pub automatic_payment_methods: Option<Value>,
    pub canceled_at: Option<i64>,
    pub cancellation_reason: Option<CancellationReason>,
    pub capture_method: CaptureMethod,
    pub client_secret: String,
    pub confirmation_method: ConfirmationMethod,
    pub created: i64,
    pub currency: String,
    pub customer: Option<String>,
    pub description: Option<String>,
    pub excluded_payment_method_types: Option<Vec<String>>,
    /// When the authorisation expires: the charge's `capture_before`.
    pub held_until: Option<i64>,
    pub last_payment_error: Option<Value>,
    pub latest_charge: Option<String>,
    pub metadata: Metadata,
    pub next_action: Option<Value>,
    pub on_behalf_of: Option<String>,
    pub payment_method: Option<String>,
    pub payment_method_options: Value,
    pub payment_method_types: Vec<String>,
    pub receipt_email: Option<String>,
    pub setup_future_usage: Option<String>,
    pub shipping: Option<Shipping>,
    pub statement_descriptor: Option<String>,
    pub statement_descriptor_suffix: Option<String>,
    #[serde(with = "status")]
    pub status: IntentStatus,
    pub transfer_data: Option<TransferData>,
    pub transfer_group: Option<String>,
}

impl Object for PaymentIntent {
    const KIND: &'static str = "payment_intent";

    fn constants() -> Value {
        json!({
            "amount_details": { "tip": {} }, "application": null, "customer_account": null,
            "managed_payments": null, "payment_method_configuration_details": null,
            "processing": null, "review": null,
        })
    }

    const OURS: &'static [&'static str] = &["held_until"];

    fn payment(&self) -> Option<&str> {
        Some(&self.id)
    }
}

impl PaymentIntent {
    /// The error for a call that the intent's status doesn't allow, with the intent.
    pub fn unexpected_state(&self, message: impl Into<String>) -> ApiError {
        ApiError::refused("payment_intent_unexpected_state", message).payment_intent(self.json())
    }

    /// The same for what only happens in one status.
    pub(crate) fn lacks(&self, what: &str) -> ApiError {
        let status = self.status.as_str();
        self.unexpected_state(format!("This PaymentIntent has a status of {status}: there is no {what}."))
    }

    /// The card's own capture method takes precedence over the intent's.
    pub fn captured_by_hand(&self) -> bool {
        self.card_option("capture_method") == Some("manual") || self.capture_method == CaptureMethod::Manual
    }

    pub(crate) fn card_option(&self, name: &str) -> Option<&str> {
        self.payment_method_options["card"][name].as_str()
    }
}

pub(crate) fn of_path(call: &Call, id: &str) -> Result<PaymentIntent, ApiError> {
    call.load(id).ok_or_else(|| ApiError::no_such("payment_intent", id, "intent"))
}

pub fn create(call: &mut Call, terms: Terms) -> Result<PaymentIntent, ApiError> {
    terms.check()?;
    let amount = terms.amount.ok_or_else(|| ApiError::missing("amount"))?;
    let currency = terms.currency.clone().ok_or_else(|| ApiError::missing("currency"))?;
    let to_confirm = terms.confirm == Some(true);
    for (param, given) in [
        ("off_session", terms.off_session.is_some()),
        ("return_url", terms.return_url.is_some()),
        ("error_on_requires_action", terms.error_on_requires_action.is_some()),
    ] {
        if given && !to_confirm {
            let message = format!("You cannot pass `{param}` when creating a PaymentIntent without `confirm=true`.");
            return Err(ApiError::invalid(message).param(param));
        }
    }
    let mut intent = blank(call, amount, currency);
    let how = Attempt::of(&terms);
    terms.apply(call, &mut intent, Novelty::New)?;
    call.event("payment_intent.created", &intent);
    if to_confirm {
        attempt(call, &mut intent, how)?;
    }
    call.save(&intent);
    Ok(intent)
}

fn blank(call: &mut Call, amount: i64, currency: String) -> PaymentIntent {
    let id = call.new_id("pi");
    PaymentIntent {
        client_secret: call.new_id(&format!("{id}_secret")),
        id,
        allowed_payment_method_types: None,
        amount,
        amount_capturable: 0,
        amount_received: 0,
        application_fee_amount: None,
        automatic_payment_methods: None,
        canceled_at: None,
        cancellation_reason: None,
        capture_method: CaptureMethod::AutomaticAsync,
        confirmation_method: ConfirmationMethod::Automatic,
        created: call.now,
        currency,
        customer: None,
        description: None,
        excluded_payment_method_types: None,
        held_until: None,
        last_payment_error: None,
        latest_charge: None,
        metadata: Metadata::new(),
        next_action: None,
        on_behalf_of: None,
        payment_method: None,
        payment_method_options: json!({}),
        payment_method_types: Vec::new(),
        receipt_email: None,
        setup_future_usage: None,
        shipping: None,
        statement_descriptor: None,
        statement_descriptor_suffix: None,
        status: IntentStatus::RequiresPaymentMethod,
        transfer_data: None,
        transfer_group: None,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retrieve {
    pub client_secret: Option<String>,
}

pub fn retrieve(call: &Call, id: &str, given: Retrieve) -> Result<PaymentIntent, ApiError> {
    let intent = of_path(call, id)?;
    if given.client_secret.is_some_and(|secret| secret != intent.client_secret) {
        let message = "The client_secret provided does not match the client_secret associated \
                       with this PaymentIntent.";
        return Err(ApiError::invalid(message).param("client_secret"));
    }
    Ok(intent)
}

pub fn list(call: &Call, listing: Listing) -> Result<List<PaymentIntent>, ApiError> {
    page::list(call, "/v1/payment_intents", listing, |listing, intent: &PaymentIntent| {
        listing.customer.is_none() || listing.customer == intent.customer
    })
}

pub fn update(call: &mut Call, id: &str, terms: Terms) -> Result<PaymentIntent, ApiError> {
    terms.check()?;
    let mut intent = of_path(call, id)?;
    terms.apply(call, &mut intent, Novelty::Existing)?;
    call.save(&intent);
    Ok(intent)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    pub amount_to_capture: Option<i64>,
    pub application_fee_amount: Option<i64>,
    pub final_capture: Option<bool>,
    pub metadata: Option<Metadata>,
    pub statement_descriptor: Option<String>,
    pub statement_descriptor_suffix: Option<String>,
}

pub fn capture(call: &mut Call, id: &str, given: Capture) -> Result<PaymentIntent, ApiError> {
    let mut intent = of_path(call, id)?;
    let amount = holds::capturable(&intent, given.amount_to_capture)?;
    if given.final_capture == Some(false) {
        let message = "This PaymentIntent's card does not support multiple captures.";
        return Err(ApiError::invalid(message).param("final_capture"));
    }
    if let Some(fee) = given.application_fee_amount {
        params::application_fee(fee, amount)?;
        intent.application_fee_amount = Some(fee);
    }
    fields::merge(&mut intent.metadata, given.metadata)?;
    fields::set(&mut intent.statement_descriptor, given.statement_descriptor);
    fields::set(&mut intent.statement_descriptor_suffix, given.statement_descriptor_suffix);
    holds::capture(call, &mut intent, amount)?;
    Ok(intent)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    pub cancellation_reason: Option<CancellationReason>,
}

pub fn cancel(call: &mut Call, id: &str, given: Cancel) -> Result<PaymentIntent, ApiError> {
    let mut intent = of_path(call, id)?;
    if matches!(intent.status, IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled) {
        let status = intent.status.as_str();
        return Err(intent.unexpected_state(format!(
            "You cannot cancel this PaymentIntent because it has a status of {status}. Only a \
             PaymentIntent with one of the following statuses may be canceled: \
             requires_payment_method, requires_capture, requires_confirmation, requires_action."
        )));
    }
    holds::cancel(call, &mut intent, given.cancellation_reason)?;
    Ok(intent)
}
