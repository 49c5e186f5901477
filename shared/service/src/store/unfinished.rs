//! Unfinished items by due time, and the credit for money that no order took.
//!
//! Invariant: the index only says which items to read. It may lag behind, so every item is read again before it is
//! acted on, and is rescheduled only on the condition that it is still as it was read.

use classpay_domain::basket::BasketHash;
use classpay_domain::id::{AccountId, IntentId, OrderId};
use classpay_domain::order::IntentStatus;

use super::entries::entry_item;
use super::events::{EventRecord, event_of};
use super::feeds::{Feed, feed_of};
use super::instalments::{Scheduled, scheduled_of};
use super::item::{Attributes, Read as _, document};
use super::key::{self, Key};
use super::lane::{Lane, job_due};
use super::links::{Link, link_of};
use super::payments::{Session, review_anew, session_of};
use super::refusal::StoredRefusal;
use super::table::{Commit, DueKey};
use super::write::{Guard, Write, Writes};
use super::{OrderRecord, ReviewReason, Store, StoreError};
use crate::aggregate::AggregateTransaction;
use crate::error::Error;

/// An unfinished item.
#[derive(Debug)]
pub struct DueItem {
    /// When it is due, in the index's sort form.
    pub due: String,
    /// When it began, in seconds since 1970.
    pub began_s: i64,
    /// For a session: since when a card is held for it, in seconds since 1970, as recorded from an event or from
    /// Stripe.
    pub held_s: Option<i64>,
    /// For a session: since when money is known to be received for it, in seconds since 1970.
    pub received_s: Option<i64>,
    /// What it is.
    pub what: Unfinished,
}

/// What can be unfinished.
#[derive(Debug)]
pub enum Unfinished {
    /// An intent that nobody has claimed.
    Session(Session),
    /// An intent that was rejected and may still hold money.
    Rejection(AccountId, IntentId),
    /// An order that is neither posted nor given back.
    Order(Box<OrderRecord>),
    /// A payment link that is open, and that has an end.
    Link(Box<Link>),
    /// An enrolment with instalments to come.
    Instalments(Box<Scheduled>),
    /// A Stripe event that is not fully acted on.
    Event(Box<EventRecord>),
    /// An account whose events are read from Stripe, to find those that were never delivered.
    Feed(Feed),
}

/// A payment that Stripe has captured and no order takes: the family gets a credit for it.
#[derive(Debug)]
pub struct UnallocatedCredit<'a> {
    /// The intent's session.
    pub session: &'a Session,
    /// The order that the intent would have paid.
    pub order: &'a OrderId,
    /// The credit. Every call derives the same id for it, so it is put once.
    pub credit: &'a AggregateTransaction,
    /// The basket of a claim that is still to be put.
    pub basket: &'a BasketHash,
    /// The refusal of a claim that is still to be put.
    pub refusal: &'a Error,
    /// Now, in seconds since 1970.
    pub now_s: i64,
}

impl Store {
    /// What is due in one partition of the index, oldest first, at most so many.
    pub async fn due_keys(&self, shard: &str, now_s: i64, most: usize) -> Result<Vec<DueKey>, StoreError> {
        self.table.due(shard, &job_due(now_s), most).await
    }

