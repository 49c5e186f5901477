//! The calls received. Counts are kept for as long as it runs; only the latest calls are kept one by one. For tests.
//!
//! Bounded, and no parameter and no API key is kept.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Value, json};

use crate::routes;

const KEPT: usize = 1000;

/// The machine's own time.
#[expect(clippy::disallowed_methods, reason = "a log tells the machine's time, whatever the stand-in's clock shows")]
pub(crate) fn machine_time() -> SystemTime {
    SystemTime::now()
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub at: i64,
    pub method: String,
    pub path: String,
    pub account: Option<String>,
    pub idempotency_key: Option<String>,
    /// `None` if the connection was closed without an answer.
    pub status: Option<u16>,
    pub replayed: bool,
    /// When it arrived, by the machine's clock.
    pub began: SystemTime,
    /// When it was answered, or its connection closed.
    pub ended: SystemTime,
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    total: u64,
    counts: BTreeMap<(String, String, Option<u16>), u64>,
    latest: VecDeque<Entry>,
}

impl RequestLog {
    pub fn add(&mut self, entry: Entry) {
        let name = (entry.method.clone(), routes::pattern(&entry.path), entry.status);
        self.total += 1;
        *self.counts.entry(name).or_default() += 1;
        if self.latest.len() == KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(entry);
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// `counts` by method, route and status; `calls` oldest first.
    pub fn json(&self) -> Value {
        let counts: Vec<Value> = self
            .counts
            .iter()
            .map(|((method, route, status), count)| {
                json!({ "method": method, "route": route, "status": status, "count": count })
            })
            .collect();
        json!({ "total": self.total, "counts": counts, "calls": self.latest })
    }
}
