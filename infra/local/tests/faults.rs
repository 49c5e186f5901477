//! Faults between a function and the embedded DynamoDB, as the SDK sees them.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{AppName, retry::RetryConfig};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use reqwest::Method;
use serde_json::{Value, json};

use crate::echo;

/// A table, called by a function that identifies itself and by a caller that doesn't.
struct Table {
    api: echo::Api,
    function: Client,
    nobody: Client,
}

impl Table {
    async fn start() -> Self {
        let api = echo::echo().await;
        let nobody = classpay_local::dynamodb::client(&api.stack.dynamodb_url, true);
        let named = nobody.config().to_builder().app_name(AppName::new("echo").unwrap());
        let function = Client::from_conf(named.retry_config(RetryConfig::disabled()).build());
        Self { api, function, nobody }
    }

    async fn control(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/_control/{path}", self.api.stack.dynamodb_url);
        let answer = self.api.client.request(method, url).body(body.to_string()).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn order(&self, fault: Value) {
        let (status, answer) = self.control(Method::POST, "faults", &fault).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// A transaction that puts these items where none exist.
    async fn put(&self, names: &[&str]) -> Result<(), SdkError<TransactWriteItemsError>> {
        let mut call = self.function.transact_write_items();
        for name in names {
            let put = Put::builder().table_name(&self.api.stack.table).condition_expression("attribute_not_exists(pk)");
            let put = put.item("pk", text(name)).item("sk", text("META")).build().unwrap();
            call = call.transact_items(TransactWriteItem::builder().put(put).build());
        }
        call.send().await.map(drop)
    }

    async fn has(&self, client: &Client, name: &str) -> Option<bool> {
        let get = client.get_item().table_name(&self.api.stack.table).key("pk", text(name)).key("sk", text("META"));
        get.consistent_read(true).send().await.ok().map(|answer| answer.item.is_some())
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn is_without_an_answer(error: &SdkError<TransactWriteItemsError>) -> bool {
    matches!(error, SdkError::DispatchFailure(failure) if !failure.is_user())
}

/// The codes of a cancelled transaction, by position.
fn reasons(error: SdkError<TransactWriteItemsError>) -> Vec<String> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.into_service_error() else {
        panic!("it was cancelled")
    };
    cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_dropped_connection_tells_nothing_of_what_was_done() {
    let table = Table::start().await;
    for (when, done) in [("before", false), ("after", true)] {
        table.order(json!({"match": {"operation": "TransactWriteItems"}, "do": {"drop": when}})).await;
        assert!(is_without_an_answer(&table.put(&[when]).await.unwrap_err()));
        assert_eq!(table.has(&table.nobody, when).await, Some(done), "{when}");
    }
    assert!(table.put(&["next"]).await.is_ok(), "each fault strikes once");
}

#[tokio::test]
async fn what_is_dropped_late_lands_when_it_is_told_to_or_before_a_later_call() {
    let table = Table::start().await;
    table.order(json!({"match": {"operation": "TransactWriteItems"}, "do": {"drop": "late"}})).await;
    assert!(is_without_an_answer(&table.put(&["told"]).await.unwrap_err()));
    assert_eq!(table.has(&table.function, "told").await, Some(false));
    let (_, landed) = table.control(Method::POST, "faults/land", &json!({})).await;
    assert_eq!(landed, json!([{"operation": "TransactWriteItems", "function": "echo", "status": 200}]));
    assert_eq!(table.has(&table.function, "told").await, Some(true));

    let late = json!({"drop": "late", "landAfterCalls": 1});
    table.order(json!({"match": {"operation": "TransactWriteItems"}, "do": late})).await;
    assert!(table.put(&["overtaken"]).await.is_err());
    assert_eq!(table.has(&table.nobody, "overtaken").await, Some(false), "only functions' calls count");
    assert_eq!(table.has(&table.function, "overtaken").await, Some(false));
    assert_eq!(table.has(&table.function, "overtaken").await, Some(true), "it landed just before this call");

    table.order(json!({"do": {"drop": "late", "landAfterMs": 1}})).await;
    assert!(table.put(&["by itself"]).await.is_err());
    while table.has(&table.nobody, "by itself").await != Some(true) {}
}

#[tokio::test]
async fn a_transaction_is_cancelled_for_the_reasons_that_were_ordered_and_nothing_is_done() {
    let table = Table::start().await;
    let (conflict, condition) = ("TransactionConflict", "ConditionalCheckFailed");
    for (cancel, told) in [
        (json!([{"at": 1, "code": conflict}]), ["None", conflict, "None"]),
        (json!([{"at": 0, "code": condition}, {"at": 2, "code": conflict}]), [condition, "None", conflict]),
        (json!([{"at": 99, "code": conflict}]), ["None", "None", conflict]),
    ] {
        table.order(json!({"do": {"cancel": cancel}})).await;
        assert_eq!(table.has(&table.function, "a").await, Some(false), "only a transaction can be cancelled");
        assert_eq!(reasons(table.put(&["a", "b", "c"]).await.unwrap_err()), told);
    }
    table.order(json!({"do": {"throttle": "table"}})).await;
    assert_eq!(reasons(table.put(&["a", "b"]).await.unwrap_err()), ["ThrottlingError", "None"]);
    assert!(table.put(&["a", "b", "c"]).await.is_ok());
    assert_eq!(reasons(table.put(&["d", "b"]).await.unwrap_err()), ["None", condition], "DynamoDB's own say so too");
}

#[tokio::test]
async fn a_500_may_have_done_it_and_a_throttled_call_has_not() {
    let table = Table::start().await;
    for (effect, code, done) in [
        (json!({"status": 500}), "InternalServerError", false),
        (json!({"status": 500, "executed": true}), "InternalServerError", true),
        (json!({"throttle": "calls"}), "ThrottlingException", false),
    ] {
        let name = effect.to_string();
        table.order(json!({"do": effect})).await;
        let error = table.put(&[&name]).await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some(code), "{name}");
        assert_eq!(table.has(&table.nobody, &name).await, Some(done), "{name}");
    }
    table.order(json!({"do": {"throttle": "table"}})).await;
    let get = table.function.get_item().table_name(&table.api.stack.table).key("pk", text("a")).key("sk", text("a"));
    let error = get.send().await.unwrap_err().into_service_error();
    assert!(error.is_provisioned_throughput_exceeded_exception(), "{error:?}");
    for executed in [false, true] {
        table.order(json!({"do": {"delayMs": 1, "executed": executed}})).await;
        assert!(table.put(&[&format!("delayed {executed}")]).await.is_ok());
    }
}

#[tokio::test]
async fn a_fault_strikes_the_calls_that_it_is_for_and_the_log_has_them_all() {
    let table = Table::start().await;
    table.order(json!({"match": {"function": "other"}, "do": {"drop": "before"}})).await;
    table.order(json!({"match": {"operation": "GetItem"}, "after": 1, "count": 2, "do": {"status": 500}})).await;
    let mut found = Vec::new();
    for _ in 0..4 {
        assert_eq!(table.has(&table.nobody, "a").await, Some(false), "nobody else's call is struck");
        found.push(table.has(&table.function, "a").await.is_some());
    }
    assert_eq!(found, [true, false, false, true]);
    let (_, waiting) = table.control(Method::GET, "faults", &json!({})).await;
    assert_eq!(waiting.as_array().unwrap().len(), 1);
    assert_eq!(table.control(Method::DELETE, "faults", &json!({})).await.1, json!({}));
    let (_, log) = table.control(Method::GET, "requests", &json!({})).await;
    assert_eq!(log["counts"], json!([{"operation": "GetItem", "function": "echo", "count": 4}]));
    let statuses: Vec<_> = log["calls"].as_array().unwrap().iter().map(|call| call["status"].as_u64()).collect();
    assert_eq!(statuses, [Some(200), Some(500), Some(500), Some(200)]);
    table.control(Method::DELETE, "requests", &json!({})).await;
    assert_eq!(table.control(Method::GET, "requests", &json!({})).await.1["total"], 0);
}

#[tokio::test]
async fn what_can_t_be_ordered_is_refused_with_a_reason() {
    let table = Table::start().await;
    for (fault, why) in [
        (json!({"count": 0, "do": {"drop": "before"}}), "count must be at least 1"),
        (json!({"do": {"status": 503}}), "status must be 500"),
        (
            json!({"match": {"operation": "GetItem"}, "do": {"cancel": [{"at": 0, "code": "None"}]}}),
            "only TransactWriteItems",
        ),
        (json!({"do": {"cancel": []}}), "for a reason"),
        (json!({"do": {"drop": "before", "landAfterMs": 1}}), "only what is dropped late lands"),
        (json!({"do": {"drop": "late", "landAfterMs": 1, "landAfterCalls": 1}}), "not both"),
        (json!({"do": {"explode": true}}), "did not match"),
        (json!({"match": {"verb": "GetItem"}, "do": {"drop": "before"}}), "unknown field"),
    ] {
        let (status, answer) = table.control(Method::POST, "faults", &fault).await;
        let told = answer["error"]["message"].as_str().unwrap();
        assert!(status == 400 && told.contains(why), "{fault}: {status} {answer}");
    }
}
