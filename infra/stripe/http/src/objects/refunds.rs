//! Refunds, by our call or by the studio in its dashboard.
//!
//! Invariant: a charge's refunds that haven't failed sum to its `amount_refunded`, which never exceeds its amount. A
//! released hold also leaves a refund, as at Stripe, although no money was returned: the charge's `captured` is false,
//! or the rest of the amount was captured.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::error::{ApiError, Effect};
use crate::form::{Metadata, merge};
use crate::ids;
use crate::money;
use crate::objects::{Charge, cards, disputes};
use crate::page::{self, Created, Page};
use crate::store::{self, Object, Where};

/// The number of refunds that Stripe shows on an expanded charge.
const SHOWN_ON_CHARGE: i64 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundStatus {
    Pending,
    Succeeded,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FailureReason {
    ChargeForPendingRefundDisputed,
    Declined,
    ExpiredOrCanceledCard,
    InsufficientFunds,
    LostOrStolenCard,
    MerchantRequest,
    Unknown,
}

/// The reasons that a caller can give, and `expired_uncaptured_charge`, which only Stripe sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    Duplicate,
    ExpiredUncapturedCharge,
    Fraudulent,
    RequestedByCustomer,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub id: String,
    pub amount: i64,
    pub charge: String,
    pub created: i64,
    pub currency: String,
    pub customer: Option<String>,
    pub destination_details: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<FailureReason>,
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

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

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
        whole
    }
}

/// The refund to make.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// The whole remaining amount, if no amount is given.
    pub amount: Option<i64>,
    pub reason: Option<Reason>,
    pub metadata: Option<Metadata>,
    pub pending: bool,
}

