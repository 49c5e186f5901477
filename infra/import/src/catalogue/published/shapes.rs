//! What each kind of object in a studio's file may say.
//!
//! Invariant: a field stands here only if it is published and no type of the documents has it.

use classpay_service::aggregate::{
    AggregateTransaction, DetailHead, DetailWithEntities, RelatedEntity, Stats, TransactionHead,
};
use classpay_service::catalogue::documents::{
    AdditionalFeeDoc, AddressDoc, BillingSettingsDoc, BrandColorsDoc, ClassDoc, ClassSettingsDoc, CompanyDoc,
    CompanySettingsDoc, DiscountSchemeDoc, DiscountValueDoc, EnrolmentSettingsDoc, GeneralSettingsDoc, HolidayDoc,
    PricingPlanDoc, PricingSchemeValueDoc, RegistrationFeeDoc, SeasonDoc, StudentDoc, TaxRateDoc, TaxSettingsDoc,
    TrialSettingsDoc,
};
use serde_aux::serde_introspection::serde_introspect;

use crate::catalogue::parts::{ChargedFeeEntry, EnrolmentEntry, FamilyFileDoc, InstalmentEntry, TrialEntry};

/// What a kind of object may say.
#[derive(Debug)]
pub(super) struct Shape {
    /// The fields that its type has.
    pub known: fn() -> &'static [&'static str],
    /// The published fields that no rule uses: taken, and left out.
    pub unused: &'static [&'static str],
    /// The fields with which it is no longer there, unless they are null.
    pub gone_with: &'static [&'static str],
    /// Whether a deleted one is archived: what was sold of it stays access.
    pub is_archived_when_deleted: bool,
    /// The objects in it, or the lists of them.
    pub inside: &'static [(&'static str, &'static Shape)],
}

/// Beside what its type has.
const OF_A_COMPANY: &[&str] = &["companyId", "createdAt", "updatedAt"];
const DELETED: &[&str] = &["deletedAt"];

const fn shape(known: fn() -> &'static [&'static str]) -> Shape {
    Shape { known, unused: &[], gone_with: &[], is_archived_when_deleted: false, inside: &[] }
}

/// The file as a whole.
pub(super) static FILE: Shape = Shape {
    inside: &[
        ("company", &COMPANY),
        ("taxRates", &TAX_RATE),
        ("registrationFees", &REGISTRATION_FEE),
        ("discountSchemes", &DISCOUNT_SCHEME),
        ("holidays", &HOLIDAY),
        ("seasons", &SEASON),
        ("classes", &CLASS),
        ("families", &FAMILY),
        ("transactions", &TRANSACTION),
    ],
    ..shape(|| &[])
};

static COMPANY: Shape = Shape {
    unused: &["updatedAt"],
    inside: &[("address", &ADDRESS), ("settings", &COMPANY_SETTINGS)],
    ..shape(serde_introspect::<CompanyDoc>)
};
static ADDRESS: Shape = shape(serde_introspect::<AddressDoc>);
static COMPANY_SETTINGS: Shape = Shape {
    inside: &[
        ("general", &GENERAL_SETTINGS),
        ("tax", &TAX_SETTINGS),
        ("trial", &TRIAL_SETTINGS),
        ("billing", &BILLING_SETTINGS),
        ("enrolment", &ENROLMENT_SETTINGS),
    ],
    ..shape(serde_introspect::<CompanySettingsDoc>)
};
static GENERAL_SETTINGS: Shape =
    Shape { inside: &[("brandColors", &BRAND_COLORS)], ..shape(serde_introspect::<GeneralSettingsDoc>) };
static BRAND_COLORS: Shape = shape(serde_introspect::<BrandColorsDoc>);
static TAX_SETTINGS: Shape = shape(serde_introspect::<TaxSettingsDoc>);
static TRIAL_SETTINGS: Shape = shape(serde_introspect::<TrialSettingsDoc>);
static BILLING_SETTINGS: Shape = shape(serde_introspect::<BillingSettingsDoc>);
static ENROLMENT_SETTINGS: Shape = shape(serde_introspect::<EnrolmentSettingsDoc>);

