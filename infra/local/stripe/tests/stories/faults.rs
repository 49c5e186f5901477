use std::sync::Arc;

use classpay_stripe_standin::StandIn;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{START, Stand};

const INTENTS: &str = "/v1/payment_intents";

#[tokio::test]
async fn a_429_and_a_409_did_nothing_and_are_not_remembered() {
    let stand = Stand::start().await;
    let id = stand.hold().await;
    let capture = format!("{INTENTS}/{id}/capture");
    for (status, code) in [(429, "rate_limit"), (409, "idempotency_key_in_use")] {
        let fault = json!({
            "match": { "method": "POST", "path": "/capture" }, "count": 2,
            "do": { "status": status },
        });
        stand.control("faults", fault).await.ok();
        for _ in 0..2 {
            stand.post_with_key(&capture, "", "cap:1").await.refused(status, code);
        }
    }
    assert_eq!(stand.post_with_key(&capture, "", "cap:1").await.ok()["status"], "succeeded");
}

#[tokio::test]
async fn a_dropped_connection_tells_nothing_of_what_was_done() {
    let stand = Stand::start().await;
    for (when, status) in [("before", "requires_capture"), ("after", "succeeded")] {
        let id = stand.hold().await;
        let capture = format!("{INTENTS}/{id}/capture");
        let fault = json!({ "match": { "path": "/capture" }, "do": { "drop": when } });
        stand.control("faults", fault).await.ok();
        let broken = stand.try_post_with_key(&capture, "", when).await;
        let error = broken.err().expect("no answer");
        assert_eq!(error.status(), None, "{error:?}");
        let now = stand.get(&format!("{INTENTS}/{id}")).await.ok();
        assert_eq!(now["status"], status);
        // The same call again gets the answer, whichever it was.
        let again = stand.post_with_key(&capture, "", when).await.ok();
        assert_eq!(again["amount_received"], 4200);
    }
    let log = stand.told("requests").await;
    let dropped: Vec<&Value> =
        log["calls"].as_array().unwrap().iter().filter(|call| call["status"].is_null()).collect();
    assert_eq!(dropped.len(), 2);
}

#[tokio::test]
async fn the_router_breaks_the_connection_without_a_byte_too() {
    let standin = Arc::new(StandIn::memory(Arc::new(|| START)).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, standin.router()).await });
    let client = reqwest::Client::new();
    let order = json!({ "do": { "drop": "before" } }).to_string();
    let url = format!("http://{address}/_control/faults");
    assert!(client.post(url).body(order).send().await.unwrap().status().is_success());
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /v1/customers HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer sk_test_1\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    assert_eq!(String::from_utf8_lossy(&answer), "");
    server.abort();
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_stop_its_call() {
    let stand = Stand::start().await;
    let id = stand.hold().await;
    let fault = json!({ "match": { "path": "/capture" }, "do": { "delayMs": 200 } });
    stand.control("faults", fault).await.ok();
    let url = format!("{INTENTS}/{id}/capture");
    let impatient = stand
        .call(reqwest::Method::POST, &url)
        .header("stripe-account", crate::harness::STUDIO)
        .timeout(std::time::Duration::from_millis(50));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    let path = format!("{INTENTS}/{id}");
    assert_eq!(stand.get(&path).await.ok()["status"], "requires_capture");
    loop {
        if stand.get(&path).await.ok()["status"] == "succeeded" {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn calls_are_counted_and_logged() {
    let stand = Stand::start().await;
    let id = stand.hold().await;
    stand.post_with_key(&format!("{INTENTS}/{id}/capture"), "", "cap:1").await.ok();
    let log = stand.told("requests").await;
    assert_eq!(log["total"], 2);
    let last = &log["calls"][1];
    assert_eq!(last["path"], format!("{INTENTS}/{id}/capture"));
    assert_eq!((&last["account"], &last["idempotencyKey"]), (&json!("acct_studio"), &json!("cap:1")));
    let counted = json!({
        "method": "POST", "route": "/v1/payment_intents/{id}/capture", "status": 200, "count": 1,
    });
    assert!(log["counts"].as_array().unwrap().contains(&counted), "{log}");
}

#[tokio::test]
async fn an_impossible_fault_is_refused() {
    let stand = Stand::start().await;
    for wrong in [
        json!({ "do": { "status": 418 } }),
        json!({ "do": { "status": 429, "executed": true } }),
        json!({ "do": { "drop": "sometimes" } }),
        json!({ "match": { "colour": "red" }, "do": { "status": 500 } }),
        json!({ "count": 0, "do": { "status": 500 } }),
    ] {
        assert_eq!(stand.control("faults", wrong.clone()).await.status, 400, "{wrong}");
    }
    assert_eq!(stand.told("faults").await, json!([]));
}

#[tokio::test]
async fn a_fault_lets_pass_what_it_is_told_to_let_pass() {
    let stand = Stand::start().await;
    let fault = json!({ "match": { "method": "POST", "route": INTENTS }, "after": 2, "do": { "status": 429 } });
    stand.control("faults", fault).await.ok();
    for _ in 0..2 {
        stand.post(INTENTS, "amount=4200&currency=usd").await.ok();
    }
    stand.post(INTENTS, "amount=4200&currency=usd").await.refused(429, "rate_limit");
    stand.post(INTENTS, "amount=4200&currency=usd").await.ok();
}

#[tokio::test]
async fn what_is_dropped_late_lands_when_it_is_told_to() {
    let stand = Stand::start().await;
    let id = stand.hold().await;
    let capture = format!("{INTENTS}/{id}/capture");
    stand.control("faults", json!({ "match": { "path": "/capture" }, "do": { "drop": "late" } })).await.ok();
    assert!(stand.try_post_with_key(&capture, "", "cap:1").await.is_err());
    assert_eq!(stand.get(&format!("{INTENTS}/{id}")).await.ok()["status"], "requires_capture");
    let landed = stand.control("faults/land", json!({})).await.ok();
    assert_eq!(landed, json!([{ "method": "POST", "path": capture, "status": 200 }]));
    assert_eq!(stand.get(&format!("{INTENTS}/{id}")).await.ok()["status"], "succeeded");
    // Its key has its answer now, and nothing is left to land.
    assert_eq!(stand.post_with_key(&capture, "", "cap:1").await.header("idempotent-replayed"), Some("true"));
    assert_eq!(stand.control("faults/land", json!({})).await.ok(), json!([]));
}
