//! Charges: one for each attempt to take money, including declined ones.
//!
//! Invariant: 0 ≤ `amount_captured` ≤ `amount`, 0 ≤ `amount_refunded` ≤ `amount`, and a failed charge has captured
//! nothing. An amount that was held and then released counts as refunded, as at Stripe.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::ApiError;
use crate::fields::{Metadata, Shipping};
use crate::intents::{PaymentIntent, TransferData};
use crate::means::{Decline, Means};
use crate::page::{self, List, Listing, is_given};
use crate::payment_methods::PaymentMethod;
use crate::state::Object;

/// The lifetime of an authorisation. (Stripe: 7 days for most cards, as `capture_before` says.)
pub const HOLD_SECONDS: i64 = 7 * 24 * 60 * 60;

const RISK_SCORE: i64 = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeStatus {
    /// Also for a hold that isn't captured yet.
    Succeeded,
    /// A bank debit is under way.
    Pending,
    Failed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Charge {
    pub id: String,
    pub amount: i64,
    pub amount_captured: i64,
    pub amount_refunded: i64,
    pub application_fee_amount: Option<i64>,
    pub captured: bool,
    pub created: i64,
    pub currency: String,
    pub customer: Option<String>,
    /// The bank's word for why it declined.
    pub decline_code: Option<String>,
    pub description: Option<String>,
    pub disputed: bool,
    pub failure_code: Option<String>,
    pub failure_message: Option<String>,
    /// The payer's mandate for a debit.
    pub mandate: Option<String>,
    pub means: Means,
    pub metadata: Metadata,
    /// When the payment method was made.
    pub method_created: i64,
    pub on_behalf_of: Option<String>,
    pub paid: bool,
    pub payment_intent: String,
    pub payment_method: String,
    pub receipt_email: Option<String>,
    pub refunded: bool,
    pub shipping: Option<Shipping>,
    pub statement_descriptor_suffix: Option<String>,
    pub status: ChargeStatus,
    pub transfer_data: Option<TransferData>,
    pub transfer_group: Option<String>,
}

impl Object for Charge {
    const KIND: &'static str = "charge";
    const OURS: &'static [&'static str] = &["decline_code", "mandate", "means", "method_created"];

    fn constants() -> Value {
        json!({
            "application": null, "application_fee": null, "balance_transaction": null,
            "calculated_statement_descriptor": "CLASSPAY STAND-IN",
            "failure_balance_transaction": null, "fraud_details": {}, "radar_options": {},
            "receipt_number": null, "receipt_url": null, "review": null,
            "source_transfer": null, "statement_descriptor": null,
        })
    }

    fn json(&self) -> Value {
        let mut whole = self.whole();
        whole["billing_details"] = self.means.billing_details();
        whole["outcome"] = self.outcome();
        whole["payment_method_details"] = self.details();
        if let Some(data) = &self.transfer_data {
            whole["transfer_data"] = json!({ "amount": data.amount, "destination": data.destination });
        }
        whole
    }

    fn payment(&self) -> Option<&str> {
        Some(&self.payment_intent)
    }
}

impl Charge {
    fn new(call: &mut Call, intent: &PaymentIntent, method: &PaymentMethod) -> Self {
        let by_card = matches!(method.means, Means::Card(_));
        Self {
            // Payments other than by card have ids with their own prefix.
            id: call.new_id(if by_card { "ch" } else { "py" }),
            amount: intent.amount,
            amount_captured: 0,
            amount_refunded: 0,
            application_fee_amount: intent.application_fee_amount,
            captured: false,
            created: call.now,
            currency: intent.currency.clone(),
            customer: intent.customer.clone(),
            decline_code: None,
            description: intent.description.clone(),
            disputed: false,
            failure_code: None,
            failure_message: None,
            mandate: (!by_card).then(|| call.new_id("mandate")),
            means: method.means,
            metadata: intent.metadata.clone(),
            method_created: method.created,
            on_behalf_of: intent.on_behalf_of.clone(),
            paid: false,
            payment_intent: intent.id.clone(),
            payment_method: method.id.clone(),
            receipt_email: intent.receipt_email.clone(),
            refunded: false,
            shipping: intent.shipping.clone(),
            statement_descriptor_suffix: intent.statement_descriptor_suffix.clone(),
            status: ChargeStatus::Failed,
            transfer_data: intent.transfer_data.clone(),
            transfer_group: intent.transfer_group.clone(),
        }
    }

