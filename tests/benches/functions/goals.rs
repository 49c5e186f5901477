//! What the functions are to reach, and whether they do.
//!
//! Invariant: every goal is listed, whether this run could judge it or not.

use std::time::Duration;

use serde_json::{Value, json};

use crate::figures::{Ratio, mib, ms};
use crate::report::{Row, aligned};
use crate::work::Work;

/// Start of a function that opens no connection, divided by hello-world's: hundredths.
const READY_RATIO: Ratio = Ratio(200);
/// Start of a function that opens its connections.
const READY_CPU: Duration = Duration::from_millis(6);
/// A warm quote divided by hello-world's warm request: hundredths.
const QUOTE_RATIO: Ratio = Ratio(600);
const CHECKOUT_CPU: Duration = Duration::from_millis(1);
/// The first request divided by those that follow, with the CPU that the function's memory gets: hundredths.
const FIRST_RATIO: Ratio = Ratio(150);
/// With 10,000 past transactions, divided by that with ten: hundredths.
const FLAT_RATIO: Ratio = Ratio(110);
const PEAK_KIB: u64 = 20 * 1024;
const ZIPPED_KIB: u64 = 5 * 1024;

/// A goal, and how far it is.
pub struct Goal {
    figure: String,
    goal: String,
    measured: String,
    /// `None`: this run doesn't tell.
    reached: Option<bool>,
}

impl Goal {
    fn new(figure: String, goal: String, measured: String, reached: bool) -> Self {
        Self { figure, goal, measured, reached: Some(reached) }
    }

    fn untold(figure: &str, why: &str) -> Self {
        Self { figure: figure.to_owned(), goal: String::new(), measured: why.to_owned(), reached: None }
    }

    fn word(&self) -> &'static str {
        match self.reached {
            Some(true) => "reached",
            Some(false) => "MISSED",
            None => "not told",
        }
    }

    /// As an object for other programs.
    pub fn json(&self) -> Value {
        json!({"figure": self.figure, "goal": self.goal, "measured": self.measured, "reached": self.reached})
    }
}

/// The goals as a table.
pub fn table(goals: &[Goal]) -> String {
    let head = ["goal", "", "measured", "at most"].map(str::to_owned).to_vec();
    let line =
        |goal: &Goal| vec![goal.figure.clone(), goal.word().to_owned(), goal.measured.clone(), goal.goal.clone()];
    aligned(&std::iter::once(head).chain(goals.iter().map(line)).collect::<Vec<_>>())
}

/// Every goal, by what these rows show. `limited`: whether first requests had only the CPU of the functions' memory.
pub fn goals(rows: &[Row], limited: bool) -> Vec<Goal> {
    let row = |work: Work| rows.iter().find(|row| row.work == work);
    let base = row(Work::HelloWorld);
    let ours: Vec<&Row> = rows.iter().filter(|row| Work::ALL[1..].contains(&row.work)).collect();
    let mut goals = Vec::new();
    goals.extend(ours.iter().map(|row| ready(row, base)));
    goals.push(match (row(Work::Quote), base) {
        (Some(quote), Some(base)) => {
            let figure = "CPU of a warm quote ÷ hello-world's".to_owned();
            ratio(figure, Ratio::of(quote.p50.cpu, base.p50.cpu), QUOTE_RATIO)
        }
        _ => Goal::untold("CPU of a warm quote ÷ hello-world's", "needs get-quote and hello-world"),
    });
    goals.extend(ours.iter().filter(|row| row.work.function() == "basket-checkout").flat_map(|row| checkout(row)));
    if limited {
        let first = |row: &&Row| {
            let figure = format!("first request ÷ the next ones, {}", row.work.name());
            ratio(figure, Ratio::of(row.first.wall, row.second.wall), FIRST_RATIO)
        };
        goals.extend(ours.iter().map(first));
    } else {
        goals.push(Goal::untold("first request ÷ the next ones", "needs a limit to the CPU"));
    }
    for row in &ours {
        let figure = format!("peak memory, {}", row.work.name());
        let measured = format!("{} MiB", mib(row.peak_kib));
        goals.push(Goal::new(figure, format!("{} MiB", mib(PEAK_KIB)), measured, row.peak_kib <= PEAK_KIB));
    }
    for row in &ours {
        let (figure, zipped) = (format!("zipped, {}", row.work.name()), row.size.zipped_kib);
        goals.push(Goal::new(
            figure,
            format!("{} MiB", mib(ZIPPED_KIB)),
            format!("{} MiB", mib(zipped)),
            zipped <= ZIPPED_KIB,
        ));
    }
    goals.extend(growth(rows));
    goals.push(Goal::untold(
        "round trips in a row",
        "a test counts them: cargo test -p classpay-tests --test api round_trips",
    ));
    goals
}

