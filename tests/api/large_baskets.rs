//! Baskets near the limits of an order: sold, or refused before anything is held.
//!
//! A basket that can be quoted never leads to a checkout that the table refuses.

use classpay_tests::studio::{BALLET, COMPANY, OKAFOR, SEASON, Studio, ballet_for_ada};
use classpay_tests::{Stack, assert_books_balance};
use serde_json::{Value, json};

const STUDENTS: usize = 5;

fn class_id(number: usize) -> String {
    format!("cls_{number:02}")
}

fn student_id(number: usize) -> String {
    format!("stu_{number}")
}

/// A taxed studio with three discount schemes, classes of one season, a plan of these dates, and a family of five.
fn studio(classes: usize, dates: &[String], words: &str) -> Studio {
    let tax = json!([{"id": "tax_1", "rate": "20.000", "label": "VAT", "isDefault": true}]);
    let scheme = |id: &str, kind: &str, application: &str| {
        let value = json!({"id": format!("dscv_{id}"), "quantity": 2, "amount": 5});
        json!({"id": format!("dsc_{id}"), "type": "percent", "scheme": kind,
            "application": application, "enabled": true, "values": [value]})
    };
    let plan = json!({"id": "pp_1", "type": "monthly", "firstPaymentDate": dates[0],
        "numberOfInstallments": dates.len(), "installmentDates": dates, "discount": 2.5});
    let class = |number: usize| {
        json!({"id": class_id(number), "seasonId": SEASON, "name": format!("Class {number} {words}"), "price": 1050,
            "dayOfWeek": "monday", "startTime": "16:30", "durationInMinutes": 45, "firstLessonStartDate": "2026-09-07",
            "lastLessonEndDate": "2027-07-16", "capacity": 30, "settings": {"taxRateId": "tax_1"}})
    };
    let student = |number: usize| {
        json!({"id": student_id(number), "firstname": format!("Student {number}"), "lastname": "Okafor",
            "dateOfBirth": "2015-03-14"})
    };
    let season = json!({"id": SEASON, "name": "School year", "startAt": "2026-09-07", "endAt": "2027-07-16",
        "registrationStatus": "open", "pricingScheme": "none", "pricingModel": "per-lesson",
        "createdAt": "2026-06-01 09:00:00", "pricingPlans": [plan]});
    let demo: Value = serde_json::from_str(&Studio::demo().text()).unwrap();
    let mut company = demo["company"].clone();
    company["settings"]["tax"] = json!({"id": "cst_1", "enabled": true, "taxIdLabel": "VAT", "taxIdNumber": "GB1",
        "taxMode": "exclusive"});
    let family = json!({"id": OKAFOR, "name": "Okafor", "createdAt": "2026-06-01 09:00:00",
        "students": (0..STUDENTS).map(student).collect::<Vec<_>>(), "enrolments": []});
    let schemes = json!([
        scheme("1", "student_qty_by_family", "individual_item"),
        scheme("2", "course_qty_by_student", "total_tuition"),
        scheme("3", "course_qty_by_family", "total_tuition"),
    ]);
    Studio::parse(
        &json!({"company": company, "taxRates": tax, "discountSchemes": schemes, "seasons": [season],
            "classes": (0..classes).map(class).collect::<Vec<_>>(), "families": [family]})
        .to_string(),
    )
}

/// This many enrolments, each in the next class; the students take turns.
fn places(count: usize) -> Value {
    let place = |number: usize| json!({"classId": class_id(number), "studentId": student_id(number % STUDENTS), "pricingPlanId": "pp_1"});
    json!({"enrolments": (0..count).map(place).collect::<Vec<_>>(), "trials": []})
}

fn monthly(count: i32) -> Vec<String> {
    (0..count).map(|month| format!("{}-{:02}-07", 2026 + (8 + month) / 12, (8 + month) % 12 + 1)).collect()
}

fn weekly(count: i32) -> Vec<String> {
    let first = jiff::civil::date(2026, 9, 7);
    (0..count).map(|week| first.checked_add(jiff::Span::new().weeks(week)).unwrap().to_string()).collect()
}

async fn is_sold(stack: &Stack, basket: &Value, later: usize) {
    let quote = stack.family(OKAFOR).quote(OKAFOR, basket).await;
    assert_eq!(quote.status, 200, "{}", quote.text);
    let intent = stack.authorise(OKAFOR, basket).await;
    let sold = stack.check_out(OKAFOR, &intent, basket).await;
    assert_eq!(sold.status, 200, "{}", sold.text);
    assert_eq!(stack.captured().await, [(intent, quote.json()["payment"]["total"].as_i64().unwrap())]);
    let plans = stack.table().partition(&format!("C#{COMPANY}#F#{OKAFOR}#PLANS"), "").await;
    assert_eq!(plans.len(), basket["enrolments"].as_array().unwrap().len());
    for plan in plans {
        let doc: Value = serde_json::from_str(plan["doc"].as_s().unwrap()).unwrap();
        assert_eq!(doc["instalments"].as_array().unwrap().len(), later);
    }
    assert_books_balance(stack).await;
}

