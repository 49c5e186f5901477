//! What an operator resolves once an account is out of reach: orders, rejections, sessions and links.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_tests::studio::{BALLET, MINH, NGUYEN, OKAFOR, POINTE, ballet_for_ada, one};
use classpay_tests::{COSTUMES, COSTUMES_DUE, Call, Stack};
use serde_json::json;

use super::{
    A_DAY_AFTER_THAT, A_DAY_LATER, ANOTHER, assert_nothing_is_listed, listed, lost_for_a_day, orders, pending,
    pending_link, record, reviewed, run_at,
};

#[tokio::test]
async fn intent_lost_of_an_order_ends_with_what_the_studio_s_dashboard_says() {
    let stack = Stack::start().await;
    let (before, seats) = (stack.balance(OKAFOR).await, stack.seats_left(BALLET).await);
    let (order, _) = pending(&stack).await;
    stack.leave_account(ANOTHER).await;
    run_at(&stack, A_DAY_LATER).await;
    assert_eq!(record(&stack, "intent_lost").await, order);
    orders(&stack, &["settle", &order]).await.refused("is still pending");
    orders(&stack, &["resolve", &order, "--release"]).await.refused("name it");
    orders(&stack, &["resolve", &order, "--release", "--received", "9999999"]).await.refused("no more than");
    orders(&stack, &["resolve", &order, "--release", "--received", "0"]).await.ok();
    assert_eq!((stack.balance(OKAFOR).await, stack.seats_left(BALLET).await), (before, seats));
    assert_nothing_is_listed(&stack).await;
}

#[tokio::test]
async fn what_the_schedule_has_not_found_lost_is_not_resolved_by_what_a_person_says() {
    let stack = Stack::start().await;
    let (order, intent) = pending(&stack).await;
    // Stripe refuses the operator's key, or it belongs to another platform, for which the payment doesn't exist.
    for (key, told) in [(401, "stripe is misconfigured: 401"), (404, "compare the key with the stack's")] {
        let why = json!({"status": key, "code": "resource_missing"});
        stack.refuse_at_stripe(("GET", "/v1/payment_intents/{id}"), &why).await;
        for how in ["--keep", "--release"] {
            orders(&stack, &["resolve", &order, how, "--received", "0"]).await.refused(told);
        }
        stack.withdraw_faults().await;
    }
    stack.withdraw_faults().await;
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");
    orders(&stack, &["settle", &order]).await.ok();
    assert_nothing_is_listed(&stack).await;
}

