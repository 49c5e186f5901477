//! Every reason for review, from its cause to the command that ends it. Those of an account that is out of reach are in
//! `lost_accounts.rs`, those of money without an order in `unbooked.rs`.
//!
//! Invariant: the runbook names exactly these reasons, and each has its test.

use std::collections::BTreeSet;

use classpay_service::store::ReviewReason;
use classpay_tests::studio::{BALLET, OKAFOR, ballet_for_ada};
use classpay_tests::{COSTUMES, COSTUMES_DUE, Call, Stack};
use serde_json::json;

use super::{
    A_DAY_AFTER_THAT, A_DAY_LATER, ANOTHER, assert_nothing_is_listed, bought, dashboard, listed, lost_for_a_day,
    orders, pending, pending_link, record, reviewed, run_at,
};

/// The table lastingly refuses a checkout's write: the first one, or one after the given number.
async fn the_table_refuses(stack: &Stack, after: u32) {
    let fault = json!({"match": {"operation": "TransactWriteItems", "function": "basket-checkout"}, "after": after,
        "do": {"cancel": [{"at": 0, "code": "ValidationError"}]}});
    let ordered = stack.dynamodb().post("/_control/faults", &fault).await;
    assert_eq!(ordered.status, 200, "{}", ordered.text);
}

async fn assert_nothing_is_reviewed(stack: &Stack) {
    assert_eq!(listed(stack).await["reviews"], json!([]));
}

#[test]
fn the_runbook_names_every_reason_and_no_other() {
    let runbook = include_str!("../../../infra/README.md");
    let (_, table) = runbook.split_once("| reason | what has happened | what ends it |").expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let named: BTreeSet<_> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    assert_eq!(named, BTreeSet::from(ReviewReason::NAMES));
}

#[test]
fn every_reason_has_its_scenario() {
    let scenarios =
        [include_str!("reasons.rs"), include_str!("lost_accounts.rs"), include_str!("unbooked.rs")].concat();
    for reason in ReviewReason::NAMES {
        assert!(scenarios.contains(&format!("record(&stack, \"{reason}\")")), "no scenario ends {reason}");
    }
}

#[tokio::test]
async fn payment_differs_ends_with_resolve() {
    let stack = Stack::start().await;
    let (order, intent) = pending(&stack).await;
    stack.capture_at_stripe(&intent, 1000).await;
    run_at(&stack, "2026-09-07T08:06:00Z").await;
    assert_eq!(record(&stack, "payment_differs").await, order);
    let (before, seats) = (stack.balance(OKAFOR).await, stack.seats_left(BALLET).await);
    orders(&stack, &["resolve", &order, "--keep"]).await.ok();
    let debited: i64 = stack.posted(OKAFOR).await.iter().map(|entry| entry["stats"]["total"].as_i64().unwrap()).sum();
    assert!(debited > 1000, "debits and a credit");
    assert_eq!(stack.seats_left(BALLET).await, seats, "the place stays taken");
    assert!(stack.balance(OKAFOR).await > before, "the rest is due");
    assert_nothing_is_listed(&stack).await;
}

#[tokio::test]
async fn authorisation_gone_ends_with_void() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.debit_link(&link).await;
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    let list = listed(&stack).await;
    let order = list["unfinished"][0]["order"].as_str().unwrap().to_owned();
    // No call of the API can cause this: a card's authorisation that is gone without having been captured.
    let doc = format!("ORD#{order}");
    stack.table().rewrite((&doc, "DOC#1"), ",\"paidBy\":\"bank-debit\"", "").await;
    stack.bank_says(&intent, "fail").await;
    run_at(&stack, "2026-09-07T08:06:00Z").await;
    assert_eq!(record(&stack, "authorisation_gone").await, order);
    orders(&stack, &["settle", &order]).await.refused("A person decides");
    orders(&stack, &["void", &order]).await.ok();
    assert_eq!(stack.due(COSTUMES).await, COSTUMES_DUE);
    reviewed(&stack, &order).await;
}

#[tokio::test]
async fn order_unpostable_ends_with_resolve() {
    let stack = Stack::start().await;
    let (before, seats) = (stack.balance(OKAFOR).await, stack.seats_left(BALLET).await);
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    the_table_refuses(&stack, 1).await;
    let answer = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(stack.intent_status(&intent).await, "succeeded");
    let order = record(&stack, "order_unpostable").await;
    orders(&stack, &["void", &order]).await.refused("its payment is captured");
    orders(&stack, &["resolve", &order, "--keep"]).await.refused("settle it");
    orders(&stack, &["resolve", &order, "--release"]).await.ok();
    let (_, taken) = stack.captured().await.remove(0);
    assert_eq!((stack.balance(OKAFOR).await, stack.seats_left(BALLET).await), (before - taken, seats));
    assert_nothing_is_listed(&stack).await;
}

