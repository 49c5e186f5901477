//! The catalogue: what a studio sells and to whom, as far as it decides a price or a place.
//!
//! The import has checked these values. Pricing relies on what their types guarantee and on nothing else. All money is
//! in minor units of the company's currency.

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

/// Everything that a quote for one family's basket is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Studio {
    /// The company.
    pub company: Company,
    /// Its tax rates.
    pub tax_rates: BTreeMap<TaxRateId, TaxRate>,
    /// The discount schemes in force.
    pub discount_schemes: BTreeMap<DiscountKind, DiscountScheme>,
    /// Its holidays.
    pub holidays: Vec<Holiday>,
    /// Its seasons.
    pub seasons: BTreeMap<SeasonId, Season>,
    /// The basket's classes that the company has.
    pub classes: BTreeMap<ClassId, ClassOnSale>,
    /// The family.
    pub family: Family,
}
