//! Lost replies, failures of Stripe, and functions that die: nobody pays twice, and every caller gets an answer.

use std::time::Duration;

use classpay_tests::studio::{self, ADA, BALLET, FULL, NGUYEN, OKAFOR, POINTE, STREET};
use classpay_tests::{Answer, Call, Stack, assert_books_balance, intent_id, without_request_id};
use serde_json::{Value, json};

/// Longer than any test takes.
const FOR_EVER_MS: u64 = 600_000;

fn dropped_before() -> Value {
    json!({"drop": "before"})
}

fn dropped_after() -> Value {
    json!({"drop": "after"})
}

/// A checkout during which the next `count` calls of a kind have the fault `what`: still 200, still one charge.
async fn assert_bought_once(call: Call, count: u32, what: &Value) {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    stack.order_fault(call, count, what).await;
    let checkout = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!(checkout.status, 200, "{}", checkout.text);
    assert!(!stack.has_faults_waiting().await, "every fault has struck");
    assert_eq!(stack.captured().await.len(), 1);
    let again = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!((again.status, &again.text), (200, &checkout.text));
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_capture_whose_reply_is_lost_is_found_out() {
    assert_bought_once(Call::Capture, 1, &dropped_after()).await;
}

#[tokio::test]
async fn a_capture_whose_replies_are_lost_twice_is_found_out() {
    assert_bought_once(Call::Capture, 2, &dropped_after()).await;
}

#[tokio::test]
async fn a_capture_that_never_arrived_is_sent_again() {
    assert_bought_once(Call::Capture, 1, &dropped_before()).await;
}

#[tokio::test]
async fn a_capture_that_never_arrived_three_times_is_attempted_anew() {
    assert_bought_once(Call::Capture, 3, &dropped_before()).await;
}

#[tokio::test]
async fn a_capture_that_failed_and_would_fail_for_ever_under_its_key_gets_another_key() {
    assert_bought_once(Call::Capture, 1, &json!({"status": 500})).await;
}

#[tokio::test]
async fn a_capture_that_was_done_and_answered_as_failed_is_found_out() {
    assert_bought_once(Call::Capture, 1, &json!({"status": 500, "executed": true})).await;
}

#[tokio::test]
async fn a_capture_that_came_too_often_is_sent_later() {
    assert_bought_once(Call::Capture, 2, &json!({"status": 429})).await;
}

#[tokio::test]
async fn a_capture_that_came_too_often_for_long_is_attempted_anew() {
    assert_bought_once(Call::Capture, 4, &json!({"status": 429})).await;
}

#[tokio::test]
async fn a_retrieval_that_fails_is_tried_again() {
    assert_bought_once(Call::Retrieve, 2, &json!({"status": 500})).await;
}

async fn full_class(stack: &Stack) -> (String, Value) {
    let basket = studio::one(POINTE, studio::MINH);
    (stack.authorise_amount(NGUYEN, 50_000).await, basket)
}

fn assert_released(refusal: &Answer) {
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "class_full"), "{}", refusal.text);
    assert_eq!(refusal.json()["paymentReleased"], true);
}

fn assert_processing(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert!(answer.headers["retry-after"].parse::<u32>().is_ok_and(|seconds| seconds > 0));
    let body = answer.json();
    assert_eq!(body["status"], "processing");
    body["orderId"].as_str().expect("an order's id").to_owned()
}

#[tokio::test]
async fn a_refusal_is_given_only_after_the_cancel_is_known() {
    for (count, what) in [
        (1, dropped_after()),
        (2, dropped_after()),
        (1, dropped_before()),
        (2, dropped_before()),
        (1, json!({"status": 500})),
        (1, json!({"status": 500, "executed": true})),
        (2, json!({"status": 429})),
    ] {
        let stack = Stack::start().await;
        let (intent, basket) = full_class(&stack).await;
        stack.order_fault(Call::Cancel, count, &what).await;
        assert_released(&stack.check_out(NGUYEN, &intent, &basket).await);
        assert_eq!(stack.intent_status(&intent).await, "canceled", "{what}");
        assert!(!stack.has_faults_waiting().await, "every fault has struck: {what}");
        assert_eq!(stack.captured().await, []);
        assert_books_balance(&stack).await;
    }
}

