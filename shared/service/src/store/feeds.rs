//! How far Stripe's events of each account were read, and which of them never came.
//!
//! Invariant: a feed is made once and never ends: it is due each hour for as long as the table is there. What was read
//! moves on only while it is as it was read.

use classpay_domain::id::{AccountId, CompanyId};

use super::item::{Attributes, Item, Read as _};
use super::key::{self, Lane, job_due};
use super::table::{Commit, Consistency};
use super::write::{Guard, Write};
use super::{EventRecord, Store, StoreError};

/// How far an account's events were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The company that the account was first used by.
    pub company: CompanyId,
    /// Whose.
    pub account: AccountId,
    /// Until when they were read, in seconds since 1970; 0: never.
    pub read_s: i64,
    /// When they are read next, as the index sorts it.
    pub due: String,
}

impl Store {
    /// Begins to read an account's events, at once. [`Commit::ConditionFailed`]: they are read already.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn begin_feed(&self, company: &CompanyId, account: &AccountId) -> Result<Commit, StoreError> {
        let item = Item::at(&key::feed(account)).text("cid", company.as_str()).text("account", account.as_str());
        self.transact(Write::create(item.number("read_s", 0).swept_at(Lane::Wait, 0))).await
    }

    /// Notes that an account's events were read until then, and when to read on. [`Commit::ConditionFailed`]: somebody else has.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn note_read(&self, feed: &Feed, read_s: i64, next_s: i64) -> Result<Commit, StoreError> {
        let write = Write::edit(key::feed(&feed.account))
            .set("read_s", read_s)
            .set("gsi1sk", job_due(next_s))
            .when(Guard::is("read_s", feed.read_s))
            .when(Guard::is("gsi1sk", feed.due.as_str()));
        self.transact(write).await
    }

    /// Those of an account's events that were never put, in the same order. One that was put is finished, or is in the
    /// index by itself.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn never_put(&self, events: Vec<EventRecord>) -> Result<Vec<EventRecord>, StoreError> {
        let place = |event: &EventRecord| key::event(&event.account, &event.id);
        let put = self.get_all(events.iter().map(place).collect(), Consistency::Eventual).await?;
        Ok(events.into_iter().filter(|event| !put.contains_key(&place(event))).collect())
    }
}

pub(super) fn feed_of(item: &Attributes) -> Result<Feed, StoreError> {
    Ok(Feed {
        company: item.parsed("cid")?,
        account: item.parsed("account")?,
        read_s: item.number("read_s")?,
        due: item.text("gsi1sk")?.to_owned(),
    })
}
