//! A studio's file in its parts, as they are read.
//!
//! Invariant: each part stands alone; what they say of each other is checked once all are read.

use classpay_domain::catalogue::{ChargedFee, FeePeriod};
use classpay_domain::id::{ClassId, CompanyId, EnrolmentId, FamilyId, FeeId, PlanId, StudentId, TrialId};
use classpay_domain::money::Money;
use classpay_service::aggregate::AggregateTransaction;
use classpay_service::catalogue::CorruptDocument;
use classpay_service::catalogue::documents::{
    ClassDoc, CompanyDoc, DiscountSchemeDoc, HolidayDoc, InvitationStatus, RegistrationFeeDoc, SeasonDoc, StudentDoc,
    TaxRateDoc, text,
};
use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};

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

/// A live enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrolmentEntry {
    /// Its id.
    #[serde(with = "text")]
    pub id: EnrolmentId,
    /// Who.
    #[serde(with = "text")]
    pub student_id: StudentId,
    /// Where.
    #[serde(with = "text")]
    pub class_id: ClassId,
    /// How it is paid. Class Manager doesn't answer it.
    #[serde(default, with = "text::option")]
    pub pricing_plan_id: Option<PlanId>,
    /// What falls due later, on its dates.
    #[serde(default)]
    pub instalments: Vec<InstalmentEntry>,
}

/// What an enrolment still owes on a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstalmentEntry {
    /// When it falls due: the company's local date.
    #[serde(with = "text")]
    pub date: Date,
    /// In minor units, tax included.
    #[serde(with = "text::minor_units")]
    pub amount: Money,
}

/// A live trial booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrialEntry {
    /// Its id.
    #[serde(with = "text")]
    pub id: TrialId,
    /// Who.
    #[serde(with = "text")]
    pub student_id: StudentId,
    /// Where.
    #[serde(with = "text")]
    pub class_id: ClassId,
    /// The lesson's day.
    #[serde(with = "text")]
    pub trial_at: Date,
    /// When it begins.
    #[serde(with = "text")]
    pub time: Time,
}

/// A fee that was charged before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargedFeeEntry {
    /// The registration fee or additional fee.
    #[serde(with = "text")]
    pub fee_id: FeeId,
    /// For whom.
    #[serde(with = "text")]
    pub student_id: StudentId,
    /// `once`, the first day of the fee year, or the season's id.
    pub period: String,
    /// Before exclusive tax, in minor units.
    #[serde(with = "text::minor_units")]
    pub amount: Money,
}

/// A period that no fee could have is corrupt; whether it fits the fee is checked with the file.
impl TryFrom<&ChargedFeeEntry> for ChargedFee {
    type Error = CorruptDocument;

    fn try_from(entry: &ChargedFeeEntry) -> Result<Self, CorruptDocument> {
        let corrupt = |field| CorruptDocument { id: entry.fee_id.to_string(), field };
        Ok(Self {
            fee: entry.fee_id.clone(),
            student: entry.student_id.clone(),
            period: FeePeriod::parse(&entry.period).ok_or_else(|| corrupt("period"))?,
            amount: Some(entry.amount).filter(|amount| *amount >= Money::ZERO).ok_or_else(|| corrupt("amount"))?,
        })
    }
}
