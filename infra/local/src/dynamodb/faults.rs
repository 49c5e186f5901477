//! Injected faults for the functions' next calls to the table.
//!
//! What each fault does. A real network and a real DynamoDB can do all of these:
//! - drop before: the connection closes, nothing is executed. Drop after: it is executed, and the connection closes
//!   without an answer.
//! - drop late: the connection closes, and the call is executed later: on request, after a number of milliseconds, or
//!   after a number of further calls by functions (0: just before the next one).
//! - 500: nothing is executed. With `executed` the call is executed, and the answer is still a 500.
//! - throttle: nothing is executed. `calls` is a `ThrottlingException`; `table` a
//!   `ProvisionedThroughputExceededException`, or in a transaction the reason `ThrottlingError` for its first action.
//! - cancel: nothing is executed. The transaction is cancelled for these reasons, each at its position; a position that
//!   the transaction doesn't have means its last.
//! - leave: a batch is answered except for its last keys, as many as given, which are left unprocessed.
//! - delay: the call is executed late, even if the caller has given up meanwhile. With `executed` it is executed at
//!   once and answered late.
//!
//! Only calls of functions count, in the order of arrival. Other callers are never affected, so a test can read the table.

use classpay_stripe_standin::fault_queue::FaultQueue;
use serde::{Deserialize, Serialize};

/// The operation that can leave keys unprocessed.
const BATCH: &str = "BatchGetItem";
/// The operation that can be cancelled for a reason.
const TRANSACTION: &str = "TransactWriteItems";

/// Which calls match; every given field must match.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calls {
    /// The operation, as DynamoDB names it: `TransactWriteItems`.
    operation: Option<String>,
    /// The calling function: `basket-checkout`.
    function: Option<String>,
    /// A text in the request, such as part of a key: `#LEDGER`.
    says: Option<String>,
}

/// A call as faults and the log identify it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Call {
    pub operation: String,
    pub function: String,
}

impl Call {
    pub fn is_transaction(&self) -> bool {
        self.operation == TRANSACTION
    }
}

/// What a fault does to a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Effect {
    Fail(Fail),
    Throttle(Throttle),
    Cancel(Cancel),
    Leave(Leave),
    Drop(DropConnection),
    Delay(Delay),
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fail {
    pub status: u16,
    #[serde(default)]
    pub executed: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Throttle {
    pub throttle: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum What {
    Calls,
    Table,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancel {
    pub cancel: Vec<Reason>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    pub at: usize,
    /// `TransactionConflict`, `ConditionalCheckFailed`, `ThrottlingError`, …
    pub code: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Leave {
    pub leave: usize,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DropConnection {
    pub drop: When,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub land_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub land_after_calls: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum When {
    Before,
    After,
    Late,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Delay {
    pub delay_ms: u64,
    #[serde(default)]
    pub executed: bool,
}

/// Why a fault can't be injected, if it can't.
pub(super) fn mistake(calls: &Calls, effect: &Effect) -> Option<&'static str> {
    let is_of = |named: &str| calls.operation.as_deref().is_none_or(|operation| operation == named);
    match effect {
        Effect::Fail(Fail { status, .. }) if *status != 500 => Some("status must be 500"),
        Effect::Cancel(_) if !is_of(TRANSACTION) => Some("only TransactWriteItems can be cancelled"),
        Effect::Leave(_) if !is_of(BATCH) => Some("only BatchGetItem leaves keys unprocessed"),
        Effect::Leave(Leave { leave: 0 }) => Some("it must leave at least 1 key"),
        Effect::Cancel(Cancel { cancel }) if cancel.is_empty() => Some("a transaction is cancelled for a reason"),
        Effect::Drop(DropConnection { drop, land_after_ms: None, land_after_calls: None }) if *drop != When::Late => {
            None
        }
        Effect::Drop(DropConnection { drop, .. }) if *drop != When::Late => Some("only what is dropped late lands"),
        Effect::Drop(DropConnection { land_after_ms: Some(_), land_after_calls: Some(_), .. }) => {
            Some("it lands after a time or after calls, not both")
        }
        Effect::Fail(_)
        | Effect::Throttle(_)
        | Effect::Cancel(_)
        | Effect::Leave(_)
        | Effect::Drop(_)
        | Effect::Delay(_) => None,
    }
}

/// The faults of functions' calls.
pub(super) type Faults = FaultQueue<Calls, Effect>;

/// The effect of a fault on this call, if there is one.
pub(super) fn strike(faults: &mut Faults, call: &Call, request: &[u8]) -> Option<Effect> {
    faults.strike(|calls, effect| {
        calls.operation.as_ref().is_none_or(|given| *given == call.operation)
            && calls.function.as_ref().is_none_or(|given| *given == call.function)
            && calls.says.as_ref().is_none_or(|given| String::from_utf8_lossy(request).contains(given))
            && (call.is_transaction() || !matches!(effect, Effect::Cancel(_)))
            && (call.operation == BATCH || !matches!(effect, Effect::Leave(_)))
    })
}
