//! Payments that the studio captures by hand and for which nothing is booked.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_tests::entry;
use classpay_tests::studio::{self, ADA, BALLET, MINH, NGUYEN, OKAFOR, POINTE};
use classpay_tests::{Call, Stack};
use futures_util::future::join3;
use serde_json::{Value, json};

use super::{at, item, rejected_and_held, run, run_at, unfinished};

/// Makes something due now. Moving the clock would start a run of its own, and the runs here must be concurrent. Stripe
/// answers so slowly that each run has read before any has written.
async fn make_due(stack: &Stack, intent: &str, sk: &str) {
    let table = stack.table();
    let text = |text: String| AttributeValue::S(text);
    let update = table.client.update_item().table_name(&table.name);
    let update = update.key("pk", text(format!("PI#{}#{intent}", stack.account()))).key("sk", text(sk.to_owned()));
    let update = update.update_expression("SET gsi1sk = :due").condition_expression("attribute_exists(gsi1pk)");
    update.expression_attribute_values(":due", text("000000000001".to_owned())).send().await.unwrap();
    stack.order_fault(Call::Retrieve, 3, &json!({"delayMs": 1000})).await;
}

/// All entries of a family's ledger, including those of the studio's file.
async fn ledger(stack: &Stack, family: &str) -> Vec<Value> {
    let items = stack.table().partition(&format!("C#{}#F#{family}#LEDGER", stack.company()), "TRN#").await;
    items.iter().map(entry).collect()
}

/// One unallocated credit of that amount, the matching balance, one review record, and no more work.
async fn assert_credited_once(stack: &Stack, family: &str, intent: &str, amount: i64) {
    let entries = ledger(stack, family).await;
    let is_unallocated = |entry: &&Value| {
        let transaction = &entry["transaction"];
        transaction["type"] == "credit" && transaction["orderId"].is_null()
    };
    let credits: Vec<_> = entries.iter().filter(is_unallocated).collect();
    let [credit] = &credits[..] else { panic!("one credit: {entries:#?}") };
    assert_eq!(credit["transaction"]["relatedTransactionId"], json!(null));
    assert_eq!(credit["stats"]["total"], amount);
    assert_eq!(credit["details"].as_array().unwrap().len(), 1);
    let detail = &credit["details"][0]["details"];
    assert_eq!((&detail["type"], &detail["amount"]), (&json!("payment-auto"), &json!(amount)));
    let signed = |entry: &Value| {
        let total = entry["stats"]["total"].as_i64().unwrap();
        if entry["transaction"]["type"] == "debit" { total } else { -total }
    };
    let family = stack.table().get(&format!("C#{}#F#{family}", stack.company()), "META").await.unwrap();
    let balance: i64 = entries.iter().map(signed).sum();
    assert_eq!(family["family_balance"].as_n().unwrap(), &balance.to_string());
    let notes = stack.table().partition(&format!("REVIEW#{}", stack.company()), "").await;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0]["what"].as_s().unwrap().contains(intent));
    let claim = item(stack, intent, "CLAIM").await.unwrap();
    assert_eq!(claim["claim_decision"].as_s().unwrap(), "REJECTED");
    assert_eq!(unfinished(stack).await.len(), 0);
}

#[tokio::test]
async fn a_payment_that_the_studio_captures_by_hand_is_credited_once() {
    let stack = Stack::start().await;
    let basket = studio::ballet_for_ada();
    let intent = stack.authorise(OKAFOR, &basket).await;
    stack.capture_by_hand(&intent).await;
    let (_, amount) = stack.captured().await.remove(0);
    // A call has made a review record in the meantime.
    assert_eq!(stack.check_out(OKAFOR, &intent, &basket).await.code(), "payment_already_captured");

    make_due(&stack, &intent, "SESSION").await;
    join3(run(&stack), run(&stack), run(&stack)).await;
    assert_credited_once(&stack, OKAFOR, &intent, amount).await;
    run_at(&stack, &at(7, "10:00")).await;
    assert_credited_once(&stack, OKAFOR, &intent, amount).await;
    assert!(stack.place(OKAFOR, ADA, BALLET).await.is_none());

    let refusal = stack.check_out(OKAFOR, &intent, &basket).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "payment_already_captured"), "{}", refusal.text);
    assert!(!refusal.says_released(), "the payer has paid");
}

#[tokio::test]
async fn a_rejected_payment_that_the_studio_captures_by_hand_is_credited_once() {
    let stack = Stack::start().await;
    let intent = rejected_and_held(&stack).await;
    stack.capture_by_hand(&intent).await;
    stack.withdraw_faults().await;
    make_due(&stack, &intent, "CLAIM").await;
    let basket = studio::one(POINTE, MINH);
    let (answer, ..) = join3(stack.check_out(NGUYEN, &intent, &basket), run(&stack), run(&stack)).await;
    assert!(matches!(answer.status, 202 | 409), "{}", answer.text);
    assert_credited_once(&stack, NGUYEN, &intent, 50_000).await;
    let refusal = stack.check_out(NGUYEN, &intent, &basket).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "payment_already_captured"), "{}", refusal.text);
    assert!(!refusal.says_released(), "the payer has paid");
}
