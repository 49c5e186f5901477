//! A studio's file in its parts, as they are read.
//!
//! Invariant: each part stands alone; what they say of each other is checked once all are read.

use classpay_domain::id::{CompanyId, FamilyId};
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use super::documents::{
    ChargedFeeEntry, ClassDoc, CompanyDoc, DiscountSchemeDoc, EnrolmentEntry, HolidayDoc, InvitationStatus,
    RegistrationFeeDoc, SeasonDoc, StudentDoc, TaxRateDoc, TrialEntry, text,
};
use crate::aggregate::AggregateTransaction;

/// The file as it stands. Each part may be missing, so that one mistake doesn't hide the next.
#[derive(Debug, Default)]
pub(super) struct FileDoc {
    pub company: Option<CompanyDoc>,
    pub tax_rates: Vec<TaxRateDoc>,
    pub registration_fees: Vec<RegistrationFeeDoc>,
    pub discount_schemes: Vec<DiscountSchemeDoc>,
    pub holidays: Vec<HolidayDoc>,
    pub seasons: Vec<SeasonDoc>,
    pub classes: Vec<ClassDoc>,
    pub families: Vec<FamilyFileDoc>,
    pub transactions: Vec<AggregateTransaction>,
}

/// A family in the file: the published fields and its lists. They are spelled out: serde doesn't tell the fields of a type that
/// is flattened.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FamilyFileDoc {
    #[serde(with = "text")]
    pub id: FamilyId,
    #[serde(with = "text")]
    pub company_id: CompanyId,
    pub name: String,
    #[serde(default, with = "text::option")]
    pub joined_at: Option<Date>,
    #[serde(default, with = "text")]
    pub invitation_status: InvitationStatus,
    #[serde(default)]
    pub autopay_enabled: bool,
    #[serde(default)]
    pub profile_picture: Option<String>,
    #[serde(default, with = "text::option")]
    pub deleted_at: Option<DateTime>,
    #[serde(default, with = "text::option")]
    pub archived_at: Option<DateTime>,
    #[serde(with = "text")]
    pub created_at: DateTime,
    #[serde(default)]
    pub students: Vec<StudentDoc>,
    #[serde(default)]
    pub enrolments: Vec<EnrolmentEntry>,
    #[serde(default)]
    pub trials: Vec<TrialEntry>,
    #[serde(default)]
    pub charged_fees: Vec<ChargedFeeEntry>,
}
