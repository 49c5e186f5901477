//! A client's safeguards: an idempotency key, and the hash of the quote that it saw.

use classpay_tests::studio::{self, ADA, OKAFOR, TAP};
use classpay_tests::{Answer, Api, Stack, assert_books_balance};
use reqwest::Method;
use serde_json::{Value, json};

async fn checkout_with(stack: &Stack, key: &str, body: &Value) -> Answer {
    let request = stack.family(OKAFOR).request(Method::POST, &format!("/v1/basket/{OKAFOR}/checkout"));
    Api::send(request.header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn a_repetition_with_the_same_key_gets_the_same_bytes_and_is_marked() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let body = json!({"paymentIntentId": intent, "items": studio::ballet_for_ada()});
    let first = checkout_with(&stack, "a-click", &body).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(first.headers.get("idempotent-replayed"), None);
    let again = checkout_with(&stack, "a-click", &body).await;
    assert_eq!((again.status, &again.text), (200, &first.text));
    assert_eq!(again.headers.get("idempotent-replayed").map(String::as_str), Some("true"));
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_key_is_for_one_body() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let body = json!({"paymentIntentId": intent, "items": studio::ballet_for_ada()});
    assert_eq!(checkout_with(&stack, "a-click", &body).await.status, 200);
    let before = stack.table().picture().await;
    let other = json!({"paymentIntentId": intent, "items": studio::one(TAP, ADA)});
    let refusal = checkout_with(&stack, "a-click", &other).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (422, "idempotency_key_reused"), "{}", refusal.text);
    stack.assert_unchanged_since(&before).await;
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_key_is_kept_for_a_basket_that_costs_nothing_as_well() {
    let stack = Stack::start().await;
    let body = json!({"paymentIntentId": null, "items": studio::open_studio_for_ada()});
    let first = checkout_with(&stack, "a-click", &body).await;
    let again = checkout_with(&stack, "a-click", &body).await;
    assert_eq!((first.status, again.status), (204, 204), "{} {}", first.text, again.text);
    assert_eq!(again.headers.get("idempotent-replayed").map(String::as_str), Some("true"));
    let other = json!({"paymentIntentId": null, "items": studio::one(TAP, ADA)});
    let refusal = checkout_with(&stack, "a-click", &other).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (422, "idempotency_key_reused"), "{}", refusal.text);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_key_that_was_refused_may_be_used_for_the_next_try() {
    let stack = Stack::start().await;
    let intent = stack.open_session(OKAFOR, &studio::ballet_for_ada()).await;
    let body = json!({"paymentIntentId": intent, "items": studio::ballet_for_ada()});
    let refusal = checkout_with(&stack, "a-click", &body).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "payment_not_authorised"), "{}", refusal.text);
    stack.confirm(&intent).await;
    let checkout = checkout_with(&stack, "a-click", &body).await;
    assert_eq!(checkout.status, 200, "{}", checkout.text);
    assert_eq!(checkout.headers.get("idempotent-replayed"), None);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn eight_clicks_with_one_key_are_one_purchase() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let body = json!({"paymentIntentId": intent, "items": studio::ballet_for_ada()});
    let clicks = (0..8).map(|_| checkout_with(&stack, "a-click", &body));
    let answers = futures_util::future::join_all(clicks).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (200, &answers[0].text));
    }
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn the_hash_of_the_quote_is_accepted_while_the_price_is_the_same() {
    let stack = Stack::start().await;
    let api = stack.family(OKAFOR);
    let quote = api.quote(OKAFOR, &studio::ballet_for_ada()).await.json();
    let path = format!("/v1/integrations/stripe/{OKAFOR}/payment-sessions");
    let session = |hash: &Value| json!({"items": studio::ballet_for_ada(), "transactionId": null, "quoteHash": hash});
    let refusal = api.post(&path, &session(&json!("0".repeat(64)))).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "quote_changed"), "{}", refusal.text);
    assert_eq!(refusal.json()["payment"], quote["payment"]);
    assert_eq!(stack.intent_count().await, 0, "no intent for a price that nobody saw");

    let opened = api.post(&path, &session(&quote["quoteHash"])).await;
    let intent = classpay_tests::intent_id(&opened);
    stack.confirm(&intent).await;
    let body = json!({"paymentIntentId": intent, "quoteHash": quote["quoteHash"], "items": studio::ballet_for_ada()});
    let checkout = api.post(&format!("/v1/basket/{OKAFOR}/checkout"), &body).await;
    assert_eq!(checkout.status, 200, "{}", checkout.text);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn another_quote_s_hash_releases_the_payment() {
    let stack = Stack::start().await;
    let api = stack.family(OKAFOR);
    let another = api.quote(OKAFOR, &studio::one(TAP, ADA)).await.json()["quoteHash"].clone();
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let body = json!({"paymentIntentId": intent, "quoteHash": another, "items": studio::ballet_for_ada()});
    let refusal = api.post(&format!("/v1/basket/{OKAFOR}/checkout"), &body).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "quote_changed"), "{}", refusal.text);
    assert_eq!(refusal.json()["paymentReleased"], true);
    assert_eq!(refusal.json()["payment"], stack.quoted_payment(OKAFOR, &studio::ballet_for_ada()).await);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_books_balance(&stack).await;
}