/// A refused basket whose payment could not be released before the studio left the account. Returns the refused order.
async fn rejected_and_lost(stack: &Stack) -> String {
    let intent = stack.authorise_amount(NGUYEN, 50_000).await;
    stack.order_fault(Call::Cancel, 1000, &json!({"status": 429})).await;
    let answer = stack.check_out(NGUYEN, &intent, &one(POINTE, MINH)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    stack.withdraw_faults().await;
    stack.leave_account(ANOTHER).await;
    run_at(stack, A_DAY_LATER).await;
    answer.json()["orderId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn intent_lost_of_a_rejection_ends_without_money_and_is_released_once_the_account_is_back() {
    let stack = Stack::start().await;
    let here = stack.account().to_owned();
    let (before, order) = (stack.balance(NGUYEN).await, rejected_and_lost(&stack).await);
    assert_eq!(record(&stack, "intent_lost").await, order);
    assert!(stack.measure("OldestOrderS").await > 900, "it is an alarm until somebody ends it");
    orders(&stack, &["settle", &order]).await.refused("Stripe has not said `canceled`");
    orders(&stack, &["resolve", &order, "--keep"]).await.refused("nothing to keep");
    orders(&stack, &["resolve", &order, "--release"]).await.refused("name it");
    orders(&stack, &["resolve", &order, "--release", "--received", "0"]).await.ok();
    assert_nothing_is_listed(&stack).await;
    assert_eq!((stack.balance(NGUYEN).await, stack.measure("OldestOrderS").await), (before, 0));

    stack.connect(&here, ANOTHER).await;
    stack.at_stripe(&format!("accounts/{here}/connect"), &json!({})).await;
    let intent = stack.intents().await.remove(0)["id"].as_str().unwrap().to_owned();
    let again = stack.check_out(NGUYEN, &intent, &one(POINTE, MINH)).await;
    assert!(again.says_released(), "{}", again.text);
    assert_eq!((stack.intent_status(&intent).await.as_str(), stack.captured().await), ("canceled", vec![]));
    run_at(&stack, A_DAY_AFTER_THAT).await;
    assert_nothing_is_listed(&stack).await;
}

#[tokio::test]
async fn what_was_received_for_a_rejection_is_credited_once_the_account_is_back() {
    let stack = Stack::start().await;
    let here = stack.account().to_owned();
    let (before, order) = (stack.balance(NGUYEN).await, rejected_and_lost(&stack).await);
    assert_eq!(record(&stack, "intent_lost").await, order);
    run_at(&stack, A_DAY_AFTER_THAT).await;
    assert_eq!(record(&stack, "intent_lost").await, order, "it is told once");
    let too_much = orders(&stack, &["resolve", &order, "--release", "--received", "50001"]).await;
    too_much.refused("no more than");
    let something = orders(&stack, &["resolve", &order, "--release", "--received", "50000"]).await;
    something.refused("in the office's tools");
    orders(&stack, &["resolve", &order, "--release", "--received", "0"]).await.ok();
    assert_eq!(stack.balance(NGUYEN).await, before);
    assert_nothing_is_listed(&stack).await;
    // It was captured regardless, and the service may report it now.
    stack.connect(&here, ANOTHER).await;
    stack.at_stripe(&format!("accounts/{here}/connect"), &json!({})).await;
    let intent = stack.intents().await.remove(0)["id"].as_str().unwrap().to_owned();
    stack.capture_by_hand(&intent).await;
    run_at(&stack, "2026-09-10T10:30:00Z").await;
    assert_eq!(record(&stack, "payment_credited").await, order);
    assert_eq!(stack.balance(NGUYEN).await, before - 50_000);
}

#[tokio::test]
async fn intent_let_go_of_a_session_is_measured_no_more_and_voided_once_the_account_is_back() {
    let stack = Stack::start().await;
    let here = stack.account().to_owned();
    let intent = stack.authorise_amount(OKAFOR, 4_500).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    stack.leave_account(ANOTHER).await;
    stack.move_clock("2026-09-07T08:30:00Z").await;
    assert_eq!(stack.measure("HoldsWithoutOrder").await, 1);
    lost_for_a_day(&stack).await;
    let left = record(&stack, "intent_let_go").await;
    assert_eq!(stack.measure("HoldsWithoutOrder").await, 0, "nobody here can release it");
    reviewed(&stack, &left).await;
    stack.connect(&here, ANOTHER).await;
    stack.at_stripe(&format!("accounts/{here}/connect"), &json!({})).await;
    run_at(&stack, A_DAY_AFTER_THAT).await;
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_nothing_is_listed(&stack).await;
}

#[tokio::test]
async fn intent_lost_of_a_hold_is_told_once_and_masks_no_other() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let of_link = stack.authorise_link(&link).await;
    let of_session = stack.authorise_amount(OKAFOR, 4_500).await;
    run_at(&stack, "2026-09-07T08:20:00Z").await;
    // The link's payment was settled by that run without an event; the other one is held.
    assert_eq!(stack.intent_status(&of_link).await, "succeeded");
    assert_eq!(stack.measure("HoldsWithoutOrder").await, 1);
    disconnect(&stack).await;
    lost_for_a_day(&stack).await;
    let order = record(&stack, "intent_lost").await;
    assert_eq!(stack.measure("HoldsWithoutOrder").await, 0, "nobody here can release it");
    orders(&stack, &["show", &order]).await.ok();
    orders(&stack, &["void", &order]).await.refused("account_invalid");
    reviewed(&stack, &order).await;
    run_at(&stack, A_DAY_AFTER_THAT).await;
    assert_nothing_is_listed(&stack).await;
    connect_again(&stack).await;
    run_at(&stack, "2026-09-10T10:30:00Z").await;
    assert_eq!(stack.intent_status(&of_session).await, "canceled");
    assert_nothing_is_listed(&stack).await;
}

#[tokio::test]
async fn intent_lost_of_what_was_received_is_measured_until_a_person_has_ended_it() {
    for is_left in [false, true] {
        let stack = Stack::start().await;
        let (here, before) = (stack.account().to_owned(), stack.balance(OKAFOR).await);
        let intent = stack.authorise_amount(OKAFOR, 7_000).await;
        stack.capture_by_hand(&intent).await;
        stack.deliver(&stack.event("payment_intent.succeeded").await).await;
        lose(&stack, is_left).await;
        lost_for_a_day(&stack).await;
        let order = record(&stack, "intent_lost").await;
        orders(&stack, &["reviewed", stack.company(), &order]).await.ok();
        assert_eq!(stack.measure("ReceivedWithoutOrder").await, 1, "looking doesn't end it");
        assert!(stack.measure("OldestOrderS").await > 900);
        orders(&stack, &["resolve", &order, "--keep", "--received", "0"]).await.refused("nothing to keep");
        orders(&stack, &["resolve", &order, "--release", "--received", "7000"]).await.refused("in the office's tools");
        orders(&stack, &["resolve", &order, "--release", "--received", "0"]).await.ok();
        assert_nothing_is_listed(&stack).await;
        run_at(&stack, A_DAY_AFTER_THAT).await;
        assert_nothing_is_listed(&stack).await;
        assert_eq!((stack.measure("ReceivedWithoutOrder").await, stack.balance(OKAFOR).await), (0, before));
        if is_left {
            stack.connect(&here, ANOTHER).await;
        }
        connect_again(&stack).await;
        run_at(&stack, "2026-09-10T10:30:00Z").await;
        assert_eq!(record(&stack, "payment_credited").await, order);
        assert_eq!(stack.balance(OKAFOR).await, before - 7_000);
    }
}

#[tokio::test]
async fn account_lost_is_told_once_for_all_of_which_nobody_has_told_whether_they_were_paid() {
    for is_left in [false, true] {
        let stack = Stack::start().await;
        let link = stack.link(None).await;
        let of_link = stack.authorise_link(&link).await;
        let of_session = stack.authorise_amount(OKAFOR, 7_000).await;
        lose(&stack, is_left).await;
        lost_for_a_day(&stack).await;
        let lost = record(&stack, "account_lost").await;
        assert_eq!(lost, format!("lost-{}", stack.account()));
        run_at(&stack, A_DAY_AFTER_THAT).await;
        reviewed(&stack, &lost).await;
        run_at(&stack, "2026-09-10T10:30:00Z").await;
        assert_nothing_is_listed(&stack).await;
        if is_left {
            continue;
        }
        connect_again(&stack).await;
        run_at(&stack, "2026-09-10T12:30:00Z").await;
        for intent in [of_link, of_session] {
            assert_eq!(stack.intent_status(&intent).await, "canceled", "nothing is held for longer than a day");
        }
        // It is lost again, with a capture that we had not seen.
        stack.authorise_amount(OKAFOR, 7_000).await;
        lose(&stack, is_left).await;
        run_at(&stack, "2026-09-10T13:10:00Z").await;
        run_at(&stack, "2026-09-11T14:30:00Z").await;
        assert_eq!(record(&stack, "account_lost").await, lost);
    }
}

#[tokio::test]
async fn an_account_that_was_out_of_reach_for_a_moment_is_not_lost_however_old_its_links_are() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    stack.intent_of_link(&link).await;
    for (lost, found) in
        [("2026-09-08T09:30:00Z", "2026-09-08T11:00:00Z"), ("2026-09-09T10:30:00Z", "2026-09-09T12:00:00Z")]
    {
        disconnect(&stack).await;
        run_at(&stack, lost).await;
        assert_nothing_is_listed(&stack).await;
        connect_again(&stack).await;
        run_at(&stack, found).await;
    }
    disconnect(&stack).await;
    run_at(&stack, "2026-09-10T11:30:00Z").await;
    assert_nothing_is_listed(&stack).await;
    run_at(&stack, "2026-09-11T12:30:00Z").await;
    record(&stack, "account_lost").await;
}