#[tokio::test]
async fn a_cancel_that_can_t_be_made_now_is_no_refusal_yet() {
    let stack = Stack::start().await;
    let (intent, basket) = full_class(&stack).await;
    stack.order_fault(Call::Cancel, 1000, &dropped_before()).await;
    let order = assert_processing(&stack.check_out(NGUYEN, &intent, &basket).await);
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");
    assert_eq!(assert_processing(&stack.check_out(NGUYEN, &intent, &basket).await), order);

    stack.withdraw_faults().await;
    let refusal = stack.check_out(NGUYEN, &intent, &basket).await;
    assert_released(&refusal);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    let again = stack.check_out(NGUYEN, &intent, &basket).await;
    assert_eq!(without_request_id(&again), without_request_id(&refusal));
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_intent_whose_reply_is_lost_is_made_once() {
    for count in [1, 2] {
        let stack = Stack::start().await;
        let api = stack.family(OKAFOR);
        stack.order_fault(Call::Create, count, &dropped_after()).await;
        let first = api.session(OKAFOR, &studio::ballet_for_ada()).await;
        assert!(matches!(first.status, 200 | 503), "{}", first.text);
        assert!(!stack.has_faults_waiting().await);
        let intent = intent_id(&api.session(OKAFOR, &studio::ballet_for_ada()).await);
        assert_eq!(stack.intent_count().await, 1);
        stack.confirm(&intent).await;
        assert_eq!(stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await.status, 200);
        assert_books_balance(&stack).await;
    }
}

#[tokio::test]
async fn a_stripe_that_can_t_be_asked_before_anything_was_written_is_503() {
    for what in [dropped_before(), json!({"status": 500}), json!({"status": 429})] {
        let stack = Stack::start().await;
        let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
        let before = stack.table().picture().await;
        stack.order_fault(Call::Retrieve, 1000, &what).await;
        let answer = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{}", answer.text);
        assert!(answer.headers["retry-after"].parse::<u32>().is_ok_and(|seconds| seconds > 0));
        stack.withdraw_faults().await;
        stack.assert_unchanged_since(&before).await;
        assert_eq!(stack.intent_status(&intent).await, "requires_capture");
        assert_eq!(stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await.status, 200);
        assert_books_balance(&stack).await;
    }
}

/// Stripe answers one retrieval and then nothing more, including the capture.
async fn stripe_goes_away_after_the_first_retrieval(stack: &Stack, capture: &Value) {
    stack.order_fault(Call::Retrieve, 1, &json!({"delayMs": 0})).await;
    stack.order_fault(Call::Retrieve, 1000, &dropped_before()).await;
    stack.order_fault(Call::Capture, 1000, capture).await;
}

#[tokio::test]
async fn a_stripe_that_is_gone_after_the_order_was_placed_is_202_until_it_is_back() {
    for capture in [dropped_before(), dropped_after(), json!({"status": 500}), json!({"status": 429})] {
        let stack = Stack::start().await;
        let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
        let seats = stack.seats_left(BALLET).await;
        stripe_goes_away_after_the_first_retrieval(&stack, &capture).await;
        let order = assert_processing(&stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await);
        let place = stack.place(OKAFOR, ADA, BALLET).await.expect("a place is held");
        assert_eq!(place["place_state"].as_s().unwrap(), "RESERVED", "{capture}");
        assert_eq!(stack.posted(OKAFOR).await, Vec::<Value>::new(), "nothing is posted before Stripe has said so");
        assert_eq!(assert_processing(&stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await), order);

        stack.withdraw_faults().await;
        let checkout = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
        assert_eq!(checkout.status, 200, "{capture}: {}", checkout.text);
        assert_eq!(checkout.json()[0]["transaction"]["orderId"], order);
        assert_eq!(stack.captured().await.len(), 1);
        assert_eq!(stack.seats_left(BALLET).await, seats - 1);
        assert_books_balance(&stack).await;
    }
}

#[tokio::test]
async fn an_authorisation_that_ran_out_under_a_pending_order_gives_the_places_back() {
    let stack = Stack::start().await;
    let trial = studio::trial(STREET, ADA, "2026-09-15", "17:15");
    let basket = studio::basket(&[studio::place(BALLET, ADA, FULL)], &[trial]);
    let intent = stack.authorise(OKAFOR, &basket).await;
    let seats = stack.seats_left(BALLET).await;
    stripe_goes_away_after_the_first_retrieval(&stack, &dropped_before()).await;
    assert_processing(&stack.check_out(OKAFOR, &intent, &basket).await);
    assert_eq!(stack.seats_left(BALLET).await, seats - 1);
    let path = format!("/_control/payment_intents/{intent}/expire");
    assert_eq!(stack.stripe().post(&path, &json!({})).await.status, 200);
    stack.withdraw_faults().await;

    let refusal = stack.check_out(OKAFOR, &intent, &basket).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "payment_cancelled"), "{}", refusal.text);
    assert_eq!(stack.seats_left(BALLET).await, seats);
    assert_books_balance(&stack).await;
    let next = stack.authorise(OKAFOR, &basket).await;
    assert_eq!(stack.check_out(OKAFOR, &next, &basket).await.status, 200);
    assert_books_balance(&stack).await;
}

