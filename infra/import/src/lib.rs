//! Loads a studio's file into the table, and changes what changed.
//!
//! Read in this order: [`catalogue`] (the file, and every mistake in it), [`changes`] and [`report`] (what an office
//! reads), [`plan`] (what is stored, and what it will be), here (the order of the writes), [`copies`], [`beside`],
//! [`seats`], [`families`], [`planned_places`] and [`belongings`], [`lessons`], [`schedules`], [`transactions`], [`deleted`],
//! [`moved`], [`outstanding`].
//!
//! Invariant: nothing that was sold is reset. Seats move by the difference of the capacity; balances, versions,
//! enrolments, charged fees and customers stay. The same file again changes nothing. What guards a price is written
//! after what decides it, so that an import that stops in between is completed by the next: a checkout that has read
//! what was sold before either writes before its class's version is raised, and then was first, or fails on it.

mod archive;
mod batch;
mod belongings;
mod beside;
pub mod catalogue;
mod changes;
mod copies;
mod deleted;
mod families;
mod lessons;
mod moved;
mod outstanding;
mod plan;
mod planned;
mod planned_places;
pub mod report;
mod schedules;
mod seats;
mod spelling;
mod transactions;

use classpay_domain::id::{AccountId, CompanyId};
use classpay_service::catalogue::documents::DiscountSchemeDoc;
use classpay_service::store::{Commit, Item, Store, StoreError, Write, document, key};
use serde::Deserialize;

pub use crate::catalogue::{Catalogue, Mistake, Note, notes};
pub use crate::changes::{Changes, Extent, Kind, KindChanges, Outstanding, Overfull, Removals, TakenAway};
pub use crate::plan::Plan;

use crate::batch::Batch;
use crate::planned::Entry;

/// Why a studio was not loaded, or not wholly. Loading it again goes on where it stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The table can't be reached, or holds what can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The company is loaded in another currency, and so is all that it has sold.
    #[error(
        "company.settings.billing.currency: is {wanted}, and the company is loaded in {loaded}: its debits and payments \
         are in {loaded}, so it can't be changed"
    )]
    OtherCurrency {
        /// As the table has it.
        loaded: String,
        /// As the file has it.
        wanted: &'static str,
    },
    /// More would go than may go unasked, or another number than was asked for.
    #[error("{}", said(.much, *.total))]
    TakesAway {
        /// Of each kind of which more than a few would go: how many, of how many.
        much: Vec<(Kind, usize, usize)>,
        /// How many of all kinds.
        total: usize,
    },
    /// The table has no room for something of the file.
    #[error("{} {id}: has {bytes} bytes, and {MAX_DOC_BYTES} can be stored", .kind.names().0)]
    TooLarge {
        /// What it is.
        kind: Kind,
        /// Which.
        id: String,
        /// As it would be stored.
        bytes: usize,
    },
    /// The file is a part of the catalogue, and gives a discount beside one by the same scheme that is given.
    #[error("discountSchemes: {given} is given already, and {wanted} has the same scheme")]
    RivalSchemes {
        /// The one that is stored and not in the file.
        given: String,
        /// The one in the file.
        wanted: String,
    },
    /// The table has things under ids of the file that are not the file's.
    #[error("the table has other things than the file says, and nothing was loaded:{}", listed(.0))]
    OtherThings(Vec<Note>),
    /// A credit pays a debit that a payment which is under way pays already.
    #[error(
        "{credit}: a payment of {debit} is under way, and this would pay it too: load the file again when that has ended"
    )]
    BeingPaid {
        /// The credit, which is not loaded.
        credit: String,
        /// What it pays.
        debit: String,
    },
    /// Somebody changed the same item at the same time, or a reply was lost.
    #[error("the table changed while the studio was being loaded: load it again")]
    Interrupted,
}

/// A document with what is stored beside it. DynamoDB takes items of 400 KB.
const MAX_DOC_BYTES: usize = 384 * 1024;

/// A stored company, as far as its currency.
#[derive(Deserialize)]
struct Loaded {
    settings: LoadedSettings,
}

#[derive(Deserialize)]
struct LoadedSettings {
    billing: LoadedBilling,
}

#[derive(Deserialize)]
struct LoadedBilling {
    currency: String,
}

fn said(much: &[(Kind, usize, usize)], total: usize) -> String {
    let of_kind = |(kind, taken, before): &(Kind, usize, usize)| format!("{taken} of {before} {}", kind.names().1);
    let much = much.iter().map(of_kind).collect::<Vec<_>>().join(", ");
    let much = if much.is_empty() { much } else { format!(" ({much})") };
    format!("the file takes away {total} in all{much}, and nothing was loaded")
}

fn listed(notes: &[Note]) -> String {
    notes.iter().map(|note| format!("\n  {note}")).collect()
}

/// Amounts are stored as numbers: another currency would make pence into yen.
fn refuse_other_currency(stored: &str, catalogue: &Catalogue) -> Result<(), ImportError> {
    // Its code alone is read: the company may be in a currency that this version doesn't sell in.
    let stored: Loaded = serde_json::from_str(stored).map_err(|_| StoreError::Corrupt("doc"))?;
    let (loaded, wanted) = (stored.settings.billing.currency, catalogue.company.settings.billing.currency.code());
    if loaded == wanted { Ok(()) } else { Err(ImportError::OtherCurrency { loaded, wanted }) }
}

