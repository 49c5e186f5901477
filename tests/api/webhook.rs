//! Stripe's events: accepted if signed, handled once, and stored until handled.

use classpay_tests::studio::{self, MINH, NGUYEN, POINTE, ballet_for_ada};
use classpay_tests::{
    COSTUMES, COSTUMES_DUE, COSTUMES_TOTAL, Call, DEPLOYMENT, OKAFOR, Stack, StackOptions, Webhooks,
    assert_books_balance, signature,
};
use futures_util::future::join_all;
use serde_json::{Value, json};

const AUTHORISED: &str = "payment_intent.amount_capturable_updated";
const FEE: i64 = COSTUMES_TOTAL - COSTUMES_DUE;
/// The start of the stacks' clocks: 2026-09-07T08:00:00Z.
const START_S: i64 = 1_788_768_000;

fn line(direction: &str, kind: &str, amount: i64) -> (String, String, i64) {
    (direction.to_owned(), kind.to_owned(), amount)
}

/// A paid link for the costumes whose payer closed the tab. Returns the link and its intent.
async fn paid_link(stack: &Stack) -> (String, String) {
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    stack.deliver(&stack.event(AUTHORISED).await).await;
    assert_eq!(stack.link_status(&link).await, "paid");
    (link, intent)
}

async fn assert_finished(stack: &Stack, event: &Value) {
    let kept = stack.kept(event).await.expect("it is put");
    assert!(!kept.contains_key("gsi1pk") && kept.contains_key("ttl"), "{kept:?}");
}

