//! The catalogue and the family, as one parallel read.
//!
//! Invariant: a family to which the caller has no access is read like any other and then not found, so that neither the
//! answer nor its timing reveals whether it exists.

use std::collections::BTreeMap;

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{
    ChargedFee, Class, ClassOnSale, Company, DiscountKind, DiscountScheme, Enrolment, Family, FeePeriod, Holiday,
    Season, Seats, Student, Studio, TaxRate, TrialBooking, TrialState,
};
use classpay_domain::id::{AccountId, ClassId, CompanyId, FamilyId, SeasonId};
use classpay_domain::money::Money;
use jiff::civil::Date;
use tokio::try_join;

use super::bookings::ENDING_ORDER;
use super::customers::customer_of;
use super::fees::{CHARGED, RELEASED};
use super::item::{Attributes, Read as _};
use super::key::{self, Key, META};
use super::place_state::{ACTIVE, CANCELLED, RESERVED};
use super::sold::{SoldClasses, settle_fees};
use super::table::Consistency;
use super::versions::seats_of;
use super::{Store, StoreError};
use crate::catalogue::documents::{
    ClassDoc, CompanyDoc, DiscountSchemeDoc, FamilyDoc, HolidayDoc, SeasonDoc, StudentDoc, TaxRateDoc,
};
use crate::scope::{Access, FamilyScope};
use crate::snapshot::BookedTrial;
use crate::stripe::KnownCustomer;

/// The data that a quote is computed from, and that its answer shows.
#[derive(Debug, Clone)]
pub struct LoadedStudio {
    /// What determines the price.
    pub studio: Studio,
    /// The seasons in full.
    pub seasons: BTreeMap<SeasonId, SeasonDoc>,
    /// The family's Stripe customer.
    pub customer: KnownCustomer,
}

impl Store {
    /// Everything that a quote for this basket needs; `None`: there is no such family that the caller has access to.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached, or what it holds can't be read.
    pub async fn load_studio(&self, scope: &FamilyScope, basket: &Basket) -> Result<Option<LoadedStudio>, StoreError> {
        self.read_studio(scope, basket, Consistency::Eventual).await
    }

    /// The same, read consistently: for anything that is refused or charged because of it.
    ///
    /// # Errors
    /// As [`Store::load_studio`].
    pub async fn load_current_studio(
        &self,
        scope: &FamilyScope,
        basket: &Basket,
    ) -> Result<Option<LoadedStudio>, StoreError> {
        self.read_studio(scope, basket, Consistency::Strong).await
    }

    async fn read_studio(
        &self,
        scope: &FamilyScope,
        basket: &Basket,
        consistency: Consistency,
    ) -> Result<Option<LoadedStudio>, StoreError> {
        let FamilyScope { company, family, .. } = scope;
        let (company_pk, family_pk) = (key::company_pk(company), key::family_pk(company, family));
        let (price_list, members, classes) = try_join!(
            self.query(&company_pk, consistency),
            self.query(&family_pk, consistency),
            self.get_all(class_keys(company, basket), consistency),
        )?;
        if scope.access == Access::Hidden {
            return Ok(None);
        }
        let (Some(list), Some(mut household)) = (PriceList::read(&price_list)?, Household::read(family, &members)?)
        else {
            return Ok(None);
        };
        list.sold.settle(&mut household.family.enrolments);
        settle_fees(&mut household.family.charged_fees);
        let mut on_sale = BTreeMap::new();
        for class in basket.classes() {
            if let Some(found) = class_on_sale(company, class, basket, &classes)? {
                on_sale.insert(class.clone(), found);
            }
        }
        let studio = Studio {
            company: list.company,
            tax_rates: list.tax_rates.into_iter().map(|rate| (rate.id.clone(), rate)).collect(),
            discount_schemes: list.discount_schemes,
            holidays: list.holidays,
            seasons: list.seasons,
            classes: on_sale,
            family: household.family,
        };
        Ok(Some(LoadedStudio { studio, seasons: list.season_docs, customer: household.customer }))
    }