/// A checkout whose function is killed while its delayed call of this kind is in progress at Stripe.
async fn check_out_and_die(stack: &Stack, (family, intent, basket): (&str, &str, &Value), call: Call, delay: &Value) {
    stack.order_fault(call, 1, delay).await;
    let kill = async {
        let struck = async { while stack.has_faults_waiting().await {} };
        tokio::time::timeout(Duration::from_secs(30), struck).await.expect("the call gets to Stripe");
        assert_eq!(stack.kill_function("basket-checkout"), 1);
    };
    let (answer, ()) = futures_util::future::join(stack.check_out(family, intent, basket), kill).await;
    assert_eq!((answer.status, answer.text.as_str()), (500, r#"{"message":"Internal Server Error"}"#));
}

async fn killed_while_capturing(delay: &Value) {
    let stack = Stack::start().await;
    let (intent, basket) = (stack.authorise(OKAFOR, &studio::ballet_for_ada()).await, studio::ballet_for_ada());
    check_out_and_die(&stack, (OKAFOR, &intent, &basket), Call::Capture, delay).await;
    assert_eq!(stack.posted(OKAFOR).await, Vec::<Value>::new());
    let checkout = stack.check_out(OKAFOR, &intent, &basket).await;
    assert_eq!(checkout.status, 200, "{}", checkout.text);
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_function_that_dies_after_its_capture_was_done_is_finished_by_the_next_call() {
    killed_while_capturing(&json!({"delayMs": FOR_EVER_MS, "executed": true})).await;
}

#[tokio::test]
async fn a_function_that_dies_before_its_capture_is_done_is_finished_by_the_next_call() {
    killed_while_capturing(&json!({"delayMs": FOR_EVER_MS})).await;
}

#[tokio::test]
async fn a_function_that_dies_while_it_releases_is_finished_by_the_next_call() {
    for delay in [json!({"delayMs": FOR_EVER_MS}), json!({"delayMs": FOR_EVER_MS, "executed": true})] {
        let stack = Stack::start().await;
        let (intent, basket) = full_class(&stack).await;
        check_out_and_die(&stack, (NGUYEN, &intent, &basket), Call::Cancel, &delay).await;
        assert_released(&stack.check_out(NGUYEN, &intent, &basket).await);
        assert_eq!(stack.intent_status(&intent).await, "canceled");
        assert_books_balance(&stack).await;
    }
}

#[tokio::test]
async fn a_function_that_dies_before_it_has_written_anything_leaves_the_payment_as_it_was() {
    let stack = Stack::start().await;
    let (intent, basket) = (stack.authorise(OKAFOR, &studio::ballet_for_ada()).await, studio::ballet_for_ada());
    let before = stack.table().picture().await;
    let delay = json!({"delayMs": FOR_EVER_MS});
    check_out_and_die(&stack, (OKAFOR, &intent, &basket), Call::Retrieve, &delay).await;
    stack.assert_unchanged_since(&before).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &basket).await.status, 200);
    assert_books_balance(&stack).await;
}
