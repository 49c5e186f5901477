//! Orders with nothing to collect: one transaction, without an intent.
//!
//! Invariant: the order's key has a generation. A booking names the generation that it has read, and a refusal raises
//! it before it is answered, so that an earlier write which lands late books nothing.

use classpay_domain::id::OrderId;

use super::item::{Read as _, number};
use super::key;
use super::orders::{IDEMPOTENCY_LIFE_S, OrderRecord, PlaceOrder, order_item, order_of, post_transactions, reserve};
use super::transact::{Change, Transaction, Written};
use super::{Store, StoreError};
use crate::store::item::Item;

/// What the key of an order with nothing to collect holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpaidOrder {
    /// How often it was booked or refused; zero: never.
    pub generation: u64,
    /// The order, if it was booked last.
    pub booked: Option<OrderRecord>,
}

impl Store {
    /// What the order's key holds.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn load_unpaid(&self, order: &OrderId) -> Result<UnpaidOrder, StoreError> {
        let Some(item) = self.get(&key::order(order)).await? else {
            return Ok(UnpaidOrder { generation: 0, booked: None });
        };
        let booked = (item.text("order_state")? != "REFUSED").then(|| order_of(&item)).transpose()?;
        Ok(UnpaidOrder { generation: item.number("order_generation")?, booked })
    }

    /// Books an order with nothing to collect: places, transactions and balance at once.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn book_unpaid(&self, order: &PlaceOrder<'_>, generation: u64) -> Result<Written, StoreError> {
        let snapshot = order.snapshot;
        let mut transaction = Transaction::new();
        let item = order_item(order, "COMPLETED").number("order_generation", generation + 1);
        transaction.put_if(item, at_generation(order.id, generation));
        let family = Change::of(key::family(&snapshot.company, &snapshot.family))
            .update("SET family_version = :next ADD family_balance :change")
            .only_if("family_version = :version")
            .value(":next", number(order.family_version + 1))
            .value(":version", number(order.family_version))
            .value(":change", number(snapshot.balance_change()));
        transaction.change(family);
        reserve(&mut transaction, order, "ACTIVE");
        post_transactions(&mut transaction, snapshot);
        self.transact(transaction).await
    }

    /// Raises the generation before a refusal is answered. [`Written::Lost`]: the order was booked or refused
    /// meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn refuse_unpaid(&self, order: &OrderId, generation: u64, now_s: i64) -> Result<Written, StoreError> {
        let item = Item::at(&key::order(order))
            .text("order_id", order.as_str())
            .text("order_state", "REFUSED")
            .number("order_generation", generation + 1)
            .number("ttl", now_s + IDEMPOTENCY_LIFE_S);
        let mut transaction = Transaction::new();
        transaction.put_if(item, at_generation(order, generation));
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
