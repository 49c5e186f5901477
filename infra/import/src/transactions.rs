//! Debits and credits from before.
//!
//! Invariant: each is written once, with what it does to the balance and to what is due; debits before their credits. A
//! credit pays the debit that it names as far as that is still due: what is more, as when the debit was paid by link
//! meanwhile, lowers the balance alone.

use classpay_domain::catalogue::Currency;
use classpay_domain::id::{CompanyId, FamilyId, TransactionId};
use classpay_service::aggregate::AggregateTransaction;
use classpay_service::store::key::{self, Key};
use classpay_service::store::layout::{due_item, due_of, entry_item, entry_of};
use classpay_service::store::{Commit, Consistency, Due, Guard, Item, Read as _, StoreError, Write, Writes, document};
use classpay_service::stored_entry::StoredEntry;

use crate::catalogue::{Catalogue, Note};
use crate::changes::Kind;
use crate::{Import, ImportError, MAX_DOC_BYTES, done};

/// So often a credit is written anew when what is due has changed meanwhile.
const ATTEMPTS: usize = 5;

/// What is to be done about a file's transactions.
#[derive(Debug, Default)]
pub(super) struct Planned<'a> {
    /// What is not there yet.
    pub(super) new: Vec<&'a AggregateTransaction>,
    /// The records of ids that credits lack which an earlier version has loaded.
    pub(super) missing_records: Vec<Item>,
    /// What the others say otherwise than the table.
    pub(super) notes: Vec<Note>,
    /// What is somebody else's.
    pub(super) refused: Vec<Note>,
}

/// The records that say whose a transaction of this id is: a debit, or a credit.
fn owned_by(company: &CompanyId, id: &TransactionId) -> [Key; 2] {
    [key::due(company, id), key::loaded_credit(company, id)]
}

/// That a credit is this family's.
fn loaded_credit(company: &CompanyId, family: &FamilyId, credit: &TransactionId) -> Item {
    Item::at(&key::loaded_credit(company, credit)).text("cid", company.as_str()).text("fid", family.as_str())
}

/// What a transaction of the file says otherwise than what is stored; the family's name is that of its time.
fn otherwise(at: &str, wanted: &AggregateTransaction, stored: &AggregateTransaction) -> Option<Note> {
    let (of_file, there) = (&wanted.transaction, &stored.transaction);
    let differing = [
        (of_file.kind != there.kind, "type"),
        (of_file.date != there.date, "date"),
        (of_file.description != there.description, "description"),
        (of_file.related_transaction_id != there.related_transaction_id, "relatedTransactionId"),
        (of_file.order_id != there.order_id, "orderId"),
        (StoredEntry::from(wanted).lines != StoredEntry::from(stored).lines || wanted.stats != stored.stats, "details"),
    ];
    let differing: Vec<_> = differing.iter().filter(|(is_other, _)| *is_other).map(|(_, field)| *field).collect();
    let what = format!(
        "{} is stored with {} in all, and has other {}: entries are never changed",
        there.id,
        stored.stats.total,
        differing.join(", ")
    );
    (!differing.is_empty()).then(|| Note { place: at.to_owned(), what })
}

/// DynamoDB holds no larger item.
fn refuse_too_large(id: &TransactionId, aggregate: &AggregateTransaction) -> Result<(), ImportError> {
    let bytes = document(&StoredEntry::from(aggregate)).len();
    if bytes <= MAX_DOC_BYTES {
        return Ok(());
    }
    Err(ImportError::TooLarge { kind: Kind::Transaction, id: id.to_string(), bytes })
}

