//! Enrolments, trials and fees of a file that the table already has, or has elsewhere.
//!
//! A difference between file and table is applied and counted, reported and kept, or refused by name before anything is
//! written.

use classpay_service::error::ErrorCode;
use classpay_tests::studio::{
    ADA, ANIKA, BALLET, CAMPBELL, COMPANY, FINN, FULL, ISLA, MONTHLY, SEASON, SHARMA, STREET, Studio, TAP, TOBI,
    ballet_for_ada, trial,
};
use classpay_tests::{COSTUMES, Call, OKAFOR, Stack, assert_books_balance};
use serde_json::{Value, json};

use super::whole::load;

/// A Monday with a lesson of Ballet, and the trial of the demo studio on it.
const LESSON: &str = "2026-11-30";
/// The credit of [`Studio::with_cash`] with that suffix.
const CASH: &str = "trn_01J9ZDEMW5TVDJ0R000000CASH";
const TRIAL_OF_PRIYA: &str = "trl_01J9ZDEMW5TVDJ0R0PR1YABA11";

fn enrolled(id: &str, student: &str, class: &str, instalments: &Value) -> Value {
    json!({"id": id, "studentId": student, "classId": class, "pricingPlanId": MONTHLY, "instalments": instalments})
}

fn due(dates: &[(&str, i64)]) -> Value {
    dates.iter().map(|(date, amount)| json!({"date": date, "amount": amount})).collect()
}

/// The demo studio with these enrolments of a family.
fn with(family: &str, enrolments: &[Value]) -> Studio {
    Studio::demo().with(family, &json!({"enrolments": enrolments}))
}

/// Loads a studio that is refused, twice, and checks that nothing is written. Returns the message.
async fn refused(stack: &Stack, studio: &Studio) -> String {
    let before = stack.table().picture().await;
    let (is_done, said) = load(stack, studio, &[]).await;
    assert!(!is_done, "{said}");
    let (is_done, again) = load(stack, studio, &[]).await;
    // The first line may name the file, which differs.
    assert!(!is_done && again.lines().skip(1).eq(said.lines().skip(1)), "{again}");
    assert_eq!(before.changes(&stack.table().picture().await), [""; 0]);
    said
}

