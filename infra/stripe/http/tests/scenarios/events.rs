use serde_json::{Value, json};

use crate::harness::{START, STUDIO, TestStripe};

const INTENTS: &str = "/v1/payment_intents";
const WEEK: i64 = 7 * 24 * 60 * 60;

fn parse<T: miniserde::Deserialize>(value: &Value) -> T {
    miniserde::json::from_str(&value.to_string()).unwrap_or_else(|_| panic!("async-stripe can't parse {value}"))
}

#[tokio::test]
async fn a_captured_card_has_its_events_in_stripes_order() {
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    stripe.post_with_key(&format!("{INTENTS}/{id}/capture"), "", "cap:1").await.ok();
    let expected = [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ];
    assert_eq!(stripe.event_types().await, expected);
    // The replay of an answer makes no second event.
    stripe.post_with_key(&format!("{INTENTS}/{id}/capture"), "", "cap:1").await.ok();
    let events = stripe.get("/v1/events").await.ok();
    assert_eq!(events["data"].as_array().unwrap().len(), 5);
    let newest = &events["data"][0];
    assert_eq!(newest["request"]["idempotency_key"], "cap:1");
    assert!(newest["request"]["id"].as_str().unwrap().starts_with("req_"));
    assert_eq!(newest["data"]["object"]["amount_received"], 4200);
    let captured = &events["data"][1]["data"];
    assert_eq!(captured["previous_attributes"], json!({ "amount_captured": 0, "captured": false }));
    // The payer's action is not a request of ours.
    assert_eq!(events["data"][2]["request"], json!({ "id": null, "idempotency_key": null }));
    for event in events["data"].as_array().unwrap() {
        let parsed: stripe_shared::Event = parse(event);
        assert_eq!(parsed.account.as_deref(), Some(STUDIO));
        assert!(!matches!(parsed.type_, stripe_shared::EventType::Unknown(_)), "{}", event["type"]);
    }
}

#[tokio::test]
async fn a_decline_and_3d_secure_are_told() {
    let stripe = TestStripe::start().await;
    let form = "amount=100&currency=eur&allowed_payment_method_types[]=card&confirm=true\
                &payment_method=pm_card_chargeDeclined";
    stripe.post(INTENTS, form).await.refused(402, "card_declined");
    let asked = stripe.paid_by("pm_card_authenticationRequired", "currency=eur").await;
    let authenticate = format!("payment_intents/{}/authenticate", asked["id"].as_str().unwrap());
    stripe.control(&authenticate, json!({ "outcome": "fail" })).await.ok();
    let expected = [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "payment_intent.created",
        "payment_intent.requires_action",
        "payment_intent.payment_failed",
    ];
    assert_eq!(stripe.event_types().await, expected);
    // A request that is refused before execution leaves no event.
    stripe.post(INTENTS, "amount=100&currency=eur&confirm=true&payment_method=pm_card_visa").await;
    assert_eq!(stripe.event_types().await, expected);
}

#[tokio::test]
async fn a_hold_that_ends_is_told_once_at_its_time() {
    let stripe = TestStripe::start().await;
    let cancelled = stripe.hold().await;
    stripe.post(&format!("{INTENTS}/{cancelled}/cancel"), "").await.ok();
    assert_eq!(stripe.event_types().await[3..], ["charge.refunded", "payment_intent.canceled"]);

    let expired = stripe.hold().await;
    stripe.pass(WEEK + 60);
    let events = stripe.get("/v1/events?limit=2").await.ok();
    assert_eq!(stripe.event_types().await[8..], ["charge.expired", "payment_intent.canceled"]);
    let event = &events["data"][0];
    assert_eq!((&event["created"], &event["data"]["object"]["id"]), (&json!(START + WEEK), &json!(expired)));
    assert_eq!(event["data"]["object"]["cancellation_reason"], "automatic");
    let confirm = stripe.post(&format!("{INTENTS}/{expired}/confirm"), "payment_method=pm_card_visa").await;
    confirm.refused(400, "payment_intent_unexpected_state");
    stripe.get(&format!("{INTENTS}/{expired}")).await.ok();
    assert_eq!(stripe.event_types().await.len(), 10);
}

#[tokio::test]
async fn events_are_read_by_time_type_and_page_and_by_account() {
    let stripe = TestStripe::start().await;
    stripe.hold().await;
    stripe.pass(100);
    stripe.post("/v1/customers", "name=Ada").await.ok();
    let types = async |query: &str| -> Vec<String> {
        let events = stripe.get(&format!("/v1/events?{query}")).await.ok();
        events["data"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    };
    let since = format!("created[gte]={}", START + 100);
    assert_eq!(types(&since).await, ["customer.created"]);
    assert_eq!(types("type=charge.succeeded").await, ["charge.succeeded"]);
    let some = "types[]=payment_intent.created&types[]=customer.created";
    assert_eq!(types(some).await, ["customer.created", "payment_intent.created"]);
    assert_eq!(types("type=payment_intent.*&limit=1").await, ["payment_intent.amount_capturable_updated"]);
    let all = stripe.get("/v1/events").await.ok();
    let after = all["data"][1]["id"].as_str().unwrap();
    assert_eq!(types(&format!("starting_after={after}")).await, ["charge.succeeded", "payment_intent.created"]);
    assert_eq!(stripe.get("/v1/events?type=a&types[]=b").await.status, 400);

    let path = format!("/v1/events/{after}");
    assert_eq!(stripe.get(&path).await.ok(), all["data"][1]);
    stripe.get_as("acct_other", &path).await.refused(404, "resource_missing");
    assert_eq!(stripe.get_as("acct_other", "/v1/events").await.ok()["data"], json!([]));
}

#[tokio::test]
async fn customers_and_their_cards_are_told() {
    let stripe = TestStripe::start().await;
    let ada = stripe.post("/v1/customers", "name=Ada").await.ok();
    let path = format!("/v1/customers/{}", ada["id"].as_str().unwrap());
    stripe.post(&path, "name=Ada+L.").await.ok();
    let form = format!("customer={}", ada["id"].as_str().unwrap());
    let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &form).await.ok();
    stripe.post(&format!("/v1/payment_methods/{}/detach", card["id"].as_str().unwrap()), "").await.ok();
    stripe.delete(&path).await.ok();
    let expected = [
        "customer.created",
        "customer.updated",
        "payment_method.attached",
        "payment_method.detached",
        "customer.deleted",
    ];
    assert_eq!(stripe.event_types().await, expected);
    let updated = stripe.get("/v1/events?type=customer.updated").await.ok()["data"][0]["data"].clone();
    assert_eq!(updated["previous_attributes"], json!({ "name": "Ada" }));
    assert_eq!(updated["object"]["name"], "Ada L.");
}
