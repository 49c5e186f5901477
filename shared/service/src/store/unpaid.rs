//! Orders with nothing to collect: one transaction, without an intent.
//!
//! Invariant: the order's key has a generation. A booking names the generation that it has read, and a refusal raises
//! it before it is answered, so that an earlier write which lands late books nothing.

use classpay_domain::id::{CompanyId, OrderId};

use super::item::{Attributes, Read as _, number, text};
use super::key;
use super::orders::{
    IDEMPOTENCY_LIFE_S, OrderRecord, PlaceOrder, doc_item, order_item, post_transactions, remember_key,
};
use super::places::{self, ACTIVE};
use super::table::Written;
use super::transact::{Change, Transaction};
use super::{Store, StoreError};
use crate::machine::Machine;

/// What the key of an order with nothing to collect holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnpaidOrder {
    /// How often it was booked or refused; zero: never.
    pub generation: u64,
    /// The order, if it was booked last.
    pub booked: Option<OrderRecord>,
    /// Whether it was ever booked: then the record stays.
    pub was_booked: bool,
}

impl<M: Machine> Store<M> {
    /// What the order's key holds.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn load_unpaid(&self, order: &OrderId) -> Result<UnpaidOrder, StoreError> {
        match self.get(&key::order(order)).await? {
            Some(head) => self.unpaid_at(&head).await,
            None => Ok(UnpaidOrder::default()),
        }
    }

    /// The same of which the order's head was read.
    pub(super) async fn unpaid_at(&self, head: &Attributes) -> Result<UnpaidOrder, StoreError> {
        let is_booked = head.text("order_state")? != "REFUSED";
        Ok(UnpaidOrder {
            generation: head.number("order_generation")?,
            booked: if is_booked { Some(self.order_at(head).await?) } else { None },
            was_booked: head.contains_key("doc_generation"),
        })
    }

    /// Books an order with nothing to collect: places, transactions and balance at once.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn book_unpaid(&self, order: &PlaceOrder<'_>, generation: u64) -> Result<Written, StoreError> {
        let snapshot = order.snapshot;
        let mut transaction = Transaction::new();
        let next = generation + 1;
        let item = order_item(order, "COMPLETED", next).number("order_generation", next);
        transaction.put_if(item, at_generation(order.id, generation));
        transaction.create(doc_item(order, next));
        let family = Change::of(key::family(&snapshot.company, &snapshot.family))
            .update("SET family_version = :next ADD family_balance :change")
            .only_if("family_version = :version")
            .value(":next", number(order.family_version + 1))
            .value(":version", number(order.family_version))
            .value(":change", number(snapshot.balance_change()));
        transaction.change(family);
        places::reserve::<M>(&mut transaction, order, ACTIVE);
        remember_key(&mut transaction, order);
        post_transactions(&mut transaction, snapshot);
        self.transact(transaction).await
    }

    /// Raises the generation before a refusal is answered. [`Written::Lost`]: the order was booked or refused
    /// meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn refuse_unpaid(
        &self,
        company: &CompanyId,
        order: &OrderId,
        known: &UnpaidOrder,
        now_s: i64,
    ) -> Result<Written, StoreError> {
        // What was booked before stays to be read; a key that never was is forgotten with time.
        let forget = if known.was_booked { "" } else { ", #ttl = :ttl" };
        let mut change = at_generation(order, known.generation)
            .update(format!(
                "SET cid = :cid, order_id = :order, order_state = :refused, order_generation = :next{forget}"
            ))
            .value(":cid", text(company.as_str()))
            .value(":order", text(order.as_str()))
            .value(":refused", text("REFUSED"))
            .value(":next", number(known.generation + 1));
        if !known.was_booked {
            change = change.name("#ttl", "ttl").value(":ttl", number(now_s + IDEMPOTENCY_LIFE_S));
        }
        let mut transaction = Transaction::new();
        transaction.change(change);
        self.transact(transaction).await
    }
}

fn at_generation(order: &OrderId, generation: u64) -> Change {
    let change = Change::of(key::order(order));
    match generation {
        0 => change.only_if("attribute_not_exists(pk)"),
        read => change.only_if("order_generation = :generation").value(":generation", number(read)),
    }
}
