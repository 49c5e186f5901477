//! A file is the whole catalogue. What it lacks is removed, after a report, and a large removal must be confirmed.
//!
//! Two tables with the same file give the same prices, whatever was in them before, and nothing that was sold is
//! changed.

use classpay_service::error::ErrorCode;
use classpay_tests::studio::{
    ACRO, ADA, BALLET, CAMPBELL, COMPANY, FINN, FULL, ISLA, MONTHLY, NGUYEN, SHARMA, STREET, Studio, TAP, TOBI,
    ballet_for_ada, basket, one, place,
};
use classpay_tests::{OKAFOR, Stack, assert_books_balance};
use serde_json::{Value, json};

use super::import_as;

/// Ten holidays; a lesson of Ballet falls on this one.
const HALF_TERM: &str = "hol_01J9ZDEMW5TVDJ0R000AVT2026";

/// Loads a studio. Returns whether it was loaded, and the messages.
pub async fn load(stack: &Stack, studio: &Studio, options: &[&str]) -> (bool, String) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), studio.text()).expect("the file can be written");
    let done = import_as(stack, file.path(), options).await;
    let said = [done.stdout, done.stderr].map(|said| String::from_utf8(said).expect("text")).concat();
    (done.status.success(), said)
}

/// A family's quote, without the fields that depend only on the time of the request.
async fn quote(stack: &Stack, family: &str, items: &Value) -> Value {
    stack.family(family).quote(family, items).await.json()
}

