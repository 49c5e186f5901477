//! Values that stand in JSON as text: ids, dates, times, currencies, the contract's words.
//!
//! `#[serde(with = "text")]`, `"text::option"` and `"text::list"` put them into a document as domain types.
//!
//! Invariant: one spelling for each value. `2026-9-7` and `9:00` are refused though a lenient parser would take them,
//! because a stored text is compared as text.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use classpay_domain::catalogue::{
    Application, Currency, DiscountKind, FeePeriod, PlanKind, PricingModel, RegistrationStatus, Repetition, Replaced,
    TaxMode,
};
use classpay_domain::id::{
    AccountId, ClassId, CompanyId, CustomerId, DiscountSchemeId, EnrolmentId, FamilyId, FeeId, ID_MAX_LEN, IdError,
    IntentId, OrderId, PlanId, SeasonId, StudentId, TaxRateId, TransactionId, TrialId,
};
use classpay_domain::link::{LinkAlias, PaymentLinkId};
use classpay_domain::money::Money;
use jiff::civil::{Date, DateTime, Time, Weekday};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A value with exactly one text.
pub trait Textual: Sized {
    /// Reads the text.
    ///
    /// # Errors
    /// What was expected instead, for the author of the text.
    fn read(text: &str) -> Result<Self, String>;

    /// Writes the text.
    fn write(&self) -> String;

    /// What such a text looks like, for the API's document.
    #[must_use]
    fn schema() -> Schema {
        json_schema!({"type": "string"})
    }
}

/// Lets serde see a [`Textual`] value inside an option or a list, so that a mistake has its place; and lets the API's
/// document see it anywhere.
pub struct AsText<T>(T);

impl<T: Textual> JsonSchema for AsText<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::schema()
    }
}

/// For a field that may be null and must be there, in the API's document.
pub fn or_null<T: Textual>(schemas: &mut SchemaGenerator) -> Schema {
    Option::<AsText<T>>::json_schema(schemas)
}

/// One of these words, for the API's document.
#[must_use]
pub fn one_of(words: impl IntoIterator<Item = &'static str>) -> Schema {
    json_schema!({"type": "string", "enum": words.into_iter().collect::<Vec<_>>()})
}

impl<T: Textual> Serialize for AsText<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.write())
    }
}

impl<'de, T: Textual> Deserialize<'de> for AsText<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::read(&text).map(AsText).map_err(de::Error::custom)
    }
}

/// For `#[serde(with)]`: one value.
///
/// # Errors
/// The serializer's.
pub fn serialize<T: Textual, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    AsText(value).serialize(serializer)
}

/// For `#[serde(with)]`: one value.
///
/// # Errors
/// The deserializer's, and what [`Textual::read`] says.
pub fn deserialize<'de, T: Textual, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    AsText::deserialize(deserializer).map(|text| text.0)
}

/// For `#[serde(default, with)]`: a value or null.
pub mod option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{AsText, Textual};

    /// # Errors
    /// The serializer's.
    pub fn serialize<T: Textual, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(AsText).serialize(serializer)
    }

    /// # Errors
    /// The deserializer's, and what [`Textual::read`] says.
    pub fn deserialize<'de, T: Textual, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        Ok(Option::<AsText<T>>::deserialize(deserializer)?.map(|text| text.0))
    }
}

/// For `#[serde(default, with)]`: any number of values.
pub mod list {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{AsText, Textual};

    /// # Errors
    /// The serializer's.
    pub fn serialize<T: Textual, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(AsText))
    }

    /// # Errors
    /// The deserializer's, and what [`Textual::read`] says.
    pub fn deserialize<'de, T: Textual, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        Ok(Vec::<AsText<T>>::deserialize(deserializer)?.into_iter().map(|text| text.0).collect())
    }
}

/// For `#[serde(with)]`: an amount as an integer in minor units.
pub mod minor_units {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Money;

    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(amount: &Money, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(amount.units())
    }

    /// # Errors
    /// The deserializer's: a float is refused.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
        i64::deserialize(deserializer).map(Money::minor)
    }

    /// An amount or null.
    pub mod option {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        use super::Money;

        /// # Errors
        /// The serializer's.
        pub fn serialize<S: Serializer>(amount: &Option<Money>, serializer: S) -> Result<S::Ok, S::Error> {
            amount.map(Money::units).serialize(serializer)
        }

        /// # Errors
        /// The deserializer's: a float is refused.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Money>, D::Error> {
            Ok(Option::<i64>::deserialize(deserializer)?.map(Money::minor))
        }
    }
}

/// An id of a kind that decides nothing (a holiday, a tier, a group of settings): checked like every other id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId(String);

