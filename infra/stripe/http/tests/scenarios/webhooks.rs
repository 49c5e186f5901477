use std::sync::Arc;

use classpay_stripe_standin::StandIn;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::harness::{START, STUDIO, TestStripe};
use crate::receiver::{Receiver, SECRET};

const DAY: i64 = 24 * 60 * 60;
const HOLD: [&str; 3] = ["payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated"];

async fn order_fault(stripe: &TestStripe, what: Value) {
    stripe.control("webhooks/faults", what).await.ok();
}

#[tokio::test]
async fn an_event_comes_as_it_happened_and_signed() {
    let (stripe, receiver) = Receiver::with_stripe().await;
    let id = stripe.hold().await;
    let told = stripe.control("webhooks/flush", json!({})).await.ok();
    assert_eq!(told["counts"]["delivered"], 3);
    let came = receiver.take();
    let kinds: Vec<&str> = came.iter().map(|came| came.kind()).collect();
    assert_eq!(kinds, HOLD);
    for came in &came {
        assert!(came.is_signed_with(SECRET) && !came.is_signed_with("whsec_other"), "{}", came.signature);
        assert!(came.signature.starts_with(&format!("t={START},v1=")), "{}", came.signature);
        assert_eq!((&came.event["account"], &came.event["livemode"]), (&json!(STUDIO), &json!(false)));
        assert_eq!((&came.event["object"], &came.event["pending_webhooks"]), (&json!("event"), &json!(1)));
        assert_eq!(came.event["api_version"], stripe_shared::version::VERSION.as_str());
    }
    // As it was then, even though it has changed since.
    assert_eq!(came[0].event["data"]["object"]["status"], "requires_payment_method");
    let held = stripe.get(&format!("/v1/payment_intents/{id}")).await.ok();
    assert_eq!(came[2].event["data"]["object"], held);
    let kept = stripe.get(&format!("/v1/events/{}", came[2].event["id"].as_str().unwrap())).await.ok();
    assert_eq!(kept["pending_webhooks"], 0);
    assert!(receiver.flushed(&stripe).await.is_empty());
}

#[tokio::test]
async fn during_a_rotation_both_secrets_fit() {
    let (stripe, receiver) = Receiver::with_stripe().await;
    let endpoint = json!({ "url": receiver.url, "secrets": ["whsec_new", "whsec_old"] });
    stripe.control("webhooks/endpoint", endpoint).await.ok();
    stripe.post("/v1/customers", "name=Ada").await.ok();
    stripe.control("webhooks/flush", json!({})).await.ok();
    let came = receiver.take();
    assert!(came[0].is_signed_with("whsec_new") && came[0].is_signed_with("whsec_old"));
    let overview = stripe.get_control("webhooks").await;
    assert_eq!(overview["endpoint"], json!({ "url": receiver.url, "secrets": 2 }));
}

#[tokio::test]
async fn nothing_leaves_the_machine() {
    let stripe = TestStripe::start().await;
    for url in ["https://127.0.0.1/", "http://example.com/", "http://127.0.0.1.example.com/", "/hook", "nowhere", ""] {
        let refused = stripe.control("webhooks/endpoint", json!({ "url": url, "secrets": ["whsec_1"] })).await;
        assert_eq!(refused.status, 400, "{url}");
        assert!(stripe.standin.deliver_to(url, &["whsec_1"]).is_err(), "{url}");
    }
    for url in ["http://localhost:1", "http://[::1]:9000/"] {
        stripe.standin.deliver_to(url, &["whsec_1"]).unwrap();
        assert!(stripe.standin.deliver_to(url, &[]).is_err(), "it needs a secret");
    }
}

