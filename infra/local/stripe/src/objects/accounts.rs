//! Connected accounts, as far as what they may do isn't the same for all: capabilities, and whether they are connected.
//!
//! Invariant: an account that nothing was ordered of is connected and has every capability. It is never answered by
//! the API, and only `/_control/` changes it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::ApiError;
use crate::store::Object;

/// Stripe's `status` of a capability. Only an active one takes money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Capability {
    #[default]
    Active,
    Inactive,
    Pending,
}

/// How a type in `allowed_payment_method_types` is answered that the account can't take. `payment_method_types` always
/// refuses it.
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
    /// The studio has disconnected it from the platform.
    #[serde(default)]
    pub disconnected: bool,
    /// How many bytes more each of its events has, from now on.
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

    /// The account that a call is about.
    pub fn of(call: &Call) -> Result<Self, ApiError> {
        let known: Option<Self> = call.load(call.account)?;
        Ok(known.unwrap_or_else(|| Self::new(call.account, call.now)))
    }

    /// Whether it takes payments of this type. Of types that the stand-in keeps no capability for, yes.
    pub fn takes(&self, kind: &str) -> bool {
        let capability = match kind {
            "card" | "link" => self.card_payments,
            "bacs_debit" => self.bacs_debit_payments,
            _ => Capability::Active,
        };
        capability == Capability::Active
    }
}

/// Where Stripe sends the studio, in the words of its refusals.
const WHERE: &str = "Please ensure the provided type is activated in your dashboard \
    (https://dashboard.stripe.com/account/payments/settings) and your account is enabled for any preview features that \
    you are trying to use. See https://stripe.com/docs/payments/payment-methods/integration-options for supported \
    payment method and product combinations.";

/// 400 at execution, so remembered: the type was named, and the account doesn't take it.
pub(crate) fn not_activated(kind: &str, param: &str) -> ApiError {
    let message = format!("The payment method type provided: {kind} is invalid. {WHERE}");
    ApiError::refused("payment_intent_invalid_parameter", message).param(param)
}

/// The same, where nothing that was named or that is switched on is left.
pub(crate) fn nothing_activated() -> ApiError {
    let message = "No valid payment method types for this Payment Intent. Please ensure that you have activated payment \
                   methods compatible with your chosen currency in your dashboard \
                   (https://dashboard.stripe.com/settings/payment_methods).";
    ApiError::refused("payment_intent_invalid_parameter", message)
}
