use std::sync::Arc;

use classpay_stripe_standin::StandIn;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{START, TestStripe};

const INTENTS: &str = "/v1/payment_intents";

#[tokio::test]
async fn a_429_and_a_409_did_nothing_and_are_not_remembered() {
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    let capture = format!("{INTENTS}/{id}/capture");
    for (status, code) in [(429, "rate_limit"), (409, "idempotency_key_in_use")] {
        let fault = json!({
            "match": { "method": "POST", "path": "/capture" }, "count": 2,
            "do": { "status": status },
        });
        stripe.control("faults", fault).await.ok();
        for _ in 0..2 {
            stripe.post_with_key(&capture, "", "cap:1").await.refused(status, code);
        }
    }
    assert_eq!(stripe.post_with_key(&capture, "", "cap:1").await.ok()["status"], "succeeded");
}

#[tokio::test]
async fn a_dropped_connection_tells_nothing_of_what_was_done() {
    let stripe = TestStripe::start().await;
    for (when, status) in [("before", "requires_capture"), ("after", "succeeded")] {
        let id = stripe.hold().await;
        let capture = format!("{INTENTS}/{id}/capture");
        let fault = json!({ "match": { "path": "/capture" }, "do": { "drop": when } });
        stripe.control("faults", fault).await.ok();
        let broken = stripe.try_post_with_key(&capture, "", when).await;
        let error = broken.err().expect("no answer");
        assert_eq!(error.status(), None, "{error:?}");
        let now = stripe.get(&format!("{INTENTS}/{id}")).await.ok();
        assert_eq!(now["status"], status);
        // A repeated call gets the answer, whichever it was.
        let again = stripe.post_with_key(&capture, "", when).await.ok();
        assert_eq!(again["amount_received"], 4200);
    }
    let log = stripe.get_control("requests").await;
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
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    let fault = json!({ "match": { "path": "/capture" }, "do": { "delayMs": 200 } });
    stripe.control("faults", fault).await.ok();
    let url = format!("{INTENTS}/{id}/capture");
    let impatient = stripe
        .call(reqwest::Method::POST, &url)
        .header("stripe-account", crate::harness::STUDIO)
        .timeout(std::time::Duration::from_millis(50));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    let path = format!("{INTENTS}/{id}");
    assert_eq!(stripe.get(&path).await.ok()["status"], "requires_capture");
    loop {
        if stripe.get(&path).await.ok()["status"] == "succeeded" {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn calls_are_counted_and_logged() {
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    stripe.post_with_key(&format!("{INTENTS}/{id}/capture"), "", "cap:1").await.ok();
    let log = stripe.get_control("requests").await;
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
    let stripe = TestStripe::start().await;
    for wrong in [
        json!({ "do": { "status": 418 } }),
        json!({ "do": { "status": 429, "executed": true } }),
        json!({ "do": { "drop": "sometimes" } }),
        json!({ "match": { "colour": "red" }, "do": { "status": 500 } }),
        json!({ "count": 0, "do": { "status": 500 } }),
        json!({ "do": { "hang": "late" } }),
        json!({ "do": { "refuse": { "status": 500 } } }),
        json!({ "do": { "refuse": { "status": 409 } } }),
        json!({ "do": { "refuse": { "status": 403, "remembered": true } } }),
        json!({ "do": { "refuse": { "status": 400, "type": "odd_error" } } }),
    ] {
        assert_eq!(stripe.control("faults", wrong.clone()).await.status, 400, "{wrong}");
    }
    assert_eq!(stripe.get_control("faults").await, json!([]));
}

#[tokio::test]
async fn a_fault_lets_pass_what_it_is_told_to_let_pass() {
    let stripe = TestStripe::start().await;
    let fault = json!({ "match": { "method": "POST", "route": INTENTS }, "after": 2, "do": { "status": 429 } });
    stripe.control("faults", fault).await.ok();
    for _ in 0..2 {
        stripe.post(INTENTS, "amount=4200&currency=usd").await.ok();
    }
    stripe.post(INTENTS, "amount=4200&currency=usd").await.refused(429, "rate_limit");
    stripe.post(INTENTS, "amount=4200&currency=usd").await.ok();
}

#[tokio::test]
async fn what_is_dropped_late_lands_when_it_is_told_to() {
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    let capture = format!("{INTENTS}/{id}/capture");
    stripe.control("faults", json!({ "match": { "path": "/capture" }, "do": { "drop": "late" } })).await.ok();
    assert!(stripe.try_post_with_key(&capture, "", "cap:1").await.is_err());
    assert_eq!(stripe.get(&format!("{INTENTS}/{id}")).await.ok()["status"], "requires_capture");
    let landed = stripe.control("faults/land", json!({})).await.ok();
    assert_eq!(landed, json!([{ "method": "POST", "path": capture, "status": 200 }]));
    assert_eq!(stripe.get(&format!("{INTENTS}/{id}")).await.ok()["status"], "succeeded");
    // Its key has its answer now, and nothing is left to land.
    assert_eq!(stripe.post_with_key(&capture, "", "cap:1").await.header("idempotent-replayed"), Some("true"));
    assert_eq!(stripe.control("faults/land", json!({})).await.ok(), json!([]));
}

/// A call with a timeout, as its caller sees it.
async fn given_up(stripe: &TestStripe, path: &str, key: &str) -> reqwest::Error {
    let request = stripe.call(reqwest::Method::POST, path).header("stripe-account", crate::harness::STUDIO);
    let request = request.header("idempotency-key", key).timeout(std::time::Duration::from_millis(100));
    request.send().await.expect_err("nothing answers")
}

#[tokio::test]
async fn a_call_hangs_before_or_after_it_was_executed_until_its_caller_gives_up() {
    let stripe = TestStripe::start().await;
    for (when, status) in [("before", "requires_capture"), ("after", "succeeded")] {
        let id = stripe.hold().await;
        let capture = format!("{INTENTS}/{id}/capture");
        stripe.control("faults", json!({ "match": { "path": "/capture" }, "do": { "hang": when } })).await.ok();
        assert!(given_up(&stripe, &capture, when).await.is_timeout());
        assert_eq!(stripe.get(&format!("{INTENTS}/{id}")).await.ok()["status"], status);
        // The key isn't in use. A call that was executed is answered from it; one that wasn't is executed now.
        let again = stripe.post_with_key(&capture, "", when).await;
        assert_eq!(again.header("idempotent-replayed"), (when == "after").then_some("true"));
        assert_eq!(again.ok()["amount_received"], 4200);
    }
    let log = stripe.get_control("requests").await;
    let unanswered = log["calls"].as_array().unwrap().iter().filter(|call| call["status"].is_null());
    assert_eq!(unanswered.count(), 2);
}

#[tokio::test]
async fn a_refusal_is_answered_as_ordered_and_remembered_as_stripe_remembers() {
    let stripe = TestStripe::start().await;
    let created = "amount=4200&currency=gbp&allowed_payment_method_types[]=card";
    // The status, the other fields of the fault, the error's type, and whether the key stores it.
    for (status, refused, kind, remembered) in [
        (400, json!({ "code": "amount_too_small", "param": "amount" }), "invalid_request_error", true),
        (400, json!({ "code": "parameter_unknown", "param": "colour" }), "invalid_request_error", false),
        (400, json!({ "message": "No.", "remembered": false }), "invalid_request_error", false),
        (401, json!({ "message": "No." }), "invalid_request_error", false),
        (402, json!({ "code": "card_declined", "declineCode": "do_not_honor" }), "card_error", true),
        (
            403,
            json!({ "type": "invalid_request_error", "code": "oauth_not_supported" }),
            "invalid_request_error",
            false,
        ),
        (404, json!({ "code": "resource_missing", "param": "customer" }), "invalid_request_error", true),
    ] {
        let mut refuse = refused.clone();
        refuse["status"] = status.into();
        let fault = json!({ "match": { "method": "POST", "route": INTENTS }, "do": { "refuse": refuse } });
        stripe.control("faults", fault).await.ok();
        let key = format!("{status} {refused}");
        let answer = stripe.post_with_key(INTENTS, created, &key).await;
        let error = &answer.body["error"];
        assert_eq!((answer.status, &error["type"]), (status, &json!(kind)), "{}", answer.text);
        for (field, ordered) in [("code", "code"), ("param", "param"), ("decline_code", "declineCode")] {
            assert_eq!(error[field], refused[ordered], "{key}");
        }
        let again = stripe.post_with_key(INTENTS, created, &key).await;
        assert_eq!(
            (again.header("idempotent-replayed").is_some(), again.status != 200),
            (remembered, remembered),
            "{key}"
        );
    }
    // Four were executed afterwards, and none of the refused ones.
    assert_eq!(stripe.get(INTENTS).await.ok()["data"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_lasting_refusal_lasts_until_it_is_withdrawn() {
    let stripe = TestStripe::start().await;
    let refuse = json!({ "status": 403, "message": "Your account cannot currently make charges." });
    let fault = json!({ "match": { "path": "/capture" }, "lasting": true, "do": { "refuse": refuse } });
    assert_eq!(stripe.control("faults", fault).await.ok()[0]["lasting"], true);
    let id = stripe.hold().await;
    let capture = format!("{INTENTS}/{id}/capture");
    for _ in 0..5 {
        assert_eq!(stripe.post_with_key(&capture, "", "cap:1").await.status, 403);
    }
    let call = stripe.call(reqwest::Method::DELETE, "/_control/faults");
    assert!(call.send().await.unwrap().status().is_success());
    stripe.post_with_key(&capture, "", "cap:1").await.ok();
}
