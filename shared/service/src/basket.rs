//! Parses the caller's basket into the domain's, once.
//!
//! Invariant: after this, ids and dates are typed.

use classpay_domain::basket::{BASKET_MAX_ITEMS, Basket, EnrolmentItem, TrialItem};
use jiff::civil::{Date, Time};

use crate::error::{Error, ErrorCode};
use crate::wire::{EnrolmentBody, ItemsBody, TrialBody};

/// Whether an enrolment must name its pricing plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plans {
    /// A quote may leave it open.
    Optional,
    /// A checkout may not.
    Required,
}

/// Reads the items of a basket.
///
/// # Errors
/// `basket_empty`; `wrong_type`, naming the first unreadable position; `basket_too_large`.
pub fn parse(items: &ItemsBody, plans: Plans) -> Result<Basket, Error> {
    let basket = parse_any_size(items, plans)?;
    if is_too_large(&basket) { Err(ErrorCode::BasketTooLarge.into()) } else { Ok(basket) }
}

/// Reads the items of a basket that may have too many. The caller refuses those by [`is_too_large`].
///
/// # Errors
/// `basket_empty`; `wrong_type`, naming the first unreadable position.
pub fn parse_any_size(items: &ItemsBody, plans: Plans) -> Result<Basket, Error> {
    if items.enrolments.is_empty() && items.trials.is_empty() {
        return Err(ErrorCode::BasketEmpty.into());
    }
    let enrolments = items.enrolments.iter().enumerate().map(|(i, item)| enrolment(i, item, plans));
    let trials = items.trials.iter().enumerate().map(|(i, item)| trial(i, item));
    Ok(Basket::new(enrolments.collect::<Result<_, _>>()?, trials.collect::<Result<_, _>>()?))
}

/// Whether a basket has too many items.
#[must_use]
pub fn is_too_large(basket: &Basket) -> bool {
    basket.len() > BASKET_MAX_ITEMS
}

fn enrolment(index: usize, item: &EnrolmentBody, plans: Plans) -> Result<EnrolmentItem, Error> {
    let place = |field: &str| format!("items.enrolments[{index}].{field}");
    let plan = match (&item.pricing_plan_id, plans) {
        (Some(plan), _) => Some(read(&place("pricingPlanId"), plan, "an id")?),
        (None, Plans::Optional) => None,
        (None, Plans::Required) => return Err(wrong(&place("pricingPlanId"), "an id")),
    };
    Ok(EnrolmentItem {
        class: read(&place("classId"), &item.class_id, "an id")?,
        student: read(&place("studentId"), &item.student_id, "an id")?,
        plan,
    })
}

fn trial(index: usize, item: &TrialBody) -> Result<TrialItem, Error> {
    let place = |field: &str| format!("items.trials[{index}].{field}");
    Ok(TrialItem {
        class: read(&place("classId"), &item.class_id, "an id")?,
        student: read(&place("studentId"), &item.student_id, "an id")?,
        on: read::<Date>(&place("trialAt"), &item.trial_at, "a date like 2023-12-05")?,
        at: read::<Time>(&place("time"), &item.time, "a time like 09:00")?,
    })
}

fn read<T: std::str::FromStr>(place: &str, text: &str, expected: &str) -> Result<T, Error> {
    text.parse().map_err(|_| wrong(place, expected))
}

fn wrong(place: &str, expected: &str) -> Error {
    Error::new(ErrorCode::WrongType, format!("{place} must be {expected}."))
}
