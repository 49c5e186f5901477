//! Disputes: the payer's bank takes the money back, and may have to return it.
//!
//! Invariant: a charge has at most one dispute that isn't won, and a closed one stays as it is.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::error::{ApiError, Effect};
use crate::form::Metadata;
use crate::ids;
use crate::money;
use crate::objects::Charge;
use crate::page::{self, Created, Page};
use crate::store::{self, Object, Where};

/// How long the studio may answer.
const EVIDENCE_SECONDS: i64 = 9 * 24 * 60 * 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeStatus {
    NeedsResponse,
    Won,
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Won,
    Lost,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Grievance {
    CreditNotProcessed,
    DebitNotAuthorized,
    Duplicate,
    #[default]
    Fraudulent,
    General,
    ProductNotReceived,
    ProductUnacceptable,
    SubscriptionCanceled,
    Unrecognized,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Dispute {
    pub id: String,
    pub amount: i64,
    pub charge: String,
    pub created: i64,
    pub currency: String,
    pub evidence_details: Value,
    pub is_charge_refundable: bool,
    pub metadata: Metadata,
    pub payment_intent: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub payment_method_details: Value,
    pub reason: Grievance,
    pub status: DisputeStatus,
}

impl Object for Dispute {
    const KIND: &'static str = "dispute";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn constants() -> Value {
        json!({
            "balance_transactions": [],
            "enhanced_eligibility_types": [],
            "evidence": {
                "access_activity_log": null, "billing_address": null, "cancellation_policy": null,
                "cancellation_policy_disclosure": null, "cancellation_rebuttal": null,
                "customer_communication": null, "customer_email_address": null,
                "customer_name": null, "customer_purchase_ip": null, "customer_signature": null,
                "duplicate_charge_documentation": null, "duplicate_charge_explanation": null,
                "duplicate_charge_id": null, "enhanced_evidence": {}, "product_description": null,
                "receipt": null, "refund_policy": null, "refund_policy_disclosure": null,
                "refund_refusal_explanation": null, "service_date": null,
                "service_documentation": null, "shipping_address": null, "shipping_carrier": null,
                "shipping_date": null, "shipping_documentation": null,
                "shipping_tracking_number": null, "uncategorized_file": null,
                "uncategorized_text": null,
            },
        })
    }
}

impl Dispute {
    /// The payer has gone to the bank, and the bank has taken the money.
    pub fn open(call: &Call, mut charge: Charge, amount: Option<i64>, reason: Grievance) -> Result<Self, ApiError> {
        let (taken, _) = charge.money();
        let amount = amount.unwrap_or(taken);
        if taken == 0 || against(call, &charge.id)? {
            return Err(refused("This charge can't be disputed: nothing was taken, or it is disputed already.".into()));
        }
        money::at_least_one(amount, "amount")?;
        if amount > taken {
            return Err(refused(format!("Only {taken} was taken, so {amount} can't be disputed.")).param("amount"));
        }
        let brand = &charge.payment_method_details["card"]["brand"];
        let dispute = Self {
            id: ids::object("du"),
            amount,
            charge: charge.id.clone(),
            created: call.now,
            currency: charge.currency.clone(),
            evidence_details: json!({
                "due_by": call.now + EVIDENCE_SECONDS, "enhanced_eligibility": {},
                "has_evidence": false, "past_due": false, "submission_count": 0,
            }),
            is_charge_refundable: false,
            metadata: Metadata::new(),
            payment_intent: charge.payment_intent.clone(),
            payment_method_details: match brand {
                Value::Null => Value::Null,
                brand => json!({
                    "type": "card",
                    "card": {
                        "brand": brand, "case_type": "chargeback", "network": brand,
                        "network_reason_code": "10.4",
                    },
                }),
            },
            reason,
            status: DisputeStatus::NeedsResponse,
        };
        charge.disputed = true;
        call.save(&charge)?;
        call.save(&dispute)?;
        call.event("charge.dispute.created", &dispute)?;
        call.event("charge.dispute.funds_withdrawn", &dispute)?;
        Ok(dispute)
    }

    /// The bank has decided.
    pub fn close(&mut self, call: &Call, outcome: Outcome) -> Result<(), ApiError> {
        if self.status != DisputeStatus::NeedsResponse {
            return Err(refused("This dispute is already closed.".into()));
        }
        let before = self.json();
        (self.status, self.is_charge_refundable) = match outcome {
            Outcome::Won => (DisputeStatus::Won, true),
            Outcome::Lost => (DisputeStatus::Lost, false),
        };
        call.save(self)?;
        call.event_since("charge.dispute.closed", self, &before)?;
        match outcome {
            Outcome::Won => call.event("charge.dispute.funds_reinstated", self),
            Outcome::Lost => Ok(()),
        }
    }
}

fn refused(message: String) -> ApiError {
    ApiError::new(400, "invalid_request_error", Effect::Refused, message)
}

/// Whether the money of this charge is with the payer's bank, or may stay there.
pub(crate) fn against(call: &Call, charge: &str) -> Result<bool, ApiError> {
    let theirs = [Where::Is("charge", charge.to_owned())];
    let found: Vec<Dispute> = store::select(call.db, call.account, &theirs, i64::MAX, false)?;
    Ok(found.iter().any(|dispute| dispute.status != DisputeStatus::Won))
}

fn of_path(call: &Call, id: &str) -> Result<Dispute, ApiError> {
    let dispute: Option<Dispute> = call.load(id)?;
    dispute.ok_or_else(|| ApiError::no_such("dispute", id, "id"))
}

pub(crate) fn retrieve(call: &Call, id: &str) -> Answer {
    Ok(of_path(call, id)?.json())
}

/// Stripe's `close`: the studio doesn't fight it.
pub(crate) fn accept(call: &Call, id: &str) -> Answer {
    let mut dispute = of_path(call, id)?;
    dispute.close(call, Outcome::Lost)?;
    Ok(dispute.json())
}

pub(crate) fn list(call: &Call) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        charge: Option<String>,
        created: Option<Created>,
        ending_before: Option<String>,
        limit: Option<i64>,
        payment_intent: Option<String>,
        starting_after: Option<String>,
    }
    let List { charge, created, ending_before, limit, payment_intent, starting_after } = call.form.typed()?;
    let conditions = [("charge", charge), ("payment_intent", payment_intent)]
        .into_iter()
        .filter_map(|(field, value)| Some(Where::Is(field, value?)))
        .collect();
    let page = Page { limit, starting_after, ending_before, created };
    page::list::<Dispute>(call, "/v1/disputes", page, conditions)
}
