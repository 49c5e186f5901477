//! The faults that a call can have.
//!
//! Every fault here can occur at AWS, at Stripe or in a network. A failed condition is used only for a transaction with
//! more than one action.

use classpay_tests::{CallKind, Callee};
use serde_json::{Value, json};

/// When a dropped call arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateDelivery {
    /// Never, or automatically.
    None,
    /// When the client has its first answer.
    AfterTheAnswer,
    /// At the end.
    Last,
}

/// The fault of a call.
#[derive(Debug, Clone)]
pub struct TableFault {
    pub name: &'static str,
    pub what: Value,
    /// The number of consecutive calls of the kind that have it.
    pub count: u32,
    pub late_delivery: LateDelivery,
    /// Whether a client that leaves afterwards leaves work unfinished.
    pub lasts: bool,
}

/// So many calls that the SDK, or our transport, gives up.
const GIVES_UP: u32 = 3;
/// So many conflicts that the store gives up.
const CONFLICTS: u32 = 6;
/// As many as there are keys.
const ALL: u32 = 1000;
/// Long enough for a concurrent call to overtake it.
const SLOW_MS: u32 = 30;

fn fault(name: &'static str, what: Value) -> TableFault {
    TableFault { name, what, count: 1, late_delivery: LateDelivery::None, lasts: true }
}

/// Faults that end with the call, because the caller retries automatically.
fn brief(name: &'static str, what: Value) -> TableFault {
    TableFault { lasts: false, ..fault(name, what) }
}

/// The faults that a call of this kind can have.
pub fn faults(kind: &CallKind) -> Vec<TableFault> {
    let mut faults = vec![
        fault("request lost", json!({"drop": "before"})),
        fault("500", json!({"status": 500})),
        brief("slow", json!({"delayMs": SLOW_MS})),
    ];
    if !kind.reads() {
        // A caller that only reads can't distinguish a lost request from a lost reply.
        faults.push(fault("answer lost", json!({"drop": "after"})));
    }
    match (kind.callee, kind.name.as_str()) {
        (Callee::DynamoDb, "TransactWriteItems") => faults.extend(transaction()),
        (Callee::DynamoDb, _) => faults.extend([
            TableFault { count: GIVES_UP, ..fault("out of reach", json!({"drop": "before"})) },
            brief("throttled", json!({"throttle": "calls"})),
            brief("table throttled", json!({"throttle": "table"})),
        ]),
        (Callee::Stripe, _) if kind.reads() => faults.extend([
            TableFault { count: ALL, ..fault("out of reach", json!({"drop": "before"})) },
            brief("429", json!({"status": 429})),
        ]),
        (Callee::Stripe, _) => faults.extend([
            TableFault { count: ALL, ..fault("out of reach", json!({"drop": "before"})) },
            TableFault { count: ALL, ..fault("deaf", json!({"drop": "after"})) },
            brief("429", json!({"status": 429})),
            brief("409", json!({"status": 409})),
            fault("done and 500", json!({"status": 500, "executed": true})),
            brief("answered late", json!({"delayMs": SLOW_MS, "executed": true})),
            TableFault {
                late_delivery: LateDelivery::AfterTheAnswer,
                ..fault("lands after the answer", json!({"drop": "late"}))
            },
            TableFault { late_delivery: LateDelivery::Last, ..fault("lands in the end", json!({"drop": "late"})) },
        ]),
    }
    faults
}

fn transaction() -> Vec<TableFault> {
    let conflict = || json!({"cancel": [{"at": 1, "code": "TransactionConflict"}]});
    let mix = json!([{"at": 0, "code": "ConditionalCheckFailed"}, {"at": 1, "code": "TransactionConflict"}]);
    vec![
        fault("done and 500", json!({"status": 500, "executed": true})),
        brief("answered late", json!({"delayMs": SLOW_MS, "executed": true})),
        fault("lands before the next call", json!({"drop": "late", "landAfterCalls": 0})),
        fault("lands after the next call", json!({"drop": "late", "landAfterCalls": 1})),
        fault("lands after five calls", json!({"drop": "late", "landAfterCalls": 5})),
        TableFault {
            late_delivery: LateDelivery::AfterTheAnswer,
            ..fault("lands after the answer", json!({"drop": "late"}))
        },
        TableFault { late_delivery: LateDelivery::Last, ..fault("lands in the end", json!({"drop": "late"})) },
        TableFault { count: ALL, ..fault("out of reach", json!({"drop": "before"})) },
        brief("throttled", json!({"throttle": "calls"})),
        brief("table throttled", json!({"throttle": "table"})),
        brief("conflict", conflict()),
        TableFault { count: CONFLICTS, ..fault("nothing but conflicts", conflict()) },
        brief("conflict and condition", json!({"cancel": mix})),
    ]
}
