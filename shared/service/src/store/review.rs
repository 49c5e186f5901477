//! What an operator reads: everything unfinished, the review records, the accounts, a family's whole ledger.
//!
//! Everything is found through the index and by whole partitions, never by a scan. A review record is never deleted: it
//! is marked when a person has seen it.

use std::collections::BTreeSet;

use classpay_domain::id::{AccountId, CompanyId, FamilyId, IntentId};
use classpay_domain::order::IntentStatus;
use futures_util::future::try_join_all;

use super::entries::entry_of;
use super::item::{Attributes, Read as _};
use super::key;
use super::lane::{self, Lane};
use super::table::{Commit, Consistency, DueKey};
use super::write::{Guard, Write};
use super::{Feed, Store, StoreError, Unfinished};
use crate::aggregate::AggregateTransaction;
use crate::catalogue::documents::CompanyDoc;

/// The last second that the index sorts correctly. Everything is due by then.
const END_OF_TIME_S: i64 = 999_999_999_999;

/// A review record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRecord {
    /// The company.
    pub company: CompanyId,
    /// Its name within the company, which says what it concerns.
    pub record: String,
    /// The reason's name, as [`super::ReviewReason`] has it.
    pub reason: String,
    /// The sentence that the person reads.
    pub what: String,
    /// When it was written, in seconds since 1970.
    pub noted_s: i64,
}

impl Store {
    /// Everything that is unfinished, whenever it is due, earliest first.
    ///
    /// # Errors
    /// [`StoreError`] if one part of the index can't be read: half of it would look like all of it.
    pub async fn unfinished_keys(&self) -> Result<Vec<DueKey>, StoreError> {
        let shards: Vec<_> = lane::job_shards().collect();
        let read = shards.iter().map(|shard| self.due_keys(shard, END_OF_TIME_S, usize::MAX));
        let mut found: Vec<_> = try_join_all(read).await?.into_iter().flatten().collect();
        found.sort_by(|one, other| (&one.due, &one.key).cmp(&(&other.due, &other.key)));
        Ok(found)
    }

    /// What a lane of the index holds, whenever it is due.
    ///
    /// # Errors
    /// [`StoreError`] if one part of the index can't be read: half of it would look like all of it.
    pub async fn lane_keys(&self, lane: Lane) -> Result<Vec<DueKey>, StoreError> {
        let shards: Vec<_> = lane.shards().collect();
        let read = shards.iter().map(|shard| self.due_keys(shard, END_OF_TIME_S, usize::MAX));
        Ok(try_join_all(read).await?.into_iter().flatten().collect())
    }

    /// The companies with unseen review records.
    ///
    /// # Errors
    /// [`StoreError`] if one part of the index can't be read.
    pub async fn companies_in_review(&self) -> Result<BTreeSet<CompanyId>, StoreError> {
        let records = self.lane_keys(Lane::Review).await?;
        let company = |found: &DueKey| found.key.pk.strip_prefix(key::REVIEW)?.parse().ok();
        records.iter().map(|found| company(found).ok_or(StoreError::Corrupt("gsi1pk"))).collect()
    }

    /// The last status of an intent of ours that an event or the settlement job recorded; `None`: none.
    pub async fn noted_status(
        &self,
        account: &AccountId,
        intent: &IntentId,
    ) -> Result<Option<IntentStatus>, StoreError> {
        let session = self.get(&key::session(account, intent)).await?;
        Ok(session.as_ref().and_then(|session| session.text_if("intent_status")).and_then(IntentStatus::parse))
    }

    /// Since when a card is held for an intent of ours, in seconds since 1970, as an event or the settlement job last
    /// recorded; `None`: it isn't held, or nothing is recorded.
    pub async fn held_since_s(&self, account: &AccountId, intent: &IntentId) -> Result<Option<i64>, StoreError> {
        let Some(session) = self.get(&key::session(account, intent)).await? else { return Ok(None) };
        let is_held = session.text_if("intent_status") == Some(IntentStatus::RequiresCapture.as_str());
        if is_held { session.number_if("authorised_s") } else { Ok(None) }
    }

    /// The accounts whose events are read, found among these: every account has a feed, which never ends.
    pub async fn load_feeds(&self, unfinished: &[DueKey]) -> Result<Vec<Feed>, StoreError> {
        let mut feeds = Vec::new();
        for found in unfinished.iter().filter(|found| found.key.sk == key::FEED) {
            let item = self.load_due(&found.key).await?;
            if let Some(Unfinished::Feed(feed)) = item.map(|item| item.what) {
                feeds.push(feed);
            }
        }
        feeds.sort_by(|one, other| (&one.company, &one.account).cmp(&(&other.company, &other.account)));
        Ok(feeds)
    }

    /// A company's unseen review records, oldest first.
    pub async fn unseen_reviews(&self, company: &CompanyId) -> Result<Vec<ReviewRecord>, StoreError> {
        let items = self.query(&key::review_pk(company), Consistency::Strong).await?;
        let unseen = items.iter().filter(|item| !item.contains_key("seen_s"));
        let mut records = unseen.map(|item| review_of(company, item)).collect::<Result<Vec<_>, _>>()?;
        records.sort_by(|one, other| (one.noted_s, &one.record).cmp(&(other.noted_s, &other.record)));
        Ok(records)
    }

    /// The reason of a review record; `None`: there is no such record.
    pub async fn review_reason(&self, company: &CompanyId, record: &str) -> Result<Option<String>, StoreError> {
        let item = self.get(&key::review(company, record)).await?;
        Ok(item.as_ref().and_then(|item| item.text_if("reason")).map(str::to_owned))
    }

    /// Records that a person has seen a review record. [`Commit::ConditionFailed`]: there is no such record.
    pub async fn note_seen(
        &self,
        company: &CompanyId,
        record: &str,
        note: Option<&str>,
        now_s: i64,
    ) -> Result<Commit, StoreError> {
        let seen = Write::edit(key::review(company, record)).set("seen_s", now_s).leave_index().when(Guard::Exists);
        let seen = match note {
            Some(note) => seen.set("seen_note", note),
            None => seen,
        };
        self.transact(seen).await
    }

    /// Everything that was ever posted for a family, in ledger order.
    pub async fn load_ledger(
        &self,
        company: &CompanyId,
        family: &FamilyId,
    ) -> Result<Vec<AggregateTransaction>, StoreError> {
        let items = self.query(&key::ledger_pk(company, family), Consistency::Strong).await?;
        items.iter().map(|item| entry_of(item, company, family)).collect()
    }

    /// A company's currency in lower case, and its Stripe account; `None`: there is no such company.
    pub async fn load_billing(
        &self,
        company: &CompanyId,
    ) -> Result<Option<(&'static str, Option<AccountId>)>, StoreError> {
        let Some(item) = self.get(&key::company(company)).await? else { return Ok(None) };
        let billing = item.document::<CompanyDoc>("doc")?.settings.billing;
        Ok(Some((billing.currency.code(), billing.stripe_id)))
    }
}

fn review_of(company: &CompanyId, item: &Attributes) -> Result<ReviewRecord, StoreError> {
    Ok(ReviewRecord {
        company: company.clone(),
        record: item.text("sk")?.to_owned(),
        reason: item.text_if("reason").unwrap_or_default().to_owned(),
        what: item.text("what")?.to_owned(),
        noted_s: item.number("noted_s")?,
    })
}
