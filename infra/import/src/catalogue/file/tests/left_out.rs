//! What a file has and isn't sold here, and what refers to it.

use std::collections::BTreeSet;

use super::super::super::notes;
use super::*;

/// 7 September 2026, in London: already the 8th, in Auckland.
const NOW: &str = "2026-09-07T20:00:00Z";

fn read(studio: &Value) -> Result<Catalogue, Vec<String>> {
    let read = Catalogue::read(studio.to_string().as_bytes(), NOW.parse().unwrap());
    read.map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

fn left_out(catalogue: &Catalogue) -> Vec<String> {
    catalogue.left_out.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_in_a_drop_in_class_is_left_out_with_it_and_counted() {
    let mut studio = studio();
    studio["classes"][0]["type"] = json!("drop-in");
    let more = json!([enrolment("enr_0", "stu_2"), enrolment("enr_1", "stu_1")]);
    put(&mut studio, "/families/0/enrolments", more);
    let catalogue = read(&studio).unwrap();
    let what = "a drop-in class is not sold here: it is left out, with 2 enrolments and 1 trial in it";
    assert_eq!(left_out(&catalogue), [format!("classes[0]: {what}")]);
    let family = &catalogue.families[0];
    assert!(family.enrolments.is_empty() && family.trials.is_empty() && family.students.len() == 2);
    // What is deleted or archived in it is none.
    studio["families"][0]["enrolments"][0]["deletedAt"] = json!("2026-09-01 10:00:00");
    studio["families"][0]["trials"][0]["archivedAt"] = json!("2026-09-01 10:00:00");
    assert!(left_out(&read(&studio).unwrap())[0].ends_with("left out, with 1 enrolment in it"));
    // A class that nobody has written is a mistake as before.
    studio["families"][0]["enrolments"][1]["classId"] = json!("cls_9");
    assert_eq!(read(&studio).unwrap_err(), ["families[0].enrolments[1].classId: there is no class cls_9 in the file"]);
}

#[test]
fn an_enrolment_that_has_ended_takes_no_place_and_may_be_followed_by_another() {
    let mut studio = studio();
    studio["classes"][0]["capacity"] = json!(1);
    put(&mut studio, "/families/0/trials", json!([]));
    let mut ended = enrolment("enr_0", "stu_1");
    ended["instalments"] = json!([{"date": "2026-12-07", "amount": 100}]);
    for (ends, is_over) in [
        (json!("2026-09-06"), true),
        (json!("2025-05-04T09:42:00Z"), true),
        (json!("2026-09-06 23:59:59"), true),
        (json!("2026-09-07"), false),
        (json!(null), false),
    ] {
        ended["endAt"] = ends.clone();
        put(&mut studio, "/families/0/enrolments", json!([ended, enrolment("enr_1", "stu_1")]));
        let Ok(catalogue) = read(&studio) else {
            assert!(!is_over, "{ends}");
            continue;
        };
        assert!(is_over, "{ends}");
        let enrolments = &catalogue.families[0].enrolments;
        assert_eq!(enrolments.iter().map(|enrolment| enrolment.id.as_str()).collect::<Vec<_>>(), ["enr_1"]);
        let said = left_out(&catalogue);
        assert!(said[0].starts_with("families[0].enrolments[0].endAt: 20") && said[0].contains("is past"), "{said:?}");
    }
}

#[test]
fn whether_an_enrolment_has_ended_is_asked_where_the_company_is() {
    let mut studio = studio();
    studio["families"][0]["enrolments"][0]["endAt"] = json!("2026-09-07");
    assert_eq!(read(&studio).unwrap().families[0].enrolments.len(), 1);
    studio["company"]["settings"]["general"]["timezone"] = json!("Pacific/Auckland");
    assert_eq!(read(&studio).unwrap().families[0].enrolments.len(), 0);
    assert_eq!(Catalogue::parse(&studio.to_string()).unwrap().families[0].enrolments.len(), 1);
}

#[test]
fn an_enrolment_that_will_end_before_its_class_is_loaded_and_that_is_told_once() {
    let mut studio = studio();
    studio["families"][0]["trials"] = json!([]);
    let ending = |id: &str, student: &str, ends: &str| {
        let mut enrolment = enrolment(id, student);
        enrolment["endAt"] = json!(ends);
        enrolment
    };
    studio["families"][0]["enrolments"] =
        json!([ending("enr_1", "stu_1", "2026-11-01"), ending("enr_2", "stu_2", "2026-11-02")]);
    let catalogue = read(&studio).unwrap();
    assert_eq!(catalogue.families[0].enrolments.len(), 2);
    assert_eq!(
        left_out(&catalogue),
        [
            "families[0].enrolments[0].endAt: 2026-11-01 is not used: the enrolment and 1 more like it are taken as lasting to \
          the class's last lesson"
        ]
    );
    for enrolment in 0..2 {
        studio["families"][0]["enrolments"][enrolment]["endAt"] = json!("2026-12-18");
    }
    assert_eq!(left_out(&read(&studio).unwrap()), [""; 0], "as long as the class");
}

#[test]
fn what_is_taxed_at_a_deleted_rate_stays_taxed_and_that_is_told() {
    let mut studio = studio();
    let at = json!("2026-09-01 10:00:00");
    put(&mut studio, "/taxRates/-", json!({"id": "tax_2", "rate": "5.000", "label": "Low", "deletedAt": at}));
    put(&mut studio, "/taxRates/0/deletedAt", at.clone());
    let catalogue = read(&studio).unwrap();
    assert_eq!(catalogue.tax_rates.iter().map(|rate| rate.id.as_str()).collect::<Vec<_>>(), ["tax_1"]);
    let stays = "taxed at this rate, and so it stays until none is";
    assert_eq!(left_out(&catalogue), [format!("taxRates[0].deletedAt: is not used: 2 classes and fees are {stays}")]);
    // A fee that spells its rate out, too.
    let rate = json!({"id": "tax_2", "rate": "5.000", "label": "Low", "deletedAt": at});
    let fee = json!([{"id": "reg_1", "name": "Fee", "amount": 100, "repetitionInterval": "one-off", "taxRate": rate}]);
    put(&mut studio, "/registrationFees", fee);
    let catalogue = read(&studio).unwrap();
    assert_eq!(catalogue.registration_fees[0].tax_rate.as_ref().unwrap().id.as_str(), "tax_2");
    assert_eq!(left_out(&catalogue)[1], format!("taxRates[1].deletedAt: is not used: 1 class or fee is {stays}"));
}

#[test]
fn notes_name_places_as_the_file_counts_them() {
    let mut studio = studio();
    studio["classes"][0]["type"] = json!("drop-in");
    studio["classes"][1]["firstLessonStartDate"] = json!("2025-09-07");
    studio["classes"][1]["lastLessonEndDate"] = json!("2025-09-07");
    put(&mut studio, "/families/0/enrolments/-", enrolment("enr_2", "stu_2"));
    studio["families"][0]["enrolments"][1]["classId"] = json!("cls_2");
    studio["families"][0]["enrolments"][1]["pricingPlanId"] = json!("pp_1_m");
    let catalogue = read(&studio).unwrap();
    let notes: Vec<_> =
        notes(&catalogue, "2026-09-07".parse().unwrap(), &BTreeSet::new()).iter().map(ToString::to_string).collect();
    assert!(notes.iter().any(|note| note.starts_with("classes[1]: from 2025-09-07")), "{notes:#?}");
    assert!(notes.iter().any(|note| note.starts_with("families[0].enrolments[1]: it brings no")), "{notes:#?}");
}

#[test]
fn a_mistake_in_each_of_a_family_s_students_is_not_a_reading_of_all_of_them() {
    let mut studio = studio();
    let wrong = |number: usize| json!({"id": format!("stu_{number}"), "firstname": "a", "lastname": 5});
    put(&mut studio, "/families/0/students", (0..4_000).map(wrong).collect());
    let (begun, found) = (std::time::Instant::now(), read(&studio).unwrap_err());
    assert_eq!(found.len(), 4_000);
    // Some seconds where each is a reading of all, and a tenth of one where it isn't.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn the_trial_of_who_has_enrolled_since_is_left_out_and_said_once() {
    let mut studio = studio();
    let family = &mut studio["families"][0];
    family["trials"][0]["studentId"] = json!("stu_1");
    let on = family["trials"][0]["trialAt"].as_str().unwrap().to_owned();
    let catalogue = read(&studio).unwrap();
    assert!(catalogue.families[0].trials.is_empty());
    assert_eq!(catalogue.families[0].enrolments.len(), 1);
    let what = format!(
        "its student is enrolled in its class: the trial on {on} is left out; one that was loaded or booked before stays"
    );
    assert_eq!(left_out(&catalogue), [format!("families[0].trials[0]: {what}")]);
    // Whose enrolment is gone keeps it.
    for gone in ["deletedAt", "endAt"] {
        let mut studio = studio.clone();
        studio["families"][0]["enrolments"][0][gone] = json!("2026-09-01 10:00:00");
        assert_eq!(read(&studio).unwrap().families[0].trials.len(), 1, "{gone}");
    }
}