#[tokio::test]
async fn what_a_file_lacks_is_told_and_asked_for_and_then_taken_away() {
    let stack = Studio::demo().start().await;
    let before = stack.table().picture().await;
    let smaller = Studio::demo().without(&[HALF_TERM, TAP, NGUYEN, TOBI]);
    for options in [&[][..], &["--remove", "3"]] {
        let (is_done, said) = load(&stack, &smaller, options).await;
        assert!(!is_done, "{options:?}: {said}");
        for told in [
            "holidays: 1 of 10 taken away",
            "Autumn half-term 2026 (hol_01J9ZDEMW5TVDJ0R000AVT2026) is removed",
            "classes: 1 of 12 taken away",
            "Tap Grade 1 (cls_01J9ZDEMW5TVDJ0R0000000TAP) is archived; what was sold stays: 1 live enrolment",
            "families: 1 of 8 taken away",
            "Nguyen (fml_01J9ZDEMW5TVDJ0R0000NGVYEN) is archived; what was sold stays: 1 live enrolment",
            "students: 1 of",
            "Tobi",
            "--remove 4",
            "--partial",
        ] {
            assert!(said.contains(told), "{told:?} is not in {said}");
        }
        assert_eq!(before.changes(&stack.table().picture().await), [""; 0], "{options:?}");
    }
    let (is_done, said) = load(&stack, &smaller, &["--remove", "4"]).await;
    assert!(is_done && said.contains("4 documents were new, had changed or were taken away"), "{said}");
    let refused = async |family: &str, items: Value| stack.family(family).quote(family, &items).await;
    for (family, items) in [(OKAFOR, one(TAP, ADA)), (OKAFOR, one(BALLET, TOBI)), (NGUYEN, one(BALLET, ADA))] {
        refused(family, items).await.refusal(ErrorCode::NotFound);
    }
    // A second load has nothing to do, and the record comes back as it was.
    for options in [&[][..], &["--remove", "4"]] {
        let (is_done, said) = load(&stack, &smaller, options).await;
        assert!(is_done && said.contains(": 0 documents"), "{options:?}: {said}");
    }
    let (is_done, said) = load(&stack, &Studio::demo(), &[]).await;
    assert!(is_done && said.contains("4 documents"), "{said}");
    assert_eq!(stack.family(OKAFOR).quote(OKAFOR, &one(TAP, ADA)).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_import_that_was_interrupted_is_completed_with_the_number_that_was_told_first() {
    let stack = Studio::demo().start().await;
    // The state after an interrupted first import.
    assert!(load(&stack, &Studio::demo().without(&[HALF_TERM]), &["--remove", "1"]).await.0);
    let smaller = Studio::demo().without(&[HALF_TERM, TAP, NGUYEN, TOBI]);
    let (is_done, said) = load(&stack, &smaller, &["--remove", "2"]).await;
    assert!(!is_done && said.contains("the file takes away 3 in all"), "{said}");
    let (is_done, said) = load(&stack, &smaller, &["--remove", "4"]).await;
    assert!(is_done && said.contains("3 documents were new, had changed or were taken away"), "{said}");
}

#[tokio::test]
async fn two_tables_with_one_file_give_the_same_prices() {
    // Isla and Finn are in Tap and Ballet, so a scheme by the family's classes counts them.
    let enrolled = |student: &str, class: &str, id: &str| json!({"id": id, "studentId": student, "classId": class, "pricingPlanId": FULL});
    let families = json!({"enrolments": [enrolled(ISLA, TAP, "enr_1"), enrolled(FINN, BALLET, "enr_2")]});
    let scheme = json!([{"id": "dsc_1", "scheme": "course_qty_by_family", "type": "percent", "application": "total_tuition",
        "values": [{"id": "dscv_1", "quantity": 2, "amount": 10}, {"id": "dscv_2", "quantity": 3, "amount": 20}]}]);
    let mut whole: Value = serde_json::from_str(&Studio::demo().with(CAMPBELL, &families).text()).unwrap();
    whole["discountSchemes"] = scheme;
    let whole = Studio::parse(&whole.to_string());
    let smaller = whole.clone().without(&[HALF_TERM, TAP]);
    let (grown, fresh) = (whole.start().await, smaller.start().await);
    let items = basket(&[place(STREET, ISLA, FULL), place(ACRO, FINN, MONTHLY)], &[]);
    let of_before = quote(&grown, CAMPBELL, &items).await;
    let (is_done, said) = load(&grown, &smaller, &["--remove", "2"]).await;
    assert!(is_done, "{said}");
    for (family, items) in [(CAMPBELL, &items), (OKAFOR, &ballet_for_ada())] {
        assert_eq!(quote(&grown, family, items).await, quote(&fresh, family, items).await, "{family}");
    }
    assert_ne!(of_before["payment"], quote(&grown, CAMPBELL, &items).await["payment"]);
}

#[tokio::test]
async fn a_part_of_a_catalogue_only_adds_and_changes() {
    let stack = Studio::demo().start().await;
    let part = Studio::demo().without(&[HALF_TERM, TAP, NGUYEN, SHARMA]).with(BALLET, &json!({"price": 900}));
    let (is_done, said) = load(&stack, &part, &["--partial"]).await;
    assert!(is_done && said.contains(": 1 documents") && !said.contains("taken away\n"), "{said}");
    assert_eq!(stack.family(OKAFOR).quote(OKAFOR, &one(TAP, ADA)).await.status, 200);
    let (is_done, said) = load(&stack, &part, &["--partial", "--remove", "4"]).await;
    assert!(!is_done && said.contains("cannot be used with"), "{said}");
}

#[tokio::test]
async fn a_file_that_enrols_into_a_class_that_was_sold_out_says_who_is_too_many() {
    let stack = Studio::demo().start().await;
    let sold = stack.authorise(CAMPBELL, &one(ACRO, FINN)).await;
    assert_eq!(stack.check_out(CAMPBELL, &sold, &one(ACRO, FINN)).await.status, 200);
    assert_eq!(stack.seats_left(ACRO).await, 0);
    let more = json!({"enrolments": [{"id": "enr_late", "studentId": ADA, "classId": ACRO, "pricingPlanId": FULL}]});
    let (is_done, said) = load(&stack, &Studio::demo().with(OKAFOR, &more), &[]).await;
    let told = "Acro Duo (cls_01J9ZDEMW5TVDJ0R000000ACR0) takes 2 and has 3: it stays full until 2 have left. The file has \
                enrolled Ada";
    assert!(is_done && said.contains(told), "{said}");
    assert_eq!(stack.seats_left(ACRO).await, -1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_payment_for_a_class_that_was_taken_away_meanwhile_is_given_back() {
    let stack = Studio::demo().start().await;
    let items = basket(&[place(BALLET, ADA, FULL), place(STREET, ADA, MONTHLY)], &[]);
    let intent = stack.authorise(OKAFOR, &items).await;
    let (is_done, said) = load(&stack, &Studio::demo().without(&[STREET]), &["--remove", "1"]).await;
    assert!(is_done, "{said}");
    // The payer isn't told whether the class existed; the settlement job releases the payment.
    stack.check_out(OKAFOR, &intent, &items).await.refusal(ErrorCode::NotFound);
    stack.move_clock("2026-09-07T09:30:00Z").await;
    stack.run_schedule().await;
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn instalments_and_debts_of_what_is_taken_away_are_named_and_go_on() {
    let stack = Studio::demo().start().await;
    let items = basket(&[place(BALLET, ADA, MONTHLY)], &[]);
    let intent = stack.authorise(OKAFOR, &items).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &items).await.status, 200);
    let (is_done, said) = load(&stack, &Studio::demo().without(&[OKAFOR, BALLET]), &[]).await;
    assert!(!is_done && said.contains(&format!("there is no family {OKAFOR}")), "a debit of it is in the file: {said}");
    let (is_done, said) = load(&stack, &Studio::demo().without(&[BALLET]), &["--remove", "1"]).await;
    assert!(is_done && said.contains("stays: 1 live enrolment, "), "{said}");
    assert!(said.contains(", 9 instalments to come of "), "{said}");
    let before = stack.balance(OKAFOR).await;
    stack.move_clock("2026-10-08T08:00:00Z").await;
    stack.run_schedule().await;
    assert!(stack.balance(OKAFOR).await > before);
    assert!(stack.table().get(&format!("C#{COMPANY}#CLS#{BALLET}"), "META").await.is_some());
    assert_books_balance(&stack).await;
}
