//! The captured amount differs from the order's total, by a capture in Stripe's dashboard or an edited intent.
//!
//! The amount received is credited to the family, to the unit, and the rest can still be paid. An operator's command
//! ends what needs a decision.

use classpay_tests::studio::{ADA, BALLET, ballet_for_ada};
use classpay_tests::{COSTUMES, COSTUMES_DUE, COSTUMES_TOTAL, Call, OKAFOR, Stack, assert_books_balance};
use serde_json::json;

use super::orders;

/// The only order, and whether it is up for review.
async fn order_of(stack: &Stack) -> (String, String, bool) {
    let items = stack.table().everything().await;
    let text = |item: &classpay_tests::Item, name: &str| item.get(name).map(|v| v.as_s().unwrap().clone());
    let heads = items.iter().filter(|item| item.contains_key("order_state") && item.contains_key("intent"));
    let [head] = &heads.collect::<Vec<_>>()[..] else { panic!("one order") };
    (text(head, "order_id").unwrap(), text(head, "order_state").unwrap(), head.contains_key("needs_review"))
}

#[tokio::test]
async fn what_was_captured_of_a_link_is_credited_and_the_rest_can_be_paid() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    let before = stack.balance(OKAFOR).await;
    stack.capture_at_stripe(&intent, COSTUMES_TOTAL / 2).await;
    let paid = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    let credited = paid.json()["creditAggregateTransaction"]["stats"]["total"].as_i64().unwrap();
    assert!(credited < COSTUMES_TOTAL / 2, "the fee of what was received is in it");
    assert_eq!(paid.json()["paymentLink"]["status"], "open");
    assert_eq!(stack.due(COSTUMES).await, COSTUMES_DUE - credited);
    assert_eq!(stack.balance(OKAFOR).await, before - credited);
    let again = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(
        (again.status, &again.json()["creditAggregateTransaction"]),
        (200, &paid.json()["creditAggregateTransaction"])
    );

    let rest = stack.authorise_link(&link).await;
    assert_ne!(rest, intent);
    let paid = stack.process_link(&link, Some(&rest)).await;
    assert_eq!((paid.status, &paid.json()["paymentLink"]["status"]), (200, &json!("paid")), "{}", paid.text);
    assert_eq!((stack.due(COSTUMES).await, stack.balance(OKAFOR).await), (0, before - COSTUMES_DUE));
    assert_eq!(stack.link_status(&link).await, "paid");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_link_that_was_paid_in_part_can_be_revoked() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    stack.capture_at_stripe(&intent, COSTUMES_TOTAL / 2).await;
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    assert_eq!(stack.revoke_link(&link).await.status, 204);
    assert_eq!(stack.link_status(&link).await, "link_revoked");
    assert_books_balance(&stack).await;
}

/// A basket's order whose payment was captured in part while its own capture failed.
async fn captured_in_part(stack: &Stack) -> (String, i64) {
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    stack.order_fault(Call::Capture, 1000, &json!({"drop": "before"})).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 202);
    stack.withdraw_faults().await;
    let part = 1000;
    stack.capture_at_stripe(&intent, part).await;
    let again = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!(again.status, 202, "{}", again.text);
    let (order, state, needs_review) = order_of(stack).await;
    assert_eq!((state.as_str(), needs_review), ("PENDING", true));
    (order, part)
}

#[tokio::test]
async fn an_order_that_was_captured_in_part_is_kept_and_the_rest_is_due() {
    let stack = Stack::start().await;
    let before = stack.balance(OKAFOR).await;
    let (order, part) = captured_in_part(&stack).await;
    orders(&stack, &["settle", &order]).await.refused("A person decides: `resolve`");
    orders(&stack, &["void", &order]).await.refused("`resolve` ends it by what was received");
    assert!(orders(&stack, &["resolve", &order, "--keep"]).await.ok().out.contains("is completed"));
    assert_eq!(order_of(&stack).await, (order.clone(), "COMPLETED".to_owned(), false));
    let posted = stack.posted(OKAFOR).await;
    let total = |kind: &str| -> i64 {
        let of = posted.iter().filter(|entry| entry["transaction"]["type"] == kind);
        of.map(|entry| entry["stats"]["total"].as_i64().unwrap()).sum()
    };
    assert!(total("credit") <= part);
    assert_eq!(stack.balance(OKAFOR).await, before + total("debit") - total("credit"));
    assert_eq!(stack.place(OKAFOR, ADA, BALLET).await.unwrap()["place_state"].as_s().unwrap(), "ACTIVE");
    // The rest is owed on the order's debits, and a link accepts it.
    let debit = posted.iter().find(|entry| entry["transaction"]["type"] == "debit").unwrap();
    let debit = debit["aggregateId"].as_str().unwrap();
    assert_eq!(stack.due(debit).await, total("debit") - total("credit"));
    let made = stack.make_link(debit, None).await.json();
    let link = made["paymentLink"]["id"].as_str().unwrap();
    let rest = stack.authorise_link(link).await;
    assert_eq!(stack.process_link(link, Some(&rest)).await.status, 200);
    assert_eq!((stack.due(debit).await, stack.balance(OKAFOR).await), (0, before));
    orders(&stack, &["resolve", &order, "--release"]).await.refused("the order is completed");
}