    /// The Stripe account of a company.
    pub async fn load_account(&self, company: &CompanyId) -> Result<Option<AccountId>, StoreError> {
        let Some(item) = self.get(&key::company(company)).await? else { return Ok(None) };
        let company: CompanyDoc = item.document("doc")?;
        Ok(company.settings.billing.stripe_id)
    }

    /// The Stripe accounts that a company has had, in the order in which its files named them.
    pub async fn load_accounts(&self, company: &CompanyId) -> Result<Vec<AccountId>, StoreError> {
        let Some(item) = self.get(&key::company(company)).await? else { return Ok(Vec::new()) };
        if !item.contains_key("accounts") {
            return Ok(Vec::new());
        }
        let accounts: Vec<String> = item.document("accounts")?;
        accounts.iter().map(|id| id.parse().map_err(|_| StoreError::Corrupt("accounts"))).collect()
    }
}

fn lesson_days<'a>(basket: &'a Basket, class: &'a ClassId) -> impl Iterator<Item = Date> {
    basket.trials().iter().filter(move |trial| trial.class == *class).map(|trial| trial.on)
}

fn class_keys(company: &CompanyId, basket: &Basket) -> Vec<Key> {
    let of_class = |class: &ClassId| {
        let lessons = lesson_days(basket, class).map(|on| key::lesson(company, class, on));
        [key::class(company, class), key::seats(company, class)].into_iter().chain(lessons).collect::<Vec<_>>()
    };
    basket.classes().into_iter().flat_map(of_class).collect()
}

fn class_on_sale(
    company: &CompanyId,
    class: &ClassId,
    basket: &Basket,
    items: &std::collections::HashMap<Key, Attributes>,
) -> Result<Option<ClassOnSale>, StoreError> {
    let (Some(doc), Some(seats)) = (items.get(&key::class(company, class)), items.get(&key::seats(company, class)))
    else {
        return Ok(None);
    };
    let doc: ClassDoc = doc.document("doc")?;
    let mut trials_booked = BTreeMap::new();
    for on in lesson_days(basket, class) {
        if let Some(lesson) = items.get(&key::lesson(company, class, on)) {
            trials_booked.insert(on, lesson.number("trials_booked")?);
        }
    }
    let seats: Seats = seats_of(seats)?;
    Ok(Some(ClassOnSale { class: converted::<_, Class>(&doc)?, seats, trials_booked }))
}

fn converted<'a, D, T: TryFrom<&'a D>>(doc: &'a D) -> Result<T, StoreError> {
    T::try_from(doc).map_err(|_| StoreError::Corrupt("doc"))
}

/// A company and what it sells, except for the classes.
struct PriceList {
    company: Company,
    tax_rates: Vec<TaxRate>,
    discount_schemes: BTreeMap<DiscountKind, DiscountScheme>,
    holidays: Vec<Holiday>,
    seasons: BTreeMap<SeasonId, Season>,
    season_docs: BTreeMap<SeasonId, SeasonDoc>,
    sold: SoldClasses,
}

impl PriceList {
    fn read(items: &[Attributes]) -> Result<Option<Self>, StoreError> {
        let mut company = None;
        let (mut tax_rates, mut holidays) = (Vec::new(), Vec::new());
        let mut discount_schemes = BTreeMap::new();
        let mut sold = SoldClasses::default();
        let (mut seasons, mut season_docs) = (BTreeMap::new(), BTreeMap::new());
        for item in items {
            match item.text("sk")? {
                META => company = Some(converted(&item.document::<CompanyDoc>("doc")?)?),
                sk if sk.starts_with(key::TAX) => tax_rates.push(converted(&item.document::<TaxRateDoc>("doc")?)?),
                sk if sk.starts_with(key::DISCOUNT) => {
                    given(&item.document::<DiscountSchemeDoc>("doc")?, &mut discount_schemes)?;
                }
                sk if sk.starts_with(key::HOLIDAY) => holidays.push(converted(&item.document::<HolidayDoc>("doc")?)?),
                sk if sk.starts_with(key::SEASON) => {
                    let doc: SeasonDoc = item.document("doc")?;
                    let season: Season = converted(&doc)?;
                    sold.read(&season.id, item)?;
                    season_docs.insert(season.id.clone(), doc);
                    seasons.insert(season.id.clone(), season);
                }
                _ => {}
            }
        }
        Ok(company.map(|company| Self { company, tax_rates, discount_schemes, holidays, seasons, season_docs, sold }))
    }
}