#[tokio::test]
async fn order_unpostable_ends_with_settle_once_the_fault_is_mended() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    the_table_refuses(&stack, 1).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 202);
    let order = record(&stack, "order_unpostable").await;
    orders(&stack, &["settle", &order]).await.ok();
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 200);
    reviewed(&stack, &order).await;
}

#[tokio::test]
async fn order_unreleasable_ends_with_settle_once_the_fault_is_mended() {
    let stack = Stack::start().await;
    let seats = stack.seats_left(BALLET).await;
    let (order, intent) = pending(&stack).await;
    dashboard(&stack, &format!("/v1/payment_intents/{intent}/cancel"), "").await;
    the_table_refuses(&stack, 0).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 202);
    assert_eq!(record(&stack, "order_unreleasable").await, order);
    orders(&stack, &["resolve", &order, "--release"]).await.refused("not succeeded");
    orders(&stack, &["settle", &order]).await.ok();
    assert_eq!((stack.seats_left(BALLET).await, stack.captured().await), (seats, vec![]));
    reviewed(&stack, &order).await;
}

#[tokio::test]
async fn what_a_person_has_looked_at_is_listed_anew_for_another_reason() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    the_table_refuses(&stack, 0).await;
    stack.order_fault(Call::Cancel, 1000, &json!({"status": 429})).await;
    let answer = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let order = record(&stack, "order_unwritable").await;
    orders(&stack, &["reviewed", stack.company(), &order]).await.ok();
    stack.withdraw_faults().await;
    stack.leave_account(ANOTHER).await;
    run_at(&stack, A_DAY_LATER).await;
    assert_eq!(record(&stack, "intent_lost").await, order);
    orders(&stack, &["resolve", &order, "--release", "--received", "0"]).await.ok();
    assert_nothing_is_listed(&stack).await;
}

#[tokio::test]
async fn payment_unbooked_ends_with_the_schedule_s_credit_and_that_with_a_refund() {
    let stack = Stack::start().await;
    let before = stack.balance(OKAFOR).await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    stack.capture_by_hand(&intent).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.code(), "payment_already_captured");
    let unbooked = record(&stack, "payment_unbooked").await;
    run_at(&stack, "2026-09-07T08:06:30Z").await;
    assert_eq!(record(&stack, "payment_credited").await, unbooked);
    let (_, taken) = stack.captured().await.remove(0);
    assert_eq!(stack.balance(OKAFOR).await, before - taken);
    stack.refund(&intent, None).await;
    for event in stack.events("refund.created").await {
        stack.deliver(&event).await;
    }
    assert_eq!(stack.balance(OKAFOR).await, before);
    reviewed(&stack, &unbooked).await;
}

#[tokio::test]
async fn order_unwritable_has_taken_nothing_and_is_looked_at() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    the_table_refuses(&stack, 0).await;
    assert!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.says_released());
    let order = record(&stack, "order_unwritable").await;
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    reviewed(&stack, &order).await;
}

#[tokio::test]
async fn dispute_not_shown_ends_once_somebody_has_looked() {
    let stack = Stack::start().await;
    let intent = bought(&stack).await;
    let before = stack.balance(OKAFOR).await;
    let charge = stack.stripe().charges().await.remove(0)["charge"].clone();
    let object = json!({"id": "du_1", "amount": 1000, "status": "needs_response", "charge": charge,
        "created": 1_788_768_000, "payment_intent": intent});
    let event = json!({"id": "evt_1", "type": "charge.dispute.funds_withdrawn", "created": 1_788_768_000,
        "account": stack.account(), "data": {"object": object}});
    stack.deliver(&event).await;
    for now in ["2026-09-07T08:03:00Z", "2026-09-07T09:01:00Z", A_DAY_LATER] {
        run_at(&stack, now).await;
    }
    assert_eq!(stack.balance(OKAFOR).await, before);
    let dispute = record(&stack, "dispute_not_shown").await;
    reviewed(&stack, &dispute).await;
}

