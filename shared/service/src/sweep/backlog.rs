//! How much is unfinished, and since when: what alarms watch.
//!
//! Invariant: it reads, and nothing more. It measures all of it or nothing: half a backlog would look like a small one,
//! and no measurement is an alarm of its own.

use std::time::Duration;

use classpay_domain::order::PaidBy;
use futures_util::future::try_join;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::timeout;

use super::AT_ONCE;
use crate::context::{Context, Deadline};
use crate::machine::Machine;
use crate::store::{DueItem, DueKey, StoreError, Unfinished};
use crate::telemetry::{self, Gauge};

/// What is kept back of the time, for the line that tells of the run.
const RESERVE: Duration = Duration::from_secs(2);

/// Counts of what is on its way, and the age of the oldest in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Backlog {
    /// Orders that a card pays.
    orders: i64,
    /// Orders that a bank debit pays, and refused payments by bank debit: they can't be stopped.
    bank_debits: i64,
    /// Orders that a person must look at.
    in_review: i64,
    /// Refused payments that aren't released.
    rejections: i64,
    /// The age of the oldest order or rejection, bank debits and those in review apart.
    oldest_s: i64,
    /// The age of the oldest bank debit.
    oldest_bank_debit_s: i64,
}

/// Measures what is unfinished now, and notes it.
pub async fn measure<M: Machine>(ctx: &Context<M>, deadline: Deadline) {
    let measured = timeout(deadline.keeping(RESERVE).left(), read(ctx)).await;
    let Ok(Ok((backlog, reviews))) = measured else {
        tracing::warn!("what is unfinished was not measured");
        return;
    };
    for (gauge, value) in [
        (Gauge::OrdersPending, backlog.orders),
        (Gauge::BankDebitsPending, backlog.bank_debits),
        (Gauge::OrdersInReview, backlog.in_review),
        (Gauge::RejectionsOpen, backlog.rejections),
        (Gauge::OldestOrderS, backlog.oldest_s),
        (Gauge::OldestBankDebitS, backlog.oldest_bank_debit_s),
        (Gauge::ReviewsOpen, reviews),
    ] {
        telemetry::gauge(gauge, value);
    }
}

/// What is unfinished, and how many review records nobody has looked at.
async fn read<M: Machine>(ctx: &Context<M>) -> Result<(Backlog, i64), StoreError> {
    let (payments, feeds) = ctx.store.unfinished_payments().await?;
    try_join(backlog(ctx, payments), reviews(ctx, feeds)).await
}

async fn backlog<M: Machine>(ctx: &Context<M>, payments: Vec<DueKey>) -> Result<Backlog, StoreError> {
    let now_s = ctx.clock.now_s();
    let looks = stream::iter(payments).map(async |found: DueKey| match ctx.store.load_due(&found.key).await? {
        Some(item) => stand(ctx, &item).await.map(|stand| Some((stand, now_s.saturating_sub(item.began_s)))),
        None => Ok(None),
    });
    let add = async |backlog: Backlog, found: Option<(Stand, i64)>| {
        Ok(found.map_or(backlog, |(stand, age_s)| backlog.with(stand, age_s)))
    };
    looks.buffer_unordered(AT_ONCE).try_fold(Backlog::default(), add).await
}

async fn reviews<M: Machine>(ctx: &Context<M>, feeds: Vec<DueKey>) -> Result<i64, StoreError> {
    let mut companies: Vec<_> = ctx.store.load_feeds(&feeds).await?.into_iter().map(|feed| feed.company).collect();
    companies.dedup();
    let looks = stream::iter(companies).map(async |company| ctx.store.unseen_reviews(&company).await);
    let add = async |sum: i64, unseen: Vec<_>| Ok(sum.saturating_add(i64::try_from(unseen.len()).unwrap_or(i64::MAX)));
    looks.buffer_unordered(AT_ONCE).try_fold(0, add).await
}

/// What an unfinished payment is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    Order,
    Rejection,
    BankDebit,
    InReview,
}

async fn stand<M: Machine>(ctx: &Context<M>, item: &DueItem) -> Result<Stand, StoreError> {
    Ok(match &item.what {
        Unfinished::Order(order) if order.needs_review => Stand::InReview,
        Unfinished::Order(order) => match &order.snapshot.payment {
            Some(payment) if payment.paid_by == PaidBy::BankDebit => Stand::BankDebit,
            Some(_) | None => Stand::Order,
        },
        Unfinished::Rejection(account, intent) if ctx.store.is_processing(account, intent).await? => Stand::BankDebit,
        Unfinished::Rejection(..)
        | Unfinished::Session(_)
        | Unfinished::Link(_)
        | Unfinished::Instalments(_)
        | Unfinished::Event(_)
        | Unfinished::Feed(_) => Stand::Rejection,
    })
}

impl Backlog {
    fn with(mut self, stand: Stand, age_s: i64) -> Self {
        let (count, oldest_s) = match stand {
            Stand::Order => (&mut self.orders, Some(&mut self.oldest_s)),
            Stand::Rejection => (&mut self.rejections, Some(&mut self.oldest_s)),
            Stand::BankDebit => (&mut self.bank_debits, Some(&mut self.oldest_bank_debit_s)),
            Stand::InReview => (&mut self.in_review, None),
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
        let backlog =
            [(Stand::BankDebit, 200_000), (Stand::Order, 40), (Stand::Rejection, 901), (Stand::InReview, 9_999)]
                .into_iter()
                .fold(Backlog::default(), |backlog, (stand, age_s)| backlog.with(stand, age_s));
        let expected = Backlog {
            orders: 1,
            bank_debits: 1,
            in_review: 1,
            rejections: 1,
            oldest_s: 901,
            oldest_bank_debit_s: 200_000,
        };
        assert_eq!(backlog, expected);
    }
}
