//! Refunds, by our call or by the studio in its dashboard.
//!
//! Invariant: a charge's refunds that haven't failed sum to its `amount_refunded`, which never exceeds its amount. A
//! released hold also leaves a refund, as at Stripe, although no money was returned: the charge's `captured` is false,
//! or the rest of the amount was captured.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::charges::{Charge, ChargeStatus};
use crate::error::ApiError;
use crate::fields::{Metadata, merge};
use crate::intents::PaymentIntent;
use crate::means::{Means, PENDING_REFUND};
use crate::page::{self, List, Listing, is_given};
use crate::state::Object;
use crate::{disputes, money};

/// The number of refunds that Stripe shows on an expanded charge.
const SHOWN_ON_CHARGE: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    Pending,
    Succeeded,
    Failed,
}

impl RefundStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    ChargeForPendingRefundDisputed,
    Declined,
    ExpiredOrCanceledCard,
    InsufficientFunds,
    LostOrStolenCard,
    MerchantRequest,
    #[default]
    Unknown,
}

/// The reasons that a caller can give, and `expired_uncaptured_charge`, which only Stripe sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Duplicate,
    ExpiredUncapturedCharge,
    Fraudulent,
    RequestedByCustomer,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refund {
    pub id: String,
    pub amount: i64,
    pub charge: String,
    pub created: i64,
    pub currency: String,
    pub customer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<FailureReason>,
    pub means: Means,
    pub metadata: Metadata,
    pub payment_intent: String,
    pub payment_method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_reason: Option<String>,
    pub reason: Option<Reason>,
    pub status: RefundStatus,
}

impl Object for Refund {
    const KIND: &'static str = "refund";
    const OURS: &'static [&'static str] = &["means"];

    fn constants() -> Value {
        json!({
            "balance_transaction": null, "customer_account": null, "receipt_number": null,
            "source_transfer_reversal": null, "transfer_reversal": null,
        })
    }

    /// Stripe's refund is one of the few objects that don't say `livemode`.
    fn json(&self) -> Value {
        let mut whole = self.whole();
        whole.as_object_mut().map(|fields| fields.remove("livemode"));
        whole["destination_details"] = match self.means {
            Means::Card(_) => json!({
                "type": "card",
                "card": {
                    "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund",
                },
            }),
            Means::BankAccount(_) => json!({
                "type": "gb_bank_transfer",
                "gb_bank_transfer": { "reference": null, "reference_status": "pending" },
            }),
        };
        whole
    }

    fn payment(&self) -> Option<&str> {
        Some(&self.payment_intent)
    }
}

/// The refund to make.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// The whole remaining amount, if no amount is given.
    pub amount: Option<i64>,
    pub reason: Option<Reason>,
    pub metadata: Option<Metadata>,
    pub pending: bool,
}

impl Refund {
    fn new(call: &mut Call, charge: &Charge, amount: i64) -> Self {
        Self {
            id: call.new_id("re"),
            amount,
            charge: charge.id.clone(),
            created: call.now,
            currency: charge.currency.clone(),
            customer: charge.customer.clone(),
            failure_reason: None,
            means: charge.means,
            metadata: Metadata::new(),
            payment_intent: charge.payment_intent.clone(),
            payment_method: charge.payment_method.clone(),
            pending_reason: None,
            reason: None,
            status: RefundStatus::Succeeded,
        }
    }

    /// Records the release of a held amount: no money moves, but Stripe shows it as a refund. The charge is changed,
    /// not saved.
    pub fn release(call: &mut Call, charge: &mut Charge, amount: i64, reason: Option<Reason>) {
        let mut refund = Self::new(call, charge, amount);
        refund.reason = reason;
        charge.refund(amount);
        call.save(&refund);
    }

    /// Refunds a charge as requested.
    pub fn make(call: &mut Call, mut charge: Charge, wanted: Wanted) -> Result<Self, ApiError> {
        refundable(call, &charge)?;
        let left = charge.amount - charge.amount_refunded;
        let amount = wanted.amount.unwrap_or(left);
        money::at_least_one(amount, "amount")?;
        if amount > left {
            let message = format!(
                "Refund amount ({}) is greater than unrefunded amount on charge ({})",
                money::words(amount, &charge.currency),
                money::words(left, &charge.currency),
            );
            return Err(ApiError::refused_plainly(message).param("amount"));
        }
        let mut refund = Self::new(call, &charge, amount);
        refund.reason = wanted.reason;
        merge(&mut refund.metadata, wanted.metadata)?;
        let slow = matches!(charge.means, Means::Card(card) if card.id == PENDING_REFUND);
        if wanted.pending || slow {
            refund.status = RefundStatus::Pending;
            refund.pending_reason = Some("processing".into());
        }
        let before = charge.clone();
        charge.refund(amount);
        call.save(&refund);
        call.save(&charge);
        call.event("refund.created", &refund);
        call.event_since("charge.refunded", &charge, &before);
        if charge.refunded {
            disputes::given_back(call, &charge.id);
        }
        Ok(refund)
    }

    /// The bank reports that a pending refund has arrived.
    pub fn succeed(&mut self, call: &mut Call) -> Result<(), ApiError> {
        if self.status != RefundStatus::Pending {
            return Err(self.unexpected("succeed"));
        }
        let before = self.clone();
        self.status = RefundStatus::Succeeded;
        self.pending_reason = None;
        call.save(self);
        self.report_update(call, &before);
        Ok(())
    }

