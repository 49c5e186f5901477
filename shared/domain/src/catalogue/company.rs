//! A company and what it decided for all its classes.
//!
//! Invariant: what is turned off is not there.

use std::sync::Arc;

use jiff::civil::Date;

use super::Currency;
use crate::calendar::YearDay;
use crate::id::{AccountId, CompanyId, TaxRateId};
use crate::money::{Money, Percent};
use crate::surcharge::{self, Country};

/// Whether prices are without their tax or contain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxMode {
    /// Tax is added to the price.
    Exclusive,
    /// Tax is contained in the price.
    Inclusive,
}

/// The date at which a student's age counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgeCutOff {
    /// The season's first day.
    FirstDayOfSeason,
    /// The last such day on or before the season's first day.
    SpecificDate(YearDay),
    /// So many days after the season's first day.
    DaysAfterSeasonStart(u16),
}

/// What the company says of trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialPolicy {
    /// The price of one trial.
    pub price: Money,
    /// Whether families may book one themselves.
    pub enabled_on_portal: bool,
    /// The most trials in one lesson; `None`: any number.
    pub places_per_lesson: Option<u32>,
}

/// A class business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// Where it is; `None`: nobody knows.
    pub country: Option<Country>,
    /// Where its money goes.
    pub stripe_account: Option<AccountId>,
    /// What it sells in.
    pub currency: Currency,
    /// IANA name of the zone whose date is "today".
    pub timezone: String,
    /// `None`: nothing is taxed.
    pub tax: Option<TaxMode>,
    /// What the payer pays on top, of the subtotal, where the law lets it; `None`: nothing.
    pub processing_fee: Option<Percent>,
    /// Trials.
    pub trials: TrialPolicy,
    /// Ages.
    pub age_cut_off: AgeCutOff,
}

impl Company {
    /// What the payer pays on top on a day, there.
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
    /// 0 to 100 %.
    pub rate: Percent,
    /// For people: "VAT 20%".
    pub description: Arc<str>,
    /// For people, where it falls away: "VAT 20% on discounts".
    pub description_on_discounts: Arc<str>,
}

impl TaxRate {
    /// A rate that is called "VAT", or the like.
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

/// Days without lessons, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// The first day.
    pub starts_on: Date,
    /// The last day.
    pub ends_on: Date,
}