async fn run_schedule(stack: &Stack, now: &str) {
    stack.move_clock(now).await;
    let answer = stack.caller(None).post("/_local/run/settle-payments", &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn what_stripe_has_not_signed_is_refused_and_leaves_nothing() {
    let stack = Stack::start().await;
    let body = json!({"id": "evt_1", "type": "customer.created", "created": 1, "account": stack.account(),
        "data": {"object": {"id": "cus_1"}}})
    .to_string();
    let before = stack.table().picture().await;
    let good = signature("whsec_local", &body, START_S);
    for (sent, header) in [
        (body.as_str(), signature("whsec_other", &body, START_S)),
        (body.as_str(), signature("whsec_local", &body, START_S - 301)),
        (body.as_str(), good.replace("v1=", "v0=")),
        ("{}", good.clone()),
    ] {
        let answer = stack.send_signed(sent, &header).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_signature"), "{header}");
    }
    stack.assert_unchanged_since(&before).await;
    let answer = stack.send_signed(&body, &good).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"received":true}"#));
}

#[tokio::test]
async fn a_link_whose_payer_closes_the_tab_is_paid_once_however_often_it_is_told() {
    let stack = Stack::start().await;
    let (_, intent) = paid_link(&stack).await;
    assert_eq!(stack.intent_status(&intent).await, "succeeded");
    assert_eq!(stack.due(COSTUMES).await, 0);
    assert_eq!(stack.posted(OKAFOR).await.len(), 1);
    let event = stack.event(AUTHORISED).await;
    assert_finished(&stack, &event).await;
    let before = stack.table().picture().await;
    stack.deliver(&event).await;
    stack.assert_unchanged_since(&before).await;
    // An event reports the capture too, which changes nothing.
    stack.deliver(&stack.event("payment_intent.succeeded").await).await;
    assert_eq!(stack.posted(OKAFOR).await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn stripe_s_own_deliveries_are_believed_and_end_with_the_link_refunded() {
    let now = Some("2026-09-07T08:00:00Z".to_owned());
    let options = StackOptions { now, webhooks: Webhooks::Delivered, ..StackOptions::default() };
    let stack = Stack::start_with(options).await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    assert_eq!(delivered(&stack, &link).await, "paid");
    stack.refund(&intent, None).await;
    assert_eq!(delivered(&stack, &link).await, "refunded");
    assert_eq!(stack.went_back(OKAFOR).await.len(), 2);
    assert_books_balance(&stack).await;
}

/// The link's own item after every due event has been delivered: opening the link would be a call of its own.
async fn delivered(stack: &Stack, link: &str) -> String {
    let flushed = stack.stripe().post("/_control/webhooks/flush", &json!({"all": true})).await;
    assert_eq!(flushed.status, 200, "{}", flushed.text);
    stack.stored_link(link).await["link_state"].as_s().expect("a text").clone()
}

#[tokio::test]
async fn the_same_event_eight_times_at_once_is_one_payment() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    stack.authorise_link(&link).await;
    let event = stack.event(AUTHORISED).await;
    join_all((0..8).map(|_| stack.deliver(&event))).await;
    assert_eq!(stack.link_status(&link).await, "paid");
    assert_eq!(stack.posted(OKAFOR).await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_event_of_somebody_else_s_intent_is_taken_and_leaves_nothing_but_itself() {
    let stack = Stack::start().await;
    let event = |id: &str, marker: &str| {
        json!({"id": id, "type": "payment_intent.succeeded", "created": START_S, "account": stack.account(),
            "data": {"object": {"id": "pi_foreign", "metadata": {"classpay": marker}}}})
    };
    let before = stack.table().everything().await.len();
    let foreign = event("evt_foreign", "0");
    stack.deliver(&foreign).await;
    assert_eq!(stack.table().everything().await.len(), before + 1);
    assert_finished(&stack, &foreign).await;
    // It has our marker, so it may be ours and not stored yet.
    let marked = event("evt_marked", DEPLOYMENT);
    stack.deliver(&marked).await;
    assert!(stack.kept(&marked).await.unwrap().contains_key("gsi1pk"));
    assert_eq!(stack.table().everything().await.len(), before + 2);
}

#[tokio::test]
async fn a_session_learns_that_it_is_authorised_and_its_basket_waits_for_its_payer() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let event = stack.event(AUTHORISED).await;
    stack.deliver(&event).await;
    assert_finished(&stack, &event).await;
    let session = stack.table().get(&format!("PI#{}#{intent}", stack.account()), "SESSION").await.unwrap();
    assert_eq!(session["intent_status"].as_s().unwrap(), "requires_capture");
    assert!(session.contains_key("authorised_s") && session.contains_key("gsi1pk"));
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn what_can_t_be_done_now_is_kept_and_done_by_the_schedule() {
    let stack = Stack::start().await;
    let (link, intent) = paid_link(&stack).await;
    stack.refund(&intent, None).await;
    stack.order_fault(Call::Retrieve, 100_000, &json!({"status": 500})).await;
    let event = stack.event("charge.refunded").await;
    stack.deliver(&event).await;
    assert!(stack.kept(&event).await.unwrap().contains_key("gsi1pk"));
    stack.withdraw_faults().await;
    run_schedule(&stack, "2026-09-07T08:05:00Z").await;
    assert_finished(&stack, &event).await;
    assert_eq!(stack.link_status(&link).await, "refunded");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_full_refund_is_owed_again_without_the_fee_and_the_link_says_so() {
    let stack = Stack::start().await;
    let (link, intent) = paid_link(&stack).await;
    let before = stack.balance(OKAFOR).await;
    stack.refund(&intent, None).await;
    for kind in ["refund.created", "charge.refunded", "refund.created"] {
        stack.deliver(&stack.event(kind).await).await;
    }
    let expected = [line("debit", "refund", COSTUMES_TOTAL), line("debit", "fee-company", -FEE)];
    assert_eq!(stack.went_back(OKAFOR).await, expected);
    assert_eq!(stack.balance(OKAFOR).await, before + COSTUMES_DUE);
    assert_eq!(stack.due(COSTUMES).await, 0, "what is due is not reopened");
    assert_eq!(stack.link_status(&link).await, "refunded");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn partial_refunds_give_the_fee_back_with_the_last_and_one_that_fails_is_taken_back() {
    let stack = Stack::start().await;
    let (link, intent) = paid_link(&stack).await;
    let before = stack.balance(OKAFOR).await;
    let first = stack.refund(&intent, Some(1000)).await;
    stack.deliver(&stack.event("refund.created").await).await;
    assert_eq!(stack.went_back(OKAFOR).await, [line("debit", "refund", 1000)]);
    assert_eq!(stack.link_status(&link).await, "paid");
    assert_books_balance(&stack).await;

    stack.refund(&intent, None).await;
    stack.deliver(&stack.event("charge.refunded").await).await;
    assert_eq!(stack.balance(OKAFOR).await, before + COSTUMES_DUE);
    assert_eq!(stack.link_status(&link).await, "refunded");
    assert_books_balance(&stack).await;

    let failed = stack.stripe().post(&format!("/_control/refunds/{first}/fail"), &json!({})).await;
    assert_eq!(failed.status, 200, "{}", failed.text);
    for kind in ["refund.failed", "refund.updated", "charge.refund.updated"] {
        stack.deliver(&stack.event(kind).await).await;
    }
    assert_eq!(stack.balance(OKAFOR).await, before + COSTUMES_TOTAL - 1000);
    assert_eq!(stack.went_back(OKAFOR).await.iter().filter(|(way, ..)| way == "credit").count(), 2);
    assert_eq!(stack.link_status(&link).await, "paid");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_failed_refund_of_less_than_the_fee_makes_the_fee_due_again() {
    let stack = Stack::start().await;
    let (_, intent) = paid_link(&stack).await;
    let before = stack.balance(OKAFOR).await;
    let small = stack.refund(&intent, Some(FEE - 1)).await;
    stack.deliver(&stack.event("refund.created").await).await;
    let debit = last_debit(&stack).await;
    assert_eq!(stack.due(&debit).await, FEE - 1);
    stack.refund(&intent, None).await;
    stack.deliver(&stack.event("charge.refunded").await).await;
    // The second refund returned the fee, because all was refunded; now that is no longer so.
    stack.stripe().post(&format!("/_control/refunds/{small}/fail"), &json!({})).await;
    stack.deliver(&stack.event("refund.failed").await).await;
    assert_eq!(stack.balance(OKAFOR).await, before + COSTUMES_TOTAL - (FEE - 1));
    assert_eq!(stack.due(&debit).await, FEE, "what the family owes can be paid");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn everything_that_is_told_of_a_refund_at_once_is_one_entry() {
    let stack = Stack::start().await;
    let (_, intent) = paid_link(&stack).await;
    let before = stack.balance(OKAFOR).await;
    stack.refund(&intent, Some(1000)).await;
    stack.refund(&intent, None).await;
    let mut told = stack.events("refund.created").await;
    told.extend(stack.events("charge.refunded").await);
    assert_eq!(told.len(), 4);
    join_all(told.iter().chain(&told).map(|event| stack.deliver(event))).await;
    for event in &told {
        assert_finished(&stack, event).await;
    }
    assert_eq!(stack.balance(OKAFOR).await, before + COSTUMES_DUE);
    assert_eq!(stack.went_back(OKAFOR).await.len(), 3, "two refunds, and the fee once");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_refund_is_posted_after_the_payment_even_if_nothing_was_told_of_that() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    let before = stack.balance(OKAFOR).await;
    // In its dashboard the studio captures the payment and refunds it.
    stack.capture_by_hand(&intent).await;
    stack.refund(&intent, None).await;
    stack.deliver(&stack.event("charge.refunded").await).await;
    assert_eq!(stack.link_status(&link).await, "refunded");
    assert_eq!((stack.posted(OKAFOR).await.len(), stack.went_back(OKAFOR).await.len()), (1, 2));
    assert_eq!(stack.balance(OKAFOR).await, before);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_refund_of_a_basket_that_failed_before_it_was_told_is_posted_and_reversed() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 200);
    let before = stack.balance(OKAFOR).await;
    let refund = stack.refund(&intent, Some(100)).await;
    stack.stripe().post(&format!("/_control/refunds/{refund}/fail"), &json!({})).await;
    stack.deliver(&stack.event("refund.failed").await).await;
    // The event is late, and reports the time before the failure.
    stack.deliver(&stack.event("refund.created").await).await;
    assert_eq!(stack.went_back(OKAFOR).await, [line("debit", "refund", 100), line("credit", "refund", 100)]);
    assert_eq!(stack.balance(OKAFOR).await, before);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_dispute_is_owed_until_it_is_won_and_for_good_if_it_is_lost() {
    for (outcome, events) in [
        ("won", ["charge.dispute.created", "charge.dispute.funds_reinstated", "charge.dispute.closed"]),
        ("lost", ["charge.dispute.closed", "charge.dispute.created", "charge.dispute.funds_withdrawn"]),
    ] {
        let stack = Stack::start().await;
        let (link, intent) = paid_link(&stack).await;
        let before = stack.balance(OKAFOR).await;
        let charges = stack.stripe().charges().await;
        let charge = charges.iter().find(|charge| charge["paymentIntent"] == *intent).unwrap();
        let charge = charge["charge"].as_str().unwrap();
        let opened = stack.stripe().post(&format!("/_control/charges/{charge}/dispute"), &json!({})).await;
        assert_eq!(opened.status, 200, "{}", opened.text);
        let dispute = opened.json()["id"].as_str().unwrap().to_owned();
        stack.deliver(&stack.event("charge.dispute.funds_withdrawn").await).await;
        assert_eq!(stack.went_back(OKAFOR).await, [line("debit", "payment-auto-failed", COSTUMES_TOTAL)]);
        let closed =
            stack.stripe().post(&format!("/_control/disputes/{dispute}/close"), &json!({"outcome": outcome})).await;
        assert_eq!(closed.status, 200, "{}", closed.text);
        for kind in events {
            stack.deliver(&stack.event(kind).await).await;
        }
        let owed = if outcome == "won" { 0 } else { COSTUMES_TOTAL };
        assert_eq!(stack.balance(OKAFOR).await, before + owed, "{outcome}");
        assert_eq!(stack.went_back(OKAFOR).await.len(), if outcome == "won" { 2 } else { 1 });
        assert_eq!(stack.link_status(&link).await, "paid");
        assert_books_balance(&stack).await;
    }
}

#[tokio::test]
async fn a_hold_that_was_let_go_is_no_refund() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(NGUYEN, 50_000).await;
    let answer = stack.check_out(NGUYEN, &intent, &studio::one(POINTE, MINH)).await;
    assert_eq!((answer.status, answer.json()["paymentReleased"].as_bool()), (409, Some(true)), "{}", answer.text);
    let event = json!({"id": "evt_released", "type": "charge.refunded", "created": START_S,
        "account": stack.account(), "data": {"object": {"id": "ch_1", "payment_intent": intent}}});
    stack.deliver(&event).await;
    assert_finished(&stack, &event).await;
    assert_eq!(stack.went_back(NGUYEN).await, []);
    assert_books_balance(&stack).await;
}

/// The id of the last debit in a family's ledger.
async fn last_debit(stack: &Stack) -> String {
    let ledger = stack.ledger(OKAFOR).await;
    let debit = ledger.iter().rfind(|entry| entry["transaction"]["type"] == "debit").unwrap();
    debit["aggregateId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_given_back_can_be_paid_again_by_a_link() {
    let stack = Stack::start().await;
    let (_, intent) = paid_link(&stack).await;
    let before = stack.balance(OKAFOR).await;
    let refund = stack.refund(&intent, None).await;
    stack.deliver(&stack.event("refund.created").await).await;
    let debit = last_debit(&stack).await;
    assert_eq!(stack.due(&debit).await, COSTUMES_DUE);
    let made = stack.make_link(&debit, None).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let link = made.json()["paymentLink"]["id"].as_str().unwrap().to_owned();
    let paid = stack.authorise_link(&link).await;
    assert_eq!(stack.process_link(&link, Some(&paid)).await.status, 200);
    assert_eq!((stack.due(&debit).await, stack.balance(OKAFOR).await), (0, before));
    assert_books_balance(&stack).await;
    // The refund fails after its debit was paid: the family is credited, and nothing is due twice.
    stack.stripe().post(&format!("/_control/refunds/{refund}/fail"), &json!({})).await;
    stack.deliver(&stack.event("refund.failed").await).await;
    assert_eq!((stack.due(&debit).await, stack.balance(OKAFOR).await), (0, before - COSTUMES_DUE));
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn what_a_bank_has_taken_back_can_be_paid_again_by_a_link() {
    let stack = Stack::start().await;
    let (_, intent) = paid_link(&stack).await;
    let charges = stack.stripe().charges().await;
    let charge = charges.iter().find(|charge| charge["paymentIntent"] == *intent).unwrap();
    let path = format!("/_control/charges/{}/dispute", charge["charge"].as_str().unwrap());
    assert_eq!(stack.stripe().post(&path, &json!({})).await.status, 200);
    stack.deliver(&stack.event("charge.dispute.funds_withdrawn").await).await;
    let debit = last_debit(&stack).await;
    assert_eq!(stack.due(&debit).await, COSTUMES_TOTAL);
    assert_eq!(stack.make_link(&debit, None).await.status, 201);
}
