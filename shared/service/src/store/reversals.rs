//! What refunds and disputes add to a ledger after a payment was credited.
//!
//! Invariant: the reversals of a payment are written one after the other, each conditional on the number of those
//! before it, so that two calls never give the same fee back twice. The debit of a reversal can be collected like any
//! other. What is due on the debits that the payment paid does not change.

use std::collections::BTreeMap;

use classpay_domain::catalogue::Currency;
use classpay_domain::id::{AccountId, CompanyId, FamilyId, IntentId, OrderId, TransactionId};
use classpay_domain::link::{LinkAlias, LinkState};
use classpay_domain::money::Money;

use super::due::{due_item, due_of};
use super::entries::{entry_item, entry_of};
use super::item::{Attributes, Read as _, Value};
use super::key::Key;
use super::payments::Session;
use super::table::{Commit, Consistency};
use super::write::{Guard, Write, Writes};
use super::{Store, StoreError, key};
use crate::aggregate::AggregateTransaction;
use crate::stored_entry::StoredEntry;

/// A payment with a credit in the ledger. The record that names the credit counts its reversals.
#[derive(Debug, Clone, Copy)]
pub enum CreditedPayment<'a> {
    /// It paid a posted order, which counts the reversals.
    Order(&'a OrderId),
    /// No order took it: its claim, rejected and captured, counts the reversals.
    Unallocated {
        /// What the intent was made for.
        session: &'a Session,
        /// The family's credit.
        credit: &'a TransactionId,
    },
}

/// The credit of a payment, and its reversals so far.
#[derive(Debug, Clone)]
pub struct PaymentReversals<'a> {
    /// The payment.
    pub payment: CreditedPayment<'a>,
    /// The Stripe account.
    pub account: AccountId,
    /// The Stripe intent.
    pub intent: IntentId,
    /// The company that was paid.
    pub company: CompanyId,
    /// The family that paid.
    pub family: FamilyId,
    /// The payment's currency.
    pub currency: Currency,
    /// The credit, as it was posted.
    pub credit: AggregateTransaction,
    /// The link that was paid, if it was one.
    pub link: Option<LinkAlias>,
    /// How many times reversals were posted.
    pub version: u64,
    /// Whether the ledger says that the whole payment was refunded.
    pub is_full: bool,
}

/// An entry to be posted.
#[derive(Debug)]
pub struct ReversalEntry {
    /// The entry.
    pub entry: AggregateTransaction,
    /// For a credit: the debit that it takes back.
    pub reverses: Option<Reversed>,
}

/// A debit that a credit takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversed {
    /// The debit's id.
    pub debit: TransactionId,
    /// What it owes, if it is already posted.
    pub owed: Option<Owed>,
}

/// What a posted debit owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// Its total, negative if the fee that it gives back is more than the refund.
    pub total: Money,
    /// The amount due on it, as read.
    pub due: Money,
}

impl Owed {
    /// What is due after so much is taken back. A failed refund may charge more of the fee again than its own amount.
    fn left(self, taken_back: i64) -> i64 {
        let short = self.total.units().min(0);
        (self.due.units() + short - taken_back).max(0)
    }
}

/// The entries to be posted, and their conditions.
#[derive(Debug)]
pub struct PostReversals<'a> {
    /// The payment and its reversals, as read.
    pub read: &'a PaymentReversals<'a>,
    /// The entries.
    pub entries: &'a [ReversalEntry],
    /// Whether they complete the refund of the whole payment.
    pub is_full: bool,
    /// The state of the link that was paid, if it was one.
    pub link: Option<LinkState>,
}

impl CreditedPayment<'_> {
    /// The key of the record that counts the reversals.
    fn record(self) -> Key {
        match self {
            Self::Order(order) => key::order(order),
            Self::Unallocated { session, .. } => key::claim(&session.account, &session.intent),
        }
    }

    /// Counts one more on the record, on the condition that it still shows the credit and the count that was read.
    fn count(self, version: u64, is_full: bool) -> Write {
        let credited = match self {
            Self::Order(_) => Guard::Present("credit_id"),
            Self::Unallocated { .. } => Guard::is("claim_decision", "REJECTED").and(Guard::is("claim_captured", true)),
        };
        let counted = match version {
            0 => Guard::Missing("returns_version"),
            _ => Guard::is("returns_version", version),
        };
        Write::edit(self.record())
            .when(credited.and(counted))
            .set("returns_version", version.saturating_add(1))
            .set("fully_refunded", is_full)
    }
}

