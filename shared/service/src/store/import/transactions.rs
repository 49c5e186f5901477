//! Debits and credits from before.
//!
//! Invariant: each is written once, with what it does to the balance and to what is due; debits before their credits.

use classpay_domain::catalogue::Currency;
use classpay_domain::id::{CompanyId, FamilyId};

use super::super::due::due_item;
use super::super::entries::entry_item;
use super::super::item::number;
use super::super::key;
use super::super::table::Consistency;
use super::super::transact::{Change, Transaction};
use super::super::{Store, StoreError};
use super::{ImportError, done};
use crate::aggregate::AggregateTransaction;
use crate::catalogue::Catalogue;
use crate::machine::Machine;

impl<M: Machine> Store<M> {
    /// Debits and credits that are not there yet.
    pub(super) async fn new_transactions<'a>(
        &self,
        catalogue: &'a Catalogue,
    ) -> Result<Vec<&'a AggregateTransaction>, StoreError> {
        let keyed = |aggregate: &'a AggregateTransaction| {
            let family: FamilyId =
                aggregate.transaction.family_id.parse().map_err(|_| StoreError::Corrupt("familyId"))?;
            Ok((key::transaction(&catalogue.company.id, &family, &aggregate.transaction.id), aggregate))
        };
        let all = catalogue.transactions.iter().map(keyed).collect::<Result<Vec<_>, StoreError>>()?;
        let stored = self.get_all(all.iter().map(|(key, _)| key.clone()).collect(), Consistency::Strong).await?;
        Ok(all.into_iter().filter(|(key, _)| !stored.contains_key(key)).map(|(_, aggregate)| aggregate).collect())
    }

    /// Writes debits and then credits, each with what it does to the balance and to what is due.
    pub(super) async fn import_transactions(
        &self,
        catalogue: &Catalogue,
        transactions: &[&AggregateTransaction],
    ) -> Result<(), ImportError> {
        let (debits, credits): (Vec<_>, Vec<_>) = transactions.iter().partition(|t| t.is_debit());
        for aggregate in debits.into_iter().chain(credits) {
            let company = &catalogue.company;
            self.import_transaction(&company.id, company.settings.billing.currency, aggregate).await?;
        }
        Ok(())
    }

    async fn import_transaction(
        &self,
        company: &CompanyId,
        currency: Currency,
        aggregate: &AggregateTransaction,
    ) -> Result<(), ImportError> {
        let head = &aggregate.transaction;
        let family: FamilyId = head.family_id.parse().map_err(|_| StoreError::Corrupt("familyId"))?;
        let total = aggregate.stats.total;
        let mut transaction = Transaction::new();
        transaction.create(entry_item(company, &family, &aggregate.into()));
        if aggregate.is_debit() {
            let debit = head.id.parse().map_err(|_| StoreError::Corrupt("id"))?;
            transaction.create(due_item(company, &family, &debit, total, currency));
        } else if let Some(debit) = &head.related_transaction_id {
            let debit = debit.parse().map_err(|_| StoreError::Corrupt("relatedTransactionId"))?;
            let due = Change::of(key::due(company, &debit)).update("SET amount_due = amount_due - :credited");
            transaction.change(due.only_if("amount_due >= :credited").value(":credited", number(total)));
        }
        let change = if aggregate.is_debit() { total } else { -total };
        let balance = Change::of(key::family(company, &family)).update("ADD family_balance :change");
        transaction.change(balance.value(":change", number(change)));
        done(self.transact(transaction).await?)
    }
}