#[tokio::test]
async fn what_a_left_account_refuses_to_tell_is_released_unseen() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(OKAFOR, 7_000).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    stack.connect(ANOTHER, stack.account()).await;
    stack.refuse_at_stripe(("GET", "/v1/payment_intents/{id}"), &json!({"status": 400, "code": "x"})).await;
    run_at(&stack, A_DAY_LATER).await;
    stack.withdraw_faults().await;
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_nothing_is_listed(&stack).await;
}

/// The studio leaves its account, or only disconnects it and still names it.
async fn lose(stack: &Stack, is_left: bool) {
    if is_left { stack.leave_account(ANOTHER).await } else { disconnect(stack).await }
}

async fn disconnect(stack: &Stack) {
    stack.at_stripe(&format!("accounts/{}/disconnect", stack.account()), &json!({})).await;
}

async fn connect_again(stack: &Stack) {
    stack.at_stripe(&format!("accounts/{}/connect", stack.account()), &json!({})).await;
}

#[tokio::test]
async fn intent_let_go_of_a_link_leaves_its_debit_to_be_paid() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    // The event has arrived, and the call that would settle the payment got no further.
    let session = format!("PI#{}#{intent}", stack.account());
    let mut item = stack.table().get(&session, "SESSION").await.unwrap();
    item.insert("intent_status".to_owned(), AttributeValue::S("requires_capture".to_owned()));
    stack.table().put(item).await;
    stack.leave_account(ANOTHER).await;
    assert_eq!(stack.revoke_link(&link).await.status, 204);
    let left = record(&stack, "intent_let_go").await;
    // The settlement job finds the session of the same intent, which is not a new record.
    reviewed(&stack, &left).await;
    lost_for_a_day(&stack).await;
    assert_nothing_is_listed(&stack).await;
    let next = stack.link(None).await;
    let intent = stack.authorise_link(&next).await;
    assert_eq!(stack.process_link(&next, Some(&intent)).await.status, 200);
    assert_eq!(stack.due(COSTUMES).await, 0);
}

