//! A posted debit or credit, as the contract shows it and as the ledger keeps it.
//!
//! Invariant: once made it is never changed; what is shown is what is stored.

use classpay_domain::id::{CompanyId, FamilyId, OrderId, TransactionId};
use classpay_domain::ledger::{Detail, Direction, Entry};
use classpay_domain::money::Overflow;
use jiff::civil::{Date, DateTime};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::catalogue::documents::DocumentId;
use crate::catalogue::documents::text::{AsText, one_of};
use crate::ids::Ids;

/// A transaction with its details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AggregateTransaction {
    /// The transaction's id once more.
    #[schemars(with = "AsText<TransactionId>")]
    pub aggregate_id: String,
    /// Its head.
    pub transaction: TransactionHead,
    /// Its lines.
    pub details: Vec<DetailWithEntities>,
    /// Its sums.
    pub stats: Stats,
}

/// What a transaction is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Transaction")]
pub struct TransactionHead {
    /// `trn_…`.
    #[schemars(with = "AsText<DocumentId>")]
    pub id: String,
    /// Whose money.
    #[schemars(with = "AsText<CompanyId>")]
    pub company_id: String,
    /// Who owes.
    #[schemars(with = "AsText<FamilyId>")]
    pub family_id: String,
    /// Their name at the time.
    pub family_name: String,
    /// For a credit of one debit: that debit.
    #[schemars(with = "Option<AsText<TransactionId>>")]
    pub related_transaction_id: Option<String>,
    /// `debit` or `credit`.
    #[serde(rename = "type")]
    #[schemars(schema_with = "directions")]
    pub kind: String,
    /// The company's local date.
    #[schemars(with = "AsText<Date>")]
    pub date: String,
    /// For people.
    pub description: String,
    /// The order that wrote it.
    #[schemars(with = "Option<AsText<OrderId>>")]
    pub order_id: Option<String>,
    /// Ledger items are never deleted: always null.
    #[schemars(with = "Option<AsText<DateTime>>")]
    pub deleted_at: Option<String>,
}

/// A line with what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TransactionDetailWithEntities")]
pub struct DetailWithEntities {
    /// The line.
    pub details: DetailHead,
    /// What it is about.
    pub related_entities: Vec<RelatedEntity>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TransactionDetail")]
pub struct DetailHead {
    /// `trnd_…`.
    #[schemars(with = "AsText<DocumentId>")]
    pub id: String,
    /// Whose money.
    #[schemars(with = "AsText<CompanyId>")]
    pub company_id: String,
    /// The transaction.
    #[schemars(with = "AsText<TransactionId>")]
    pub transaction_id: String,
    /// What it is.
    #[serde(rename = "type")]
    #[schemars(schema_with = "detail_kinds")]
    pub kind: String,
    /// Minor units, signed.
    pub amount: i64,
    /// For people.
    pub description: String,
    /// Always null.
    #[schemars(with = "Option<AsText<DateTime>>")]
    pub deleted_at: Option<String>,
}

/// Something that a line is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TransactionDetailEntity")]
pub struct RelatedEntity {
    /// `trne_…`.
    #[schemars(with = "AsText<DocumentId>")]
    pub id: String,
    /// Whose.
    #[schemars(with = "AsText<CompanyId>")]
    pub company_id: String,
    /// The line.
    #[schemars(with = "AsText<DocumentId>")]
    pub transaction_detail_id: String,
    /// The class, student, enrolment, …
    #[schemars(with = "AsText<DocumentId>")]
    pub entity_id: String,
}

/// Sums in minor units. `total = subtotal + discountTotal + taxTotal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TransactionStats")]
pub struct Stats {
    /// All lines.
    pub total: i64,
    /// What is neither discount nor tax.
    pub subtotal: i64,
    /// Discounts: not positive on a debit.
    pub discount_total: i64,
    /// Tax and discount tax.
    pub tax_total: i64,
}

/// What a line can be, in the words of the published contract: what is loaded from before can be any of them.
const DETAIL_KINDS: [&str; 30] = [
    "manual-debit",
    "tax",
    "additional-fee",
    "registration-fee",
    "tuition",
    "trial",
    "refund",
    "payment-auto-failed",
    "payment-auto-failed-reversal",
    "product",
    "discount-credit",
    "upcoming-payment-adjustment",
    "payment-manual",
    "payment-manual-account-balance",
    "discount",
    "discount-tax",
    "credit-note",
    "manual-debit-credit",
    "tax-credit",
    "registration-fee-credit",
    "tuition-credit",
    "trial-credit",
    "product-credit",
    "additional-credit",
    "custom-credit",
    "payment-auto",
    "payment-pending-card",
    "payment-auto-account-balance",
    "fee-class-manager",
    "fee-company",
];

/// The published words for what a line can be.
#[must_use]
pub fn detail_kinds(_: &mut SchemaGenerator) -> Schema {
    one_of(DETAIL_KINDS)
}

fn directions(_: &mut SchemaGenerator) -> Schema {
    one_of([Direction::Debit, Direction::Credit].map(Direction::as_str))
}

/// Whose ledger an entry goes to.
#[derive(Debug, Clone, Copy)]
pub struct Ledger<'a> {
    /// Whose money.
    pub company: &'a CompanyId,
    /// Who owes.
    pub family: &'a FamilyId,
    /// Their name.
    pub family_name: &'a str,
    /// The order that writes; `None`: it is written later, by no order.
    pub order: Option<&'a OrderId>,
}

