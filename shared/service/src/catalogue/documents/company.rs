//! A company and its settings, as published and as stored.
//!
//! Invariant: only what changes a price or a place is typed beyond its JSON kind; colours and labels are passed on.

use classpay_domain::calendar::YearDay;
use classpay_domain::catalogue::{Currency, TaxMode};
use classpay_domain::id::{AccountId, CompanyId};
use classpay_domain::money::Money;
use jiff::civil::{DateTime, Weekday};
use schemars::{JsonSchema, Schema, json_schema};
use serde::{Deserialize, Serialize};

use super::percent::PercentNumber;
use super::text::{self, AsText, DocumentId, Textual, words_are_text};

/// A class business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "Company")]
pub struct CompanyDoc {
    /// Its id.
    #[serde(with = "text")]
    #[schemars(with = "AsText<CompanyId>")]
    pub id: CompanyId,
    /// Its name.
    pub name: String,
    /// Its name in addresses.
    #[serde(default)]
    pub slug: String,
    /// Where families write to.
    #[serde(default)]
    pub email: String,
    /// Where families call.
    #[serde(default)]
    pub phone: String,
    /// When it joined (UTC).
    #[serde(with = "text")]
    #[schemars(with = "AsText<DateTime>")]
    pub created_at: DateTime,
    /// The address of its picture; empty: none.
    #[serde(default)]
    pub logo: String,
    /// Where it is.
    pub address: AddressDoc,
    /// What it decided.
    pub settings: CompanySettingsDoc,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "Address")]
pub struct AddressDoc {
    /// Its id.
    #[serde(with = "text")]
    #[schemars(with = "AsText<DocumentId>")]
    pub id: DocumentId,
    /// Whose catalogue it is in. The file may leave it out.
    #[serde(with = "text")]
    #[schemars(with = "AsText<CompanyId>")]
    pub company_id: CompanyId,
    /// Who lives there. The file may leave it out: the company.
    #[serde(with = "text")]
    #[schemars(with = "AsText<DocumentId>")]
    pub entity_id: DocumentId,
    /// The first line.
    #[serde(default)]
    pub address1: String,
    /// The second line.
    #[serde(default)]
    pub address2: String,
    /// The town.
    #[serde(default)]
    pub town: String,
    /// The county or state.
    #[serde(default)]
    pub state: String,
    /// ISO 3166-1 alpha-2. Without it no processing fee is charged.
    #[serde(default)]
    pub country_code: String,
    /// The postcode.
    #[serde(default)]
    pub zip: String,
}

/// What a company decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "CompanySettings")]
pub struct CompanySettingsDoc {
    /// Place, language and looks.
    pub general: GeneralSettingsDoc,
    /// Tax.
    pub tax: TaxSettingsDoc,
    /// Trials.
    pub trial: TrialSettingsDoc,
    /// Money.
    pub billing: BillingSettingsDoc,
    /// Ages.
    pub enrolment: EnrolmentSettingsDoc,
}

/// Place, language and looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "GeneralSettings")]
pub struct GeneralSettingsDoc {
    /// Its id. The file may leave it out: the company's.
    #[serde(with = "text")]
    #[schemars(with = "AsText<DocumentId>")]
    pub id: DocumentId,
    /// IANA name of the zone whose date is "today".
    pub timezone: String,
    /// BCP 47.
    #[serde(default = "english")]
    pub locale: String,
    /// What is taught.
    #[serde(default)]
    pub industry: String,
    /// How many students, as a range.
    #[serde(default)]
    pub size: String,
    /// 4:30 pm instead of 16:30.
    #[serde(default, rename = "use12HourClock")]
    pub use_12_hour_clock: bool,
    /// The colour of buttons.
    #[serde(default = "grey")]
    pub brand_color: String,
    /// Its shades.
    #[serde(default)]
    pub brand_colors: BrandColorsDoc,
    /// Where a calendar's week begins.
    #[serde(default = "monday", with = "text")]
    #[schemars(with = "AsText<Weekday>")]
    pub start_day_of_week: Weekday,
}

fn english() -> String {
    "en".to_owned()
}

fn grey() -> String {
    "#737373".to_owned()
}

const fn monday() -> Weekday {
    Weekday::Monday
}

macro_rules! shades {
    ($($field:ident = $name:literal, $default:literal;)*) => {
        /// Shades of the brand's colour, from light to dark.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[schemars(deny_unknown_fields, rename = "BrandColors")]
        pub struct BrandColorsDoc {
            $(
                #[doc = concat!("Shade ", $name, ".")]
                #[serde(rename = $name)]
                pub $field: String,
            )*
        }

        /// Greys.
        impl Default for BrandColorsDoc {
            fn default() -> Self {
                Self { $($field: $default.to_owned(),)* }
            }
        }
    };
}

