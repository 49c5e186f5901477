//! Disputes: the payer's bank takes the money back, and may have to return it. An inquiry may come before a dispute or
//! replace it: the bank asks, and takes nothing.
//!
//! A charge has at most one dispute that isn't won or a closed inquiry, and a closed dispute stays as it is. A charge's
//! `disputed` says that money was taken back, so an inquiry leaves it unchanged.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::charges::Charge;
use crate::error::ApiError;
use crate::fields::Metadata;
use crate::means::Means;
use crate::money;
use crate::page::{self, List, Listing, is_given};
use crate::state::Object;

/// How long the studio has to respond.
const EVIDENCE_SECONDS: i64 = 9 * 24 * 60 * 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
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
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview)
    }

    /// Whether it is open or was lost. A charge with such a dispute takes no second one.
    fn stands(self) -> bool {
        self.inquiry() || self.keeps()
    }

    /// Whether the money is with the bank.
    pub fn keeps(self) -> bool {
        matches!(self, Self::NeedsResponse | Self::UnderReview | Self::Lost)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Won,
    Lost,
    /// For an inquiry: the bank has closed it.
    WarningClosed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grievance {
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
pub struct Dispute {
    pub id: String,
    pub amount: i64,
    pub card_brand: Option<String>,
    pub charge: String,
    pub created: i64,
    pub currency: String,
    pub due_by: i64,
    pub has_evidence: bool,
    pub is_charge_refundable: bool,
    /// It began as one, and the bank has taken nothing since.
    pub is_inquiry: bool,
    pub metadata: Metadata,
    pub payment_intent: String,
    pub reason: Grievance,
    pub status: DisputeStatus,
}

impl Object for Dispute {
    const KIND: &'static str = "dispute";
    const OURS: &'static [&'static str] = &["card_brand", "due_by", "has_evidence", "is_inquiry"];

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

    fn json(&self) -> Value {
        let mut whole = self.whole();
        whole["evidence_details"] = json!({
            "due_by": self.due_by, "enhanced_eligibility": {}, "has_evidence": self.has_evidence, "past_due": false,
            "submission_count": i64::from(self.has_evidence),
        });
        if let Some(brand) = &self.card_brand {
            whole["payment_method_details"] = json!({
                "type": "card",
                "card": {
                    "brand": brand, "case_type": if self.is_inquiry { "inquiry" } else { "chargeback" },
                    "network": brand, "network_reason_code": "10.4",
                },
            });
        }
        whole
    }

    fn payment(&self) -> Option<&str> {
        Some(&self.payment_intent)
    }
}

/// The dispute to open.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Complaint {
    /// The whole amount taken, if no amount is given.
    pub amount: Option<i64>,
    /// The charge's currency, if none is given. At Stripe a dispute's currency may differ, as exchange rates move.
    pub currency: Option<String>,
    pub reason: Grievance,
    pub inquiry: bool,
}

impl Dispute {
    /// The payer complains to the bank, which takes the money or asks about it.
    pub fn open(call: &mut Call, mut charge: Charge, complaint: Complaint) -> Result<Self, ApiError> {
        let Complaint { amount, currency, reason, inquiry } = complaint;
        let (taken, _) = charge.money();
        let amount = amount.unwrap_or(taken);
        if taken == 0 || of_charge(call, &charge.id).iter().any(|dispute| dispute.status.stands()) {
            return Err(ApiError::refused_plainly(
                "This charge can't be disputed: nothing was taken, or it is disputed already.",
            ));
        }
        money::at_least_one(amount, "amount")?;
        let currency = currency.unwrap_or_else(|| charge.currency.clone());
        if amount > taken && currency == charge.currency {
            return Err(ApiError::refused_plainly(format!("Only {taken} was taken, so {amount} can't be disputed."))
                .param("amount"));
        }
        let dispute = Self {
            id: call.new_id("du"),
            amount,
            card_brand: match charge.means {
                Means::Card(card) => Some(card.brand.into()),
                Means::BankAccount(_) => None,
            },
            charge: charge.id.clone(),
            created: call.now,
            currency,
            due_by: call.now + EVIDENCE_SECONDS,
            has_evidence: false,
            is_charge_refundable: inquiry,
            is_inquiry: inquiry,
            metadata: Metadata::new(),
            payment_intent: charge.payment_intent.clone(),
            reason,
            status: if inquiry { DisputeStatus::WarningNeedsResponse } else { DisputeStatus::NeedsResponse },
        };
        call.save(&dispute);
        if inquiry {
            call.event("charge.dispute.created", &dispute);
            return Ok(dispute);
        }
        charge.disputed = true;
        call.save(&charge);
        call.event("charge.dispute.created", &dispute);
        call.event("charge.dispute.funds_withdrawn", &dispute);
        Ok(dispute)
    }

