//! What is left of each class, and the version that guards its price.
//!
//! Invariant: seats move by the difference of the capacity; the version is raised when anything that decides the
//! class's price differs from what it was last raised for, and only then.

use std::collections::BTreeMap;

use classpay_domain::catalogue::RegistrationStatus;
use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::{CompanyId, SeasonId};
use classpay_service::catalogue::documents::{ClassDoc, SeasonDoc};
use classpay_service::store::key::{self, Key};
use classpay_service::store::layout::MOVED;
use classpay_service::store::{
    Attributes, Commit, Consistency, Guard, Item, MAX_ACTIONS, Read as _, StoreError, Write, Writes,
};
use futures_util::future::try_join_all;

use crate::archive::Head;
use crate::batch::Batch;
use crate::belongings::AddedEnrolment;
use crate::catalogue::Catalogue;
use crate::changes::{Kind, Overfull};
use crate::plan::Plan;
use crate::planned::{PlannedClass, PlannedSeason};
use crate::{Import, ImportError, done};

/// So many transactions of changes are written at a time.
const AT_A_TIME: usize = 4;

impl Import<'_> {
    /// Makes and changes what guards prices and places.
    pub(super) async fn write_seats(&self, plan: &Plan<'_>) -> Result<(), ImportError> {
        let company = &plan.catalogue.company.id;
        let keys = plan.classes.iter().map(|class| key::seats(company, &class.doc.id)).collect();
        let stored = self.store.get_all(keys, Consistency::Strong).await?;
        let seasons = prices_of_seasons(plan)?;
        let (mut new, mut changed) = (Batch::of(self.store), Vec::new());
        for class in &plan.classes {
            let Some((season, prices)) = seasons.get(&class.doc.season_id) else { continue };
            let offer = Offer::of(class, season, prices);
            let seats = key::seats(company, &class.doc.id);
            match stored.get(&seats) {
                None => new.room_for(0).await?.create(new_seats(company, &seats, &offer)),
                Some(item) if item.text_if("priced_from") == Some(&offer.priced_from) => continue,
                Some(item) => changed.push(change_of_seats(seats, item, &offer)?),
            }
        }
        new.write().await?;
        for changes in changed.chunks(MAX_ACTIONS * AT_A_TIME) {
            try_join_all(changes.chunks(MAX_ACTIONS).map(|changes| self.change_seats(changes))).await?;
        }
        Ok(())
    }

    /// Changes them together; one by one if somebody else is at one of them meanwhile, so that only that one is in his way.
    async fn change_seats(&self, changes: &[Write]) -> Result<(), ImportError> {
        match self.store.transact(changes.iter().cloned().collect::<Writes>()).await? {
            Commit::ConditionFailed | Commit::Contended if changes.len() > 1 => {
                for change in changes {
                    done(self.store.transact(change.clone()).await?)?;
                }
                Ok(())
            }
            written => done(written),
        }
    }

    /// Which of these classes have more students than places: a capacity was lowered below what is sold, or the file has
    /// brought enrolments of its own. Nobody is thrown out. What is left is counted below zero then, as what is sold less
    /// what there is, and a place that comes free brings it up by one: so the class sells nothing before it is above zero
    /// again, and `seats_left` and the places that are taken always sum to the capacity.
    pub(super) async fn overfull(
        &self,
        catalogue: &Catalogue,
        added: &[AddedEnrolment],
    ) -> Result<Vec<Overfull>, ImportError> {
        let company = &catalogue.company.id;
        let keys = catalogue.classes.iter().map(|class| key::seats(company, &class.id)).collect();
        let stored = self.store.get_all(keys, Consistency::Strong).await?;
        let mut overfull = Vec::new();
        for class in &catalogue.classes {
            let Some(item) = stored.get(&key::seats(company, &class.id)) else { continue };
            let (left, places): (i64, Option<i64>) = (item.number("seats_left")?, item.number_if("seats_total")?);
            let Some(places) = places.filter(|_| left < 0) else { continue };
            let of_class = added.iter().filter(|enrolment| enrolment.class == class.id);
            overfull.push(Overfull {
                class: class.id.to_string(),
                name: class.name.clone(),
                on: None,
                places,
                taken: places - left,
                added: of_class.map(|enrolment| (enrolment.student.clone(), enrolment.id.clone())).collect(),
            });
        }
        Ok(overfull)
    }
}

