//! Faults to order for deliveries: what can happen to an event between Stripe and us.
//!
//! - duplicate: sent twice, one right after the other.
//! - holdBack: kept until it is released.
//! - reorder: it goes after the delivery that comes next.
//! - misSign: signed with a secret that isn't ours. Its retry is signed rightly.
//! - lose: never delivered, though `/v1/events` has it.
//! - delayMs: sent that much later; those behind it wait.
//!
//! Invariant: a fault strikes exactly `count` attempts, in their order, retries included.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(rename = "match", default)]
    deliveries: Deliveries,
    #[serde(default = "once")]
    count: u32,
    #[serde(rename = "do")]
    harm: Harm,
}

fn once() -> u32 {
    1
}

/// Which deliveries: all that is given must fit.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Harm {
    Duplicate,
    HoldBack,
    Reorder,
    MisSign,
    Lose,
    #[serde(rename = "delayMs")]
    Delay(u64),
}

impl Fault {
    /// Why it can't be ordered, if it can't.
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

    /// Those that have deliveries left to strike.
    pub fn waiting(&self) -> &[Fault] {
        &self.0
    }

    /// What this delivery suffers. The first ordered fault that fits strikes, once less.
    pub fn strike(&mut self, kind: &str, account: &str) -> Option<Harm> {
        let index = self.0.iter().position(|fault| fault.deliveries.fit(kind, account))?;
        let fault = &mut self.0[index];
        let harm = fault.harm;
        fault.count -= 1;
        if fault.count == 0 {
            self.0.remove(index);
        }
        Some(harm)
    }
}
