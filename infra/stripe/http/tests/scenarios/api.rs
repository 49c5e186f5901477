use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answered, STUDIO, TestStripe};

const INTENTS: &str = "/v1/payment_intents";

#[tokio::test]
async fn a_call_without_a_test_key_is_refused() {
    let stripe = TestStripe::start().await;
    let client = reqwest::Client::new();
    let url = format!("{}/v1/customers", stripe.url);
    assert_eq!(client.get(&url).send().await.unwrap().status(), 401);
    let live = client.get(&url).header("authorization", "Bearer sk_live_veryverysecret");
    let answer = Answered::from(live.send().await.unwrap()).await;
    assert_eq!(answer.status, 401);
    assert!(!answer.text.contains("secret"), "{}", answer.text);
    assert!(answer.header("request-id").unwrap().starts_with("req_"));
    let basic = client.get(&url).header("authorization", "Basic c2tfdGVzdF8xMjM6");
    assert_eq!(basic.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_account_sees_nothing_of_another() {
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    let path = format!("{INTENTS}/{id}");
    stripe.get(&path).await.ok();
    let error = stripe.get_as("acct_other", &path).await.refused(404, "resource_missing");
    assert_eq!(error["message"], format!("No such payment_intent: '{id}'"));
    assert_eq!(stripe.get_as("acct_other", INTENTS).await.ok()["data"], json!([]));
    let platform = stripe.call(Method::GET, &path).send().await.unwrap();
    assert_eq!(platform.status(), 404);
    let capture = stripe.call(Method::POST, &format!("{path}/capture")).header("stripe-account", "acct_other");
    assert_eq!(capture.send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_disconnected_account_is_refused() {
    let stripe = TestStripe::start().await;
    stripe.get_as("acct_disconnected", "/v1/customers").await.refused(403, "account_invalid");
}

#[tokio::test]
async fn an_unknown_address_is_answered_as_stripe_does() {
    let stripe = TestStripe::start().await;
    for path in ["/v1/nothing", "/v1/payment_intents/", "/v1", "/"] {
        let answer = stripe.get(path).await;
        assert_eq!(answer.status, 404);
        let expected = format!("Unrecognized request URL (GET: {path}).");
        let message = answer.body["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[tokio::test]
async fn a_restart_finds_the_same_state() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.json");
    let stripe = TestStripe::open(&file).await;
    let id = stripe.hold().await;
    let path = format!("{INTENTS}/{id}?expand[]=latest_charge&expand[]=payment_method");
    let before = stripe.get(&path).await.ok();
    let capture = format!("{INTENTS}/{id}/capture");
    let other = stripe.hold().await;
    let taken = stripe.post_with_key(&format!("{INTENTS}/{other}/capture"), "", "cap:1").await;
    stripe.kill().await;

    let stripe = TestStripe::open(&file).await;
    assert_eq!(stripe.get(&path).await.ok(), before);
    let again = stripe.post_with_key(&format!("{INTENTS}/{other}/capture"), "", "cap:1").await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.text, taken.text);
    assert_eq!(stripe.post(&capture, "").await.ok()["amount_received"], 4200);
    stripe.stop().await;
}

#[tokio::test]
async fn ids_are_expanded_into_objects() {
    let stripe = TestStripe::start().await;
    let customer = stripe.post("/v1/customers", "name=Ada").await.ok();
    let form = format!(
        "amount=100&currency=usd&allowed_payment_method_types[]=card&confirm=true\
         &payment_method=pm_card_visa&customer={}&expand[]=latest_charge.refunds&expand[]=customer",
        customer["id"].as_str().unwrap()
    );
    let made = stripe.post(INTENTS, &form).await.ok();
    assert_eq!(made["customer"], customer);
    assert_eq!(made["latest_charge"]["refunds"]["data"], json!([]));
    let path = format!("{INTENTS}/{}", made["id"].as_str().unwrap());

    let plain = stripe.get(&path).await.ok();
    assert!(plain["latest_charge"].as_str().unwrap().starts_with("ch_"));
    let query = "expand%5B%5D=payment_method&expand%5B%5D=latest_charge.payment_intent";
    let expanded = stripe.get(&format!("{path}?{query}")).await.ok();
    assert_eq!(expanded["payment_method"]["card"]["last4"], "4242");
    assert_eq!(expanded["latest_charge"]["payment_intent"]["id"], plain["id"]);
    let list = stripe.get(&format!("{INTENTS}?expand[]=data.latest_charge")).await.ok();
    assert_eq!(list["data"][0]["latest_charge"]["object"], "charge");

    for wrong in ["amount", "latest_charge.colour", "data.customer"] {
        let answer = stripe.get(&format!("{path}?expand[]={wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_list_is_walked_page_by_page() {
    let stripe = TestStripe::start().await;
    let mut made = Vec::new();
    for amount in 101..=105 {
        // Two have the same time.
        stripe.pass(amount % 2);
        let form = format!("amount={amount}&currency=usd");
        made.push(stripe.post(INTENTS, &form).await.ok()["id"].clone());
    }
    made.reverse();
    let ids = |list: &Value| -> Vec<Value> {
        list["data"].as_array().unwrap().iter().map(|intent| intent["id"].clone()).collect()
    };
    let first = stripe.get(&format!("{INTENTS}?limit=2")).await.ok();
    assert_eq!((ids(&first), &first["has_more"]), (made[..2].to_vec(), &json!(true)));
    let after = |id: &Value| format!("{INTENTS}?limit=3&starting_after={}", id.as_str().unwrap());
    let rest = stripe.get(&after(&made[1])).await.ok();
    assert_eq!((ids(&rest), &rest["has_more"]), (made[2..].to_vec(), &json!(false)));
    let before = format!("{INTENTS}?limit=2&ending_before={}", made[4].as_str().unwrap());
    let before = stripe.get(&before).await.ok();
    assert_eq!((ids(&before), &before["has_more"]), (made[2..4].to_vec(), &json!(true)));
    let since = crate::harness::START + 2;
    let since = stripe.get(&format!("{INTENTS}?created[gte]={since}")).await.ok();
    assert_eq!(ids(&since), made[..3]);
}

#[tokio::test]
async fn who_asks_is_told_what_time_it_is() {
    let stripe = TestStripe::start().await;
    stripe.pass(60);
    assert_eq!(stripe.get_control("clock").await, json!({"nowS": crate::harness::START + 60}));
}

#[tokio::test]
async fn a_newcomers_curl_pays_with_a_form_or_with_nothing() {
    let stripe = TestStripe::start().await;
    for body in ["", "payment_method=pm_card_mastercard", "{\"paymentMethod\": \"pm_card_amex\"}"] {
        let intent = stripe.post(INTENTS, "amount=100&currency=usd").await.ok();
        let id = intent["id"].as_str().unwrap();
        let url = format!("{}/_control/payment_intents/{id}/confirm", stripe.url);
        let paid = reqwest::Client::new().post(url).body(body).send().await.unwrap();
        let paid = Answered::from(paid).await.ok();
        assert_eq!((&paid["status"], &paid["account"]), (&json!("succeeded"), &json!(STUDIO)));
    }
}
