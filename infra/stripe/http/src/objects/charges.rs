//! Charges: one for each attempt to take money, including declined ones.
//!
//! Invariant: 0 ≤ `amount_captured` ≤ `amount`, 0 ≤ `amount_refunded` ≤ `amount`, and a failed charge has captured
//! nothing. An amount that was held and then released counts as refunded, as at Stripe.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::error::ApiError;
use crate::form::Metadata;
use crate::ids;
use crate::intents::PaymentIntent;
use crate::objects::cards::Decline;
use crate::objects::{PaymentMethod, Shipping};
use crate::page::{self, Created, Page};
use crate::store::{Object, Where};

/// The lifetime of an authorisation. (Stripe: 7 days for most cards, as `capture_before` says.)
pub(crate) const HOLD_SECONDS: i64 = 7 * 24 * 60 * 60;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub id: String,
    pub amount: i64,
    pub amount_captured: i64,
    pub amount_refunded: i64,
    pub application_fee_amount: Option<i64>,
    pub billing_details: Value,
    pub captured: bool,
    pub created: i64,
    pub currency: String,
    pub customer: Option<String>,
    pub description: Option<String>,
    #[serde(default)]
    pub disputed: bool,
    pub failure_code: Option<String>,
    pub failure_message: Option<String>,
    pub metadata: Metadata,
    pub on_behalf_of: Option<String>,
    pub outcome: Value,
    pub paid: bool,
    pub payment_intent: String,
    pub payment_method: String,
    pub payment_method_details: Value,
    pub receipt_email: Option<String>,
    pub refunded: bool,
    pub shipping: Option<Shipping>,
    pub statement_descriptor_suffix: Option<String>,
    /// `succeeded` (also for a hold that isn't captured yet), `pending` (a bank debit) or `failed`.
    pub status: String,
    pub transfer_data: Option<Value>,
    pub transfer_group: Option<String>,
}

impl Object for Charge {
    const KIND: &'static str = "charge";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn constants() -> Value {
        json!({
            "application": null, "application_fee": null, "balance_transaction": null,
            "calculated_statement_descriptor": "CLASSPAY STAND-IN",
            "failure_balance_transaction": null, "fraud_details": {}, "radar_options": {},
            "receipt_number": null, "receipt_url": null, "review": null,
            "source_transfer": null, "statement_descriptor": null,
        })
    }
}

impl Charge {
    fn new(call: &Call, intent: &PaymentIntent, method: &PaymentMethod) -> Self {
        Self {
            // Payments other than by card have ids with their own prefix.
            id: ids::object(if method.kind == "card" { "ch" } else { "py" }),
            amount: intent.amount,
            amount_captured: 0,
            amount_refunded: 0,
            application_fee_amount: intent.application_fee_amount,
            billing_details: method.billing_details.clone(),
            captured: false,
            created: call.now,
            currency: intent.currency.clone(),
            customer: intent.customer.clone(),
            description: intent.description.clone(),
            disputed: false,
            failure_code: None,
            failure_message: None,
            metadata: intent.metadata.clone(),
            on_behalf_of: intent.on_behalf_of.clone(),
            outcome: Value::Null,
            paid: false,
            payment_intent: intent.id.clone(),
            payment_method: method.id.clone(),
            payment_method_details: method.details(intent.amount),
            receipt_email: intent.receipt_email.clone(),
            refunded: false,
            shipping: intent.shipping.clone(),
            statement_descriptor_suffix: intent.statement_descriptor_suffix.clone(),
            status: "failed".into(),
            transfer_data: intent
                .transfer_data
                .as_ref()
                .map(|data| json!({ "amount": data.amount, "destination": data.destination })),
            transfer_group: intent.transfer_group.clone(),
        }
    }

    /// The issuer holds the amount; nothing is taken yet.
    pub fn authorised(call: &Call, intent: &PaymentIntent, method: &PaymentMethod) -> Self {
        let mut charge = Self::new(call, intent, method);
        charge.paid = true;
        charge.status = "succeeded".into();
        charge.payment_method_details["card"]["capture_before"] = (call.now + HOLD_SECONDS).into();
        charge.outcome = json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal",
            "risk_score": 12, "seller_message": "Payment complete.", "type": "authorized",
        });
        charge
    }

    pub fn declined(call: &Call, intent: &PaymentIntent, method: &PaymentMethod, decline: Decline) -> Self {
        let mut charge = Self::new(call, intent, method);
        charge.failure_code = Some(decline.code.into());
        charge.failure_message = Some(decline.message.into());
        charge.outcome = json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": "01",
            "network_status": "declined_by_network", "reason": decline.decline_code,
            "risk_level": "normal", "risk_score": 12,
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        });
        charge
    }

    /// The bank has been asked and takes days to answer.
    pub fn pending(call: &Call, intent: &PaymentIntent, method: &PaymentMethod) -> Self {
        let mut charge = Self::new(call, intent, method);
        charge.status = "pending".into();
        charge.capture(charge.amount);
        charge.outcome = json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "approved_by_network", "reason": null, "risk_level": "not_assessed",
            "seller_message": "Payment complete.", "type": "authorized",
        });
        charge
    }

    /// The bank has taken the money.
    pub fn settle(&mut self) {
        self.paid = true;
        self.status = "succeeded".into();
    }

    /// The bank has refused.
    pub fn fail(&mut self, code: &str, message: &str) {
        self.captured = false;
        self.amount_captured = 0;
        self.failure_code = Some(code.into());
        self.failure_message = Some(message.into());
        self.status = "failed".into();
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
        if self.status != "succeeded" || !self.captured {
            return (0, 0);
        }
        (self.amount_captured, self.amount_refunded - (self.amount - self.amount_captured))
    }
}

pub(crate) fn retrieve(call: &Call, id: &str) -> Answer {
    let charge: Option<Charge> = call.load(id)?;
    Ok(charge.ok_or_else(|| ApiError::no_such("charge", id, "id"))?.json())
}

pub(crate) fn list(call: &Call) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        created: Option<Created>,
        customer: Option<String>,
        ending_before: Option<String>,
        limit: Option<i64>,
        payment_intent: Option<String>,
        starting_after: Option<String>,
    }
    let List { created, customer, ending_before, limit, payment_intent, starting_after } = call.form.typed()?;
    let conditions = [("customer", customer), ("payment_intent", payment_intent)]
        .into_iter()
        .filter_map(|(field, value)| Some(Where::Is(field, value?)))
        .collect();
    let page = Page { limit, starting_after, ending_before, created };
    page::list::<Charge>(call, "/v1/charges", page, conditions)
}
