//! The functions' calls to the table and to Stripe, as the receivers saw them, and the faults to inject into them.
//!
//! A call is identified by its kind and its number within that kind, so that concurrent calls are not mistaken for one
//! another.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Api, Stack};

/// The receiver of a call.
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
    /// The receiver.
    pub callee: Callee,
    /// The operation, or method and route.
    pub name: String,
}

/// The time during which a call was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTime {
    /// The receiver.
    pub callee: Callee,
    /// When it arrived, by the machine's clock.
    pub began: SystemTime,
    /// When it was answered, or its connection closed.
    pub ended: SystemTime,
}

/// A call: the nth of its kind, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Its kind.
    pub kind: CallKind,
    /// The number of earlier calls of its kind.
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
    /// The control of the receiver.
    fn control(&self, callee: Callee) -> Api {
        match callee {
            Callee::DynamoDb => self.dynamodb(),
            Callee::Stripe => self.stripe(),
        }
    }

    async fn call_control(&self, callee: Callee, method: Method, path: &str) -> Answer {
        let answer = Api::send(self.control(callee).request(method, path)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    /// Clears the log of calls.
    ///
    /// # Panics
    /// If one of the two doesn't answer.
    pub async fn forget_calls(&self) {
        for callee in [Callee::DynamoDb, Callee::Stripe] {
            self.call_control(callee, Method::DELETE, "/_control/requests").await;
        }
    }

    /// The number of calls of each kind that a function has made since the log was cleared. Stripe doesn't know the
    /// calling function.
    ///
    /// # Panics
    /// If one of the two doesn't answer.
    pub async fn calls_of(&self, function: &str) -> BTreeMap<CallKind, u64> {
        let mut calls = BTreeMap::new();
        for callee in [Callee::DynamoDb, Callee::Stripe] {
            let log = self.call_control(callee, Method::GET, "/_control/requests").await.json();
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

    /// When each call of a function, and each call to Stripe (which doesn't know the calling function), arrived and was
    /// answered since the log was cleared. Calls without an answer are left out.
    ///
    /// # Panics
    /// If one of the two doesn't answer.
    pub async fn call_times(&self, function: &str) -> Vec<CallTime> {
        let mut times = Vec::new();
        for callee in [Callee::DynamoDb, Callee::Stripe] {
            let log = self.call_control(callee, Method::GET, "/_control/requests").await.json();
            let calls = log["calls"].as_array().expect("a list");
            let ours = calls.iter().filter(|call| callee == Callee::Stripe || call["function"] == function);
            let time = |call: &Value, name: &str| serde_json::from_value(call[name].clone()).ok().flatten();
            times.extend(ours.filter_map(|call| {
                Some(CallTime { callee, began: time(call, "began")?, ended: time(call, "ended")? })
            }));
        }
        times
    }

    /// The permissions that the functions' calls to the table have used: function, action and resource, with the number
    /// of calls.
    ///
    /// # Panics
    /// If the table doesn't answer.
    pub async fn permissions_used(&self) -> BTreeMap<[String; 3], u64> {
        let log = self.call_control(Callee::DynamoDb, Method::GET, "/_control/requests").await.json();
        let used = log["used"].as_array().expect("a list").iter().map(|used| {
            let text = |name: &str| used[name].as_str().expect("a text").to_owned();
            (["function", "action", "resource"].map(text), used["count"].as_u64().expect("a count"))
        });
        used.collect()
    }

    /// The calls in the order of arrival: first those to the table, then those to Stripe.
    ///
    /// # Panics
    /// If one of the two doesn't answer.
    pub async fn call_order(&self) -> String {
        let mut text = String::new();
        for (callee, names) in [(Callee::DynamoDb, ["operation", "function"]), (Callee::Stripe, ["method", "path"])] {
            let log = self.call_control(callee, Method::GET, "/_control/requests").await.json();
            for call in log["calls"].as_array().expect("a list") {
                let [what, of] = names.map(|name| call[name].as_str().unwrap_or_default());
                text.push_str(&format!("  {callee:?}: {what} {of} {}\n", call["status"]));
            }
        }
        text
    }

    /// Injects a fault into `count` calls of a function from this one onwards. At Stripe, which doesn't know the
    /// calling function, it applies to the calls about this intent, if there is one yet.
    ///
    /// # Panics
    /// If the receiver doesn't know the fault.
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

    /// Withdraws the injected faults, and returns how many calls they had still to hit.
    ///
    /// # Panics
    /// If it doesn't answer.
    pub async fn withdraw_faults_at(&self, callee: Callee) -> u64 {
        let waiting = self.call_control(callee, Method::GET, "/_control/faults").await.json();
        self.call_control(callee, Method::DELETE, "/_control/faults").await;
        waiting.as_array().expect("a list").iter().filter_map(|fault| fault["count"].as_u64()).sum()
    }

    /// Executes the calls that were dropped late.
    ///
    /// # Panics
    /// If one of the two doesn't answer.
    pub async fn let_land(&self) {
        for callee in [Callee::DynamoDb, Callee::Stripe] {
            self.call_control(callee, Method::POST, "/_control/faults/land").await;
        }
    }

    /// Runs the settlement job now, and returns what it did.
    ///
    /// # Panics
    /// If it fails.
    pub async fn run_schedule(&self) -> Value {
        let answer = self.caller(None).post("/_local/run/settle-payments", &json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// The metrics of a run of the settlement job now.
    ///
    /// # Panics
    /// If no run reports them.
    pub async fn measure(&self, gauge: &str) -> i64 {
        let before = self.measured(gauge).len();
        // A run's log line is written alongside its answer, so it may appear a moment later.
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
