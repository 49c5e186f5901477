use jiff::civil::date;
use serde_json::{Value, json};

use super::super::Catalogue;
use super::*;

const DEMO: &str = include_str!("../../../../local/demo-studio.json");
const PRICE_LIST: &str = include_str!("../../../../../tests/fixtures/price-list.json");

fn notes_of(file: &Value) -> Vec<String> {
    let catalogue = Catalogue::parse(&file.to_string()).unwrap();
    notes(&catalogue, date(2026, 9, 7), &BTreeSet::new()).iter().map(Note::to_string).collect()
}

/// What is said of the demo studio in a country, wanting a fee.
fn said_in(country: Option<&str>, enabled: bool, fee: f64) -> Vec<String> {
    let mut file: Value = serde_json::from_str(DEMO).unwrap();
    let address = file["company"]["address"].as_object_mut().unwrap();
    match country {
        Some(country) => address.insert("countryCode".to_owned(), country.into()),
        None => address.remove("countryCode"),
    };
    let billing = &mut file["company"]["settings"]["billing"];
    (billing["isProcessingFeeEnabled"], billing["processingFee"]) = (enabled.into(), json!(fee));
    notes_of(&file)
}

#[test]
fn r35_a_fee_that_is_not_charged_is_no_mistake_and_is_named() {
    let place = "company.settings.billing.processingFee: 2.9 % is not charged";
    let table = [
        (
            Some("GB"),
            " from 2018-01-13 on: GB forbids it then (Consumer Rights (Payment Surcharges) Regulations 2012, regulation 6A)",
        ),
        (Some("fr"), " from 2018-01-13 on: FR forbids it then (Directive (EU) 2015/2366, article 62)"),
        (
            Some("AU"),
            " from 2026-10-01 on: AU forbids it then (Reserve Bank of Australia, Review of Merchant Card Payment Costs and \
             Surcharging)",
        ),
        (Some(""), ": company.address.countryCode is missing, and the law there may forbid it"),
        (None, ": company.address.countryCode is missing, and the law there may forbid it"),
        (Some("UK"), ": no country has the company.address.countryCode `UK`"),
    ];
    for (country, why) in table {
        assert_eq!(said_in(country, true, 2.9), [format!("{place}{why}")], "{country:?}");
    }
    assert_eq!(said_in(Some("US"), true, 2.9), [""; 0]);
    assert_eq!(said_in(Some("GB"), false, 2.9), [""; 0], "a fee that is off");
    assert_eq!(said_in(None, true, 0.0), [""; 0], "a fee of nothing");
}

#[test]
fn r22_a_due_date_of_a_fee_without_years_is_named_where_it_stands() {
    let mut file: Value = serde_json::from_str(PRICE_LIST).unwrap();
    file["registrationFees"][0]["dueDate"] = "2026-09-01".into();
    assert_eq!(notes_of(&file), [""; 0], "an annual fee's");
    let why = "2026-09-01 is not used: only an annual fee has years that begin on a day, and this one is";
    file["registrationFees"][0]["repetitionInterval"] = "per-season".into();
    file["families"][1]["chargedFees"] = json!([]);
    assert_eq!(
        notes_of(&file),
        [format!("registrationFees[0].dueDate: {why} per-season")],
        "once, though a season names it"
    );
    file["registrationFees"][1]["dueDate"] = "2026-09-01".into();
    assert_eq!(notes_of(&file)[1], format!("registrationFees[1].dueDate: {why} one-off"));
    // Spelled out in the season alone.
    let mut fee = file["registrationFees"].as_array_mut().unwrap().remove(0);
    fee["id"] = "reg_of_autumn".into();
    file["registrationFees"] = json!([]);
    file["seasons"][0]["registrationFeeDto"] = fee;
    file["seasons"][0].as_object_mut().unwrap().remove("registrationFeeId");
    assert_eq!(notes_of(&file), [format!("seasons[0].registrationFeeDto.dueDate: {why} per-season")]);
}