impl DocumentId {
    /// Takes an id from outside.
    ///
    /// # Errors
    /// [`IdError`] for what isn't `[A-Za-z0-9_]{1,64}`.
    pub fn parse(text: impl Into<Arc<str>>) -> Result<Self, IdError> {
        // The domain has the one check; which kind of id it is asked for makes no difference to it.
        ClassId::parse(text).map(|id| Self(id.as_str().to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! ids_are_text {
    ($($id:ty),*) => {$(
        impl Textual for $id {
            fn read(text: &str) -> Result<Self, String> {
                <$id>::parse(text).map_err(|error| error.to_string())
            }
            fn write(&self) -> String {
                self.as_str().to_owned()
            }
            fn schema() -> Schema {
                id_schema()
            }
        }
    )*};
}

/// An id as the domain checks it; those that we ids are a prefix and 26 characters of Crockford's base32.
fn id_schema() -> Schema {
    json_schema!({"type": "string", "pattern": format!("^[A-Za-z0-9_]{{1,{ID_MAX_LEN}}}$")})
}

ids_are_text!(
    AccountId,
    ClassId,
    CompanyId,
    CustomerId,
    DiscountSchemeId,
    DocumentId,
    EnrolmentId,
    FamilyId,
    FeeId,
    IntentId,
    OrderId,
    PlanId,
    SeasonId,
    StudentId,
    TaxRateId,
    TransactionId,
    TrialId
);

impl Textual for FeePeriod {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| format!("`{text}` is not `once`, a year or a season's id"))
    }

    fn write(&self) -> String {
        self.as_str().to_owned()
    }
}

/// A link's id is a secret: what is written here goes to answers, never to a key or a log.
impl Textual for PaymentLinkId {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn write(&self) -> String {
        self.expose().to_owned()
    }

    fn schema() -> Schema {
        id_schema()
    }
}

impl Textual for LinkAlias {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "this is no digest of a link's id".to_owned())
    }

    fn write(&self) -> String {
        self.as_str().to_owned()
    }
}

/// A closed list of words, each a variant.
macro_rules! words_are_text {
    ($($kind:ty { $($variant:ident = $word:literal),* $(,)? })*) => {$(
        impl $crate::catalogue::documents::text::Textual for $kind {
            fn read(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("`{text}` is not one of {}", [$($word),*].join(", "))),
                }
            }
            fn write(&self) -> String {
                match self { $(Self::$variant => $word.to_owned(),)* }
            }
            fn schema() -> schemars::Schema {
                $crate::catalogue::documents::text::one_of([$($word),*])
            }
        }
    )*};
}
pub(super) use words_are_text;

words_are_text! {
    RegistrationStatus { Never = "never", Open = "open", Closed = "closed", Ended = "ended" }
    PricingModel { PerLesson = "per-lesson", PerMonth = "per-month", PerSeason = "per-season" }
    PlanKind { OneOff = "one-off", Monthly = "monthly" }
    Repetition { OneOff = "one-off", Annual = "annual", PerSeason = "per-season" }
    DiscountKind {
        StudentsOfFamily = "student_qty_by_family", ClassesOfStudent = "course_qty_by_student",
        ClassesOfFamily = "course_qty_by_family",
    }
    Application { TotalTuition = "total_tuition", IndividualItem = "individual_item" }
    TaxMode { Exclusive = "exclusive", Inclusive = "inclusive" }
    Weekday {
        Monday = "monday", Tuesday = "tuesday", Wednesday = "wednesday", Thursday = "thursday", Friday = "friday",
        Saturday = "saturday", Sunday = "sunday",
    }
}

/// Takes what the parser takes, if it is also how we write it.
fn exactly<T: Textual>(text: &str, parsed: Option<T>, what: &str) -> Result<T, String> {
    parsed.filter(|value| value.write() == text).ok_or_else(|| format!("`{text}` is not {what}"))
}

fn written(value: impl Display) -> String {
    value.to_string()
}

impl Textual for Date {
    fn read(text: &str) -> Result<Self, String> {
        exactly(text, text.parse().ok(), "a date like 2026-09-07")
    }
    fn write(&self) -> String {
        written(self)
    }
    fn schema() -> Schema {
        json_schema!({"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
    }
}

impl Textual for Time {
    fn read(text: &str) -> Result<Self, String> {
        exactly(text, text.parse().ok(), "a time like 09:30")
    }
    fn write(&self) -> String {
        written(self.strftime("%H:%M"))
    }
    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})
    }
}

/// Date-times are in UTC.
impl Textual for DateTime {
    fn read(text: &str) -> Result<Self, String> {
        exactly(text, text.parse().ok(), "a date and time like 2026-09-07 14:30:41")
    }
    fn write(&self) -> String {
        written(self.strftime("%Y-%m-%d %H:%M:%S"))
    }
    /// Not `format: date-time`, which has a `T` and a zone.
    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"})
    }
}

impl Textual for Currency {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| match Self::replaced(text) {
            Some(Replaced { name, by, since }) => {
                format!("`{text}` is {name}, which is no money since {since}: `{by}` has replaced it")
            }
            None => format!("`{text}` is not a currency with a known smallest charge"),
        })
    }
    fn write(&self) -> String {
        self.code().to_owned()
    }
    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": "^[a-z]{3}$"})
    }
}
