//! The one place that reads the clock.
//!
//! Invariant: an offset applies only if DynamoDB is on this machine (see [`crate::config`]).

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The time, possibly shifted by a local stack or set by a simulation.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    source: Source,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    /// The machine's clock plus an offset.
    Machine { ahead_ms: i64 },
    /// Milliseconds since 1970.
    Manual(&'static AtomicI64),
}

/// The machine's.
impl Default for Clock {
    fn default() -> Self {
        Self::ahead_by_ms(0)
    }
}

impl Clock {
    /// A clock that is ahead of the machine's by so many milliseconds.
    #[must_use]
    pub const fn ahead_by_ms(ahead_ms: i64) -> Self {
        Self { source: Source::Machine { ahead_ms } }
    }

    /// A clock that shows the time it is set to, in milliseconds since 1970.
    #[must_use]
    pub const fn manual(time_ms: &'static AtomicI64) -> Self {
        Self { source: Source::Manual(time_ms) }
    }

    /// Now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        match self.source {
            Source::Machine { ahead_ms } => {
                let now = Timestamp::now();
                now.checked_add(SignedDuration::from_millis(ahead_ms)).unwrap_or(now)
            }
            Source::Manual(time_ms) => Timestamp::from_millisecond(time_ms.load(Relaxed)).unwrap_or_default(),
        }
    }

    /// Now, in seconds since 1970.
    #[must_use]
    pub fn now_s(&self) -> i64 {
        self.now().as_second()
    }

    /// The date in a time zone.
    ///
    /// # Errors
    /// [`UnknownTimeZone`].
    pub fn today(&self, timezone: &str) -> Result<Date, UnknownTimeZone> {
        local_date(self.now(), timezone)
    }
}

/// No invocation of a Lambda takes longer.
const LONGEST_INVOCATION_MS: u64 = 15 * 60 * 1000;

/// How long until an instant that the Lambda runtime gave, in milliseconds since 1970 by the machine's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the runtime's deadline is on the machine's clock, not on the stack's")]
pub fn left_until(deadline_ms: u64) -> Duration {
    // `cargo lambda watch` passes the duration of an invocation, whereas Lambda passes its end.
    if deadline_ms <= LONGEST_INVOCATION_MS {
        return Duration::from_millis(deadline_ms);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(deadline_ms).saturating_sub(now)
}

/// Now by the machine's clock, in milliseconds since 1970, for log entries.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a log tells the machine's time, whatever the stack's clock shows")]
pub fn machine_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// An instant in the contract's form: `2023-12-05 14:30:41`, UTC.
#[must_use]
pub fn wire_instant(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// An unknown time zone, or a time that it doesn't have. The import refuses a company with an unknown zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0}")]
pub struct UnknownTimeZone(String);

fn zone(timezone: &str) -> Result<TimeZone, UnknownTimeZone> {
    TimeZone::get(timezone).map_err(|_| UnknownTimeZone(timezone.to_owned()))
}

/// When a day begins in a time zone, in seconds since 1970.
///
/// # Errors
/// [`UnknownTimeZone`].
pub fn start_of_day_s(date: Date, timezone: &str) -> Result<i64, UnknownTimeZone> {
    let zoned = date.to_zoned(zone(timezone)?).map_err(|_| UnknownTimeZone(timezone.to_owned()))?;
    Ok(zoned.timestamp().as_second())
}

/// The local time of an instant in seconds since 1970.
///
/// # Errors
/// [`UnknownTimeZone`].
pub fn local_time(instant_s: i64, timezone: &str) -> Result<DateTime, UnknownTimeZone> {
    let instant = Timestamp::from_second(instant_s).map_err(|_| UnknownTimeZone(timezone.to_owned()))?;
    Ok(instant.to_zoned(zone(timezone)?).datetime())
}

/// The local date of an instant.
///
/// # Errors
/// [`UnknownTimeZone`].
pub fn local_date(instant: Timestamp, timezone: &str) -> Result<Date, UnknownTimeZone> {
    Ok(instant.to_zoned(zone(timezone)?).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_an_instant_or_from_cargo_lambda_the_time_that_is_left() {
        let in_ten_s = u64::try_from(machine_ms()).expect("after 1970") + 10_000;
        assert!((Duration::from_secs(5)..=Duration::from_secs(10)).contains(&left_until(in_ten_s)));
        assert_eq!(left_until(in_ten_s - 3_600_000), Duration::ZERO);
        assert_eq!(left_until(600_000), Duration::from_secs(600));
    }
}
