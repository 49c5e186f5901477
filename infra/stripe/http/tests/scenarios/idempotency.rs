use std::time::Duration;

use serde_json::json;

use crate::harness::TestStripe;

const INTENTS: &str = "/v1/payment_intents";
const FORM: &str = "amount=100&currency=usd&allowed_payment_method_types[]=card&metadata[a]=1";

#[tokio::test]
async fn the_same_key_is_answered_the_same_and_executed_once() {
    let stripe = TestStripe::start().await;
    let first = stripe.post_with_key(INTENTS, FORM, "key-1").await;
    assert_eq!(first.header("idempotency-key"), Some("key-1"));
    assert_eq!(first.header("idempotent-replayed"), None);
    // The same parameters in another order and encoding are the same parameters.
    let form = "currency=usd&metadata%5Ba%5D=1&amount=100&allowed_payment_method_types%5B%5D=card";
    let again = stripe.post_with_key(INTENTS, form, "key-1").await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_ne!(again.header("request-id"), first.header("request-id"));
    assert_eq!((again.status, again.text), (200, first.text));
    let list = stripe.get(&format!("{INTENTS}?")).await.ok();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_with_other_parameters_is_refused() {
    let stripe = TestStripe::start().await;
    stripe.post_with_key(INTENTS, FORM, "key-1").await.ok();
    let id = stripe.hold().await;
    let list = |types: [&str; 2]| types.map(|kind| format!("&allowed_payment_method_types[]={kind}")).concat();
    let [one, reversed] =
        [["card", "link"], ["link", "card"]].map(|types| format!("amount=100&currency=usd{}", list(types)));
    stripe.post_with_key(INTENTS, &one, "key-2").await.ok();
    let reordered = stripe.post_with_key(INTENTS, &reversed, "key-2").await;
    assert_eq!(reordered.body["error"]["type"], "idempotency_error", "the order of a list is significant");
    let other = [(INTENTS.to_owned(), "amount=200&currency=usd"), (format!("{INTENTS}/{id}"), FORM)];
    for (path, form) in other {
        let answer = stripe.post_with_key(&path, form, "key-1").await;
        assert_eq!((answer.status, &answer.body["error"]["type"]), (400, &json!("idempotency_error")));
    }
}

#[tokio::test]
async fn a_key_is_forgotten_after_24_hours() {
    let stripe = TestStripe::start().await;
    let first = stripe.post_with_key(INTENTS, FORM, "key-1").await.ok();
    stripe.pass(24 * 60 * 60 - 1);
    assert_eq!(stripe.post_with_key(INTENTS, FORM, "key-1").await.ok(), first);
    stripe.pass(1);
    assert_ne!(stripe.post_with_key(INTENTS, FORM, "key-1").await.ok()["id"], first["id"]);
}

#[tokio::test]
async fn a_decline_is_replayed_and_a_refused_parameter_is_not() {
    let stripe = TestStripe::start().await;
    let declined = format!("{FORM}&confirm=true&payment_method=pm_card_chargeDeclined");
    let first = stripe.post_with_key(INTENTS, &declined, "declined").await;
    let again = stripe.post_with_key(INTENTS, &declined, "declined").await;
    assert_eq!((first.status, again.status), (402, 402));
    assert_eq!(again.text, first.text);
    assert_eq!(stripe.get_control("charges").await.as_array().unwrap().len(), 1);

    stripe.post_with_key(INTENTS, "amount=1&currency=usd", "typo").await.refused(400, "amount_too_small");
    stripe.post_with_key(INTENTS, FORM, "typo").await.ok();
}

#[tokio::test]
async fn a_500_is_replayed_though_nothing_was_done() {
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    let capture = format!("{INTENTS}/{id}/capture");
    let fault = json!({ "match": { "path": "/capture" }, "do": { "status": 500 } });
    stripe.control("faults", fault).await.ok();
    for replayed in [None, Some("true")] {
        let answer = stripe.post_with_key(&capture, "", "cap:1").await;
        assert_eq!((answer.status, &answer.body["error"]["type"]), (500, &json!("api_error")));
        assert_eq!(answer.header("idempotent-replayed"), replayed);
    }
    assert_eq!(stripe.get(&format!("{INTENTS}/{id}")).await.ok()["status"], "requires_capture");
    assert_eq!(stripe.post_with_key(&capture, "", "cap:2").await.ok()["status"], "succeeded");
}

#[tokio::test]
async fn a_500_may_have_been_executed() {
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    let capture = format!("{INTENTS}/{id}/capture");
    let fault = json!({
        "match": { "route": "/v1/payment_intents/{id}/capture" },
        "do": { "status": 500, "executed": true },
    });
    stripe.control("faults", fault).await.ok();
    assert_eq!(stripe.post_with_key(&capture, "", "cap:1").await.status, 500);
    assert_eq!(stripe.post_with_key(&capture, "", "cap:1").await.status, 500);
    assert_eq!(stripe.get(&format!("{INTENTS}/{id}")).await.ok()["status"], "succeeded");
}

#[tokio::test]
async fn a_key_in_flight_is_in_use() {
    let stripe = TestStripe::start().await;
    stripe.control("faults", json!({ "do": { "delayMs": 300, "executed": true } })).await.ok();
    let first = stripe.post_with_key(INTENTS, FORM, "key-1");
    let second = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stripe.post_with_key(INTENTS, FORM, "key-1").await
    };
    let (first, second) = tokio::join!(first, second);
    let error = second.refused(409, "idempotency_key_in_use");
    assert_eq!(error["type"], "idempotency_error");
    let first = first.ok();
    assert_eq!(stripe.post_with_key(INTENTS, FORM, "key-1").await.ok(), first);
}

#[tokio::test]
async fn keys_of_two_accounts_are_two_keys() {
    let stripe = TestStripe::start().await;
    let mine = stripe.post_with_key(INTENTS, FORM, "key-1").await.ok();
    let theirs = stripe
        .call(reqwest::Method::POST, INTENTS)
        .header("stripe-account", "acct_other")
        .header("idempotency-key", "key-1")
        .body(FORM);
    let theirs: serde_json::Value = theirs.send().await.unwrap().json().await.unwrap();
    assert_eq!(theirs["object"], "payment_intent");
    assert_ne!(theirs["id"], mine["id"]);
}
