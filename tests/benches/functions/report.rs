//! What the benchmark says: the tables, and each goal with its figure.
//!
//! Invariant: a goal that was missed, or could not be judged, is said as plainly as one that was reached.

use std::time::Duration;

use serde_json::{Value, json};

use crate::figures::{Ratio, Size, mib, ms, per_core_second, percentile};
use crate::measure::{METERED, Measured, To};
use crate::spent::Spent;
use crate::stand_in::Units;
use crate::work::Work;

/// A row of the table: what was measured, in figures.
pub struct Row {
    pub work: Work,
    pub ready: Spent,
    pub first: Spent,
    /// What came after the first request, under the same quota.
    pub second: Spent,
    pub p50: Spent,
    pub p99: Spent,
    pub per_core_second: u128,
    pub requests: usize,
    pub peak_kib: u64,
    pub size: Size,
    pub at_start: To,
    /// Opened by the first request and those that warm the process up.
    pub warming: To,
    pub later: To,
    /// For 100 requests.
    pub calls: To,
    /// DynamoDB's capacity units for 100 requests.
    pub units: Units,
}

impl Row {
    pub fn new(measured: &Measured, size: Size) -> Self {
        let at = |requests: &[Spent], percent: usize| Spent {
            wall: percentile(requests.iter().map(|request| request.wall), percent),
            cpu: percentile(requests.iter().map(|request| request.cpu), percent),
        };
        let requests = u64::try_from(measured.warm.len()).unwrap_or(u64::MAX).max(1);
        let per =
            |many: u64, to: To| To { dynamodb: to.dynamodb * many / requests, stripe: to.stripe * many / requests };
        let hundredths = |tenths: u64| tenths * 10 / u64::from(METERED);
        Self {
            work: measured.work,
            ready: at(&measured.starts, 50),
            first: at(&measured.firsts, 50),
            second: at(&measured.seconds, 50),
            p50: at(&measured.warm, 50),
            p99: at(&measured.warm, 99),
            per_core_second: per_core_second(&measured.warm),
            requests: measured.warm.len(),
            peak_kib: measured.peak_kib,
            size,
            at_start: measured.connections_at_start,
            warming: measured.connections_warming,
            later: measured.connections_warm,
            calls: per(100, measured.calls_warm),
            units: Units { read: hundredths(measured.units.read), written: hundredths(measured.units.written) },
        }
    }

