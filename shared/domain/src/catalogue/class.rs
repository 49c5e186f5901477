//! A class and what is left of it.
//!
//! Invariant: a class says how it is sold; how many places are left changes with every sale and stands beside it.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};

use crate::id::{ClassId, SeasonId, TaxRateId};
use crate::money::Money;

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
    /// Whether discount schemes count it.
    pub discountable: bool,
    /// Whether families may enrol themselves.
    pub portal_enrolment: bool,
    /// Whether it takes trials.
    pub takes_trials: bool,
    /// The least age in whole months.
    pub min_age_months: Option<u16>,
    /// The greatest age in whole months.
    pub max_age_months: Option<u16>,
    /// What is archived is not sold, to anybody.
    pub archived: bool,
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
