//! Money that was held or received without an order: it is listed, and each case has the command that ends it.

use classpay_tests::studio::{NGUYEN, OKAFOR, ballet_for_ada};
use classpay_tests::{COSTUMES, COSTUMES_DUE, Call, Stack};
use serde_json::json;

use super::{assert_nothing_is_listed, listed, orders, record, reviewed, run_at};

/// The table lastingly refuses postings to a ledger.
async fn the_ledger_is_refused(stack: &Stack) {
    let fault = json!({"match": {"operation": "TransactWriteItems", "says": "#LEDGER"}, "count": 100_000,
        "do": {"cancel": [{"at": 0, "code": "ValidationError"}]}});
    let ordered = stack.dynamodb().post("/_control/faults", &fault).await;
    assert_eq!(ordered.status, 200, "{}", ordered.text);
}

/// A payment that the studio captures before it is booked, and whose credit the table refuses. Returns the order that
/// it would have paid, and its intent.
async fn uncredited(stack: &Stack) -> (String, String) {
    let intent = stack.authorise_amount(OKAFOR, 7_000).await;
    stack.capture_by_hand(&intent).await;
    the_ledger_is_refused(stack).await;
    run_at(stack, "2026-09-07T08:06:00Z").await;
    (record(stack, "credit_unpostable").await, intent)
}

#[tokio::test]
async fn credit_unpostable_ends_with_settle_once_the_fault_is_mended() {
    let stack = Stack::start().await;
    let before = stack.balance(OKAFOR).await;
    let (order, _) = uncredited(&stack).await;
    orders(&stack, &["reviewed", stack.company(), &order]).await.ok();
    run_at(&stack, "2026-09-09T08:06:00Z").await;
    let list = listed(&stack).await;
    let unfinished = &list["unfinished"][0];
    assert_eq!(unfinished["order"], order, "looking at it doesn't end it: {list}");
    assert_eq!((&unfinished["state"], &unfinished["amount"]), (&json!("received without an order"), &json!(7_000)));
    assert_eq!(stack.measure("ReceivedWithoutOrder").await, 1);
    assert!(stack.measure("OldestOrderS").await > 900, "it is an alarm");
    stack.withdraw_faults().await;
    orders(&stack, &["settle", &order]).await.ok();
    assert_eq!(stack.balance(OKAFOR).await, before - 7_000);
    assert_eq!(record(&stack, "payment_credited").await, order);
    reviewed(&stack, &order).await;
    assert_eq!((stack.measure("ReceivedWithoutOrder").await, stack.measure("OldestOrderS").await), (0, 0));
}

#[tokio::test]
async fn credit_unpostable_ends_with_a_refund_where_nothing_can_be_mended() {
    let stack = Stack::start().await;
    let before = stack.balance(OKAFOR).await;
    let family = format!("C#{}#F#{OKAFOR}", stack.company());
    let intent = stack.authorise_amount(OKAFOR, 7_000).await;
    stack.capture_by_hand(&intent).await;
    stack.table().rewrite((&family, "META"), "\"name\"", "\"gone\"").await;
    run_at(&stack, "2026-09-07T08:06:00Z").await;
    let order = record(&stack, "credit_unpostable").await;
    stack.refund(&intent, None).await;
    orders(&stack, &["settle", &order]).await.ok();
    assert_eq!(stack.measure("ReceivedWithoutOrder").await, 0);
    reviewed(&stack, &order).await;
    // Later events about the refund give nothing to post.
    stack.table().rewrite((&family, "META"), "\"gone\"", "\"name\"").await;
    for event in stack.events("refund.created").await {
        stack.deliver(&event).await;
    }
    assert_eq!(stack.balance(OKAFOR).await, before);
}

/// A payment that the studio captures before it is booked, for a family whose document can't be read.
async fn unreadable(stack: &Stack) -> (String, String) {
    let intent = stack.authorise_amount(OKAFOR, 7_000).await;
    stack.capture_by_hand(&intent).await;
    let family = format!("C#{}#F#{OKAFOR}", stack.company());
    stack.table().rewrite((&family, "META"), "\"name\"", "\"gone\"").await;
    run_at(stack, "2026-09-07T08:06:00Z").await;
    (record(stack, "credit_unpostable").await, intent)
}