#[tokio::test]
async fn resolution_differs_ends_with_a_refund_of_what_was_not_said() {
    let stack = Stack::start().await;
    let (here, before) = (stack.account().to_owned(), stack.balance(OKAFOR).await);
    let (order, intent) = pending(&stack).await;
    stack.leave_account(ANOTHER).await;
    run_at(&stack, A_DAY_LATER).await;
    orders(&stack, &["resolve", &order, "--release", "--received", "0"]).await.ok();
    assert_nothing_is_listed(&stack).await;
    let again = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert!(!again.says_released(), "nobody has seen that: {}", again.text);
    // It was captured regardless.
    stack.connect(&here, ANOTHER).await;
    stack.at_stripe(&format!("accounts/{here}/connect"), &json!({})).await;
    stack.capture_by_hand(&intent).await;
    run_at(&stack, A_DAY_AFTER_THAT).await;
    assert_eq!(record(&stack, "resolution_differs").await, order);
    stack.refund(&intent, None).await;
    for event in stack.events("refund.created").await {
        stack.deliver(&event).await;
    }
    assert_eq!(stack.balance(OKAFOR).await, before);
    reviewed(&stack, &order).await;
}

#[tokio::test]
async fn what_is_still_held_for_an_order_that_a_person_has_ended_is_released_once_the_account_is_back() {
    for how in ["--release", "--keep"] {
        let stack = Stack::start().await;
        let here = stack.account().to_owned();
        let (order, intent) = pending(&stack).await;
        stack.leave_account(ANOTHER).await;
        run_at(&stack, A_DAY_LATER).await;
        orders(&stack, &["resolve", &order, how, "--received", "0"]).await.ok();
        run_at(&stack, "2026-09-08T12:00:00Z").await;
        assert_nothing_is_listed(&stack).await;
        assert_eq!(stack.measure("OldestOrderS").await, 0);
        stack.connect(&here, ANOTHER).await;
        stack.at_stripe(&format!("accounts/{here}/connect"), &json!({})).await;
        run_at(&stack, A_DAY_AFTER_THAT).await;
        assert_eq!(stack.intent_status(&intent).await, "canceled", "{how}");
        let head = stack.table().get(&format!("ORD#{order}"), "META").await.unwrap();
        assert!(!head.contains_key("gsi1pk"), "it is watched no more");
        assert_nothing_is_listed(&stack).await;
    }
}

