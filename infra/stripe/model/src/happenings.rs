//! What happens from outside the API: by the payer, the bank, the studio in its dashboard, or with time.
//!
//! Each happens at once with its events, like a call of the API, but without an idempotency key. Nothing here does to an
//! object what the outside world couldn't.

use serde::Deserialize;

use crate::call::Call;
use crate::confirm::{Authentication, authenticate, confirm_in_browser};
use crate::debits::{fail_debit, settle_debit};
use crate::disputes::{Complaint, Outcome};
use crate::error::ApiError;
use crate::events::{Reported, Snapshot};
use crate::means::Failure;
use crate::refunds::{FailureReason, Wanted, charge_meant};
use crate::{Dispute, PaymentIntent, Refund, customers, holds};

/// It is named by the kind of object to which it happens, and by what happens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Happening {
    /// The payer pays in the browser. A decline is an error that also makes an event.
    #[serde(rename = "payment_intents/confirm")]
    Confirm {
        #[serde(rename = "paymentMethod", alias = "payment_method", default = "visa")]
        method: String,
    },
    /// The payer's answer to 3-D Secure.
    #[serde(rename = "payment_intents/authenticate")]
    Authenticate { outcome: Authentication },
    /// The card's bank releases the hold, whatever its time.
    #[serde(rename = "payment_intents/expire")]
    Expire {},
    /// The bank answers to a debit as the test account determines.
    #[serde(rename = "payment_intents/settle")]
    SettleDebit {},
    #[serde(rename = "payment_intents/fail")]
    FailDebit {
        #[serde(default)]
        code: Failure,
    },
    /// The studio captures this much, or all of it.
    #[serde(rename = "payment_intents/capture")]
    Capture { amount: Option<i64> },
    /// The studio refunds the intent's last charge.
    #[serde(rename = "payment_intents/refund")]
    Refund(Wanted),
    #[serde(rename = "refunds/succeed")]
    RefundArrives {},
    #[serde(rename = "refunds/fail")]
    RefundFails {
        #[serde(default)]
        reason: FailureReason,
    },
    #[serde(rename = "charges/dispute")]
    Dispute(Complaint),
    #[serde(rename = "disputes/review")]
    Review {},
    #[serde(rename = "disputes/escalate")]
    Escalate {},
    #[serde(rename = "disputes/close")]
    Close { outcome: Outcome },
    #[serde(rename = "customers/delete")]
    DeleteCustomer {},
}

fn visa() -> String {
    "pm_card_visa".into()
}

impl Happening {
    /// It happens to the object with this id. Answers what has changed: the object, or the refund or dispute of it.
    pub fn happen(self, call: &mut Call, id: &str) -> Result<Snapshot, ApiError> {
        match self {
            Self::Confirm { method } => {
                change(call, id, |call, intent: &mut PaymentIntent| confirm_in_browser(call, intent, &method))
            }
            Self::Authenticate { outcome } => change(call, id, |call, intent| authenticate(call, intent, outcome)),
            Self::Expire {} => change(call, id, holds::expire),
            Self::SettleDebit {} => change(call, id, settle_debit),
            Self::FailDebit { code } => change(call, id, |call, intent| fail_debit(call, intent, code)),
            Self::Capture { amount } => change(call, id, |call, intent| {
                let amount = holds::capturable(intent, amount)?;
                holds::capture(call, intent, amount)
            }),
            Self::Refund(wanted) => {
                let charge = charge_meant(call, None, Some(id))?;
                Ok(Refund::make(call, charge, wanted)?.snapshot())
            }
            Self::RefundArrives {} => change(call, id, |call, refund: &mut Refund| refund.succeed(call)),
            Self::RefundFails { reason } => change(call, id, |call, refund: &mut Refund| refund.fail(call, reason)),
            Self::Dispute(complaint) => {
                let charge = call.get(id)?;
                Ok(Dispute::open(call, charge, complaint)?.snapshot())
            }
            Self::Review {} => change(call, id, |call, dispute: &mut Dispute| dispute.review(call)),
            Self::Escalate {} => change(call, id, |call, dispute: &mut Dispute| dispute.escalate(call)),
            Self::Close { outcome } => change(call, id, |call, dispute: &mut Dispute| dispute.close(call, outcome)),
            Self::DeleteCustomer {} => Ok(customers::delete(call, id)?.snapshot()),
        }
    }
}

fn change<T: Reported>(
    call: &mut Call,
    id: &str,
    what: impl FnOnce(&mut Call, &mut T) -> Result<(), ApiError>,
) -> Result<Snapshot, ApiError> {
    let mut object: T = call.get(id)?;
    what(call, &mut object)?;
    call.save(&object);
    Ok(object.snapshot())
}
