//! Payments without an order that were refunded or disputed, before or after the family was credited.

use classpay_tests::Stack;
use classpay_tests::studio::{NGUYEN, OKAFOR, ballet_for_ada};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{at, item, rejected_and_held, run_at, unfinished};

fn line(direction: &str, kind: &str, amount: i64) -> (String, String, i64) {
    (direction.to_owned(), kind.to_owned(), amount)
}

/// A basket's payment that the studio has captured by hand. Returns its intent and its amount.
async fn captured(stack: &Stack) -> (String, i64) {
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    stack.capture_by_hand(&intent).await;
    let (_, amount) = stack.captured().await.remove(0);
    (intent, amount)
}

/// The same, after the family was credited with it.
async fn unallocated(stack: &Stack) -> (String, i64) {
    let captured = captured(stack).await;
    run_at(stack, &at(7, "08:06")).await;
    captured
}

/// Delivers all events of this type.
async fn deliver_all(stack: &Stack, kind: &str) {
    for event in stack.events(kind).await {
        stack.deliver(&event).await;
    }
}

/// For the intent, the ledger agrees with Stripe: the amount captured less the amount refunded. The reversals refer to
/// the credit, the balance is the ledger's sum, there is one review record, for the credit, and no work is left.
async fn assert_agreed(stack: &Stack, family: &str, intent: &str) {
    let ledger = stack.ledger(family).await;
    let head = |entry: &Value| entry["transaction"].clone();
    let is_credit = |entry: &Value| head(entry)["type"] == "credit";
    let is_own = |entry: &&Value| head(entry)["orderId"].is_null() && head(entry)["relatedTransactionId"].is_null();
    let credits: Vec<_> = ledger.iter().filter(is_own).filter(|entry| is_credit(entry)).collect();
    let [credit] = &credits[..] else { panic!("one credit: {ledger:#?}") };
    let names = |entry: &Value, of: &Value| head(entry)["relatedTransactionId"] == of["aggregateId"];
    let debits: Vec<_> = ledger.iter().filter(|entry| names(entry, credit)).collect();
    // An entry that takes money back names the debit.
    let related = ledger.iter().filter(|entry| names(entry, credit) || debits.iter().any(|debit| names(entry, debit)));
    let refunded: i64 = related
        .flat_map(|entry| entry["details"].as_array().unwrap().iter().map(|line| (is_credit(entry), &line["details"])))
        .filter(|(_, line)| line["type"] == "refund")
        .map(|(is_undone, line)| line["amount"].as_i64().unwrap() * if is_undone { -1 } else { 1 })
        .sum();
    let charges = stack.stripe().charges().await;
    let charge = charges.iter().find(|charge| charge["paymentIntent"] == intent).unwrap();
    let (_, taken) = stack.captured().await.into_iter().find(|(paid, _)| paid == intent).unwrap();
    assert_eq!(credit["stats"]["total"].as_i64().unwrap(), taken);
    assert_eq!(refunded, charge["amountRefunded"].as_i64().unwrap(), "{ledger:#?}");

    let signed = |entry: &Value| entry["stats"]["total"].as_i64().unwrap() * if is_credit(entry) { -1 } else { 1 };
    assert_eq!(stack.balance(family).await, ledger.iter().map(signed).sum::<i64>());
    let notes = stack.table().partition(&format!("REVIEW#{}", stack.company()), "").await;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(unfinished(stack).await.len(), 0);
}

#[tokio::test]
async fn a_refund_of_a_payment_that_no_order_took_is_posted_once() {
    let stack = Stack::start().await;
    let before = stack.balance(OKAFOR).await;
    let (intent, amount) = unallocated(&stack).await;
    assert_eq!(stack.balance(OKAFOR).await, before - amount);
    stack.refund(&intent, None).await;
    let told = [stack.event("refund.created").await, stack.event("charge.refunded").await];
    join_all(told.iter().chain(&told).map(|event| stack.deliver(event))).await;
    let after = stack.table().picture().await;
    stack.deliver(&told[0]).await;
    stack.assert_unchanged_since(&after).await;
    assert_eq!(
        stack.went_back(OKAFOR).await,
        [line("debit", "refund", amount)],
        "and no fee: it was credited with none"
    );
    assert_eq!(stack.balance(OKAFOR).await, before);
    assert_agreed(&stack, OKAFOR, &intent).await;
    let claim = item(&stack, &intent, "CLAIM").await.unwrap();
    assert_eq!(claim["returns_version"].as_n().unwrap(), "1");
    let refusal = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "payment_already_captured"), "{}", refusal.text);
}

