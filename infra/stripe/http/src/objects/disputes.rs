//! Disputes: the payer's bank takes the money back, and may have to return it. An inquiry may come before a dispute or
//! replace it: the bank asks, and takes nothing.
//!
//! A charge has at most one dispute that isn't won or a closed inquiry, and a closed dispute stays as it is. A charge's
//! `disputed` says that money was taken back, so an inquiry leaves it unchanged.

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

/// How long the studio has to respond.
const EVIDENCE_SECONDS: i64 = 9 * 24 * 60 * 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeStatus {
    WarningNeedsResponse,
    WarningUnderReview,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

impl DisputeStatus {
    /// Whether it is only an inquiry.
    fn inquiry(self) -> bool {
        match self {
            Self::WarningNeedsResponse | Self::WarningUnderReview => true,
            Self::WarningClosed | Self::NeedsResponse | Self::UnderReview | Self::Won | Self::Lost => false,
        }
    }

    /// Whether it is open or was lost. A charge with such a dispute takes no second one.
    fn stands(self) -> bool {
        match self {
            Self::WarningClosed | Self::Won => false,
            Self::WarningNeedsResponse | Self::WarningUnderReview => true,
            Self::NeedsResponse | Self::UnderReview | Self::Lost => true,
        }
    }

    /// Whether the money is with the bank.
    fn keeps(self) -> bool {
        match self {
            Self::NeedsResponse | Self::UnderReview | Self::Lost => true,
            Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed | Self::Won => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Won,
    Lost,
    /// For an inquiry: the bank has closed it.
    WarningClosed,
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

/// The dispute to open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Complaint {
    /// The whole amount taken, if no amount is given.
    pub amount: Option<i64>,
    /// The charge's currency, if none is given. At Stripe a dispute's currency may differ, as exchange rates move.
    pub currency: Option<String>,
    pub reason: Grievance,
    pub inquiry: bool,
}

impl Dispute {
    /// The payer complains to the bank, which takes the money or asks about it.
    pub fn open(call: &Call, mut charge: Charge, complaint: Complaint) -> Result<Self, ApiError> {
        let Complaint { amount, currency, reason, inquiry } = complaint;
        let (taken, _) = charge.money();
        let amount = amount.unwrap_or(taken);
        if taken == 0 || of_charge(call, &charge.id)?.iter().any(|dispute| dispute.status.stands()) {
            return Err(refused("This charge can't be disputed: nothing was taken, or it is disputed already.".into()));
        }
        money::at_least_one(amount, "amount")?;
        let currency = currency.unwrap_or_else(|| charge.currency.clone());
        if amount > taken && currency == charge.currency {
            return Err(refused(format!("Only {taken} was taken, so {amount} can't be disputed.")).param("amount"));
        }
        let brand = &charge.payment_method_details["card"]["brand"];
        let dispute = Self {
            id: ids::object("du"),
            amount,
            charge: charge.id.clone(),
            created: call.now,
            currency,
            evidence_details: json!({
                "due_by": call.now + EVIDENCE_SECONDS, "enhanced_eligibility": {},
                "has_evidence": false, "past_due": false, "submission_count": 0,
            }),
            is_charge_refundable: inquiry,
            metadata: Metadata::new(),
            payment_intent: charge.payment_intent.clone(),
            payment_method_details: match brand {
                Value::Null => Value::Null,
                brand => json!({
                    "type": "card",
                    "card": {
                        "brand": brand, "case_type": if inquiry { "inquiry" } else { "chargeback" }, "network": brand,
                        "network_reason_code": "10.4",
                    },
                }),
            },
            reason,
            status: if inquiry { DisputeStatus::WarningNeedsResponse } else { DisputeStatus::NeedsResponse },
        };
        call.save(&dispute)?;
        if inquiry {
            call.event("charge.dispute.created", &dispute)?;
            return Ok(dispute);
        }
        charge.disputed = true;
        call.save(&charge)?;
        call.event("charge.dispute.created", &dispute)?;
        call.event("charge.dispute.funds_withdrawn", &dispute)?;
        Ok(dispute)
    }

    /// The studio has sent its evidence.
    pub fn review(&mut self, call: &Call) -> Result<(), ApiError> {
        let before = self.json();
        self.status = match self.status {
            DisputeStatus::WarningNeedsResponse => DisputeStatus::WarningUnderReview,
            DisputeStatus::NeedsResponse => DisputeStatus::UnderReview,
            _ => return Err(refused("This dispute doesn't wait for evidence.".into())),
        };
        self.evidence_details["has_evidence"] = true.into();
        self.evidence_details["submission_count"] = 1.into();
        call.save(self)?;
        call.event_since("charge.dispute.updated", self, &before)
    }

    /// The bank wasn't satisfied with the answer to its inquiry, and takes the money.
    pub fn escalate(&mut self, call: &Call) -> Result<(), ApiError> {
        if !self.status.inquiry() {
            return Err(refused("Only an inquiry that isn't closed can become a dispute.".into()));
        }
        let charge: Option<Charge> = call.load(&self.charge)?;
        let mut charge = charge.ok_or_else(ApiError::internal)?;
        let before = self.json();
        self.status = DisputeStatus::NeedsResponse;
        self.is_charge_refundable = false;
        self.evidence_details["due_by"] = (call.now + EVIDENCE_SECONDS).into();
        if let Some(card) = self.payment_method_details.get_mut("card") {
            card["case_type"] = "chargeback".into();
        }
        charge.disputed = true;
        call.save(&charge)?;
        call.save(self)?;
        call.event_since("charge.dispute.updated", self, &before)?;
        call.event("charge.dispute.funds_withdrawn", self)
    }

    /// The bank has decided.
    pub fn close(&mut self, call: &Call, outcome: Outcome) -> Result<(), ApiError> {
        let disputed = matches!(self.status, DisputeStatus::NeedsResponse | DisputeStatus::UnderReview);
        let before = self.json();
        (self.status, self.is_charge_refundable) = match outcome {
            Outcome::Won if disputed => (DisputeStatus::Won, true),
            Outcome::Lost if disputed => (DisputeStatus::Lost, false),
            Outcome::WarningClosed if self.status.inquiry() => (DisputeStatus::WarningClosed, true),
            _ => return Err(refused("This dispute is already closed, or can't be closed like this.".into())),
        };
        call.save(self)?;
        call.event_since("charge.dispute.closed", self, &before)?;
        match outcome {
            Outcome::Won => call.event("charge.dispute.funds_reinstated", self),
            Outcome::Lost | Outcome::WarningClosed => Ok(()),
        }
    }
}

fn refused(message: String) -> ApiError {
    ApiError::new(400, "invalid_request_error", Effect::Refused, message)
}

fn of_charge(call: &Call, charge: &str) -> Result<Vec<Dispute>, ApiError> {
    let theirs = [Where::Is("charge", charge.to_owned())];
    store::select(call.db, call.account, &theirs, i64::MAX, false)
}

/// Whether the payer's bank has the charge's money, or may keep it.
pub(crate) fn against(call: &Call, charge: &str) -> Result<bool, ApiError> {
    Ok(of_charge(call, charge)?.iter().any(|dispute| dispute.status.keeps()))
}

/// The whole charge was refunded, which answers an inquiry about it.
pub(crate) fn given_back(call: &Call, charge: &str) -> Result<(), ApiError> {
    for mut dispute in of_charge(call, charge)?.into_iter().filter(|dispute| dispute.status.inquiry()) {
        dispute.close(call, Outcome::WarningClosed)?;
    }
    Ok(())
}

fn of_path(call: &Call, id: &str) -> Result<Dispute, ApiError> {
    let dispute: Option<Dispute> = call.load(id)?;
    dispute.ok_or_else(|| ApiError::no_such("dispute", id, "id"))
}

pub(crate) fn retrieve(call: &Call, id: &str) -> Answer {
    Ok(of_path(call, id)?.json())
}

/// Stripe's `close`: the studio accepts the dispute.
pub(crate) fn accept(call: &Call, id: &str) -> Answer {
    let mut dispute = of_path(call, id)?;
    let inquiry = dispute.status.inquiry();
    dispute.close(call, if inquiry { Outcome::WarningClosed } else { Outcome::Lost })?;
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
