//! A season with its plans.
//!
//! Invariant: [`SeasonDoc`] is what is stored; an answer shows [`SeasonDoc::published`], which has the contract's
//! fields and no other.

use classpay_domain::catalogue::{PlanKind, PricingModel, RegistrationStatus};
use classpay_domain::id::{CompanyId, FeeId, PlanId, SeasonId, TaxRateId};
use classpay_domain::money::Money;
use jiff::civil::{Date, DateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::company::BillingTiming;
use super::fees::{AdditionalFeeDoc, RegistrationFeeDoc};
use super::percent::PercentNumber;
use super::text::{self, AsText, DocumentId, words_are_text};
use super::yes;

/// A season: a term, a school year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeasonDoc {
    /// Its id.
    #[serde(with = "text")]
    pub id: SeasonId,
    /// Whose it is. The file may leave it out.
    #[serde(with = "text")]
    pub company_id: CompanyId,
    /// Its name.
    pub name: String,
    /// The first day.
    #[serde(with = "text")]
    pub start_at: Date,
    /// The last day.
    #[serde(with = "text")]
    pub end_at: Date,
    /// Whether it says it is on sale. The file may leave it out: if its status is `open`.
    pub registration_open: bool,
    /// Whether it is on sale: what decides.
    #[serde(default = "open", with = "text")]
    pub registration_status: RegistrationStatus,
    /// Whether a registration fee is taken.
    #[serde(default)]
    pub enable_registration_fees: bool,
    /// The registration fee.
    #[serde(default)]
    pub registration_fee_dto: Option<RegistrationFeeDoc>,
    /// Only input: names the registration fee instead of spelling it out.
    #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
    pub registration_fee_id: Option<FeeId>,
    /// Only output: a copy, no price depends on it.
    #[serde(default, with = "text::minor_units")]
    pub registration_fee: Money,
    /// Only output, as above.
    #[serde(default, with = "text::option")]
    pub registration_fee_tax_rate_id: Option<TaxRateId>,
    /// Only output, as above.
    #[serde(default)]
    pub has_max_registration_fee: bool,
    /// Only output, as above.
    #[serde(default, with = "text::minor_units::option")]
    pub max_registration_fee: Option<Money>,
    /// How a class is priced.
    #[serde(default, with = "text")]
    pub pricing_scheme: PricingScheme,
    /// What is counted.
    #[serde(with = "text")]
    pub pricing_model: PricingModel,
    /// How it can be paid.
    #[serde(default)]
    pub pricing_plans: Vec<PricingPlanDoc>,
    /// What a student pays for enrolling.
    #[serde(default)]
    pub additional_fees: Vec<AdditionalFeeDoc>,
    /// Only input: prices by the number of classes.
    #[serde(default)]
    pub pricing_scheme_values: Vec<PricingSchemeValueDoc>,
    /// When it was made (UTC).
    #[serde(with = "text")]
    pub created_at: DateTime,
    /// When it was last changed (UTC).
    #[serde(default, with = "text::option")]
    pub updated_at: Option<DateTime>,
    /// When it was given up (UTC).
    #[serde(default, with = "text::option")]
    pub archived_at: Option<DateTime>,
}

const fn open() -> RegistrationStatus {
    RegistrationStatus::Open
}

/// How a class is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PricingScheme {
    /// By the class's own price.
    #[default]
    None,
    /// By how many classes the student takes.
    ClassQuantity,
}

words_are_text! {
    PricingScheme { None = "none", ClassQuantity = "class-quantity" }
}

/// When and in how many parts a family pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "PricingPlan")]
pub struct PricingPlanDoc {
    /// Its id.
    #[serde(with = "text")]
    #[schemars(with = "AsText<PlanId>")]
    pub id: PlanId,
    /// The season. The file may leave it out.
    #[serde(with = "text")]
    #[schemars(with = "AsText<SeasonId>")]
    pub season_id: SeasonId,
    /// The season's. The file may leave it out.
    #[serde(with = "text")]
    #[schemars(with = "AsText<PricingModel>")]
    pub pricing_model: PricingModel,
    /// The first date.
    #[serde(with = "text")]
    #[schemars(with = "AsText<Date>")]
    pub first_payment_date: Date,
    /// How many dates.
    pub number_of_installments: u16,
    /// Once or monthly.
    #[serde(rename = "type", with = "text")]
    #[schemars(with = "AsText<PlanKind>")]
    pub kind: PlanKind,
    /// The day of the month of the later dates; null: that of the first.
    #[serde(default)]
    pub payment_day: Option<i8>,
    /// Off the tuition, in percent.
    #[serde(default)]
    pub discount: PercentNumber,
    /// When a period is paid.
    #[serde(default, with = "text")]
    #[schemars(with = "AsText<BillingTiming>")]
    pub billing_timing: BillingTiming,
    /// Whether it can be chosen.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The dates themselves; empty: they follow from the first.
    #[serde(default, with = "text::list")]
    #[schemars(with = "Vec<AsText<Date>>")]
    pub installment_dates: Vec<Date>,
}

