//! Settings of connected accounts: capabilities, and whether they are connected.
//!
//! An account without settings is connected and has every capability. The API never returns an account, and only
//! `/_control/` changes it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::ApiError;
use crate::store::Object;

/// Stripe's `status` of a capability. Only an active one accepts payments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Capability {
    #[default]
    Active,
    Inactive,
    Pending,
}

/// How a type in `allowed_payment_method_types` that the account can't use is answered. In `payment_method_types` it is
/// always refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Named {
    #[default]
    Refused,
    LeftOut,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub id: String,
    pub created: i64,
    #[serde(default)]
    pub card_payments: Capability,
    #[serde(default)]
    pub bacs_debit_payments: Capability,
    #[serde(default)]
    pub named: Named,
    /// The studio has disconnected the account from the platform.
    #[serde(default)]
    pub disconnected: bool,
    /// The number of bytes added to each of its events from now on.
    #[serde(default)]
    pub event_padding: usize,
}

impl Object for Account {
    const KIND: &'static str = "account";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn constants() -> Value {
        json!({})
    }
}

impl Account {
    pub fn new(id: &str, now: i64) -> Self {
        Self {
            id: id.to_owned(),
            created: now,
            card_payments: Capability::Active,
            bacs_debit_payments: Capability::Active,
            named: Named::Refused,
            disconnected: false,
            event_padding: 0,
        }
    }

    /// The account that a call concerns.
    pub fn of(call: &Call) -> Result<Self, ApiError> {
        let known: Option<Self> = call.load(call.account)?;
        Ok(known.unwrap_or_else(|| Self::new(call.account, call.now)))
    }

    /// Whether the account accepts payments of this type. Types for which the stand-in has no capability are accepted.
    pub fn takes(&self, kind: &str) -> bool {
        let capability = match kind {
            "card" | "link" => self.card_payments,
            "bacs_debit" => self.bacs_debit_payments,
            _ => Capability::Active,
        };
        capability == Capability::Active
    }
}

/// The dashboard page to which Stripe's refusals refer.
const WHERE: &str = "Please ensure the provided type is activated in your dashboard \
    (https://dashboard.stripe.com/account/payments/settings) and your account is enabled for any preview features that \
    you are trying to use. See https://stripe.com/docs/payments/payment-methods/integration-options for supported \
    payment method and product combinations.";

/// 400 at execution, so stored: the type was named, and the account doesn't accept it.
pub(crate) fn not_activated(kind: &str, param: &str) -> ApiError {
    let message = format!("The payment method type provided: {kind} is invalid. {WHERE}");
    ApiError::refused("payment_intent_invalid_parameter", message).param(param)
}

/// The same, if no named or activated type is left.
pub(crate) fn nothing_activated() -> ApiError {
    let message = "No valid payment method types for this Payment Intent. Please ensure that you have activated payment \
                   methods compatible with your chosen currency in your dashboard \
                   (https://dashboard.stripe.com/settings/payment_methods).";
    ApiError::refused("payment_intent_invalid_parameter", message)
}
