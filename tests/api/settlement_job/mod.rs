//! The settlement job: it finishes or releases what requests left, and never twice.

mod captured;
mod feed;
mod given_back;
mod links;
mod orders;
mod sessions;

use classpay_tests::studio::{self, MINH, NGUYEN, POINTE};
use classpay_tests::{Call, Item, Stack, assert_books_balance};
use serde_json::{Value, json};

/// A time in the first days of the studio. Every stack here starts on the 7th at 08:00.
pub fn at(day: u32, time: &str) -> String {
    format!("2026-09-{day:02}T{time}:30Z")
}

/// Runs the settlement job now.
pub async fn run(stack: &Stack) -> Value {
    let answer = stack.caller(None).post("/_local/run/settle-payments", &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Runs the settlement job at a later time.
pub async fn run_at(stack: &Stack, time: &str) {
    stack.move_clock(time).await;
    run(stack).await;
}

/// The bank ends the hold.
pub async fn expire_hold(stack: &Stack, intent: &str) {
    let answer = stack.stripe().post(&format!("/_control/payment_intents/{intent}/expire"), &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// Stripe answers nothing any more, except for `first` retrievals.
pub async fn stripe_goes_away(stack: &Stack, first: u32) {
    if first > 0 {
        stack.order_fault(Call::Retrieve, first, &json!({"delayMs": 0})).await;
    }
    for call in [Call::Retrieve, Call::Capture, Call::Cancel] {
        stack.order_fault(call, 100_000, &json!({"drop": "before"})).await;
    }
    events_are_not_listed(stack, &json!({"drop": "before"})).await;
}

/// Every request for Stripe's events gets this answer.
pub async fn events_are_not_listed(stack: &Stack, what: &Value) {
    let fault = json!({"match": {"method": "GET", "path": "/v1/events"}, "count": 100_000, "do": what});
    let ordered = stack.stripe().post("/_control/faults", &fault).await;
    assert_eq!(ordered.status, 200, "{}", ordered.text);
}

pub async fn item(stack: &Stack, intent: &str, sk: &str) -> Option<Item> {
    stack.table().get(&format!("PI#{}#{intent}", stack.account()), sk).await
}

/// Everything that the settlement job still has to finish. The feed of an account's events never ends, and a review
/// record is not the job's work.
pub async fn unfinished(stack: &Stack) -> Vec<Item> {
    let is_left = |item: &Item| {
        let lane = item.get("gsi1pk").map(|lane| lane.as_s().unwrap());
        lane.is_some_and(|lane| !lane.starts_with("REVIEW")) && item["sk"].as_s().is_ok_and(|sk| sk != "FEED")
    };
    stack.table().everything().await.into_iter().filter(is_left).collect()
}

pub async fn assert_all_is_over(stack: &Stack) {
    let unfinished = unfinished(stack).await;
    assert!(unfinished.is_empty(), "{unfinished:#?}");
    assert_books_balance(stack).await;
}

/// A payment for a full class that was rejected and could not be cancelled.
pub async fn rejected_and_held(stack: &Stack) -> String {
    let intent = stack.authorise_amount(NGUYEN, 50_000).await;
    // A key replays a stored 500 for a day, so a later attempt needs another key.
    stack.order_fault(Call::Cancel, 100_000, &json!({"status": 500})).await;
    let answer = stack.check_out(NGUYEN, &intent, &studio::one(POINTE, MINH)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");
    intent
}
