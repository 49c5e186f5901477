//! Orders and rejections that a request could not finish.

use classpay_tests::studio::{self, ADA, BALLET, OKAFOR};
use classpay_tests::{Answer, Call, Stack};
use serde_json::{Value, json};

use super::{assert_all_is_over, at, expire_hold, rejected_and_held, run_at, stripe_goes_away};

async fn order_state(stack: &Stack, answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text);
    let order = answer.json()["orderId"].as_str().unwrap().to_owned();
    let order = stack.table().get(&format!("ORD#{order}"), "META").await.unwrap();
    order["order_state"].as_s().unwrap().clone()
}

#[tokio::test]
async fn an_order_that_could_not_be_captured_is_completed() {
    let stack = Stack::start().await;
    let basket = studio::ballet_for_ada();
    let intent = stack.authorise(OKAFOR, &basket).await;
    stack.order_fault(Call::Capture, 100_000, &json!({"status": 500})).await;
    let answer = stack.check_out(OKAFOR, &intent, &basket).await;
    assert_eq!(order_state(&stack, &answer).await, "PENDING");
    run_at(&stack, &at(7, "08:03")).await;
    assert_eq!(order_state(&stack, &answer).await, "PENDING");

    stack.withdraw_faults().await;
    run_at(&stack, &at(7, "08:06")).await;
    assert_eq!(order_state(&stack, &answer).await, "COMPLETED");
    assert_eq!(stack.captured().await.len(), 1);
    assert_all_is_over(&stack).await;
}

#[tokio::test]
async fn an_order_whose_hold_expired_while_stripe_was_gone_gives_everything_back() {
    let stack = Stack::start().await;
    let basket = studio::ballet_for_ada();
    let (intent, seats) = (stack.authorise(OKAFOR, &basket).await, stack.seats_left(BALLET).await);
    stripe_goes_away(&stack, 1).await;
    let answer = stack.check_out(OKAFOR, &intent, &basket).await;
    for time in [at(7, "08:03"), at(8, "08:02"), at(8, "09:05")] {
        run_at(&stack, &time).await;
        assert_eq!(order_state(&stack, &answer).await, "PENDING", "{time}");
        assert_eq!(stack.seats_left(BALLET).await, seats - 1, "nothing is given back before Stripe has said so");
    }

    expire_hold(&stack, &intent).await;
    stack.withdraw_faults().await;
    run_at(&stack, &at(8, "10:10")).await;
    assert_eq!(order_state(&stack, &answer).await, "CANCELLED");
    assert_eq!(stack.seats_left(BALLET).await, seats);
    assert_eq!(stack.place(OKAFOR, ADA, BALLET).await.unwrap()["place_state"].as_s().unwrap(), "CANCELLED");
    assert_eq!(stack.posted(OKAFOR).await, Vec::<Value>::new());
    assert_all_is_over(&stack).await;
}

#[tokio::test]
async fn an_order_that_can_t_be_captured_for_a_day_is_given_up() {
    let stack = Stack::start().await;
    let basket = studio::ballet_for_ada();
    let (intent, seats) = (stack.authorise(OKAFOR, &basket).await, stack.seats_left(BALLET).await);
    stack.order_fault(Call::Capture, 100_000, &json!({"status": 500})).await;
    // The first cancels fail under their keys, too.
    stack.order_fault(Call::Cancel, 2, &json!({"status": 500})).await;
    let answer = stack.check_out(OKAFOR, &intent, &basket).await;
    run_at(&stack, &at(8, "07:58")).await;
    assert_eq!(order_state(&stack, &answer).await, "PENDING");
    run_at(&stack, &at(8, "08:01")).await;
    assert_eq!(order_state(&stack, &answer).await, "CANCELLED");
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_eq!(stack.seats_left(BALLET).await, seats);
    assert_all_is_over(&stack).await;
}

#[tokio::test]
async fn a_rejected_payment_whose_cancel_failed_is_released() {
    let stack = Stack::start().await;
    let intent = rejected_and_held(&stack).await;
    run_at(&stack, &at(7, "08:03")).await;
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");
    stack.withdraw_faults().await;
    run_at(&stack, &at(7, "08:06")).await;
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_all_is_over(&stack).await;
}
