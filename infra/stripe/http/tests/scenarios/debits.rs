use serde_json::{Value, json};

use crate::harness::TestStripe;

const INTENTS: &str = "/v1/payment_intents";
const TERMS: &str = "currency=gbp&allowed_payment_method_types[]=card&allowed_payment_method_types[]=bacs_debit\
                     &payment_method_options[card][capture_method]=manual";

async fn debit(stripe: &TestStripe, account: &str) -> String {
    let told = stripe.paid_by(account, TERMS).await;
    assert_eq!(told["status"], "processing");
    told["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_debit_is_under_way_until_the_bank_has_paid() {
    let stripe = TestStripe::start().await;
    let id = debit(&stripe, "pm_bacsDebit_success").await;
    let path = format!("{INTENTS}/{id}?expand[]=latest_charge&expand[]=payment_method");
    let answer = stripe.get(&path).await;
    let parsed: stripe_shared::PaymentIntent = miniserde::json::from_str(&answer.text).unwrap();
    assert_eq!(parsed.status, stripe_shared::PaymentIntentStatus::Processing);
    let intent = answer.ok();
    let account = &intent["payment_method"]["bacs_debit"];
    assert_eq!((&account["sort_code"], &account["last4"]), (&json!("108800"), &json!("2345")));
    assert_eq!(intent["payment_method"].get("card"), None);
    let charge = &intent["latest_charge"];
    assert_eq!((&charge["status"], &charge["paid"]), (&json!("pending"), &json!(false)));
    assert_eq!((&intent["amount_capturable"], &intent["amount_received"]), (&json!(0), &json!(0)));
    assert_eq!(stripe.get_control("charges").await[0]["amountCaptured"], 0);
    for call in ["capture", "cancel", "confirm"] {
        let refused = stripe.post(&format!("{INTENTS}/{id}/{call}"), "").await;
        refused.refused(400, "payment_intent_unexpected_state");
    }

    let settle = format!("payment_intents/{id}/settle");
    let told = stripe.control(&settle, json!({})).await.ok();
    assert_eq!((&told["status"], &told["amountReceived"]), (&json!("succeeded"), &json!(4200)));
    stripe.control(&settle, json!({})).await.refused(400, "payment_intent_unexpected_state");
    assert_eq!(stripe.get_control("charges").await[0]["amountCaptured"], 4200);
    let refunded = stripe.post("/v1/refunds", &format!("payment_intent={id}&amount=200")).await;
    let parsed: stripe_shared::Refund = miniserde::json::from_str(&refunded.text).unwrap();
    assert_eq!(parsed.destination_details.unwrap().type_, "gb_bank_transfer");
    let expected = [
        "payment_intent.created",
        "charge.pending",
        "payment_intent.processing",
        "charge.succeeded",
        "payment_intent.succeeded",
        "refund.created",
        "charge.refunded",
    ];
    assert_eq!(stripe.event_types().await, expected);
}

#[tokio::test]
async fn a_bank_that_does_not_pay_leads_back_to_the_start() {
    let stripe = TestStripe::start().await;
    let refused_by = async |account: &str, what: &str, body: Value, code: &str| {
        let id = debit(&stripe, account).await;
        let told = stripe.control(&format!("payment_intents/{id}/{what}"), body).await.ok();
        assert_eq!((&told["status"], &told["amountReceived"]), (&json!("requires_payment_method"), &json!(0)));
        let answer = stripe.get(&format!("{INTENTS}/{id}?expand[]=latest_charge")).await;
        let parsed: stripe_shared::PaymentIntent = miniserde::json::from_str(&answer.text).unwrap();
        assert!(parsed.last_payment_error.is_some());
        let intent = answer.ok();
        assert_eq!(intent["last_payment_error"]["code"], code);
        assert_eq!(intent["last_payment_error"]["charge"], intent["latest_charge"]["id"]);
        assert_eq!(intent["payment_method"], Value::Null);
        let charge = &intent["latest_charge"];
        assert_eq!((&charge["status"], &charge["failure_code"]), (&json!("failed"), &json!(code)));
        id
    };
    refused_by("pm_bacsDebit_success", "fail", json!({}), "insufficient_funds").await;
    refused_by("pm_bacsDebit_success", "fail", json!({ "code": "account_closed" }), "account_closed").await;
    refused_by("pm_bacsDebit_debitNotAuthorized", "settle", json!({}), "debit_not_authorized").await;
    let id = refused_by("pm_bacsDebit_insufficientFunds", "settle", json!({}), "insufficient_funds").await;
    let types = stripe.event_types().await;
    assert_eq!(types[types.len() - 2..], ["charge.failed", "payment_intent.payment_failed"]);
    // Another method still pays, and is held, because it is a card.
    let held = stripe.control(&format!("payment_intents/{id}/confirm"), json!({})).await.ok();
    assert_eq!(held["status"], "requires_capture");
}

#[tokio::test]
async fn a_debit_is_in_pounds_and_never_held() {
    let stripe = TestStripe::start().await;
    for terms in [
        "amount=100&currency=eur&allowed_payment_method_types[]=card&allowed_payment_method_types[]=bacs_debit",
        "amount=100&currency=gbp&capture_method=manual&allowed_payment_method_types[]=card\
         &allowed_payment_method_types[]=bacs_debit",
    ] {
        let intent = stripe.post(INTENTS, terms).await.ok();
        let confirm = format!("{INTENTS}/{}/confirm", intent["id"].as_str().unwrap());
        let refused = stripe.post(&confirm, "payment_method=pm_bacsDebit_success").await;
        refused.refused(400, "payment_intent_incompatible_payment_method");
    }
}
