//! Calls of the functions, to the table and to Stripe, as those who were called saw them; and what they shall suffer.
//!
//! Invariant: a call is named by what it is and by its number among its like, so that calls made at the same time are
//! not mistaken for one another.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Api, Stack};

/// Who is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Callee {
    /// The table.
    DynamoDb,
    /// Stripe.
    Stripe,
}

/// A kind of call: `TransactWriteItems`, or `POST /v1/payment_intents/{id}/capture`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallKind {
    /// Who is called.
    pub callee: Callee,
    /// The operation, or method and route.
    pub name: String,
}

/// When a call was out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTime {
    /// Who was called.
    pub callee: Callee,
    /// When it came, by the machine's clock.
    pub began: SystemTime,
    /// When it was answered, or its connection closed.
    pub ended: SystemTime,
}

/// One call: the so-manieth of its kind, from 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// What is called.
    pub kind: CallKind,
    /// How many of its kind come before it.
    pub number: u64,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.kind.name, self.number + 1)
    }
}

impl CallKind {
    /// Whether it changes nothing.
    #[must_use]
    pub fn reads(&self) -> bool {
        match self.callee {
            Callee::DynamoDb => ["GetItem", "BatchGetItem", "Query"].contains(&self.name.as_str()),
            Callee::Stripe => self.name.starts_with("GET "),
        }
    }

    fn matched(&self, function: &str, intent: Option<&str>) -> Value {
        match self.callee {
            Callee::DynamoDb => json!({"operation": self.name, "function": function}),
            Callee::Stripe => {
                let (method, route) = self.name.split_once(' ').expect("method and route");
                let intent = intent.filter(|_| route.contains("{id}"));
                json!({"method": method, "route": route, "path": intent})
            }
        }
    }
}

impl Stack {
    /// The control of who is called.
    fn control(&self, callee: Callee) -> Api {
        match callee {
            Callee::DynamoDb => self.dynamodb(),
            Callee::Stripe => self.stripe(),
        }
    }

