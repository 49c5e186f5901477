//! Payment intents: the object and its statuses. The calls are in the modules below.
//!
//! Invariant: `amount_capturable` + `amount_received` ≤ `amount`. Only `requires_capture` has a capturable amount, only
//! `succeeded` has a received amount, and `succeeded` and `canceled` are final. Each change of status makes its event.

mod calls;
mod confirm;
mod debits;
mod holds;
mod methods;
mod params;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::form::Metadata;
use crate::objects::Shipping;
use crate::store::Object;

pub(crate) use calls::{cancel, capture, create, list, retrieve, update};
pub(crate) use confirm::{Attempt, Authentication, attempt, authenticate, confirm};
pub(crate) use debits::{fail_debit, settle_debit};
pub(crate) use holds::{capturable, capture as capture_hold, expire, expire_due};
pub(crate) use methods::MethodOptions;
pub(crate) use params::put_method;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    /// A bank debit is under way, for days.
    Processing,
    RequiresCapture,
    Succeeded,
    Canceled,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }

    /// Whether the payer hasn't authorised anything yet, so that the terms may still change.
    pub fn open(self) -> bool {
        match self {
            Self::RequiresPaymentMethod | Self::RequiresConfirmation | Self::RequiresAction => true,
            Self::Processing | Self::RequiresCapture | Self::Succeeded | Self::Canceled => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CaptureMethod {
    Automatic,
    AutomaticAsync,
    Manual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConfirmationMethod {
    Automatic,
    Manual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CancellationReason {
    Abandoned,
    Automatic,
    Duplicate,
    Fraudulent,
    RequestedByCustomer,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferData {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    pub destination: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentIntent {
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
    pub payment_method_options: MethodOptions,
    pub payment_method_types: Vec<String>,
    pub receipt_email: Option<String>,
    pub setup_future_usage: Option<String>,
    pub shipping: Option<Shipping>,
    pub statement_descriptor: Option<String>,
    pub statement_descriptor_suffix: Option<String>,
    pub status: Status,
    pub transfer_data: Option<TransferData>,
    pub transfer_group: Option<String>,
}

impl Object for PaymentIntent {
    const KIND: &'static str = "payment_intent";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn constants() -> Value {
        json!({
            "amount_details": { "tip": {} }, "application": null, "customer_account": null,
            "managed_payments": null, "payment_method_configuration_details": null,
            "processing": null, "review": null,
        })
    }

    const OURS: &'static [&'static str] = &["held_until"];

    /// Adds the fields that Stripe shows in a card's options and that can't be set here.
    fn json(&self) -> Value {
        let mut whole = self.whole();
        if let Some(card) = whole["payment_method_options"].get_mut("card") {
            card["installments"] = Value::Null;
            card["mandate_options"] = Value::Null;
        }
        whole
    }
}

impl PaymentIntent {
    /// The error for a call that the intent's status doesn't allow, with the intent.
    pub fn unexpected_state(&self, message: impl Into<String>) -> ApiError {
        ApiError::refused("payment_intent_unexpected_state", message).payment_intent(self.json())
    }

    /// The card's own capture method takes precedence over the intent's.
    pub fn captured_by_hand(&self) -> bool {
        self.payment_method_options.card_captured_by_hand() || self.capture_method == CaptureMethod::Manual
    }
}