impl Import<'_> {
    /// Debits and credits that are not there yet; what those that are there say otherwise; and what is somebody else's.
    pub(super) async fn new_transactions<'a>(&self, catalogue: &'a Catalogue) -> Result<Planned<'a>, ImportError> {
        let company = &catalogue.company.id;
        let all = catalogue.transactions.iter().enumerate().map(|(index, aggregate)| {
            let head = &aggregate.transaction;
            let family: FamilyId = head.family_id.parse().map_err(|_| StoreError::Corrupt("familyId"))?;
            let id: TransactionId = head.id.parse().map_err(|_| StoreError::Corrupt("id"))?;
            Ok((format!("transactions[{index}]"), family, id, aggregate))
        });
        let all = all.collect::<Result<Vec<_>, StoreError>>()?;
        let entry_key = |family: &FamilyId, id: &TransactionId| key::transaction(company, family, id.as_str());
        let keys = all.iter().map(|(_, family, id, _)| entry_key(family, id)).collect();
        let stored = self.store.get_all(keys, Consistency::Strong).await?;
        let asked = all
            .iter()
            .filter(|(_, family, id, aggregate)| !aggregate.is_debit() || !stored.contains_key(&entry_key(family, id)));
        let owned = asked.flat_map(|(_, _, id, _)| owned_by(company, id)).collect();
        let owned = self.store.get_all(owned, Consistency::Strong).await?;
        let mut planned = Planned::default();
        for (at, family, id, aggregate) in all {
            if let Some(item) = stored.get(&entry_key(&family, &id)) {
                let there = item.text("transaction_id")?;
                if there != id.as_str() {
                    let what = format!("{id} differs only before its first `_` from {there}, which is stored already");
                    planned.refused.push(Note { place: format!("{at}.transaction.id"), what });
                    continue;
                }
                planned.notes.extend(otherwise(&at, aggregate, &entry_of(item, company, &family)?));
                if !aggregate.is_debit() && !owned.contains_key(&key::loaded_credit(company, &id)) {
                    planned.missing_records.push(loaded_credit(company, &family, &id));
                }
            } else if let Some(item) = owned_by(company, &id).iter().find_map(|key| owned.get(key)) {
                let family = item.text("fid")?;
                let what = format!("{id} is stored as one of the family {family}, and is not moved");
                planned.refused.push(Note { place: format!("{at}.transaction.familyId"), what });
            } else {
                refuse_too_large(&id, aggregate)?;
                planned.new.push(aggregate);
            }
        }
        Ok(planned)
    }

    /// Writes debits and then credits, each with what it does to the balance and to what is due.
    pub(super) async fn write_transactions(
        &self,
        catalogue: &Catalogue,
        transactions: &[&AggregateTransaction],
    ) -> Result<(), ImportError> {
        let (debits, credits): (Vec<_>, Vec<_>) = transactions.iter().partition(|t| t.is_debit());
        // What has to wait keeps nothing else from being loaded.
        let mut waits = Ok(());
        for aggregate in debits.into_iter().chain(credits) {
            let company = &catalogue.company;
            match self.write_transaction(&company.id, company.settings.billing.currency, aggregate).await {
                Err(error @ ImportError::BeingPaid { .. }) => waits = Err(error),
                written => written?,
            }
        }
        waits
    }

    async fn write_transaction(
        &self,
        company: &CompanyId,
        currency: Currency,
        aggregate: &AggregateTransaction,
    ) -> Result<(), ImportError> {
        let family: FamilyId = aggregate.transaction.family_id.parse().map_err(|_| StoreError::Corrupt("familyId"))?;
        for _ in 0..ATTEMPTS {
            let posting = self.posting(company, &family, currency, aggregate).await?;
            match self.store.transact(posting).await? {
                // What is due has changed since it was read, or another import was faster.
                Commit::ConditionFailed => {
                    let entry = key::transaction(company, &family, &aggregate.transaction.id);
                    if self.store.get(&entry).await?.is_some() {
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
    ) -> Result<Writes, ImportError> {
        let (head, total) = (&aggregate.transaction, aggregate.stats.total);
        let mut writes = Writes::new();
        writes.create(entry_item(company, family, &aggregate.into()));
        if aggregate.is_debit() {
            let debit = head.id.parse().map_err(|_| StoreError::Corrupt("id"))?;
            writes.create(due_item(company, family, &debit, total, currency));
        } else {
            let credit = head.id.parse().map_err(|_| StoreError::Corrupt("id"))?;
            writes.create(loaded_credit(company, family, &credit));
        }
        if let (false, Some(debit)) = (aggregate.is_debit(), &head.related_transaction_id) {
            let debit: TransactionId = debit.parse().map_err(|_| StoreError::Corrupt("relatedTransactionId"))?;
            let due = key::due(company, &debit);
            let item = self.store.get(&due).await?.ok_or(StoreError::Corrupt("relatedTransactionId"))?;
            let Due { due: read, reserved, .. } = due_of(&item)?;
            let read = read.units();
            // What that payment doesn't bring is due again, and this credit would not have paid it.
            if !reserved.is_zero() && total > read {
                return Err(ImportError::BeingPaid { credit: head.id.clone(), debit: debit.to_string() });
            }
            writes.push(Write::edit(due).when(Guard::is("amount_due", read)).add("amount_due", -total.min(read)));
        }
        let change = if aggregate.is_debit() { total } else { -total };
        writes.push(Write::edit(key::family(company, family)).add("family_balance", change));
        Ok(writes)
    }
}
