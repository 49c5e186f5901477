//! The log line of a request: JSON that CloudWatch stores as a log and, in its embedded metric format, as metrics.
//!
//! One line per request, in one write. Only this file defines its fields.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::metric::{CODE, COLD_STARTS, DURATION, DYNAMODB, FAILURES, FUNCTION, NAMESPACE, REFUSALS, SERVICE, STRIPE};
use super::{RequestMetrics, Waits};

/// The source of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The deployment.
    pub service: String,
    /// The function.
    pub function: String,
}

/// How a request ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As requested, or pending.
    Answered,
    /// It was refused, and the answer says why.
    Refused,
    /// It failed through a fault of ours or of a dependency.
    Failed,
    /// A scheduled run finished.
    Done,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Done => "done",
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSummary<'a> {
    /// Lambda's request id.
    pub request_id: &'a str,
    /// The outcome, in one word.
    pub outcome: Outcome,
    /// The HTTP status; a scheduled run has none.
    pub status: Option<u16>,
    /// The code of a refusal.
    pub code: Option<&'a str>,
    /// The cause, for the reader of the log.
    pub cause: Option<&'a str>,
    /// How long it took.
    pub took: Duration,
    /// When it ended, in milliseconds since 1970.
    pub at_ms: i64,
}

static IS_WARM: AtomicBool = AtomicBool::new(false);

/// Writes the line to standard output, which Lambda stores. A closed standard output is ignored.
pub fn write(place: &Place, summary: &RequestSummary<'_>, metrics: &RequestMetrics) {
    let is_cold = !IS_WARM.swap(true, Ordering::Relaxed);
    let mut text = line(place, summary, metrics, is_cold).to_string();
    text.push('\n');
    std::io::stdout().lock().write_all(text.as_bytes()).unwrap_or_default();
}

fn line(place: &Place, summary: &RequestSummary<'_>, metrics: &RequestMetrics, is_cold: bool) -> Value {
    let mut line = Line::default();
    line.field("level", if summary.outcome == Outcome::Failed { "ERROR" } else { "INFO" });
    line.field("message", summary.outcome.as_str());
    line.field("request_id", summary.request_id);
    for (name, value) in [
        ("status", summary.status.map(Value::from)),
        ("cause", summary.cause.map(Value::from)),
        ("order", metrics.order.one().map(|order| order.as_str().into())),
        ("intent", metrics.intent.one().map(|intent| intent.as_str().into())),
    ] {
        if let Some(value) = value {
            line.field(name, value);
        }
    }
    line.field("cold_start", is_cold);
    line.field("dynamodb_calls", metrics.dynamodb.calls);
    line.field("stripe_calls", metrics.stripe.calls);

    line.metric(Scope::Function, DURATION, "Milliseconds", whole_ms(summary.took));
    line.waits(DYNAMODB, &metrics.dynamodb);
    line.waits(STRIPE, &metrics.stripe);
    if is_cold {
        line.metric(Scope::Function, COLD_STARTS, "Count", 1);
    }
    if summary.outcome == Outcome::Failed {
        line.metric(Scope::Service, FAILURES, "Count", 1);
    }
    for (count, times) in &metrics.counts {
        line.metric(Scope::Service, count.name(), "Count", i64::from(*times));
    }
    for (gauge, value) in &metrics.gauges {
        line.metric(Scope::Service, gauge.name(), gauge.unit(), *value);
    }
    if let Some(code) = summary.code {
        line.field(CODE, code);
        line.metric(Scope::Code, REFUSALS, "Count", 1);
    }
    line.finished(place, summary.at_ms)
}

fn whole_ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The dimensions of a metric besides the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Service,
    Function,
    Code,
}

impl Scope {
    fn dimensions(self) -> Vec<&'static str> {
        match self {
            Self::Service => vec![SERVICE],
            Self::Function => vec![SERVICE, FUNCTION],
            Self::Code => vec![SERVICE, CODE],
        }
    }
}

#[derive(Debug, Default)]
struct Line {
    fields: Map<String, Value>,
    metrics: Vec<(Scope, Value)>,
}

impl Line {
    fn field(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    fn metric(&mut self, scope: Scope, name: &str, unit: &str, value: i64) {
        self.field(name, value);
        self.metrics.push((scope, json!({"Name": name, "Unit": unit})));
    }

    fn waits(&mut self, name: &str, waits: &Waits) {
        if waits.calls > 0 {
            self.metric(Scope::Function, name, "Milliseconds", whole_ms(waits.waited));
        }
    }

    fn finished(mut self, place: &Place, at_ms: i64) -> Value {
        self.field(SERVICE, place.service.as_str());
        self.field(FUNCTION, place.function.as_str());
        let directive = |scope: Scope| {
            let of_scope = self.metrics.iter().filter(|(of, _)| *of == scope);
            let metrics: Vec<&Value> = of_scope.map(|(_, metric)| metric).collect();
            let directive = json!({"Namespace": NAMESPACE, "Dimensions": [scope.dimensions()], "Metrics": metrics});
            (!metrics.is_empty()).then_some(directive)
        };
        let directives: Vec<Value> =
            [Scope::Function, Scope::Service, Scope::Code].into_iter().filter_map(directive).collect();
        self.field("_aws", json!({"Timestamp": at_ms, "CloudWatchMetrics": directives}));
        Value::Object(self.fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Count, Gauge};

    #[test]
    fn every_metric_of_a_line_has_its_value_and_its_dimensions_in_it() {
        let place = Place { service: "classpay-test".into(), function: "settle-payments".into() };
        let summary = RequestSummary {
            request_id: "r-1",
            outcome: Outcome::Refused,
            status: Some(409),
            code: Some("class_full"),
            cause: None,
            took: Duration::from_millis(231),
            at_ms: 1,
        };
        let metrics = RequestMetrics {
            stripe: Waits { calls: 2, waited: Duration::from_millis(200), ..Waits::default() },
            counts: vec![(Count::PaymentsRejected, 1)],
            gauges: vec![(Gauge::OldestOrderS, 7)],
            ..RequestMetrics::default()
        };
        let line = line(&place, &summary, &metrics, true);
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        let mut names = Vec::new();
        for directive in directives {
            for dimension in directive["Dimensions"][0].as_array().unwrap() {
                assert!(line[dimension.as_str().unwrap()].is_string(), "{dimension} in {line}");
            }
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                names.push((name, line[name].as_i64().expect(name)));
            }
        }
        let expected = [
            ("DurationMs", 231),
            ("StripeMs", 200),
            ("ColdStarts", 1),
            ("PaymentsRejected", 1),
            ("OldestOrderS", 7),
            ("Refusals", 1),
        ];
        assert_eq!(names, expected);
        assert_eq!((&line["level"], &line["cold_start"]), (&json!("INFO"), &json!(true)));
    }
}
