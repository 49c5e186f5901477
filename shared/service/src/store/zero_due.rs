//! Orders with nothing to collect: one transaction, without an intent.
//!
//! Invariant: an order with nothing to collect has a generation. A booking is conditional on the generation that it
//! read, and a refusal raises it before it is answered, so that an earlier write that lands late books nothing.

use classpay_domain::id::{CompanyId, OrderId};

use super::bookings;
use super::item::{Attributes, Read as _};
use super::key;
use super::order::{
    IDEMPOTENCY_LIFE_S, OrderRecord, PlaceOrder, doc_item, order_item, post_transactions, remember_key,
};
use super::place_state::ACTIVE;
use super::table::Commit;
use super::write::{Guard, Write, Writes};
use super::{Store, StoreError};

/// The state of an order with nothing to collect.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZeroDueOrder {
    /// How often it was booked or refused; zero: never.
    pub generation: u64,
    /// The order, if it was booked last.
    pub booked: Option<OrderRecord>,
    /// Whether it was ever booked: then the record is kept.
    pub was_booked: bool,
}

impl Store {
    /// Loads the state of an order.
    pub async fn load_zero_due(&self, order: &OrderId) -> Result<ZeroDueOrder, StoreError> {
        match self.get(&key::order(order)).await? {
            Some(head) => self.zero_due_at(&head).await,
            None => Ok(ZeroDueOrder::default()),
        }
    }

    /// The same, from the order's head.
    pub(super) async fn zero_due_at(&self, head: &Attributes) -> Result<ZeroDueOrder, StoreError> {
        let is_booked = head.text("order_state")? != "REFUSED";
        Ok(ZeroDueOrder {
            generation: head.number("order_generation")?,
            booked: if is_booked { Some(self.order_at(head).await?) } else { None },
            was_booked: head.contains_key("doc_generation"),
        })
    }

    /// Books an order with nothing to collect: places, transactions and balance at once.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn book_zero_due(&self, order: &PlaceOrder<'_>, generation: u64) -> Result<Commit, StoreError> {
        let snapshot = order.snapshot;
        let mut writes = Writes::new();
        let next = generation + 1;
        let item = order_item(order, "COMPLETED", next).number("order_generation", next);
        writes.push(Write::put(item).when(at_generation(generation)));
        writes.create(doc_item(order, next));
        let family = Write::edit(key::family(&snapshot.company, &snapshot.family))
            .set("family_version", order.family_version + 1)
            .add("family_balance", snapshot.balance_change())
            .when(Guard::is("family_version", order.family_version));
        writes.push(family);
        bookings::reserve(&mut writes, order, ACTIVE);
        remember_key(&mut writes, order);
        post_transactions(&mut writes, snapshot);
        self.transact(writes).await
    }

    /// Raises the generation before a refusal is answered. [`Commit::ConditionFailed`]: the order was booked or refused
    /// meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn refuse_zero_due(
        &self,
        company: &CompanyId,
        order: &OrderId,
        known: &ZeroDueOrder,
        now_s: i64,
    ) -> Result<Commit, StoreError> {
        let refused = Write::edit(key::order(order))
            .set("cid", company.as_str())
            .set("order_id", order.as_str())
            .set("order_state", "REFUSED")
            .set("order_generation", known.generation + 1)
            .when(at_generation(known.generation));
        // An order that was booked before stays readable; one that never was expires.
        let refused = if known.was_booked { refused } else { refused.set("ttl", now_s + IDEMPOTENCY_LIFE_S) };
        self.transact(refused).await
    }
}

fn at_generation(generation: u64) -> Guard {
    match generation {
        0 => Guard::Absent,
        read => Guard::is("order_generation", read),
    }
}
