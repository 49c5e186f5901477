//! Faults to order: what the functions' next calls of the table shall suffer.
//!
//! What each one does, which is what a real network and a real DynamoDB can do:
//! - drop before: the connection closes, nothing is executed. Drop after: it is executed, and the connection closes
//!   without an answer.
//! - drop late: the connection closes, and the call is executed later: when it is told to land, after so many
//!   milliseconds, or after so many further calls of functions (0: just before the next one).
//! - 500: nothing is executed; with `executed` it is, and the answer is a 500 all the same.
//! - throttle: nothing is executed. `calls` is a `ThrottlingException`; `table` a
//!   `ProvisionedThroughputExceededException`, or in a transaction the reason `ThrottlingError` for its first action.
//! - cancel: nothing is executed. The transaction is cancelled for these reasons, each at its position; a position that
//!   the transaction doesn't have is its last.
//! - leave: a batch is answered but for so many of its keys, the last, which are left unprocessed.
//! - delay: executed late, also if the caller has given up meanwhile. With `executed` it is executed at once and
//!   answered late.
//!
//! Invariant: a fault strikes exactly `count` calls of functions, after it has let `after` of them pass, in the order of
//! arrival. Nobody else's call is struck: a test's own looks at the table are not.

use serde::{Deserialize, Serialize};

/// The operation that can leave keys unprocessed.
const BATCH: &str = "BatchGetItem";
/// The operation that can be cancelled for a reason.
const TRANSACTION: &str = "TransactWriteItems";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    #[serde(rename = "match", default)]
    calls: Calls,
    #[serde(default = "once")]
    count: u32,
    /// So many calls that fit go unharmed first.
    #[serde(default)]
    after: u32,
    #[serde(rename = "do")]
    harm: Harm,
}

fn once() -> u32 {
    1
}

/// Which calls: all that is given must fit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Calls {
    /// As DynamoDB names it: `TransactWriteItems`.
    operation: Option<String>,
    /// The caller: `basket-checkout`.
    function: Option<String>,
    /// What stands in the request, such as a part of a key: `#LEDGER`.
    says: Option<String>,
}

/// A call, as faults and the log name it.
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

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Harm {
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

impl Fault {
    /// Why it can't be ordered, if it can't.
    pub fn mistake(&self) -> Option<&'static str> {
        let is_transaction = self.calls.operation.as_deref().is_none_or(|operation| operation == TRANSACTION);
        match &self.harm {
            _ if self.count == 0 => Some("count must be at least 1"),
            Harm::Fail(Fail { status, .. }) if *status != 500 => Some("status must be 500"),
            Harm::Cancel(_) if !is_transaction => Some("only TransactWriteItems can be cancelled"),
            Harm::Leave(_) if self.calls.operation.as_deref().is_some_and(|operation| operation != BATCH) => {
                Some("only BatchGetItem leaves keys unprocessed")
            }
            Harm::Leave(Leave { leave: 0 }) => Some("it must leave at least 1 key"),
            Harm::Cancel(Cancel { cancel }) if cancel.is_empty() => Some("a transaction is cancelled for a reason"),
            Harm::Drop(DropConnection { drop, land_after_ms: None, land_after_calls: None }) if *drop != When::Late => {
                None
            }
            Harm::Drop(DropConnection { drop, .. }) if *drop != When::Late => Some("only what is dropped late lands"),
            Harm::Drop(DropConnection { land_after_ms: Some(_), land_after_calls: Some(_), .. }) => {
                Some("it lands after a time or after calls, not both")
            }
            Harm::Fail(_) | Harm::Throttle(_) | Harm::Cancel(_) | Harm::Leave(_) | Harm::Drop(_) | Harm::Delay(_) => {
                None
            }
        }
    }

    fn fits(&self, call: &Call, request: &[u8]) -> bool {
        self.calls.operation.as_ref().is_none_or(|given| *given == call.operation)
            && self.calls.function.as_ref().is_none_or(|given| *given == call.function)
            && self.calls.says.as_ref().is_none_or(|given| String::from_utf8_lossy(request).contains(given))
            && (call.is_transaction() || !matches!(self.harm, Harm::Cancel(_)))
            && (call.operation == BATCH || !matches!(self.harm, Harm::Leave(_)))
    }
}

#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub fn order(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Those that have calls left to strike.
    pub fn waiting(&self) -> &[Fault] {
        &self.0
    }

    /// What this call suffers. The first ordered fault that fits, and has let pass what it was to let pass, strikes.
    pub fn strike(&mut self, call: &Call, request: &[u8]) -> Option<Harm> {
        let mut struck = None;
        for (index, fault) in self.0.iter_mut().enumerate().filter(|(_, fault)| fault.fits(call, request)) {
            if fault.after == 0 {
                struck = Some(index);
                break;
            }
            fault.after -= 1;
        }
        let fault = &mut self.0[struck?];
        let harm = fault.harm.clone();
        fault.count -= 1;
        if fault.count == 0 {
            self.0.remove(struck?);
        }
        Some(harm)
    }
}