#[tokio::test]
async fn instalments_that_a_second_load_brings_are_debited_on_their_dates_and_once() {
    let stack = with(OKAFOR, &[enrolled("enr_ada", ADA, BALLET, &json!([]))]).start().await;
    let before = stack.balance(OKAFOR).await;
    let later =
        with(OKAFOR, &[enrolled("enr_ada", ADA, BALLET, &due(&[("2026-10-07", 3_210), ("2026-11-07", 3_200)]))]);
    for (counted, told) in [(": 1 documents", true), (": 0 documents", false)] {
        let (is_done, said) = load(&stack, &later, &[]).await;
        assert!(is_done && said.contains(counted) && said.contains("enrolments: 1 changed") == told, "{said}");
        assert!(!said.contains("nothing is debited") && !said.contains("enr_ada"), "{said}");
    }
    for (now, owed) in [("2026-10-06T22:30:00Z", 0), ("2026-10-07T08:00:00Z", 3_210), ("2026-11-07T08:00:00Z", 6_410)] {
        stack.move_clock(now).await;
        stack.run_schedule().await;
        assert_eq!(stack.balance(OKAFOR).await, before + owed, "{now}");
    }
    // An instalment that was debited may be missing in the next file, but not one that is still due.
    for (left, is_told) in [(&[("2026-11-07", 3_200)][..], false), (&[], false), (&[("2026-12-07", 1)], true)] {
        let (is_done, said) = load(&stack, &with(OKAFOR, &[enrolled("enr_ada", ADA, BALLET, &due(left))]), &[]).await;
        let told = "families[0].enrolments[0].instalments: are not those that enr_ada has, 2 of 6410 in all";
        assert!(is_done && said.contains(": 0 documents") && said.contains(told) == is_told, "{left:?}: {said}");
    }
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_enrolment_that_was_loaded_without_its_plan_gets_it_with_its_instalments() {
    let mut planless = enrolled("enr_ada", ADA, BALLET, &json!([]));
    planless["pricingPlanId"] = Value::Null;
    let stack = with(OKAFOR, &[planless]).start().await;
    let before = stack.balance(OKAFOR).await;
    let later = with(OKAFOR, &[enrolled("enr_ada", ADA, BALLET, &due(&[("2026-10-07", 3_210)]))]);
    for counted in [": 1 documents", ": 0 documents"] {
        let (is_done, said) = load(&stack, &later, &[]).await;
        assert!(is_done && said.contains(counted), "{said}");
    }
    stack.move_clock("2026-10-07T08:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(stack.balance(OKAFOR).await, before + 3_210);
}

/// The demo studio's file with further fields in a transaction.
fn dearer_by(studio: &Studio, amount: i64) -> Studio {
    let mut file: Value = serde_json::from_str(&studio.text()).expect("JSON");
    let transaction = &mut file["transactions"][0];
    for pointer in ["/details/0/details/amount", "/stats/total", "/stats/subtotal"] {
        let sum = transaction.pointer_mut(pointer).expect("an amount");
        *sum = (sum.as_i64().expect("a number") + amount).into();
    }
    Studio::parse(&file.to_string())
}

/// Ada in Ballet with an instalment, Tobi in Tap, and a fee that Ada was charged.
fn loaded(instalment: i64, plan_of_tobi: &str, fee: i64) -> Studio {
    let mut tobi = enrolled("enr_tobi", TOBI, TAP, &json!([]));
    tobi["pricingPlanId"] = json!(plan_of_tobi);
    let own = json!({
        "enrolments": [enrolled("enr_ada", ADA, BALLET, &due(&[("2026-10-07", instalment)])), tobi],
        "chargedFees": [{"feeId": "fee_kit", "studentId": ADA, "period": SEASON, "amount": fee}],
    });
    let kit = json!({"additionalFees": [{"id": "fee_kit", "description": "Kit", "amount": 1_500}]});
    Studio::demo().with(SEASON, &kit).with(OKAFOR, &own)
}

#[tokio::test]
async fn what_a_file_says_otherwise_of_what_was_sold_is_named_and_kept() {
    let stack = loaded(3_210, FULL, 1_500).start().await;
    let anika = json!({"enrolments": [enrolled("enr_other", ANIKA, TAP, &json!([]))]});
    let changed = loaded(9_999, MONTHLY, 1_400).with(TRIAL_OF_PRIYA, &json!({"trialAt": "2026-12-07"}));
    let changed = dearer_by(&changed.with(SHARMA, &anika), 100);
    let before = stack.table().picture().await;
    let (is_done, said) = load(&stack, &changed, &[]).await;
    assert!(is_done && said.contains(": 0 documents"), "{said}");
    for told in [
        "families[0].enrolments[0].instalments: are not those that enr_ada has, 1 of 3210 in all".to_owned(),
        format!("families[0].enrolments[1].pricingPlanId: is {MONTHLY}, and enr_tobi is on {FULL}"),
        "families[0].chargedFees[0].amount: is 1400, and 1500 was charged".to_owned(),
        format!("trials[0].trialAt: is 2026-12-07 at 16:30, and {TRIAL_OF_PRIYA} is booked on {LESSON} at 16:30"),
        format!("enrolments[0].id: {ANIKA} has a place in {TAP} already, enr_01J9ZDEMW5TVDJ0R00AN1KATAP"),
        format!(
            "transactions[0]: {COSTUMES} is stored with 5280 in all, and has other details: entries are never changed"
        ),
    ] {
        assert!(said.contains(&told), "{told:?} is not in {said}");
    }
    assert_eq!(before.changes(&stack.table().picture().await), [""; 0]);
    // There is nothing to report about the file that was loaded.
    let (is_done, said) = load(&stack, &loaded(3_210, FULL, 1_500), &[]).await;
    assert!(is_done && said.contains(": 0 documents") && !said.contains("Notes:"), "{said}");
}

#[tokio::test]
async fn an_enrolment_that_stands_in_another_family_or_class_is_refused_by_name() {
    let dated = due(&[("2026-10-07", 3_210)]);
    let stack = with(OKAFOR, &[enrolled("enr_1", ADA, BALLET, &dated)]).start().await;
    let said = refused(&stack, &with(CAMPBELL, &[enrolled("enr_1", FINN, BALLET, &dated)])).await;
    assert!(said.contains(&format!("enrolments[0].id: enr_1 is the place of {ADA} in {BALLET}")), "{said}");
    assert!(said.contains(&format!("of the family {OKAFOR}")), "{said}");
    for class in [STREET, TAP] {
        let said = refused(&stack, &with(OKAFOR, &[enrolled("enr_1", ADA, class, &json!([]))])).await;
        assert!(
            said.contains(&format!("families[0].enrolments[0].id: enr_1 is the place of {ADA} in {BALLET}")),
            "{said}"
        );
    }
    // A trial takes a place as well.
    let (is_done, said) = load(&stack, &Studio::demo().with(CAMPBELL, &one_trial("tri_1", ISLA, LESSON)), &[]).await;
    assert!(is_done && said.contains("trials: 1 added"), "{said}");
    let said = refused(&stack, &Studio::demo().with(OKAFOR, &one_trial("tri_1", TOBI, LESSON))).await;
    assert!(said.contains(&format!("trials[0].id: tri_1 is the trial of {ISLA} in {BALLET}")), "{said}");
}

#[tokio::test]
async fn ids_that_an_earlier_version_has_loaded_are_known_after_the_next_load() {
    let own = [enrolled("enr_1", ADA, BALLET, &json!([]))];
    let first = with(OKAFOR, &own).with(CAMPBELL, &one_trial("tri_1", ISLA, LESSON)).with_cash("CASH", 1_000);
    let stack = first.start().await;
    // It stored no item under the bare id.
    for (id, sk) in [("ENR#enr_1", "STAND"), ("TRIAL#tri_1", "STAND"), (&format!("TRN#{CASH}"), "CREDIT")] {
        stack.table().delete(&format!("C#{COMPANY}#{id}"), sk).await;
    }
    for _ in 0..2 {
        let (is_done, said) = load(&stack, &first, &[]).await;
        assert!(is_done && said.contains(": 0 documents"), "{said}");
    }
    let said = refused(&stack, &with(CAMPBELL, &[enrolled("enr_1", FINN, BALLET, &json!([]))])).await;
    assert!(said.contains(&format!("enrolments[0].id: enr_1 is the place of {ADA} in {BALLET}")), "{said}");
    let said = refused(&stack, &Studio::demo().with(OKAFOR, &one_trial("tri_1", TOBI, LESSON))).await;
    assert!(said.contains(&format!("trials[0].id: tri_1 is the trial of {ISLA} in {BALLET}")), "{said}");
}

#[tokio::test]
async fn a_student_who_has_a_place_stays_in_the_family() {
    let stack = with(OKAFOR, &[enrolled("enr_ada", ADA, BALLET, &json!([]))]).start().await;
    // The student is with the Campbells now, and so is everything about her.
    let mut file: Value = serde_json::from_str(&Studio::demo().without(&[ADA]).text()).unwrap();
    let families = file["families"].as_array_mut().unwrap();
    let family = families.iter_mut().find(|family| family["id"] == CAMPBELL).unwrap();
    let ada = json!({"id": ADA, "firstname": "Ada", "lastname": "Okafor", "dateOfBirth": "2019-03-14"});
    family["students"].as_array_mut().unwrap().push(ada);
    let index = families.iter().position(|family| family["id"] == CAMPBELL).unwrap();
    let told = format!(
        "{ADA} has a place in the family {OKAFOR}, and a file can't move a place: keep the student in that family"
    );
    for id in ["enr_ada", "enr_new"] {
        file["families"][index]["enrolments"] = json!([enrolled(id, ADA, BALLET, &json!([]))]);
        let said = refused(&stack, &Studio::parse(&file.to_string())).await;
        assert!(said.contains(&format!("families[{index}].students[2]: {told}")), "{said}");
        let advice = "and is not moved: leave it and the student there";
        assert_eq!(said.contains(advice), id == "enr_ada", "{said}");
    }
    file["families"][index]["enrolments"] = json!([]);
    assert!(refused(&stack, &Studio::parse(&file.to_string())).await.contains(&told));
}

#[tokio::test]
async fn a_trial_of_a_student_who_has_enrolled_here_is_not_added() {
    let stack = Studio::demo().start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 200);
    for _ in 0..2 {
        let (is_done, said) = load(&stack, &Studio::demo().with(OKAFOR, &one_trial("trl_ada", ADA, LESSON)), &[]).await;
        let told = format!("families[0].trials[0]: {ADA} is enrolled in {BALLET}: the trial is not added");
        assert!(is_done && said.contains(": 0 documents") && said.contains(&told), "{said}");
    }
}

#[tokio::test]
async fn a_place_and_a_fee_that_are_being_bought_are_named_and_had_once_that_has_ended() {
    let fee = json!([{"id": "reg_1", "name": "Registration", "amount": 1000, "repetitionInterval": "per-season"}]);
    let takes = json!({"enableRegistrationFees": true, "registrationFeeId": "reg_1"});
    let mut file: Value = serde_json::from_str(&Studio::demo().with(SEASON, &takes).text()).unwrap();
    file["registrationFees"] = fee;
    let studio = Studio::parse(&file.to_string());
    let stack = studio.start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    stack.order_fault(Call::Capture, 1000, &json!({"drop": "before"})).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 202);
    let own = json!({"enrolments": [enrolled("enr_ada", ADA, BALLET, &json!([]))],
        "chargedFees": [{"feeId": "reg_1", "studentId": ADA, "period": SEASON, "amount": 1_000}]});
    let file = studio.with(OKAFOR, &own);
    let (is_done, said) = load(&stack, &file, &[]).await;
    for at in ["enrolments[0]", "chargedFees[0]"] {
        let told = format!("families[0].{at}: is being bought just now: load the file again when that has ended");
        assert!(is_done && said.contains(&told) && said.contains(": 0 documents"), "{told:?} is not in {said}");
    }
    stack.cancel_by_hand(&intent).await;
    stack.withdraw_faults().await;
    stack.move_clock("2026-09-07T12:00:00Z").await;
    stack.run_schedule().await;
    for counted in [": 2 documents", ": 0 documents"] {
        let (is_done, said) = load(&stack, &file, &[]).await;
        assert!(is_done && said.contains(counted) && !said.contains("being bought"), "{said}");
    }
    assert_books_balance(&stack).await;
}

