//! What a studio sells and to whom: as much of it as decides a price or a place.
//!
//! Invariant: these values have been checked when they were imported; pricing relies on what their types say and
//! on nothing else. All money is in minor units of the company's currency.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};

use crate::id::{
    AccountId, ClassId, CompanyId, EnrolmentId, FamilyId, PlanId, SeasonId, StudentId, TaxRateId, TrialId,
};
use crate::money::{Money, Percent};

/// A currency that Stripe settles cards in, with its smallest charge (rule 31).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    code: &'static str,
    minimum: i64,
}

/// Stripe's smallest charge by currency, in minor units.
const MINIMUMS: [(&str, i64); 24] = [
    ("usd", 50),
    ("aud", 50),
    ("cad", 50),
    ("chf", 50),
    ("eur", 50),
    ("brl", 50),
    ("inr", 50),
    ("nzd", 50),
    ("sgd", 50),
    ("gbp", 30),
    ("aed", 200),
    ("myr", 200),
    ("pln", 200),
    ("ron", 200),
    ("bgn", 100),
    ("czk", 1500),
    ("dkk", 250),
    ("nok", 300),
    ("sek", 300),
    ("hkd", 400),
    ("huf", 17500),
    ("jpy", 50),
    ("mxn", 1000),
    ("thb", 1000),
];

impl Currency {
    /// Reads an ISO 4217 code in any case. `None`: we don't know the smallest charge, so we can't sell in it.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let code = code.to_ascii_lowercase();
        let known = MINIMUMS.iter().find(|(known, _)| *known == code);
        known.map(|&(code, minimum)| Self { code, minimum })
    }

    /// The code in lower case, as Stripe writes it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// The smallest amount that Stripe charges in this currency.
    #[must_use]
    pub const fn smallest_charge(self) -> Money {
        Money::minor(self.minimum)
    }
}

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
    /// A month and a day in the year in which the season starts.
    SpecificDate {
        /// 1 to 12.
        month: i8,
        /// 1 to 31; at most the month's last day is meant.
        day: i8,
    },
    /// So many days before the season's first day.
    DaysBeforeSeason(u16),
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
    /// Where its money goes.
    pub stripe_account: Option<AccountId>,
    /// What it sells in.
    pub currency: Currency,
    /// IANA name of the zone whose date is "today".
    pub timezone: String,
    /// `None`: nothing is taxed.
    pub tax: Option<TaxMode>,
    /// What the payer pays on top, of the subtotal; `None`: nothing.
    pub processing_fee: Option<Percent>,
    /// Trials.
    pub trials: TrialPolicy,
    /// Ages.
    pub age_cut_off: AgeCutOff,
}

/// A tax rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRate {
    /// Its id.
    pub id: TaxRateId,
    /// 0 to 100 %.
    pub rate: Percent,
    /// What it is called: "VAT".
    pub label: String,
}

/// Days without lessons, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// The first day.
    pub starts_on: Date,
    /// The last day.
    pub ends_on: Date,
}

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
    /// Whether it is on sale.
    pub registration: RegistrationStatus,
    /// What is counted.
    pub pricing_model: PricingModel,
    /// Its plans.
    pub plans: Vec<PricingPlan>,
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

/// A weekly class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its id.
    pub id: ClassId,
    /// The season it belongs to.
    pub season: SeasonId,
    /// Its name.
    pub name: String,
    /// The price of one unit of the season's pricing model.
    pub price: Money,
    /// The day of its lessons.
    pub weekday: Weekday,
    /// When a lesson begins.
    pub starts_at: Time,
    /// No lesson before this day.
    pub first_lesson_on: Date,
    /// No lesson after this day.
    pub last_lesson_on: Date,
    /// How its tuition and trials are taxed.
    pub tax_rate: Option<TaxRateId>,
    /// Whether families may enrol themselves.
    pub portal_enrolment: bool,
    /// Whether it takes trials.
    pub takes_trials: bool,
    /// The least age in whole months.
    pub min_age_months: Option<u16>,
    /// The greatest age in whole months.
    pub max_age_months: Option<u16>,
}

/// What is left of a class, and which catalogue it was priced from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats {
    /// `None`: unlimited.
    pub left: Option<u32>,
    /// Raised by every change that can change a price.
    pub price_version: u64,
}

/// A class with its seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassOnSale {
    /// The class.
    pub class: Class,
    /// Its seats.
    pub seats: Seats,
    /// Trials booked by lesson, as far as they were read.
    pub trials_booked: BTreeMap<Date, u32>,
}

/// A student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Student {
    /// Its id.
    pub id: StudentId,
    /// Its name.
    pub name: String,
    /// `None`: the age is not checked.
    pub born_on: Option<Date>,
    /// An archived student can't be enrolled.
    pub archived: bool,
}

/// A live enrolment: reserved or active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Its id.
    pub id: EnrolmentId,
    /// Who.
    pub student: StudentId,
    /// Where.
    pub class: ClassId,
}

/// A live trial booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialBooking {
    /// Its id.
    pub id: TrialId,
    /// Who.
    pub student: StudentId,
    /// Where.
    pub class: ClassId,
}

/// Who buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its id.
    pub id: FamilyId,
    /// Its name.
    pub name: String,
    /// Its students.
    pub students: BTreeMap<StudentId, Student>,
    /// Live enrolments of its students.
    pub enrolments: Vec<Enrolment>,
    /// Live trial bookings of its students.
    pub trials: Vec<TrialBooking>,
}

/// All that a quote for one basket of one family is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Studio {
    /// The company.
    pub company: Company,
    /// Its tax rates.
    pub tax_rates: BTreeMap<TaxRateId, TaxRate>,
    /// Its holidays.
    pub holidays: Vec<Holiday>,
    /// Its seasons.
    pub seasons: BTreeMap<SeasonId, Season>,
    /// The basket's classes, as far as the company has them.
    pub classes: BTreeMap<ClassId, ClassOnSale>,
    /// The family.
    pub family: Family,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r31_a_currency_without_a_known_smallest_charge_is_not_sold_in() {
        assert_eq!(Currency::parse("GBP").map(|c| (c.code(), c.smallest_charge().units())), Some(("gbp", 30)));
        assert_eq!(Currency::parse("xyz"), None);
        assert_eq!(Currency::parse(""), None);
    }
}
