//! Orders: placed (P1), posted (P2), given back (P2c). Each is one transaction.
//!
//! Invariant: an order is PENDING before anything is captured, COMPLETED only from PENDING and after Stripe said
//! `succeeded`, CANCELLED only from PENDING and after Stripe said `canceled`. Both ends are final.

use classpay_domain::id::OrderId;
use classpay_domain::order::OrderState;

use super::bookings;
use super::entries::entry_of;
use super::item::{Attributes, Read as _};
use super::key;
use super::order::{
    FIRST, OrderRecord, PENDING, PlaceOrder, begin, finish, order_of, post_transactions, remember_key, state_of,
};
use super::payments::Session;
use super::place_state::RESERVED;
use super::table::{Commit, Consistency};
use super::write::{Guard, Write, Writes};
use super::{ReviewReason, Store, StoreError, links};
use crate::aggregate::AggregateTransaction;
use crate::telemetry;

impl Store {
    /// The order of that id.
    pub async fn load_order(&self, order: &OrderId) -> Result<Option<OrderRecord>, StoreError> {
        let (head, doc) = (key::order(order), key::order_doc(order, FIRST));
        let items = self.get_all(vec![head.clone(), doc.clone()], Consistency::Strong).await?;
        let Some(head) = items.get(&head) else { return Ok(None) };
        match items.get(&doc) {
            Some(doc) if head.number("doc_generation") == Ok(FIRST) => order_of(head, doc).map(Some),
            Some(_) | None => self.order_at(head).await.map(Some),
        }
    }

    /// The state of an order; `None`: there is no such order.
    pub async fn load_order_state(&self, order: &OrderId) -> Result<Option<OrderState>, StoreError> {
        self.get(&key::order(order)).await?.as_ref().map(state_of).transpose()
    }

    /// The order that another item names.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached; [`StoreError::Corrupt`] if there is no such order.
    pub async fn load_named_order(&self, order: &OrderId) -> Result<OrderRecord, StoreError> {
        telemetry::about_order(order);
        self.load_order(order).await?.ok_or(StoreError::Corrupt("order_id"))
    }

    /// The order with this head.
    pub(super) async fn order_at(&self, head: &Attributes) -> Result<OrderRecord, StoreError> {
        let doc = key::order_doc(&head.parsed("order_id")?, head.number("doc_generation")?);
        order_of(head, &self.get(&doc).await?.ok_or(StoreError::Corrupt("doc_generation"))?)
    }

    /// P1: claims the intent and reserves everything that the order needs, or nothing.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn place(&self, order: &PlaceOrder<'_>, session: &Session) -> Result<Commit, StoreError> {
        let snapshot = order.snapshot;
        let mut writes = Writes::new();
        begin(&mut writes, order, session);
        writes.push(
            Write::edit(key::family(&snapshot.company, &snapshot.family))
                .set("family_version", order.family_version + 1)
                .when(Guard::is("family_version", order.family_version)),
        );
        bookings::reserve(&mut writes, order, RESERVED);
        remember_key(&mut writes, order);
        self.transact(writes).await
    }

    /// Records that the next capture uses another key. [`Commit::ConditionFailed`]: another call has recorded it, or
    /// the order is finished.
    pub async fn next_attempt(&self, order: &OrderRecord) -> Result<Commit, StoreError> {
        let next = Write::edit(key::order(&order.id))
            .set("capture_attempt", order.attempt + 1)
            .when(Guard::is("order_state", PENDING))
            .when(Guard::is("capture_attempt", order.attempt));
        self.transact(next).await
    }

    /// Records that an order needs review.
    pub async fn mark_for_review(
        &self,
        order: &OrderRecord,
        reason: &ReviewReason<'_>,
        now_s: i64,
    ) -> Result<(), StoreError> {
        let mark = Write::edit(key::order(&order.id))
            .set("needs_review", reason.name())
            .when(Guard::is("order_state", PENDING));
        self.transact(mark).await?;
        self.note_for_review(&order.snapshot.company, reason, now_s).await
    }

    /// The credit that was posted for an order that a person has resolved; `None`: nothing was received.
    pub async fn load_resolved_credit(&self, order: &OrderRecord) -> Result<Option<AggregateTransaction>, StoreError> {
        let Some(credit) = &order.credit else { return Ok(None) };
        let (company, family) = (&order.snapshot.company, &order.snapshot.family);
        let item = self.get(&key::transaction(company, family, credit.as_str())).await?;
        entry_of(&item.ok_or(StoreError::Corrupt("credit_id"))?, company, family).map(Some)
    }

    /// Takes a resolved order out of the index: the settlement job has no more to do, or a person has.
    pub async fn stop_watching(&self, order: &OrderId) -> Result<Commit, StoreError> {
        let unwatched = Write::edit(key::order(order))
            .leave_index()
            .when(Guard::is_not("order_state", PENDING))
            .when(Guard::Present("gsi1pk"));
        self.transact(unwatched).await
    }

    /// P2: posts the order's transactions and makes its places active. Only after Stripe said `succeeded`.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn post(&self, order: &OrderRecord) -> Result<Commit, StoreError> {
        let snapshot = &order.snapshot;
        let mut writes = Writes::new();
        let completed = finish(&order.id, "COMPLETED");
        writes.push(match snapshot.credit() {
            Some(credit) => completed.set("credit_id", credit.id.as_str()),
            None => completed,
        });
        post_transactions(&mut writes, snapshot);
        let family = Write::edit(key::family(&snapshot.company, &snapshot.family))
            .add("family_balance", snapshot.balance_change())
            .add("family_version", 1);
        writes.push(family);
        bookings::activate(&mut writes, order);
        if let Some(paid) = &snapshot.link {
            for write in links::paid(snapshot, paid) {
                writes.push(write);
            }
        }
        self.transact(writes).await
    }

    /// P2c: gives back what the order reserved. Only after Stripe said `canceled`.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn release(&self, order: &OrderRecord) -> Result<Commit, StoreError> {
        let snapshot = &order.snapshot;
        let mut writes = Writes::new();
        writes.push(finish(&order.id, "CANCELLED"));
        writes.push(Write::edit(key::family(&snapshot.company, &snapshot.family)).add("family_version", 1));
        bookings::cancel(&mut writes, order);
        if let Some(paid) = &snapshot.link {
            for write in links::reopened(snapshot, paid) {
                writes.push(write);
            }
        }
        self.transact(writes).await
    }
}
