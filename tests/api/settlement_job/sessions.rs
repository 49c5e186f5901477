//! Sessions that were abandoned.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_tests::Stack;
use classpay_tests::studio::{self, ACRO, ADA, BALLET, CAMPBELL, FULL, ISLA, OKAFOR, Studio};
use futures_util::future::join3;
use serde_json::{Value, json};

use super::{assert_all_is_over, at, expire_hold, item, run, run_at, stripe_goes_away, unfinished};

#[tokio::test]
async fn a_basket_whose_payer_closes_the_tab_is_booked_after_five_minutes() {
    let stack = Stack::start().await;
    let basket = studio::ballet_for_ada();
    let (seats, total) = (stack.seats_left(BALLET).await, stack.quoted_payment(OKAFOR, &basket).await["total"].clone());
    let intent = stack.authorise(OKAFOR, &basket).await;

    run_at(&stack, &at(7, "08:04")).await;
    assert_eq!(stack.intent_status(&intent).await, "requires_capture", "the payer's own call has precedence");
    assert_eq!(stack.seats_left(BALLET).await, seats);

    run_at(&stack, &at(7, "08:06")).await;
    assert_eq!(stack.captured().await, [(intent.clone(), total.as_i64().unwrap())]);
    assert_eq!(stack.seats_left(BALLET).await, seats - 1);
    assert_eq!(stack.place(OKAFOR, ADA, BALLET).await.unwrap()["place_state"].as_s().unwrap(), "ACTIVE");
    assert_all_is_over(&stack).await;

    let checkout = stack.check_out(OKAFOR, &intent, &basket).await;
    assert_eq!(checkout.status, 200, "a payer who comes back has his answer: {}", checkout.text);
    let posted = stack.posted(OKAFOR).await;
    assert_eq!(posted.len(), 2);
    assert!(checkout.json().as_array().unwrap().iter().all(|entry| posted.contains(entry)), "{}", checkout.text);
    assert_eq!(run(&stack).await, json!({"visited": 0, "finished": 0, "left": 0}));
}

#[tokio::test]
async fn a_basket_whose_place_went_to_somebody_else_is_voided() {
    let stack = Stack::start().await;
    let (adas, islas) = (studio::one(ACRO, ADA), studio::one(ACRO, ISLA));
    let left = stack.authorise(OKAFOR, &adas).await;
    let bought = stack.authorise(CAMPBELL, &islas).await;
    assert_eq!(stack.check_out(CAMPBELL, &bought, &islas).await.status, 200);

    run_at(&stack, &at(7, "08:06")).await;
    assert_eq!(stack.intent_status(&left).await, "canceled");
    assert!(stack.place(OKAFOR, ADA, ACRO).await.is_none());
    assert_eq!(stack.posted(OKAFOR).await, Vec::<Value>::new());
    assert_all_is_over(&stack).await;

    let refusal = stack.check_out(OKAFOR, &left, &adas).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "class_full"), "{}", refusal.text);
    assert!(refusal.says_released());
}

#[tokio::test]
async fn a_basket_whose_price_has_changed_is_voided() {
    // The last minute of the day before an instalment falls due, and more than half an hour after it.
    let stack = Studio::demo().start_at("2026-10-06T22:59:00Z").await;
    let basket = studio::basket(&[studio::place(BALLET, ADA, studio::MONTHLY)], &[]);
    let intent = stack.authorise(OKAFOR, &basket).await;
    run_at(&stack, "2026-10-06T23:40:00Z").await;
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert!(stack.place(OKAFOR, ADA, BALLET).await.is_none());
    assert_all_is_over(&stack).await;
}

