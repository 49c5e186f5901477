//! What refunds and disputes add to a ledger after an order has ended.
//!
//! Invariant: an order's returns are written one after the other, each on the number of those before it, so that two
//! calls never give the same fee back twice. What is due on the debits is not touched.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_domain::id::{CompanyId, FamilyId, OrderId, TransactionId};
use classpay_domain::link::LinkState;

use super::item::{Item, Read as _, document, number, text};
use super::orders::order_of;
use super::table::Consistency;
use super::table::Written;
use super::transact::{Change, Transaction};
use super::{OrderRecord, Store, StoreError, key};
use crate::aggregate::AggregateTransaction;
use crate::machine::Machine;

/// A completed order, and what went back of its payment so far.
#[derive(Debug, Clone)]
pub struct OrderReturns {
    /// The order.
    pub order: OrderRecord,
    /// How many times something was posted.
    pub version: u64,
    /// Whether the ledger says that the whole payment was refunded.
    pub is_full: bool,
}

/// What is to be posted.
#[derive(Debug)]
pub struct PostReturns<'a> {
    /// What was read.
    pub read: &'a OrderReturns,
    /// The entries.
    pub entries: &'a [AggregateTransaction],
    /// Whether the whole payment is refunded with them.
    pub is_full: bool,
    /// The state of the order's link, if it has one.
    pub link: Option<LinkState>,
}

impl<M: Machine> Store<M> {
    /// An order with what went back of its payment.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn load_order_returns(&self, order: &OrderId) -> Result<Option<OrderReturns>, StoreError> {
        let Some(item) = self.get(&key::order(order)).await? else { return Ok(None) };
        Ok(Some(OrderReturns {
            order: order_of(&item)?,
            version: item.number_if("returns_version")?.unwrap_or(0),
            is_full: item.get("fully_refunded") == Some(&AttributeValue::Bool(true)),
        }))
    }

    /// Which of these transactions are posted.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn posted_among(
        &self,
        company: &CompanyId,
        family: &FamilyId,
        ids: impl IntoIterator<Item = TransactionId>,
    ) -> Result<Vec<TransactionId>, StoreError> {
        let (keys, mut ids): (Vec<_>, Vec<_>) =
            ids.into_iter().map(|id| (key::transaction(company, family, id.as_str()), id)).unzip();
        let found = self.get_all(keys, Consistency::Strong).await?;
        ids.retain(|id| found.contains_key(&key::transaction(company, family, id.as_str())));
        Ok(ids)
    }

    /// Posts what went back. [`Written::Lost`]: something else was posted since it was read.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn post_returns(&self, posting: &PostReturns<'_>) -> Result<Written, StoreError> {
        let OrderReturns { order, version, is_full: was_full } = posting.read;
        let snapshot = &order.snapshot;
        let mut transaction = Transaction::new();
        let head = Change::of(key::order(&order.id))
            .update("SET returns_version = :next, fully_refunded = :full")
            .value(":next", number(version.saturating_add(1)))
            .value(":full", AttributeValue::Bool(posting.is_full))
            .value(":completed", text("COMPLETED"));
        transaction.change(match version {
            0 => head.only_if("order_state = :completed AND attribute_not_exists(returns_version)"),
            read => {
                head.only_if("order_state = :completed AND returns_version = :version").value(":version", number(read))
            }
        });
        let mut change = 0_i64;
        for entry in posting.entries {
            let id = &entry.transaction.id;
            let item = Item::at(&key::transaction(&snapshot.company, &snapshot.family, id))
                .text("cid", snapshot.company.as_str())
                .text("transaction_id", id)
                .text("doc", document(entry));
            transaction.create(item);
            change += if entry.is_debit() { entry.stats.total } else { -entry.stats.total };
        }
        let family = Change::of(key::family(&snapshot.company, &snapshot.family))
            .update("ADD family_balance :change, family_version :one")
            .only_if("attribute_exists(pk)")
            .value(":change", number(change))
            .value(":one", number(1));
        transaction.change(family);
        let moved = match (posting.link, was_full, posting.is_full) {
            (Some(LinkState::Paid), false, true) => Some((LinkState::Paid, LinkState::Refunded)),
            // The refund has failed: it is paid after all.
            (Some(LinkState::Refunded), true, false) => Some((LinkState::Refunded, LinkState::Paid)),
            _ => None,
        };
        if let (Some(paid), Some((from, to))) = (&snapshot.link, moved) {
            let link = Change::of(key::link(&paid.link))
                .update("SET link_state = :to")
                .only_if("link_state = :from")
                .value(":from", text(from.as_str()))
                .value(":to", text(to.as_str()));
            transaction.change(link);
        }
        self.transact(transaction).await
    }
}
