//! What a studio sells and to whom: as much of it as decides a price or a place.
//!
//! Invariant: these values have been checked when they were imported; pricing relies on what their types say and
//! on nothing else. All money is in minor units of the company's currency.

mod class;
mod company;
mod currency;
mod discounts;
mod family;
mod fees;
mod season;

use std::collections::BTreeMap;

pub use class::{Class, ClassOnSale, Seats};
pub use company::{AgeCutOff, Company, Holiday, TaxMode, TaxRate, TrialPolicy};
pub use currency::{Currency, Replaced};
pub use discounts::{Application, DiscountKind, DiscountScheme, Off};
pub use family::{Enrolment, Family, Student, TrialBooking, TrialState};
pub use fees::{AdditionalFee, ChargedFee, FeePeriod, RegistrationFee, Repetition};
pub use season::{PlanKind, PricingModel, PricingPlan, PricingScheme, QuantityPrices, RegistrationStatus, Season};

use crate::id::{ClassId, SeasonId, TaxRateId};

/// All that a quote for one basket of one family is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Studio {
    /// The company.
    pub company: Company,
    /// Its tax rates.
    pub tax_rates: BTreeMap<TaxRateId, TaxRate>,
    /// The discount schemes that it gives.
    pub discount_schemes: BTreeMap<DiscountKind, DiscountScheme>,
    /// Its holidays.
    pub holidays: Vec<Holiday>,
    /// Its seasons.
    pub seasons: BTreeMap<SeasonId, Season>,
    /// The basket's classes, as far as the company has them.
    pub classes: BTreeMap<ClassId, ClassOnSale>,
    /// The family.
    pub family: Family,
}
