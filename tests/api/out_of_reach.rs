//! An intent that our calls can't reach: on an account that the studio has left, or that Stripe no longer knows.
//!
//! Its link can be revoked, expires or opens again, and the intent is put up for review. An intent that Stripe may
//! still report on is never dropped.

use classpay_tests::studio::{COMPANY, OKAFOR, ballet_for_ada};
use classpay_tests::{COSTUMES, COSTUMES_DUE, Call, Callee, Stack};
use serde_json::{Value, json};

/// An account other than the demo studio's.
const ANOTHER: &str = "acct_1another";

/// The intent that a link shows.
async fn opened(stack: &Stack, link: &str) -> String {
    let answer = stack.open_link(link).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["paymentSession"]["paymentIntent"]["id"].as_str().unwrap().to_owned()
}

/// From now on every call about this intent is refused like this.
async fn refuse_calls_about(stack: &Stack, intent: &str, why: &Value) {
    let fault = json!({"match": {"path": intent}, "count": 1000, "do": {"refuse": why}});
    assert_eq!(stack.stripe().post("/_control/faults", &fault).await.status, 200);
}

async fn reviews(stack: &Stack) -> usize {
    stack.table().partition(&format!("REVIEW#{COMPANY}"), "").await.len()
}

/// A link opened on an account that the studio has left and disconnected. Returns the link and its intent.
async fn opened_and_left() -> (Stack, String, String) {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.intent_of_link(&link).await;
    let here = stack.account().to_owned();
    stack.connect(ANOTHER, &here).await;
    refuse_calls_about(&stack, &intent, &json!({"status": 403, "code": "account_invalid"})).await;
    (stack, link, intent)
}

/// The number of records that say that an intent was dropped. There may also be one about the account, if its sessions
/// are handled first.
async fn let_go(stack: &Stack) -> usize {
    let reviews = stack.table().partition(&format!("REVIEW#{COMPANY}"), "").await;
    reviews.iter().filter(|review| review["reason"].as_s().is_ok_and(|reason| reason == "intent_let_go")).count()
}

#[tokio::test]
async fn a_link_of_a_left_account_is_opened_anew_or_revoked() {
    for why in [
        json!({"status": 403, "code": "account_invalid"}),
        json!({"status": 404, "code": "resource_missing"}),
        json!({"status": 400, "code": "account_closed"}),
        json!({"status": 404}),
    ] {
        let stack = Stack::start().await;
        let (reopened, revoked) = (stack.link(None).await, stack.link(None).await);
        let intents = [stack.intent_of_link(&reopened).await, stack.intent_of_link(&revoked).await];
        let here = stack.account().to_owned();
        stack.connect(ANOTHER, &here).await;
        for intent in &intents {
            refuse_calls_about(&stack, intent, &why).await;
        }
        let before = reviews(&stack).await;
        assert_ne!(opened(&stack, &reopened).await, intents[0], "{why}");
        assert_eq!(stack.revoke_link(&revoked).await.status, 204, "{why}");
        assert_eq!(stack.link_status(&revoked).await, "link_revoked");
        assert_eq!(reviews(&stack).await, before + 2, "a person looks at each");
    }
}

#[tokio::test]
async fn a_link_of_a_left_account_that_answers_is_cancelled_there_first() {
    let stack = Stack::start().await;
    let (reopened, revoked) = (stack.link(None).await, stack.link(None).await);
    let intents = [stack.intent_of_link(&reopened).await, stack.intent_of_link(&revoked).await];
    let here = stack.account().to_owned();
    stack.connect(ANOTHER, &here).await;
    opened(&stack, &reopened).await;
    assert_eq!(stack.revoke_link(&revoked).await.status, 204);
    for intent in &intents {
        assert_eq!(stack.intent_status(intent).await, "canceled");
    }
    assert_eq!(reviews(&stack).await, 0);
}

#[tokio::test]
async fn a_link_of_the_account_that_the_studio_names_is_not_let_go() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.intent_of_link(&link).await;
    refuse_calls_about(&stack, &intent, &json!({"status": 403, "code": "account_invalid"})).await;
    assert_eq!(stack.open_link(&link).await.code(), "stripe_misconfigured");
    assert_eq!(stack.revoke_link(&link).await.code(), "stripe_misconfigured");
    stack.withdraw_faults().await;
    assert_eq!(stack.intent_of_link(&link).await, intent);
    // Nor is an intent of a left account, while only our key is refused.
    let here = stack.account().to_owned();
    stack.connect(ANOTHER, &here).await;
    refuse_calls_about(&stack, &intent, &json!({"status": 401})).await;
    assert_eq!(stack.revoke_link(&link).await.code(), "stripe_misconfigured");
    stack.withdraw_faults().await;
    assert_eq!(stack.revoke_link(&link).await.status, 204);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
}

