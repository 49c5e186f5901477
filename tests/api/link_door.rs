//! Limits on a link's operations: a payer who polls is answered, a guesser is not, and calls to Stripe are limited.
//! Also, where a link's id may appear.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_tests::{COSTUMES, Stack, assert_books_balance};
use serde_json::json;

/// The number of calls that Stripe has received.
async fn calls_of_stripe(stack: &Stack) -> u64 {
    stack.stripe().get("/_control/requests").await.json()["total"].as_u64().unwrap()
}

#[tokio::test]
async fn no_key_order_or_session_holds_a_link_s_id() {
    let stack = Stack::start().await;
    let (paid, open) = (stack.link(None).await, stack.link(None).await);
    stack.authorise_link(&paid).await;
    assert_eq!(stack.process_link(&paid, None).await.status, 200);
    assert_eq!(stack.process_link(&open, None).await.status, 422);
    for item in stack.table().everything().await {
        for (name, value) in &item {
            let holds = matches!(value, AttributeValue::S(text) if text.contains(&paid) || text.contains(&open));
            assert!(!holds || name == "link_id", "{name} of {item:?}");
        }
    }
    let listed = stack.staff().get(&format!("/v1/payment-links?transactionId={COSTUMES}")).await.text;
    assert!(listed.contains(&paid) && listed.contains(&open), "staff see the links of a debit");
}

#[tokio::test]
async fn a_payer_who_polls_is_answered_every_time() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.debit_link(&link).await;
    let first = stack.process_link(&link, Some(&intent)).await;
    for poll in 0..30 {
        let answer = stack.process_link(&link, Some(&intent)).await;
        assert_eq!((answer.status, &answer.text), (200, &first.text), "poll {poll} of a bank debit");
    }
    stack.bank_says(&intent, "settle").await;
    for poll in 0..30 {
        let answer = stack.process_link(&link, Some(&intent)).await;
        assert_eq!(answer.status, 200, "poll {poll} of a paid link: {}", answer.text);
        assert_eq!(answer.json()["paymentLink"]["status"], "paid", "poll {poll}");
    }
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn the_eleventh_payment_that_is_started_in_an_hour_has_to_wait() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    stack.use_up_starts(&link).await;
    let intent = stack.debit_link(&link).await;
    let refused = stack.process_link(&link, Some(&intent)).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_attempts"), "{}", refused.text);
    let wait_s: i64 = refused.headers["retry-after"].parse().unwrap();
    assert!((1..=3600).contains(&wait_s), "{wait_s}");
    // The hour is over.
    stack.move_clock("2026-09-07T09:00:01Z").await;
    let answer = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn after_120_reads_in_an_hour_stripe_is_asked_nothing_about_a_link() {
    let stack = Stack::start().await;
    // No payer has authorised it, so the caller is a guesser.
    let guessed = stack.link(None).await;
    let intent = stack.intent_of_link(&guessed).await;
    let before = calls_of_stripe(&stack).await;
    for call in 0..120 {
        let refused = stack.process_link(&guessed, Some(&intent)).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "payment_not_authorised"), "call {call}");
    }
    assert_eq!(calls_of_stripe(&stack).await, before + 120);
    let unasked = stack.process_link(&guessed, Some(&intent)).await;
    assert_eq!((unasked.status, unasked.code().as_str()), (422, "payment_not_authorised"));
    assert_eq!(calls_of_stripe(&stack).await, before + 120);
    // The payer pays regardless: the event reports it, and the link is paid.
    stack.confirm(&intent).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    let before = calls_of_stripe(&stack).await;
    let paid = stack.process_link(&guessed, Some(&intent)).await;
    assert_eq!((paid.status, calls_of_stripe(&stack).await), (200, before), "{}", paid.text);
    let body = paid.json();
    assert_eq!(
        (&body["paymentLink"]["status"], &body["paymentIntent"]["status"]),
        (&json!("paid"), &json!("succeeded"))
    );
    assert_eq!(body["paymentIntent"]["amount"], classpay_tests::COSTUMES_TOTAL);
    assert_books_balance(&stack).await;
    // The hour is over, and the receipt has its charge again.
    stack.move_clock("2026-09-07T09:00:01Z").await;
    let receipt = stack.process_link(&guessed, Some(&intent)).await.json();
    assert_eq!(receipt["paymentIntent"]["charge"]["amountCaptured"], classpay_tests::COSTUMES_TOTAL);
}

#[tokio::test]
async fn a_bank_debit_that_is_polled_on_is_answered_from_what_is_known() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.debit_link(&link).await;
    let before = calls_of_stripe(&stack).await;
    for poll in 0..120 {
        assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200, "poll {poll}");
    }
    let after = calls_of_stripe(&stack).await;
    assert_eq!(after, before + 120);
    let answer = stack.process_link(&link, Some(&intent)).await;
    assert_eq!((answer.status, calls_of_stripe(&stack).await), (200, after), "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["paymentLink"]["status"], "processing");
    assert_eq!(body["paymentIntent"]["status"], "processing");
    assert_eq!(body["creditAggregateTransaction"]["details"][0]["details"]["type"], "payment-pending-card");
}