    /// As an object for other programs: microseconds, KiB.
    pub fn json(&self) -> Value {
        let us = |spent: Spent| json!({"wallUs": micros(spent.wall), "cpuUs": micros(spent.cpu)});
        let to = |to: To| json!({"dynamodb": to.dynamodb, "stripe": to.stripe});
        json!({
            "name": self.work.name(), "function": self.work.function(), "ready": us(self.ready),
            "first": us(self.first), "afterTheFirst": us(self.second), "warmP50": us(self.p50), "warmP99": us(self.p99),
            "requestsPerCoreSecond": u64::try_from(self.per_core_second).unwrap_or(u64::MAX),
            "requests": self.requests, "peakKib": self.peak_kib, "binaryKib": self.size.binary_kib,
            "zippedKib": self.size.zipped_kib,
            "connections": {"atStart": to(self.at_start), "warming": to(self.warming), "warm": to(self.later)},
            "callsPer100Requests": to(self.calls),
            "capacityUnitsPer100Requests": {"read": self.units.read, "written": self.units.written},
        })
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The figures of each row.
pub fn figures(rows: &[Row]) -> String {
    let head = [
        "milliseconds",
        "ready wall",
        "cpu",
        "first wall",
        "cpu",
        "then wall",
        "warm p50",
        "p99",
        "cpu p50",
        "p99",
        "req/core s",
        "peak MiB",
        "MiB",
        "zip MiB",
        "calls D, S",
        "units R, W",
        "connections D, S",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for row in rows {
        lines.push(vec![
            row.work.name(),
            ms(row.ready.wall),
            ms(row.ready.cpu),
            ms(row.first.wall),
            ms(row.first.cpu),
            ms(row.second.wall),
            ms(row.p50.wall),
            ms(row.p99.wall),
            ms(row.p50.cpu),
            ms(row.p99.cpu),
            row.per_core_second.to_string(),
            mib(row.peak_kib),
            mib(row.size.binary_kib),
            mib(row.size.zipped_kib),
            format!("{}, {}", Ratio(row.calls.dynamodb.into()), Ratio(row.calls.stripe.into())),
            format!("{}, {}", Ratio(row.units.read.into()), Ratio(row.units.written.into())),
            format!("{}, {}", connections(row, |to| to.dynamodb), connections(row, |to| to.stripe)),
        ]);
    }
    aligned(&lines)
}

/// At the start, while warming up, and later for 1,000 requests.
fn connections(row: &Row, which: fn(To) -> u64) -> String {
    let requests = u64::try_from(row.requests).unwrap_or(u64::MAX).max(1);
    let later = (which(row.later) * 1000).div_ceil(requests);
    format!("{}+{}+{later}", which(row.at_start), which(row.warming))
}

/// The CPU of each row divided by that of the first, which is the function that does nothing.
pub fn ratios(rows: &[Row]) -> String {
    let Some(base) = rows.iter().find(|row| row.work == Work::HelloWorld) else { return String::new() };
    let head = ["CPU ÷ hello-world's", "ready", "first request", "warm request", "peak memory"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    let said = |ratio: Option<Ratio>| ratio.map_or_else(|| "-".to_owned(), |ratio| ratio.to_string());
    for row in rows {
        let peak = Ratio(u128::from((row.peak_kib * 100).div_ceil(base.peak_kib.max(1))));
        lines.push(vec![
            row.work.name(),
            said(Ratio::of(row.ready.cpu, base.ready.cpu)),
            said(Ratio::of(row.first.cpu, base.first.cpu)),
            said(Ratio::of(row.p50.cpu, base.p50.cpu)),
            peak.to_string(),
        ]);
    }
    aligned(&lines)
}

/// What each row in Node takes for the calls alone, divided by what its counterpart takes for all of its work.
pub fn in_node(rows: &[Row]) -> String {
    let head =
        ["calls in Node ÷ Rust", "ready cpu", "wall", "first request cpu", "wall", "warm cpu", "peak memory", "zip"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for row in rows {
        let Some(work) = row.work.counterpart() else { continue };
        let Some(base) = rows.iter().find(|row| row.work == work) else { continue };
        lines.push(std::iter::once(work.name()).chain(in_node_ratios(row, base)).collect());
    }
    if lines.len() == 1 { String::new() } else { aligned(&lines) }
}

fn in_node_ratios(row: &Row, base: &Row) -> [String; 7] {
    let said = |ratio: Option<Ratio>| ratio.map_or_else(|| "-".to_owned(), |ratio| ratio.to_string());
    let kib = |kib: u64, base: u64| Ratio(u128::from((kib * 100).div_ceil(base.max(1)))).to_string();
    [
        said(Ratio::of(row.ready.cpu, base.ready.cpu)),
        said(Ratio::of(row.ready.wall, base.ready.wall)),
        said(Ratio::of(row.first.cpu, base.first.cpu)),
        said(Ratio::of(row.first.wall, base.first.wall)),
        said(Ratio::of(row.p50.cpu, base.p50.cpu)),
        kib(row.peak_kib, base.peak_kib),
        kib(row.size.zipped_kib, base.size.zipped_kib),
    ]
}

/// Names to the left, figures to the right.
pub fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().enumerate().map(|(column, cell)| match column {
            0 => format!("{cell:<0$}", widths[column]),
            _ => format!("{cell:>0$}", widths[column]),
        });
        cells.collect::<Vec<_>>().join("  ") + "\n"
    };
    lines.iter().map(line).collect()
}
