//! A class, as stored.
//!
//! Invariant: the seats that are left are not here; they change with every sale and stand in an item of their own.

use classpay_domain::id::{ClassId, SeasonId, TaxRateId};
use classpay_domain::money::Money;
use jiff::civil::{Date, DateTime, Time, Weekday};
use serde::{Deserialize, Serialize};

use super::text;
use super::yes;

/// A weekly class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassDoc {
    /// Its id.
    #[serde(with = "text")]
    pub id: ClassId,
    /// The season it belongs to.
    #[serde(with = "text")]
    pub season_id: SeasonId,
    /// Its name.
    pub name: String,
    /// The price of one unit of the season's pricing model, in minor units.
    #[serde(with = "text::minor_units")]
    pub price: Money,
    /// The day of its lessons.
    #[serde(with = "text")]
    pub day_of_week: Weekday,
    /// When a lesson begins.
    #[serde(with = "text")]
    pub start_time: Time,
    /// When a lesson ends.
    #[serde(with = "text")]
    pub end_time: Time,
    /// No lesson before this day.
    #[serde(with = "text")]
    pub first_lesson_start_date: Date,
    /// No lesson after this day.
    #[serde(with = "text")]
    pub last_lesson_end_date: Date,
    /// How many students; null or 0: any number. See [`ClassDoc::places`].
    #[serde(default)]
    pub capacity: Option<u32>,
    /// How it is sold.
    #[serde(default)]
    pub settings: ClassSettingsDoc,
    /// When it was given up (UTC).
    #[serde(default, with = "text::option")]
    pub archived_at: Option<DateTime>,
}

impl ClassDoc {
    /// How many students it takes; `None`: any number.
    #[must_use]
    pub fn places(&self) -> Option<u32> {
        self.capacity.filter(|&capacity| capacity > 0)
    }
}

/// How a class is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassSettingsDoc {
    /// How its tuition and trials are taxed.
    #[serde(default, with = "text::option")]
    pub tax_rate_id: Option<TaxRateId>,
    /// Whether discount schemes count it.
    #[serde(default = "yes")]
    pub discountable: bool,
    /// Whether families may enrol themselves.
    #[serde(default = "yes")]
    pub portal_enrolment_enabled: bool,
    /// Whether it takes trials.
    #[serde(default)]
    pub trials_enabled: bool,
    /// The least age in whole months.
    #[serde(default)]
    pub min_age_months: Option<u16>,
    /// The greatest age in whole months.
    #[serde(default)]
    pub max_age_months: Option<u16>,
}

impl Default for ClassSettingsDoc {
    fn default() -> Self {
        Self {
            tax_rate_id: None,
            discountable: true,
            portal_enrolment_enabled: true,
            trials_enabled: false,
            min_age_months: None,
            max_age_months: None,
        }
    }
}