#[tokio::test]
async fn an_order_that_was_captured_in_part_is_released_and_its_money_is_the_family_s() {
    let stack = Stack::start().await;
    let (before, seats) = (stack.balance(OKAFOR).await, stack.seats_left(BALLET).await);
    let (order, part) = captured_in_part(&stack).await;
    // Reviewing its record hides neither the order nor its age.
    orders(&stack, &["reviewed", stack.company(), &order]).await.ok();
    stack.move_clock("2026-09-07T09:00:00Z").await;
    assert!(stack.measure("OldestOrderS").await > 900);
    assert!(orders(&stack, &["resolve", &order, "--release"]).await.ok().out.contains("is the family's credit"));
    assert_eq!(order_of(&stack).await, (order.clone(), "CANCELLED".to_owned(), false));
    assert_eq!((stack.balance(OKAFOR).await, stack.seats_left(BALLET).await), (before - part, seats));
    assert_eq!(stack.measure("OldestOrderS").await, 0);
    // A later reversal is posted.
    let intent = stack.captured().await.remove(0).0;
    let refused = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "payment_already_captured"), "{}", refused.text);
    assert!(!refused.says_released(), "{}", refused.text);
    stack.refund(&intent, None).await;
    for event in stack.events("refund.created").await {
        stack.deliver(&event).await;
    }
    assert_eq!(stack.balance(OKAFOR).await, before);
}

#[tokio::test]
async fn an_order_in_another_currency_than_its_payment_is_neither_captured_nor_booked() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    stack.order_fault(Call::Capture, 1000, &json!({"drop": "before"})).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 202);
    stack.withdraw_faults().await;
    let (order, ..) = order_of(&stack).await;
    // No call of the API can cause this: the order's document says yen.
    let doc = format!("ORD#{order}");
    stack.table().rewrite((&doc, "DOC#1"), "\"currency\":\"gbp\"", "\"currency\":\"jpy\"").await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 202);
    assert_eq!(order_of(&stack).await, (order.clone(), "PENDING".to_owned(), true));
    assert_eq!(stack.captured().await, []);
    assert!(orders(&stack, &["void", &order]).await.ok().out.contains("is cancelled"));
    assert_eq!(stack.intent_status(&intent).await, "canceled");
}

#[tokio::test]
async fn an_order_on_an_account_that_is_lost_ends_by_what_the_studio_s_dashboard_says() {
    let stack = Stack::start().await;
    let (before, seats) = (stack.balance(OKAFOR).await, stack.seats_left(BALLET).await);
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    stack.order_fault(Call::Capture, 1000, &json!({"drop": "before"})).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 202);
    stack.withdraw_faults().await;
    let (order, ..) = order_of(&stack).await;
    stack.leave_account("acct_1another").await;
    let at_once = orders(&stack, &["resolve", &order, "--release", "--received", "700"]).await;
    at_once.refused("has not found its account lost");
    stack.move_clock("2026-09-08T09:30:00Z").await;
    stack.run_schedule().await;
    let done = orders(&stack, &["resolve", &order, "--release", "--received", "700"]).await.ok();
    assert!(done.out.contains("700 gbp is the family's credit"), "{}", done.out);
    assert_eq!((stack.balance(OKAFOR).await, stack.seats_left(BALLET).await), (before - 700, seats));
    assert_eq!(order_of(&stack).await, (order, "CANCELLED".to_owned(), false));
}
