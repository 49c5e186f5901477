//! A studio with every feature, and the worked example of the pricing rules on it.

use classpay_domain::basket::{Basket, EnrolmentItem, TrialItem};
use classpay_domain::catalogue::DiscountKind;
use classpay_domain::pricing::{self, Buyer};
use jiff::civil::{date, time};

use super::*;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

#[test]
fn a_studio_with_every_feature_has_no_mistake() {
    assert_eq!(mistakes(PRICE_LIST), [""; 0]);
    let catalogue = Catalogue::parse(PRICE_LIST).unwrap();
    let first = seen::by_family(&catalogue, 0);
    let kinds: Vec<_> = first.discount_schemes.keys().copied().collect();
    assert_eq!(kinds, [DiscountKind::StudentsOfFamily, DiscountKind::ClassesOfStudent]);
    assert!(first.seasons[&id("sea_autumn")].registration_fee.is_some());
    assert_eq!(first.seasons[&id("sea_spring")].registration_fee, None);
    let second = seen::by_family(&catalogue, 1).family;
    assert!(second.students[&id("stu_c")].discountable && !second.students[&id("stu_d")].discountable);
    let enrolled: Vec<_> = second.enrolments.iter().map(|e| (e.season.as_str(), e.discountable)).collect();
    assert_eq!(enrolled, [("sea_autumn", true), ("sea_spring", false)]);
    let charged: Vec<_> = second.charged_fees.iter().map(|c| (c.fee.as_str(), c.period.as_str())).collect();
    assert_eq!(charged, [("reg_annual", "2026-01-01"), ("fee_costume", "sea_autumn")]);
}

#[test]
fn a_season_s_copies_of_its_fee_are_filled_in_from_it() {
    let mut stale: Value = serde_json::from_str(PRICE_LIST).unwrap();
    put(&mut stale, "/seasons/0/registrationFee", json!(7));
    put(&mut stale, "/seasons/1/registrationFee", json!(7));
    let seasons = Catalogue::parse(&stale.to_string()).unwrap().seasons;
    let copies = |season: &SeasonDoc| {
        let rate = season.registration_fee_tax_rate_id.as_ref().map(ToString::to_string);
        let most = season.max_registration_fee.map(classpay_domain::money::Money::units);
        (season.registration_fee.units(), rate, season.has_max_registration_fee, most)
    };
    assert_eq!(copies(&seasons[0]), (1500, Some("tax_vat".to_owned()), true, Some(2500)));
    assert_eq!(seasons[0].registration_fee_dto.as_ref().unwrap().id.as_str(), "reg_annual");
    // Without a fee there is nothing to fill them in from.
    assert_eq!(copies(&seasons[1]), (7, None, false, None));
}

#[test]
fn the_worked_example_costs_what_the_rules_say() {
    let studio = seen::by_family(&Catalogue::parse(PRICE_LIST).unwrap(), 0);
    let place = |student, class, plan| EnrolmentItem { student: id(student), class: id(class), plan: Some(id(plan)) };
    let enrolments =
        vec![place("stu_a", "cls_a", "pp_u"), place("stu_a", "cls_b", "pp_u"), place("stu_b", "cls_a", "pp_m")];
    let half_past_four = time(16, 30, 0, 0);
    let trial = TrialItem { student: id("stu_b"), class: id("cls_b"), on: date(2026, 9, 9), at: half_past_four };
    let basket = Basket::new(enrolments, vec![trial]);
    let payment =
        pricing::quote(&studio, &basket, date(2026, 9, 7).at(9, 0, 0, 0), Buyer::Family).unwrap().payment.unwrap();
    let amounts = [payment.subtotal, payment.processing_fee, payment.total];
    assert_eq!(amounts.map(classpay_domain::money::Money::units), [36001, 1044, 37045]);
}