/// Adds an active scheme. Two of a kind would make the price depend on the order in which they are read.
fn given(doc: &DiscountSchemeDoc, schemes: &mut BTreeMap<DiscountKind, DiscountScheme>) -> Result<(), StoreError> {
    let scheme = converted(doc)?;
    if doc.enabled && schemes.insert(doc.kind, scheme).is_some() {
        return Err(StoreError::Corrupt("type"));
    }
    Ok(())
}

/// A family and its Stripe customer.
struct Household {
    family: Family,
    customer: KnownCustomer,
}

impl Household {
    fn read(id: &FamilyId, items: &[Attributes]) -> Result<Option<Self>, StoreError> {
        let mut head = None;
        let mut family = Family {
            id: id.clone(),
            name: String::new(),
            archived: false,
            students: BTreeMap::new(),
            enrolments: Vec::new(),
            trials: Vec::new(),
            charged_fees: Vec::new(),
        };
        for item in items {
            let live = item.text_if("place_state").is_some_and(|state| state != CANCELLED);
            match item.text("sk")? {
                META => head = Some((item.document::<FamilyDoc>("doc")?, customer_of(item)?)),
                sk if sk.starts_with(key::STUDENT) => {
                    let student = Student::from(&item.document::<StudentDoc>("doc")?);
                    family.students.insert(student.id.clone(), student);
                }
                sk if sk.starts_with(key::ENROLMENT) && live => family.enrolments.push(enrolment(item)?),
                sk if sk.starts_with(key::TRIAL) && live => family.trials.push(trial(item)?),
                sk if sk.starts_with(key::FEE) => family.charged_fees.extend(charged_fee(item)?),
                _ => {}
            }
        }
        Ok(head.map(|(doc, customer)| {
            let archived = doc.archived_at.is_some() || doc.deleted_at.is_some();
            Self { family: Family { name: doc.name, archived, ..family }, customer }
        }))
    }
}

fn enrolment(item: &Attributes) -> Result<Enrolment, StoreError> {
    Ok(Enrolment {
        id: item.parsed("enrolment_id")?,
        student: item.parsed("student")?,
        class: item.parsed("class")?,
        season: item.parsed("season")?,
        discountable: item.flag("discountable")?,
    })
}

/// A trial. One that an order has marked is about to end, and no other order ends it.
fn trial(item: &Attributes) -> Result<TrialBooking, StoreError> {
    let state = match item.text("place_state")? {
        _ if item.contains_key(ENDING_ORDER) => TrialState::Ended,
        RESERVED => TrialState::Reserved,
        ACTIVE => TrialState::Active,
        _ => return Err(StoreError::Corrupt("place_state")),
    };
    let BookedTrial { id, student, class, on, .. } = item.document("doc")?;
    Ok(TrialBooking { id, student, class, on, state })
}

/// A charged fee; `None`: it was given back, and can be charged again.
fn charged_fee(item: &Attributes) -> Result<Option<ChargedFee>, StoreError> {
    match item.text("fee_state")? {
        CHARGED => Ok(Some(ChargedFee {
            fee: item.parsed("fee")?,
            student: item.parsed("student")?,
            period: FeePeriod::parse(item.text("period")?).ok_or(StoreError::Corrupt("period"))?,
            amount: Money::minor(item.number("amount")?),
        })),
        RELEASED => Ok(None),
        _ => Err(StoreError::Corrupt("fee_state")),
    }
}