#[tokio::test]
async fn a_basket_that_a_payer_could_have_mended_is_voided_too() {
    let stack = Stack::start().await;
    let basket = studio::basket(&[], &[studio::trial(BALLET, ADA, "2026-09-07", "16:30")]);
    let intent = stack.authorise(OKAFOR, &basket).await;
    run_at(&stack, &at(8, "07:00")).await;
    assert_eq!(stack.intent_status(&intent).await, "canceled", "the lesson is over");
    assert_eq!(stack.captured().await, []);
    assert_all_is_over(&stack).await;
    let refusal = stack.check_out(OKAFOR, &intent, &basket).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (422, "trial_not_available"), "{}", refusal.text);
    assert!(refusal.says_released());
}

#[tokio::test]
async fn what_staff_opened_is_booked_by_staff_s_rules() {
    let changes = json!({"settings": {"portalEnrolmentEnabled": false}});
    let stack = Studio::demo().with(BALLET, &changes).start().await;
    let basket = studio::ballet_for_ada();
    let by_family = stack.family(OKAFOR).session(OKAFOR, &basket).await;
    assert_eq!(by_family.code(), "enrolment_closed");
    let intent = classpay_tests::intent_id(&stack.staff().session(OKAFOR, &basket).await);
    stack.confirm(&intent).await;
    run_at(&stack, &at(7, "08:06")).await;
    assert_eq!(stack.intent_status(&intent).await, "succeeded");
    assert!(stack.place(OKAFOR, ADA, BALLET).await.is_some());
    assert_all_is_over(&stack).await;
}

#[tokio::test]
async fn an_amount_that_nobody_comes_back_for_is_voided_after_an_hour() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(OKAFOR, 12_345).await;
    for time in ["08:06", "08:16", "08:58"] {
        run_at(&stack, &at(7, time)).await;
        assert_eq!(stack.intent_status(&intent).await, "requires_capture", "{time}");
    }
    run_at(&stack, &at(7, "09:01")).await;
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_all_is_over(&stack).await;

    let refusal = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "payment_cancelled"), "{}", refusal.text);
    assert!(refusal.says_released());
}

#[tokio::test]
async fn a_session_that_is_never_paid_is_void_after_a_day_and_not_before() {
    let stack = Stack::start().await;
    let intents =
        [stack.open_session(OKAFOR, &studio::ballet_for_ada()).await, stack.open_session_of(CAMPBELL, 500).await];
    for time in [at(7, "08:06"), at(7, "12:00"), at(8, "07:58")] {
        run_at(&stack, &time).await;
        for intent in &intents {
            assert_eq!(stack.intent_status(intent).await, "requires_payment_method", "{time}");
        }
    }
    assert_eq!(unfinished(&stack).await.len(), 2);
    run_at(&stack, &at(8, "08:01")).await;
    for intent in &intents {
        assert_eq!(stack.intent_status(intent).await, "canceled");
    }
    assert_all_is_over(&stack).await;
}

#[tokio::test]
async fn a_session_whose_hold_expired_is_over() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(OKAFOR, 12_345).await;
    expire_hold(&stack, &intent).await;
    run_at(&stack, &at(7, "08:06")).await;
    assert!(item(&stack, &intent, "CLAIM").await.is_none(), "nothing is left to decide");
    assert_all_is_over(&stack).await;
}

#[tokio::test]
async fn a_checkout_and_the_schedule_at_one_moment_are_one_purchase() {
    let stack = Stack::start().await;
    let basket = studio::ballet_for_ada();
    let (intent, seats) = (stack.authorise(OKAFOR, &basket).await, stack.seats_left(BALLET).await);
    stack.move_clock(&at(7, "08:06")).await;
    let (checkout, ..) = join3(stack.check_out(OKAFOR, &intent, &basket), run(&stack), run(&stack)).await;
    assert_eq!(checkout.status, 200, "{}", checkout.text);
    assert_eq!(stack.captured().await.len(), 1);
    assert_eq!(stack.seats_left(BALLET).await, seats - 1);
    assert_all_is_over(&stack).await;
}