#[test]
fn billing_in_arrears_is_named_wherever_it_stands() {
    let mut file: Value = serde_json::from_str(DEMO).unwrap();
    assert_eq!(notes_of(&file), [""; 0]);
    file["company"]["settings"]["billing"]["billingTiming"] = "arrears".into();
    file["seasons"][1]["pricingPlans"][0]["billingTiming"] = "arrears".into();
    let why = "`arrears` is not used: a plan's own dates say when it is paid";
    let expected = ["company.settings.billing", "seasons[1].pricingPlans[0]"];
    assert_eq!(notes_of(&file), expected.map(|place| format!("{place}.billingTiming: {why}")));
}

#[test]
fn r5_a_class_without_a_lesson_is_named_unless_it_is_archived() {
    let mut file: Value = serde_json::from_str(DEMO).unwrap();
    file["classes"][0]["firstLessonStartDate"] = "2025-09-08".into();
    file["classes"][0]["lastLessonEndDate"] = "2025-12-15".into();
    // A Wednesday that is a holiday, and a week without a Saturday.
    file["classes"][2]["firstLessonStartDate"] = "2026-10-28".into();
    file["classes"][2]["lastLessonEndDate"] = "2026-10-28".into();
    file["classes"][1]["firstLessonStartDate"] = "2026-09-07".into();
    file["classes"][1]["lastLessonEndDate"] = "2026-09-11".into();
    let outside = "it has no lesson in its season, which is from 2026-09-07 to 2027-07-16: it is sold to nobody";
    assert_eq!(
        notes_of(&file),
        [
            format!("classes[0]: from 2025-09-08 to 2025-12-15 {outside}"),
            format!("classes[1]: from 2026-09-07 to 2026-09-11 {outside}"),
            "classes[2]: each of its lessons is in a holiday: it is sold to nobody".to_owned(),
        ]
    );
    for class in 0..3 {
        file["classes"][class]["archivedAt"] = "2026-01-01 00:00:00".into();
    }
    assert_eq!(notes_of(&file), [""; 0]);
}

#[test]
fn enrolments_that_bring_no_instalments_for_dates_to_come_are_counted() {
    let mut file: Value = serde_json::from_str(DEMO).unwrap();
    let monthly = file["seasons"][0]["pricingPlans"][1]["id"].clone();
    file["families"][1]["enrolments"][0]["pricingPlanId"] = monthly.clone();
    let none = "no `instalments`: nothing is debited on the";
    assert_eq!(
        notes_of(&file),
        [format!("families[1].enrolments[0]: it brings {none} 9 dates of its plan after 2026-09-07")]
    );
    file["families"][3]["enrolments"][0]["pricingPlanId"] = monthly;
    assert_eq!(
        notes_of(&file),
        [format!("families[1].enrolments[0]: it and 1 more bring {none} 18 dates of their plans after 2026-09-07")]
    );
    for family in [1, 3] {
        file["families"][family]["enrolments"][0]["instalments"] = json!([{"date": "2026-10-07", "amount": 1}]);
    }
    assert_eq!(notes_of(&file), [""; 0]);
}