fn one_trial(id: &str, student: &str, on: &str) -> Value {
    let mut booked = trial(BALLET, student, on, "16:30");
    booked["id"] = json!(id);
    json!({"trials": [booked]})
}

#[tokio::test]
async fn a_trial_beyond_a_lesson_s_places_is_loaded_and_no_more_is_sold() {
    let limited = json!({"settings": {"trial": {"limitedCapacity": true, "maxCapacityPerLesson": 2}}});
    let stack = Studio::demo().with(COMPANY, &limited).start().await;
    let booked = Studio::demo().with(COMPANY, &limited).with(CAMPBELL, &one_trial("trl_isla", ISLA, LESSON));
    let more = booked.clone().with(OKAFOR, &one_trial("trl_ada", ADA, LESSON));
    let (is_done, said) = load(&stack, &booked, &[]).await;
    assert!(is_done && said.contains("trials: 1 added") && !said.contains("it stays full"), "{said}");
    let (is_done, said) = load(&stack, &more, &[]).await;
    assert!(is_done && said.contains("trials: 1 added"), "{said}");
    let finn = json!({"trials": [trial(BALLET, FINN, LESSON, "16:30")], "enrolments": []});
    stack.family(CAMPBELL).quote(CAMPBELL, &finn).await.refusal(ErrorCode::TrialFull);
}

