//! The published examples of a retrieved payment link: every key of them is answered with its type.
//!
//! The examples are authoritative here; our own fields may be added.

use classpay_tests::Stack;
use serde_json::Value;

const EXAMPLE: &str = include_str!("retrieve-payment-link-200.json");
const WITH_TOTALS: &str = include_str!("retrieve-payment-link-200-with-totals.json");

/// The fields that the published page marks `| null`.
const NULLS: &[&str] = &[
    "aggregateTransaction.transaction.relatedTransactionId",
    "aggregateTransaction.transaction.orderId",
    "aggregateTransaction.transaction.deletedAt",
    "aggregateTransaction.details[].details.deletedAt",
    "paymentSession.paymentIntent.paymentMethod",
    "paymentSession.paymentIntent.charge",
];

/// The places where `answer` lacks a key of the example or has another type.
fn differences(answer: &Value, example: &Value, at: &str, found: &mut Vec<String>) {
    match (answer, example) {
        (Value::Null, _) if NULLS.contains(&at) => {}
        (Value::Object(answer), Value::Object(example)) => {
            for (key, example) in example {
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                match answer.get(key) {
                    Some(answer) => differences(answer, example, &at, found),
                    None => found.push(format!("{at} is missing")),
                }
            }
        }
        (Value::Array(answer), Value::Array(example)) => {
            let Some(example) = example.first() else { return };
            answer.iter().for_each(|element| differences(element, example, &format!("{at}[]"), found));
        }
        (Value::String(_), Value::String(_)) | (Value::Bool(_), Value::Bool(_)) => {}
        (Value::Number(answer), Value::Number(example)) if answer.is_i64() || example.is_f64() => {}
        _ => found.push(format!("{at} is {answer}, the example has {example}")),
    }
}

fn assert_like_the_examples(answer: &Value) {
    let mut found = Vec::new();
    for example in [EXAMPLE, WITH_TOTALS] {
        differences(answer, &serde_json::from_str(example).expect("the example is JSON"), "", &mut found);
    }
    assert!(found.is_empty(), "{found:#?}\n{answer:#}");
}

#[tokio::test]
async fn an_open_link_and_a_receipt_have_every_key_of_the_published_examples() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    assert_like_the_examples(&stack.open_link(&link).await.json());
    let intent = stack.authorise_link(&link).await;
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    let receipt = stack.open_link(&link).await.json();
    assert_like_the_examples(&receipt);
    let payment = &receipt["paymentSession"]["paymentIntent"];
    assert!(payment["paymentMethod"].is_object() && payment["charge"].is_object(), "{payment}");
}

#[tokio::test]
async fn a_refunded_link_shows_its_refunds_in_the_published_shape() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    let refund = format!("/_control/payment_intents/{intent}/refund");
    assert_eq!(stack.stripe().post(&refund, &serde_json::json!({"amount": 1000})).await.status, 200);
    let receipt = stack.open_link(&link).await.json();
    assert_like_the_examples(&receipt);
    let charge = &receipt["paymentSession"]["paymentIntent"]["charge"];
    assert_eq!((&charge["amountRefunded"], &charge["refunds"][0]["amount"]), (&1000.into(), &1000.into()));
}

#[tokio::test]
async fn a_paid_link_discloses_of_the_family_what_the_published_shape_demands_and_no_more() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    let paid = stack.process_link(&link, Some(&intent)).await.json();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    let family =
        "id companyId name joinedAt invitationStatus autopayEnabled profilePicture deletedAt archivedAt createdAt";
    assert_eq!(keys(&paid["family"]), family.split(' ').map(str::to_owned).collect());
    let answer = "paymentLink company family debitAggregateTransaction creditAggregateTransaction paymentIntent";
    assert_eq!(keys(&paid), answer.split(' ').map(str::to_owned).collect());
    let opened = stack.open_link(&link).await.text;
    for private in ["@", "phone", "students", "stu_", "enr_", "pm_saved"] {
        assert!(!opened.contains(private), "{private}: {opened}");
    }
}
