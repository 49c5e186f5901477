//! The functions' calls to the table, and the permissions that they used. Counts are kept for as long as the stack
//! runs; only the latest calls are kept one by one. For tests.
//!
//! Bounded, and nothing of a call's body is kept.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Value, json};

use super::faults::Call;
use crate::clock::machine_time;
use crate::template::Permission;

const KEPT: usize = 1000;

/// A call's place in the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(u64);

#[derive(Debug, Serialize)]
struct Entry {
    #[serde(flatten)]
    call: Call,
    /// `None` if it has no answer yet, or the connection was closed without one.
    status: Option<u16>,
    /// Whether a fault applied to it.
    faulty: bool,
    /// When it arrived, by the machine's clock.
    began: SystemTime,
    /// When it was answered, or its connection closed.
    ended: Option<SystemTime>,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    total: u64,
    counts: BTreeMap<Call, u64>,
    /// By function.
    used: BTreeMap<(String, Permission), u64>,
    latest: VecDeque<Entry>,
}

impl Log {
    /// `used` lists the permissions that the call needs and has; it is empty if the call is refused.
    pub fn begin(&mut self, call: &Call, used: BTreeSet<Permission>, faulty: bool) -> Number {
        *self.counts.entry(call.clone()).or_default() += 1;
        for permission in used {
            *self.used.entry((call.function.clone(), permission)).or_default() += 1;
        }
        if self.latest.len() == KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(Entry {
            call: call.clone(),
            status: None,
            faulty,
            began: machine_time().into(),
            ended: None,
        });
        self.total += 1;
        Number(self.total)
    }

    pub fn end(&mut self, Number(number): Number, status: Option<u16>) {
        // The entry may be gone already.
        let from_the_end = usize::try_from(self.total.saturating_sub(number)).unwrap_or(usize::MAX);
        let place = self.latest.len().checked_sub(from_the_end + 1);
        if let Some(entry) = place.and_then(|place| self.latest.get_mut(place)) {
            (entry.status, entry.ended) = (status, Some(machine_time().into()));
        }
    }

    pub fn clear(&mut self) {
        self.counts.clear();
        self.used.clear();
        self.latest.clear();
    }

    /// `counts` by function and operation; `used` by function, action and resource, once for each call; `calls` in the
    /// order of arrival.
    pub fn json(&self) -> Value {
        let one = |(call, count): (&Call, &u64)| json!({"operation": call.operation, "function": call.function, "count": count});
        let counts: Vec<Value> = self.counts.iter().map(one).collect();
        let used = |((function, used), count): (&(String, Permission), &u64)| {
            let (action, resource) = (&used.action, used.resource.to_string());
            json!({"function": function, "action": action, "resource": resource, "count": count})
        };
        let used: Vec<Value> = self.used.iter().map(used).collect();
        json!({"total": self.counts.values().sum::<u64>(), "counts": counts, "used": used, "calls": self.latest})
    }
}