/// The account is closed to us, or only to this call: a key that may read but not write.
#[tokio::test]
async fn a_link_of_a_left_account_that_refuses_to_cancel_is_opened_anew_or_revoked() {
    for refusal in [json!({"status": 400, "code": "account_closed"}), json!({"status": 403})] {
        left_and_not_cancelled(&refusal).await;
    }
}

async fn left_and_not_cancelled(refusal: &Value) {
    let stack = Stack::start().await;
    let (reopened, revoked) = (stack.link(None).await, stack.link(None).await);
    let intents = [stack.intent_of_link(&reopened).await, stack.intent_of_link(&revoked).await];
    let here = stack.account().to_owned();
    stack.connect(ANOTHER, &here).await;
    stack.refuse_at_stripe(("POST", "/v1/payment_intents/{id}/cancel"), refusal).await;
    assert_ne!(opened(&stack, &reopened).await, intents[0]);
    assert_eq!(stack.revoke_link(&revoked).await.status, 204);
    assert_eq!(reviews(&stack).await, 2, "a person looks at each");
    // Its payer still had the form; the payment is refunded once that is possible.
    stack.confirm(&intents[1]).await;
    stack.withdraw_faults().await;
    stack.move_clock("2026-09-07T12:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(stack.intent_status(&intents[1]).await, "canceled");
    assert_eq!((stack.captured().await.len(), stack.due(COSTUMES).await), (0, COSTUMES_DUE));
}

#[tokio::test]
async fn a_link_whose_intent_stripe_doesn_t_know_is_opened_anew_revoked_or_expires() {
    let stack = Stack::start().await;
    let (reopened, revoked) = (stack.link(None).await, stack.link(None).await);
    let over = stack.link(Some("2026-09-08 08:00:00")).await;
    let mut intents = Vec::new();
    for link in [&reopened, &revoked, &over] {
        let intent = stack.intent_of_link(link).await;
        refuse_calls_about(&stack, &intent, &json!({"status": 404, "code": "resource_missing"})).await;
        intents.push(intent);
    }
    let refused = stack.process_link(&reopened, Some(&intents[0])).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "payment_intent_mismatch"), "{}", refused.text);
    assert_ne!(opened(&stack, &reopened).await, intents[0]);
    assert_eq!(stack.revoke_link(&revoked).await.status, 204);
    stack.move_clock("2026-09-08T09:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(stack.link_status(&over).await, "link_expired");
    assert_eq!(let_go(&stack).await, 3, "a person looks at each");
    let intent = stack.authorise_link(&reopened).await;
    assert_eq!(stack.process_link(&reopened, Some(&intent)).await.status, 200);
    assert_eq!(stack.due(COSTUMES).await, 0);
}

