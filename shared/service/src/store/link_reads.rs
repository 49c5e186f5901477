//! What limits the calls of a link in one hour: how often Stripe was asked about it, and the payments that were started.
//!
//! Invariant: a start is counted in the same transaction that claims the intent, so that a repeated call, or one that
//! loses the claim, counts nothing.

use classpay_domain::link::LinkAlias;

use super::item::Read as _;
use super::links::{Link, link_of};
use super::payments::{Session, rejection};
use super::starts::{HOUR_S, Starts};
use super::table::{Commit, Consistency};
use super::write::{Edit, Guard, Write};
use super::{Store, StoreError, key};
use crate::error::Error;

/// How long the count of an hour is kept: that hour, and a margin.
const READS_LIFE_S: i64 = 2 * HOUR_S;

impl Store {
    /// A link, and how often Stripe was asked about it in this hour. For an unknown id, the read is the same.
    pub async fn load_counted_link(&self, link: &LinkAlias, hour: i64) -> Result<Option<(Link, u32)>, StoreError> {
        let (link, reads) = (key::link(link), key::link_reads(link, hour));
        let items = self.get_all(vec![link.clone(), reads.clone()], Consistency::Strong).await?;
        let Some(link) = items.get(&link) else { return Ok(None) };
        let reads = items.get(&reads).map(|item| item.number("reads")).transpose()?;
        Ok(Some((link_of(link)?, reads.unwrap_or(0))))
    }

    /// Reads as much as [`Store::load_link_target`] for a link that doesn't exist.
    pub async fn load_absent_target(&self, link: &LinkAlias) -> Result<(), StoreError> {
        let absent = (0..5).map(|hour| key::link_reads(link, -1 - hour)).collect();
        self.get_all(absent, Consistency::Strong).await.map(|_| ())
    }

    /// Counts one more request to Stripe about a link, and answers the count of this hour.
    pub async fn count_read(&self, link: &LinkAlias, hour: i64) -> Result<u32, StoreError> {
        let ttl = hour.saturating_mul(HOUR_S).saturating_add(READS_LIFE_S);
        let count = vec![Edit::Add("reads", 1), Edit::Set("ttl", ttl.into())];
        self.table.edit(&key::link_reads(link, hour), count).await?.number("reads")
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
