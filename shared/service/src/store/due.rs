//! What a debit still owes: its own item, because links, refunds and checkouts change it while the debit itself never
//! changes.
//!
//! Invariant: the due and reserved amounts are never negative, and each minor unit of a debit is due, reserved or
//! credited. The transaction that posts a debit also puts this item, so whatever the ledger says is owed can be
//! collected.

use classpay_domain::catalogue::Currency;
use classpay_domain::id::{CompanyId, FamilyId, TransactionId};
use classpay_domain::money::Money;

use super::StoreError;
use super::item::{Attributes, Item, Read as _};
use super::key;
use super::write::Write;

/// What a debit still owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// What can be paid now.
    pub due: Money,
    /// What a payment under way takes.
    pub reserved: Money,
    /// The currency of both amounts.
    pub currency: Currency,
}

/// The item of a new debit with this amount due.
#[must_use]
pub fn due_item(company: &CompanyId, family: &FamilyId, debit: &TransactionId, due: i64, currency: Currency) -> Item {
    Item::at(&key::due(company, debit))
        .text("cid", company.as_str())
        .text("fid", family.as_str())
        .number("amount_due", due)
        .number("amount_reserved", 0)
        .text("currency", currency.code())
}

/// What is due on a debit, read from its item.
///
/// # Errors
/// [`StoreError::Corrupt`] if an attribute is missing or of another type.
pub fn due_of(item: &Attributes) -> Result<Due, StoreError> {
    Ok(Due {
        due: Money::minor(item.number("amount_due")?),
        reserved: Money::minor(item.number("amount_reserved")?),
        currency: Currency::parse(item.text("currency")?).ok_or(StoreError::Corrupt("currency"))?,
    })
}

/// Reserves a part of what is due, on the condition that so much is due.
pub(super) fn reserve(company: &CompanyId, debit: &TransactionId, amount: i64) -> Write {
    Write::edit(key::due(company, debit)).take("amount_due", amount).add("amount_reserved", amount)
}

/// Ends a reservation: `back` of it becomes due again, the rest is credited.
pub(super) fn end_reservation(company: &CompanyId, debit: &TransactionId, reserved: i64, back: i64) -> Write {
    let write = Write::edit(key::due(company, debit)).take("amount_reserved", reserved);
    if back == 0 { write } else { write.add("amount_due", back) }
}
