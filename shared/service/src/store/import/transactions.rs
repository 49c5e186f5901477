//! Debits and credits from before.
//!
//! Invariant: each is written once, with what it does to the balance and to what is due; debits before their credits. A
//! credit pays the debit that it names as far as that is still due: what is more, as when the debit was paid by link
//! meanwhile, lowers the balance alone.

use classpay_domain::catalogue::Currency;
use classpay_domain::id::{CompanyId, FamilyId};

use super::super::due::{due_item, due_of};
use super::super::entries::entry_item;
use super::super::item::number;
use super::super::key;
use super::super::table::{Consistency, Written};
use super::super::transact::{Change, Transaction};
use super::super::{Store, StoreError};
use super::{ImportError, done};
use crate::aggregate::AggregateTransaction;
use crate::catalogue::Catalogue;
use crate::machine::Machine;

/// So often a credit is written anew when what is due has changed meanwhile.
const ATTEMPTS: usize = 5;

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
        let family: FamilyId = aggregate.transaction.family_id.parse().map_err(|_| StoreError::Corrupt("familyId"))?;
        for _ in 0..ATTEMPTS {
            let posting = self.posting(company, &family, currency, aggregate).await?;
            match self.transact(posting).await? {
                // What is due has changed since it was read, or another import was faster.
                Written::Lost => {
                    let entry = key::transaction(company, &family, &aggregate.transaction.id);
                    if self.get(&entry).await?.is_some() {
                        return Ok(());
                    }
                }
                written => return done(written),
            }
        }
        Err(ImportError::Interrupted)
    }

    async fn posting(
        &self,
        company: &CompanyId,
        family: &FamilyId,
        currency: Currency,
        aggregate: &AggregateTransaction,
    ) -> Result<Transaction, ImportError> {
        let (head, total) = (&aggregate.transaction, aggregate.stats.total);
        let mut transaction = Transaction::new();
        transaction.create(entry_item(company, family, &aggregate.into()));
        if aggregate.is_debit() {
            let debit = head.id.parse().map_err(|_| StoreError::Corrupt("id"))?;
            transaction.create(due_item(company, family, &debit, total, currency));
        } else if let Some(debit) = &head.related_transaction_id {
            let debit = debit.parse().map_err(|_| StoreError::Corrupt("relatedTransactionId"))?;
            let due = key::due(company, &debit);
            let item = self.get(&due).await?.ok_or(StoreError::Corrupt("relatedTransactionId"))?;
            let read = due_of(&item)?.due.units();
            let pay = Change::of(due).update("SET amount_due = amount_due - :credited").only_if("amount_due = :read");
            transaction.change(pay.value(":credited", number(total.min(read))).value(":read", number(read)));
        }
        let change = if aggregate.is_debit() { total } else { -total };
        let balance = Change::of(key::family(company, family)).update("ADD family_balance :change");
        transaction.change(balance.value(":change", number(change)));
        Ok(transaction)
    }
}
