//! One scenario: a call of the API during which one call of a function has a fault.
//!
//! A fault that hits no call is a mistake in the scenario.

use std::collections::BTreeMap;
use std::fmt;

use classpay_tests::{CallKind, Member, Point, Stack};

use super::faults::{LateDelivery, TableFault};
use super::flows::Flow;

/// The items that record an intent.
const LEFT_BEHIND: [&str; 2] = ["TransactWriteItems", "POST /v1/payment_intents"];

/// What the client does after the faulty call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// It calls again until it has a final answer, and pays.
    Returns,
    /// It never comes back.
    Leaves,
}

impl Client {
    /// The clients whose scenarios differ. The payer of a link that is opened again has returned, and an event comes
    /// once.
    pub fn worth_running(flow: Flow, kind: &CallKind, fault: &TableFault) -> Vec<Self> {
        match flow {
            Flow::Reopen => vec![Self::Returns],
            Flow::Event => vec![Self::Leaves],
            // A read that its caller repeats makes no difference to a client that leaves.
            _ if !fault.lasts || kind.reads() && fault.count == 1 => vec![Self::Returns],
            Flow::Checkout | Flow::Pay => vec![Self::Returns, Self::Leaves],
            // A client that hasn't paid leaves an intent behind, and the items that record it.
            Flow::Session | Flow::Open if LEFT_BEHIND.contains(&kind.name.as_str()) => {
                vec![Self::Returns, Self::Leaves]
            }
            Flow::Session | Flow::Open => vec![Self::Returns],
        }
    }
}

/// Whether the function's process has served before and has filled its caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    New,
    Used,
}

impl Process {
    pub fn make(self, stack: &Stack, flow: Flow) {
        if self == Self::New {
            let _killed: usize = stack.kill_function(flow.function());
        }
    }
}

#[derive(Debug, Clone)]
pub struct Scenario {
    pub flow: Flow,
    pub point: Point,
    pub process: Process,
    pub fault: TableFault,
    pub client: Client,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flow, point, process, fault, client } = self;
        write!(f, "{flow:?}, {point}, {}, client {client:?}", fault.name)?;
        if *process == Process::New { f.write_str(", new process") } else { Ok(()) }
    }
}

/// How a scenario ended.
#[derive(Debug)]
pub enum End {
    /// This intent has to be captured, once.
    Paid(String),
    /// The client left before it could pay.
    Left,
}

impl End {
    /// What is wrong in the end, given how often each intent was captured.
    pub fn mistake(&self, captured: &BTreeMap<String, u32>) -> Option<String> {
        match self {
            Self::Left => None,
            Self::Paid(intent) => match captured.get(intent).copied().unwrap_or_default() {
                1 => None,
                times => Some(format!("{intent} was captured {times} times")),
            },
        }
    }
}

impl Scenario {
    /// How to run it again, and what is wrong.
    pub fn went_wrong(&self, why: &str) -> String {
        format!("SCENARIO='{self}'\n    {why}")
    }

    /// Runs it. The settlement job comes later, for all scenarios at once.
    ///
    /// # Errors
    /// The fault hit no call, or the client was not served.
    pub async fn run(&self, stack: &Stack, member: &Member) -> Result<End, String> {
        let start = self.flow.prepare(stack, member).await;
        self.process.make(stack, self.flow);
        let caller = (self.flow.function(), start.intent.as_deref());
        stack.order_fault_at(caller, &self.point, (self.fault.count, &self.fault.what)).await;
        let first = self.flow.act(stack, member, &start).await;
        let left = stack.withdraw_faults_at(self.point.kind.callee).await;
        if self.fault.late_delivery == LateDelivery::AfterTheAnswer {
            stack.let_land().await;
        }
        if left == u64::from(self.fault.count) {
            return Err(format!("nothing was harmed, and the answer was {} {}", first.status, first.text));
        }
        if !matches!(first.status, 200 | 202 | 503) {
            return Err(format!("{} {}", first.status, first.text));
        }
        if self.client == Client::Leaves {
            return Ok(start.intent.map_or(End::Left, End::Paid));
        }
        // The same call after a final answer changes nothing.
        let got = self.flow.insist(stack, member, &start).await?;
        if first.status == 200 && matches!(self.flow, Flow::Checkout | Flow::Pay) && got.text != first.text {
            return Err(format!("first it was {}, then {}", first.text, got.text));
        }
        self.flow.go_on(stack, member, &start, &got).await.map(End::Paid)
    }
}
