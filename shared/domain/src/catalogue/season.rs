//! A season, how its classes are priced, and how a family can pay.
//!
//! Only what is on sale is present: a fee that is switched off or archived is left out.

use jiff::civil::Date;

use super::{AdditionalFee, RegistrationFee};
use crate::id::{PlanId, SeasonId};
use crate::money::{Money, Percent};

/// Whether a season can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationStatus {
    /// Not announced yet.
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
    /// Each remaining lesson.
    PerLesson,
    /// Each calendar month with a remaining lesson.
    PerMonth,
    /// The season as a whole.
    PerSeason,
}

/// How the price of a place is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PricingScheme {
    /// The class's own price (rule 8).
    ClassPrice,
    /// How many classes the student takes (rule 9).
    ClassQuantity(QuantityPrices),
}

/// The prices of one class, two classes, three, and so on. Each is the price of all of them together (rule 9).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuantityPrices(Vec<Money>);

impl QuantityPrices {
    /// Makes a price list; the first price is that of one class.
    #[must_use]
    pub const fn new(prices: Vec<Money>) -> Self {
        Self(prices)
    }

    /// The price of this many classes together. Above the longest listed quantity the price no longer rises.
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

/// A pricing plan: when and in how many parts a family pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricingPlan {
    /// Its id.
    pub id: PlanId,
    /// Once or monthly.
    pub kind: PlanKind,
    /// The first payment date.
    pub first_payment_on: Date,
    /// The number of payment dates.
    pub instalments: u16,
    /// The day of the month of the later dates; `None` for that of the first.
    pub payment_day: Option<i8>,
    /// A monthly plan's dates if they are listed explicitly; otherwise empty.
    pub dates: Vec<Date>,
    /// The discount on tuition, applied after all other discounts.
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
    /// An archived season is not sold, not even by staff.
    pub archived: bool,
    /// Whether it is on sale.
    pub registration: RegistrationStatus,
    /// What a unit of tuition is.
    pub pricing_model: PricingModel,
    /// How a unit is priced.
    pub pricing_scheme: PricingScheme,
    /// Its payment plans.
    pub plans: Vec<PricingPlan>,
    /// Its registration fees.
    pub registration_fee: Option<RegistrationFee>,
    /// Its additional fees for enrolling.
    pub additional_fees: Vec<AdditionalFee>,
}

impl Season {
    /// The plan with this id, if it can be chosen.
    #[must_use]
    pub fn enabled_plan(&self, id: &PlanId) -> Option<&PricingPlan> {
        self.enabled_plans().find(|plan| plan.id == *id)
    }

    /// The plans that can be chosen.
    pub fn enabled_plans(&self) -> impl Iterator<Item = &PricingPlan> {
        self.plans.iter().filter(|plan| plan.enabled)
    }
}
