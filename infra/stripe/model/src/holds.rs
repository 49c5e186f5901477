//! The ways in which a hold ends: captured in whole or in part, cancelled, or expired.
//!
//! A caller that reads or changes something after a hold has expired finds it canceled, with its events: every
//! call begins with `expire_due`.

use classpay_domain::order::IntentStatus;

use crate::call::{Call, Origin, Touched};
use crate::charges::Charge;
use crate::error::ApiError;
use crate::intents::{CancellationReason, PaymentIntent};
use crate::money;
use crate::refunds::{Reason, Refund};
use crate::state::State;

pub(crate) fn charge_of(call: &Call, intent: &PaymentIntent) -> Result<Charge, ApiError> {
    call.get(intent.latest_charge.as_deref().unwrap_or_default())
}

/// The amount to capture: the given one, or the whole hold.
pub fn capturable(intent: &PaymentIntent, given: Option<i64>) -> Result<i64, ApiError> {
    if intent.status != IntentStatus::RequiresCapture {
        let status = intent.status.as_str();
        return Err(intent.unexpected_state(format!(
            "This PaymentIntent could not be captured because it has a status of {status}. Only \
             a PaymentIntent with one of the following statuses may be captured: requires_capture."
        )));
    }
    let amount = given.unwrap_or(intent.amount_capturable);
    money::at_least_one(amount, "amount_to_capture")?;
    if amount > intent.amount_capturable {
        let message = format!(
            "The provided capture amount ({}) is greater than the amount that can be captured ({}).",
            money::words(amount, &intent.currency),
            money::words(intent.amount_capturable, &intent.currency),
        );
        return Err(ApiError::refused("amount_too_large", message).param("amount_to_capture"));
    }
    Ok(amount)
}

/// Captures this amount and releases the rest. `amount` is `capturable`.
pub fn capture(call: &mut Call, intent: &mut PaymentIntent, amount: i64) -> Result<(), ApiError> {
    let mut charge = charge_of(call, intent)?;
    let before = charge.clone();
    charge.capture(amount);
    charge.application_fee_amount = intent.application_fee_amount;
    let rest = intent.amount_capturable - amount;
    if rest > 0 {
        Refund::release(call, &mut charge, rest, None);
    }
    intent.status = IntentStatus::Succeeded;
    intent.amount_received = amount;
    intent.amount_capturable = 0;
    call.save(&charge);
    call.save(intent);
    call.event_since("charge.captured", &charge, &before);
    call.event("payment_intent.succeeded", intent);
    Ok(())
}

/// Nothing more is taken, and what was held is released.
pub fn cancel(call: &mut Call, intent: &mut PaymentIntent, reason: Option<CancellationReason>) -> Result<(), ApiError> {
    if intent.status == IntentStatus::RequiresCapture {
        let mut charge = charge_of(call, intent)?;
        let before = charge.clone();
        let expired = reason == Some(CancellationReason::Automatic);
        let amount = intent.amount_capturable;
        Refund::release(call, &mut charge, amount, expired.then_some(Reason::ExpiredUncapturedCharge));
        call.save(&charge);
        call.event_since(if expired { "charge.expired" } else { "charge.refunded" }, &charge, &before);
    }
    intent.status = IntentStatus::Canceled;
    intent.canceled_at = Some(call.now);
    intent.cancellation_reason = reason;
    intent.amount_capturable = 0;
    intent.next_action = None;
    call.save(intent);
    call.event("payment_intent.canceled", intent);
    Ok(())
}

/// Expires the authorisation now, whatever its time.
pub fn expire(call: &mut Call, intent: &mut PaymentIntent) -> Result<(), ApiError> {
    if intent.status != IntentStatus::RequiresCapture {
        return Err(intent.lacks("authorisation to expire"));
    }
    cancel(call, intent, Some(CancellationReason::Automatic))
}

/// Ends every authorisation that has expired by now, as of the moment of its expiry.
pub(crate) fn expire_due(state: &mut State, now: i64) -> Touched {
    let mut touched = Touched::default();
    while let Some((account, mut intent, end)) = state.ended_hold(now) {
        let mut call = Call::of(state, &account, end, Origin::default());
        expire(&mut call, &mut intent).expect("what is held has a charge");
        touched.append(call.keep());
    }
    touched
}