#[tokio::test]
async fn a_held_session_whose_intent_stripe_doesn_t_know_any_more_is_put_before_a_person_after_a_day() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(OKAFOR, 4_500).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    refuse_calls_about(&stack, &intent, &json!({"status": 404, "code": "resource_missing"})).await;
    stack.move_clock("2026-09-07T20:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!((stack.measure("HoldsWithoutOrder").await, reviews(&stack).await), (1, 0), "it may be back");
    stack.move_clock("2026-09-08T21:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!((stack.measure("HoldsWithoutOrder").await, reviews(&stack).await), (0, 1), "a person looks");
    // It stays in the index, and is voided once Stripe answers again.
    stack.withdraw_faults().await;
    stack.move_clock("2026-09-09T11:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(stack.intent_status(&intent).await, "canceled");
}

#[tokio::test]
async fn a_link_that_stripe_refused_to_tell_of_before_it_was_paid_is_not_ended_for_a_day() {
    let stack = Stack::start().await;
    let link = stack.link(Some("2026-09-07 09:00:00")).await;
    let intent = stack.authorise_link(&link).await;
    let read = ("GET", "/v1/payment_intents/{id}");
    stack.refuse_at_stripe(read, &json!({"status": 400, "code": "x"})).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    stack.move_clock("2026-09-07T09:30:00Z").await;
    stack.run_schedule().await;
    stack.withdraw_faults().await;
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");
    stack.move_clock("2026-09-07T11:30:00Z").await;
    stack.run_schedule().await;
    assert_eq!((stack.intent_status(&intent).await.as_str(), stack.due(COSTUMES).await), ("succeeded", 0));
}

#[tokio::test]
async fn a_link_that_was_paid_in_time_is_not_ended_while_stripe_refuses_to_tell_of_it() {
    let stack = Stack::start().await;
    let link = stack.link(Some("2026-09-07 09:00:00")).await;
    let intent = stack.authorise_link(&link).await;
    // The event is recorded, and the table refuses to place an order.
    let fault = json!({"match": {"operation": "TransactWriteItems", "says": "ORD#"}, "count": 1000,
        "do": {"cancel": [{"at": 0, "code": "ThrottlingError"}]}});
    assert_eq!(stack.dynamodb().post("/_control/faults", &fault).await.status, 200);
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    let read = ("GET", "/v1/payment_intents/{id}");
    stack.move_clock("2026-09-07T09:30:00Z").await;
    stack.refuse_at_stripe(read, &json!({"status": 400, "code": "x"})).await;
    stack.run_schedule().await;
    stack.withdraw_faults().await;
    stack.withdraw_faults_at(Callee::DynamoDb).await;
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");
    stack.move_clock("2026-09-07T11:30:00Z").await;
    stack.run_schedule().await;
    assert_eq!((stack.intent_status(&intent).await.as_str(), stack.due(COSTUMES).await), ("succeeded", 0));
}

#[tokio::test]
async fn a_card_that_is_held_for_a_link_without_an_end_is_released_though_stripe_refuses_to_tell_of_it() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    let read = ("GET", "/v1/payment_intents/{id}");
    stack.refuse_at_stripe(read, &json!({"status": 400, "code": "x"})).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    stack.move_clock("2026-09-07T20:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(stack.measure("HoldsWithoutOrder").await, 1);
    stack.move_clock("2026-09-08T10:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(stack.measure("HoldsWithoutOrder").await, 0);
    stack.withdraw_faults().await;
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    // It is paid with another card.
    assert_ne!(opened(&stack, &link).await, intent);
    let again = stack.authorise_link(&link).await;
    assert_eq!(stack.process_link(&link, Some(&again)).await.status, 200);
    assert_eq!(stack.due(COSTUMES).await, 0);
}

#[tokio::test]
async fn what_events_have_told_of_sessions_that_an_account_doesn_t_tell_of_any_more_is_measured() {
    let stack = Stack::start().await;
    let held = stack.authorise_amount(OKAFOR, 4_500).await;
    let paid = stack.authorise_amount(OKAFOR, 5_000).await;
    stack.capture_by_hand(&paid).await;
    stack.refuse_at_stripe(("GET", "/v1/payment_intents/{id}"), &json!({"status": 403})).await;
    for intent in [&held, &paid] {
        stack.deliver(&stack.event_of(intent, "payment_intent.amount_capturable_updated").await).await;
    }
    stack.deliver(&stack.event_of(&paid, "payment_intent.succeeded").await).await;
    stack.move_clock("2026-09-07T09:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!((stack.measure("HoldsWithoutOrder").await, stack.measure("ReceivedWithoutOrder").await), (1, 1));
    stack.move_clock("2026-09-08T12:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(reviews(&stack).await, 2, "a person looks at each");
    // Both stay in the index.
    stack.withdraw_faults().await;
    stack.move_clock("2026-09-09T14:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(stack.intent_status(&held).await, "canceled");
    assert_eq!((stack.measure("HoldsWithoutOrder").await, stack.measure("ReceivedWithoutOrder").await), (0, 0));
}

#[tokio::test]
async fn the_schedule_ends_a_link_of_a_left_account() {
    let stack = Stack::start().await;
    let link = stack.link(Some("2026-09-08 08:00:00")).await;
    let intent = stack.intent_of_link(&link).await;
    let here = stack.account().to_owned();
    stack.connect(ANOTHER, &here).await;
    stack.move_clock("2026-09-08T09:00:00Z").await;
    refuse_calls_about(&stack, &intent, &json!({"status": 403, "code": "account_invalid"})).await;
    stack.run_schedule().await;
    assert_eq!(stack.link_status(&link).await, "link_expired");
    assert_eq!((let_go(&stack).await, stack.due(COSTUMES).await), (1, COSTUMES_DUE));
}

#[tokio::test]
async fn a_link_of_a_left_account_that_is_paid_through_is_opened_anew_first() {
    let (stack, link, intent) = opened_and_left().await;
    let refused = stack.process_link(&link, Some(&intent)).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "payment_intent_mismatch"), "{}", refused.text);
    assert_ne!(opened(&stack, &link).await, intent);
}

#[tokio::test]
async fn what_was_dropped_with_an_account_is_released_once_that_is_back() {
    let (stack, link, intent) = opened_and_left().await;
    opened(&stack, &link).await;
    stack.withdraw_faults().await;
    // The payer still had the first form.
    stack.confirm(&intent).await;
    stack.move_clock("2026-09-07T12:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_eq!((stack.captured().await.len(), stack.due(COSTUMES).await), (0, COSTUMES_DUE));
}

#[tokio::test]
async fn an_order_whose_account_is_lost_is_put_before_a_person_after_a_day() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let why = json!({"status": 403, "code": "account_invalid"});
    stack.order_fault(Call::Capture, 1000, &json!({"drop": "before"})).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 202);
    refuse_calls_about(&stack, &intent, &why).await;
    let here = stack.account().to_owned();
    stack.connect(ANOTHER, &here).await;
    stack.move_clock("2026-09-07T20:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(reviews(&stack).await, 0);
    stack.move_clock("2026-09-08T20:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(reviews(&stack).await, 1, "a person looks");
    stack.move_clock("2026-09-08T22:00:00Z").await;
    stack.run_schedule().await;
    assert_eq!(reviews(&stack).await, 1);
}
