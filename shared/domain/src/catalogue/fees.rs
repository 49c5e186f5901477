//! Fees in addition to tuition: for registration, and for enrolling in a season.
//!
//! A fee is charged once per student and period. The charge is recorded under the period it was charged for.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::calendar::YearDay;
use crate::id::{FeeId, SeasonId, StudentId, TaxRateId};
use crate::money::Money;

/// How often a registration fee is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// Only once.
    OneOff,
    /// Once per fee year.
    Annual,
    /// Once per season.
    PerSeason,
}

/// A registration fee, which a student pays once per period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationFee {
    /// Its id.
    pub id: FeeId,
    /// Its name.
    pub name: String,
    /// For a whole period, before exclusive tax.
    pub amount: Money,
    /// The most that a family pays in a period, before exclusive tax; `None` if there is no limit.
    pub family_cap: Option<Money>,
    /// How often it is paid.
    pub repetition: Repetition,
    /// The day on which the years of an annual fee begin.
    pub year_begins: YearDay,
    /// Whether part of a period costs a proportional part.
    pub pro_rated: bool,
    /// How it is taxed.
    pub tax_rate: Option<TaxRateId>,
}

/// A fee that a student pays once for enrolling in a season.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdditionalFee {
    /// Its id.
    pub id: FeeId,
    /// What it is for.
    pub description: String,
    /// For a whole season, before exclusive tax.
    pub amount: Money,
    /// The most that a family pays, before exclusive tax; `None` if there is no limit.
    pub family_cap: Option<Money>,
    /// How it is taxed.
    pub tax_rate: Option<TaxRateId>,
    /// Whether part of a season costs a proportional part.
    pub pro_rated: bool,
}

/// The period of a fee: `once`, the first day of a fee year, or a season's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeePeriod(String);

impl FeePeriod {
    /// Parses a period. `None` if it contains a character that no id has.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_day = || text.len() == 10 && text.parse::<Date>().is_ok();
        (SeasonId::parse(text).is_ok() || is_day()).then(|| Self(text.to_owned()))
    }

    /// The single period of a one-off fee.
    #[must_use]
    pub fn once() -> Self {
        Self("once".to_owned())
    }

    /// The fee year that begins on this day.
    #[must_use]
    pub fn year(first: Date) -> Self {
        Self(first.to_string())
    }

    /// The first day, if this is a fee year. A bare `2026` begins on 1 January.
    #[must_use]
    pub fn first_of_year(&self) -> Option<Date> {
        match self.0.len() {
            4 if !self.0.starts_with('0') => Date::new(self.0.parse().ok()?, 1, 1).ok(),
            10 => self.0.parse().ok(),
            _ => None,
        }
    }

    /// Whether this is a fee year that contains the day.
    #[must_use]
    pub fn has_day(&self, day: Date) -> bool {
        let Some(first) = self.first_of_year() else { return false };
        let next = first.checked_add(1.year());
        first <= day && next.is_ok_and(|next| day < next)
    }

    /// A season.
    #[must_use]
    pub fn season(season: &SeasonId) -> Self {
        Self(season.as_str().to_owned())
    }

    /// The period as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FeePeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A fee that a student was charged, or that is reserved for the student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargedFee {
    /// The fee.
    pub fee: FeeId,
    /// Who.
    pub student: StudentId,
    /// The period it was charged for.
    pub period: FeePeriod,
    /// The amount before exclusive tax.
    pub amount: Money,
}
