//! Finishes or releases what requests left behind: abandoned sessions, unsettled orders, rejections whose cancel
//! failed, expired links, and events that are not fully acted on. Debits instalments on their dates, and reads Stripe's
//! events for those that no webhook delivered.
//!
//! Read in this order: here (one run), [`plan`] (when to visit, and what a session needs), [`session`] (doing it),
//! [`lost`], [`instalments`], [`feed`], [`backlog`] (how much is left).
//!
//! Invariant: Stripe's current answer decides what is done, never a webhook or its absence. Every write has a
//! condition, so that two runs at once, or a run beside a request, do nothing twice. What is unfinished is visited
//! until it is finished: nothing leaves the index because it is hard to finish, but for an event that nothing confirms
//! or lets us post, which is given up with an alarm.

pub mod backlog;
mod feed;
mod instalments;
mod lost;
mod plan;
mod session;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use classpay_domain::id::{AccountId, IntentId};
use classpay_domain::order::{OrderState, PaidBy, order_of_intent};
use futures_util::future::{join_all, ready};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde::Serialize;

use crate::context::Context;
use crate::deadline::Deadline;
use crate::settlement::event;
use crate::settlement::link;
use crate::settlement::{Outcome, release_rejected, settle, void_and_settle};
use crate::store::{Commit, Decision, DueItem, DueKey, OrderRecord, Rejection, Session, StoreError, Unfinished, lane};

/// How many visits run at a time. They mostly wait for Stripe.
const AT_ONCE: usize = 8;
/// The most visits to one partition in one run: far more than fit into a minute. The next run continues.
const MOST_PER_SHARD: usize = 250;
/// Time reserved for rescheduling.
const RESERVE: Duration = Duration::from_secs(5);

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many due items were visited.
    pub visited: u32,
    /// How many of them are finished now.
    pub finished: u32,
    /// How many are visited again later.
    pub left: u32,
    /// How many of these can't even be rescheduled, because the table permanently refuses the write.
    #[serde(skip)]
    pub refused: u32,
}

/// How one visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    /// It wasn't due any more.
    Gone,
    Finished,
    Left,
    Refused,
}

/// Visits everything that is due, oldest first, while there is time.
///
/// # Errors
/// [`StoreError`] if no part of the index can be read.
pub async fn run(ctx: &Context, deadline: Deadline) -> Result<Report, StoreError> {
    let deadline = deadline.keeping(RESERVE);
    let due = all_due(ctx).await?;
    let in_time = stream::iter(due).take_while(|_| ready(!deadline.is_near()));
    let visits = in_time.map(|due| visit(ctx, due, deadline)).buffer_unordered(AT_ONCE);
    let count = |mut report: Report, visit| {
        report.visited += u32::from(visit != Visit::Gone);
        report.finished += u32::from(visit == Visit::Finished);
        report.left += u32::from(matches!(visit, Visit::Left | Visit::Refused));
        report.refused += u32::from(visit == Visit::Refused);
        ready(report)
    };
    Ok(visits.fold(Report::default(), count).await)
}

/// What is due in all partitions of the index. An unreadable partition waits for the next run.
async fn all_due(ctx: &Context) -> Result<Vec<DueKey>, StoreError> {
    let now_s = ctx.clock.now_s();
    let shards: Vec<_> = lane::job_shards().collect();
    let read = join_all(shards.iter().map(|shard| ctx.store.due_keys(shard, now_s, MOST_PER_SHARD))).await;
    if let Some(Err(error)) = read.iter().find(|shard| shard.is_err())
        && read.iter().all(Result::is_err)
    {
        return Err(*error);
    }
    let mut due: Vec<_> = read.into_iter().flatten().flatten().collect();
    due.sort_by(|one, other| one.due.cmp(&other.due));
    Ok(due)
}

async fn visit(ctx: &Context, found: DueKey, deadline: Deadline) -> Visit {
    let now_s = ctx.clock.now_s();
    let (due, next_s) = match ctx.store.load_due(&found.key).await {
        Ok(None) => return Visit::Gone,
        // The index lags behind: another run has already visited it.
        Ok(Some(item)) if item.due > lane::job_due(now_s) => return Visit::Gone,
        Ok(Some(DueItem { due, began_s, what, .. })) => {
            let next_s = match &what {
                Unfinished::Order(order) if order.needs_review => now_s.saturating_add(plan::LATER_S),
                Unfinished::Feed(_) => now_s.saturating_add(plan::FEED_AGAIN_S),
                Unfinished::Order(_)
                | Unfinished::Session(_)
                | Unfinished::Rejection(..)
                | Unfinished::Link(_)
                | Unfinished::Instalments(_)
                | Unfinished::Event(_) => plan::next_visit(began_s, now_s),
            };
            // A panic in one visit must not stop the visits after it.
            let acted = AssertUnwindSafe(act(ctx, what, began_s, deadline)).catch_unwind().await;
            let wished_s = acted.unwrap_or_else(|_| {
                tracing::error!(kind = kind(&found), "settlement job panicked");
                None
            });
            (due, wished_s.unwrap_or(next_s))
        }
        Err(StoreError::Unavailable | StoreError::Refused) => return Visit::Left,
        Err(error @ (StoreError::Corrupt(_) | StoreError::Unwritable)) => {
            tracing::error!(kind = kind(&found), %error, "due item not readable");
            (found.due.clone(), now_s.saturating_add(plan::LATER_S))
        }
    };
    match ctx.store.reschedule(&found.key, &due, next_s).await {
        Ok(Commit::ConditionFailed) => Visit::Finished,
        // It stays due, or is due later.
        Ok(Commit::Done | Commit::Contended | Commit::Unknown)
        | Err(StoreError::Unavailable | StoreError::Corrupt(_)) => Visit::Left,
        Err(error @ (StoreError::Refused | StoreError::Unwritable)) => {
            tracing::error!(kind = kind(&found), %error, "next visit not written");
            Visit::Refused
        }
    }
}

