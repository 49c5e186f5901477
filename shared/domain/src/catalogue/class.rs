//! A class and its remaining places.
//!
//! [`Class`] says how a class is sold. The number of places left changes with every sale, so it is kept apart in
//! [`Seats`].

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
    /// The weekday of its lessons.
    pub weekday: Weekday,
    /// The time at which a lesson begins.
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
    /// The minimum age in whole months.
    pub min_age_months: Option<u16>,
    /// The maximum age in whole months.
    pub max_age_months: Option<u16>,
    /// An archived class is not sold, not even by staff.
    pub archived: bool,
}

/// How many places a class has left, and which version of its price was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats {
    /// Places left; `None` if unlimited.
    pub left: Option<u32>,
    /// Incremented by every change that can change a price.
    pub price_version: u64,
}

/// A class with its seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassOnSale {
    /// The class.
    pub class: Class,
    /// Its seats.
    pub seats: Seats,
    /// Trials booked by lesson date, for the lessons that were read.
    pub trials_booked: BTreeMap<Date, u32>,
}
