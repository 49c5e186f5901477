//! Loads a studio into the table, and changes what changed.
//!
//! Invariant: nothing that was sold is reset. Seats move by the difference of the capacity; balances, versions,
//! enrolments, charged fees and customers stay. The same file again changes nothing. What guards a price is written
//! after what decides it, so that an import that stops in between is completed by the next.

mod families;
mod seats;
mod transactions;

use classpay_domain::id::{AccountId, CompanyId};
use serde::Deserialize;

use super::item::{Read as _, document, text};
use super::key::{self, Key};
use super::table::Consistency;
use super::table::Written;
use super::transact::{Change, MAX_ACTIONS, Transaction};
use super::{Store, StoreError};
use crate::catalogue::Catalogue;
use crate::catalogue::documents::{DiscountSchemeDoc, StudentDoc};
use crate::machine::Machine;

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
    /// Somebody changed the same item at the same time, or a reply was lost.
    #[error("the table changed while the studio was being loaded: load it again")]
    Interrupted,
}

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

fn done(written: Written) -> Result<(), ImportError> {
    match written {
        Written::Done => Ok(()),
        Written::Lost | Written::Busy | Written::Unknown => Err(ImportError::Interrupted),
    }
}

impl<M: Machine> Store<M> {
    /// Loads a studio that has been checked. How many documents were written; an enrolment, a trial or a charged fee
    /// counts as one.
    ///
    /// # Errors
    /// [`ImportError`]; what was written until then stays, and loading again completes it.
    pub async fn import(&self, catalogue: &Catalogue) -> Result<usize, ImportError> {
        self.refuse_other_currency(catalogue).await?;
        let documents = self.import_documents(catalogue).await?;
        self.import_seats(catalogue).await?;
        let of_families = self.import_families(catalogue).await?;
        self.import_transactions(catalogue).await?;
        self.import_account(catalogue).await?;
        Ok(documents + of_families)
    }

    /// Amounts are stored as numbers: another currency would make pence into yen.
    async fn refuse_other_currency(&self, catalogue: &Catalogue) -> Result<(), ImportError> {
        let Some(company) = self.get(&key::company(&catalogue.company.id)).await? else { return Ok(()) };
        // Its code alone is read: the company may be in a currency that this version doesn't sell in.
        let stored: Loaded = company.document("doc")?;
        let (loaded, wanted) = (stored.settings.billing.currency, catalogue.company.settings.billing.currency.code());
        if loaded == wanted { Ok(()) } else { Err(ImportError::OtherCurrency { loaded, wanted }) }
    }

    /// What happens on the studio's Stripe account is followed from now on; on one that it had before, still.
    async fn import_account(&self, catalogue: &Catalogue) -> Result<(), ImportError> {
        let Some(account) = &catalogue.company.settings.billing.stripe_id else { return Ok(()) };
        if self.get(&key::feed(account)).await?.is_some() {
            return Ok(());
        }
        self.remember_account(&catalogue.company.id, account).await?;
        match self.begin_feed(&catalogue.company.id, account).await? {
            Written::Done | Written::Lost => Ok(()),
            Written::Busy | Written::Unknown => Err(ImportError::Interrupted),
        }
    }

    /// A payment that was begun on an account is found there when the company has left it.
    async fn remember_account(&self, company: &CompanyId, account: &AccountId) -> Result<(), ImportError> {
        let accounts = self.load_accounts(company).await?;
        if accounts.contains(account) {
            return Ok(());
        }
        let accounts: Vec<_> = accounts.iter().chain([account]).map(AccountId::as_str).collect();
        let mut transaction = Transaction::new();
        transaction.change(
            Change::of(key::company(company))
                .update("SET accounts = :accounts")
                .value(":accounts", text(document(&accounts))),
        );
        done(self.transact(transaction).await?)
    }

    async fn import_documents(&self, catalogue: &Catalogue) -> Result<usize, ImportError> {
        let company = &catalogue.company.id;
        let wanted = documents(catalogue);
        let stored = self.get_all(wanted.iter().map(|(key, _)| key.clone()).collect(), Consistency::Strong).await?;
        let is_new =
            |(key, doc): &(Key, String)| stored.get(key).and_then(|item| item.text_if("doc")) != Some(doc.as_str());
        let mut changed = self.schemes_given_up(catalogue).await?;
        changed.extend(wanted.into_iter().filter(is_new));
        for batch in changed.chunks(MAX_ACTIONS) {
            let mut transaction = Transaction::new();
            for (key, doc) in batch {
                transaction.change(
                    Change::of(key.clone())
                        .update("SET cid = :cid, doc = :doc")
                        .value(":cid", text(company.as_str()))
                        .value(":doc", text(doc)),
                );
            }
            done(self.transact(transaction).await?)?;
        }
        Ok(changed.len())
    }

    /// The discount schemes that the file no longer has, as schemes that are not given: nothing is deleted, and one
    /// that stayed enabled would be given on, perhaps beside another of its kind.
    async fn schemes_given_up(&self, catalogue: &Catalogue) -> Result<Vec<(Key, String)>, StoreError> {
        let company = &catalogue.company.id;
        let mut given_up = Vec::new();
        for item in self.query(&key::company_pk(company), Consistency::Strong).await? {
            if !item.text("sk")?.starts_with(key::DISCOUNT) {
                continue;
            }
            let scheme: DiscountSchemeDoc = item.document("doc")?;
            if scheme.enabled && catalogue.discount_schemes.iter().all(|kept| kept.id != scheme.id) {
                let key = key::price_list(company, key::DISCOUNT, scheme.id.as_str());
                given_up.push((key, document(&DiscountSchemeDoc { enabled: false, ..scheme })));
            }
        }
        Ok(given_up)
    }
}

/// The documents of a studio with their keys, but for families. Schemes come first, so that one that takes another's
/// place is written in the same transaction.
fn documents(catalogue: &Catalogue) -> Vec<(Key, String)> {
    let company = &catalogue.company.id;
    let listed = |prefix, id: &str| key::price_list(company, prefix, id);
    let mut documents = Vec::new();
    documents.extend(catalogue.discount_schemes.iter().map(|d| (listed(key::DISCOUNT, d.id.as_str()), document(d))));
    documents.push((key::company(company), document(&catalogue.company)));
    documents.extend(catalogue.tax_rates.iter().map(|d| (listed(key::TAX, d.id.as_str()), document(d))));
    let fees = catalogue.registration_fees.iter();
    documents.extend(fees.map(|d| (listed(key::REGISTRATION_FEE, d.id.as_str()), document(d))));
    documents.extend(catalogue.holidays.iter().map(|d| (listed(key::HOLIDAY, d.id.as_str()), document(d))));
    documents.extend(catalogue.seasons.iter().map(|d| (listed(key::SEASON, d.id.as_str()), document(d))));
    documents.extend(catalogue.classes.iter().map(|d| (key::class(company, &d.id), document(d))));
    for entry in &catalogue.families {
        let of_family = |d: &StudentDoc| (key::student(company, &entry.family.id, &d.id), document(d));
        documents.extend(entry.students.iter().map(of_family));
    }
    documents
}
