//! A debit or credit as it is stored: in the ledger, in an order's document and beside a payment link.
//!
//! Invariant: storing and expanding a transaction gives it back as it was posted. What its key and id already say is
//! omitted: its owner, and the ids of our own transactions' details. A detail with five related entities takes a third
//! of its size on the wire.

use classpay_domain::id::{CompanyId, FamilyId, TransactionId};
use classpay_domain::ledger::Direction;
use serde::{Deserialize, Serialize};

use crate::aggregate::{AggregateTransaction, DetailHead, DetailWithEntities, RelatedEntity, Stats, TransactionHead};

/// A transaction without what can be derived. Amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredEntry {
    /// `trn_…`.
    pub id: String,
    /// `debit` or `credit`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The company's local date.
    pub date: String,
    /// For people.
    pub description: String,
    /// The family's name at the time.
    pub family_name: String,
    /// For a credit of one debit: that debit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related: Option<String>,
    /// The order that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Its sums.
    pub stats: Stats,
    /// Its lines.
    pub lines: Vec<StoredLine>,
}

/// A line of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredLine {
    /// Its id, if that is not derived from the transaction's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its kind, in the contract's words.
    #[serde(rename = "type")]
    pub kind: String,
    /// Signed.
    pub amount: i64,
    /// For people.
    pub description: String,
    /// The entities that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<About>,
}

/// An entity that a line is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum About {
    /// The class, student, enrolment, …; the id of the relation is derived.
    Entity(String),
    /// The same, with a relation that has its own id.
    Related {
        /// The relation's id.
        id: String,
        /// The class, student, enrolment, …
        entity: String,
    },
}

impl From<&AggregateTransaction> for StoredEntry {
    fn from(aggregate: &AggregateTransaction) -> Self {
        let head = &aggregate.transaction;
        let id = TransactionId::parse(head.id.as_str()).ok();
        let lines = aggregate.details.iter().enumerate().map(|(position, line)| {
            let derived = id.as_ref().and_then(|id| id.detail(position));
            let about = line.related_entities.iter().enumerate().map(|(entity, related)| {
                let derived = id.as_ref().and_then(|id| id.detail_entity(position, entity));
                let entity = related.entity_id.clone();
                match derived {
                    Some(derived) if derived.as_str() == related.id => About::Entity(entity),
                    Some(_) | None => About::Related { id: related.id.clone(), entity },
                }
            });
            StoredLine {
                id: Some(&line.details.id).filter(|id| derived.is_none_or(|derived| derived.as_str() != **id)).cloned(),
                kind: line.details.kind.clone(),
                amount: line.details.amount,
                description: line.details.description.clone(),
                about: about.collect(),
            }
        });
        Self {
            id: head.id.clone(),
            kind: head.kind.clone(),
            date: head.date.clone(),
            description: head.description.clone(),
            family_name: head.family_name.clone(),
            related: head.related_transaction_id.clone(),
            order: head.order_id.clone(),
            stats: aggregate.stats,
            lines: lines.collect(),
        }
    }
}

impl StoredEntry {
    /// Whether it increases what the family owes.
    #[must_use]
    pub fn is_debit(&self) -> bool {
        self.kind == Direction::Debit.as_str()
    }

    /// What it adds to the family's balance.
    #[must_use]
    pub fn balance_change(&self) -> i64 {
        if self.is_debit() { self.stats.total } else { self.stats.total.saturating_neg() }
    }

    /// The transaction as it was posted for this family.
    #[must_use]
    pub fn expand(&self, company: &CompanyId, family: &FamilyId) -> AggregateTransaction {
        let id = TransactionId::parse(self.id.as_str()).ok();
        let details = self.lines.iter().enumerate();
        AggregateTransaction {
            aggregate_id: self.id.clone(),
            transaction: TransactionHead {
                id: self.id.clone(),
                company_id: company.to_string(),
                family_id: family.to_string(),
                family_name: self.family_name.clone(),
                related_transaction_id: self.related.clone(),
                kind: self.kind.clone(),
                date: self.date.clone(),
                description: self.description.clone(),
                order_id: self.order.clone(),
                deleted_at: None,
            },
            details: details.map(|(position, line)| self.detail(id.as_ref(), company, position, line)).collect(),
            stats: self.stats,
        }
    }

    fn detail(
        &self,
        transaction: Option<&TransactionId>,
        company: &CompanyId,
        position: usize,
        line: &StoredLine,
    ) -> DetailWithEntities {
        let derived = || transaction.and_then(|id| id.detail(position)).map(|id| id.to_string());
        let id = line.id.clone().or_else(derived).unwrap_or_default();
        let related = line.about.iter().enumerate().map(|(entity, about)| {
            let derived = || transaction.and_then(|id| id.detail_entity(position, entity)).map(|id| id.to_string());
            let (relation, entity) = match about {
                About::Entity(entity) => (derived().unwrap_or_default(), entity),
                About::Related { id, entity } => (id.clone(), entity),
            };
            RelatedEntity {
                id: relation,
                company_id: company.to_string(),
                transaction_detail_id: id.clone(),
                entity_id: entity.clone(),
            }
        });
        DetailWithEntities {
            related_entities: related.collect(),
            details: DetailHead {
                id: id.clone(),
                company_id: company.to_string(),
                transaction_id: self.id.clone(),
                kind: line.kind.clone(),
                amount: line.amount,
                description: line.description.clone(),
                deleted_at: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Ledger;
    use crate::ids::Ids;
    use classpay_domain::ledger::{Detail, DetailKind, Entry};
    use classpay_domain::money::Money;
    use jiff::civil::date;

    fn posted() -> (CompanyId, FamilyId, AggregateTransaction) {
        let (company, family) = (CompanyId::parse("co_1").unwrap(), FamilyId::parse("fml_1").unwrap());
        let detail = |kind, amount| Detail {
            kind,
            amount: Money::minor(amount),
            description: "Ballet".to_owned(),
            about: vec!["cls_1".to_owned(), "stu_1".to_owned()],
        };
        let entry = Entry {
            direction: Direction::Debit,
            on: date(2026, 9, 7),
            description: "Autumn".to_owned(),
            details: vec![detail(DetailKind::Tuition, 1000), detail(DetailKind::Tax, 200)],
        };
        let ledger = Ledger { company: &company, family: &family, family_name: "Okafor", order: None };
        let aggregate = ledger.aggregates(&[entry], &Ids::default()).unwrap().remove(0);
        (company, family, aggregate)
    }

    #[test]
    fn what_is_stored_expands_to_what_was_posted() {
        let (company, family, aggregate) = posted();
        let text = serde_json::to_string(&StoredEntry::from(&aggregate)).unwrap();
        assert!(!text.contains("trnd_") && !text.contains("trne_") && !text.contains("co_1"), "{text}");
        let read: StoredEntry = serde_json::from_str(&text).unwrap();
        assert_eq!(read.expand(&company, &family), aggregate);
    }

    #[test]
    fn ids_from_elsewhere_are_kept() {
        let (company, family, mut aggregate) = posted();
        aggregate.details[1].details.id = "trnd_theirs".to_owned();
        aggregate.details[1].related_entities[0].transaction_detail_id = "trnd_theirs".to_owned();
        aggregate.details[1].related_entities[1].transaction_detail_id = "trnd_theirs".to_owned();
        aggregate.details[0].related_entities[1].id = "trne_theirs".to_owned();
        let text = serde_json::to_string(&StoredEntry::from(&aggregate)).unwrap();
        let read: StoredEntry = serde_json::from_str(&text).unwrap();
        assert_eq!(read.expand(&company, &family), aggregate);
    }
}
