//! Settings of connected accounts: capabilities, and whether they are connected.
//!
//! The API never returns an account, and no call changes it.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// Stripe's `status` of a capability. Only an active one accepts payments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    #[default]
    Active,
    Inactive,
    Pending,
}

/// How a type in `allowed_payment_method_types` that the account can't use is answered. In `payment_method_types` it is
/// always refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    #[default]
    Refused,
    LeftOut,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub card_payments: Capability,
    pub bacs_debit_payments: Capability,
    pub named: Named,
    /// The studio has disconnected the account from the platform.
    pub disconnected: bool,
    /// The number of bytes added to each of its events from now on.
    pub event_padding: usize,
}

impl Account {
    /// Whether the account accepts payments of this type. Types without a capability here are accepted.
    pub fn takes(self, kind: &str) -> bool {
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
