//! From documents to the domain's types.
//!
//! Invariant: nothing is guessed. What the import would have refused is a [`CorruptDocument`], never a default.

use classpay_domain::catalogue::{
    AgeCutOff, Class, Company, Holiday, PricingPlan, Season, Student, TaxRate, TrialPolicy,
};
use classpay_domain::money::{Money, Percent};

use super::documents::{
    AgeCutOffType, ClassDoc, CompanyDoc, EnrolmentSettingsDoc, HolidayDoc, PricingPlanDoc, SeasonDoc, StudentDoc,
    TaxRateDoc,
};

/// A stored document that the import would have refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the document {id} has a corrupt {field}")]
pub struct CorruptDocument {
    /// Its id.
    pub id: String,
    /// The field, in the contract's words.
    pub field: &'static str,
}

fn corrupt(id: &impl ToString, field: &'static str) -> CorruptDocument {
    CorruptDocument { id: id.to_string(), field }
}

/// Takes a value that passes the import's check.
fn sound<T>(value: T, holds: bool, id: &impl ToString, field: &'static str) -> Result<T, CorruptDocument> {
    if holds { Ok(value) } else { Err(corrupt(id, field)) }
}

fn price(amount: Money, id: &impl ToString, field: &'static str) -> Result<Money, CorruptDocument> {
    sound(amount, amount >= Money::ZERO, id, field)
}

fn rate(percent: Percent, id: &impl ToString, field: &'static str) -> Result<Percent, CorruptDocument> {
    sound(percent, percent <= Percent::HUNDRED, id, field)
}

impl TryFrom<&CompanyDoc> for Company {
    type Error = CorruptDocument;

    fn try_from(doc: &CompanyDoc) -> Result<Self, CorruptDocument> {
        let settings = &doc.settings;
        let zone = &settings.general.timezone;
        let fee = rate(settings.billing.processing_fee.0, &doc.id, "settings.billing.processingFee")?;
        Ok(Self {
            id: doc.id.clone(),
            stripe_account: settings.billing.stripe_id.clone(),
            currency: settings.billing.currency,
            timezone: sound(zone.clone(), is_time_zone(zone), &doc.id, "settings.general.timezone")?,
            tax: settings.tax.enabled.then_some(settings.tax.tax_mode),
            processing_fee: settings.billing.is_processing_fee_enabled.then_some(fee),
            trials: TrialPolicy {
                price: price(settings.trial.price, &doc.id, "settings.trial.price")?,
                enabled_on_portal: settings.trial.enable_on_portal,
                places_per_lesson: settings.trial.limited_capacity.then_some(settings.trial.max_capacity_per_lesson),
            },
            age_cut_off: age_cut_off(&settings.enrolment).map_err(|field| corrupt(&doc.id, field))?,
        })
    }
}

/// Whether it is an IANA name that "today" can be worked out in.
pub(super) fn is_time_zone(name: &str) -> bool {
    jiff::tz::TimeZone::get(name).is_ok()
}

/// The date at which ages count, or the field that is missing for it.
pub(super) fn age_cut_off(settings: &EnrolmentSettingsDoc) -> Result<AgeCutOff, &'static str> {
    match settings.age_cut_off_type {
        AgeCutOffType::FirstDayOfSeason => Ok(AgeCutOff::FirstDayOfSeason),
        AgeCutOffType::SpecificDate => {
            let date = settings.age_cut_off_date.ok_or("settings.enrolment.ageCutOffDate")?;
            Ok(AgeCutOff::SpecificDate { month: date.month, day: date.day })
        }
        AgeCutOffType::DaysBeforeSeason => {
            let days = settings.age_cut_off_days.ok_or("settings.enrolment.ageCutOffDays")?;
            Ok(AgeCutOff::DaysBeforeSeason(days))
        }
    }
}

impl TryFrom<&TaxRateDoc> for TaxRate {
    type Error = CorruptDocument;

    fn try_from(doc: &TaxRateDoc) -> Result<Self, CorruptDocument> {
        Ok(Self { id: doc.id.clone(), rate: rate(doc.rate.0, &doc.id, "rate")?, label: doc.label.clone() })
    }
}

impl TryFrom<&HolidayDoc> for Holiday {
    type Error = CorruptDocument;

    fn try_from(doc: &HolidayDoc) -> Result<Self, CorruptDocument> {
        let ends_on = sound(doc.end_at, doc.start_at <= doc.end_at, &doc.id.as_str(), "endAt")?;
        Ok(Self { starts_on: doc.start_at, ends_on })
    }
}

impl TryFrom<&SeasonDoc> for Season {
    type Error = CorruptDocument;

    fn try_from(doc: &SeasonDoc) -> Result<Self, CorruptDocument> {
        let mut plans = Vec::with_capacity(doc.pricing_plans.len());
        for plan in &doc.pricing_plans {
            sound((), plan.season_id == doc.id, &plan.id, "seasonId")?;
            plans.push(PricingPlan::try_from(plan)?);
        }
        Ok(Self {
            id: doc.id.clone(),
            name: doc.name.clone(),
            starts_on: doc.start_at,
            ends_on: sound(doc.end_at, doc.start_at <= doc.end_at, &doc.id, "endAt")?,
            registration: doc.registration_status,
            pricing_model: doc.pricing_model,
            plans,
        })
    }
}

