//! Why a basket can't be sold, in words that a family can act on and a code that a client can act on.
//!
//! Invariant: a refusal names every item it is about, but one that says "not found" names nothing.

use classpay_domain::pricing::{BrokenRule, NamedItem, NoTrial, Payment, Refusal};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::catalogue::documents::PercentNumber;
use crate::error::{Error, ErrorCode};

/// What a checkout charges now, as the contract shows it. Amounts in minor units.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Payment")]
pub struct PaymentBody {
    /// All that is due now.
    pub subtotal: i64,
    /// What is paid on top.
    pub processing_fee: i64,
    /// That in percent, digit for digit.
    #[schemars(with = "PercentNumber")]
    pub processing_fee_percent: Box<RawValue>,
    /// What the intent must say.
    pub total: i64,
}

impl From<&Payment> for PaymentBody {
    fn from(payment: &Payment) -> Self {
        let percent = payment.processing_fee_percent.to_shortest();
        Self {
            subtotal: payment.subtotal.units(),
            processing_fee: payment.processing_fee.units(),
            processing_fee_percent: RawValue::from_string(percent).expect("a percentage is written as a JSON number"),
            total: payment.total.units(),
        }
    }
}

/// The refusal of a payment that doesn't say what the basket costs now.
#[must_use]
pub fn quote_changed(payment: Option<&Payment>) -> Error {
    let refusal = Error::from(ErrorCode::QuoteChanged);
    match payment.map(|payment| serde_json::value::to_raw_value(&PaymentBody::from(payment))) {
        Some(Ok(payment)) => refusal.with_payment(payment),
        Some(Err(_)) | None => refusal,
    }
}

/// Whether a refusal of a checkout releases an authorisation that was made for it. What the payer can mend by calling
/// again doesn't; what he can't does.
#[must_use]
pub fn releases(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::EnrolmentClosed
            | ErrorCode::AgeOutOfRange
            | ErrorCode::ClassFull
            | ErrorCode::TrialFull
            | ErrorCode::AlreadyEnrolled
            | ErrorCode::TrialAlreadyUsed
            | ErrorCode::QuoteChanged
            | ErrorCode::BasketTooLarge
    )
}

const fn code_of(rule: BrokenRule) -> ErrorCode {
    match rule {
        BrokenRule::BasketEmpty => ErrorCode::BasketEmpty,
        BrokenRule::BasketTooLarge => ErrorCode::BasketTooLarge,
        BrokenRule::NotFound => ErrorCode::NotFound,
        BrokenRule::DuplicateItem => ErrorCode::DuplicateItem,
        BrokenRule::AlreadyEnrolled => ErrorCode::AlreadyEnrolled,
        BrokenRule::EnrolmentClosed => ErrorCode::EnrolmentClosed,
        BrokenRule::ClassEnded => ErrorCode::ClassEnded,
        BrokenRule::AgeOutOfRange => ErrorCode::AgeOutOfRange,
        BrokenRule::ClassFull => ErrorCode::ClassFull,
        BrokenRule::NoEnabledPlan => ErrorCode::NoEnabledPlan,
        BrokenRule::PlanNotInSeason => ErrorCode::PlanNotInSeason,
        BrokenRule::TrialNotAvailable => ErrorCode::TrialNotAvailable,
        BrokenRule::TrialAlreadyUsed => ErrorCode::TrialAlreadyUsed,
        BrokenRule::TrialFull => ErrorCode::TrialFull,
        BrokenRule::AmountTooLarge => ErrorCode::AmountTooLarge,
    }
}

fn sentence(rule: BrokenRule, item: &NamedItem) -> Option<String> {
    let NamedItem { student_name, class_name, trial_on, no_trial, .. } = item;
    let lesson = trial_on.map_or_else(String::new, |on| format!(" on {on}"));
    Some(match rule {
        BrokenRule::DuplicateItem => format!("{student_name} is in the basket twice for {class_name}."),
        BrokenRule::AlreadyEnrolled => format!("{student_name} is already enrolled in {class_name}."),
        BrokenRule::EnrolmentClosed => format!("Enrolment in {class_name} is closed ({student_name})."),
        BrokenRule::ClassEnded => format!("{class_name} has no lessons left ({student_name})."),
        BrokenRule::AgeOutOfRange => format!("{class_name} is not for {student_name}'s age."),
        BrokenRule::ClassFull => format!("{class_name} has no place left for {student_name}."),
        BrokenRule::NoEnabledPlan => format!("{class_name} can't be paid for yet ({student_name})."),
        BrokenRule::PlanNotInSeason => {
            format!("The pricing plan for {student_name} in {class_name} is not one of that season.")
        }
        BrokenRule::TrialNotAvailable => match no_trial {
            Some(NoTrial::OfThisClass) => format!("{class_name} takes no trials ({student_name})."),
            Some(NoTrial::ByStaffOnly) => {
                format!("Only the office books trials: {student_name} can't book one of {class_name}{lesson}.")
            }
            Some(NoTrial::AtThisTime) => {
                format!("The lesson of {class_name}{lesson} begins at another time ({student_name}).")
            }
            Some(NoTrial::OnThisDay) | None => {
                format!("{class_name} has no lesson to come{lesson} ({student_name}).")
            }
        },
        BrokenRule::TrialAlreadyUsed => {
            format!("{student_name} has had a trial of {class_name}, or is enrolled in it.")
        }
        BrokenRule::TrialFull if trial_on.is_none() => {
            format!("{class_name} has no place left for a trial beside {student_name}'s own place.")
        }
        BrokenRule::TrialFull => format!("{class_name} has no trial place left{lesson} for {student_name}."),
        BrokenRule::BasketEmpty | BrokenRule::BasketTooLarge | BrokenRule::NotFound | BrokenRule::AmountTooLarge => {
            return None;
        }
    })
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let code = code_of(refusal.rule);
        let messages: Vec<_> = refusal.items.iter().filter_map(|item| sentence(refusal.rule, item)).collect();
        let plain = Error::from(code);
        if messages.is_empty() { plain } else { Self { messages, ..plain } }
    }
}