#[tokio::test]
async fn what_fails_is_retried_later_and_later_and_given_up_after_three_days() {
    let (stripe, receiver) = Receiver::with_stripe().await;
    receiver.will_answer(&[500; 100]);
    stripe.post("/v1/customers", "name=Ada").await.ok();
    let attempts = async || receiver.flushed(&stripe).await.len();
    assert_eq!((attempts().await, attempts().await), (1, 0));
    for wait in [1, 5, 30, 5 * 60] {
        stripe.pass(wait - 1);
        assert_eq!(attempts().await, 0);
        stripe.pass(1);
        assert_eq!(attempts().await, 1);
    }
    let waiting = stripe.get_control("webhooks").await["deliveries"][0].clone();
    let expected = (&json!("waiting"), &json!(5), &json!(500));
    assert_eq!((&waiting["state"], &waiting["attempts"], &waiting["lastStatus"]), expected);
    stripe.pass(3 * DAY);
    assert_eq!(attempts().await, 1);
    stripe.pass(3 * DAY);
    assert_eq!(attempts().await, 0);
    let overview = stripe.get_control("webhooks").await;
    assert_eq!(overview["deliveries"][0]["state"], "givenUp");
    // Stripe's own list still contains it.
    assert_eq!(stripe.event_types().await, ["customer.created"]);
    let id = overview["deliveries"][0]["eventId"].clone();
    stripe.control("webhooks/replay", json!({ "eventId": id })).await.ok();
    assert_eq!(attempts().await, 1);
}

#[tokio::test]
async fn a_retry_does_not_hold_up_the_others_and_can_be_hurried() {
    let (stripe, receiver) = Receiver::with_stripe().await;
    receiver.will_answer(&[503]);
    stripe.hold().await;
    assert_eq!(receiver.flushed(&stripe).await, HOLD);
    let told = stripe.control("webhooks/flush", json!({ "all": true })).await.ok();
    assert_eq!(told["deliveries"][0]["state"], "delivered");
    assert_eq!(told["deliveries"][0]["attempts"], 2);
    assert_eq!(receiver.take()[0].kind(), HOLD[0]);
}

#[tokio::test]
async fn a_restart_finds_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.json");
    let receiver = Receiver::start().await;
    let stripe = TestStripe::open(&file).await;
    stripe.standin.deliver_to(&receiver.url, &[SECRET]).unwrap();
    receiver.will_answer(&[500]);
    order_fault(&stripe, json!({ "match": { "type": HOLD[1] }, "do": "holdBack" })).await;
    stripe.hold().await;
    assert_eq!(receiver.flushed(&stripe).await, [HOLD[0], HOLD[2]]);
    stripe.post("/v1/customers", "name=Ada").await.ok();
    let before = stripe.get("/v1/events").await.ok();
    stripe.kill().await;

    let stripe = TestStripe::open(&file).await;
    assert_eq!(stripe.get("/v1/events").await.ok(), before);
    // Nothing is delivered before the host sets an endpoint.
    assert!(receiver.flushed(&stripe).await.is_empty());
    stripe.standin.deliver_to(&receiver.url, &[SECRET]).unwrap();
    assert_eq!(receiver.flushed(&stripe).await, ["customer.created"]);
    stripe.pass(1);
    assert_eq!(receiver.flushed(&stripe).await, [HOLD[0]]);
    stripe.control("webhooks/release", json!({})).await.ok();
    assert_eq!(receiver.flushed(&stripe).await, [HOLD[1]]);
    stripe.stop().await;
}

#[tokio::test]
async fn deliveries_are_doubled_held_back_and_reordered_to_order() {
    let (stripe, receiver) = Receiver::with_stripe().await;
    order_fault(&stripe, json!({ "do": "duplicate" })).await;
    order_fault(&stripe, json!({ "match": { "type": "charge.*" }, "do": "holdBack" })).await;
    stripe.hold().await;
    assert_eq!(receiver.flushed(&stripe).await, [HOLD[0], HOLD[0], HOLD[2]]);
    let held = stripe.get_control("webhooks").await["deliveries"][1].clone();
    assert_eq!(held["state"], "held");
    let event = json!({ "eventId": held["eventId"] });
    assert_eq!(stripe.control("webhooks/release", event).await.ok()["released"], 1);
    assert_eq!(receiver.flushed(&stripe).await, [HOLD[1]]);

    order_fault(&stripe, json!({ "do": "reorder" })).await;
    stripe.hold().await;
    assert_eq!(receiver.flushed(&stripe).await, [HOLD[1], HOLD[0], HOLD[2]]);
    assert_eq!(stripe.get_control("webhooks/faults").await, json!([]));
}

#[tokio::test]
async fn the_last_in_the_queue_is_reordered_with_what_comes_later() {
    let (stripe, receiver) = Receiver::with_stripe().await;
    order_fault(&stripe, json!({ "do": "reorder" })).await;
    stripe.post("/v1/customers", "name=Ada").await.ok();
    assert!(receiver.flushed(&stripe).await.is_empty());
    stripe.hold().await;
    let expected = [HOLD[0], "customer.created", HOLD[1], HOLD[2]];
    assert_eq!(receiver.flushed(&stripe).await, expected);
}