#[tokio::test]
async fn intent_lost_of_an_account_that_is_only_disconnected_ends_like_one_that_is_left() {
    let stack = Stack::start().await;
    let seats = stack.seats_left(BALLET).await;
    let (order, _) = pending(&stack).await;
    stack.at_stripe(&format!("accounts/{}/disconnect", stack.account()), &json!({})).await;
    run_at(&stack, A_DAY_LATER).await;
    assert_eq!(record(&stack, "intent_lost").await, order);
    orders(&stack, &["resolve", &order, "--release", "--received", "0"]).await.ok();
    assert_eq!(stack.seats_left(BALLET).await, seats);
    assert_nothing_is_listed(&stack).await;
}

#[tokio::test]
async fn a_link_of_whose_payment_a_person_has_said_nothing_came_can_be_revoked() {
    let stack = Stack::start().await;
    let here = stack.account().to_owned();
    let (link, intent, order) = pending_link(&stack).await;
    stack.leave_account(ANOTHER).await;
    run_at(&stack, A_DAY_LATER).await;
    orders(&stack, &["resolve", &order, "--keep", "--received", "0"]).await.ok();
    // It was captured regardless, which is between the studio and the payer and doesn't concern this link.
    stack.connect(&here, ANOTHER).await;
    stack.at_stripe(&format!("accounts/{here}/connect"), &json!({})).await;
    stack.capture_by_hand(&intent).await;
    run_at(&stack, A_DAY_AFTER_THAT).await;
    assert_eq!(record(&stack, "resolution_differs").await, order);
    assert_eq!(stack.revoke_link(&link).await.status, 204);
    assert_eq!((stack.link_status(&link).await.as_str(), stack.due(COSTUMES).await), ("link_revoked", COSTUMES_DUE));
}

#[tokio::test]
async fn a_bank_debit_that_was_out_of_reach_for_a_moment_is_not_lost() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.debit_link(&link).await;
    let paid = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    for (lost, found) in
        [("2026-09-08T09:30:00Z", "2026-09-08T11:00:00Z"), ("2026-09-09T12:30:00Z", "2026-09-09T14:00:00Z")]
    {
        disconnect(&stack).await;
        run_at(&stack, lost).await;
        assert_eq!(listed(&stack).await["reviews"], json!([]));
        connect_again(&stack).await;
        run_at(&stack, found).await;
    }
    disconnect(&stack).await;
    run_at(&stack, "2026-09-10T15:30:00Z").await;
    assert_eq!(listed(&stack).await["reviews"], json!([]));
    run_at(&stack, "2026-09-11T16:30:00Z").await;
    record(&stack, "intent_lost").await;
    connect_again(&stack).await;
    stack.bank_says(&intent, "settle").await;
    run_at(&stack, "2026-09-11T18:00:00Z").await;
    assert_eq!(stack.due(COSTUMES).await, 0);
}
