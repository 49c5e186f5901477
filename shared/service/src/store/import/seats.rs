//! What is left of each class, and the version that guards its price.
//!
//! Invariant: seats move by the difference of the capacity; the version is raised when anything that decides the
//! class's price differs from what it was last raised for, and only then.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_domain::catalogue::RegistrationStatus;
use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::CompanyId;

use super::super::Store;
use super::super::item::{Attributes, Item, Read as _, document, number, text};
use super::super::key::{self, Key};
use super::super::table::Consistency;
use super::super::transact::{Change, Transaction};
use super::{ImportError, done};
use crate::catalogue::Catalogue;
use crate::catalogue::documents::{ClassDoc, SeasonDoc};
use crate::machine::Machine;

impl<M: Machine> Store<M> {
    pub(super) async fn import_seats(&self, catalogue: &Catalogue) -> Result<(), ImportError> {
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
}

/// What a class's seats say of what it is sold for.
struct Offer {
    places: Option<u32>,
    on_sale: bool,
    /// The digest of every document that decides its price: an import that was interrupted finds what it left.
    priced_from: String,
}

/// What decides the prices of all classes. Fees stand in their seasons' documents.
fn prices_of_company(catalogue: &Catalogue) -> Fingerprint {
    let mut digest = Fingerprint::new("offer");
    digest.text(&document(&catalogue.company));
    catalogue.tax_rates.iter().for_each(|rate| {
        digest.text(&document(rate));
    });
    catalogue.holidays.iter().for_each(|holiday| {
        digest.text(&document(holiday));
    });
    catalogue.discount_schemes.iter().for_each(|scheme| {
        digest.text(&document(scheme));
    });
    digest
}

fn is_on_sale(class: &ClassDoc, season: &SeasonDoc) -> bool {
    season.registration_status == RegistrationStatus::Open && class.settings.portal_enrolment_enabled
}
