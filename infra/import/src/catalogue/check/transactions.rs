//! The rules of transactions that are loaded: debits and credits from before.
//!
//! Invariant: sums are true, and no debit is credited with more than it owes: what is due on it is computed from them.

use std::collections::{BTreeMap, BTreeSet};

use classpay_domain::id::{FamilyId, TransactionId};
use classpay_domain::ledger::Direction;
use classpay_service::aggregate::{AggregateTransaction, Stats};
use jiff::civil::Date;

use super::Check;

impl Check<'_> {
    pub(super) fn transactions(&mut self) {
        let company = self.file.company.as_ref().map(|company| company.id.to_string());
        let families: BTreeSet<&FamilyId> = self.file.families.iter().map(|family| &family.id).collect();
        let (mut seen, mut stored) = (BTreeSet::new(), BTreeSet::new());
        for (index, aggregate) in self.file.transactions.iter().enumerate() {
            let at = |field: &str| format!("transactions[{index}].{field}");
            let head = &aggregate.transaction;
            self.holds(
                TransactionId::parse(head.id.as_str()).is_ok() && head.id == aggregate.aggregate_id,
                at("transaction.id"),
                "must be an id, and the aggregateId",
            );
            let is_new = seen.insert(head.id.as_str());
            self.holds(is_new, at("transaction.id"), "is there twice");
            // An entry is stored by what follows its prefix.
            let stored_by = head.id.split_once('_').map_or(head.id.as_str(), |(_, rest)| rest);
            let is_apart = !is_new || stored.insert(stored_by);
            self.holds(is_apart, at("transaction.id"), "differs from another's only before the first `_`");
            let of_company = company.as_ref().is_none_or(|company| head.company_id == *company);
            self.holds(of_company, at("transaction.companyId"), "must be this company's");
            let family = FamilyId::parse(head.family_id.as_str());
            let known = family.is_ok_and(|family| families.contains(&family) || self.gone.contains(family.as_str()));
            let what = format!(
                "there is no family {} in families: one that has left stays there, with its archivedAt",
                head.family_id
            );
            self.holds(known, at("transaction.familyId"), what);
            self.holds(head.date.parse::<Date>().is_ok(), at("transaction.date"), "must be a date like 2023-12-05");
            let direction = [Direction::Debit, Direction::Credit].map(Direction::as_str);
            self.holds(direction.contains(&head.kind.as_str()), at("transaction.type"), "must be debit or credit");
            self.holds(sums_are_true(aggregate), at("stats"), "must be the sums of the details");
            let total = aggregate.stats.total;
            self.holds(total >= 0, at("stats.total"), format!("is {total}, and a {} is not below zero", head.kind));
        }
        self.credits_fit();
    }

    /// No debit is credited with more than it owes, nor by another family's credit.
    fn credits_fit(&mut self) {
        let all = &self.file.transactions;
        let debits: BTreeMap<_, _> =
            all.iter().filter(|t| t.is_debit()).map(|t| (&t.transaction.id, &t.transaction.family_id)).collect();
        for (index, credit) in all.iter().enumerate().filter(|(_, t)| !t.is_debit()) {
            let Some(related) = &credit.transaction.related_transaction_id else { continue };
            let fits = debits.get(related).is_some_and(|family| **family == credit.transaction.family_id);
            let place = format!("transactions[{index}].transaction.relatedTransactionId");
            self.holds(fits, place, "must be a debit of the same family in this file");
        }
        let credited = credited(all);
        for (index, debit) in all.iter().enumerate().filter(|(_, t)| t.is_debit() && t.stats.total >= 0) {
            let credited = credited.get(&debit.transaction.id).copied().unwrap_or(Some(0));
            let due = credited.and_then(|credited| debit.stats.total.checked_sub(credited));
            self.holds(
                due.is_some_and(|due| due >= 0),
                format!("transactions[{index}]"),
                "is credited with more than it owes",
            );
        }
    }
}

/// What is credited to each debit, in minor units; `None` beyond 64 bits.
fn credited(all: &[AggregateTransaction]) -> BTreeMap<&String, Option<i64>> {
    let mut credited = BTreeMap::new();
    for credit in all.iter().filter(|t| !t.is_debit()) {
        if let Some(debit) = &credit.transaction.related_transaction_id {
            let sum = credited.entry(debit).or_insert(Some(0_i64));
            *sum = sum.and_then(|sum| sum.checked_add(credit.stats.total));
        }
    }
    credited
}

fn sums_are_true(aggregate: &AggregateTransaction) -> bool {
    let Stats { total, subtotal, discount_total, tax_total } = aggregate.stats;
    let details = aggregate.details.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.details.amount));
    let parts = subtotal.checked_add(discount_total).and_then(|sum| sum.checked_add(tax_total));
    details == Some(total) && parts == Some(total)
}
