//! Loads a studio into the table, and changes what changed.
//!
//! Invariant: nothing that was sold is reset. Seats move by the difference of the capacity; balances, versions,
//! enrolments and customers stay. The same file again changes nothing.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_domain::catalogue::RegistrationStatus;
use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::{CompanyId, FamilyId};

use super::item::{Attributes, Item, Read as _, document, number, text};
use super::key::{self, Key};
use super::orders::{enrolment_item, place_item, trial_item};
use super::read::Consistency;
use super::transact::{Change, MAX_ACTIONS, Transaction, Written};
use super::{Store, StoreError};
use crate::aggregate::AggregateTransaction;
use crate::catalogue::documents::{ClassDoc, EnrolmentEntry, SeasonDoc, TrialEntry};
use crate::catalogue::{Catalogue, FamilyEntry};
use crate::snapshot::{BookedEnrolment, BookedTrial};

/// Why a studio was not loaded, or not wholly. Loading it again goes on where it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The table can't be reached, or holds what can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody changed the same item at the same time, or a reply was lost.
    #[error("the table changed while the studio was being loaded: load it again")]
    Interrupted,
}

fn done(written: Written) -> Result<(), ImportError> {
    match written {
        Written::Done => Ok(()),
        Written::Lost | Written::Busy | Written::Unknown => Err(ImportError::Interrupted),
    }
}

impl Store {
    /// Loads a studio that has been checked. How many documents were written.
    ///
    /// # Errors
    /// [`ImportError`]; what was written until then stays, and loading again completes it.
    pub async fn import(&self, catalogue: &Catalogue) -> Result<usize, ImportError> {
        let company = &catalogue.company.id;
        let wanted = documents(catalogue);
        let stored = self.get_all(wanted.iter().map(|(key, _)| key.clone()).collect(), Consistency::Strong).await?;
        let changed: Vec<_> = wanted
            .into_iter()
            .filter(|(key, doc)| stored.get(key).and_then(|item| item.text_if("doc")) != Some(doc))
            .collect();
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
        self.import_seats(catalogue).await?;
        let family_key = |entry: &FamilyEntry| key::family(company, &entry.family.id);
        let stored = self.get_all(catalogue.families.iter().map(family_key).collect(), Consistency::Strong).await?;
        let mut families_changed = 0;
        for entry in &catalogue.families {
            let doc = document(&entry.family);
            if stored.get(&family_key(entry)).and_then(|item| item.text_if("doc")) != Some(&doc) {
                self.import_family(company, entry, doc).await?;
                families_changed += 1;
            }
            self.import_places(catalogue, entry).await?;
        }
        self.import_transactions(catalogue).await?;
        Ok(changed.len() + families_changed)
    }

    async fn import_seats(&self, catalogue: &Catalogue) -> Result<(), ImportError> {
        let company = &catalogue.company.id;
        let seasons: BTreeMap<_, _> = catalogue.seasons.iter().map(|season| (&season.id, season)).collect();
        let keys = catalogue.classes.iter().map(|class| key::seats(company, &class.id)).collect();
        let stored = self.get_all(keys, Consistency::Strong).await?;
        let for_all = prices_of_company(catalogue);
        for class in &catalogue.classes {
            let Some(season) = seasons.get(&class.season_id) else { continue };
            let mut from = for_all.clone();
            from.text(&document(season)).text(&document(class));
            let offer =
                Offer { places: class.places(), on_sale: is_on_sale(class, season), priced_from: from.finish_hex() };
            let seats = key::seats(company, &class.id);
            match stored.get(&seats) {
                None => self.create_seats(company, &seats, &offer).await?,
                Some(item) if item.text_if("priced_from") == Some(&offer.priced_from) => {}
                Some(item) => self.change_seats(&seats, item, &offer).await?,
            }
        }
        Ok(())
    }

