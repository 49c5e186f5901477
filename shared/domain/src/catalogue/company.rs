//! A company and the settings that apply to all its classes.
//!
//! Settings that are switched off are absent, rather than present with a flag.

use std::sync::Arc;

use jiff::civil::Date;

use super::Currency;
use crate::calendar::YearDay;
use crate::id::{AccountId, CompanyId, TaxRateId};
use crate::money::{Money, Percent};
use crate::surcharge::{self, Country};

/// Whether prices exclude or include tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxMode {
    /// Tax is added to the price.
    Exclusive,
    /// Tax is included in the price.
    Inclusive,
}

/// The date at which a student's age counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgeCutOff {
    /// The season's first day.
    FirstDayOfSeason,
    /// The last such day on or before the season's first day.
    SpecificDate(YearDay),
    /// This many days after the season's first day.
    DaysAfterSeasonStart(u16),
}

/// The company's policy on trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialPolicy {
    /// The price of one trial.
    pub price: Money,
    /// Whether families may book one themselves.
    pub enabled_on_portal: bool,
    /// The most trials in one lesson; `None` if unlimited.
    pub places_per_lesson: Option<u32>,
}

/// A class business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// The country it is in; `None` if unknown.
    pub country: Option<Country>,
    /// The connected Stripe account that receives its payments.
    pub stripe_account: Option<AccountId>,
    /// The currency it sells in.
    pub currency: Currency,
    /// IANA name of the time zone that decides which date is "today".
    pub timezone: String,
    /// `None` if nothing is taxed.
    pub tax: Option<TaxMode>,
    /// The processing fee that the payer pays on top, as a percentage of the subtotal, where the law allows it; `None`
    /// if there is none.
    pub processing_fee: Option<Percent>,
    /// The policy on trials.
    pub trials: TrialPolicy,
    /// The date at which ages count.
    pub age_cut_off: AgeCutOff,
}

impl Company {
    /// The processing fee that the payer pays on a day, given the law of the company's country.
    #[must_use]
    pub fn processing_fee_on(&self, day: Date) -> Percent {
        surcharge::charged(self.processing_fee, self.country, day)
    }
}

/// A tax rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRate {
    /// Its id.
    pub id: TaxRateId,
    /// From 0 to 100 %.
    pub rate: Percent,
    /// Text shown to people: "VAT 20%".
    pub description: Arc<str>,
    /// Text shown to people for the tax removed by a discount: "VAT 20% on discounts".
    pub description_on_discounts: Arc<str>,
}

impl TaxRate {
    /// A rate with this name, such as "VAT".
    #[must_use]
    pub fn new(id: TaxRateId, rate: Percent, label: &str) -> Self {
        let description = format!("{label} {}%", rate.to_shortest());
        Self {
            id,
            rate,
            description_on_discounts: format!("{description} on discounts").into(),
            description: description.into(),
        }
    }
}

/// A period without lessons, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// The first day.
    pub starts_on: Date,
    /// The last day.
    pub ends_on: Date,
}