shades! {
    shade_50 = "50", "#fafafa";
    shade_100 = "100", "#f5f5f5";
    shade_200 = "200", "#e5e5e5";
    shade_300 = "300", "#d4d4d4";
    shade_400 = "400", "#a3a3a3";
    shade_500 = "500", "#737373";
    shade_600 = "600", "#525252";
    shade_700 = "700", "#404040";
    shade_800 = "800", "#262626";
    shade_900 = "900", "#171717";
    shade_950 = "950", "#0a0a0a";
}

/// Tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "TaxSettings")]
pub struct TaxSettingsDoc {
    /// Its id. The file may leave it out: the company's.
    #[serde(with = "text")]
    #[schemars(with = "AsText<DocumentId>")]
    pub id: DocumentId,
    /// Whether anything is taxed.
    #[serde(default)]
    pub enabled: bool,
    /// What the number is called.
    #[serde(default)]
    pub tax_id_label: String,
    /// The number that receipts show.
    #[serde(default)]
    pub tax_id_number: String,
    /// Whether prices contain their tax.
    #[serde(default = "exclusive", with = "text")]
    #[schemars(with = "AsText<TaxMode>")]
    pub tax_mode: TaxMode,
}

const fn exclusive() -> TaxMode {
    TaxMode::Exclusive
}

/// Trials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "TrialSettings")]
pub struct TrialSettingsDoc {
    /// Its id. The file may leave it out: the company's.
    #[serde(with = "text")]
    #[schemars(with = "AsText<DocumentId>")]
    pub id: DocumentId,
    /// The price of one trial, in minor units.
    #[serde(default, with = "text::minor_units")]
    #[schemars(with = "i64")]
    pub price: Money,
    /// Whether families may book one themselves.
    #[serde(default)]
    pub enable_on_portal: bool,
    /// The most trials in one lesson, if it is limited.
    #[serde(default)]
    pub max_capacity_per_lesson: u32,
    /// Whether it is limited.
    #[serde(default)]
    pub limited_capacity: bool,
}

/// When a period is paid. It is passed on; no price depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BillingTiming {
    /// Before it begins.
    #[default]
    Advance,
    /// When it is over.
    Arrears,
}

/// Money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "BillingSettings")]
pub struct BillingSettingsDoc {
    /// Its id. The file may leave it out: the company's.
    #[serde(with = "text")]
    #[schemars(with = "AsText<DocumentId>")]
    pub id: DocumentId,
    /// Where its money goes; null: it can't take any yet.
    #[serde(default, with = "text::option")]
    #[schemars(with = "Option<AsText<AccountId>>")]
    pub stripe_id: Option<AccountId>,
    /// ISO 4217 in lower case.
    #[serde(with = "text")]
    #[schemars(with = "AsText<Currency>")]
    pub currency: Currency,
    /// When a period is paid.
    #[serde(default, with = "text")]
    #[schemars(with = "AsText<BillingTiming>")]
    pub billing_timing: BillingTiming,
    /// 1 to 31.
    #[serde(default = "first")]
    pub billing_day_of_month: i8,
    /// Whether the payer pays a fee on top, where and while the law doesn't forbid it.
    #[serde(default)]
    pub is_processing_fee_enabled: bool,
    /// Of the subtotal.
    #[serde(default)]
    pub processing_fee: PercentNumber,
}

const fn first() -> i8 {
    1
}

/// Ages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "EnrolmentSettings")]
pub struct EnrolmentSettingsDoc {
    /// Its id. The file may leave it out: the company's.
    #[serde(with = "text")]
    #[schemars(with = "AsText<DocumentId>")]
    pub id: DocumentId,
    /// Which date an age counts at.
    #[serde(default, with = "text")]
    #[schemars(with = "AsText<AgeCutOffType>")]
    pub age_cut_off_type: AgeCutOffType,
    /// For `specific_date`.
    #[serde(default, with = "text::option")]
    #[schemars(with = "Option<AsText<YearDay>>")]
    pub age_cut_off_date: Option<YearDay>,
    /// For `days_after_season_start`.
    #[serde(default)]
    pub age_cut_off_days: Option<u16>,
}

/// Which date an age counts at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AgeCutOffType {
    /// The season's first day.
    #[default]
    FirstDayOfSeason,
    /// The last such day on or before the season's first day.
    SpecificDate,
    /// So many days after the season's first day.
    DaysAfterSeasonStart,
}

words_are_text! {
    BillingTiming { Advance = "advance", Arrears = "arrears" }
    AgeCutOffType {
        FirstDayOfSeason = "first_day_of_season", SpecificDate = "specific_date",
        DaysAfterSeasonStart = "days_after_season_start",
    }
}

impl Textual for YearDay {
    fn read(text: &str) -> Result<Self, String> {
        let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        let day = match text.as_bytes() {
            [_, _, b'-', _, _] => text.get(..2).and_then(number).zip(text.get(3..).and_then(number)),
            _ => None,
        };
        let day = day.and_then(|(month, day)| Self::new(month, day));
        day.ok_or_else(|| format!("`{text}` is not a month and a day like 09-01"))
    }
    fn write(&self) -> String {
        format!("{:02}-{:02}", self.month(), self.day())
    }
    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": "^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"})
    }
}
