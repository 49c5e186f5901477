//! The record of an order: its head, which changes, and its document, which never does.

use std::collections::BTreeMap;

use classpay_domain::catalogue::Seats;
use classpay_domain::id::{ClassId, OrderId, TransactionId};
use classpay_domain::money::Money;
use classpay_domain::order::OrderState;
use classpay_domain::pricing::Buyer;

use super::StoreError;
use super::due::due_item;
use super::entries::entry_item;
use super::item::{Attributes, Item, Read as _, document};
use super::key::{self, Key};
use super::lane::Lane;
use super::payments::{Session, close_session};
use super::write::{Guard, Write, Writes};
use crate::snapshot::Snapshot;

/// How long after it is placed an unfinished order is first visited.
const ORDER_DUE_AFTER_S: i64 = 2 * 60;
/// The state of an order whose payment isn't finished.
pub const PENDING: &str = "PENDING";
/// The generation of an order that an intent pays for, and the first generation of an order that collects nothing.
pub(super) const FIRST: u64 = 1;
/// How long a used idempotency key is kept.
pub(super) const IDEMPOTENCY_LIFE_S: i64 = 24 * 60 * 60;

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRecord {
    /// Its id.
    pub id: OrderId,
    /// Its state.
    pub state: OrderState,
    /// The number of the next capture attempt, which is part of the idempotency key.
    pub attempt: u32,
    /// Whether it needs review.
    pub needs_review: bool,
    /// The credit that was posted for its payment.
    pub credit: Option<TransactionId>,
    /// What was received, in minor units, if a person has resolved it.
    pub resolved: Option<Money>,
    /// Everything it posts.
    pub snapshot: Snapshot,
}

impl OrderRecord {
    /// A new order, PENDING.
    #[must_use]
    pub fn placed(id: OrderId, snapshot: Snapshot) -> Self {
        let (state, attempt) = (OrderState::Pending, 1);
        Self { id, state, attempt, needs_review: false, credit: None, resolved: None, snapshot }
    }
}

/// An order to be placed, and the conditions that must still hold.
#[derive(Debug)]
pub struct PlaceOrder<'a> {
    /// Its id.
    pub id: &'a OrderId,
    /// Everything it posts.
    pub snapshot: &'a Snapshot,
    /// The family's version from which it was priced.
    pub family_version: u64,
    /// The seats and price versions from which it was priced.
    pub seats: &'a BTreeMap<ClassId, Seats>,
    /// The buyer.
    pub buyer: Buyer,
    /// The idempotency record's key and the body's fingerprint, if the caller gave one.
    pub idempotency: Option<(&'a Key, &'a str)>,
    /// Now, in seconds since 1970.
    pub now_s: i64,
}

/// Begins every P1: puts the claim and the order, and takes the session out of the index.
pub(super) fn begin(writes: &mut Writes, order: &PlaceOrder<'_>, session: &Session) {
    let snapshot = order.snapshot;
    let claim = Item::at(&key::claim(&session.account, &session.intent))
        .text("cid", snapshot.company.as_str())
        .text("fid", snapshot.family.as_str())
        .text("claim_decision", "ORDER")
        .text("order_id", order.id.as_str())
        .text("basket", &snapshot.basket);
    writes.create(claim);
    writes.push(close_session(session));
    let head = order_item(order, PENDING, FIRST).number("capture_attempt", 1);
    writes.create(head.due_at(Lane::Pay, order.now_s + ORDER_DUE_AFTER_S));
    writes.create(doc_item(order, FIRST));
}

/// Stores the caller's idempotency key, if there is one, on the condition that it is not in use.
pub(super) fn remember_key(writes: &mut Writes, order: &PlaceOrder<'_>) {
    let Some((key, fingerprint)) = order.idempotency else { return };
    let item = Item::at(key)
        .text("cid", order.snapshot.company.as_str())
        .text("fingerprint", fingerprint)
        .text("order_id", order.id.as_str())
        .number("ttl", order.now_s + IDEMPOTENCY_LIFE_S);
    let unused = Guard::Absent.or(Guard::below("ttl", order.now_s));
    writes.push(Write::put(item).when(unused));
}

/// The head of an order: small, because it changes. Its document holds what it posts.
pub(super) fn order_item(order: &PlaceOrder<'_>, state: &str, generation: u64) -> Item {
    let payment = order.snapshot.payment.as_ref();
    let head = Item::at(&key::order(order.id))
        .text("cid", order.snapshot.company.as_str())
        .text("fid", order.snapshot.family.as_str())
        .text("order_id", order.id.as_str())
        .text("order_state", state)
        .number("doc_generation", generation)
        .number("placed_s", order.now_s)
        .text_if("account", payment.map(|payment| payment.account.as_str()))
        .text_if("intent", payment.map(|payment| payment.intent.as_str()));
    match payment {
        Some(payment) => head.number("total", payment.total).text("currency", order.snapshot.currency.code()),
        None => head,
    }
}

/// An order's document: everything that it posts, put once and never changed.
pub(super) fn doc_item(order: &PlaceOrder<'_>, generation: u64) -> Item {
    Item::at(&key::order_doc(order.id, generation))
        .text("cid", order.snapshot.company.as_str())
        .text("doc", document(order.snapshot))
}

/// Puts the debits and credits of an order, and what its debits still owe.
pub(super) fn post_transactions(writes: &mut Writes, snapshot: &Snapshot) {
    let paid = snapshot.payment.is_some();
    for entry in &snapshot.entries {
        writes.create(entry_item(&snapshot.company, &snapshot.family, entry));
        if entry.is_debit()
            && let Ok(debit) = entry.id.parse::<TransactionId>()
        {
            let due = if paid { 0 } else { entry.stats.total };
            writes.create(due_item(&snapshot.company, &snapshot.family, &debit, due, snapshot.currency));
        }
    }
}

/// Ends a pending order. The caller adds further edits.
pub(super) fn finish(order: &OrderId, state: &str) -> Write {
    Write::edit(key::order(order))
        .set("order_state", state)
        .clear("needs_review")
        .leave_index()
        .when(Guard::is("order_state", PENDING))
}

/// An order from its head and its document.
pub(super) fn order_of(item: &Attributes, doc: &Attributes) -> Result<OrderRecord, StoreError> {
    Ok(OrderRecord {
        id: item.parsed("order_id")?,
        state: state_of(item)?,
        attempt: item.number_if("capture_attempt")?.unwrap_or(1),
        needs_review: item.text_if("needs_review").is_some(),
        credit: credit_of(item)?,
        resolved: item.number_if("received")?.map(Money::minor),
        snapshot: doc.document("doc")?,
    })
}

pub(super) fn state_of(head: &Attributes) -> Result<OrderState, StoreError> {
    match head.text("order_state")? {
        PENDING => Ok(OrderState::Pending),
        "COMPLETED" => Ok(OrderState::Completed),
        "CANCELLED" => Ok(OrderState::Cancelled),
        _ => Err(StoreError::Corrupt("order_state")),
    }
}

pub(super) fn credit_of(head: &Attributes) -> Result<Option<TransactionId>, StoreError> {
    head.text_if("credit_id").map(str::parse).transpose().map_err(|_| StoreError::Corrupt("credit_id"))
}