#[tokio::test]
async fn reversal_unposted_ends_once_it_can_be_posted() {
    for refusal in [json!({"status": 403, "code": "account_invalid"}), json!({"status": 400, "code": "x"})] {
        let stack = Stack::start().await;
        let intent = bought(&stack).await;
        let before = stack.balance(OKAFOR).await;
        stack.refuse_at_stripe(("GET", "/v1/payment_intents/{id}"), &refusal).await;
        stack.refund(&intent, Some(1000)).await;
        stack.deliver(&stack.event_of(&intent, "refund.created").await).await;
        run_at(&stack, "2026-09-07T12:00:00Z").await;
        assert_nothing_is_reviewed(&stack).await;
        run_at(&stack, A_DAY_LATER).await;
        let refund = record(&stack, "reversal_unposted").await;
        reviewed(&stack, &refund).await;
        run_at(&stack, A_DAY_AFTER_THAT).await;
        assert_nothing_is_reviewed(&stack).await;
        assert_eq!(stack.balance(OKAFOR).await, before);
        // A record that becomes readable again is posted automatically, once.
        stack.withdraw_faults().await;
        for now in ["2026-09-12T12:00:00Z", "2026-09-14T12:00:00Z"] {
            run_at(&stack, now).await;
            assert_eq!(stack.balance(OKAFOR).await, before + 1000);
        }
        assert_nothing_is_listed(&stack).await;
    }
}

#[tokio::test]
async fn reversal_unposted_is_told_where_the_table_refuses_the_entry() {
    let stack = Stack::start().await;
    let intent = bought(&stack).await;
    let fault = json!({"match": {"operation": "TransactWriteItems", "says": "#LEDGER"}, "count": 1000,
        "do": {"cancel": [{"at": 0, "code": "ValidationError"}]}});
    assert_eq!(stack.dynamodb().post("/_control/faults", &fault).await.status, 200);
    stack.refund(&intent, Some(1000)).await;
    stack.deliver(&stack.event_of(&intent, "refund.created").await).await;
    run_at(&stack, A_DAY_LATER).await;
    let refund = record(&stack, "reversal_unposted").await;
    reviewed(&stack, &refund).await;
    // After 90 days we stop trying, and the log names it.
    let given_up = stack.counted("EventsGivenUp");
    run_at(&stack, "2026-12-10T09:30:00Z").await;
    assert!(stack.counted("EventsGivenUp") > given_up);
    assert_nothing_is_reviewed(&stack).await;
}

#[tokio::test]
async fn currency_differs_ends_with_a_refund() {
    let stack = Stack::start().await;
    let before = stack.balance(OKAFOR).await;
    let intent = stack.open_session(OKAFOR, &ballet_for_ada()).await;
    dashboard(&stack, &format!("/v1/payment_intents/{intent}"), "currency=usd").await;
    stack.confirm(&intent).await;
    stack.capture_by_hand(&intent).await;
    run_at(&stack, "2026-09-07T08:06:00Z").await;
    let order = record(&stack, "currency_differs").await;
    assert_eq!(stack.balance(OKAFOR).await, before, "dollars are no pounds");
    // An operator reviews it and changes nothing.
    orders(&stack, &["reviewed", stack.company(), &order]).await.ok();
    run_at(&stack, "2026-09-07T09:20:00Z").await;
    let list = listed(&stack).await;
    assert_eq!((&list["unfinished"][0]["order"], &list["reviews"]), (&json!(order), &json!([])), "{list}");
    assert_eq!(stack.measure("ReceivedWithoutOrder").await, 1);
    assert!(stack.measure("OldestOrderS").await > 900, "it is an alarm until it is given back");
    orders(&stack, &["settle", &order]).await.refused("usd received");
    orders(&stack, &["void", &order]).await.refused("its payment is captured");
    orders(&stack, &["resolve", &order, "--release"]).await.refused("--received 0");
    stack.refund(&intent, None).await;
    orders(&stack, &["settle", &order]).await.ok();
    assert_eq!(stack.balance(OKAFOR).await, before);
    assert_nothing_is_listed(&stack).await;
    assert_eq!((stack.measure("ReceivedWithoutOrder").await, stack.measure("OldestOrderS").await), (0, 0));
    let session = stack.table().get(&format!("PI#{}#{intent}", stack.account()), "SESSION").await.unwrap();
    assert!(!session.contains_key("gsi1pk"), "it is watched no more");
    // The payer has seen the charge and its refund, so this was not a released authorisation.
    let again = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!((again.code().as_str(), again.says_released()), ("payment_already_captured", false), "{}", again.text);
}

