//! How many payments of a link are started in an hour.

use super::StoreError;
use super::item::{Attributes, Read as _};
use super::write::Write;

pub(super) const HOUR_S: i64 = 60 * 60;

/// The hour of a time in seconds since 1970, counted since then.
#[must_use]
pub fn hour_of(now_s: i64) -> i64 {
    now_s.div_euclid(HOUR_S)
}

/// How many payments of a link calls of `process` have started in one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Starts {
    hour: i64,
    count: u32,
}

impl Starts {
    pub(super) fn of(link: &Attributes) -> Result<Self, StoreError> {
        let (hour, count) = (link.number_if("starts_hour")?, link.number_if("starts")?);
        Ok(Self { hour: hour.unwrap_or(0), count: count.unwrap_or(0) })
    }

    /// How many there were in this hour.
    #[must_use]
    pub fn within(self, hour: i64) -> u32 {
        if self.hour == hour { self.count } else { 0 }
    }

    /// Adds one in this hour.
    #[must_use]
    pub fn and_one(self, hour: i64) -> Self {
        Self { hour, count: self.within(hour).saturating_add(1) }
    }

    /// This write of the link, extended to record the starts.
    pub(super) fn noted(self, link: Write) -> Write {
        link.set("starts_hour", self.hour).set("starts", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_counted_anew_in_each_hour() {
        let starts = Starts::default().and_one(5).and_one(5);
        assert_eq!((starts.within(5), starts.within(6), starts.and_one(6).within(6)), (2, 0, 1));
        assert_eq!((hour_of(7199), hour_of(7200), hour_of(-1)), (1, 2, -1));
    }
}