    /// The issuer holds the amount; nothing is taken yet.
    pub(crate) fn authorised(call: &mut Call, intent: &PaymentIntent, method: &PaymentMethod) -> Self {
        Self { paid: true, status: ChargeStatus::Succeeded, ..Self::new(call, intent, method) }
    }

    pub(crate) fn declined(call: &mut Call, intent: &PaymentIntent, method: &PaymentMethod, reason: Decline) -> Self {
        Self {
            decline_code: Some(reason.decline_code.into()),
            failure_code: Some(reason.code.into()),
            failure_message: Some(reason.message.into()),
            ..Self::new(call, intent, method)
        }
    }

    /// The bank has been asked and takes days to answer.
    pub(crate) fn pending(call: &mut Call, intent: &PaymentIntent, method: &PaymentMethod) -> Self {
        let mut charge = Self { status: ChargeStatus::Pending, ..Self::new(call, intent, method) };
        charge.capture(charge.amount);
        charge
    }

    /// What the bank answered when it was asked.
    fn outcome(&self) -> Value {
        let mut outcome = json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal",
            "seller_message": "Payment complete.", "type": "authorized",
        });
        match (self.means, &self.decline_code) {
            (Means::BankAccount(_), _) => outcome["risk_level"] = "not_assessed".into(),
            (Means::Card(_), None) => outcome["risk_score"] = RISK_SCORE.into(),
            (Means::Card(_), Some(reason)) => {
                outcome["risk_score"] = RISK_SCORE.into();
                outcome["network_decline_code"] = "01".into();
                outcome["network_status"] = "declined_by_network".into();
                outcome["reason"] = reason.as_str().into();
                outcome["seller_message"] = "The bank did not return any further details with this decline.".into();
                outcome["type"] = "issuer_declined".into();
            }
        }
        outcome
    }

    fn details(&self) -> Value {
        let card = match self.means {
            Means::BankAccount(account) => {
                let mut details = account.json();
                details["mandate"] = self.mandate.as_deref().into();
                return json!({ "type": "bacs_debit", "bacs_debit": details });
            }
            Means::Card(card) => card,
        };
        let mut details = json!({
            "amount_authorized": self.amount,
            "authorization_code": null,
            "extended_authorization": { "status": "disabled" },
            "incremental_authorization": { "status": "unavailable" },
            "installments": null,
            "mandate": null,
            "multicapture": { "status": "unavailable" },
            "network": card.brand,
            "network_token": { "used": false },
            "network_transaction_id": null,
            "overcapture": { "maximum_amount_capturable": self.amount, "status": "unavailable" },
            "three_d_secure": null,
            "transaction_link_id": null,
        });
        if self.paid {
            details["capture_before"] = (self.created + HOLD_SECONDS).into();
        }
        json!({ "type": "card", "card": card.json(self.method_created, details) })
    }

    /// The bank has taken the money.
    pub fn settle(&mut self) {
        self.paid = true;
        self.status = ChargeStatus::Succeeded;
    }

    /// The bank has refused.
    pub fn fail(&mut self, code: &str, message: &str) {
        self.captured = false;
        self.amount_captured = 0;
        self.failure_code = Some(code.into());
        self.failure_message = Some(message.into());
        self.status = ChargeStatus::Failed;
    }

    /// Takes `amount` of what is held; the rest is released.
    pub fn capture(&mut self, amount: i64) {
        self.captured = true;
        self.amount_captured = amount;
    }

    /// Adds to the refunded or released amount; a failed refund subtracts.
    pub fn refund(&mut self, amount: i64) {
        self.amount_refunded += amount;
        self.refunded = self.amount_refunded == self.amount;
    }

    /// The amount that was actually taken, and the amount that was returned.
    pub fn money(&self) -> (i64, i64) {
        if self.status != ChargeStatus::Succeeded || !self.captured {
            return (0, 0);
        }
        (self.amount_captured, self.amount_refunded - (self.amount - self.amount_captured))
    }
}

pub fn list(call: &Call, listing: Listing) -> Result<List<Charge>, ApiError> {
    page::list(call, "/v1/charges", listing, |listing, charge: &Charge| {
        (listing.customer.is_none() || listing.customer == charge.customer)
            && is_given(&listing.payment_intent, &charge.payment_intent)
    })
}
