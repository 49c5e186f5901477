//! The end of an order that a person has decided about.
//!
//! Invariant: the order ends from PENDING, once, together with everything that it reserved, the credit of what was
//! received, and the note for a person.

use classpay_domain::id::{OrderId, TransactionId};
use classpay_domain::money::Money;

use super::due::{self, due_item};
use super::entries::entry_item;
use super::item::{number, text};
use super::key::{self, Lane};
use super::orders::{OrderRecord, PENDING, finish};
use super::places;
use super::table::Written;
use super::transact::{Change, Transaction};
use super::{Store, StoreError, links};
use crate::machine::Machine;
use crate::stored_entry::StoredEntry;

/// How soon the payment of an order that a person has ended is asked for again.
const WATCHED_AGAIN_S: i64 = 60 * 60;

/// What becomes of an order whose payment is not what the order says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It is posted as it is; what was not received stays due.
    Keep,
    /// Its places are given back; what was received is the family's credit.
    Release,
}

/// Who says what was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// Stripe.
    Stripe,
    /// A person, of an account that is out of our reach: Stripe is asked for as long as it doesn't say.
    Person,
}

/// An order with what a person has decided.
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
    /// Who says so.
    pub by: Witness,
    /// Now, in seconds since 1970.
    pub now_s: i64,
}

impl<M: Machine> Store<M> {
    /// Ends an order as a person has decided. [`Written::Lost`]: it is not pending, or no longer as it was read.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn resolve(&self, resolved: &Resolved<'_>) -> Result<Written, StoreError> {
        let Resolved { order, how, credit, received, by, now_s } = *resolved;
        let snapshot = &order.snapshot;
        let mut transaction = Transaction::new();
        let state = match how {
            Resolution::Keep => "COMPLETED",
            Resolution::Release => "CANCELLED",
        };
        let set = "SET received = :received, resolved_s = :now, ";
        let ended = match credit {
            Some(credit) => {
                transaction.create(entry_item(&snapshot.company, &snapshot.family, credit));
                end(by, &order.id, state, &format!("{set}credit_id = :credit, ")).value(":credit", text(&credit.id))
            }
            None => end(by, &order.id, state, set),
        };
        let ended = ended.value(":received", number(received)).value(":now", number(now_s));
        transaction.change(match by {
            Witness::Stripe => ended,
            Witness::Person => {
                let lane = text(Lane::Wait.shard_of(&key::order(&order.id)));
                ended.value(":lane", lane).value(":next", text(key::sweep_due(now_s + WATCHED_AGAIN_S)))
            }
        });
        let mut balance = credit.map_or(0, StoredEntry::balance_change);
        match how {
            Resolution::Keep => {
                balance += keep(&mut transaction, order, credit.map_or(0, |credit| credit.stats.total))?;
            }
            Resolution::Release => {
                places::cancel(&mut transaction, order);
                if let Some(paid) = &snapshot.link {
                    for change in links::reopened(snapshot, paid) {
                        transaction.change(change);
                    }
                }
            }
        }
        let family = Change::of(key::family(&snapshot.company, &snapshot.family))
            .update("ADD family_balance :change, family_version :one")
            .value(":change", number(balance))
            .value(":one", number(1));
        transaction.change(family);
        let note = Change::of(key::review(&snapshot.company, order.id.as_str()))
            .update("SET cid = :cid, what = if_not_exists(what, :what), noted_s = if_not_exists(noted_s, :now), seen_s = :now REMOVE gsi1pk, gsi1sk")
            .value(":cid", text(snapshot.company.as_str()))
            .value(":what", text(format!("order {} was resolved by a person", order.id)))
            .value(":now", number(now_s));
        transaction.change(note);
        self.transact(transaction).await
    }
}

/// Ends an order. What only a person says stays in the index, in a lane that isn't measured.
fn end(by: Witness, order: &OrderId, state: &str, set: &str) -> Change {
    match by {
        Witness::Stripe => finish(order, state, set),
        Witness::Person => Change::of(key::order(order))
            .update(format!("{set}order_state = :state, gsi1pk = :lane, gsi1sk = :next REMOVE needs_review"))
            .only_if("order_state = :pending")
            .value(":state", text(state))
            .value(":pending", text(PENDING)),
    }
}

/// Posts the debits, of which so much is credited, the first ones first; what it adds to the balance.
fn keep(transaction: &mut Transaction, order: &OrderRecord, credited: i64) -> Result<i64, StoreError> {
    let snapshot = &order.snapshot;
    let (mut left, mut balance) = (credited.max(0), 0);
    for debit in snapshot.entries.iter().filter(|entry| entry.is_debit()) {
        let id: TransactionId = debit.id.parse().map_err(|_| StoreError::Corrupt("transaction_id"))?;
        let taken = debit.stats.total.clamp(0, left);
        left -= taken;
        balance += debit.balance_change();
        transaction.create(entry_item(&snapshot.company, &snapshot.family, debit));
        let due = debit.stats.total.max(0) - taken;
        transaction.create(due_item(&snapshot.company, &snapshot.family, &id, due, snapshot.currency));
    }
    places::activate(transaction, order);
    if let Some(paid) = &snapshot.link {
        let back = (paid.amount - left).max(0);
        transaction.change(due::end_reservation(&snapshot.company, &paid.debit, paid.amount, back));
        transaction.change(links::paid_link(paid, paid.is_part || back > 0));
    }
    Ok(balance)
}