/// The price of so many classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PricingSchemeValueDoc {
    /// Its id.
    #[serde(with = "text")]
    pub id: DocumentId,
    /// How many classes.
    pub quantity: u32,
    /// In minor units.
    #[serde(with = "text::minor_units")]
    pub price: Money,
}

/// A season as an answer shows it.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Season")]
pub struct PublishedSeason<'a> {
    #[serde(serialize_with = "borrowed")]
    #[schemars(with = "AsText<SeasonId>")]
    id: &'a SeasonId,
    #[serde(serialize_with = "borrowed")]
    #[schemars(with = "AsText<CompanyId>")]
    company_id: &'a CompanyId,
    name: &'a str,
    #[serde(with = "text")]
    #[schemars(with = "AsText<Date>")]
    start_at: Date,
    #[serde(with = "text")]
    #[schemars(with = "AsText<Date>")]
    end_at: Date,
    registration_open: bool,
    #[serde(with = "text")]
    #[schemars(with = "AsText<RegistrationStatus>")]
    registration_status: RegistrationStatus,
    enable_registration_fees: bool,
    registration_fee_dto: Option<&'a RegistrationFeeDoc>,
    #[serde(with = "text::minor_units")]
    #[schemars(with = "i64")]
    registration_fee: Money,
    #[serde(serialize_with = "borrowed_option")]
    #[schemars(with = "Option<AsText<TaxRateId>>")]
    registration_fee_tax_rate_id: Option<&'a TaxRateId>,
    has_max_registration_fee: bool,
    #[serde(with = "text::minor_units::option")]
    #[schemars(with = "Option<i64>")]
    max_registration_fee: Option<Money>,
    #[serde(with = "text")]
    #[schemars(with = "AsText<PricingScheme>")]
    pricing_scheme: PricingScheme,
    #[serde(with = "text")]
    #[schemars(with = "AsText<PricingModel>")]
    pricing_model: PricingModel,
    pricing_plans: &'a [PricingPlanDoc],
    additional_fees: &'a [AdditionalFeeDoc],
    #[serde(with = "text")]
    #[schemars(with = "AsText<DateTime>")]
    created_at: DateTime,
    #[serde(with = "text::option")]
    #[schemars(with = "Option<AsText<DateTime>>")]
    updated_at: Option<DateTime>,
    #[serde(with = "text::option")]
    #[schemars(with = "Option<AsText<DateTime>>")]
    archived_at: Option<DateTime>,
}

fn borrowed<T: text::Textual, S: serde::Serializer>(value: &&T, serializer: S) -> Result<S::Ok, S::Error> {
    text::serialize(*value, serializer)
}

fn borrowed_option<T: text::Textual, S: serde::Serializer>(
    value: &Option<&T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.map(text::Textual::write).serialize(serializer)
}

impl SeasonDoc {
    /// Puts its registration fee into the season, with the copies that are only output.
    pub fn spell_out(&mut self, fee: RegistrationFeeDoc) {
        self.registration_fee = fee.amount;
        self.registration_fee_tax_rate_id = fee.tax_rate.as_ref().map(|rate| rate.id.clone());
        self.has_max_registration_fee = fee.max_amount_per_family.is_some();
        self.max_registration_fee = fee.max_amount_per_family;
        self.registration_fee_dto = Some(fee);
    }

    /// The season as an answer shows it: without what is only input.
    #[must_use]
    pub fn published(&self) -> PublishedSeason<'_> {
        PublishedSeason {
            id: &self.id,
            company_id: &self.company_id,
            name: &self.name,
            start_at: self.start_at,
            end_at: self.end_at,
            registration_open: self.registration_open,
            registration_status: self.registration_status,
            enable_registration_fees: self.enable_registration_fees,
            registration_fee_dto: self.registration_fee_dto.as_ref(),
            registration_fee: self.registration_fee,
            registration_fee_tax_rate_id: self.registration_fee_tax_rate_id.as_ref(),
            has_max_registration_fee: self.has_max_registration_fee,
            max_registration_fee: self.max_registration_fee,
            pricing_scheme: self.pricing_scheme,
            pricing_model: self.pricing_model,
            pricing_plans: &self.pricing_plans,
            additional_fees: &self.additional_fees,
            created_at: self.created_at,
            updated_at: self.updated_at,
            archived_at: self.archived_at,
        }
    }
}
