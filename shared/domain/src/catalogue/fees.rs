//! Fees beside tuition: for being registered, and for enrolling in a season.
//!
//! Invariant: a fee is charged once a student and period. What was charged is remembered by the same period that it
//! was charged for.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::calendar::YearDay;
use crate::id::{FeeId, SeasonId, StudentId, TaxRateId};
use crate::money::Money;

/// How often a registration fee is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// Once for ever.
    OneOff,
    /// Once a fee year.
    Annual,
    /// Once a season.
    PerSeason,
}

/// What a student pays once a period for being registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationFee {
    /// Its id.
    pub id: FeeId,
    /// Its name.
    pub name: String,
    /// For a whole period, before exclusive tax.
    pub amount: Money,
    /// The most that a family pays in a period, before exclusive tax; `None`: any amount.
    pub family_cap: Option<Money>,
    /// The period.
    pub repetition: Repetition,
    /// The day on which the years of an annual fee begin.
    pub year_begins: YearDay,
    /// Whether a part of the period costs a part.
    pub pro_rated: bool,
    /// How it is taxed.
    pub tax_rate: Option<TaxRateId>,
}

/// What a student pays once for enrolling in a season.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdditionalFee {
    /// Its id.
    pub id: FeeId,
    /// What it is for.
    pub description: String,
    /// For a whole season, before exclusive tax.
    pub amount: Money,
    /// The most that a family pays, before exclusive tax; `None`: any amount.
    pub family_cap: Option<Money>,
    /// How it is taxed.
    pub tax_rate: Option<TaxRateId>,
    /// Whether a part of the season costs a part.
    pub pro_rated: bool,
}

/// What a fee was charged for: `once`, the first day of a fee year, or a season's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeePeriod(String);

impl FeePeriod {
    /// Takes a period from outside. `None`: it has a character that no id has.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_day = || text.len() == 10 && text.parse::<Date>().is_ok();
        (SeasonId::parse(text).is_ok() || is_day()).then(|| Self(text.to_owned()))
    }

    /// For ever.
    #[must_use]
    pub fn once() -> Self {
        Self("once".to_owned())
    }

    /// The fee year that begins on this day.
    #[must_use]
    pub fn year(first: Date) -> Self {
        Self(first.to_string())
    }

    /// The first day, if it is a fee year. A bare `2026` begins on 1 January.
    #[must_use]
    pub fn first_of_year(&self) -> Option<Date> {
        match self.0.len() {
            4 if !self.0.starts_with('0') => Date::new(self.0.parse().ok()?, 1, 1).ok(),
            10 => self.0.parse().ok(),
            _ => None,
        }
    }

    /// Whether it is a fee year in which a day is.
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

    /// As it is written.
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

/// A fee that a student was charged, or that is reserved for him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargedFee {
    /// The fee.
    pub fee: FeeId,
    /// Who.
    pub student: StudentId,
    /// For what.
    pub period: FeePeriod,
    /// Before exclusive tax.
    pub amount: Money,
}
