//! The end of an order that a person has decided about.
//!
//! Invariant: the order ends from PENDING, once. The same transaction ends its reservations, puts the credit of what
//! was received and marks the review record as seen.

use classpay_domain::id::{OrderId, TransactionId};
use classpay_domain::money::Money;

use super::bookings;
use super::due::{self, due_item};
use super::entries::entry_item;
use super::key;
use super::lane::{self, Lane};
use super::order::{OrderRecord, PENDING, finish};
use super::table::Commit;
use super::write::{Guard, Write, Writes};
use super::{Store, StoreError, links};
use crate::stored_entry::StoredEntry;

/// How soon the payment of an order that a person has ended is checked at Stripe again.
const WATCHED_AGAIN_S: i64 = 60 * 60;

/// How a person ends an order whose payment is not what the order says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Post it as it is; what was not received stays due.
    Keep,
    /// Give its places back; what was received becomes the family's credit.
    Release,
}

/// Who reports what was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// Stripe.
    Stripe,
    /// A person, about an account out of our reach. The settlement job keeps asking Stripe until it answers.
    Person,
}

/// An order with a person's decision.
#[derive(Debug)]
pub struct Resolved<'a> {
    /// The order, pending.
    pub order: &'a OrderRecord,
    /// The decision.
    pub how: Resolution,
    /// The credit of what was received.
    pub credit: Option<&'a StoredEntry>,
    /// What was received, in minor units.
    pub received: Money,
    /// Who reports it.
    pub by: Witness,
    /// Now, in seconds since 1970.
    pub now_s: i64,
}

impl Store {
    /// Ends an order as a person has decided. [`Commit::ConditionFailed`]: it is not pending, or has changed since it
    /// was read.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn resolve(&self, resolved: &Resolved<'_>) -> Result<Commit, StoreError> {
        let Resolved { order, how, credit, received, by, now_s } = *resolved;
        let snapshot = &order.snapshot;
        let mut writes = Writes::new();
        let state = match how {
            Resolution::Keep => "COMPLETED",
            Resolution::Release => "CANCELLED",
        };
        let mut ended = end(by, &order.id, state, now_s).set("received", received.units()).set("resolved_s", now_s);
        if let Some(credit) = credit {
            writes.create(entry_item(&snapshot.company, &snapshot.family, credit));
            ended = ended.set("credit_id", credit.id.as_str());
        }
        writes.push(ended);
        let mut balance = credit.map_or(0, StoredEntry::balance_change);
        match how {
            Resolution::Keep => {
                balance += keep(&mut writes, order, credit.map_or(0, |credit| credit.stats.total))?;
            }
            Resolution::Release => {
                bookings::cancel(&mut writes, order);
                if let Some(paid) = &snapshot.link {
                    for write in links::reopened(snapshot, paid) {
                        writes.push(write);
                    }
                }
            }
        }
        let family = Write::edit(key::family(&snapshot.company, &snapshot.family));
        writes.push(family.add("family_balance", balance).add("family_version", 1));
        let note = Write::edit(key::review(&snapshot.company, order.id.as_str()))
            .set("cid", snapshot.company.as_str())
            .set_if_missing("what", format!("order {} was resolved by a person", order.id))
            .set_if_missing("noted_s", now_s)
            .set("seen_s", now_s)
            .leave_index();
        writes.push(note);
        self.transact(writes).await
    }
}

/// Ends an order. One that rests on a person's statement stays in the index, in a lane that isn't measured.
fn end(by: Witness, order: &OrderId, state: &str, now_s: i64) -> Write {
    let key = key::order(order);
    match by {
        Witness::Stripe => finish(order, state),
        Witness::Person => Write::edit(key.clone())
            .when(Guard::is("order_state", PENDING))
            .set("order_state", state)
            .set("gsi1pk", Lane::Wait.shard_of(&key))
            .set("gsi1sk", lane::job_due(now_s + WATCHED_AGAIN_S))
            .clear("needs_review"),
    }
}

/// Posts the debits, covers them in order with the credited amount, and answers the change of the balance.
fn keep(writes: &mut Writes, order: &OrderRecord, credited: i64) -> Result<i64, StoreError> {
    let snapshot = &order.snapshot;
    let (mut left, mut balance) = (credited.max(0), 0);
    for debit in snapshot.entries.iter().filter(|entry| entry.is_debit()) {
        let id: TransactionId = debit.id.parse().map_err(|_| StoreError::Corrupt("transaction_id"))?;
        let taken = debit.stats.total.clamp(0, left);
        left -= taken;
        balance += debit.balance_change();
        writes.create(entry_item(&snapshot.company, &snapshot.family, debit));
        let due = debit.stats.total.max(0) - taken;
        writes.create(due_item(&snapshot.company, &snapshot.family, &id, due, snapshot.currency));
    }
    bookings::activate(writes, order);
    if let Some(paid) = &snapshot.link {
        let back = (paid.amount - left).max(0);
        writes.push(due::end_reservation(&snapshot.company, &paid.debit, paid.amount, back));
        writes.push(links::paid_link(paid, paid.is_part || back > 0));
    }
    Ok(balance)
}