fn change_of_seats(key: Key, item: &Attributes, offer: &Offer) -> Result<Write, StoreError> {
    let before: Option<i64> = item.number_if("seats_total")?;
    let after = offer.places.map(i64::from);
    let version: u64 = item.number("price_version")?;
    let change = Write::edit(key)
        .when(Guard::is("price_version", version))
        .set("price_version", version + 1)
        .set("priced_from", offer.priced_from.as_str())
        .set("on_sale", offer.on_sale)
        .add("seats_left", after.unwrap_or(0) - before.unwrap_or(0));
    Ok(match after {
        Some(after) => change.set("seats_total", after),
        None => change.clear("seats_total"),
    })
}

fn new_seats(company: &CompanyId, key: &Key, offer: &Offer) -> Item {
    let item = Item::at(key)
        .text("cid", company.as_str())
        .number("seats_left", offer.places.unwrap_or(0))
        .number("price_version", 1)
        .flag("on_sale", offer.on_sale)
        .text("priced_from", &offer.priced_from);
    match offer.places {
        Some(places) => item.number("seats_total", places),
        None => item,
    }
}

/// What a class's seats say of what it is sold for.
struct Offer {
    places: Option<u32>,
    on_sale: bool,
    /// The digest of every document that decides its price: an import that was interrupted finds what it left.
    priced_from: String,
}

impl Offer {
    /// An archived class is sold to nobody: no price of it changes any more. Its version is raised when it is archived, so
    /// that a checkout, also one of staff, which has read it before doesn't go through.
    fn of(class: &PlannedClass, season: &PlannedSeason, prices: &Fingerprint) -> Self {
        let mut from = match class.doc.archived_at {
            Some(_) => Fingerprint::new("archived"),
            None => prices.clone(),
        };
        from.text(&class.text);
        Self {
            places: class.doc.places(),
            on_sale: is_on_sale(&class.doc, &season.doc),
            priced_from: from.finish_hex(),
        }
    }
}

/// What decides the prices of each season's classes.
fn prices_of_seasons<'a>(
    plan: &'a Plan<'_>,
) -> Result<BTreeMap<&'a SeasonId, (&'a PlannedSeason, Fingerprint)>, StoreError> {
    let for_all = prices_of_company(plan)?;
    let of_season = |season: &'a PlannedSeason| {
        let mut prices = for_all.clone();
        prices.text(&season.text);
        plan.beside.get(&season.key).into_iter().flat_map(BTreeMap::values).for_each(|list| {
            prices.text(list);
        });
        (season, prices)
    };
    Ok(plan.seasons.iter().map(|(id, season)| (id, of_season(season))).collect())
}

/// What decides the prices of all classes: not what is archived. Fees stand in their seasons' documents.
fn prices_of_company(plan: &Plan<'_>) -> Result<Fingerprint, StoreError> {
    let decides = [Kind::TaxRate, Kind::Holiday, Kind::DiscountScheme];
    let mut deciding = BTreeMap::new();
    for entry in &plan.entries {
        let Some(target) = &entry.target else { continue };
        if entry.kind == Kind::Company || decides.contains(&entry.kind) && !Head::of(target)?.is_archived() {
            deciding.insert(&entry.key, target);
        }
    }
    let mut digest = Fingerprint::new("offer");
    deciding.into_values().for_each(|text| {
        digest.text(text);
    });
    // What was sold of a class that has moved counts in one season more and in another no more.
    plan.beside.values().filter_map(|attributes| attributes.get(MOVED)).for_each(|classes| {
        digest.text(classes);
    });
    Ok(digest)
}

fn is_on_sale(class: &ClassDoc, season: &SeasonDoc) -> bool {
    let is_archived = class.archived_at.is_some() || season.archived_at.is_some();
    let is_open = season.registration_status == RegistrationStatus::Open && season.registration_open;
    is_open && !is_archived && class.settings.portal_enrolment_enabled
}
