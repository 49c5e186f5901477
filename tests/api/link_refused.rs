//! Links for which Stripe lastingly refuses a change or a read.
//!
//! Nobody is asked to try again where that can't help, and a payer who has paid gets that answer whatever Stripe says.

use classpay_tests::{Answer, COSTUMES, COSTUMES_DUE, Stack};
use serde_json::{Value, json};

fn assert_refused_for_good(answer: &Answer, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (502, code), "{}", answer.text);
    assert!(!answer.headers.contains_key("retry-after"), "{:?}", answer.headers);
}

#[tokio::test]
async fn a_link_that_stripe_does_not_cancel_is_refused_for_good_until_it_does() {
    for (refusal, code) in [
        (json!({"status": 400, "code": "parameter_unknown"}), "stripe_refused"),
        // A key that may read but not write.
        (json!({"status": 403}), "stripe_misconfigured"),
    ] {
        not_cancelled(&refusal, code).await;
    }
}

async fn not_cancelled(refusal: &Value, code: &str) {
    let stack = Stack::start().await;
    let link = stack.link(Some("2026-09-08 08:00:00")).await;
    let intent = stack.intent_of_link(&link).await;
    let cancel = ("POST", "/v1/payment_intents/{id}/cancel");
    stack.refuse_at_stripe(cancel, refusal).await;
    assert_refused_for_good(&stack.revoke_link(&link).await, code);
    stack.move_clock("2026-09-10T09:00:00Z").await;
    stack.run_schedule().await;
    assert_refused_for_good(&stack.open_link(&link).await, code);
    assert_refused_for_good(&stack.process_link(&link, None).await, code);
    assert!(stack.counted("StripeRefused") > 0);
    stack.withdraw_faults().await;
    assert_eq!(stack.revoke_link(&link).await.status, 204);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
}

#[tokio::test]
async fn a_link_that_was_paid_says_so_when_stripe_says_nothing_any_more() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    let paid = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    stack.at_stripe(&format!("accounts/{}/disconnect", stack.account()), &json!({})).await;
    stack.move_clock("2026-09-17T09:00:00Z").await;
    let again = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(again.status, 200, "{}", again.text);
    let told = |answer: &Answer, what: &str| answer.json()[what].clone();
    assert_eq!(told(&again, "creditAggregateTransaction"), told(&paid, "creditAggregateTransaction"));
    let receipt = stack.open_link(&link).await;
    assert_eq!(receipt.status, 200, "{}", receipt.text);
    assert_eq!(receipt.json()["paymentLink"]["status"], "paid");
    assert_eq!(receipt.json()["total"], told(&paid, "paymentIntent")["amount"]);
    for answer in [&again.json()["paymentIntent"], &receipt.json()["paymentSession"]["paymentIntent"]] {
        let known = (&answer["id"], &answer["status"], &answer["clientSecret"], &answer["charge"]);
        assert_eq!(known, (&json!(intent), &json!("succeeded"), &json!(""), &Value::Null));
    }
}

#[tokio::test]
async fn a_bank_debit_under_way_stays_so_when_stripe_says_nothing_any_more() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.debit_link(&link).await;
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    stack.at_stripe(&format!("accounts/{}/disconnect", stack.account()), &json!({})).await;
    let again = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert_eq!(again.json()["paymentLink"]["status"], "processing");
    assert!(again.text.contains("payment-pending-card"), "{}", again.text);
}

#[tokio::test]
async fn a_payment_that_the_table_refuses_for_good_is_released_and_the_link_is_paid_anew() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    let fault = json!({"match": {"operation": "TransactWriteItems", "function": "process-payment-link"},
        "do": {"cancel": [{"at": 0, "code": "ValidationError"}]}});
    assert_eq!(stack.dynamodb().post("/_control/faults", &fault).await.status, 200);
    for _ in 0..2 {
        let refused = stack.process_link(&link, Some(&intent)).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "payment_cancelled"), "{}", refused.text);
        assert!(refused.says_released(), "{}", refused.text);
    }
    assert_eq!((stack.intent_status(&intent).await.as_str(), stack.due(COSTUMES).await), ("canceled", COSTUMES_DUE));
    let next = stack.authorise_link(&link).await;
    assert_ne!(next, intent);
    assert_eq!(stack.process_link(&link, Some(&next)).await.status, 200);
    assert_eq!(stack.due(COSTUMES).await, 0);
}
