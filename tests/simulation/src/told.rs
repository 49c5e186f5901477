//! Which basket belongs to which family.
//!
//! The domain computes the hash from what the client sent.

use classpay_domain::basket::{Basket, EnrolmentItem, TrialItem};
use classpay_domain::id::{CompanyId, FamilyId};
use serde_json::Value;

use super::studio::COMPANY;

/// Whether an order's basket consists of a family's items.
///
/// # Panics
/// If the items are invalid.
#[must_use]
pub fn is_basket(hash: &str, family: &str, items: &str) -> bool {
    let items: Value = serde_json::from_str(items).expect("items are JSON");
    let list = |name: &str| items[name].as_array().cloned().unwrap_or_default();
    let (enrolments, trials) = (list("enrolments"), list("trials"));
    let enrolments = enrolments.iter().map(|item| EnrolmentItem {
        student: of(&item["studentId"]),
        class: of(&item["classId"]),
        plan: Some(of(&item["pricingPlanId"])),
    });
    let trials = trials.iter().map(|item| TrialItem {
        student: of(&item["studentId"]),
        class: of(&item["classId"]),
        on: of(&item["trialAt"]),
        at: of(&item["time"]),
    });
    let basket = Basket::new(enrolments.collect(), trials.collect());
    let company = CompanyId::parse(COMPANY).expect("an id");
    hash == basket.hash(&company, &FamilyId::parse(family).expect("an id")).as_str()
}

fn of<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().expect("a text").parse().expect("an item as a client writes it")
}