impl Refund {
    fn new(call: &Call, charge: &Charge, amount: i64) -> Self {
        let kind = charge.payment_method_details["type"].as_str().unwrap_or_default();
        Self {
            id: ids::object("re"),
            amount,
            charge: charge.id.clone(),
            created: call.now,
            currency: charge.currency.clone(),
            customer: charge.customer.clone(),
            destination_details: match kind {
                "card" => json!({
                    "type": "card",
                    "card": {
                        "reference_status": "pending",
                        "reference_type": "acquirer_reference_number", "type": "refund",
                    },
                }),
                _ => json!({
                    "type": "gb_bank_transfer",
                    "gb_bank_transfer": { "reference": null, "reference_status": "pending" },
                }),
            },
            failure_reason: None,
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
    pub fn release(call: &Call, charge: &mut Charge, amount: i64, reason: Option<Reason>) -> Result<(), ApiError> {
        let mut refund = Self::new(call, charge, amount);
        refund.reason = reason;
        charge.refund(amount);
        call.save(&refund)
    }

    /// Refunds a charge as requested.
    pub fn make(call: &Call, mut charge: Charge, wanted: Wanted) -> Result<Self, ApiError> {
        refundable(call, &charge)?;
        let left = charge.amount - charge.amount_refunded;
        let amount = wanted.amount.unwrap_or(left);
        if amount > left {
            let message = format!(
                "Refund amount ({}) is greater than unrefunded amount on charge ({})",
                money::words(amount, &charge.currency),
                money::words(left, &charge.currency),
            );
            return Err(refused(message).param("amount"));
        }
        let mut refund = Self::new(call, &charge, amount);
        refund.reason = wanted.reason;
        merge(&mut refund.metadata, wanted.metadata)?;
        let fingerprint = charge.payment_method_details["card"]["fingerprint"].as_str().unwrap_or_default();
        let slow = cards::by_fingerprint(fingerprint).is_some_and(|card| card.id == cards::PENDING_REFUND);
        if wanted.pending || slow {
            refund.status = RefundStatus::Pending;
            refund.pending_reason = Some("processing".into());
        }
        let before = charge.json();
        charge.refund(amount);
        call.save(&refund)?;
        call.save(&charge)?;
        call.event("refund.created", &refund)?;
        call.event_since("charge.refunded", &charge, &before)?;
        if charge.refunded {
            disputes::given_back(call, &charge.id)?;
        }
        Ok(refund)
    }

    /// The bank reports that a pending refund has arrived.
    pub fn succeed(&mut self, call: &Call) -> Result<(), ApiError> {
        if self.status != RefundStatus::Pending {
            return Err(self.unexpected("succeed"));
        }
        let before = self.json();
        self.status = RefundStatus::Succeeded;
        self.pending_reason = None;
        call.save(self)?;
        self.tell_update(call, &before)
    }

    /// The bank returns the refund, even if it had looked completed.
    pub fn fail(&mut self, call: &Call, reason: FailureReason) -> Result<(), ApiError> {
        if self.status == RefundStatus::Failed {
            return Err(self.unexpected("fail"));
        }
        let before = self.json();
        self.status = RefundStatus::Failed;
        self.failure_reason = Some(reason);
        self.pending_reason = None;
        let charge: Option<Charge> = call.load(&self.charge)?;
        let mut charge = charge.ok_or_else(ApiError::internal)?;
        charge.refund(-self.amount);
        call.save(&charge)?;
        call.save(self)?;
        call.event("refund.failed", self)?;
        self.tell_update(call, &before)
    }

    fn tell_update(&self, call: &Call, before: &Value) -> Result<(), ApiError> {
        call.event_since("refund.updated", self, before)?;
        call.event_since("charge.refund.updated", self, before)
    }

    fn unexpected(&self, what: &str) -> ApiError {
        let status = json!(self.status);
        refused(format!("This refund can't {what}: its status is {}.", status.as_str().unwrap_or_default()))
    }
}

/// Why it can't be refunded, for reasons that don't depend on the amount.
fn refundable(call: &Call, charge: &Charge) -> Result<(), ApiError> {
    let (id, intent) = (&charge.id, &charge.payment_intent);
    if charge.refunded {
        let message = format!("Charge {id} has already been refunded.");
        return Err(ApiError::refused("charge_already_refunded", message));
    }
    if charge.status != "succeeded" {
        return Err(refused(format!("This PaymentIntent ({intent}) does not have a successful charge to refund.")));
    }
    if !charge.captured {
        return Err(refused(format!(
            "This uncaptured Charge was created by a PaymentIntent ({intent}). You must cancel the \
             PaymentIntent to reverse the authorization instead of refunding the Charge directly."
        )));
    }
    if disputes::against(call, id)? {
        let message = format!("Charge {id} has been charged back; cannot issue a refund.");
        return Err(ApiError::refused("charge_disputed", message));
    }
    Ok(())
}

/// 400 at execution, without a code.
fn refused(message: String) -> ApiError {
    ApiError::new(400, "invalid_request_error", Effect::Refused, message)
}

/// The charge that a call names, directly or by its intent.
pub(crate) fn charge_meant(call: &Call, charge: Option<&str>, intent: Option<&str>) -> Result<Charge, ApiError> {
    if let Some(id) = intent {
        let intent: Option<crate::intents::PaymentIntent> = call.load(id)?;
        let intent = intent.ok_or_else(|| ApiError::no_such_reference("payment_intent", id, "payment_intent"))?;
        let Some(latest) = intent.latest_charge else {
            return Err(refused(format!("This PaymentIntent ({id}) does not have a successful charge to refund.")));
        };
        if charge.is_some_and(|charge| charge != latest) {
            return Err(ApiError::invalid("The charge isn't the PaymentIntent's.").param("charge"));
        }
        let found: Option<Charge> = call.load(&latest)?;
        return found.ok_or_else(ApiError::internal);
    }
    let Some(id) = charge else {
        return Err(ApiError::invalid(
            "One of the following params should be provided for this request: payment_intent or charge.",
        ));
    };
    let found: Option<Charge> = call.load(id)?;
    found.ok_or_else(|| ApiError::no_such_reference("charge", id, "charge"))
}

pub(crate) fn create(call: &Call) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Create {
        amount: Option<i64>,
        charge: Option<String>,
        metadata: Option<Metadata>,
        payment_intent: Option<String>,
        reason: Option<Reason>,
        /// Accepted without effect: the stand-in keeps no fees and no transfers.
        #[serde(rename = "refund_application_fee")]
        _refund_application_fee: Option<bool>,
        #[serde(rename = "reverse_transfer")]
        _reverse_transfer: Option<bool>,
    }
    let given: Create = call.form.without_empty()?.typed()?;
    if let Some(amount) = given.amount {
        money::at_least_one(amount, "amount")?;
    }
    let charge = charge_meant(call, given.charge.as_deref(), given.payment_intent.as_deref())?;
    let Create { amount, reason, metadata, .. } = given;
    Ok(Refund::make(call, charge, Wanted { amount, reason, metadata, pending: false })?.json())
}

fn of_path(call: &Call, id: &str) -> Result<Refund, ApiError> {
    let refund: Option<Refund> = call.load(id)?;
    refund.ok_or_else(|| ApiError::no_such("refund", id, "id"))
}

pub(crate) fn retrieve(call: &Call, id: &str) -> Answer {
    Ok(of_path(call, id)?.json())
}

pub(crate) fn update(call: &Call, id: &str) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Update {
        metadata: Option<Metadata>,
    }
    let given: Update = call.form.typed()?;
    let mut refund = of_path(call, id)?;
    let before = refund.json();
    merge(&mut refund.metadata, given.metadata)?;
    call.save(&refund)?;
    refund.tell_update(call, &before)?;
    Ok(refund.json())
}

/// Only a refund that waits for the payer can be cancelled, and refunds of cards and debits never do.
pub(crate) fn cancel(call: &Call, id: &str) -> Answer {
    let refund = of_path(call, id)?;
    let status = json!(refund.status);
    Err(refused(format!(
        "You cannot cancel this refund because it has a status of {}. Only a refund with the \
         status requires_action may be canceled.",
        status.as_str().unwrap_or_default()
    )))
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
    page::list::<Refund>(call, "/v1/refunds", page, conditions)
}

/// `refunds` of an expanded charge: the newest first.
pub(crate) fn of_charge(call: &Call, charge: &str) -> Answer {
    let theirs = [Where::Is("charge", charge.to_owned())];
    let mut found: Vec<Refund> = store::select(call.db, call.account, &theirs, i64::MAX, false)?;
    let total = found.len();
    found.truncate(usize::try_from(SHOWN_ON_CHARGE).unwrap_or(usize::MAX));
    let data: Vec<Value> = found.iter().map(Object::json).collect();
    Ok(json!({
        "object": "list", "has_more": total > data.len(), "data": data,
        "url": format!("/v1/charges/{charge}/refunds"),
    }))
}