#[test]
fn a_field_that_no_rule_obeys_is_named_where_it_stands() {
    let mut file: Value = serde_json::from_str(DEMO).unwrap();
    let enrolment = json!({"ageCutOffType": "first_day_of_season", "ageCutOffDate": "09-01", "ageCutOffDays": 30});
    file["company"]["settings"]["enrolment"] = enrolment;
    file["company"]["settings"]["billing"]["billingDayOfMonth"] = 7.into();
    let price = |quantity: u32| json!({"id": format!("psv_{quantity}"), "quantity": quantity, "price": 100});
    file["seasons"][0]["pricingSchemeValues"] = json!([price(1), price(2)]);
    file["seasons"][0]["pricingPlans"][0]["paymentDay"] = 3.into();
    let plan = &mut file["seasons"][0]["pricingPlans"][1];
    plan["installmentDates"] = (1..11).map(|month| format!("2027-{month:02}-05")).collect();
    file["seasons"][0]["registrationFee"] = 1000.into();
    file["seasons"][1]["pricingScheme"] = "class-quantity".into();
    let price = |quantity: u32| json!({"id": format!("psq_{quantity}"), "quantity": quantity, "price": 100});
    file["seasons"][1]["pricingSchemeValues"] = json!([price(1), price(2)]);
    file["families"][2]["autopayEnabled"] = true.into();
    file["families"][4]["autopayEnabled"] = true.into();
    assert_eq!(
        notes_of(&file),
        [
            "company.settings.billing.billingDayOfMonth: 7 is not used: a plan's own dates say when it is paid",
            "company.settings.enrolment.ageCutOffDate: 09-01 is not used: the ageCutOffType is first_day_of_season",
            "company.settings.enrolment.ageCutOffDays: 30 is not used: the ageCutOffType is first_day_of_season",
            "seasons[0].pricingSchemeValues: are not used: the pricingScheme is none, and each class has its own price",
            "seasons[0].pricingPlans[0].paymentDay: 3 is not used: a one-off plan is paid on its firstPaymentDate",
            "seasons[0].pricingPlans[1].paymentDay: 7 is not used: the plan is paid on its installmentDates",
            "families[2].autopayEnabled: it and 1 more are not used: nothing is collected that nobody pays",
            "classes[9].price: it and 2 more are not used: their seasons' pricingScheme is class-quantity, and their \
             pricingSchemeValues are the prices",
            "seasons[0].registrationFee: 1000 is not used: the season has no registrationFeeDto, and names no fee",
        ]
    );
}

#[test]
fn enrolments_without_a_plan_owe_nothing_more_and_are_counted() {
    let mut file: Value = serde_json::from_str(DEMO).unwrap();
    for family in [1, 3] {
        file["families"][family]["enrolments"][0]["pricingPlanId"] = Value::Null;
    }
    let nothing = "no `pricingPlanId` and no `instalments`: nothing more is debited for";
    assert_eq!(notes_of(&file), [format!("families[1].enrolments[0]: it and 1 more bring {nothing} them")]);
    file["families"][3]["enrolments"] = json!([]);
    assert_eq!(notes_of(&file), [format!("families[1].enrolments[0]: it brings {nothing} it")]);
    file["classes"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .for_each(|class| class["archivedAt"] = "2026-01-01 00:00:00".into());
    assert_eq!(notes_of(&file), [""; 0], "a class that is over");
}

#[test]
fn r27_a_trial_on_a_day_without_a_lesson_is_named() {
    let said = |on: &str| {
        let mut file: Value = serde_json::from_str(DEMO).unwrap();
        let families = file["families"].as_array_mut().unwrap();
        let trial = families.iter_mut().find_map(|family| family["trials"].get_mut(0)).unwrap();
        trial["trialAt"] = on.into();
        notes_of(&file)
    };
    assert_eq!(said("2026-11-30"), [""; 0]);
    let [holiday, early] = ["2026-10-26", "2026-08-31"].map(|on| said(on).concat());
    assert!(holiday.contains(".trials[0].trialAt: 2026-10-26 has no lesson of Ballet"), "{holiday}");
    assert!(holiday.ends_with(": it is in a holiday"), "{holiday}");
    assert!(
        early.contains("2026-08-31 has no lesson of Ballet") && early.contains(": they are from 2026-09-"),
        "{early}"
    );
    let other_day = said("2026-12-01").concat();
    assert!(other_day.contains("2026-12-01 has no lesson of Ballet") && other_day.ends_with(": they are on Mondays"));
}

#[test]
fn r27_a_trial_at_another_time_than_its_class_s_is_kept_and_named() {
    let mut file: Value = serde_json::from_str(DEMO).unwrap();
    let families = file["families"].as_array_mut().unwrap();
    let trial = families.iter_mut().find_map(|family| family["trials"].get_mut(0)).unwrap();
    trial["time"] = "06:00".into();
    let [said] = &notes_of(&file)[..] else { panic!("one note") };
    assert!(said.contains(".trials[0].time: 06:00 is not ") && said.ends_with(" begins: it is kept"), "{said}");
}
