use serde_json::{Value, json};

use super::*;

const DEMO: &str = include_str!("../../../../../local/demo-studio.json");
const DEMO_US: &str = include_str!("../../../../../local/demo-studio-us.json");
const PRICE_LIST: &str = include_str!("../../../../../../tests/fixtures/price-list.json");

/// The smallest studio that sells something, to be broken.
fn studio() -> Value {
    json!({
        "company": {
            "id": "co_1", "name": "Steps", "createdAt": "2026-09-01 09:00:00",
            "settings": {"general": {"timezone": "Europe/London"}, "billing": {"currency": "gbp"}}
        },
        "taxRates": [{"id": "tax_1", "rate": "20.000", "label": "VAT"}],
        "holidays": [{"id": "hol_1", "name": "Half-term", "startAt": "2026-10-26", "endAt": "2026-10-30"}],
        "seasons": [season("sea_1", "pp_1"), season("sea_2", "pp_2")],
        "classes": [class("cls_1"), class("cls_2")],
        "families": [{
            "id": "fml_1", "name": "Potter", "createdAt": "2026-09-01 09:00:00",
            "students": [student("stu_1"), student("stu_2")],
            "enrolments": [enrolment("enr_1", "stu_1")],
            "trials": [trial("trl_1", "stu_2")]
        }]
    })
}

fn season(id: &str, plan: &str) -> Value {
    json!({
        "id": id, "name": "Autumn", "startAt": "2026-09-07", "endAt": "2026-12-18", "pricingModel": "per-lesson",
        "createdAt": "2026-09-01 09:00:00",
        "pricingPlans": [
            {"id": plan, "type": "one-off", "firstPaymentDate": "2026-09-07", "discount": 5},
            {"id": format!("{plan}_m"), "type": "monthly", "firstPaymentDate": "2026-09-07", "numberOfInstallments": 3}
        ]
    })
}

fn class(id: &str) -> Value {
    json!({
        "id": id, "seasonId": "sea_1", "name": "Tap", "price": 850, "dayOfWeek": "monday", "startTime": "16:30",
        "durationInMinutes": 45, "firstLessonStartDate": "2026-09-07", "lastLessonEndDate": "2026-12-14", "capacity": 10,
        "minAgeMonths": 60, "maxAgeMonths": 120, "settings": {"taxRateId": "tax_1"}
    })
}

fn student(id: &str) -> Value {
    json!({"id": id, "firstname": "Harry", "lastname": "Potter"})
}

fn enrolment(id: &str, student: &str) -> Value {
    json!({"id": id, "studentId": student, "classId": "cls_1", "pricingPlanId": "pp_1", "startAt": "2026-09-07"})
}

fn trial(id: &str, student: &str) -> Value {
    json!({"id": id, "studentId": student, "classId": "cls_1", "trialAt": "2026-09-14", "time": "16:30"})
}

/// Puts a value where the pointer says (the last part may be new, `-` is the end of a list).
fn put(studio: &mut Value, pointer: &str, value: Value) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match studio.pointer_mut(parent).unwrap() {
        Value::Object(fields) => drop(fields.insert(last.to_owned(), value)),
        Value::Array(list) if last == "-" => list.push(value),
        Value::Array(list) => list[last.parse::<usize>().unwrap()] = value,
        other => panic!("{pointer} leads into {other}"),
    }
}

