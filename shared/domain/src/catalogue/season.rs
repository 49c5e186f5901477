//! A season, how its classes are priced, and how a family can pay.
//!
//! Invariant: what is not sold is not there: a fee that is switched off or archived is no fee.

use jiff::civil::Date;

use super::{AdditionalFee, RegistrationFee};
use crate::id::{PlanId, SeasonId};
use crate::money::{Money, Percent};

/// Whether a season can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationStatus {
    /// Not announced.
    Never,
    /// On sale.
    Open,
    /// No longer on sale.
    Closed,
    /// Over.
    Ended,
}

/// What a unit of tuition is (rule 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PricingModel {
    /// Each lesson that is left.
    PerLesson,
    /// Each calendar month with a lesson left.
    PerMonth,
    /// The season.
    PerSeason,
}

/// What a class's place is priced by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PricingScheme {
    /// The class's own price (rule 8).
    ClassPrice,
    /// How many classes the student takes (rule 9).
    ClassQuantity(QuantityPrices),
}

/// The prices of one class, two classes, three, and so on: all of them together, not one more (rule 9).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuantityPrices(Vec<Money>);

impl QuantityPrices {
    /// The price of one class first.
    #[must_use]
    pub const fn new(prices: Vec<Money>) -> Self {
        Self(prices)
    }

    /// What so many classes cost together. More than there are prices for cost no more.
    #[must_use]
    pub fn of(&self, classes: usize) -> Money {
        let last = classes.min(self.0.len());
        last.checked_sub(1).and_then(|index| self.0.get(index)).copied().unwrap_or(Money::ZERO)
    }
}

/// How often a plan collects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanKind {
    /// Once.
    OneOff,
    /// In monthly instalments.
    Monthly,
}

/// When and in how many parts a family pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricingPlan {
    /// Its id.
    pub id: PlanId,
    /// Once or monthly.
    pub kind: PlanKind,
    /// The first date.
    pub first_payment_on: Date,
    /// How many dates.
    pub instalments: u16,
    /// The day of the month of the later dates; `None`: that of the first.
    pub payment_day: Option<i8>,
    /// A monthly plan's dates themselves, when they are given; empty otherwise.
    pub dates: Vec<Date>,
    /// Off the tuition, last of all discounts.
    pub discount: Percent,
    /// Whether it can be chosen.
    pub enabled: bool,
}

/// A season: a term, a school year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Season {
    /// Its id.
    pub id: SeasonId,
    /// Its name.
    pub name: String,
    /// The first day.
    pub starts_on: Date,
    /// The last day.
    pub ends_on: Date,
    /// What is archived is not sold, to anybody.
    pub archived: bool,
    /// Whether it is on sale.
    pub registration: RegistrationStatus,
    /// What is counted.
    pub pricing_model: PricingModel,
    /// What is paid for what is counted.
    pub pricing_scheme: PricingScheme,
    /// Its plans.
    pub plans: Vec<PricingPlan>,
    /// What a student pays for being registered.
    pub registration_fee: Option<RegistrationFee>,
    /// What a student pays for enrolling.
    pub additional_fees: Vec<AdditionalFee>,
}

impl Season {
    /// The plan of that id, if it can be chosen.
    #[must_use]
    pub fn enabled_plan(&self, id: &PlanId) -> Option<&PricingPlan> {
        self.enabled_plans().find(|plan| plan.id == *id)
    }

    /// The plans that can be chosen.
    pub fn enabled_plans(&self) -> impl Iterator<Item = &PricingPlan> {
        self.plans.iter().filter(|plan| plan.enabled)
    }
}
