//! How much is unfinished, and since when. Alarms watch these numbers.
//!
//! This module only reads. It measures the whole backlog or none of it: half a backlog would look like a small one, and
//! a missing measurement raises its own alarm.

use std::time::Duration;

use classpay_domain::order::{IntentStatus, PaidBy};
use futures_util::future::try_join;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::timeout;

use super::AT_ONCE;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::store::lane::Lane;
use crate::store::{DueItem, DueKey, StoreError, Unfinished};
use crate::telemetry::{self, Gauge};

/// The time after which a held card without an order is measured: its payer's call, or the settlement job, has made an
/// order by then.
const LONG_HELD_S: i64 = 15 * 60;
/// Time reserved for the log line about the run.
const RESERVE: Duration = Duration::from_secs(2);

/// Counts of unfinished payments, and the age of the oldest in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Backlog {
    /// Orders paid by card.
    orders: i64,
    /// Orders paid by bank debit, and rejected payments by bank debit: they can't be stopped.
    bank_debits: i64,
    /// Orders that need review.
    in_review: i64,
    /// Rejected payments that aren't released.
    rejections: i64,
    /// Cards held for a long time without an order.
    holds: i64,
    /// Payments that were received without an order or a credit.
    received: i64,
    /// The age of the oldest order, rejection or received payment, bank debits excluded.
    oldest_s: i64,
    /// The age of the oldest bank debit.
    oldest_bank_debit_s: i64,
}

/// Measures what is unfinished now, and logs it.
pub async fn measure(ctx: &Context, deadline: Deadline) {
    let measured = timeout(deadline.keeping(RESERVE).left(), read(ctx)).await;
    let Ok(Ok((backlog, reviews))) = measured else {
        tracing::warn!("backlog not measured");
        return;
    };
    for (gauge, value) in [
        (Gauge::OrdersPending, backlog.orders),
        (Gauge::BankDebitsPending, backlog.bank_debits),
        (Gauge::OrdersInReview, backlog.in_review),
        (Gauge::RejectionsOpen, backlog.rejections),
        (Gauge::HoldsWithoutOrder, backlog.holds),
        (Gauge::ReceivedWithoutOrder, backlog.received),
        (Gauge::OldestOrderS, backlog.oldest_s),
        (Gauge::OldestBankDebitS, backlog.oldest_bank_debit_s),
        (Gauge::ReviewsOpen, reviews),
    ] {
        telemetry::gauge(gauge, value);
    }
}

/// What is unfinished, and the number of unseen review records. Only the lanes that hold money are read, so the cost
/// doesn't grow with accounts, links or instalments.
async fn read(ctx: &Context) -> Result<(Backlog, i64), StoreError> {
    let (payments, reviews) = try_join(ctx.store.lane_keys(Lane::Pay), ctx.store.lane_keys(Lane::Review)).await?;
    Ok((backlog(ctx, payments).await?, i64::try_from(reviews.len()).unwrap_or(i64::MAX)))
}

async fn backlog(ctx: &Context, payments: Vec<DueKey>) -> Result<Backlog, StoreError> {
    let now_s = ctx.clock.now_s();
    let items = stream::iter(payments).map(async |found: DueKey| match ctx.store.load_due(&found.key).await? {
        Some(item) => {
            let since_s = item.received_s.unwrap_or(item.began_s);
            Ok(waiting(ctx, &item).await?.map(|waiting| (waiting, now_s.saturating_sub(since_s))))
        }
        None => Ok(None),
    });
    let add = async |backlog: Backlog, found: Option<(Waiting, i64)>| {
        Ok(found.map_or(backlog, |(waiting, age_s)| backlog.with(waiting, age_s)))
    };
    items.buffer_unordered(AT_ONCE).try_fold(Backlog::default(), add).await
}

/// What an unfinished payment waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Order,
    Rejection,
    BankDebit,
    InReview,
    /// The money of a session without an order.
    Unbooked(Unbooked),
}