/// A file has no two schemes of a kind that are given, but a part of a catalogue may bring the second.
fn refuse_rival_schemes(entries: &[Entry]) -> Result<(), ImportError> {
    let mut given = std::collections::BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.kind == Kind::DiscountScheme) {
        let Some(target) = &entry.target else { continue };
        let scheme: DiscountSchemeDoc = serde_json::from_str(target).map_err(|_| StoreError::Corrupt("doc"))?;
        if scheme.enabled
            && let Some(wanted) = given.insert(scheme.kind, &entry.id)
        {
            return Err(ImportError::RivalSchemes { given: entry.id.clone(), wanted: wanted.clone() });
        }
    }
    Ok(())
}

/// What the table can't hold is reported before anything is written.
fn refuse_too_large(plan: &Plan<'_>) -> Result<(), ImportError> {
    for entry in &plan.entries {
        let bytes = plan.bytes_of(entry);
        if bytes > MAX_DOC_BYTES {
            return Err(ImportError::TooLarge { kind: entry.kind, id: entry.id.clone(), bytes });
        }
    }
    Ok(())
}

fn done(written: Commit) -> Result<(), ImportError> {
    match written {
        Commit::Done => Ok(()),
        Commit::ConditionFailed | Commit::Contended | Commit::Unknown => Err(ImportError::Interrupted),
    }
}

/// A table that a studio is loaded into.
#[derive(Debug, Clone, Copy)]
pub struct Import<'a> {
    store: &'a Store,
}

impl<'a> Import<'a> {
    /// Into this table.
    #[must_use]
    pub const fn of(store: &'a Store) -> Self {
        Self { store }
    }

    /// Does what was worked out. The classes and lessons that have more students than places since.
    ///
    /// # Errors
    /// [`ImportError::TakesAway`] before anything is written. After any other, what was written until then stays, and
    /// loading again completes it.
    pub async fn write(&self, plan: Plan<'_>) -> Result<Vec<Overfull>, ImportError> {
        if !plan.changes.is_allowed(plan.extent) {
            let much = plan.changes.much().map(|(kind, lost)| (kind, lost.taken_away.len(), lost.before)).collect();
            return Err(ImportError::TakesAway { much, total: plan.changes.taken_away() });
        }
        self.write_roll(&plan).await?;
        // A company that sells already is followed on its new account before it takes a payment there.
        if plan.entries.iter().any(|entry| entry.kind == Kind::Company && entry.stored.is_some()) {
            self.write_account(plan.catalogue).await?;
        }
        self.write_documents(&plan).await?;
        self.write_account(plan.catalogue).await?;
        self.write_seats(&plan).await?;
        self.write_families(&plan).await?;
        self.write_missing_records(&plan.missing_records).await?;
        let Plan { catalogue, belongings, late, transactions, today, .. } = plan;
        let added = self.write_belongings(&catalogue.company.id, belongings).await?;
        self.write_schedules(&late).await?;
        self.write_transactions(catalogue, &transactions).await?;
        let mut overfull = self.overfull(catalogue, &added.enrolments).await?;
        overfull.extend(self.overfull_lessons(catalogue, added.lessons, today).await?);
        Ok(overfull)
    }

    /// What the company has is listed before it is written: what isn't listed would never be missed.
    async fn write_roll(&self, plan: &Plan<'_>) -> Result<(), ImportError> {
        let mut batch = Batch::of(self.store);
        for entry in &plan.unlisted {
            let item = Item::at(entry).text("cid", plan.catalogue.company.id.as_str());
            batch.room_for(0).await?.push(Write::put(item));
        }
        batch.write().await
    }

    /// Writes the records of the ids that an earlier version has loaded, so that no other can be loaded under them.
    async fn write_missing_records(&self, missing_records: &[Item]) -> Result<(), ImportError> {
        let mut batch = Batch::of(self.store);
        for record in missing_records {
            batch.room_for(0).await?.create(record.clone());
        }
        batch.write().await
    }

    /// What happens on the studio's Stripe account is followed from now on; on one that it had before, still.
    async fn write_account(&self, catalogue: &Catalogue) -> Result<(), ImportError> {
        let Some(account) = &catalogue.company.settings.billing.stripe_id else { return Ok(()) };
        if self.store.get(&key::feed(account)).await?.is_some() {
            return Ok(());
        }
        self.remember_account(&catalogue.company.id, account).await?;
        match self.store.begin_feed(&catalogue.company.id, account).await? {
            Commit::Done | Commit::ConditionFailed => Ok(()),
            Commit::Contended | Commit::Unknown => Err(ImportError::Interrupted),
        }
    }

    /// A payment that was begun on an account is found there when the company has left it.
    async fn remember_account(&self, company: &CompanyId, account: &AccountId) -> Result<(), ImportError> {
        let accounts = self.store.load_accounts(company).await?;
        if accounts.contains(account) {
            return Ok(());
        }
        let accounts: Vec<_> = accounts.iter().chain([account]).map(AccountId::as_str).collect();
        let remembered = Write::edit(key::company(company)).set("accounts", document(&accounts));
        done(self.store.transact(remembered).await?)
    }

    async fn write_documents(&self, plan: &Plan<'_>) -> Result<(), ImportError> {
        let written = plan.entries.iter().filter(|entry| entry.kind != Kind::Family && plan.is_written(entry));
        let mut batch = Batch::of(self.store);
        for entry in written {
            let write = match &entry.target {
                Some(doc) => {
                    let company = plan.catalogue.company.id.as_str();
                    let write = Write::edit(entry.key.clone()).set("cid", company).set("doc", doc.as_str());
                    plan.beside(entry).fold(write, |write, (name, value)| write.set(name, value))
                }
                // Only what a file says and no sale names is removed; what was recorded stays.
                None => Write::delete(entry.key.clone()),
            };
            batch.room_for(plan.bytes_of(entry)).await?.push(write);
        }
        batch.write().await
    }
}
