//! What refunds and disputes add to a ledger after a payment was credited.
//!
//! Invariant: what went back of a payment is written one after the other, each on the number of those before it, so
//! that two calls never give the same fee back twice. What is due on the debits is not touched.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_domain::id::{AccountId, CompanyId, FamilyId, IntentId, OrderId, TransactionId};
use classpay_domain::link::{LinkAlias, LinkState};

use super::item::{Attributes, Item, Read as _, document, number, text};
use super::key::Key;
use super::orders::order_of;
use super::payments::Session;
use super::table::{Consistency, Written};
use super::transact::{Change, Transaction};
use super::{Store, StoreError, key};
use crate::aggregate::AggregateTransaction;
use crate::machine::Machine;

/// A payment that the ledger has a credit for. What goes back of it is counted on the record that says so.
#[derive(Debug, Clone, Copy)]
pub enum CreditedPayment<'a> {
    /// It paid an order, which is completed: the order counts.
    Order(&'a OrderId),
    /// No order took it: the claim counts, which is rejected and captured.
    Unallocated {
        /// What the intent was made for.
        session: &'a Session,
        /// The family's credit.
        credit: &'a TransactionId,
    },
}

/// The credit of a payment, and what went back of it so far.
#[derive(Debug, Clone)]
pub struct PaymentReturns<'a> {
    /// Which payment.
    pub payment: CreditedPayment<'a>,
    /// Stripe's account.
    pub account: AccountId,
    /// Stripe's intent.
    pub intent: IntentId,
    /// Whose money it was.
    pub company: CompanyId,
    /// Who paid.
    pub family: FamilyId,
    /// The credit, as it was posted.
    pub credit: AggregateTransaction,
    /// The link that was paid, if it was one.
    pub link: Option<LinkAlias>,
    /// How many times something was posted.
    pub version: u64,
    /// Whether the ledger says that the whole payment was refunded.
    pub is_full: bool,
}

/// What is to be posted.
#[derive(Debug)]
pub struct PostReturns<'a> {
    /// What was read.
    pub read: &'a PaymentReturns<'a>,
    /// The entries.
    pub entries: &'a [AggregateTransaction],
    /// Whether the whole payment is refunded with them.
    pub is_full: bool,
    /// The state of the link that was paid, if it was one.
    pub link: Option<LinkState>,
}

impl CreditedPayment<'_> {
    /// The record that counts.
    fn record(self) -> Key {
        match self {
            Self::Order(order) => key::order(order),
            Self::Unallocated { session, .. } => key::claim(&session.account, &session.intent),
        }
    }

    /// Counts one more on the record, if it still says that the payment was credited and counts as many as were read.
    fn count(self, version: u64, is_full: bool) -> Change {
        let counted = if version == 0 { "attribute_not_exists(returns_version)" } else { "returns_version = :version" };
        let change = Change::of(self.record())
            .update("SET returns_version = :next, fully_refunded = :full")
            .value(":next", number(version.saturating_add(1)))
            .value(":full", AttributeValue::Bool(is_full));
        let change = match self {
            Self::Order(_) => {
                change.only_if(format!("order_state = :completed AND {counted}")).value(":completed", text("COMPLETED"))
            }
            Self::Unallocated { .. } => change
                .only_if(format!("claim_decision = :rejected AND claim_captured = :yes AND {counted}"))
                .value(":rejected", text("REJECTED"))
                .value(":yes", AttributeValue::Bool(true)),
        };
        if version == 0 { change } else { change.value(":version", number(version)) }
    }
}

impl<M: Machine> Store<M> {
    /// The credit of a payment with what went back of it; `None`: it has none.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn load_returns<'a>(
        &self,
        payment: CreditedPayment<'a>,
    ) -> Result<Option<PaymentReturns<'a>>, StoreError> {
        // The number that guards the rest is read before it.
        let Some(record) = self.get(&payment.record()).await? else { return Ok(None) };
        match payment {
            CreditedPayment::Order(_) => of_order(payment, &record),
            CreditedPayment::Unallocated { session, credit } => {
                let posted = key::transaction(&session.company, &session.family, credit.as_str());
                let Some(posted) = self.get(&posted).await? else { return Ok(None) };
                Ok(Some(PaymentReturns {
                    payment,
                    account: session.account.clone(),
                    intent: session.intent.clone(),
                    company: session.company.clone(),
                    family: session.family.clone(),
                    credit: posted.document("doc")?,
                    link: None,
                    version: version_of(&record)?,
                    is_full: is_full(&record),
                }))
            }
        }
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
        let PaymentReturns { payment, company, family, version, is_full: was_full, .. } = posting.read;
        let mut transaction = Transaction::new();
        transaction.change(payment.count(*version, posting.is_full));
        let mut change = 0_i64;
        for entry in posting.entries {
            let id = &entry.transaction.id;
            let item = Item::at(&key::transaction(company, family, id))
                .text("cid", company.as_str())
                .text("transaction_id", id)
                .text("doc", document(entry));
            transaction.create(item);
            change += if entry.is_debit() { entry.stats.total } else { -entry.stats.total };
        }
        let family = Change::of(key::family(company, family))
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
        if let (Some(paid), Some((from, to))) = (&posting.read.link, moved) {
            let link = Change::of(key::link(paid))
                .update("SET link_state = :to")
                .only_if("link_state = :from")
                .value(":from", text(from.as_str()))
                .value(":to", text(to.as_str()));
            transaction.change(link);
        }
        self.transact(transaction).await
    }
}

/// An order's: everything stands in its snapshot. `None`: it has collected nothing.
fn of_order<'a>(payment: CreditedPayment<'a>, record: &Attributes) -> Result<Option<PaymentReturns<'a>>, StoreError> {
    let snapshot = order_of(record)?.snapshot;
    let credit = snapshot.transactions.into_iter().find(|transaction| !transaction.is_debit());
    let Some((paid, credit)) = snapshot.payment.zip(credit) else { return Ok(None) };
    Ok(Some(PaymentReturns {
        payment,
        account: paid.account,
        intent: paid.intent,
        company: snapshot.company,
        family: snapshot.family,
        credit,
        link: snapshot.link.map(|paid| paid.link),
        version: version_of(record)?,
        is_full: is_full(record),
    }))
}

fn version_of(record: &Attributes) -> Result<u64, StoreError> {
    Ok(record.number_if("returns_version")?.unwrap_or(0))
}

fn is_full(record: &Attributes) -> bool {
    record.get("fully_refunded") == Some(&AttributeValue::Bool(true))
}