/// Money of a session without an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unbooked {
    /// A card is held, for longer than a checkout takes.
    Held,
    /// It was received, and isn't in the ledger.
    Received,
}

/// The money of a session without an order; `None`: none is known, or it isn't due for an order yet.
#[must_use]
pub fn unbooked(item: &DueItem, now_s: i64) -> Option<Unbooked> {
    let is_long = |held_s: i64| now_s.saturating_sub(held_s) > LONG_HELD_S;
    match (&item.what, item.received_s, item.held_s) {
        (Unfinished::Session(_), Some(_), _) => Some(Unbooked::Received),
        (Unfinished::Session(_), None, Some(held_s)) if is_long(held_s) => Some(Unbooked::Held),
        _ => None,
    }
}

/// `None`: it isn't measured.
async fn waiting(ctx: &Context, item: &DueItem) -> Result<Option<Waiting>, StoreError> {
    Ok(Some(match &item.what {
        Unfinished::Order(order) if order.needs_review => Waiting::InReview,
        Unfinished::Order(order) => match &order.snapshot.payment {
            Some(payment) if payment.paid_by == PaidBy::BankDebit => Waiting::BankDebit,
            Some(_) | None => Waiting::Order,
        },
        Unfinished::Rejection(account, intent) => match ctx.store.noted_status(account, intent).await? {
            Some(IntentStatus::Processing) => Waiting::BankDebit,
            Some(_) | None => Waiting::Rejection,
        },
        Unfinished::Session(_) => return Ok(unbooked(item, ctx.clock.now_s()).map(Waiting::Unbooked)),
        Unfinished::Link(_) | Unfinished::Instalments(_) | Unfinished::Event(_) | Unfinished::Feed(_) => {
            return Ok(None);
        }
    }))
}

impl Backlog {
    fn with(mut self, waiting: Waiting, age_s: i64) -> Self {
        let (count, oldest_s) = match waiting {
            Waiting::Order => (&mut self.orders, Some(&mut self.oldest_s)),
            Waiting::Rejection => (&mut self.rejections, Some(&mut self.oldest_s)),
            Waiting::BankDebit => (&mut self.bank_debits, Some(&mut self.oldest_bank_debit_s)),
            // What waits for a person keeps its age: seeing its review record doesn't end it.
            Waiting::InReview => (&mut self.in_review, Some(&mut self.oldest_s)),
            Waiting::Unbooked(Unbooked::Held) => (&mut self.holds, None),
            Waiting::Unbooked(Unbooked::Received) => (&mut self.received, Some(&mut self.oldest_s)),
        };
        *count = count.saturating_add(1);
        if let Some(oldest_s) = oldest_s {
            *oldest_s = (*oldest_s).max(age_s);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bank_debit_that_takes_days_hides_no_order_that_takes_minutes() {
        let backlog = [
            (Waiting::BankDebit, 200_000),
            (Waiting::Order, 40),
            (Waiting::Rejection, 901),
            (Waiting::Unbooked(Unbooked::Held), 5_000),
        ]
        .into_iter()
        .fold(Backlog::default(), |backlog, (waiting, age_s)| backlog.with(waiting, age_s));
        let expected = Backlog {
            orders: 1,
            bank_debits: 1,
            in_review: 0,
            rejections: 1,
            holds: 1,
            received: 0,
            oldest_s: 901,
            oldest_bank_debit_s: 200_000,
        };
        assert_eq!(backlog, expected);
        let backlog = backlog.with(Waiting::InReview, 9_999);
        assert_eq!((backlog.in_review, backlog.oldest_s), (1, 9_999), "it is unfinished until somebody resolves it");
        let backlog = backlog.with(Waiting::Unbooked(Unbooked::Received), 10_000);
        assert_eq!((backlog.received, backlog.oldest_s), (1, 10_000), "it is unfinished until it is in the ledger");
    }
}
