//! The items of a basket as callers write them: in a quote's query, and in the bodies of checkout and of a
//! payment session.
//!
//! Invariant: these are words, not yet trusted. The domain's basket is made from them, once.

use classpay_domain::basket::BASKET_MAX_ITEMS;
use classpay_domain::id::{ClassId, PlanId, StudentId};
use jiff::civil::{Date, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::object::objects;
use crate::catalogue::documents::text::AsText;

/// One enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "BasketEnrolment")]
pub struct EnrolmentBody {
    /// The class.
    #[schemars(with = "AsText<ClassId>")]
    pub class_id: String,
    /// The student.
    #[schemars(with = "AsText<StudentId>")]
    pub student_id: String,
    /// The pricing plan. Only a quote may leave it open.
    #[schemars(with = "AsText<PlanId>")]
    pub pricing_plan_id: Option<String>,
}

/// One trial lesson.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "BasketTrial")]
pub struct TrialBody {
    /// The class.
    #[schemars(with = "AsText<ClassId>")]
    pub class_id: String,
    /// The student.
    #[schemars(with = "AsText<StudentId>")]
    pub student_id: String,
    /// The day of the lesson, `2023-12-05`.
    #[schemars(with = "AsText<Date>")]
    pub trial_at: String,
    /// When it starts, `09:00`.
    #[schemars(with = "AsText<Time>")]
    pub time: String,
}

/// All items of a basket. Both keys are required; one list may be empty, and the limit is for both together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "BasketItems")]
pub struct ItemsBody {
    /// The enrolments.
    #[serde(deserialize_with = "objects")]
    #[schemars(length(max = BASKET_MAX_ITEMS))]
    pub enrolments: Vec<EnrolmentBody>,
    /// The trial lessons.
    #[serde(deserialize_with = "objects")]
    #[schemars(length(max = BASKET_MAX_ITEMS))]
    pub trials: Vec<TrialBody>,
}