impl Store {
    /// The credit of a payment, with its reversals; `None`: it has no credit.
    pub async fn load_reversals<'a>(
        &self,
        payment: CreditedPayment<'a>,
    ) -> Result<Option<PaymentReversals<'a>>, StoreError> {
        // The count guards the rest, so it is read first.
        let Some(record) = self.get(&payment.record()).await? else { return Ok(None) };
        match payment {
            CreditedPayment::Order(_) => self.of_order(payment, &record).await,
            CreditedPayment::Unallocated { session, credit } => {
                let posted = key::transaction(&session.company, &session.family, credit.as_str());
                let Some(posted) = self.get(&posted).await? else { return Ok(None) };
                Ok(Some(PaymentReversals {
                    payment,
                    account: session.account.clone(),
                    intent: session.intent.clone(),
                    company: session.company.clone(),
                    family: session.family.clone(),
                    currency: session.currency,
                    credit: entry_of(&posted, &session.company, &session.family)?,
                    link: None,
                    version: version_of(&record)?,
                    is_full: is_full(&record),
                }))
            }
        }
    }

    /// The same for an order; `None`: it has no credit.
    async fn of_order<'a>(
        &self,
        payment: CreditedPayment<'a>,
        record: &Attributes,
    ) -> Result<Option<PaymentReversals<'a>>, StoreError> {
        let Some(credit) = record.text_if("credit_id") else { return Ok(None) };
        let snapshot = self.order_at(record).await?.snapshot;
        let Some(paid) = snapshot.payment else { return Ok(None) };
        let (company, family) = (snapshot.company, snapshot.family);
        let posted = self.get(&key::transaction(&company, &family, credit)).await?;
        Ok(Some(PaymentReversals {
            payment,
            account: paid.account,
            intent: paid.intent,
            credit: entry_of(&posted.ok_or(StoreError::Corrupt("credit_id"))?, &company, &family)?,
            company,
            family,
            currency: snapshot.currency,
            link: snapshot.link.map(|paid| paid.link),
            version: version_of(record)?,
            is_full: is_full(record),
        }))
    }

    /// The amount due on each of these debits that is posted.
    pub async fn load_dues(
        &self,
        company: &CompanyId,
        debits: impl IntoIterator<Item = TransactionId>,
    ) -> Result<BTreeMap<TransactionId, Money>, StoreError> {
        let (keys, debits): (Vec<_>, Vec<_>) = debits.into_iter().map(|id| (key::due(company, &id), id)).unzip();
        let found = self.get_all(keys, Consistency::Strong).await?;
        let due = |id: TransactionId| {
            let item = found.get(&key::due(company, &id))?;
            Some(due_of(item).map(|due| (id, due.due)))
        };
        debits.into_iter().filter_map(due).collect()
    }

    /// Which of these transactions are posted, and their totals.
    pub async fn posted_among(
        &self,
        company: &CompanyId,
        family: &FamilyId,
        ids: impl IntoIterator<Item = TransactionId>,
    ) -> Result<BTreeMap<TransactionId, Money>, StoreError> {
        let (keys, ids): (Vec<_>, Vec<_>) =
            ids.into_iter().map(|id| (key::transaction(company, family, id.as_str()), id)).unzip();
        let found = self.get_all(keys, Consistency::Strong).await?;
        let total = |id: TransactionId| {
            let item = found.get(&key::transaction(company, family, id.as_str()))?;
            Some(entry_of(item, company, family).map(|entry| (id, Money::minor(entry.stats.total))))
        };
        ids.into_iter().filter_map(total).collect()
    }

    /// Posts reversals. [`Commit::ConditionFailed`]: another reversal was posted since the read.
    ///
    /// # Errors
    /// [`StoreError`] if it was provably not written.
    pub async fn post_reversals(&self, posting: &PostReversals<'_>) -> Result<Commit, StoreError> {
        let PaymentReversals { payment, company, family, version, is_full: was_full, .. } = posting.read;
        let mut writes = Writes::new();
        writes.push(payment.count(*version, posting.is_full));
        let mut change = 0_i64;
        for ReversalEntry { entry, .. } in posting.entries {
            let stored = StoredEntry::from(entry);
            change += stored.balance_change();
            writes.create(entry_item(company, family, &stored));
        }
        for due in dues(posting)? {
            writes.push(due);
        }
        let family = Write::edit(key::family(company, family)).when(Guard::Exists);
        writes.push(family.add("family_balance", change).add("family_version", 1));
        let moved = match (posting.link, was_full, posting.is_full) {
            (Some(LinkState::Paid), false, true) => Some((LinkState::Paid, LinkState::Refunded)),
            // The refund has failed, so the link is paid after all.
            (Some(LinkState::Refunded), true, false) => Some((LinkState::Refunded, LinkState::Paid)),
            _ => None,
        };
        if let (Some(paid), Some((from, to))) = (&posting.read.link, moved) {
            let link = Write::edit(key::link(paid)).when(Guard::is("link_state", from.as_str()));
            writes.push(link.set("link_state", to.as_str()));
        }
        self.transact(writes).await
    }
}

/// How a posting changes what is due. Each new debit is due. A credit pays the debit that it takes back, up to what is
/// still due on it. A credit that charges more of the fee than it gives back raises what is due.
fn dues(posting: &PostReversals<'_>) -> Result<Vec<Write>, StoreError> {
    let PaymentReversals { company, family, currency, .. } = posting.read;
    let taken_back = |debit: &TransactionId| {
        let takes_back = |credit: &&ReversalEntry| credit.reverses.as_ref().is_some_and(|of| of.debit == *debit);
        posting.entries.iter().filter(takes_back).map(|credit| credit.entry.stats.total).sum::<i64>()
    };
    let mut writes = Vec::new();
    for ReversalEntry { entry, reverses } in posting.entries {
        if entry.is_debit() {
            let debit = entry.transaction.id.parse().map_err(|_| StoreError::Corrupt("transaction_id"))?;
            let due = (entry.stats.total - taken_back(&debit)).max(0);
            writes.push(Write::create(due_item(company, family, &debit, due, *currency)));
        }
        if let Some(Reversed { debit, owed: Some(owed) }) = reverses {
            let due = Write::edit(key::due(company, debit)).when(Guard::is("amount_due", owed.due.units()));
            writes.push(due.set("amount_due", owed.left(entry.stats.total)));
        }
    }
    Ok(writes)
}

fn version_of(record: &Attributes) -> Result<u64, StoreError> {
    Ok(record.number_if("returns_version")?.unwrap_or(0))
}

fn is_full(record: &Attributes) -> bool {
    record.get("fully_refunded") == Some(&Value::Flag(true))
}