#[tokio::test]
async fn not_released_ends_with_a_cancel_in_the_dashboard() {
    let stack = Stack::start().await;
    let seats = stack.seats_left(BALLET).await;
    let (order, intent) = pending(&stack).await;
    let cancel = ("POST", "/v1/payment_intents/{id}/cancel");
    stack.order_fault(Call::Capture, 1000, &json!({"drop": "before"})).await;
    stack.refuse_at_stripe(cancel, &json!({"status": 400, "code": "parameter_unknown"})).await;
    run_at(&stack, A_DAY_LATER).await;
    assert_nothing_is_reviewed(&stack).await;
    run_at(&stack, "2026-09-08T10:30:00Z").await;
    assert_eq!(record(&stack, "not_released").await, order);
    orders(&stack, &["void", &order]).await.refused("has not said `canceled`");
    stack.withdraw_faults().await;
    dashboard(&stack, &format!("/v1/payment_intents/{intent}/cancel"), "").await;
    orders(&stack, &["settle", &order]).await.ok();
    assert_eq!((stack.seats_left(BALLET).await, stack.captured().await), (seats, vec![]));
    reviewed(&stack, &order).await;
}

#[tokio::test]
async fn what_stripe_refuses_to_tell_is_released_unseen_after_a_day() {
    let stack = Stack::start().await;
    let seats = stack.seats_left(BALLET).await;
    let (_, of_order) = pending(&stack).await;
    let of_session = stack.authorise_amount(OKAFOR, 7_000).await;
    stack.refuse_at_stripe(("GET", "/v1/payment_intents/{id}"), &json!({"status": 400, "code": "x"})).await;
    run_at(&stack, A_DAY_LATER).await;
    stack.withdraw_faults().await;
    for intent in [of_order, of_session] {
        assert_eq!(stack.intent_status(&intent).await, "canceled");
    }
    assert_eq!(stack.seats_left(BALLET).await, seats);
    run_at(&stack, A_DAY_AFTER_THAT).await;
    assert_nothing_is_listed(&stack).await;
}

#[tokio::test]
async fn a_link_whose_order_was_kept_with_less_is_open_for_the_rest() {
    let stack = Stack::start().await;
    let (link, intent, order) = pending_link(&stack).await;
    stack.capture_at_stripe(&intent, 1000).await;
    run_at(&stack, "2026-09-07T08:06:00Z").await;
    assert_eq!(record(&stack, "payment_differs").await, order);
    orders(&stack, &["resolve", &order, "--keep"]).await.ok();
    let left = stack.due(COSTUMES).await;
    assert!((COSTUMES_DUE - 1000..COSTUMES_DUE).contains(&left), "{left}");
    let told = stack.process_link(&link, Some(&intent)).await;
    assert_eq!((told.status, &told.json()["paymentLink"]["status"]), (200, &json!("open")), "{}", told.text);
    assert_eq!(told.json()["creditAggregateTransaction"]["stats"]["total"], COSTUMES_DUE - left);
    // A payment that has paid a part is complete, so it needs no decision.
    stack.refuse_at_stripe(("GET", "/v1/payment_intents/{id}"), &json!({"status": 400, "code": "x"})).await;
    let opened = stack.open_link(&link).await;
    assert_eq!(opened.status, 200, "{}", opened.text);
    stack.withdraw_faults().await;
    assert_nothing_is_listed(&stack).await;
    let rest = stack.authorise_link(&link).await;
    assert_ne!(rest, intent);
    assert_eq!(stack.process_link(&link, Some(&rest)).await.json()["paymentLink"]["status"], "paid");
    assert_eq!(stack.due(COSTUMES).await, 0);
}

#[tokio::test]
async fn a_link_that_stripe_does_not_tell_of_for_a_while_is_not_taken_from_its_payer() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.debit_link(&link).await;
    stack.refuse_at_stripe(("GET", "/v1/payment_intents/{id}"), &json!({"status": 400, "code": "x"})).await;
    lost_for_a_day(&stack).await;
    let told = record(&stack, "account_lost").await;
    stack.withdraw_faults().await;
    stack.bank_says(&intent, "settle").await;
    run_at(&stack, A_DAY_AFTER_THAT).await;
    assert_eq!((stack.link_status(&link).await.as_str(), stack.due(COSTUMES).await), ("paid", 0));
    reviewed(&stack, &told).await;
}