    /// The studio has sent its evidence.
    pub fn review(&mut self, call: &mut Call) -> Result<(), ApiError> {
        let before = self.clone();
        self.status = match self.status {
            DisputeStatus::WarningNeedsResponse => DisputeStatus::WarningUnderReview,
            DisputeStatus::NeedsResponse => DisputeStatus::UnderReview,
            _ => return Err(ApiError::refused_plainly("This dispute doesn't wait for evidence.")),
        };
        self.has_evidence = true;
        call.save(self);
        call.event_since("charge.dispute.updated", self, &before);
        Ok(())
    }

    /// The bank wasn't satisfied with the answer to its inquiry, and takes the money.
    pub fn escalate(&mut self, call: &mut Call) -> Result<(), ApiError> {
        if !self.status.inquiry() {
            return Err(ApiError::refused_plainly("Only an inquiry that isn't closed can become a dispute."));
        }
        let mut charge: Charge = call.get(&self.charge)?;
        let before = self.clone();
        self.status = DisputeStatus::NeedsResponse;
        self.is_charge_refundable = false;
        self.is_inquiry = false;
        self.due_by = call.now + EVIDENCE_SECONDS;
        charge.disputed = true;
        call.save(&charge);
        call.save(self);
        call.event_since("charge.dispute.updated", self, &before);
        call.event("charge.dispute.funds_withdrawn", self);
        Ok(())
    }

    /// The bank has decided.
    pub fn close(&mut self, call: &mut Call, outcome: Outcome) -> Result<(), ApiError> {
        let disputed = matches!(self.status, DisputeStatus::NeedsResponse | DisputeStatus::UnderReview);
        let before = self.clone();
        (self.status, self.is_charge_refundable) = match outcome {
            Outcome::Won if disputed => (DisputeStatus::Won, true),
            Outcome::Lost if disputed => (DisputeStatus::Lost, false),
            Outcome::WarningClosed if self.status.inquiry() => (DisputeStatus::WarningClosed, true),
            _ => {
                return Err(ApiError::refused_plainly("This dispute is already closed, or can't be closed like this."));
            }
        };
        call.save(self);
        call.event_since("charge.dispute.closed", self, &before);
        if outcome == Outcome::Won {
            call.event("charge.dispute.funds_reinstated", self);
        }
        Ok(())
    }
}

fn of_charge(call: &Call, charge: &str) -> Vec<Dispute> {
    let theirs = call.all().iter().filter(|dispute: &&Arc<Dispute>| dispute.charge == charge);
    theirs.map(|dispute| Dispute::clone(dispute)).collect()
}

/// Whether the payer's bank has the charge's money, or may keep it.
pub(crate) fn against(call: &Call, charge: &str) -> bool {
    of_charge(call, charge).iter().any(|dispute| dispute.status.keeps())
}

/// The whole charge was refunded, which answers an inquiry about it.
pub(crate) fn given_back(call: &mut Call, charge: &str) {
    for mut dispute in of_charge(call, charge).into_iter().filter(|dispute| dispute.status.inquiry()) {
        dispute.close(call, Outcome::WarningClosed).expect("it is an open inquiry");
    }
}

/// Stripe's `close`: the studio accepts the dispute.
pub fn accept(call: &mut Call, id: &str) -> Result<Dispute, ApiError> {
    let mut dispute = call.get::<Dispute>(id)?;
    let inquiry = dispute.status.inquiry();
    dispute.close(call, if inquiry { Outcome::WarningClosed } else { Outcome::Lost })?;
    Ok(dispute)
}

pub fn list(call: &Call, listing: Listing) -> Result<List<Dispute>, ApiError> {
    page::list(call, "/v1/disputes", listing, |listing, dispute: &Dispute| {
        is_given(&listing.charge, &dispute.charge) && is_given(&listing.payment_intent, &dispute.payment_intent)
    })
}