    async fn create_seats(&self, company: &CompanyId, key: &Key, offer: &Offer) -> Result<(), ImportError> {
        let mut item = Item::at(key)
            .text("cid", company.as_str())
            .number("seats_left", offer.places.unwrap_or(0))
            .number("price_version", 1)
            .flag("on_sale", offer.on_sale)
            .text("priced_from", &offer.priced_from);
        if let Some(places) = offer.places {
            item = item.number("seats_total", places);
        }
        let mut transaction = Transaction::new();
        transaction.create(item);
        done(self.transact(transaction).await?)
    }

    async fn change_seats(&self, key: &Key, item: &Attributes, offer: &Offer) -> Result<(), ImportError> {
        let before: Option<i64> = item.number_if("seats_total")?;
        let after = offer.places.map(i64::from);
        let version: u64 = item.number("price_version")?;
        let total = if after.is_some() { "seats_total = :total," } else { "" };
        let forget = if after.is_some() { "" } else { " REMOVE seats_total" };
        let mut change = Change::of(key.clone())
            .update(format!(
                "SET {total} on_sale = :on_sale, price_version = :next, priced_from = :from, \
                 seats_left = seats_left + :more{forget}"
            ))
            .only_if("price_version = :version")
            .value(":on_sale", AttributeValue::Bool(offer.on_sale))
            .value(":from", text(&offer.priced_from))
            .value(":next", number(version + 1))
            .value(":version", number(version))
            .value(":more", number(after.unwrap_or(0) - before.unwrap_or(0)));
        if let Some(after) = after {
            change = change.value(":total", number(after));
        }
        let mut transaction = Transaction::new();
        transaction.change(change);
        done(self.transact(transaction).await?)
    }

    /// A family's document changes; its balance, version and customer are given to it once.
    async fn import_family(&self, company: &CompanyId, entry: &FamilyEntry, doc: String) -> Result<(), ImportError> {
        let change = Change::of(key::family(company, &entry.family.id))
            .update(
                "SET cid = :cid, doc = :doc, family_balance = if_not_exists(family_balance, :zero), \
                 family_version = if_not_exists(family_version, :zero) + :one",
            )
            .value(":cid", text(company.as_str()))
            .value(":doc", text(doc))
            .value(":zero", number(0))
            .value(":one", number(1));
        let mut transaction = Transaction::new();
        transaction.change(change);
        done(self.transact(transaction).await?)
    }

    /// Enrolments and trials that are not there yet, each with its seat.
    async fn import_places(&self, catalogue: &Catalogue, entry: &FamilyEntry) -> Result<(), ImportError> {
        let (company, family) = (&catalogue.company.id, &entry.family.id);
        let classes: HashMap<_, _> = catalogue.classes.iter().map(|class| (&class.id, class)).collect();
        for enrolment in &entry.enrolments {
            let Some(class) = classes.get(&enrolment.class_id) else { continue };
            let booked = booked_enrolment(enrolment, class);
            let key = key::enrolment(company, family, &enrolment.student_id, &enrolment.class_id);
            let mut transaction = Transaction::new();
            transaction.create(enrolment_item(place_item(&key, company, "ACTIVE"), &booked));
            let seat = Change::of(key::seats(company, &enrolment.class_id));
            transaction.change(seat.update("ADD seats_left :one_less").value(":one_less", number(-1)));
            unless_there(self.transact(transaction).await?)?;
        }
        for trial in &entry.trials {
            let key = key::trial(company, family, &trial.student_id, &trial.class_id);
            let mut transaction = Transaction::new();
            transaction.create(trial_item(place_item(&key, company, "ACTIVE"), &booked_trial(trial)));
            let lesson = Change::of(key::lesson(company, &trial.class_id, trial.trial_at))
                .update("ADD trials_booked :one SET cid = :cid")
                .value(":one", number(1))
                .value(":cid", text(company.as_str()));
            transaction.change(lesson);
            unless_there(self.transact(transaction).await?)?;
        }
        Ok(())
    }
}

impl Store {
    /// Debits and then credits that are not there yet, each with what it does to the balance and to what is due.
    async fn import_transactions(&self, catalogue: &Catalogue) -> Result<(), ImportError> {
        let (debits, credits): (Vec<_>, Vec<_>) = catalogue.transactions.iter().partition(|t| t.is_debit());
        for aggregate in debits.into_iter().chain(credits) {
            self.import_transaction(&catalogue.company.id, aggregate).await?;
        }
        Ok(())
    }

