use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{STUDIO, Stand};

const INTENTS: &str = "/v1/payment_intents";
const NAMED: &str =
    "amount=4200&currency=gbp&allowed_payment_method_types[]=card&allowed_payment_method_types[]=bacs_debit";
const CARD: &str = "amount=4200&currency=gbp&allowed_payment_method_types[]=card";
const INVALID: &str = "payment_intent_invalid_parameter";

async fn order(stand: &Stand, account: &str, what: &str, body: Value) -> Value {
    stand.control(&format!("accounts/{account}/{what}"), body).await.ok()
}

#[tokio::test]
async fn a_type_that_the_account_does_not_take_is_refused_by_name() {
    let stand = Stand::start().await;
    assert_eq!(stand.told("accounts").await, json!([]));
    let told = order(&stand, STUDIO, "capabilities", json!({ "bacsDebitPayments": "inactive" })).await;
    assert_eq!((&told["bacsDebitPayments"], &told["cardPayments"]), (&json!("inactive"), &json!("active")));
    let error = stand.post_with_key(INTENTS, NAMED, "pl:1").await.refused(400, INVALID);
    let words = "The payment method type provided: bacs_debit is invalid. Please ensure the provided type is activated";
    assert!(error["message"].as_str().unwrap().starts_with(words), "{error}");
    assert_eq!(error["type"], "invalid_request_error");
    assert_eq!(error["param"], "allowed_payment_method_types");
    // The endpoint ran, so its key keeps this answer for a day, and other parameters need another key.
    let again = stand.post_with_key(INTENTS, NAMED, "pl:1").await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(stand.post_with_key(INTENTS, CARD, "pl:1").await.body["error"]["type"], "idempotency_error");
    assert_eq!(stand.post_with_key(INTENTS, CARD, "pl:2").await.ok()["payment_method_types"], json!(["card"]));

    let older = stand.call(Method::POST, INTENTS).header("stripe-version", "2026-08-26.dahlia");
    let form = "amount=100&currency=gbp&payment_method_types[]=card&payment_method_types[]=bacs_debit";
    let answer = older.header("stripe-account", STUDIO).body(form).send().await.unwrap();
    let answer = crate::harness::Answered::from(answer).await;
    assert_eq!(answer.refused(400, INVALID)["param"], "payment_method_types");

    // Another account is not affected, and a restored capability is accepted again.
    order(&stand, "acct_other", "capabilities", json!({ "card_payments": "pending" })).await;
    assert_eq!(stand.told("accounts").await.as_array().unwrap().len(), 2);
    order(&stand, STUDIO, "capabilities", json!({ "bacsDebitPayments": "active" })).await;
    let both = stand.post(INTENTS, NAMED).await.ok();
    assert_eq!(both["payment_method_types"], json!(["card", "bacs_debit"]));
}

#[tokio::test]
async fn an_update_and_a_confirmation_are_refused_too() {
    let stand = Stand::start().await;
    let both = stand.post(INTENTS, NAMED).await.ok();
    let card = stand.post(INTENTS, CARD).await.ok();
    order(&stand, STUDIO, "capabilities", json!({ "bacsDebitPayments": "inactive" })).await;
    let [both, card] = [both, card].map(|intent| format!("{INTENTS}/{}", intent["id"].as_str().unwrap()));
    let update = "allowed_payment_method_types[]=card&allowed_payment_method_types[]=bacs_debit";
    assert_eq!(stand.post(&card, update).await.refused(400, INVALID)["param"], "allowed_payment_method_types");
    let confirm = format!("{both}/confirm");
    let refused = stand.post(&confirm, "payment_method=pm_bacsDebit_success").await.refused(400, INVALID);
    assert_eq!(refused["param"], "payment_method");
    // The payer's browser gets the same answer.
    let path = format!("{}/confirm", both.trim_start_matches("/v1/"));
    let browser = stand.control(&path, json!({ "paymentMethod": "pm_bacsDebit_success" })).await;
    assert_eq!((browser.status, &browser.body["error"]["code"]), (400, &json!(INVALID)));
    assert_eq!(stand.post(&confirm, "payment_method=pm_card_visa").await.ok()["status"], "succeeded");
}

#[tokio::test]
async fn what_nobody_named_is_left_out() {
    let stand = Stand::start().await;
    order(&stand, STUDIO, "capabilities", json!({ "cardPayments": "inactive" })).await;
    assert_eq!(stand.post(INTENTS, "amount=100&currency=gbp").await.refused(400, INVALID)["param"], Value::Null);
    stand.post(INTENTS, CARD).await.refused(400, INVALID);
    order(&stand, STUDIO, "capabilities", json!({ "cardPayments": "active", "bacsDebitPayments": "inactive" })).await;
    assert_eq!(
        stand.post(INTENTS, "amount=100&currency=gbp").await.ok()["payment_method_types"],
        json!(["card", "link"])
    );
    order(&stand, STUDIO, "capabilities", json!({ "named": "left_out" })).await;
    assert_eq!(stand.post(INTENTS, NAMED).await.ok()["payment_method_types"], json!(["card"]));
}

#[tokio::test]
async fn what_was_ordered_of_an_account_outlives_the_process() {
    let folder = std::env::temp_dir().join(format!("classpay-accounts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("stripe.sqlite");
    let stand = Stand::open(&file).await;
    order(&stand, STUDIO, "capabilities", json!({ "bacsDebitPayments": "inactive" })).await;
    stand.kill().await;
    let stand = Stand::open(&file).await;
    stand.post(INTENTS, NAMED).await.refused(400, INVALID);
    stand.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_studio_disconnects_its_account_and_connects_it_again() {
    let stand = Stand::start().await;
    let id = stand.hold().await;
    order(&stand, STUDIO, "disconnect", json!({})).await;
    stand.get(&format!("{INTENTS}/{id}")).await.refused(403, "account_invalid");
    order(&stand, STUDIO, "connect", json!({})).await;
    assert_eq!(stand.get(&format!("{INTENTS}/{id}")).await.ok()["status"], "requires_capture");
    assert_eq!(stand.control("accounts/studio/disconnect", json!({})).await.status, 404);
    assert_eq!(stand.control(&format!("accounts/{STUDIO}/close"), json!({})).await.status, 404);
}

#[tokio::test]
async fn events_are_as_large_as_ordered() {
    const PADDING: usize = 50_000;
    let stand = Stand::start().await;
    order(&stand, STUDIO, "pad", json!({ "bytes": PADDING })).await;
    for _ in 0..50 {
        stand.hold().await;
    }
    let page = stand.get("/v1/events?limit=100").await;
    assert!(page.text.len() > 100 * PADDING, "{}", page.text.len());
    assert_eq!(page.ok()["has_more"], true);
    order(&stand, STUDIO, "pad", json!({ "bytes": 0 })).await;
    stand.hold().await;
    let latest = stand.get("/v1/events?limit=1").await;
    assert!(latest.text.len() < PADDING);
    let much = stand.control(&format!("accounts/{STUDIO}/pad"), json!({ "bytes": 2_000_000 })).await;
    assert_eq!(much.status, 400);
}