#[tokio::test]
async fn what_the_schedule_can_t_know_it_leaves_and_never_forgets() {
    let stack = Stack::start().await;
    let basket = studio::basket(&[studio::place(BALLET, ADA, FULL)], &[]);
    let intent = stack.authorise(OKAFOR, &basket).await;
    stripe_goes_away(&stack, 0).await;
    for time in [at(7, "08:06"), at(7, "09:10"), at(7, "11:10")] {
        run_at(&stack, &time).await;
        let session = item(&stack, &intent, "SESSION").await.unwrap();
        assert_eq!(session["session_state"].as_s().unwrap(), "open", "{time}");
        let due_s: i64 = session["gsi1sk"].as_s().unwrap().parse().unwrap();
        let now_s = time.parse::<jiff::Timestamp>().unwrap().as_second();
        assert!((1..=3660 * 3).contains(&(due_s - now_s)), "{time}: next look in {} s", due_s - now_s);
    }
    stack.withdraw_faults().await;
    run_at(&stack, &at(7, "14:02")).await;
    assert_eq!(stack.intent_status(&intent).await, "succeeded");
    assert_all_is_over(&stack).await;
}

#[tokio::test]
async fn a_basket_that_can_never_be_booked_is_measured_and_released_after_a_day() {
    let stack = Stack::start().await;
    let basket = studio::ballet_for_ada();
    let intent = stack.authorise(OKAFOR, &basket).await;
    // The class can't be read, so every attempt to book it fails.
    let table = stack.table();
    let mut class = table.get(&format!("C#{}#CLS#{BALLET}", stack.company()), "META").await.unwrap();
    class.insert("doc".to_owned(), AttributeValue::S("{}".to_owned()));
    table.client.put_item().table_name(&table.name).set_item(Some(class)).send().await.unwrap();
    assert_eq!(stack.check_out(OKAFOR, &intent, &basket).await.status, 500);
    for (hour, holds) in [("08:06", 0), ("08:10", 0), ("08:20", 1)] {
        stack.move_clock(&at(7, hour)).await;
        assert_eq!(stack.measure("HoldsWithoutOrder").await, holds, "{hour}");
    }
    run_at(&stack, &at(8, "07:59")).await;
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");
    run_at(&stack, &at(8, "09:01")).await;
    assert_eq!(stack.intent_status(&intent).await, "canceled", "nothing is held for longer than a day");
    run_at(&stack, &at(8, "09:05")).await;
    assert_eq!(stack.measure("HoldsWithoutOrder").await, 0);
    assert_eq!(unfinished(&stack).await.len(), 0);
}

#[tokio::test]
async fn a_basket_that_is_authorised_hours_after_it_was_opened_is_booked_minutes_after_its_event() {
    let stack = Stack::start().await;
    let intent = stack.open_session(OKAFOR, &studio::ballet_for_ada()).await;
    for look in ["2026-09-07T08:16:00Z", "2026-09-07T14:01:00Z"] {
        run_at(&stack, look).await;
    }
    stack.move_clock("2026-09-07T14:30:00Z").await;
    stack.confirm(&intent).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    run_at(&stack, "2026-09-07T14:34:00Z").await;
    assert_eq!(stack.intent_status(&intent).await, "requires_capture", "its payer's own call has precedence");
    run_at(&stack, "2026-09-07T14:36:00Z").await;
    assert_eq!(stack.intent_status(&intent).await, "succeeded");
    assert_all_is_over(&stack).await;
}

#[tokio::test]
async fn an_amount_that_is_authorised_hours_after_it_was_opened_waits_for_its_checkout() {
    let stack = Stack::start().await;
    let intent = stack.open_session_of(OKAFOR, 7_000).await;
    for look in ["2026-09-07T08:16:00Z", "2026-09-07T14:01:00Z"] {
        run_at(&stack, look).await;
    }
    stack.move_clock("2026-09-07T14:30:00Z").await;
    stack.confirm(&intent).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    run_at(&stack, "2026-09-07T14:36:00Z").await;
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");
}
