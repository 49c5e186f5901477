//! The items of a basket as callers write them: in a quote's query, and in the bodies of checkout and of a
//! payment session.
//!
//! Invariant: these are words, not yet trusted. The domain's basket is made from them, once.

use serde::{Deserialize, Serialize};

use super::object::objects;

/// One enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnrolmentBody {
    /// The class.
    pub class_id: String,
    /// The student.
    pub student_id: String,
    /// The pricing plan; a quote may leave it open.
    pub pricing_plan_id: Option<String>,
}

/// One trial lesson.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrialBody {
    /// The class.
    pub class_id: String,
    /// The student.
    pub student_id: String,
    /// The day of the lesson, `2023-12-05`.
    pub trial_at: String,
    /// When it starts, `09:00`.
    pub time: String,
}

/// All items of a basket. Both keys are required; a list may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ItemsBody {
    /// The enrolments.
    #[serde(deserialize_with = "objects")]
    pub enrolments: Vec<EnrolmentBody>,
    /// The trial lessons.
    #[serde(deserialize_with = "objects")]
    pub trials: Vec<TrialBody>,
}
