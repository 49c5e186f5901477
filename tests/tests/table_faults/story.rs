//! One story: a call of the API during which one call of a function is harmed.
//!
//! Invariant: a harm that strikes nothing is a mistake of the story.

use std::collections::BTreeMap;
use std::fmt;

use classpay_tests::{CallKind, Member, Point, Stack};

use crate::harms::{Harm, LateDelivery};
use crate::roads::Road;

/// What remembers an intent.
const LEFT_BEHIND: [&str; 2] = ["TransactWriteItems", "POST /v1/payment_intents"];

/// What the client does after the harmed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// He asks again until he knows, and pays.
    Returns,
    /// He is never seen again.
    Leaves,
}

impl Client {
    /// Whose stories differ from one another. A link that is opened again has its payer back; an event comes once.
    pub fn worth_telling(road: Road, kind: &CallKind, harm: &Harm) -> Vec<Self> {
        match road {
            Road::Reopen => vec![Self::Returns],
            Road::Event => vec![Self::Leaves],
            // A read that is repeated by whoever calls changes nothing for whoever leaves.
            _ if !harm.lasts || kind.reads() && harm.count == 1 => vec![Self::Returns],
            Road::Checkout | Road::Pay => vec![Self::Returns, Self::Leaves],
            // Whoever hasn't paid leaves an intent behind, and what says so.
            Road::Session | Road::Open if LEFT_BEHIND.contains(&kind.name.as_str()) => {
                vec![Self::Returns, Self::Leaves]
            }
            Road::Session | Road::Open => vec![Self::Returns],
        }
    }
}

/// Whether the function's process has served before: it knows a few things then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    New,
    Used,
}

impl Process {
    pub fn make(self, stack: &Stack, road: Road) {
        if self == Self::New {
            let _killed: usize = stack.kill_function(road.function());
        }
    }
}

#[derive(Debug, Clone)]
pub struct Story {
    pub road: Road,
    pub point: Point,
    pub process: Process,
    pub harm: Harm,
    pub client: Client,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { road, point, process, harm, client } = self;
        write!(f, "{road:?}, {point}, {}, client {client:?}", harm.name)?;
        if *process == Process::New { f.write_str(", new process") } else { Ok(()) }
    }
}

/// How a story ended.
#[derive(Debug)]
pub enum End {
    /// This intent has to be captured, once.
    Paid(String),
    /// He left before he could pay.
    Left,
}

impl End {
    /// What is wrong with it in the end, by how often each intent was captured.
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

impl Story {
    /// How it is told again, and what is wrong.
    pub fn went_wrong(&self, why: &str) -> String {
        format!("STORY='{self}'\n    {why}")
    }

    /// Tells it. The schedule's part comes later, for all stories at once.
    ///
    /// # Errors
    /// The harm struck nothing, or the client was not served.
    pub async fn tell(&self, stack: &Stack, member: &Member) -> Result<End, String> {
        let start = self.road.prepare(stack, member).await;
        self.process.make(stack, self.road);
        let caller = (self.road.function(), start.intent.as_deref());
        stack.order_fault_at(caller, &self.point, (self.harm.count, &self.harm.what)).await;
        let first = self.road.act(stack, member, &start).await;
        let left = stack.withdraw_faults_at(self.point.kind.callee).await;
        if self.harm.landing == LateDelivery::AfterTheAnswer {
            stack.let_land().await;
        }
        if left == u64::from(self.harm.count) {
            return Err(format!("nothing was harmed, and the answer was {} {}", first.status, first.text));
        }
        if !matches!(first.status, 200 | 202 | 503) {
            return Err(format!("{} {}", first.status, first.text));
        }
        if self.client == Client::Leaves {
            return Ok(start.intent.map_or(End::Left, End::Paid));
        }
        // The same again, also when he knows: it changes nothing.
        let got = self.road.insist(stack, member, &start).await?;
        if first.status == 200 && matches!(self.road, Road::Checkout | Road::Pay) && got.text != first.text {
            return Err(format!("first it was {}, then {}", first.text, got.text));
        }
        self.road.go_on(stack, member, &start, &got).await.map(End::Paid)
    }
}
