//! Stripe accepts a call, executes it and doesn't answer. Our own answer still comes in time.
//!
//! No call to Stripe uses the last seconds of an invocation, which are needed to write and to answer.

use std::time::{Duration, Instant};

use classpay_tests::studio::{OKAFOR, Studio, ballet_for_ada};
use classpay_tests::{Answer, COSTUMES, COSTUMES_DUE, Stack, assert_books_balance};
use serde_json::{Value, json};

/// The template's timeout of a function. After that API Gateway answers in its place.
const FUNCTION_S: u64 = 25;
const CREATE: &str = "/v1/payment_intents";
const RETRIEVE: &str = "/v1/payment_intents/{id}";
const CAPTURE: &str = "/v1/payment_intents/{id}/capture";
const CANCEL: &str = "/v1/payment_intents/{id}/cancel";

/// These calls are executed and answered only after this long, once this many of them have passed.
async fn hang(stack: &Stack, method: &str, route: &str, after: u32, delay_ms: u64) {
    let matched = json!({"method": method, "route": route});
    let what = json!({"delayMs": delay_ms, "executed": true});
    let fault = json!({"match": matched, "after": after, "count": 1000, "do": what});
    assert_eq!(stack.stripe().post("/_control/faults", &fault).await.status, 200);
}

/// Longer than any test takes.
const FOR_EVER_MS: u64 = 600_000;

async fn ours(call: impl Future<Output = Answer>) -> Answer {
    let began = Instant::now();
    let answer = call.await;
    assert!(began.elapsed() < Duration::from_secs(FUNCTION_S), "{:?}: {}", began.elapsed(), answer.text);
    answer
}

async fn in_time(call: impl Future<Output = Answer>) -> Answer {
    let answer = ours(call).await;
    assert!(answer.headers["retry-after"].parse::<u32>().unwrap() > 0, "{}", answer.text);
    answer
}

fn assert_processing(answer: &Answer) {
    assert_eq!((answer.status, &answer.json()["status"]), (202, &Value::from("processing")), "{}", answer.text);
}

#[tokio::test]
async fn a_checkout_whose_capture_is_not_answered_is_202_and_later_200() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    hang(&stack, "POST", CAPTURE, 0, FOR_EVER_MS).await;
    hang(&stack, "GET", RETRIEVE, 1, FOR_EVER_MS).await;
    assert_processing(&in_time(stack.check_out(OKAFOR, &intent, &ballet_for_ada())).await);
    assert_eq!(stack.captured().await.len(), 1, "the money is taken");

    stack.withdraw_faults().await;
    let later = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!(later.status, 200, "{}", later.text);
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_link_s_payment_that_is_not_answered_is_202_and_later_200() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    hang(&stack, "POST", CAPTURE, 0, FOR_EVER_MS).await;
    hang(&stack, "GET", RETRIEVE, 1, FOR_EVER_MS).await;
    assert_processing(&in_time(stack.process_link(&link, Some(&intent))).await);

    stack.withdraw_faults().await;
    let later = stack.process_link(&link, Some(&intent)).await;
    assert_eq!((later.status, stack.due(COSTUMES).await), (200, 0), "{}", later.text);
    assert_books_balance(&stack).await;
}

/// Creating a customer is slow, and the intent for it is never answered.
async fn hang_one_after_the_other(stack: &Stack) {
    hang(stack, "POST", "/v1/customers", 0, 7_500).await;
    hang(stack, "POST", CREATE, 0, FOR_EVER_MS).await;
}

#[tokio::test]
async fn a_session_that_is_not_answered_is_503() {
    let stack = Stack::start().await;
    hang_one_after_the_other(&stack).await;
    let api = stack.family(OKAFOR);
    let answer = in_time(api.session(OKAFOR, &ballet_for_ada())).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{}", answer.text);
}

#[tokio::test]
async fn a_link_s_opening_that_is_not_answered_is_503() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    hang_one_after_the_other(&stack).await;
    let answer = in_time(stack.open_link(&link)).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{}", answer.text);
}

#[tokio::test]
async fn a_checkout_whose_release_is_not_answered_is_202_and_later_released() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(OKAFOR, 7_000).await;
    hang(&stack, "POST", CANCEL, 0, FOR_EVER_MS).await;
    hang(&stack, "GET", RETRIEVE, 1, FOR_EVER_MS).await;
    assert_processing(&in_time(stack.check_out(OKAFOR, &intent, &ballet_for_ada())).await);

    stack.withdraw_faults().await;
    let later = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!((later.status, later.code().as_str()), (409, "quote_changed"), "{}", later.text);
    assert!(later.says_released(), "{}", later.text);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_link_s_release_that_is_not_answered_is_202_and_later_released() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    Studio::demo().with_cash("CASH", COSTUMES_DUE).load_into(&stack.table()).await;
    hang(&stack, "POST", CANCEL, 0, FOR_EVER_MS).await;
    hang(&stack, "GET", RETRIEVE, 1, FOR_EVER_MS).await;
    assert_processing(&in_time(stack.process_link(&link, Some(&intent))).await);

    stack.withdraw_faults().await;
    let later = stack.process_link(&link, Some(&intent)).await;
    assert_eq!((later.status, later.code().as_str()), (422, "link_paid_by_other"), "{}", later.text);
    assert!(later.says_released(), "{}", later.text);
    assert_eq!((stack.intent_status(&intent).await.as_str(), stack.captured().await.len()), ("canceled", 0));
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_revocation_that_is_not_answered_is_503_and_later_204() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.intent_of_link(&link).await;
    hang(&stack, "POST", CANCEL, 0, FOR_EVER_MS).await;
    hang(&stack, "GET", RETRIEVE, 0, FOR_EVER_MS).await;
    let answer = in_time(stack.revoke_link(&link)).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{}", answer.text);

    stack.withdraw_faults().await;
    assert_eq!(stack.revoke_link(&link).await.status, 204);
    assert_eq!(
        (stack.intent_status(&intent).await.as_str(), stack.link_status(&link).await.as_str()),
        ("canceled", "link_revoked")
    );
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_event_whose_payment_is_not_answered_is_kept_and_later_settled() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    let event = stack.event("payment_intent.amount_capturable_updated").await;
    hang(&stack, "GET", RETRIEVE, 0, FOR_EVER_MS).await;
    let told = ours(stack.send_event(&event)).await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert!(stack.kept(&event).await.unwrap().contains_key("gsi1pk"), "it is to be looked at again");

    stack.withdraw_faults().await;
    stack.move_clock("2026-09-07T08:10:00Z").await;
    stack.run_schedule().await;
    assert_eq!((stack.due(COSTUMES).await, stack.captured().await.len()), (0, 1));
    assert_eq!(stack.intent_status(&intent).await, "succeeded");
    assert_books_balance(&stack).await;
}