fn ratio(figure: String, measured: Option<Ratio>, most: Ratio) -> Goal {
    match measured {
        Some(measured) => Goal::new(figure, most.to_string(), measured.to_string(), measured <= most),
        None => Goal::untold(&figure, "nothing to divide by"),
    }
}

/// How the quote grows. A difference that is less than a fiftieth of the least is taken for none.
fn growth(rows: &[Row]) -> [Goal; 2] {
    let cpu = |work| rows.iter().find(|row| row.work == work).map(|row| row.p50.cpu);
    let [one, some, many, young, _, old, ..] = Work::GROWTH.map(cpu);
    let ms_of = |cpus: [Option<Duration>; 3]| cpus.map(|cpu| ms(cpu.unwrap_or_default())).join(", ") + " ms";
    let (by_lines, by_history) = ("CPU of a quote, linear in lines", "CPU of a quote, flat in history");
    let lines = match (one, some, many) {
        (Some(one), Some(some), Some(many)) => {
            // From 5 lines to 25 it is five times as far as from 1 to 5.
            let most = some + some.saturating_sub(one).max(one / 50) * 5 * 3 / 2;
            let goal = format!("{} ms for 25", ms(most));
            Goal::new(by_lines.to_owned(), goal, ms_of([Some(one), Some(some), Some(many)]), many <= most)
        }
        _ => Goal::untold(by_lines, "needs --growth"),
    };
    let history = match (young, old) {
        (Some(young), Some(old)) => ratio(by_history.to_owned(), Ratio::of(old, young), FLAT_RATIO),
        _ => Goal::untold(by_history, "needs --growth"),
    };
    [lines, history]
}

/// A start that opens its connections is judged by itself: hello-world has none to open.
fn ready(row: &Row, base: Option<&Row>) -> Goal {
    let name = row.work.name();
    if row.at_start.dynamodb + row.at_start.stripe > 0 {
        let figure = format!("CPU to ready, connections opened, {name}");
        let reached = row.ready.cpu <= READY_CPU;
        return Goal::new(figure, format!("{} ms", ms(READY_CPU)), format!("{} ms", ms(row.ready.cpu)), reached);
    }
    let figure = format!("CPU to ready ÷ hello-world's, {name}");
    match base {
        Some(base) => ratio(figure, Ratio::of(row.ready.cpu, base.ready.cpu), READY_RATIO),
        None => Goal::untold(&figure, "needs hello-world"),
    }
}

fn checkout(row: &Row) -> [Goal; 3] {
    let name = row.work.name();
    let cpu = row.p50.cpu;
    let connections = |host: &str, at_start: u64, later: u64| {
        let measured = format!("{} in {} requests", at_start + later, row.requests);
        Goal::new(format!("connections to {host}, {name}"), "1".to_owned(), measured, at_start + later <= 1)
    };
    [
        Goal::new(
            format!("CPU of a warm {name}"),
            format!("{} ms", ms(CHECKOUT_CPU)),
            format!("{} ms", ms(cpu)),
            cpu <= CHECKOUT_CPU,
        ),
        connections("DynamoDB", row.at_start.dynamodb + row.warming.dynamodb, row.later.dynamodb),
        connections("Stripe", row.at_start.stripe + row.warming.stripe, row.later.stripe),
    ]
}
