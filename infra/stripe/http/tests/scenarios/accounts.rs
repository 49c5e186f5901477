use std::sync::Arc;

use classpay_stripe_standin::StandIn;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{START, STUDIO, TestStripe};

const INTENTS: &str = "/v1/payment_intents";
const NAMED: &str =
    "amount=4200&currency=gbp&allowed_payment_method_types[]=card&allowed_payment_method_types[]=bacs_debit";
const CARD: &str = "amount=4200&currency=gbp&allowed_payment_method_types[]=card";
const INVALID: &str = "payment_intent_invalid_parameter";

async fn order(stripe: &TestStripe, account: &str, what: &str, body: Value) -> Value {
    stripe.control(&format!("accounts/{account}/{what}"), body).await.ok()
}

#[tokio::test]
async fn a_type_that_the_account_does_not_take_is_refused_by_name() {
    let stripe = TestStripe::start().await;
    assert_eq!(stripe.get_control("accounts").await, json!([]));
    let told = order(&stripe, STUDIO, "capabilities", json!({ "bacsDebitPayments": "inactive" })).await;
    assert_eq!((&told["bacsDebitPayments"], &told["cardPayments"]), (&json!("inactive"), &json!("active")));
    let error = stripe.post_with_key(INTENTS, NAMED, "pl:1").await.refused(400, INVALID);
    let words = "The payment method type provided: bacs_debit is invalid. Please ensure the provided type is activated";
    assert!(error["message"].as_str().unwrap().starts_with(words), "{error}");
    assert_eq!(error["type"], "invalid_request_error");
    assert_eq!(error["param"], "allowed_payment_method_types");
    // The endpoint ran, so its key keeps this answer for a day, and other parameters need another key.
    let again = stripe.post_with_key(INTENTS, NAMED, "pl:1").await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(stripe.post_with_key(INTENTS, CARD, "pl:1").await.body["error"]["type"], "idempotency_error");
    assert_eq!(stripe.post_with_key(INTENTS, CARD, "pl:2").await.ok()["payment_method_types"], json!(["card"]));

    let older = stripe.call(Method::POST, INTENTS).header("stripe-version", "2026-08-26.dahlia");
    let form = "amount=100&currency=gbp&payment_method_types[]=card&payment_method_types[]=bacs_debit";
    let answer = older.header("stripe-account", STUDIO).body(form).send().await.unwrap();
    let answer = crate::harness::Answered::from(answer).await;
    assert_eq!(answer.refused(400, INVALID)["param"], "payment_method_types");

    // Another account is not affected, and a restored capability is accepted again.
    order(&stripe, "acct_other", "capabilities", json!({ "card_payments": "pending" })).await;
    assert_eq!(stripe.get_control("accounts").await.as_array().unwrap().len(), 2);
    order(&stripe, STUDIO, "capabilities", json!({ "bacsDebitPayments": "active" })).await;
    let both = stripe.post(INTENTS, NAMED).await.ok();
    assert_eq!(both["payment_method_types"], json!(["card", "bacs_debit"]));
}

#[tokio::test]
async fn an_update_and_a_confirmation_are_refused_too() {
    let stripe = TestStripe::start().await;
    let both = stripe.post(INTENTS, NAMED).await.ok();
    let card = stripe.post(INTENTS, CARD).await.ok();
    order(&stripe, STUDIO, "capabilities", json!({ "bacsDebitPayments": "inactive" })).await;
    let [both, card] = [both, card].map(|intent| format!("{INTENTS}/{}", intent["id"].as_str().unwrap()));
    let update = "allowed_payment_method_types[]=card&allowed_payment_method_types[]=bacs_debit";
    assert_eq!(stripe.post(&card, update).await.refused(400, INVALID)["param"], "allowed_payment_method_types");
    let confirm = format!("{both}/confirm");
    let refused = stripe.post(&confirm, "payment_method=pm_bacsDebit_success").await.refused(400, INVALID);
    assert_eq!(refused["param"], "payment_method");
    // The payer's browser gets the same answer.
    let path = format!("{}/confirm", both.trim_start_matches("/v1/"));
    let browser = stripe.control(&path, json!({ "paymentMethod": "pm_bacsDebit_success" })).await;
    assert_eq!((browser.status, &browser.body["error"]["code"]), (400, &json!(INVALID)));
    assert_eq!(stripe.post(&confirm, "payment_method=pm_card_visa").await.ok()["status"], "succeeded");
}

