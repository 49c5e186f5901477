//! A link's counts for one hour: payments that calls have started, and how often Stripe was asked.
//!
//! Invariant: a start is counted in the same transaction that claims the intent, so that a repeated call, or one that
//! loses the claim, counts nothing.

use classpay_domain::link::LinkAlias;

use super::item::{Attributes, Read as _};
use super::links::{Link, link_of};
use super::payments::{Session, rejection};
use super::table::{Commit, Consistency};
use super::write::{Edit, Guard, Write};
use super::{Store, StoreError, key};
use crate::error::Error;

const HOUR_S: i64 = 60 * 60;
/// How long the count of an hour is kept: that hour, and a margin.
const LOOKS_LIFE_S: i64 = 2 * HOUR_S;

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

impl Store {
    /// A link, and how often Stripe was asked about it in this hour. For an unknown id, the read is the same.
    pub async fn load_counted_link(&self, link: &LinkAlias, hour: i64) -> Result<Option<(Link, u32)>, StoreError> {
        let (link, looks) = (key::link(link), key::link_tries(link, hour));
        let items = self.get_all(vec![link.clone(), looks.clone()], Consistency::Strong).await?;
        let Some(link) = items.get(&link) else { return Ok(None) };
        let looks = items.get(&looks).map(|item| item.number("looks")).transpose()?;
        Ok(Some((link_of(link)?, looks.unwrap_or(0))))
    }

    /// Reads as much as [`Store::load_link_target`] for a link that doesn't exist.
    pub async fn load_absent_target(&self, link: &LinkAlias) -> Result<(), StoreError> {
        let absent = (0..5).map(|hour| key::link_tries(link, -1 - hour)).collect();
        self.get_all(absent, Consistency::Strong).await.map(|_| ())
    }

    /// Counts one more request to Stripe about a link, and answers the count of this hour.
    pub async fn count_look(&self, link: &LinkAlias, hour: i64) -> Result<u32, StoreError> {
        let ttl = hour.saturating_mul(HOUR_S).saturating_add(LOOKS_LIFE_S);
        let count = vec![Edit::Add("looks", 1), Edit::Set("ttl", ttl.into())];
        self.table.edit(&key::link_tries(link, hour), count).await?.number("looks")
    }

    /// Claims a link's intent as rejected, like [`Store::reject`]. A call of `process-payment-link` is `counted`.
    pub async fn reject_link(
        &self,
        session: &Session,
        claimed_for: &str,
        refusal: &Error,
        now_s: i64,
        counted: Option<(&LinkAlias, Starts)>,
    ) -> Result<Commit, StoreError> {
        let mut writes = rejection(session, claimed_for, refusal, now_s);
        if let Some((link, starts)) = counted {
            writes.push(starts.noted(Write::edit(key::link(link))).when(Guard::Exists));
        }
        self.transact(writes).await
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
