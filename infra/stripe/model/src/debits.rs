//! Bank debits: the bank is asked, and pays or refuses days later.
//!
//! Invariant: a debit is never held. From `processing` it goes to `succeeded` with its whole amount, or back to the
//! start with nothing.

use classpay_domain::order::IntentStatus;
use serde_json::json;

use crate::call::Call;
use crate::charges::Charge;
use crate::confirm::{back_to_start, keep_method};
use crate::error::ApiError;
use crate::intents::PaymentIntent;
use crate::means::{Failure, Means};
use crate::payment_methods::PaymentMethod;
use crate::state::Object;
use crate::{holds, payment_methods};

/// Asks the bank, whatever capture method the intent has: `methods` allows no debit with manual capture.
pub fn start(call: &mut Call, intent: &mut PaymentIntent, method: PaymentMethod) {
    let charge = Charge::pending(call, intent, &method);
    intent.latest_charge = Some(charge.id.clone());
    intent.last_payment_error = None;
    intent.next_action = None;
    intent.status = IntentStatus::Processing;
    keep_method(call, intent, method);
    call.save(&charge);
    call.event("charge.pending", &charge);
    call.event("payment_intent.processing", intent);
}

/// The bank answers as the test account determines, so usually it pays.
pub fn settle_debit(call: &mut Call, intent: &mut PaymentIntent) -> Result<(), ApiError> {
    let method = debit_of(call, intent)?;
    if let Means::BankAccount(account) = method.means
        && let Some(failure) = account.refuses
    {
        return fail_debit(call, intent, failure);
    }
    let mut charge = holds::charge_of(call, intent)?;
    charge.settle();
    intent.status = IntentStatus::Succeeded;
    intent.amount_received = intent.amount;
    call.save(&charge);
    call.event("charge.succeeded", &charge);
    call.event("payment_intent.succeeded", intent);
    Ok(())
}

/// The bank refuses to pay.
pub fn fail_debit(call: &mut Call, intent: &mut PaymentIntent, failure: Failure) -> Result<(), ApiError> {
    let method = debit_of(call, intent)?;
    let mut charge = holds::charge_of(call, intent)?;
    let (code, message) = failure.words();
    charge.fail(code, message);
    let mut error = ApiError::refused(code, message);
    error.0.detail.charge = Some(charge.id.clone());
    error.0.detail.payment_method = Some(method.json());
    back_to_start(intent, json!(error.0.detail));
    call.save(&charge);
    call.event("charge.failed", &charge);
    call.event("payment_intent.payment_failed", intent);
    Ok(())
}

fn debit_of(call: &mut Call, intent: &PaymentIntent) -> Result<PaymentMethod, ApiError> {
    if intent.status != IntentStatus::Processing {
        return Err(intent.lacks("debit under way"));
    }
    payment_methods::named(call, intent.payment_method.as_deref().unwrap_or_default())
}