    async fn import_transaction(
        &self,
        company: &CompanyId,
        aggregate: &AggregateTransaction,
    ) -> Result<(), ImportError> {
        let head = &aggregate.transaction;
        let family: FamilyId = head.family_id.parse().map_err(|_| StoreError::Corrupt("familyId"))?;
        let total = aggregate.stats.total;
        let posted = key::transaction(company, &family, &head.id);
        if self.get(&posted).await?.is_some() {
            return Ok(());
        }
        let mut transaction = Transaction::new();
        let item = Item::at(&posted).text("cid", company.as_str());
        transaction.create(item.text("transaction_id", &head.id).text("doc", document(aggregate)));
        if aggregate.is_debit() {
            let debit = head.id.parse().map_err(|_| StoreError::Corrupt("id"))?;
            let item = Item::at(&key::due(company, &debit)).text("cid", company.as_str());
            transaction.create(item.text("fid", family.as_str()).number("amount_due", total));
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

/// What is there already was loaded or sold before: it stays as it is.
fn unless_there(written: Written) -> Result<(), ImportError> {
    match written {
        Written::Done | Written::Lost => Ok(()),
        Written::Busy | Written::Unknown => Err(ImportError::Interrupted),
    }
}

/// What a class's seats say of what it is sold for.
struct Offer {
    places: Option<u32>,
    on_sale: bool,
    /// The digest of every document that decides its price: an import that was interrupted finds what it left.
    priced_from: String,
}

/// What decides the prices of all classes.
fn prices_of_company(catalogue: &Catalogue) -> Fingerprint {
    let mut digest = Fingerprint::new("offer");
    digest.text(&document(&catalogue.company));
    catalogue.tax_rates.iter().for_each(|rate| {
        digest.text(&document(rate));
    });
    catalogue.holidays.iter().for_each(|holiday| {
        digest.text(&document(holiday));
    });
    digest
}

fn is_on_sale(class: &ClassDoc, season: &SeasonDoc) -> bool {
    season.registration_status == RegistrationStatus::Open && class.settings.portal_enrolment_enabled
}

fn booked_enrolment(entry: &EnrolmentEntry, class: &ClassDoc) -> BookedEnrolment {
    BookedEnrolment {
        id: entry.id.clone(),
        student: entry.student_id.clone(),
        class: entry.class_id.clone(),
        season: class.season_id.clone(),
        plan: entry.pricing_plan_id.clone(),
        schedule: Vec::new(),
    }
}

fn booked_trial(entry: &TrialEntry) -> BookedTrial {
    BookedTrial {
        id: entry.id.clone(),
        student: entry.student_id.clone(),
        class: entry.class_id.clone(),
        on: entry.trial_at,
        at: entry.time,
        places: None,
    }
}

/// The documents of a studio with their keys, but for families.
fn documents(catalogue: &Catalogue) -> Vec<(Key, String)> {
    let company = &catalogue.company.id;
    let listed = |prefix, id: &str| key::price_list(company, prefix, id);
    let mut documents = vec![(key::company(company), document(&catalogue.company))];
    documents.extend(catalogue.tax_rates.iter().map(|d| (listed(key::TAX, d.id.as_str()), document(d))));
    documents.extend(catalogue.holidays.iter().map(|d| (listed(key::HOLIDAY, d.id.as_str()), document(d))));
    documents.extend(catalogue.seasons.iter().map(|d| (listed(key::SEASON, d.id.as_str()), document(d))));
    documents.extend(catalogue.classes.iter().map(|d| (key::class(company, &d.id), document(d))));
    for entry in &catalogue.families {
        let of_family =
            |d: &crate::catalogue::documents::StudentDoc| (key::student(company, &entry.family.id, &d.id), document(d));
        documents.extend(entry.students.iter().map(of_family));
    }
    documents
}
