//! The company, its tax rates, its holidays and its discount schemes.
//!
//! Invariant: what is switched off is left out.

use classpay_domain::catalogue::{
    AgeCutOff, Company, DiscountKind, DiscountScheme, Holiday, Off, TaxRate, TrialPolicy,
};
use classpay_domain::money::{Money, Percent};
use classpay_domain::surcharge::{self, Country};
use jiff::civil::Date;

use super::super::documents::{
    AgeCutOffType, CompanyDoc, DiscountSchemeDoc, DiscountUnit, EnrolmentSettingsDoc, HolidayDoc, TaxRateDoc,
};
use super::{CorruptDocument, corrupt, price, rate, sound};

/// Thousandths of a percent in one percent.
const ONE_PERCENT: i64 = 1_000;

impl TryFrom<&CompanyDoc> for Company {
    type Error = CorruptDocument;

    fn try_from(doc: &CompanyDoc) -> Result<Self, CorruptDocument> {
        let settings = &doc.settings;
        let zone = &settings.general.timezone;
        let fee = rate(settings.billing.processing_fee.0, &doc.id, "settings.billing.processingFee")?;
        Ok(Self {
            id: doc.id.clone(),
            country: doc.country(),
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

impl CompanyDoc {
    /// The company's country; `None`: unknown.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        Country::parse(&self.address.country_code)
    }

    /// The processing fee in its settings.
    #[must_use]
    pub fn processing_fee(&self) -> Option<Percent> {
        let billing = &self.settings.billing;
        billing.is_processing_fee_enabled.then_some(billing.processing_fee.0)
    }

    /// The fee that the payer pays on top on a given day in the company's country (rule 35).
    #[must_use]
    pub fn processing_fee_on(&self, day: Date) -> Percent {
        surcharge::charged(self.processing_fee(), self.country(), day)
    }
}

/// Whether it is a known IANA time zone.
#[must_use]
pub fn is_time_zone(name: &str) -> bool {
    jiff::tz::TimeZone::get(name).is_ok()
}

/// The date at which ages count.
///
/// # Errors
/// The field that is missing for it.
pub fn age_cut_off(settings: &EnrolmentSettingsDoc) -> Result<AgeCutOff, &'static str> {
    match settings.age_cut_off_type {
        AgeCutOffType::FirstDayOfSeason => Ok(AgeCutOff::FirstDayOfSeason),
        AgeCutOffType::SpecificDate => {
            let day = settings.age_cut_off_date.ok_or("settings.enrolment.ageCutOffDate")?;
            Ok(AgeCutOff::SpecificDate(day))
        }
        AgeCutOffType::DaysAfterSeasonStart => {
            let days = settings.age_cut_off_days.ok_or("settings.enrolment.ageCutOffDays")?;
            Ok(AgeCutOff::DaysAfterSeasonStart(days))
        }
    }
}

impl TryFrom<&TaxRateDoc> for TaxRate {
    type Error = CorruptDocument;

    fn try_from(doc: &TaxRateDoc) -> Result<Self, CorruptDocument> {
        Ok(Self::new(doc.id.clone(), rate(doc.rate.0, &doc.id, "rate")?, &doc.label))
    }
}

impl TryFrom<&HolidayDoc> for Holiday {
    type Error = CorruptDocument;

    fn try_from(doc: &HolidayDoc) -> Result<Self, CorruptDocument> {
        let ends_on = sound(doc.end_at, doc.start_at <= doc.end_at, &doc.id.as_str(), "endAt")?;
        Ok(Self { starts_on: doc.start_at, ends_on })
    }
}

/// The name under which a discount is shown: a scheme has no name of its own.
const fn name_of(kind: DiscountKind) -> &'static str {
    match kind {
        DiscountKind::StudentsOfFamily => "Multiple students",
        DiscountKind::ClassesOfStudent => "Multiple classes of a student",
        DiscountKind::ClassesOfFamily => "Multiple classes of a family",
    }
}

/// This doesn't check whether the scheme is given: only the caller that has all schemes knows which is the one of its
/// kind.
impl TryFrom<&DiscountSchemeDoc> for DiscountScheme {
    type Error = CorruptDocument;

    fn try_from(doc: &DiscountSchemeDoc) -> Result<Self, CorruptDocument> {
        if let Some((_, field, _)) = doc.mistakes().into_iter().next() {
            return Err(corrupt(&doc.id, field));
        }
        let off = |amount: i64| match doc.unit {
            DiscountUnit::Percent => {
                amount.checked_mul(ONE_PERCENT).map(|count| Off::Percent(Percent::thousandths(count)))
            }
            DiscountUnit::Fixed => Some(Off::Fixed(Money::minor(amount))),
        };
        let tiers = doc.values.iter().map(|tier| Some((tier.quantity, off(tier.amount)?))).collect::<Option<_>>();
        Ok(Self {
            id: doc.id.clone(),
            name: name_of(doc.kind).into(),
            application: doc.application,
            tiers: tiers.ok_or_else(|| corrupt(&doc.id, "amount"))?,
        })
    }
}