    async fn told(&self, callee: Callee, method: Method, path: &str) -> Answer {
        let answer = Api::send(self.control(callee).request(method, path)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    /// Forgets the calls so far.
    ///
    /// # Panics
    /// If one of the two doesn't answer.
    pub async fn forget_calls(&self) {
        for callee in [Callee::DynamoDb, Callee::Stripe] {
            self.told(callee, Method::DELETE, "/_control/requests").await;
        }
    }

    /// How many calls of each kind a function has made since they were forgotten; Stripe doesn't know who calls.
    ///
    /// # Panics
    /// If one of the two doesn't answer.
    pub async fn calls_of(&self, function: &str) -> BTreeMap<CallKind, u64> {
        let mut calls = BTreeMap::new();
        for callee in [Callee::DynamoDb, Callee::Stripe] {
            let log = self.told(callee, Method::GET, "/_control/requests").await.json();
            for count in log["counts"].as_array().expect("a list") {
                let text = |name: &str| count[name].as_str().unwrap_or_default();
                let name = match callee {
                    Callee::DynamoDb if text("function") != function => continue,
                    Callee::DynamoDb => text("operation").to_owned(),
                    Callee::Stripe => format!("{} {}", text("method"), text("route")),
                };
                *calls.entry(CallKind { callee, name }).or_default() += count["count"].as_u64().expect("a count");
            }
        }
        calls
    }

    /// When each call of a function, and each of Stripe, which doesn't know who calls, came and was answered since they were
    /// forgotten. One without an answer is left out.
    ///
    /// # Panics
    /// If one of the two doesn't answer.
    pub async fn call_times(&self, function: &str) -> Vec<CallTime> {
        let mut times = Vec::new();
        for callee in [Callee::DynamoDb, Callee::Stripe] {
            let log = self.told(callee, Method::GET, "/_control/requests").await.json();
            let calls = log["calls"].as_array().expect("a list");
            let ours = calls.iter().filter(|call| callee == Callee::Stripe || call["function"] == function);
            let time = |call: &Value, name: &str| serde_json::from_value(call[name].clone()).ok().flatten();
            times.extend(ours.filter_map(|call| {
                Some(CallTime { callee, began: time(call, "began")?, ended: time(call, "ended")? })
            }));
        }
        times
    }

    /// The permissions that the functions' calls of the table have used: function, action and resource, and in how many
    /// calls.
    ///
    /// # Panics
    /// If the table doesn't answer.
    pub async fn permissions_used(&self) -> BTreeMap<[String; 3], u64> {
        let log = self.told(Callee::DynamoDb, Method::GET, "/_control/requests").await.json();
        let used = log["used"].as_array().expect("a list").iter().map(|used| {
            let text = |name: &str| used[name].as_str().expect("a text").to_owned();
            (["function", "action", "resource"].map(text), used["count"].as_u64().expect("a count"))
        });
        used.collect()
    }

    /// What was called, in the order of arrival: first of the table, then of Stripe.
    ///
    /// # Panics
    /// If one of the two doesn't answer.
    pub async fn call_order(&self) -> String {
        let mut told = String::new();
        for (callee, names) in [(Callee::DynamoDb, ["operation", "function"]), (Callee::Stripe, ["method", "path"])] {
            let log = self.told(callee, Method::GET, "/_control/requests").await.json();
            for call in log["calls"].as_array().expect("a list") {
                let [what, of] = names.map(|name| call[name].as_str().unwrap_or_default());
                told.push_str(&format!("  {callee:?}: {what} {of} {}\n", call["status"]));
            }
        }
        told
    }

    /// Orders that a function's call at this point, and those after it, suffer this: `count` of them. At Stripe, which
    /// doesn't know who calls, it is the calls about this intent, if there is one yet.
    ///
    /// # Panics
    /// If the fault isn't known there.
    pub async fn order_fault_at(
        &self,
        (function, intent): (&str, Option<&str>),
        point: &Point,
        (count, what): (u32, &Value),
    ) {
        let matched = point.kind.matched(function, intent);
        let fault = json!({"match": matched, "after": point.number, "count": count, "do": what});
        let answer = self.control(point.kind.callee).post("/_control/faults", &fault).await;
        assert_eq!(answer.status, 200, "{fault}: {}", answer.text);
    }

    /// Withdraws what was ordered there; how many calls had still to be struck.
    ///
    /// # Panics
    /// If it doesn't answer.
    pub async fn withdraw_faults_at(&self, callee: Callee) -> u64 {
        let waiting = self.told(callee, Method::GET, "/_control/faults").await.json();
        self.told(callee, Method::DELETE, "/_control/faults").await;
        waiting.as_array().expect("a list").iter().filter_map(|fault| fault["count"].as_u64()).sum()
    }

    /// Lets land what was dropped late.
    ///
    /// # Panics
    /// If one of the two doesn't answer.
    pub async fn let_land(&self) {
        for callee in [Callee::DynamoDb, Callee::Stripe] {
            self.told(callee, Method::POST, "/_control/faults/land").await;
        }
    }

    /// A run of the schedule, now; what it did.
    ///
    /// # Panics
    /// If it failed.
    pub async fn run_schedule(&self) -> Value {
        let answer = self.caller(None).post("/_local/run/settle-payments", &json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// What a run of the schedule measures now.
    ///
    /// # Panics
    /// If no run measures it.
    pub async fn measure(&self, gauge: &str) -> i64 {
        let before = self.measured(gauge).len();
        // The line of a run is written beside its answer: it may be read a moment later.
        for _ in 0..50 {
            self.run_schedule().await;
            if let Some(value) = self.measured(gauge).get(before..).and_then(<[i64]>::last) {
                return *value;
            }
        }
        panic!("{gauge} was not measured: {}", self.logged());
    }

    fn measured(&self, gauge: &str) -> Vec<i64> {
        let logged = self.logged();
        let lines = logged.lines().filter_map(|line| serde_json::from_str::<Value>(&line[line.find('{')?..]).ok());
        lines.filter_map(|line| line[gauge].as_i64()).collect()
    }
}