/// What is wrong with a text.
fn mistakes(text: &str) -> Vec<String> {
    Catalogue::parse(text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// What is wrong with a studio that was changed so.
fn broken(changes: &[(&str, Value)]) -> Vec<String> {
    let mut studio = studio();
    changes.iter().for_each(|(pointer, value)| put(&mut studio, pointer, value.clone()));
    mistakes(&studio.to_string())
}

#[track_caller]
fn only(pointer: &str, value: Value, mistake: &str) {
    assert_eq!(broken(&[(pointer, value)]), [mistake]);
}

#[test]
fn the_demo_studios_have_no_mistake() {
    assert_eq!((mistakes(DEMO), mistakes(DEMO_US)), (vec![], vec![]));
    let studio = Catalogue::parse(DEMO).unwrap();
    assert_eq!((studio.seasons.len(), studio.classes.len(), studio.families.len()), (2, 12, 8));
    assert!(studio.families.iter().all(|family| (1..=3).contains(&family.students.len())));
}

#[test]
fn what_follows_from_its_surroundings_may_be_left_out() {
    assert_eq!(broken(&[]), [""; 0]);
    let studio = Catalogue::parse(&studio().to_string()).unwrap();
    let season = &studio.seasons[1];
    assert_eq!(season.company_id, studio.company.id);
    assert!(season.registration_open);
    assert_eq!(season.pricing_plans[1].season_id, season.id);
    assert_eq!(season.pricing_plans[1].pricing_model, season.pricing_model);
    assert_eq!(studio.families[0].family.company_id, studio.company.id);
    assert_eq!(studio.company.settings.trial.id.as_str(), "co_1");
    assert_eq!(studio.company.address.entity_id.as_str(), "co_1");
}

#[test]
fn a_season_that_is_closed_does_not_say_it_is_open() {
    let mut closed = studio();
    put(&mut closed, "/seasons/0/registrationStatus", json!("closed"));
    let studio = Catalogue::parse(&closed.to_string()).unwrap();
    assert!(!studio.seasons[0].registration_open);
}

#[test]
fn a_season_may_name_its_registration_fee() {
    let mut named = studio();
    let fee = json!({"id": "reg_1", "name": "Joining", "amount": 1500, "repetitionInterval": "annual"});
    put(&mut named, "/registrationFees", json!([fee]));
    put(&mut named, "/seasons/0/registrationFeeId", json!("reg_1"));
    let studio = Catalogue::parse(&named.to_string()).unwrap();
    assert_eq!(studio.seasons[0].registration_fee_dto.as_ref(), Some(&studio.registration_fees[0]));
    only(
        "/seasons/0/registrationFeeId",
        json!("reg_9"),
        "seasons[0].registrationFeeId: there is no registration fee reg_9 in the file",
    );
}

#[test]
fn what_is_no_json_is_said_with_its_line() {
    assert_eq!(mistakes("{\n \"company\": }"), ["not JSON: expected value at line 2 column 13"]);
    assert_eq!(mistakes("[]"), ["a catalogue is a JSON object"]);
    assert_eq!(mistakes("{}"), ["company: is missing"]);
    assert_eq!(mistakes(""), ["not JSON: EOF while parsing a value at line 1 column 0"]);
}

#[test]
fn every_wrong_value_is_named_and_not_only_the_first() {
    let text = studio().to_string().replace(r#""rate":"20.000""#, r#""rate":20.0001"#);
    let mut studio: Value = serde_json::from_str(&text).unwrap();
    for (pointer, value) in [
        ("/company/settings/billing/currency", json!("xyz")),
        ("/company/colour", json!("red")),
        ("/seasons/0/pricingModel", json!("per-year")),
        ("/seasons/0/pricingPlans/1/firstPaymentDate", json!("2026-02-30")),
        ("/seasons/0/pricingPlans/1/numberOfInstallments", json!("three")),
        ("/seasons/1/pricingPlans/0/discount", json!("5")),
        ("/classes/1/price", json!(8.5)),
        ("/classes/1/minAgeMonths", json!(-1)),
        ("/families/0/students/1/firstname", json!(7)),
        ("/families/0/trials/0/trialAt", json!("tomorrow")),
    ] {
        put(&mut studio, pointer, value);
    }
    studio["classes"][0].as_object_mut().unwrap().remove("dayOfWeek");
    let mut found = mistakes(&studio.to_string());
    found.sort();
    let places: Vec<_> = found.iter().filter_map(|mistake| mistake.split_once(": ")).map(|(place, _)| place).collect();
    assert_eq!(
        places,
        [
            "classes[0].dayOfWeek",
            "classes[1].minAgeMonths",
            "classes[1].price",
            "company.colour",
            "company.settings.billing.currency",
            "families[0].students[1].firstname",
            "families[0].trials[0].trialAt",
            "seasons[0].pricingModel",
            "seasons[0].pricingPlans[1].firstPaymentDate",
            "seasons[0].pricingPlans[1].numberOfInstallments",
            "seasons[1].pricingPlans[0].discount",
            "taxRates[0].rate",
        ],
        "{found:#?}"
    );
}

#[test]
fn a_wrong_value_does_not_hide_a_broken_rule_and_is_not_taken_for_one() {
    // The first season can't be read, so what refers to it is not a mistake, and the second keeps its number.
    let mut found = broken(&[
        ("/seasons/0/startAt", json!("soon")),
        ("/seasons/1/endAt", json!("2026-01-01")),
        ("/classes/0/capacity", json!("many")),
        ("/classes/1/price", json!(-1)),
    ]);
    found.sort();
    assert_eq!(
        found,
        [
            "classes[0].capacity: invalid type: string \"many\", expected a whole number that is not negative",
            "classes[1].price: -1 is negative",
            "seasons[0].startAt: `soon` is not a date like 2026-09-07",
            "seasons[1].endAt: is before startAt",
        ]
    );
}

#[test]
fn a_field_that_is_given_twice_is_named() {
    let text = studio().to_string().replacen(r#""label":"VAT""#, r#""label":"VAT","label":"GST""#, 1);
    assert_eq!(mistakes(&text), ["taxRates[0].label: is given twice"]);
}

/// Every pointer into a value.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    let below: Vec<_> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (step, value) in below {
        let pointer = format!("{at}/{step}");
        pointers(value, &pointer, all);
        all.push(pointer);
    }
}

#[test]
fn whatever_stands_anywhere_the_rest_is_read_and_the_mistake_is_named_where_it_stands() {
    for studio in [studio(), serde_json::from_str(PRICE_LIST).unwrap()] {
        wherever_something_odd_stands_it_is_named(&studio);
    }
}

fn wherever_something_odd_stands_it_is_named(sound: &Value) {
    let mut all = Vec::new();
    pointers(sound, "", &mut all);
    for pointer in &all {
        for odd in [json!({"odd": []}), json!([[1]]), json!("#"), json!(-1.5e300), json!(true)] {
            let mut studio = sound.clone();
            put(&mut studio, pointer, odd.clone());
            let Err(found) = Catalogue::parse(&studio.to_string()) else { continue };
            let parts =
                pointer.split('/').skip(1).map(|part| part.parse().map_or(part.into(), |i: usize| format!("[{i}]")));
            let place = parts.collect::<Vec<_>>().join(".").replace(".[", "[");
            let named = found.iter().any(|mistake| mistake.places().any(|at| at == place));
            // An odd id is an id all the same: what is wrong is that others refer to what it was. So is an odd label
            // of a rate, which its copies say too. A fee that isn't named is missing where it could be spelled out.
            let elsewhere = ["/id", "/label", "/registrationFeeId"].iter().any(|field| pointer.ends_with(field));
            assert!(named || elsewhere, "{pointer} = {odd}: {found:?}");
        }
    }
}

mod demo;
mod discounts;
mod fees;
mod left_out;
mod price_list;
mod published;
mod rules;
mod seen;