impl TryFrom<&PricingPlanDoc> for PricingPlan {
    type Error = CorruptDocument;

    fn try_from(doc: &PricingPlanDoc) -> Result<Self, CorruptDocument> {
        if let Some((field, _)) = doc.mistakes().into_iter().next() {
            return Err(corrupt(&doc.id, field));
        }
        Ok(Self {
            id: doc.id.clone(),
            kind: doc.kind,
            first_payment_on: doc.first_payment_date,
            instalments: doc.number_of_installments,
            payment_day: doc.payment_day,
            dates: doc.installment_dates.clone(),
            discount: doc.discount.0,
            enabled: doc.enabled,
        })
    }
}

impl TryFrom<&ClassDoc> for Class {
    type Error = CorruptDocument;

    fn try_from(doc: &ClassDoc) -> Result<Self, CorruptDocument> {
        Ok(Self {
            id: doc.id.clone(),
            season: doc.season_id.clone(),
            name: doc.name.clone(),
            price: price(doc.price, &doc.id, "price")?,
            weekday: doc.day_of_week,
            starts_at: doc.start_time,
            first_lesson_on: doc.first_lesson_start_date,
            last_lesson_on: doc.last_lesson_end_date,
            tax_rate: doc.settings.tax_rate_id.clone(),
            portal_enrolment: doc.settings.portal_enrolment_enabled,
            takes_trials: doc.settings.trials_enabled,
            min_age_months: doc.settings.min_age_months,
            max_age_months: doc.settings.max_age_months,
        })
    }
}

/// Everything that a student's document may say is a student.
impl From<&StudentDoc> for Student {
    fn from(doc: &StudentDoc) -> Self {
        Self {
            id: doc.id.clone(),
            name: doc.full_name(),
            born_on: doc.date_of_birth,
            archived: doc.archived_at.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use classpay_domain::catalogue::TaxMode;

    use super::super::Catalogue;
    use super::*;

    const DEMO: &str = include_str!("../../../../infra/local/demo-studio.json");

    fn demo() -> Catalogue {
        Catalogue::parse(DEMO).unwrap()
    }

    #[test]
    fn every_document_of_the_demo_studio_becomes_a_domain_value() {
        let studio = demo();
        let company = Company::try_from(&studio.company).unwrap();
        assert_eq!((company.timezone.as_str(), company.currency.code()), ("Europe/London", "gbp"));
        assert_eq!(company.tax, Some(TaxMode::Exclusive));
        assert_eq!(company.processing_fee, Some(Percent::thousandths(2_900)));
        assert_eq!(company.trials.places_per_lesson, Some(2));
        assert_eq!(company.age_cut_off, AgeCutOff::FirstDayOfSeason);
        assert!(studio.tax_rates.iter().all(|doc| TaxRate::try_from(doc).is_ok()));
        assert!(studio.holidays.iter().all(|doc| Holiday::try_from(doc).is_ok()));
        assert!(studio.classes.iter().all(|doc| Class::try_from(doc).is_ok()));
        let seasons: Vec<_> = studio.seasons.iter().map(|doc| Season::try_from(doc).unwrap()).collect();
        assert_eq!(seasons[0].enabled_plans().count(), 2);
        let student = Student::from(&studio.families[0].students[0]);
        assert_eq!((student.name.as_str(), student.archived), ("Ada Okafor", false));
    }

    #[test]
    fn what_is_turned_off_is_not_there() {
        let mut doc = demo().company;
        doc.settings.tax.enabled = false;
        doc.settings.trial.limited_capacity = false;
        doc.settings.billing.is_processing_fee_enabled = false;
        let company = Company::try_from(&doc).unwrap();
        assert_eq!((company.tax, company.processing_fee, company.trials.places_per_lesson), (None, None, None));
    }

    #[test]
    fn a_document_that_the_import_would_have_refused_is_corrupt() {
        let mut studio = demo();
        studio.company.settings.general.timezone = "Europe/Londres".to_owned();
        let corrupt = Company::try_from(&studio.company).unwrap_err();
        assert_eq!(corrupt.field, "settings.general.timezone");
        assert_eq!(corrupt.id, studio.company.id.as_str());
        studio.company.settings.general.timezone = "UTC".to_owned();
        studio.company.settings.enrolment.age_cut_off_type = AgeCutOffType::SpecificDate;
        let corrupt = Company::try_from(&studio.company).unwrap_err();
        assert_eq!(corrupt.field, "settings.enrolment.ageCutOffDate");
        studio.seasons[0].pricing_plans[0].number_of_installments = 2;
        let corrupt = Season::try_from(&studio.seasons[0]).unwrap_err();
        let plan = studio.seasons[0].pricing_plans[0].id.to_string();
        assert_eq!(corrupt, CorruptDocument { id: plan, field: "numberOfInstallments" });
        studio.classes[0].price = Money::minor(-1);
        assert_eq!(Class::try_from(&studio.classes[0]).unwrap_err().field, "price");
    }
}
