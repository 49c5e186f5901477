//! What happens to an object from outside the API: by the payer, the bank, the studio, or with time.
//!
//! Each happens at once with its events, like an API call, but without an idempotency key.

use classpay_stripe_model::confirm::{Authentication, authenticate, confirm_in_browser};
use classpay_stripe_model::debits::{fail_debit, settle_debit};
use classpay_stripe_model::disputes::{Complaint, Grievance, Outcome};
use classpay_stripe_model::holds::{capture_in_dashboard, expire};
use classpay_stripe_model::intents::happens;
use classpay_stripe_model::means::Failure;
use classpay_stripe_model::refunds::{FailureReason, Reason, Wanted, refund_in_dashboard};
use classpay_stripe_model::{
    ApiError, Call, Charge, Customer, Dispute, Object, Origin, PaymentIntent, Refund, customers,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Nothing, parse};
use crate::StandIn;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirm {
    #[serde(rename = "paymentMethod", alias = "payment_method", default = "visa")]
    payment_method: String,
}

fn visa() -> String {
    "pm_card_visa".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authenticate {
    outcome: Authentication,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailDebit {
    code: Option<Failure>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GiveBack {
    amount: Option<i64>,
    reason: Option<Reason>,
    #[serde(default)]
    pending: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailRefund {
    reason: Option<FailureReason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Complain {
    amount: Option<i64>,
    currency: Option<String>,
    reason: Option<Grievance>,
    #[serde(default)]
    inquiry: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Capture {
    amount: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decide {
    outcome: Outcome,
}

/// `None` if there is no such action.
pub(super) fn handle(
    standin: &StandIn,
    (kind, id, what): (&str, &str, &str),
    body: &str,
) -> Result<Option<Value>, ApiError> {
    let told = match (kind, what) {
        ("payment_intents", "refund") => {
            let GiveBack { amount, reason, pending } = parse(body)?;
            with::<PaymentIntent>(standin, id, |call, _| {
                let refund = refund_in_dashboard(call, id, Wanted { amount, reason, metadata: None, pending })?;
                Ok(refund_told(call, &refund))
            })?
        }
        ("payment_intents", _) => return intent(standin, id, what, body),
        ("refunds", "succeed") => {
            let Nothing {} = parse(body)?;
            with(standin, id, |call, mut refund: Refund| {
                refund.succeed(call)?;
                Ok(refund_told(call, &refund))
            })?
        }
        ("refunds", "fail") => {
            let FailRefund { reason } = parse(body)?;
            with(standin, id, |call, mut refund: Refund| {
                refund.fail(call, reason.unwrap_or(FailureReason::Unknown))?;
                Ok(refund_told(call, &refund))
            })?
        }
        ("charges", "dispute") => {
            let Complain { amount, currency, reason, inquiry } = parse(body)?;
            let complaint = Complaint { amount, currency, reason: reason.unwrap_or_default(), inquiry };
            with(standin, id, |call, charge: Charge| {
                let dispute = Dispute::open(call, charge, complaint)?;
                Ok(dispute_told(call, &dispute))
            })?
        }
        ("disputes", "close") => {
            let Decide { outcome } = parse(body)?;
            with(standin, id, |call, mut dispute: Dispute| {
                dispute.close(call, outcome)?;
                Ok(dispute_told(call, &dispute))
            })?
        }
        ("disputes", "review" | "escalate") => {
            let Nothing {} = parse(body)?;
            with(standin, id, |call, mut dispute: Dispute| {
                if what == "review" {
                    dispute.review(call)?
                } else {
                    dispute.escalate(call)?
                }
                Ok(dispute_told(call, &dispute))
            })?
        }
        ("customers", "delete") => {
            let Nothing {} = parse(body)?;
            with::<Customer>(standin, id, |call, _| Ok(customers::delete(call, id)?.json()))?
        }
        _ => return Ok(None),
    };
    Ok(Some(told))
}

fn intent(standin: &StandIn, id: &str, what: &str, body: &str) -> Result<Option<Value>, ApiError> {
    type Change = Box<dyn FnOnce(&mut Call, &mut PaymentIntent) -> Result<(), ApiError>>;
    let change: Change = match what {
        "confirm" => {
            let Confirm { payment_method } = parse(body)?;
            Box::new(move |call, intent| confirm_in_browser(call, intent, &payment_method))
        }
        "authenticate" => {
            let Authenticate { outcome } = parse(body)?;
            Box::new(move |call, intent| authenticate(call, intent, outcome))
        }
        "fail" => {
            let FailDebit { code } = parse(body)?;
            Box::new(move |call, intent| fail_debit(call, intent, code.unwrap_or(Failure::InsufficientFunds)))
        }
        "capture" => {
            let Capture { amount } = parse(body)?;
            Box::new(move |call, intent| capture_in_dashboard(call, intent, amount))
        }
        "expire" | "settle" => {
            let Nothing {} = parse(body)?;
            Box::new(if what == "expire" { expire } else { settle_debit })
        }
        _ => return Ok(None),
    };
    let told = with::<PaymentIntent>(standin, id, |call, _| {
        let intent = happens(call, id, change)?;
        Ok(intent_told(call, &intent))
    })?;
    Ok(Some(told))
}

/// Something happens to an object, wherever it is.
fn with<T: Object>(
    standin: &StandIn,
    id: &str,
    change: impl FnOnce(&mut Call, T) -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let now = standin.now();
    let missing = || ApiError::no_such(T::KIND, id, "id");
    let mut stored = standin.store.lock();
    let account = stored.stripe.account_of(id).ok_or_else(missing)?.to_owned();
    let result = stored.call(&account, now, Origin::default(), |call| {
        let object = call.load(id).ok_or_else(missing)?;
        change(call, object)
    });
    standin.store.keep(&stored)?;
    result
}

fn intent_told(call: &Call, intent: &PaymentIntent) -> Value {
    json!({
        "id": intent.id,
        "account": call.account,
        "status": intent.status.as_str(),
        "amount": intent.amount,
        "amountCapturable": intent.amount_capturable,
        "amountReceived": intent.amount_received,
        "currency": intent.currency,
        "latestCharge": intent.latest_charge,
        "cancellationReason": intent.cancellation_reason,
    })
}

fn refund_told(call: &Call, refund: &Refund) -> Value {
    json!({
        "id": refund.id,
        "account": call.account,
        "status": refund.status,
        "amount": refund.amount,
        "currency": refund.currency,
        "charge": refund.charge,
        "paymentIntent": refund.payment_intent,
        "failureReason": refund.failure_reason,
    })
}

fn dispute_told(call: &Call, dispute: &Dispute) -> Value {
    json!({
        "id": dispute.id,
        "account": call.account,
        "status": dispute.status,
        "amount": dispute.amount,
        "currency": dispute.currency,
        "charge": dispute.charge,
        "paymentIntent": dispute.payment_intent,
        "reason": dispute.reason,
    })
}