    /// An unfinished item, read again; `None`: it is finished.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached, and for an item that this version can't read.
    pub async fn load_due(&self, key: &Key) -> Result<Option<DueItem>, StoreError> {
        let Some(item) = self.get(key).await? else { return Ok(None) };
        let Some(due) = item.text_if("gsi1sk") else { return Ok(None) };
        let (began_s, what) = match key.sk.as_str() {
            key::SESSION => (item.number("created_s")?, Unfinished::Session(session_of(&item)?)),
            key::CLAIM => (item.number("rejected_s")?, rejection_of(&item)?),
            key::META if key.pk.starts_with(key::ORDER) => {
                (item.number("placed_s")?, Unfinished::Order(Box::new(self.order_at(&item).await?)))
            }
            key::META if key.pk.starts_with(key::PAYMENT_LINK) => {
                (item.number("expires_s")?, Unfinished::Link(Box::new(link_of(&item)?)))
            }
            key::FEED => (item.number("read_s")?, Unfinished::Feed(feed_of(&item)?)),
            _ if key.is_of_plans() => {
                let began_s = due.parse().map_err(|_| StoreError::Corrupt("gsi1sk"))?;
                (began_s, Unfinished::Instalments(Box::new(scheduled_of(&item)?)))
            }
            key::META if key.pk.starts_with(key::EVENT) => {
                (item.number("received_s")?, Unfinished::Event(Box::new(event_of(&item)?)))
            }
            _ => return Err(StoreError::Corrupt("gsi1pk")),
        };
        let status = item.text_if("intent_status");
        let since = |is: IntentStatus, since: &'static str| match status {
            Some(status) if status == is.as_str() => item.number_if(since),
            Some(_) | None => Ok(None),
        };
        let held_s = since(IntentStatus::RequiresCapture, "authorised_s")?;
        let received_s = since(IntentStatus::Succeeded, "received_s")?;
        Ok(Some(DueItem { due: due.to_owned(), began_s, held_s, received_s, what }))
    }

    /// Reschedules an item that was due at `due`. [`Commit::ConditionFailed`]: it is finished, or another run has
    /// visited it.
    pub async fn reschedule(&self, key: &Key, due: &str, next_s: i64) -> Result<Commit, StoreError> {
        let later = Write::edit(key.clone())
            .set("gsi1sk", job_due(next_s))
            .when(Guard::Present("gsi1pk"))
            .when(Guard::is("gsi1sk", due));
        self.transact(later).await
    }

    /// Brings an open session's visit forward, if the next one is later, or is in progress and may not have seen the
    /// change. Both times are in seconds since 1970. [`Commit::ConditionFailed`]: it is visited earlier anyway.
    pub async fn visit_sooner(&self, session: &Session, now_s: i64, by_s: i64) -> Result<Commit, StoreError> {
        let (now, by) = (job_due(now_s), job_due(by_s));
        let sooner = Write::edit(key::session(&session.account, &session.intent))
            .set("gsi1sk", by.as_str())
            .when(Guard::is("session_state", "open"))
            .when(Guard::above("gsi1sk", by).or(Guard::at_most("gsi1sk", now)));
        self.transact(sooner).await
    }

    /// Since when the intent of something unfinished is out of our reach, in seconds since 1970. If that is new,
    /// records and answers now.
    pub async fn note_lost(&self, key: &Key, now_s: i64) -> Result<i64, StoreError> {
        if let Some(lost_s) = self.get(key).await?.map(|item| item.number_if("lost_s")).transpose()?.flatten() {
            return Ok(lost_s);
        }
        let lost = Write::edit(key.clone()).set_if_missing("lost_s", now_s).when(Guard::Present("gsi1pk"));
        self.transact(lost).await.map(|_| now_s)
    }

    /// Records that the intent of something unfinished is no longer out of our reach. [`Commit::ConditionFailed`]: it
    /// wasn't.
    pub async fn note_found(&self, key: &Key) -> Result<Commit, StoreError> {
        self.transact(Write::edit(key.clone()).clear("lost_s").when(Guard::Present("lost_s"))).await
    }

    /// Takes an open rejection out of what is measured: a person has found that nothing was received for it, and we
    /// can't release what is held. The settlement job still visits it. [`Commit::ConditionFailed`]: it is finished.
    pub async fn let_rejection_go(&self, account: &AccountId, intent: &IntentId) -> Result<Commit, StoreError> {
        self.let_go(key::claim(account, intent)).await
    }

    /// Takes an open session out of what is measured: we can't release what is held for it. The settlement job still
    /// visits it.
    pub async fn let_session_go(&self, session: &Session) -> Result<Commit, StoreError> {
        self.let_go(key::session(&session.account, &session.intent)).await
    }

    /// A finished item is in no lane.
    async fn let_go(&self, key: Key) -> Result<Commit, StoreError> {
        let lane = Lane::Wait.shard_of(&key);
        self.transact(Write::edit(key).set("gsi1pk", lane).when(Guard::Present("gsi1pk"))).await
    }

    /// Takes a session out of the index whose intent was cancelled without a claim. [`Commit::ConditionFailed`]: it was
    /// claimed.
    pub async fn close_cancelled(&self, session: &Session) -> Result<Commit, StoreError> {
        let closed = Write::edit(key::session(&session.account, &session.intent))
            .set("session_state", "cancelled")
            .leave_index()
            .when(Guard::is("session_state", "open"));
        self.transact(closed).await
    }

    /// Credits a family with a payment that no order takes, ends the claim, and puts it up for review. Only after
    /// Stripe reported `succeeded`. [`Commit::ConditionFailed`]: the intent belongs to an order, or the credit exists.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn credit_unallocated(&self, found: &UnallocatedCredit<'_>) -> Result<Commit, StoreError> {
        let UnallocatedCredit { session, credit, .. } = found;
        let mut writes = Writes::new();
        writes.push(end_claim(found));
        let closed = Write::edit(key::session(&session.account, &session.intent))
            .set("session_state", "claimed")
            .leave_index()
            .when(Guard::Exists);
        writes.push(closed);
        writes.create(entry_item(&session.company, &session.family, &(*credit).into()));
        let family = Write::edit(key::family(&session.company, &session.family))
            .add("family_balance", -credit.stats.total)
            .add("family_version", 1);
        writes.push(family);
        let reason = ReviewReason::PaymentCredited(found.order, &session.intent);
        writes.push(review_anew(&session.company, &reason, found.now_s));
        self.transact(writes).await
    }
}

/// Puts a claim that is rejected and done, or ends an existing rejected one. An order's claim is left alone.
fn end_claim(found: &UnallocatedCredit<'_>) -> Write {
    let session = found.session;
    let is_open_rejection = Guard::is("claim_decision", "REJECTED").and(Guard::is("claim_done", false));
    Write::edit(key::claim(&session.account, &session.intent))
        .set("cid", session.company.as_str())
        .set("fid", session.family.as_str())
        .set("account", session.account.as_str())
        .set("intent", session.intent.as_str())
        .set("claim_decision", "REJECTED")
        .set_if_missing("basket", found.basket.as_str())
        .set_if_missing("refusal", document(&StoredRefusal::from(found.refusal)))
        .set_if_missing("rejected_s", found.now_s)
        .set("claim_done", true)
        .set("claim_captured", true)
        .leave_index()
        .when(Guard::Absent.or(is_open_rejection))
}

fn rejection_of(claim: &Attributes) -> Result<Unfinished, StoreError> {
    Ok(Unfinished::Rejection(claim.parsed("account")?, claim.parsed("intent")?))
}
