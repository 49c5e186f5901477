//! What a million requests of each row cost at list prices, from what this run measured.
//!
//! Invariant: whole micro-dollars; every factor is in the table, so that a reader can put in his own.

use crate::figures::Ratio;
use crate::report::{Row, aligned};
use crate::work::Work;

// List prices of us-east-1 without any free tier, November 2026, in micro-dollars.
/// 1,000,000 calls of an HTTP API.
const API_MILLION: u128 = 1_000_000;
/// 1,000,000 calls of a function.
const CALL_MILLION: u128 = 200_000;
/// 10,000 GB-seconds on arm64.
const GB_SECONDS_10_000: u128 = 133_334;
/// 1,000,000 read units, and 1,000,000 write units, on demand.
const READ_MILLION: u128 = 125_000;
const WRITE_MILLION: u128 = 625_000;
/// The functions' memory: a quarter of a GB.
const MIB: u128 = 256;

/// Billed time is that of the requests after a first one, with the CPU of that memory.
pub fn cost(rows: &[Row]) -> String {
    let head =
        ["$ for 1,000,000", "billed ms", "GB-s", "Lambda", "HTTP API", "read units", "$", "write units", "$", "in all"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for row in rows.iter().filter(|row| Work::ALL[1..].contains(&row.work)) {
        let billed_ms = row.second.wall.as_nanos().div_ceil(1_000_000);
        // Milliseconds for one are thousands of seconds for a million.
        let gb_seconds = billed_ms * 1000 * MIB / 1024;
        let lambda = gb_seconds * GB_SECONDS_10_000 / 10_000 + CALL_MILLION;
        let api = if row.work == Work::Settle { 0 } else { API_MILLION };
        let (read, written) = (u128::from(row.units.read), u128::from(row.units.written));
        let (reading, writing) = (read * READ_MILLION / 100, written * WRITE_MILLION / 100);
        lines.push(vec![
            row.work.name(),
            billed_ms.to_string(),
            gb_seconds.to_string(),
            dollars(lambda),
            dollars(api),
            Ratio(read).to_string(),
            dollars(reading),
            Ratio(written).to_string(),
            dollars(writing),
            dollars(lambda + api + reading + writing),
        ]);
    }
    aligned(&lines)
}

/// Micro-dollars as dollars, to the cent.
fn dollars(micro: u128) -> String {
    Ratio((micro + 5_000) / 10_000).to_string()
}