#[tokio::test]
async fn an_event_is_mis_signed_or_lost_to_order() {
    let (stripe, receiver) = Receiver::with_stripe().await;
    order_fault(&stripe, json!({ "match": { "account": STUDIO }, "do": "misSign" })).await;
    order_fault(&stripe, json!({ "match": { "type": HOLD[1] }, "do": "lose" })).await;
    receiver.will_answer(&[400]);
    stripe.hold().await;
    stripe.control("webhooks/flush", json!({})).await.ok();
    let came = receiver.take();
    assert_eq!((came[0].kind(), came[1].kind(), came.len()), (HOLD[0], HOLD[2], 2));
    assert!(!came[0].is_signed_with(SECRET) && came[1].is_signed_with(SECRET));
    stripe.pass(1);
    stripe.control("webhooks/flush", json!({})).await.ok();
    let again = receiver.take();
    assert!(again[0].is_signed_with(SECRET));
    assert_eq!((again[0].event["id"].clone(), again.len()), (came[0].event["id"].clone(), 1));
    assert_eq!(stripe.event_types().await, HOLD);
    let missed = stripe.get("/v1/events?delivery_success=false").await.ok();
    assert_eq!((&missed["data"][0]["type"], missed["data"].as_array().unwrap().len()), (&json!(HOLD[1]), 1));
    order_fault(&stripe, json!({ "do": { "delayMs": 1 } })).await;
    stripe.post("/v1/customers", "name=Ada").await.ok();
    assert_eq!(receiver.flushed(&stripe).await, ["customer.created"]);
    let wrong = stripe.control("webhooks/faults", json!({ "do": "burn" })).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn a_receiver_that_is_away_costs_an_attempt() {
    let (stripe, receiver) = Receiver::with_stripe().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stripe.standin.deliver_to(&format!("http://{nobody}/"), &[SECRET]).unwrap();
    stripe.post("/v1/customers", "name=Ada").await.ok();
    let told = stripe.control("webhooks/flush", json!({})).await.ok();
    let delivery = &told["deliveries"][0];
    assert_eq!((&delivery["attempts"], &delivery["lastStatus"]), (&json!(1), &Value::Null));
    assert!(delivery["lastError"].as_str().unwrap().contains("connect"), "{delivery}");
    stripe.standin.deliver_to(&receiver.url, &[SECRET]).unwrap();
    stripe.pass(1);
    assert_eq!(receiver.flushed(&stripe).await, ["customer.created"]);
}

#[tokio::test]
async fn the_host_delivers_by_itself_until_it_is_told_to_stop() {
    let (stripe, receiver) = Receiver::with_stripe().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let deliverer = tokio::spawn(StandIn::deliver(Arc::clone(&stripe.standin), async move {
        stopped.await.ok();
    }));
    receiver.will_answer(&[500]);
    stripe.hold().await;
    let came = receiver.came(3).await;
    let kinds: Vec<&str> = came.iter().map(|came| came.kind()).collect();
    assert_eq!(kinds, HOLD);
    stripe.pass(1);
    assert_eq!(receiver.came(1).await[0].kind(), HOLD[0]);
    // No call is made: the clock alone makes the authorisation expire, and its events arrive.
    stripe.pass(7 * DAY);
    let came = receiver.came(2).await;
    assert_eq!((came[0].kind(), came[1].kind()), ("charge.expired", "payment_intent.canceled"));
    stop.send(()).unwrap();
    deliverer.await.unwrap();
}

#[tokio::test]
async fn a_connect_endpoint_hears_nothing_of_the_platform() {
    let (stripe, receiver) = Receiver::with_stripe().await;
    let own = stripe.call(reqwest::Method::POST, "/v1/customers").body("name=Platform");
    assert_eq!(own.send().await.unwrap().status(), 200);
    assert!(receiver.flushed(&stripe).await.is_empty());
    let own = stripe.call(reqwest::Method::GET, "/v1/events").send().await.unwrap();
    let own: Value = own.json().await.unwrap();
    assert_eq!((&own["data"][0]["type"], own["data"][0].get("account")), (&json!("customer.created"), None));
}