impl Ledger<'_> {
    /// Gives entries their ids. A credit is related to the debit when there is exactly one.
    ///
    /// # Errors
    /// [`Overflow`] if an entry's sums don't fit.
    pub fn aggregates(&self, entries: &[Entry], ids: &Ids) -> Result<Vec<AggregateTransaction>, Overflow> {
        let mut ids: Vec<_> = entries.iter().map(|_| ids.transaction()).collect();
        // Within a millisecond ids are in no order, and a ledger is read by id: debits come before their credit.
        ids.sort();
        let mut debits = entries.iter().zip(&ids).filter(|(entry, _)| entry.direction == Direction::Debit);
        let only_debit = debits.next().filter(|_| debits.next().is_none()).map(|(_, id)| id);
        entries.iter().zip(&ids).map(|(entry, id)| self.aggregate(entry, id, only_debit)).collect()
    }

    /// Gives an entry an id that the caller has derived, so that writing it again writes the same.
    ///
    /// # Errors
    /// [`Overflow`] if the entry's sums don't fit.
    pub fn derived(
        &self,
        entry: &Entry,
        id: &TransactionId,
        related: Option<&str>,
    ) -> Result<AggregateTransaction, Overflow> {
        let mut aggregate = self.aggregate(entry, id, None)?;
        aggregate.transaction.related_transaction_id = related.map(str::to_owned);
        Ok(aggregate)
    }

    /// Gives a credit for one debit its ids.
    ///
    /// # Errors
    /// [`Overflow`] if its sums don't fit.
    pub fn credit(&self, entry: &Entry, debit: &TransactionId, ids: &Ids) -> Result<AggregateTransaction, Overflow> {
        self.aggregate(entry, &ids.transaction(), Some(debit))
    }

    fn aggregate(
        &self,
        entry: &Entry,
        id: &TransactionId,
        only_debit: Option<&TransactionId>,
    ) -> Result<AggregateTransaction, Overflow> {
        let totals = entry.totals()?;
        let related = only_debit.filter(|_| entry.direction == Direction::Credit);
        let details = entry.details.iter().enumerate().map(|(position, detail)| self.detail(detail, id, position));
        Ok(AggregateTransaction {
            aggregate_id: id.to_string(),
            transaction: TransactionHead {
                id: id.to_string(),
                company_id: self.company.to_string(),
                family_id: self.family.to_string(),
                family_name: self.family_name.to_owned(),
                related_transaction_id: related.map(ToString::to_string),
                kind: entry.direction.as_str().to_owned(),
                date: entry.on.to_string(),
                description: entry.description.clone(),
                order_id: self.order.map(ToString::to_string),
                deleted_at: None,
            },
            details: details.collect::<Result<_, _>>()?,
            stats: Stats {
                total: totals.total.units(),
                subtotal: totals.subtotal.units(),
                discount_total: totals.discount_total.units(),
                tax_total: totals.tax_total.units(),
            },
        })
    }

    fn detail(
        &self,
        detail: &Detail,
        transaction: &TransactionId,
        position: usize,
    ) -> Result<DetailWithEntities, Overflow> {
        let id = transaction.detail(position).ok_or(Overflow)?.to_string();
        let entity = |(entity, of): (usize, &String)| {
            Ok(RelatedEntity {
                id: transaction.detail_entity(position, entity).ok_or(Overflow)?.to_string(),
                company_id: self.company.to_string(),
                transaction_detail_id: id.clone(),
                entity_id: of.clone(),
            })
        };
        Ok(DetailWithEntities {
            related_entities: detail.about.iter().enumerate().map(entity).collect::<Result<_, _>>()?,
            details: DetailHead {
                id: id.clone(),
                company_id: self.company.to_string(),
                transaction_id: transaction.to_string(),
                kind: detail.kind.as_str().to_owned(),
                amount: detail.amount.units(),
                description: detail.description.clone(),
                deleted_at: None,
            },
        })
    }
}

impl AggregateTransaction {
    /// Whether the family owes more by it.
    #[must_use]
    pub fn is_debit(&self) -> bool {
        self.transaction.kind == Direction::Debit.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use classpay_domain::ledger::DetailKind;

    #[test]
    fn every_kind_of_line_that_is_written_has_a_published_word() {
        for kind in DetailKind::ALL {
            assert!(DETAIL_KINDS.contains(&kind.as_str()), "{kind:?}");
        }
    }
}