static TAX_RATE: Shape = Shape { unused: OF_A_COMPANY, gone_with: DELETED, ..shape(serde_introspect::<TaxRateDoc>) };
static REGISTRATION_FEE: Shape = Shape {
    unused: OF_A_COMPANY,
    is_archived_when_deleted: true,
    inside: &[("taxRate", &TAX_RATE)],
    ..shape(serde_introspect::<RegistrationFeeDoc>)
};
static DISCOUNT_SCHEME: Shape = Shape {
    unused: OF_A_COMPANY,
    gone_with: DELETED,
    inside: &[("values", &DISCOUNT_VALUE)],
    ..shape(serde_introspect::<DiscountSchemeDoc>)
};
static DISCOUNT_VALUE: Shape = Shape {
    unused: &["companyId", "discountSchemeId", "createdAt", "updatedAt"],
    gone_with: DELETED,
    ..shape(serde_introspect::<DiscountValueDoc>)
};
static HOLIDAY: Shape = Shape { unused: OF_A_COMPANY, gone_with: DELETED, ..shape(serde_introspect::<HolidayDoc>) };

static SEASON: Shape = Shape {
    is_archived_when_deleted: true,
    inside: &[
        ("registrationFeeDto", &REGISTRATION_FEE),
        ("pricingPlans", &PRICING_PLAN),
        ("additionalFees", &ADDITIONAL_FEE),
        ("pricingSchemeValues", &PRICING_SCHEME_VALUE),
    ],
    ..shape(serde_introspect::<SeasonDoc>)
};
static PRICING_PLAN: Shape = shape(serde_introspect::<PricingPlanDoc>);
static ADDITIONAL_FEE: Shape = shape(serde_introspect::<AdditionalFeeDoc>);
static PRICING_SCHEME_VALUE: Shape = Shape {
    unused: &["companyId", "seasonId", "createdAt", "updatedAt"],
    gone_with: DELETED,
    ..shape(serde_introspect::<PricingSchemeValueDoc>)
};

static CLASS: Shape = Shape {
    unused: &[
        "companyId",
        "seasonName",
        "type",
        "is_recurring",
        "durationInMinutes",
        "description",
        "roomId",
        "staffId",
        "colorId",
        "createdAt",
        "updatedAt",
    ],
    is_archived_when_deleted: true,
    inside: &[("settings", &CLASS_SETTINGS)],
    ..shape(serde_introspect::<ClassDoc>)
};
static CLASS_SETTINGS: Shape = shape(serde_introspect::<ClassSettingsDoc>);

static FAMILY: Shape = Shape {
    unused: &["updatedAt"],
    inside: &[("students", &STUDENT), ("enrolments", &ENROLMENT), ("trials", &TRIAL), ("chargedFees", &CHARGED_FEE)],
    ..shape(serde_introspect::<FamilyFileDoc>)
};
static STUDENT: Shape = Shape {
    unused: &[
        "companyId",
        "familyId",
        "gender",
        "mediaConsent",
        "medicalInfo",
        "profilePicture",
        "joinedAt",
        "createdAt",
        "updatedAt",
    ],
    is_archived_when_deleted: true,
    ..shape(serde_introspect::<StudentDoc>)
};
static ENROLMENT: Shape = Shape {
    unused: &["companyId", "startAt", "endAt", "createdAt", "updatedAt"],
    gone_with: DELETED,
    inside: &[("instalments", &INSTALMENT)],
    ..shape(serde_introspect::<EnrolmentEntry>)
};
static INSTALMENT: Shape = shape(serde_introspect::<InstalmentEntry>);
static TRIAL: Shape =
    Shape { unused: OF_A_COMPANY, gone_with: &["archivedAt", "deletedAt"], ..shape(serde_introspect::<TrialEntry>) };
static CHARGED_FEE: Shape = shape(serde_introspect::<ChargedFeeEntry>);

static TRANSACTION: Shape = Shape {
    inside: &[("transaction", &TRANSACTION_HEAD), ("details", &DETAIL_WITH_ENTITIES), ("stats", &STATS)],
    ..shape(serde_introspect::<AggregateTransaction>)
};
static TRANSACTION_HEAD: Shape = shape(serde_introspect::<TransactionHead>);
static DETAIL_WITH_ENTITIES: Shape = Shape {
    inside: &[("details", &DETAIL), ("relatedEntities", &RELATED_ENTITY)],
    ..shape(serde_introspect::<DetailWithEntities>)
};
static DETAIL: Shape = shape(serde_introspect::<DetailHead>);
static RELATED_ENTITY: Shape = shape(serde_introspect::<RelatedEntity>);
static STATS: Shape = shape(serde_introspect::<Stats>);