#[tokio::test]
async fn credit_unpostable_is_not_over_while_its_refund_may_fail() {
    let stack = Stack::start().await;
    let (order, intent) = unreadable(&stack).await;
    let refund = stack.at_stripe(&format!("payment_intents/{intent}/refund"), &json!({"pending": true})).await;
    orders(&stack, &["settle", &order]).await.refused("received");
    assert_eq!(stack.measure("ReceivedWithoutOrder").await, 1);
    stack.at_stripe(&format!("refunds/{}/succeed", refund["id"].as_str().unwrap()), &json!({})).await;
    orders(&stack, &["settle", &order]).await.ok();
    assert_eq!(stack.measure("ReceivedWithoutOrder").await, 0);
}

#[tokio::test]
async fn credit_unpostable_ends_when_a_person_has_dealt_with_it_elsewhere() {
    let stack = Stack::start().await;
    let before = stack.balance(OKAFOR).await;
    let (order, intent) = unreadable(&stack).await;
    // A part was refunded, and the office has recorded the rest in its own tools.
    stack.refund(&intent, Some(2_000)).await;
    orders(&stack, &["settle", &order]).await.refused("received");
    orders(&stack, &["resolve", &order, "--release"]).await.refused("settle it");
    orders(&stack, &["resolve", &order, "--release", "--received", "1"]).await.refused("settle it");
    orders(&stack, &["resolve", &order, "--release", "--received", "0"]).await.ok();
    assert_nothing_is_listed(&stack).await;
    assert_eq!((stack.measure("ReceivedWithoutOrder").await, stack.measure("OldestOrderS").await), (0, 0));
    assert_eq!(stack.balance(OKAFOR).await, before);
    // Its difference is shown, but it is no longer a task.
    let compared = orders(&stack, &["reconcile", "--date", "2026-09-07"]).await.ok().out;
    assert!(compared.contains("difference 5000 gbp") && compared.contains("dealt with elsewhere"), "{compared}");
}

#[tokio::test]
async fn refund_failed_ends_once_a_person_has_dealt_with_what_came_back() {
    let stack = Stack::start().await;
    let (order, intent) = unreadable(&stack).await;
    let refund = stack.refund(&intent, None).await;
    orders(&stack, &["settle", &order]).await.ok();
    reviewed(&stack, &order).await;
    stack.at_stripe(&format!("refunds/{refund}/fail"), &json!({"reason": "declined"})).await;
    for event in stack.events("refund.failed").await {
        stack.deliver(&event).await;
    }
    assert_eq!(record(&stack, "refund_failed").await, refund);
    reviewed(&stack, &refund).await;
}

#[tokio::test]
async fn a_dispute_of_what_was_dealt_with_elsewhere_is_told() {
    let stack = Stack::start().await;
    let (order, _) = unreadable(&stack).await;
    orders(&stack, &["resolve", &order, "--release", "--received", "0"]).await.ok();
    assert_nothing_is_listed(&stack).await;
    let charge = stack.stripe().charges().await.remove(0)["charge"].as_str().unwrap().to_owned();
    let dispute = stack.at_stripe(&format!("charges/{charge}/dispute"), &json!({})).await;
    for event in stack.events("charge.dispute.funds_withdrawn").await {
        stack.deliver(&event).await;
    }
    assert_eq!(record(&stack, "dispute_not_shown").await, dispute["id"]);
}

#[tokio::test]
async fn what_can_t_be_read_is_listed_beside_what_can() {
    let stack = Stack::start().await;
    let mut intents = Vec::new();
    stack.order_fault(Call::Cancel, 1000, &json!({"status": 429})).await;
    for family in [OKAFOR, NGUYEN] {
        intents.push(stack.authorise_amount(family, 7_000).await);
    }
    run_at(&stack, "2026-09-07T09:10:00Z").await;
    let session = format!("PI#{}#{}", stack.account(), intents[0]);
    stack.table().rewrite((&session, "SESSION"), "kind", "sort").await;
    let list = listed(&stack).await;
    let count = |what: &str| list[what].as_array().unwrap().len();
    assert_eq!((count("unfinished"), count("unreadable")), (1, 1), "{list}");
}