#[tokio::test]
async fn a_part_of_it_and_then_the_rest_are_two_entries_and_the_one_that_fails_is_taken_back() {
    let stack = Stack::start().await;
    let before = stack.balance(OKAFOR).await;
    let (intent, amount) = unallocated(&stack).await;
    let first = stack.refund(&intent, Some(100)).await;
    deliver_all(&stack, "refund.created").await;
    assert_eq!(stack.went_back(OKAFOR).await, [line("debit", "refund", 100)]);
    assert_agreed(&stack, OKAFOR, &intent).await;

    stack.refund(&intent, None).await;
    deliver_all(&stack, "charge.refunded").await;
    assert_eq!(stack.went_back(OKAFOR).await.len(), 2);
    assert_eq!(stack.balance(OKAFOR).await, before);
    assert_agreed(&stack, OKAFOR, &intent).await;

    let failed = stack.stripe().post(&format!("/_control/refunds/{first}/fail"), &json!({})).await;
    assert_eq!(failed.status, 200, "{}", failed.text);
    for kind in ["refund.failed", "refund.updated", "refund.created"] {
        deliver_all(&stack, kind).await;
    }
    let mut lines = stack.went_back(OKAFOR).await;
    lines.sort();
    let expected = [line("credit", "refund", 100), line("debit", "refund", 100), line("debit", "refund", amount - 100)];
    assert_eq!(lines, expected);
    assert_eq!(stack.balance(OKAFOR).await, before - 100);
    assert_agreed(&stack, OKAFOR, &intent).await;
}

#[tokio::test]
async fn a_refund_that_is_told_before_the_credit_is_kept_and_posted_after_it() {
    let stack = Stack::start().await;
    let before = stack.balance(OKAFOR).await;
    let (intent, amount) = captured(&stack).await;
    stack.refund(&intent, Some(100)).await;
    let event = stack.event("charge.refunded").await;
    stack.deliver(&event).await;
    assert!(stack.kept(&event).await.unwrap().contains_key("gsi1pk"), "nobody has claimed the payment");
    assert_eq!(stack.went_back(OKAFOR).await, []);
    for time in ["08:06", "08:15", "08:30"] {
        run_at(&stack, &at(7, time)).await;
    }
    assert_eq!(stack.went_back(OKAFOR).await, [line("debit", "refund", 100)]);
    assert_eq!(stack.balance(OKAFOR).await, before - amount + 100);
    assert_agreed(&stack, OKAFOR, &intent).await;
}

#[tokio::test]
async fn a_refund_that_is_told_while_the_rejection_is_open_is_posted_after_the_credit() {
    let stack = Stack::start().await;
    let before = stack.balance(NGUYEN).await;
    let intent = rejected_and_held(&stack).await;
    stack.capture_by_hand(&intent).await;
    stack.withdraw_faults().await;
    stack.refund(&intent, None).await;
    let event = stack.event("charge.refunded").await;
    // The first run credits, and the next one finds the credit.
    stack.deliver(&event).await;
    assert!(stack.kept(&event).await.unwrap().contains_key("gsi1pk"));
    run_at(&stack, &at(7, "08:10")).await;
    assert_eq!(stack.went_back(NGUYEN).await, [line("debit", "refund", 50_000)]);
    assert_eq!(stack.balance(NGUYEN).await, before);
    assert_agreed(&stack, NGUYEN, &intent).await;
}

#[tokio::test]
async fn a_refund_of_a_link_that_was_paid_by_another_is_posted_after_its_credit() {
    let stack = Stack::start().await;
    let (link, other) = (stack.link(None).await, stack.link(None).await);
    let (intent, late) = (stack.authorise_link(&link).await, stack.authorise_link(&other).await);
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    let before = stack.balance(OKAFOR).await;
    stack.capture_by_hand(&late).await;
    stack.refund(&late, None).await;
    let (event, (_, amount)) = (stack.event("charge.refunded").await, stack.captured().await.remove(1));
    stack.deliver(&event).await;
    run_at(&stack, &at(7, "08:10")).await;
    assert_eq!(stack.went_back(OKAFOR).await, [line("debit", "refund", amount)]);
    assert_eq!(stack.balance(OKAFOR).await, before);
    assert_agreed(&stack, OKAFOR, &late).await;
}

#[tokio::test]
async fn a_dispute_of_it_is_owed_until_it_is_won() {
    let stack = Stack::start().await;
    let (intent, amount) = unallocated(&stack).await;
    let before = stack.balance(OKAFOR).await;
    let charges = stack.stripe().charges().await;
    let charge = charges.iter().find(|charge| charge["paymentIntent"] == *intent).unwrap();
    let charge = charge["charge"].as_str().unwrap();
    let opened = stack.stripe().post(&format!("/_control/charges/{charge}/dispute"), &json!({})).await;
    assert_eq!(opened.status, 200, "{}", opened.text);
    deliver_all(&stack, "charge.dispute.created").await;
    deliver_all(&stack, "charge.dispute.funds_withdrawn").await;
    assert_eq!(stack.went_back(OKAFOR).await, [line("debit", "payment-auto-failed", amount)]);
    assert_agreed(&stack, OKAFOR, &intent).await;
    let dispute = opened.json()["id"].as_str().unwrap().to_owned();
    let closed = stack.stripe().post(&format!("/_control/disputes/{dispute}/close"), &json!({"outcome": "won"})).await;
    assert_eq!(closed.status, 200, "{}", closed.text);
    deliver_all(&stack, "charge.dispute.closed").await;
    assert_eq!(stack.went_back(OKAFOR).await.len(), 2);
    assert_eq!(stack.balance(OKAFOR).await, before);
    assert_agreed(&stack, OKAFOR, &intent).await;
}
