//! Concurrent calls: for one payment, for one seat, for one basket.

use classpay_tests::studio::{self, ACRO, ADA, BALLET, CAMPBELL, FINN, ISLA, OKAFOR, OPEN_STUDIO, STREET, TAP};
use classpay_tests::{Call, Stack, assert_books_balance, intent_id, without_request_id};
use futures_util::future::{join, join_all};
use serde_json::json;

/// The next calls read at the same time, and none writes before all have read: each waits this long for Stripe.
async fn let_all_read_first(stack: &Stack, calls: u32) {
    stack.order_fault(Call::Retrieve, calls, &json!({"delayMs": 500, "executed": true})).await;
}

#[tokio::test]
async fn eight_clicks_at_once_are_one_purchase_and_eight_times_the_same_answer() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let (seats, basket) = (stack.seats_left(BALLET).await, studio::ballet_for_ada());
    let_all_read_first(&stack, 8).await;
    let answers = join_all((0..8).map(|_| stack.check_out(OKAFOR, &intent, &basket))).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (200, &answers[0].text));
    }
    assert_eq!(stack.captured().await.len(), 1);
    assert_eq!(stack.seats_left(BALLET).await, seats - 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn the_last_seat_goes_to_one_of_two_families_and_the_other_has_its_money_back() {
    let stack = Stack::start().await;
    let (adas, islas) = (studio::one(ACRO, ADA), studio::one(ACRO, ISLA));
    let (first, second) = (stack.authorise(OKAFOR, &adas).await, stack.authorise(CAMPBELL, &islas).await);
    assert_eq!(stack.seats_left(ACRO).await, 1);
    let_all_read_first(&stack, 2).await;
    let both = join(stack.check_out(OKAFOR, &first, &adas), stack.check_out(CAMPBELL, &second, &islas)).await;
    let mut results = [(both.0, first), (both.1, second)];
    results.sort_by_key(|(answer, _)| answer.status);
    let [(won, paid), (lost, released)] = &results;
    assert_eq!(won.status, 200, "{}", won.text);
    assert_eq!((lost.status, lost.code().as_str()), (409, "class_full"), "{}", lost.text);
    assert_eq!(lost.json()["paymentReleased"], true);
    assert_eq!(stack.intent_status(released).await, "canceled");
    let captured = stack.captured().await;
    assert_eq!(captured.iter().map(|(intent, _)| intent).collect::<Vec<_>>(), [paid]);
    assert_eq!(stack.seats_left(ACRO).await, 0);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn the_last_trial_place_goes_to_one_of_two_families() {
    let stack = Stack::start().await;
    // A lesson has two places for trials, and Finn has one of them.
    let of = |student| studio::basket(&[], &[studio::trial(STREET, student, "2026-12-01", "17:15")]);
    let (adas, islas, finns) = (of(ADA), of(ISLA), of(FINN));
    let taken = stack.authorise(CAMPBELL, &finns).await;
    assert_eq!(stack.check_out(CAMPBELL, &taken, &finns).await.status, 200);
    let (first, second) = (stack.authorise(OKAFOR, &adas).await, stack.authorise(CAMPBELL, &islas).await);
    let_all_read_first(&stack, 2).await;
    let both = join(stack.check_out(OKAFOR, &first, &adas), stack.check_out(CAMPBELL, &second, &islas)).await;
    let mut results = [both.0, both.1];
    results.sort_by_key(|answer| answer.status);
    let [won, lost] = &results;
    assert_eq!(won.status, 200, "{}", won.text);
    assert_eq!((lost.status, lost.code().as_str()), (409, "trial_full"), "{}", lost.text);
    assert_eq!(lost.json()["paymentReleased"], true);
    assert_eq!(stack.captured().await.len(), 2);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn one_payment_pays_one_of_two_baskets() {
    let stack = Stack::start().await;
    let (islas, finns) = (studio::one(STREET, ISLA), studio::one(STREET, FINN));
    let amount = stack.quoted_payment(CAMPBELL, &islas).await["total"].as_i64().unwrap();
    let intent = stack.authorise_amount(CAMPBELL, amount).await;
    let seats = stack.seats_left(STREET).await;
    let_all_read_first(&stack, 2).await;
    let both = join(stack.check_out(CAMPBELL, &intent, &islas), stack.check_out(CAMPBELL, &intent, &finns)).await;
    let mut results = [both.0, both.1];
    results.sort_by_key(|answer| answer.status);
    let [won, lost] = &results;
    assert_eq!(won.status, 200, "{}", won.text);
    assert_eq!((lost.status, lost.code().as_str()), (409, "payment_already_used"), "{}", lost.text);
    assert_eq!(stack.captured().await, [(intent, amount)]);
    assert_eq!(stack.seats_left(STREET).await, seats - 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn one_student_s_place_is_bought_with_one_of_two_payments() {
    let stack = Stack::start().await;
    let basket = studio::ballet_for_ada();
    let amount = stack.quoted_payment(OKAFOR, &basket).await["total"].as_i64().unwrap();
    let (first, second) = (stack.authorise_amount(OKAFOR, amount).await, stack.authorise_amount(OKAFOR, amount).await);
    assert_ne!(first, second);
    let_all_read_first(&stack, 2).await;
    let both = join(stack.check_out(OKAFOR, &first, &basket), stack.check_out(OKAFOR, &second, &basket)).await;
    let mut results = [both.0, both.1];
    results.sort_by_key(|answer| answer.status);
    let [won, lost] = &results;
    assert_eq!(won.status, 200, "{}", won.text);
    assert_eq!((lost.status, lost.code().as_str()), (409, "already_enrolled"), "{}", lost.text);
    assert_eq!(lost.json()["paymentReleased"], true);
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn eight_tabs_that_open_a_session_at_once_share_one_intent() {
    let stack = Stack::start().await;
    let basket = studio::ballet_for_ada();
    let api = stack.family(OKAFOR);
    let sessions = join_all((0..8).map(|_| api.session(OKAFOR, &basket))).await;
    let intents: Vec<_> = sessions.iter().map(intent_id).collect();
    assert!(intents.iter().all(|intent| *intent == intents[0]), "{intents:?}");
    assert_eq!(stack.intent_count().await, 1);
    stack.confirm(&intents[0]).await;
    assert_eq!(stack.check_out(OKAFOR, &intents[0], &basket).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn eight_clicks_on_a_basket_that_costs_nothing_are_one_place() {
    let stack = Stack::start().await;
    let (seats, basket) = (stack.seats_left(OPEN_STUDIO).await, studio::open_studio_for_ada());
    let api = stack.family(OKAFOR);
    let answers = join_all((0..8).map(|_| api.checkout(OKAFOR, None, &basket))).await;
    for answer in &answers {
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    }
    assert_eq!(stack.seats_left(OPEN_STUDIO).await, seats - 1);
    assert!(stack.place(OKAFOR, ADA, OPEN_STUDIO).await.is_some());
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_checkout_beside_a_session_for_the_same_basket_harms_neither() {
    let stack = Stack::start().await;
    let basket = studio::ballet_for_ada();
    let intent = stack.authorise(OKAFOR, &basket).await;
    let api = stack.family(OKAFOR);
    let both = join(stack.check_out(OKAFOR, &intent, &basket), api.session(OKAFOR, &basket)).await;
    assert_eq!(both.0.status, 200, "{}", both.0.text);
    assert!(matches!(both.1.status, 200 | 409), "{}", both.1.text);
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn eight_clicks_on_a_basket_that_can_t_be_sold_hear_the_same_refusal() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(OKAFOR, 1000).await;
    let (seats, basket) = (stack.seats_left(BALLET).await, studio::ballet_for_ada());
    let_all_read_first(&stack, 8).await;
    let answers = join_all((0..8).map(|_| stack.check_out(OKAFOR, &intent, &basket))).await;
    for answer in &answers {
        assert_eq!((answer.status, answer.code().as_str()), (409, "quote_changed"), "{}", answer.text);
        assert_eq!(without_request_id(answer), without_request_id(&answers[0]));
    }
    assert_eq!(answers[0].json()["paymentReleased"], true);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_eq!(stack.seats_left(BALLET).await, seats);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_payment_is_either_captured_or_released_when_only_one_of_two_baskets_fits_it() {
    let stack = Stack::start().await;
    let (fitting, other) = (studio::one(STREET, ISLA), studio::one(TAP, ISLA));
    let amount = stack.quoted_payment(CAMPBELL, &fitting).await["total"].as_i64().unwrap();
    let intent = stack.authorise_amount(CAMPBELL, amount).await;
    let_all_read_first(&stack, 2).await;
    let both = join(stack.check_out(CAMPBELL, &intent, &fitting), stack.check_out(CAMPBELL, &intent, &other)).await;
    let codes = (both.0.status, both.0.code(), both.1.code());
    match stack.intent_status(&intent).await.as_str() {
        "succeeded" => assert_eq!(codes, (200, String::new(), "payment_already_used".into())),
        "canceled" => assert_eq!(codes, (409, "payment_cancelled".into(), "quote_changed".into())),
        status => panic!("{status}: {codes:?}"),
    }
    assert_books_balance(&stack).await;
}
