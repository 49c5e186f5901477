//! The shapes of the catalogue in the words of the published contract.
//!
//! One type serves three purposes: the catalogue file, the stored item (one JSON string) and the answer's JSON. What
//! is only input is left out of the answer by [`PublishedSeason`]. A field that no shape has is a mistake in a file
//! (which the import reads) and nothing in a stored item: a later version may have written it.
//!
//! Invariant: writing a document and reading it again gives the same document. A shape says nothing about other
//! documents, nor does a rule of [`rules`]; whether an id exists is the file's business.

mod class;
mod company;
mod family;
mod fees;
mod percent;
mod rules;
mod season;
pub mod text;

pub use class::{ClassDoc, ClassSettingsDoc};
pub use company::{
    AddressDoc, AgeCutOffType, BillingSettingsDoc, BillingTiming, BrandColorsDoc, CompanyDoc, CompanySettingsDoc,
    EnrolmentSettingsDoc, GeneralSettingsDoc, TaxSettingsDoc, TrialSettingsDoc,
};
pub use family::{FamilyDoc, InvitationStatus, StudentDoc};
pub use fees::{
    AdditionalFeeDoc, DiscountSchemeDoc, DiscountUnit, DiscountValueDoc, HolidayDoc, RegistrationFeeDoc, TaxRateDoc,
};
pub use percent::{PercentNumber, PercentText};
pub use rules::outside_month;
pub use season::{PricingPlanDoc, PricingScheme, PricingSchemeValueDoc, PublishedSeason, SeasonDoc};
pub use text::DocumentId;

/// For what is on unless it is said to be off.
const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests;
