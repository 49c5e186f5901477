//! How far each account's events at Stripe were read, and which of them were never delivered.
//!
//! Invariant: a feed is created once and never ends: it is always due again. Its position advances only on the
//! condition that it is the one that was read.

use classpay_domain::id::{AccountId, CompanyId};

use super::item::{Attributes, Item, Read as _};
use super::key;
use super::lane::{Lane, job_due};
use super::table::{Commit, Consistency};
use super::write::{Guard, Write};
use super::{EventRecord, Store, StoreError};

/// An account's feed of events, and how far it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The first company that used the account.
    pub company: CompanyId,
    /// The account.
    pub account: AccountId,
    /// Up to when the events were read, in seconds since 1970; 0: never.
    pub read_s: i64,
    /// When they are read next, in the index's sort form.
    pub due: String,
}

impl Store {
    /// Creates an account's feed, due at once. [`Commit::ConditionFailed`]: it exists already.
    pub async fn begin_feed(&self, company: &CompanyId, account: &AccountId) -> Result<Commit, StoreError> {
        let item = Item::at(&key::feed(account)).text("cid", company.as_str()).text("account", account.as_str());
        self.transact(Write::create(item.number("read_s", 0).due_at(Lane::Wait, 0))).await
    }

    /// Records up to when an account's events were read, and when to continue. [`Commit::ConditionFailed`]: another run
    /// has done so.
    pub async fn note_read(&self, feed: &Feed, read_s: i64, next_s: i64) -> Result<Commit, StoreError> {
        let write = Write::edit(key::feed(&feed.account))
            .set("read_s", read_s)
            .set("gsi1sk", job_due(next_s))
            .when(Guard::is("read_s", feed.read_s))
            .when(Guard::is("gsi1sk", feed.due.as_str()));
        self.transact(write).await
    }

    /// The events that were never stored, in the same order. A stored one is finished, or has its own entry in the
    /// index.
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