#[tokio::test]
async fn a_basket_that_is_settled_by_hand_and_stays_pending_is_a_failure() {
    let stack = Stack::start().await;
    stack.authorise(OKAFOR, &ballet_for_ada()).await;
    // The stack's own settlement job may try it at any minute, and gets no further either.
    stack.order_fault(Call::Capture, 1000, &json!({"drop": "before"})).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    stack.move_clock("2026-09-07T08:30:00Z").await;
    let order = listed(&stack).await["unfinished"][0]["order"].as_str().unwrap().to_owned();
    orders(&stack, &["settle", &order]).await.refused("is still pending");
    stack.withdraw_faults().await;
    orders(&stack, &["settle", &order]).await.ok();
    assert_nothing_is_listed(&stack).await;
}

#[tokio::test]
async fn what_is_received_for_a_family_that_cant_be_read_is_told_of_a_session_and_of_a_link() {
    let stack = Stack::start().await;
    let family = format!("C#{}#F#{OKAFOR}", stack.company());
    let before = stack.balance(OKAFOR).await;
    let of_session = stack.authorise_amount(OKAFOR, 7_000).await;
    let link = stack.link(None).await;
    let of_link = stack.authorise_link(&link).await;
    for intent in [&of_session, &of_link] {
        stack.capture_by_hand(intent).await;
    }
    stack.table().rewrite((&family, "META"), "\"name\"", "\"gone\"").await;
    run_at(&stack, "2026-09-07T08:06:00Z").await;
    let list = listed(&stack).await;
    let reviews = list["reviews"].as_array().unwrap();
    let reasons: Vec<_> = reviews.iter().map(|review| &review["reason"]).collect();
    assert_eq!(reasons, ["credit_unpostable", "credit_unpostable"], "{list}");
    assert_eq!(stack.measure("ReceivedWithoutOrder").await, 2);
    stack.table().rewrite((&family, "META"), "\"gone\"", "\"name\"").await;
    for review in reviews {
        orders(&stack, &["settle", review["record"].as_str().unwrap()]).await.ok();
    }
    assert_eq!((stack.due(COSTUMES).await, stack.measure("ReceivedWithoutOrder").await), (0, 0));
    assert_eq!(stack.balance(OKAFOR).await, before - 7_000 - COSTUMES_DUE);
}

#[tokio::test]
async fn a_rejection_that_is_captured_and_cant_be_credited_is_told() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(NGUYEN, 7_000).await;
    stack.order_fault(Call::Cancel, 1000, &json!({"status": 429})).await;
    run_at(&stack, "2026-09-07T09:10:00Z").await;
    stack.withdraw_faults().await;
    stack.capture_by_hand(&intent).await;
    the_ledger_is_refused(&stack).await;
    run_at(&stack, "2026-09-07T09:30:00Z").await;
    let order = record(&stack, "credit_unpostable").await;
    assert_eq!(listed(&stack).await["unfinished"][0]["order"], order);
    stack.withdraw_faults().await;
    orders(&stack, &["settle", &order]).await.ok();
    assert_eq!(record(&stack, "payment_credited").await, order);
    reviewed(&stack, &order).await;
}

#[tokio::test]
async fn what_is_held_without_an_order_is_listed_and_can_be_voided() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(OKAFOR, 7_000).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    assert_nothing_is_listed(&stack).await;
    stack.move_clock("2026-09-07T08:30:00Z").await;
    let list = listed(&stack).await;
    assert_eq!(list["unfinished"][0]["state"], "held without an order", "{list}");
    let order = list["unfinished"][0]["order"].as_str().unwrap().to_owned();
    orders(&stack, &["settle", &order]).await.refused("its intent is requires_capture");
    orders(&stack, &["void", &order]).await.ok();
    assert_eq!((stack.intent_status(&intent).await.as_str(), stack.captured().await), ("canceled", vec![]));
    assert_nothing_is_listed(&stack).await;
}

#[tokio::test]
async fn a_table_that_refuses_all_that_the_schedule_writes_makes_its_runs_fail() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(OKAFOR, 7_000).await;
    stack.capture_by_hand(&intent).await;
    let fault = json!({"match": {"operation": "TransactWriteItems", "function": "settle-payments"},
        "count": 100_000, "do": {"cancel": [{"at": 0, "code": "ValidationError"}]}});
    stack.dynamodb().post("/_control/faults", &fault).await;
    stack.move_clock("2026-09-07T08:06:00Z").await;
    let run = stack.caller(None).post("/_local/run/settle-payments", &json!({})).await;
    assert!(run.status >= 500, "{}", run.text);
    assert!(stack.logged().contains("\"Failures\":1"), "{}", stack.logged());
}