#[tokio::test]
async fn what_nobody_named_is_left_out() {
    let stripe = TestStripe::start().await;
    order(&stripe, STUDIO, "capabilities", json!({ "cardPayments": "inactive" })).await;
    assert_eq!(stripe.post(INTENTS, "amount=100&currency=gbp").await.refused(400, INVALID)["param"], Value::Null);
    stripe.post(INTENTS, CARD).await.refused(400, INVALID);
    order(&stripe, STUDIO, "capabilities", json!({ "cardPayments": "active", "bacsDebitPayments": "inactive" })).await;
    assert_eq!(
        stripe.post(INTENTS, "amount=100&currency=gbp").await.ok()["payment_method_types"],
        json!(["card", "link"])
    );
    order(&stripe, STUDIO, "capabilities", json!({ "named": "left_out" })).await;
    assert_eq!(stripe.post(INTENTS, NAMED).await.ok()["payment_method_types"], json!(["card"]));
}

#[tokio::test]
async fn what_was_ordered_of_an_account_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.json");
    let stripe = TestStripe::open(&file).await;
    order(&stripe, STUDIO, "capabilities", json!({ "bacsDebitPayments": "inactive" })).await;
    stripe.kill().await;
    let stripe = TestStripe::open(&file).await;
    stripe.post(INTENTS, NAMED).await.refused(400, INVALID);
    stripe.stop().await;
    for foreign in ["SQLite format 3", "{}", r#"{"format":"classpay stripe stand-in, 1"}"#] {
        std::fs::write(&file, foreign).unwrap();
        let error = StandIn::open(&file, Arc::new(|| START)).err().unwrap().to_string();
        assert!(error.starts_with("the Stripe stand-in's state can't be opened: "), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), foreign);
    }
}

#[tokio::test]
async fn a_studio_disconnects_its_account_and_connects_it_again() {
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    order(&stripe, STUDIO, "disconnect", json!({})).await;
    stripe.get(&format!("{INTENTS}/{id}")).await.refused(403, "account_invalid");
    order(&stripe, STUDIO, "connect", json!({})).await;
    assert_eq!(stripe.get(&format!("{INTENTS}/{id}")).await.ok()["status"], "requires_capture");
    assert_eq!(stripe.control("accounts/studio/disconnect", json!({})).await.status, 404);
    assert_eq!(stripe.control(&format!("accounts/{STUDIO}/close"), json!({})).await.status, 404);
}

#[tokio::test]
async fn events_are_as_large_as_ordered() {
    const PADDING: usize = 50_000;
    let stripe = TestStripe::start().await;
    order(&stripe, STUDIO, "pad", json!({ "bytes": PADDING })).await;
    for _ in 0..50 {
        stripe.hold().await;
    }
    let page = stripe.get("/v1/events?limit=100").await;
    assert!(page.text.len() > 100 * PADDING, "{}", page.text.len());
    assert_eq!(page.ok()["has_more"], true);
    order(&stripe, STUDIO, "pad", json!({ "bytes": 0 })).await;
    stripe.hold().await;
    let latest = stripe.get("/v1/events?limit=1").await;
    assert!(latest.text.len() < PADDING);
    let much = stripe.control(&format!("accounts/{STUDIO}/pad"), json!({ "bytes": 2_000_000 })).await;
    assert_eq!(much.status, 400);
}
