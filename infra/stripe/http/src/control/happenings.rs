//! What happens to an object from outside the API: by the payer, the bank, the studio, or with time.
//!
//! Each happens in one transaction with its events, like an API call, but without an idempotency key.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Nothing, parse};
use crate::StandIn;
use crate::call::{Call, Origin};
use crate::error::{ApiError, Effect};
use crate::form::Form;
use crate::intents::{self, Attempt, Authentication, PaymentIntent};
use crate::objects::banks::Failure;
use crate::objects::disputes::{Complaint, Grievance, Outcome};
use crate::objects::refunds::{FailureReason, Reason, Wanted, charge_meant};
use crate::objects::{Charge, Customer, Dispute, Refund, customers};
use crate::store::{self, Object};

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
        ("payment_intents", "refund") => refund(standin, id, parse(body)?)?,
        ("payment_intents", _) => return intent(standin, id, what, body),
        ("refunds", "succeed") => {
            let Nothing {} = parse(body)?;
            with(standin, id, |call, refund: &mut Refund| {
                refund.succeed(call)?;
                Ok(refund_told(call, refund))
            })?
        }
        ("refunds", "fail") => {
            let FailRefund { reason } = parse(body)?;
            with(standin, id, |call, refund: &mut Refund| {
                refund.fail(call, reason.unwrap_or(FailureReason::Unknown))?;
                Ok(refund_told(call, refund))
            })?
        }
        ("charges", "dispute") => {
            let Complain { amount, currency, reason, inquiry } = parse(body)?;
            let complaint = Complaint { amount, currency, reason: reason.unwrap_or_default(), inquiry };
            with(standin, id, |call, charge: &mut Charge| {
                let dispute = Dispute::open(call, charge.clone(), complaint)?;
                Ok(dispute_told(call, &dispute))
            })?
        }
        ("disputes", "close") => {
            let Decide { outcome } = parse(body)?;
            with(standin, id, |call, dispute: &mut Dispute| {
                dispute.close(call, outcome)?;
                Ok(dispute_told(call, dispute))
            })?
        }
        ("disputes", "review" | "escalate") => {
            let Nothing {} = parse(body)?;
            with(standin, id, |call, dispute: &mut Dispute| {
                if what == "review" {
                    dispute.review(call)?
                } else {
                    dispute.escalate(call)?
                }
                Ok(dispute_told(call, dispute))
            })?
        }
        ("customers", "delete") => {
            let Nothing {} = parse(body)?;
            with(standin, id, |call, customer: &mut Customer| customers::remove(call, customer.clone()))?
        }
        _ => return Ok(None),
    };
    Ok(Some(told))
}

fn intent(standin: &StandIn, id: &str, what: &str, body: &str) -> Result<Option<Value>, ApiError> {
    type Change = Box<dyn FnOnce(&Call, &mut PaymentIntent) -> Result<(), ApiError>>;
    let change: Change = match what {
        "confirm" => {
            let Confirm { payment_method } = parse(body)?;
            Box::new(move |call, intent| {
                intents::put_method(call, intent, &payment_method)?;
                // A browser has a page to return to, and the payer is present.
                intents::attempt(call, intent, Attempt { without_payer: false, can_return: true })
            })
        }
        "authenticate" => {
            let Authenticate { outcome } = parse(body)?;
            Box::new(move |call, intent| intents::authenticate(call, intent, outcome))
        }
        "fail" => {
            let FailDebit { code } = parse(body)?;
            Box::new(move |call, intent| intents::fail_debit(call, intent, code.unwrap_or(Failure::InsufficientFunds)))
        }
        "capture" => {
            let Capture { amount } = parse(body)?;
            if let Some(amount) = amount {
                crate::money::at_least_one(amount, "amount")?;
            }
            Box::new(move |call, intent| {
                let amount = intents::capturable(intent, amount)?;
                intents::capture_hold(call, intent, amount)
            })
        }
        "expire" | "settle" => {
            let Nothing {} = parse(body)?;
            Box::new(if what == "expire" { intents::expire } else { intents::settle_debit })
        }
        _ => return Ok(None),
    };
    let told = with(standin, id, |call, intent: &mut PaymentIntent| {
        change(call, intent)?;
        call.save(intent)?;
        Ok(intent_told(call, intent))
    })?;
    Ok(Some(told))
}

fn refund(standin: &StandIn, id: &str, given: GiveBack) -> Result<Value, ApiError> {
    let GiveBack { amount, reason, pending } = given;
    if let Some(amount) = amount {
        crate::money::at_least_one(amount, "amount")?;
    }
    with(standin, id, |call, _: &mut PaymentIntent| {
        let charge = charge_meant(call, None, Some(id))?;
        let refund = Refund::make(call, charge, Wanted { amount, reason, metadata: None, pending })?;
        Ok(refund_told(call, &refund))
    })
}

/// Applies `change` to an object in one transaction. `change` saves what it changes.
fn with<T: Object>(
    standin: &StandIn,
    id: &str,
    change: impl FnOnce(&Call, &mut T) -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let now = standin.now();
    let mut db = standin.store.lock();
    let transaction = db.transaction()?;
    intents::expire_due(&transaction, now)?;
    let missing = || ApiError::no_such(T::KIND, id, "id");
    let account = store::account_of(&transaction, id)?.ok_or_else(missing)?;
    let form = Form::default();
    let origin = Origin::default();
    let call = Call { db: &transaction, account: &account, now, form: &form, version: None, origin };
    let mut object: T = call.load(id)?.ok_or_else(missing)?;
    let result = change(&call, &mut object);
    if result.as_ref().err().is_none_or(|error| error.0.effect == Effect::Changed) {
        transaction.commit()?;
    }
    result
}

fn intent_told(call: &Call, intent: &PaymentIntent) -> Value {
    json!({
        "id": intent.id,
        "account": call.account,
        "status": intent.status,
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
