//! Injected faults for deliveries: what can happen to an event between Stripe and us.
//!
//! - duplicate: sent twice, one right after the other.
//! - holdBack: kept until it is released.
//! - reorder: delivered after the delivery that comes next.
//! - misSign: signed with a secret that isn't ours. Its retry has the right signature.
//! - lose: never delivered, although `/v1/events` lists it.
//! - delayMs: sent that much later; the deliveries behind it wait.
//!
//! A fault applies to exactly `count` attempts, in their order, including retries.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(rename = "match", default)]
    deliveries: Deliveries,
    #[serde(default = "once")]
    count: u32,
    #[serde(rename = "do")]
    action: Action,
}

fn once() -> u32 {
    1
}

/// Which deliveries match; every given field must match.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deliveries {
    /// `payment_intent.succeeded`, or all of a kind: `charge.*`.
    #[serde(rename = "type")]
    kind: Option<String>,
    account: Option<String>,
}

impl Deliveries {
    fn fit(&self, kind: &str, account: &str) -> bool {
        let is_kind = |given: &String| match given.strip_suffix('*') {
            Some(start) => kind.starts_with(start),
            None => given == kind,
        };
        self.kind.as_ref().is_none_or(is_kind) && self.account.as_ref().is_none_or(|given| given == account)
    }
}

/// What a fault does to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Action {
    Duplicate,
    HoldBack,
    Reorder,
    MisSign,
    Lose,
    #[serde(rename = "delayMs")]
    Delay(u64),
}

impl Fault {
    /// Why the fault can't be injected, if it can't.
    pub fn mistake(&self) -> Option<&'static str> {
        (self.count == 0).then_some("count must be at least 1")
    }
}

#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub fn order(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Faults that still apply to further deliveries.
    pub fn waiting(&self) -> &[Fault] {
        &self.0
    }

    /// The fault for this delivery: the first that matches. Its count goes down by one.
    pub fn strike(&mut self, kind: &str, account: &str) -> Option<Action> {
        let index = self.0.iter().position(|fault| fault.deliveries.fit(kind, account))?;
        let fault = &mut self.0[index];
        let action = fault.action;
        fault.count -= 1;
        if fault.count == 0 {
            self.0.remove(index);
        }
        Some(action)
    }
}