    /// The bank returns the refund, even if it had looked completed.
    pub fn fail(&mut self, call: &mut Call, reason: FailureReason) -> Result<(), ApiError> {
        if self.status == RefundStatus::Failed {
            return Err(self.unexpected("fail"));
        }
        let before = self.clone();
        self.status = RefundStatus::Failed;
        self.failure_reason = Some(reason);
        self.pending_reason = None;
        let mut charge: Charge = call.get(&self.charge)?;
        charge.refund(-self.amount);
        call.save(&charge);
        call.save(self);
        call.event("refund.failed", self);
        self.report_update(call, &before);
        Ok(())
    }

    fn report_update(&self, call: &mut Call, before: &Self) {
        call.event_since("refund.updated", self, before);
        call.event_since("charge.refund.updated", self, before);
    }

    fn unexpected(&self, what: &str) -> ApiError {
        ApiError::refused_plainly(format!("This refund can't {what}: its status is {}.", self.status.as_str()))
    }
}

/// Why it can't be refunded, for reasons that don't depend on the amount.
fn refundable(call: &Call, charge: &Charge) -> Result<(), ApiError> {
    let (id, intent) = (&charge.id, &charge.payment_intent);
    if charge.refunded {
        let message = format!("Charge {id} has already been refunded.");
        return Err(ApiError::refused("charge_already_refunded", message));
    }
    if charge.status != ChargeStatus::Succeeded {
        return Err(ApiError::refused_plainly(format!(
            "This PaymentIntent ({intent}) does not have a successful charge to refund."
        )));
    }
    if !charge.captured {
        return Err(ApiError::refused_plainly(format!(
            "This uncaptured Charge was created by a PaymentIntent ({intent}). You must cancel the \
             PaymentIntent to reverse the authorization instead of refunding the Charge directly."
        )));
    }
    if disputes::against(call, id) {
        let message = format!("Charge {id} has been charged back; cannot issue a refund.");
        return Err(ApiError::refused("charge_disputed", message));
    }
    Ok(())
}

/// The charge that a call names, directly or by its intent.
pub fn charge_meant(call: &Call, charge: Option<&str>, intent: Option<&str>) -> Result<Charge, ApiError> {
    if let Some(id) = intent {
        let intent: Option<PaymentIntent> = call.load(id);
        let intent = intent.ok_or_else(|| ApiError::no_such_reference("payment_intent", id, "payment_intent"))?;
        let Some(latest) = intent.latest_charge else {
            return Err(ApiError::refused_plainly(format!(
                "This PaymentIntent ({id}) does not have a successful charge to refund."
            )));
        };
        if charge.is_some_and(|charge| charge != latest) {
            return Err(ApiError::invalid("The charge isn't the PaymentIntent's.").param("charge"));
        }
        return call.get(&latest);
    }
    let Some(id) = charge else {
        return Err(ApiError::invalid(
            "One of the following params should be provided for this request: payment_intent or charge.",
        ));
    };
    let found: Option<Charge> = call.load(id);
    found.ok_or_else(|| ApiError::no_such_reference("charge", id, "charge"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    pub amount: Option<i64>,
    pub charge: Option<String>,
    pub metadata: Option<Metadata>,
    pub payment_intent: Option<String>,
    pub reason: Option<Reason>,
    /// Accepted without effect: there are no fees and no transfers here.
    #[serde(rename = "refund_application_fee")]
    _refund_application_fee: Option<bool>,
    #[serde(rename = "reverse_transfer")]
    _reverse_transfer: Option<bool>,
}

pub fn create(call: &mut Call, given: Create) -> Result<Refund, ApiError> {
    let Create { amount, reason, metadata, charge, payment_intent, .. } = given;
    let charge = charge_meant(call, charge.as_deref(), payment_intent.as_deref())?;
    Refund::make(call, charge, Wanted { amount, reason, metadata, pending: false })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    pub metadata: Option<Metadata>,
}

pub fn update(call: &mut Call, id: &str, given: Update) -> Result<Refund, ApiError> {
    let mut refund = call.get::<Refund>(id)?;
    let before = refund.clone();
    merge(&mut refund.metadata, given.metadata)?;
    call.save(&refund);
    refund.report_update(call, &before);
    Ok(refund)
}

/// Only a refund that waits for the payer can be cancelled, and refunds of cards and debits never do.
pub fn cancel(call: &Call, id: &str) -> Result<Refund, ApiError> {
    let refund = call.get::<Refund>(id)?;
    Err(ApiError::refused_plainly(format!(
        "You cannot cancel this refund because it has a status of {}. Only a refund with the \
         status requires_action may be canceled.",
        refund.status.as_str()
    )))
}

pub fn list(call: &Call, listing: Listing) -> Result<List<Refund>, ApiError> {
    page::list(call, "/v1/refunds", listing, |listing, refund: &Refund| {
        is_given(&listing.charge, &refund.charge) && is_given(&listing.payment_intent, &refund.payment_intent)
    })
}

/// `refunds` of an expanded charge: the newest first.
pub fn of_charge(all: &[Arc<Refund>], charge: &str) -> List<Refund> {
    let theirs = all.iter().rev().filter(|refund| refund.charge == charge);
    let mut data: Vec<_> = theirs.take(SHOWN_ON_CHARGE + 1).cloned().collect();
    let has_more = data.len() > SHOWN_ON_CHARGE;
    data.truncate(SHOWN_ON_CHARGE);
    List { url: format!("/v1/charges/{charge}/refunds"), has_more, data }
}
