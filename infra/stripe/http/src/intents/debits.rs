//! Bank debits: the bank is asked, and pays or refuses days later.
//!
//! Invariant: a debit is never held. From `processing` it goes to `succeeded` with its whole amount, or back to the
//! start with nothing.

use serde_json::json;

use crate::call::Call;
use crate::error::ApiError;
use crate::intents::confirm::{back_to_start, keep_method};
use crate::intents::{PaymentIntent, Status, holds};
use crate::objects::banks::{self, Failure};
use crate::objects::{Charge, PaymentMethod, payment_methods};
use crate::store::Object;

/// Asks the bank, whatever capture method the intent has: `methods` allows no debit with manual capture.
pub(super) fn start(call: &Call, intent: &mut PaymentIntent, method: PaymentMethod) -> Result<(), ApiError> {
    let charge = Charge::pending(call, intent, &method);
    intent.latest_charge = Some(charge.id.clone());
    intent.last_payment_error = None;
    intent.next_action = None;
    intent.status = Status::Processing;
    keep_method(call, intent, method)?;
    call.save(&charge)?;
    call.event("charge.pending", &charge)?;
    call.event("payment_intent.processing", intent)
}

/// The bank answers as the test account determines, so usually it pays.
pub(crate) fn settle_debit(call: &Call, intent: &mut PaymentIntent) -> Result<(), ApiError> {
    let method = debit_of(call, intent)?;
    let fingerprint = method.bacs_debit["fingerprint"].as_str().unwrap_or_default();
    if let Some(failure) = banks::by_fingerprint(fingerprint).and_then(|account| account.refuses) {
        return fail_debit(call, intent, failure);
    }
    let mut charge = holds::charge_of(call, intent)?;
    charge.settle();
    intent.status = Status::Succeeded;
    intent.amount_received = intent.amount;
    call.save(&charge)?;
    call.event("charge.succeeded", &charge)?;
    call.event("payment_intent.succeeded", intent)
}

/// The bank refuses to pay.
pub(crate) fn fail_debit(call: &Call, intent: &mut PaymentIntent, failure: Failure) -> Result<(), ApiError> {
    let method = debit_of(call, intent)?;
    let mut charge = holds::charge_of(call, intent)?;
    charge.fail(failure.code(), failure.message());
    let mut error = ApiError::refused(failure.code(), failure.message());
    error.0.detail.charge = Some(charge.id.clone());
    error.0.detail.payment_method = Some(method.json());
    back_to_start(intent, json!(error.0.detail));
    call.save(&charge)?;
    call.event("charge.failed", &charge)?;
    call.event("payment_intent.payment_failed", intent)
}

fn debit_of(call: &Call, intent: &PaymentIntent) -> Result<PaymentMethod, ApiError> {
    if intent.status != Status::Processing {
        let status = intent.status.as_str();
        return Err(intent
            .unexpected_state(format!("This PaymentIntent has a status of {status}: there is no debit under way.")));
    }
    payment_methods::named(call, intent.payment_method.as_deref().unwrap_or_default())
}