#[tokio::test]
async fn twenty_five_places_on_a_plan_of_ten_months_are_sold() {
    let stack = studio(25, &monthly(10), "for beginners").start().await;
    is_sold(&stack, &places(25), 9).await;
}

#[tokio::test]
async fn trials_that_end_with_an_order_count_in_it() {
    let months = monthly(10);
    let tried = |count: usize| {
        let trial = |number: usize| {
            json!({"id": format!("trl_{number}"), "studentId": student_id(number % STUDENTS), "time": "16:30",
                "classId": class_id(number), "trialAt": "2026-09-14"})
        };
        let trials: Vec<_> = (0..count).map(trial).collect();
        studio(count, &months, "for beginners").with(OKAFOR, &json!({"trials": trials}))
    };
    // Each writes an enrolment, its instalments, the trial that ends and the lesson whose place becomes free. 24 of
    // them and the order's other writes are more than a transaction holds.
    let stack = tried(24).start().await;
    let before = stack.table().picture().await;
    let (family, basket) = (stack.family(OKAFOR), places(24));
    for refused in [family.quote(OKAFOR, &basket).await, family.session(OKAFOR, &basket).await] {
        assert_eq!((refused.status, refused.code().as_str()), (422, "basket_too_large"), "{}", refused.text);
    }
    assert_eq!(before.changes(&stack.table().picture().await), [""; 0]);
    is_sold(&tried(23).start().await, &places(23), 9).await;
}

#[tokio::test]
async fn eight_places_on_a_weekly_plan_of_a_year_are_sold() {
    let stack = studio(8, &weekly(52), "for beginners").start().await;
    is_sold(&stack, &places(8), 51).await;
}

#[tokio::test]
async fn a_basket_that_no_order_can_hold_is_refused_before_anything_is_held() {
    // Each line's text takes 15 KB: 25 of them exceed an order's document.
    let stack = studio(25, &monthly(10), &"long ".repeat(1000)).start().await;
    let before = stack.table().picture().await;
    let (family, basket) = (stack.family(OKAFOR), places(25));
    for refused in [family.quote(OKAFOR, &basket).await, family.session(OKAFOR, &basket).await] {
        assert_eq!((refused.status, refused.code().as_str()), (422, "basket_too_large"), "{}", refused.text);
    }
    assert_eq!(before.changes(&stack.table().picture().await), [""; 0]);
    // An authorisation of another amount, by a client that requested no quote, is released.
    let intent = stack.authorise_amount(OKAFOR, 12_345).await;
    let refused = stack.check_out(OKAFOR, &intent, &basket).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "basket_too_large"), "{}", refused.text);
    assert!(refused.says_released(), "{}", refused.text);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    let fewer = places(5);
    assert_eq!(family.quote(OKAFOR, &fewer).await.status, 200);
}

#[tokio::test]
async fn a_basket_of_too_many_places_releases_what_was_authorised_for_it() {
    let stack = studio(26, &monthly(10), "for beginners").start().await;
    let (family, basket) = (stack.family(OKAFOR), places(26));
    let before = stack.table().picture().await;
    let refusals = [
        family.quote(OKAFOR, &basket).await,
        family.session(OKAFOR, &basket).await,
        family.checkout(OKAFOR, None, &basket).await,
    ];
    for refused in refusals {
        assert_eq!((refused.status, refused.code().as_str()), (422, "basket_too_large"), "{}", refused.text);
        assert!(!refused.says_released(), "{}", refused.text);
    }
    assert_eq!(before.changes(&stack.table().picture().await), [""; 0]);
    // It is not authorised yet, so it may still be used for a smaller basket.
    let intent = stack.open_session_of(OKAFOR, 12_345).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &basket).await.code(), "payment_not_authorised");
    stack.confirm(&intent).await;
    for _ in 0..2 {
        let refused = stack.check_out(OKAFOR, &intent, &basket).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "basket_too_large"), "{}", refused.text);
        assert!(refused.says_released(), "{}", refused.text);
        assert_eq!(stack.intent_status(&intent).await, "canceled");
    }
    // A payment for another basket is neither refused for its size nor refunded.
    let intent = stack.authorise(OKAFOR, &places(1)).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &places(1)).await.status, 200);
    assert_eq!(stack.check_out(OKAFOR, &intent, &basket).await.code(), "payment_already_used");
    assert_eq!(stack.intent_status(&intent).await, "succeeded");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn what_the_table_refuses_for_good_is_released_and_noted() {
    let stack = Stack::start().await;
    let seats = stack.seats_left(BALLET).await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let fault = json!({"match": {"operation": "TransactWriteItems", "function": "basket-checkout"},
        "do": {"cancel": [{"at": 3, "code": "ValidationError"}]}});
    let ordered = stack.dynamodb().post("/_control/faults", &fault).await;
    assert_eq!(ordered.status, 200, "{}", ordered.text);
    let refused = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "basket_too_large"), "{}", refused.text);
    assert!(refused.says_released(), "{}", refused.text);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_eq!(stack.seats_left(BALLET).await, seats);
    let notes = stack.table().partition(&format!("REVIEW#{COMPANY}"), "").await;
    assert!(notes.len() == 1 && notes[0]["what"].as_s().unwrap().contains("can't be written"), "{notes:?}");
}
