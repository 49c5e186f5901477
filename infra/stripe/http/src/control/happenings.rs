//! What happens to an object from outside the API, wherever the object is.

use classpay_stripe_model::events::Snapshot;
use classpay_stripe_model::happenings::Happening;
use classpay_stripe_model::{ApiError, Origin};
use serde_json::{Value, json};

use super::given;
use crate::StandIn;
use crate::form::read;

pub(super) fn handle(standin: &StandIn, kind: &str, id: &str, what: &str, body: &str) -> Result<Value, ApiError> {
    let happening: Happening = read(json!({ format!("{kind}/{what}"): given(body)? }))?;
    let now = standin.now();
    let mut stored = standin.store.lock();
    let missing = || ApiError::no_such(kind.trim_end_matches('s'), id, "id");
    let account = stored.stripe.account_of(id).ok_or_else(missing)?.to_owned();
    let happened = stored.call(&account, now, Origin::default(), |call| happening.happen(call, id));
    standin.store.keep(&stored)?;
    Ok(told(&account, &happened?))
}

fn told(account: &str, happened: &Snapshot) -> Value {
    let mut told = match happened {
        Snapshot::PaymentIntent(intent) => json!({
            "id": intent.id,
            "status": intent.status.as_str(),
            "amount": intent.amount,
            "amountCapturable": intent.amount_capturable,
            "amountReceived": intent.amount_received,
            "currency": intent.currency,
            "latestCharge": intent.latest_charge,
            "cancellationReason": intent.cancellation_reason,
        }),
        Snapshot::Refund(refund) => json!({
            "id": refund.id,
            "status": refund.status,
            "amount": refund.amount,
            "currency": refund.currency,
            "charge": refund.charge,
            "paymentIntent": refund.payment_intent,
            "failureReason": refund.failure_reason,
        }),
        Snapshot::Dispute(dispute) => json!({
            "id": dispute.id,
            "status": dispute.status,
            "amount": dispute.amount,
            "currency": dispute.currency,
            "charge": dispute.charge,
            "paymentIntent": dispute.payment_intent,
            "reason": dispute.reason,
        }),
        other => return other.json(),
    };
    told["account"] = account.into();
    told
}