#[tokio::test]
async fn what_is_deleted_in_the_file_and_goes_on_is_named() {
    let own = [enrolled("enr_ada", ADA, BALLET, &json!([]))];
    let stack = with(OKAFOR, &own).start().await;
    let at = json!({"deletedAt": "2026-09-03 10:00:00"});
    let mut deleted: Value =
        serde_json::from_str(&with(OKAFOR, &own).with("enr_ada", &at).with(TRIAL_OF_PRIYA, &at).text()).unwrap();
    deleted["transactions"][0]["transaction"]["deletedAt"] = at["deletedAt"].clone();
    let before = stack.table().picture().await;
    let (is_done, said) = load(&stack, &Studio::parse(&deleted.to_string()), &[]).await;
    for told in [
        "families[0].enrolments[0]: enr_ada is deleted in the file, and goes on".to_owned(),
        format!("trials[0]: {TRIAL_OF_PRIYA} is deleted in the file, and goes on"),
        format!("transactions[0]: {COSTUMES} is deleted in the file, and stays"),
    ] {
        assert!(is_done && said.contains(&told), "{told:?} is not in {said}");
    }
    assert_eq!(before.changes(&stack.table().picture().await), [""; 0]);
}

#[tokio::test]
async fn instalments_whose_dates_are_over_are_named_and_debited_at_once() {
    let stack = Studio::demo().start().await;
    let before = stack.balance(OKAFOR).await;
    let dated = due(&[("2025-08-07", 3_210), ("2025-09-07", 3_200)]);
    let file = with(OKAFOR, &[enrolled("enr_ada", ADA, BALLET, &dated)]);
    for is_told in [true, false] {
        let (is_done, said) = load(&stack, &file, &[]).await;
        let told = "families[0].enrolments[0].instalments: 2 are dated before today, the first 2025-08-07";
        assert!(is_done && said.contains(told) == is_told, "{said}");
    }
    stack.run_schedule().await;
    assert_eq!(stack.balance(OKAFOR).await, before + 6_410);
    // The same holds for an existing enrolment.
    let planless =
        with(OKAFOR, &[enrolled("enr_ada", ADA, BALLET, &dated), enrolled("enr_tobi", TOBI, TAP, &json!([]))]);
    assert!(load(&stack, &planless, &[]).await.0);
    let late = with(OKAFOR, &[enrolled("enr_tobi", TOBI, TAP, &due(&[("2025-08-07", 1)]))]);
    let (is_done, said) = load(&stack, &late, &[]).await;
    assert!(is_done && said.contains("enrolments[0].instalments: one is dated 2025-08-07, before today"), "{said}");
}

#[tokio::test]
async fn an_id_that_a_file_gives_twice_is_named_by_both_places() {
    let stack = Studio::demo().start().await;
    let twice = with(OKAFOR, &[enrolled("enr_1", ADA, BALLET, &json!([])), enrolled("enr_1", TOBI, TAP, &json!([]))]);
    let said = refused(&stack, &twice).await;
    assert!(
        said.contains("families[0].enrolments[1].id: enr_1 is used twice, first in families[0].enrolments[0].id"),
        "{said}"
    );
}
