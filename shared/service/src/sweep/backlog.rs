//! How much is unfinished, and since when: what an alarm watches.
//!
//! Invariant: it reads, and nothing more. A run that can't read the index measures nothing: that, too, is an alarm.

use classpay_domain::order::PaidBy;
use futures_util::{StreamExt as _, stream};

use super::AT_ONCE;
use crate::context::Context;
use crate::machine::Machine;
use crate::snapshot::OrderPayment;
use crate::store::key::Key;
use crate::store::{DueItem, Unfinished};
use crate::telemetry::{self, Gauge};

/// How many orders and rejections are read: more are a flood, and a flood is alarm enough.
const MOST_READ: usize = 500;

/// Counts of what is on its way, and the age of the oldest in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Orders that a card pays.
    pub orders: i64,
    /// Orders that a bank debit pays.
    pub bank_debits: i64,
    /// Orders that a person must look at.
    pub in_review: i64,
    /// Refused payments that aren't released.
    pub rejections: i64,
    /// The age of the oldest order or rejection, bank debits and those in review apart.
    pub oldest_s: i64,
    /// The age of the oldest bank debit.
    pub oldest_bank_debit_s: i64,
}

/// Measures what is unfinished now, and notes it.
pub async fn measure<M: Machine>(ctx: &Context<M>) {
    let Some(backlog) = read(ctx).await else { return };
    for (gauge, value) in [
        (Gauge::OrdersPending, backlog.orders),
        (Gauge::BankDebitsPending, backlog.bank_debits),
        (Gauge::OrdersInReview, backlog.in_review),
        (Gauge::RejectionsOpen, backlog.rejections),
        (Gauge::OldestOrderS, backlog.oldest_s),
        (Gauge::OldestBankDebitS, backlog.oldest_bank_debit_s),
    ] {
        telemetry::gauge(gauge, value);
    }
}

/// What is unfinished. `None`: the index can't be read.
async fn read<M: Machine>(ctx: &Context<M>) -> Option<Backlog> {
    let keys = ctx.store.unfinished_keys().await.ok()?;
    let of_payments = keys.into_iter().map(|due| due.key).filter(Key::is_of_payment).take(MOST_READ);
    let looks = stream::iter(of_payments).map(async |key| ctx.store.load_due(&key).await.ok().flatten());
    let now_s = ctx.clock.now_s();
    let add = async |backlog: Backlog, item: Option<DueItem>| match item {
        Some(item) => backlog.with(&item, now_s),
        None => backlog,
    };
    Some(looks.buffer_unordered(AT_ONCE).fold(Backlog::default(), add).await)
}

impl Backlog {
    fn with(mut self, item: &DueItem, now_s: i64) -> Self {
        let age_s = now_s.saturating_sub(item.began_s);
        match &item.what {
            Unfinished::Order(order) if order.needs_review => self.in_review += 1,
            Unfinished::Order(order) => {
                let paid_by = order.snapshot.payment.as_ref().map(|OrderPayment { paid_by, .. }| *paid_by);
                if paid_by == Some(PaidBy::BankDebit) {
                    self.bank_debits += 1;
                    self.oldest_bank_debit_s = self.oldest_bank_debit_s.max(age_s);
                } else {
                    self.orders += 1;
                    self.oldest_s = self.oldest_s.max(age_s);
                }
            }
            Unfinished::Rejection(..) => {
                self.rejections += 1;
                self.oldest_s = self.oldest_s.max(age_s);
            }
            Unfinished::Session(_)
            | Unfinished::Link(_)
            | Unfinished::Instalments(_)
            | Unfinished::Event(_)
            | Unfinished::Feed(_) => {}
        }
        self
    }
}
