//! Nobody is asked to try again where trying again can't help.
//!
//! Invariant: every 5xx of the table is brought about here by each kind of reason that it has, and only what passes by
//! itself says after how many seconds.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps, and says what")]

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_service::http::ErrorCode;
use classpay_tests::studio::{COMPANY, OKAFOR, ballet_for_ada};
use classpay_tests::{Answer, Callee, Stack};
use serde_json::{Value, json};

/// Whether a failure ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Lasts,
    Passes,
}

/// How it is brought about.
#[derive(Debug, Clone, Copy)]
enum Cause {
    /// Our key is refused.
    Key,
    /// Stripe answers each call so.
    Stripe(&'static str),
    /// The table answers each call so.
    Table(&'static str),
    /// Something that is stored can't be read.
    Record,
    /// The table is gone.
    NoTable,
}

/// Every reason of a code. A code of 5xx without one fails.
fn reasons(code: ErrorCode) -> Vec<(Failure, &'static str, Cause)> {
    use Cause::{Key, NoTable, Record, Stripe, Table};
    use Failure::{Lasts, Passes};
    match code {
        ErrorCode::StripeMisconfigured => vec![
            (Lasts, "the studio has disconnected", Stripe(r#"{"refuse": {"status": 403, "code": "account_invalid"}}"#)),
            (
                Lasts,
                "a key that may not",
                Stripe(r#"{"refuse": {"status": 403, "code": "more_permissions_required"}}"#),
            ),
            (Lasts, "our key was revoked", Key),
        ],
        ErrorCode::StripeRefused => vec![
            (Lasts, "a parameter", Stripe(r#"{"refuse": {"status": 400, "code": "parameter_unknown", "param": "x"}}"#)),
            (
                Lasts,
                "an amount",
                Stripe(r#"{"refuse": {"status": 400, "code": "amount_too_small", "param": "amount"}}"#),
            ),
            (Lasts, "what the account may not", Stripe(r#"{"refuse": {"status": 400, "param": "capabilities"}}"#)),
        ],
        ErrorCode::Unavailable => vec![
            (Passes, "too many calls of Stripe", Stripe(r#"{"status": 429}"#)),
            (Passes, "a fault of Stripe's", Stripe(r#"{"status": 500}"#)),
            (Passes, "a key in use", Stripe(r#"{"status": 409}"#)),
            (Passes, "Stripe can't be reached", Stripe(r#"{"drop": "before"}"#)),
            (Passes, "Stripe's answers are lost", Stripe(r#"{"drop": "after"}"#)),
            (Passes, "the table can't be reached", Table(r#"{"drop": "before"}"#)),
        ],
        ErrorCode::Internal => {
            vec![(Lasts, "a record that can't be read", Record), (Lasts, "the table is gone", NoTable)]
        }
        other => panic!("{other} is a 5xx: what are its reasons?"),
    }
}

async fn order(stack: &Stack, cause: Cause) {
    let parsed = |what: &str| -> Value { serde_json::from_str(what).unwrap() };
    let ordered = match cause {
        Cause::Key => stack.stripe().post("/_control/keys/revoke", &json!({"key": "sk_test_local"})).await,
        Cause::Stripe(what) => {
            let fault = json!({"match": {}, "count": 1000, "do": parsed(what)});
            stack.stripe().post("/_control/faults", &fault).await
        }
        Cause::Table(what) => {
            let fault = json!({"match": {}, "count": 1000, "do": parsed(what)});
            stack.dynamodb().post("/_control/faults", &fault).await
        }
        Cause::Record => return rewrite_company(stack, "{}").await,
        Cause::NoTable => {
            let table = stack.table();
            table.client.delete_table().table_name(&table.name).send().await.unwrap();
            return;
        }
    };
    assert_eq!(ordered.status, 200, "{}", ordered.text);
}

/// The company's document is this from now on.
async fn rewrite_company(stack: &Stack, doc: &str) {
    let (table, pk) = (stack.table(), format!("C#{COMPANY}"));
    let mut item = table.get(&pk, "META").await.unwrap();
    item.insert("doc".into(), AttributeValue::S(doc.into()));
    table.client.put_item().table_name(&table.name).set_item(Some(item)).send().await.unwrap();
}

fn assert_honest(answer: &Answer, code: ErrorCode, failure: Failure, why: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (code.status(), code.as_str()), "{why}: {}", answer.text);
    let seconds = answer.headers.get("retry-after").map(|seconds| seconds.parse::<u32>().unwrap());
    let says_when = seconds.is_some_and(|seconds| seconds > 0);
    let asks_to = answer.text.to_lowercase().contains("try again");
    assert_eq!(
        (says_when, asks_to),
        (failure == Failure::Passes, failure == Failure::Passes),
        "{why}: {}",
        answer.text
    );
}

#[tokio::test]
async fn only_what_passes_says_when_to_come_back() {
    let stack = Stack::start().await;
    let link = stack.payment_links()[0].clone();
    let company = stack.table().get(&format!("C#{COMPANY}"), "META").await.unwrap();
    let company = company["doc"].as_s().unwrap().clone();
    let codes = || ErrorCode::ALL.iter().copied().filter(|code| code.status() >= 500);
    let reasons = codes().flat_map(|code| reasons(code).into_iter().map(move |reason| (code, reason)));
    // What can't be taken back comes last.
    let (last, first): (Vec<_>, Vec<_>) =
        reasons.partition(|(_, (.., cause))| matches!(cause, Cause::Key | Cause::NoTable));
    for (code, (failure, why, cause)) in first.into_iter().chain(last) {
        order(&stack, cause).await;
        let session = stack.family(OKAFOR).session(OKAFOR, &ballet_for_ada()).await;
        assert_honest(&session, code, failure, why);
        assert_honest(&stack.open_link(&link).await, code, failure, why);
        stack.withdraw_faults().await;
        stack.withdraw_faults_at(Callee::DynamoDb).await;
        if !matches!(cause, Cause::NoTable) {
            rewrite_company(&stack, &company).await;
        }
    }
}
