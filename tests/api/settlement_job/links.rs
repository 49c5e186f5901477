//! Payment links that were abandoned or have expired.

use classpay_tests::Stack;
use classpay_tests::studio::OKAFOR;
use serde_json::json;

use super::{at, run_at, unfinished};

/// A debit of the studio's file, the amount due on it, and its family.
const COSTUMES: &str = "trn_01J9ZDEMW5TVDJ0R0000C0STM0";

/// Staff create a link for the costumes, and a payer opens it. Returns the link's id and its intent's.
async fn open_link(stack: &Stack, expires_at: Option<&str>) -> (String, String) {
    let body = json!({"transactionId": COSTUMES, "expiresAt": expires_at});
    let made = stack.staff().post("/v1/payment-links", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let link = made.json()["paymentLink"]["id"].as_str().unwrap().to_owned();
    let shown = stack.caller(None).post(&format!("/v1/payment-links/{link}"), &json!({})).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    (link, shown.json()["paymentSession"]["paymentIntent"]["id"].as_str().unwrap().to_owned())
}

async fn link_state(stack: &Stack, link: &str) -> String {
    stack.stored_link(link).await["link_state"].as_s().unwrap().clone()
}

#[tokio::test]
async fn a_link_whose_payer_closes_the_tab_is_paid() {
    let stack = Stack::start().await;
    let (link, intent) = open_link(&stack, None).await;
    stack.confirm(&intent).await;
    run_at(&stack, &at(7, "08:06")).await;
    assert_eq!(stack.intent_status(&intent).await, "succeeded");
    assert_eq!(link_state(&stack, &link).await, "paid");
    assert_eq!(unfinished(&stack).await.len(), 0);
    assert_eq!(stack.posted(OKAFOR).await.len(), 1);
}

#[tokio::test]
async fn a_link_that_nobody_paid_ends_with_its_time() {
    let stack = Stack::start().await;
    let (link, intent) = open_link(&stack, Some("2026-09-10 12:00:00")).await;
    run_at(&stack, &at(10, "11:50")).await;
    assert_eq!(link_state(&stack, &link).await, "open");
    assert_eq!(stack.intent_status(&intent).await, "requires_payment_method", "the link is still to be paid");
    run_at(&stack, &at(10, "12:01")).await;
    assert_eq!(link_state(&stack, &link).await, "expired");
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    run_at(&stack, &at(10, "13:05")).await;
    assert_eq!(unfinished(&stack).await.len(), 0);
}

#[tokio::test]
async fn a_link_that_was_authorised_in_time_is_paid_when_its_time_is_over() {
    let stack = Stack::start().await;
    let (link, intent) = open_link(&stack, Some("2026-09-07 08:03:00")).await;
    stack.confirm(&intent).await;
    run_at(&stack, &at(7, "08:04")).await;
    assert_eq!(link_state(&stack, &link).await, "paid");
    assert_eq!(stack.intent_status(&intent).await, "succeeded");
    assert_eq!(unfinished(&stack).await.len(), 0);
}