/// Does what is due. The table says how far it got. Returns when to visit next, if not at the usual time.
async fn act(ctx: &Context, what: Unfinished, began_s: i64, deadline: Deadline) -> Option<i64> {
    let age_s = ctx.clock.now_s().saturating_sub(began_s);
    match what {
        Unfinished::Session(session) => session::finish(ctx, &session, age_s, deadline).await,
        Unfinished::Rejection(account, intent) => release(ctx, &account, &intent, age_s, deadline).await,
        Unfinished::Order(order) => finish_order(ctx, *order, age_s, deadline).await,
        Unfinished::Link(open) => {
            if let Err(error) = link::due::end_if_over(ctx, &open, deadline).await {
                tracing::warn!(%error, "expired link not closed");
            }
        }
        Unfinished::Instalments(scheduled) => {
            if let Err(error) = instalments::debit_due(ctx, *scheduled, deadline).await {
                let cause = error.cause.as_deref();
                tracing::error!(%error, cause, "instalment not debited");
            }
        }
        Unfinished::Event(kept) => return event::finish(ctx, &kept, deadline).await,
        Unfinished::Feed(feed) => feed::read(ctx, feed, deadline).await,
    }
    None
}

async fn finish_order(ctx: &Context, order: OrderRecord, age_s: i64, deadline: Deadline) {
    if order.state != OrderState::Pending {
        lost::watch(ctx, &order, deadline).await;
        return;
    }
    // A bank debit takes days; a card's hold would run out.
    let takes_days = order.snapshot.payment.as_ref().is_some_and(|payment| payment.paid_by == PaidBy::BankDebit);
    let old = (age_s >= plan::ORDER_GIVEN_UP_S).then(|| order.clone());
    let outcome = if takes_days || old.is_none() {
        settle(ctx, order, None, deadline).await.outcome
    } else {
        void_and_settle(ctx, order, deadline).await
    };
    if let (Some(old), Outcome::Pending(_)) = (old, &outcome) {
        lost::report_order(ctx, &old, age_s, deadline).await;
    }
    tracing::info!(outcome = word(&outcome), "visited an order");
}

/// Does what a session needs now, whether it is due or not. The table says how far it got.
pub async fn finish_session(ctx: &Context, session: &Session, deadline: Deadline) {
    let age_s = ctx.clock.now_s().saturating_sub(session.created_s);
    session::finish(ctx, session, age_s, deadline).await;
}

/// Voids a session: claims it as rejected first, then cancels. The table says how far it got.
pub async fn void_session(ctx: &Context, session: &Session, deadline: Deadline) {
    session::void_unbooked(ctx, session, deadline).await;
}

/// Releases an intent that was rejected.
async fn release(ctx: &Context, account: &AccountId, intent: &IntentId, age_s: i64, deadline: Deadline) {
    let order = order_of_intent(account, intent);
    let (session, claim) = match ctx.store.load_payment(account, intent).await {
        Ok((Some(session), Some(claim))) => (session, claim),
        Ok(_) => {
            tracing::error!(order = order.as_str(), "a rejection without its session or claim");
            return;
        }
        Err(error) => {
            tracing::warn!(order = order.as_str(), %error, "rejection not readable");
            return;
        }
    };
    match claim.decision {
        Decision::Rejected { refusal, state: Rejection::Open } => {
            let outcome = release_rejected(ctx, &session, refusal, deadline).await;
            tracing::info!(outcome = word(&outcome), "visited a rejection");
            if age_s >= plan::LOST_S && matches!(outcome, Outcome::Pending(_)) {
                lost::report_rejection(ctx, &session, age_s, deadline).await;
            }
        }
        Decision::Rejected { state: Rejection::Released | Rejection::Captured | Rejection::GivenBack, .. }
        | Decision::Order(_) => {}
    }
}

/// The kind of an item, for the log. The rest of its key may be a secret.
fn kind(found: &DueKey) -> String {
    let DueKey { key, due } = found;
    format!("{}#…/{} due {due}", key.pk.split('#').next().unwrap_or_default(), key.sk)
}

/// An outcome for the log, without what it posted, because that names people.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Completed(_) => "completed",
        Outcome::Refused(_) => "released",
        Outcome::Pending(_) => "pending",
    }
}
