//! What a company has beside its seasons: tax rates, holidays, fees and discount schemes.
//!
//! Invariant: an amount is an integer and an id is checked; which rules a fee or a scheme keeps is the file's business.

use classpay_domain::catalogue::{Application, DiscountKind, Repetition};
use classpay_domain::id::{CompanyId, DiscountSchemeId, FeeId, TaxRateId};
use classpay_domain::money::Money;
use jiff::civil::{Date, DateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::percent::PercentText;
use super::text::{self, AsText, DocumentId, words_are_text};
use super::yes;

/// A tax rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "TaxRate")]
pub struct TaxRateDoc {
    /// Its id.
    #[serde(with = "text")]
    #[schemars(with = "AsText<TaxRateId>")]
    pub id: TaxRateId,
    /// 0 to 100 %.
    pub rate: PercentText,
    /// What it is called: "VAT".
    pub label: String,
    /// Whether new classes get it.
    #[serde(default)]
    pub is_default: bool,
}

/// Days without lessons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HolidayDoc {
    /// Its id.
    #[serde(with = "text")]
    pub id: DocumentId,
    /// Its name.
    pub name: String,
    /// The first day.
    #[serde(with = "text")]
    pub start_at: Date,
    /// The last day.
    #[serde(with = "text")]
    pub end_at: Date,
}

/// What a student pays once a period for being registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "RegistrationFee")]
pub struct RegistrationFeeDoc {
    /// Its id.
    #[serde(with = "text")]
    #[schemars(with = "AsText<FeeId>")]
    pub id: FeeId,
    /// Its name.
    pub name: String,
    /// In minor units.
    #[serde(with = "text::minor_units")]
    #[schemars(with = "i64")]
    pub amount: Money,
    /// The most a family pays in a period; null: no limit.
    #[serde(default, with = "text::minor_units::option")]
    #[schemars(with = "Option<i64>")]
    pub max_amount_per_family: Option<Money>,
    /// The period.
    #[serde(with = "text")]
    #[schemars(with = "AsText<Repetition>")]
    pub repetition_interval: Repetition,
    /// For an annual fee: the day on which its years begin, of any year; null: 1 January.
    #[serde(default, with = "text::option")]
    #[schemars(with = "Option<AsText<Date>>")]
    pub due_date: Option<Date>,
    /// Whether a part of the period costs a part.
    #[serde(default)]
    pub pro_rated: bool,
    /// Its tax.
    #[serde(default)]
    pub tax_rate: Option<TaxRateDoc>,
    /// Only input: names the tax rate instead of spelling it out.
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub tax_rate_id: Option<TaxRateId>,
    /// When it was given up (UTC).
    #[serde(default, with = "text::option")]
    #[schemars(with = "Option<AsText<DateTime>>")]
    pub archived_at: Option<DateTime>,
}

/// What a student pays for enrolling in a season.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "AdditionalFee")]
pub struct AdditionalFeeDoc {
    /// Its id.
    #[serde(with = "text")]
    #[schemars(with = "AsText<FeeId>")]
    pub id: FeeId,
    /// Whose catalogue it is in. The file may leave it out.
    #[serde(with = "text")]
    #[schemars(with = "AsText<CompanyId>")]
    pub company_id: CompanyId,
    /// The season. The file may leave it out.
    #[serde(with = "text")]
    #[schemars(with = "AsText<DocumentId>")]
    pub entity_id: DocumentId,
    /// What it is for.
    pub description: String,
    /// In minor units.
    #[serde(with = "text::minor_units")]
    #[schemars(with = "i64")]
    pub amount: Money,
    /// The most a family pays; null: no limit.
    #[serde(default, with = "text::minor_units::option")]
    #[schemars(with = "Option<i64>")]
    pub max_amount_per_family: Option<Money>,
    /// Its tax.
    #[serde(default, with = "text::option")]
    #[schemars(with = "Option<AsText<TaxRateId>>")]
    pub tax_rate_id: Option<TaxRateId>,
    /// Whether a part of the season costs a part.
    #[serde(default)]
    pub pro_rated: bool,
}

/// A discount for many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscountSchemeDoc {
    /// Its id.
    #[serde(with = "text")]
    pub id: DiscountSchemeId,
    /// What is counted.
    #[serde(rename = "scheme", with = "text")]
    pub kind: DiscountKind,
    /// What it is taken off.
    #[serde(with = "text")]
    pub application: Application,
    /// What its values' amounts are.
    #[serde(rename = "type", with = "text")]
    pub unit: DiscountUnit,
    /// Whether it is given.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Its tiers.
    #[serde(default)]
    pub values: Vec<DiscountValueDoc>,
}

/// What the amounts of a discount scheme are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscountUnit {
    /// Whole percent.
    Percent,
    /// Minor units.
    Fixed,
}

/// A tier of a discount scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscountValueDoc {
    /// Its id.
    #[serde(with = "text")]
    pub id: DocumentId,
    /// From how many on.
    pub quantity: u32,
    /// Whole percent or minor units.
    pub amount: i64,
}

words_are_text! {
    DiscountUnit { Percent = "percent", Fixed = "fixed" }
}
