//! Ledger entries as items of the family's ledger.
//!
//! Invariant: an entry is put once and never changed. Only this module writes and reads entries, in one form.

use classpay_domain::id::{CompanyId, FamilyId};

use super::StoreError;
use super::item::{Attributes, Item, Read as _, document};
use super::key;
use crate::aggregate::AggregateTransaction;
use crate::stored_entry::StoredEntry;

/// The item of an entry of a family's ledger.
#[must_use]
pub fn entry_item(company: &CompanyId, family: &FamilyId, entry: &StoredEntry) -> Item {
    Item::at(&key::transaction(company, family, &entry.id))
        .text("cid", company.as_str())
        .text("transaction_id", &entry.id)
        .text("doc", document(entry))
}

/// The entry that an item of a family's ledger, or a payment link, holds.
///
/// # Errors
/// [`StoreError::Corrupt`] if an attribute is missing or of another type.
pub fn entry_of(item: &Attributes, company: &CompanyId, family: &FamilyId) -> Result<AggregateTransaction, StoreError> {
    Ok(item.document::<StoredEntry>("doc")?.expand(company, family))
}
