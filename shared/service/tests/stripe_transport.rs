//! What the transport sends, sends again, and concludes, seen from the other end of the wire.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod scripted_stripe;

use std::collections::BTreeMap;
use std::time::Duration;

use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;
use classpay_service::stripe::Payments as _;
use classpay_service::stripe::{
    EventQuery, Intent, Methods, NewIntent, PaymentMethodData, SavedCards, Secret, Stripe, StripeConfig, StripeError,
    Timing, Transport,
};
use scripted_stripe::{Reply, ScriptedStripe, Seen};
use serde_json::json;
use stripe_client_core::StripeRequest;
use stripe_core::payment_intent::{CancelPaymentIntent, RetrievePaymentIntent};

const KEY: &str = "cap:ord_1:1";

/// No pauses, and attempts that end soon: a test waits for nothing but the network of this machine.
fn config(base: &str) -> StripeConfig {
    let timing = Timing { attempt: Duration::from_millis(500), pause: Duration::ZERO, ..Timing::default() };
    StripeConfig { api_base: base.to_owned(), timing, ..StripeConfig::new(Secret::new("sk_test_1")) }
}

fn stripe(server: &ScriptedStripe) -> Stripe {
    Stripe::new(&config(&server.base)).unwrap()
}

fn account() -> AccountId {
    AccountId::parse("acct_1").unwrap()
}

fn intent_id() -> IntentId {
    IntentId::parse("pi_1").unwrap()
}

async fn capture(server: &ScriptedStripe) -> Result<Intent, StripeError> {
    stripe(server).capture_intent(&account(), &intent_id(), Money::minor(1029), KEY).await
}

/// An intent with everything that Stripe always sends and we don't read.
fn intent(status: &str) -> Reply {
    Reply::json(200, intent_json(status).to_string())
}

fn intent_json(status: &str) -> serde_json::Value {
    json!({
        "id": "pi_1", "object": "payment_intent", "amount": 1029, "amount_capturable": 0, "amount_received": 1029,
        "capture_method": "manual", "confirmation_method": "automatic", "created": 1_701_734_400,
        "currency": "gbp", "livemode": false, "metadata": {}, "payment_method_types": ["card"], "status": status,
        "client_secret": "pi_1_secret_x", "latest_charge": null, "payment_method": null,
    })
}

#[tokio::test]
async fn a_hundred_calls_share_one_connection() {
    let server = ScriptedStripe::start(vec![intent("requires_capture"); 100]).await;
    let stripe = stripe(&server);
    for _ in 0..100 {
        stripe.load_intent(&account(), &intent_id()).await.unwrap().unwrap();
    }
    assert_eq!(server.seen().iter().map(|seen| seen.connection).max(), Some(1));
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_costs_no_payment() {
    let closing = Reply::AnswerAndClose(intent_json("succeeded").to_string());
    let server = ScriptedStripe::start(vec![closing; 40]).await;
    let stripe = stripe(&server);
    for _ in 0..20 {
        stripe.capture_intent(&account(), &intent_id(), Money::minor(1029), KEY).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_carries_our_key_the_account_and_the_version() {
    let server = ScriptedStripe::start([intent("succeeded")]).await;
    capture(&server).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /v1/payment_intents/pi_1/capture HTTP/1.1");
    assert_eq!(seen.header("idempotency-key"), Some(KEY));
    assert_eq!(seen.header("stripe-account"), Some("acct_1"));
    assert_eq!(seen.header("authorization"), Some("Bearer sk_test_1"));
    assert_eq!(seen.header("stripe-version"), Some(stripe_client_core::VERSION.as_str()));
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert!(seen.body.starts_with("amount_to_capture=1029&expand"), "{}", seen.body);
}

#[tokio::test]
async fn a_lost_reply_is_asked_for_once_more_with_the_same_key() {
    let server = ScriptedStripe::start([Reply::HangUp, intent("succeeded")]).await;
    assert_eq!(capture(&server).await.unwrap().status, IntentStatus::Succeeded);
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
    assert_eq!(seen[0].body, seen[1].body);
}

#[tokio::test]
async fn a_reply_lost_twice_is_an_unknown_outcome() {
    let server = ScriptedStripe::start([Reply::HangUp, Reply::Silence, intent("succeeded")]).await;
    assert_eq!(capture(&server).await, Err(StripeError::OutcomeUnknown));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn nothing_done_after_a_lost_reply_is_still_unknown() {
    let server = ScriptedStripe::start([Reply::HangUp, Reply::error(429, "rate_limit"), Reply::error(429, "x")]).await;
    assert_eq!(capture(&server).await, Err(StripeError::OutcomeUnknown));
}

#[tokio::test]
async fn a_500_to_a_change_is_an_unknown_outcome_and_spoils_its_key() {
    let server = ScriptedStripe::start([Reply::error(500, "api_error"), intent("succeeded")]).await;
    assert_eq!(capture(&server).await, Err(StripeError::KeyExhausted));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn too_many_requests_are_sent_again_with_the_same_key() {
    let server = ScriptedStripe::start([Reply::error(429, "rate_limit"), intent("succeeded")]).await;
    capture(&server).await.unwrap();
    let keys: Vec<_> = server.seen().iter().map(|seen| seen.header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(keys, [Some(KEY.to_owned()), Some(KEY.to_owned())]);
}

#[tokio::test]
async fn stripe_s_word_against_a_retry_is_kept() {
    let reply = Reply::Answer(429, "stripe-should-retry: false", String::new());
    let server = ScriptedStripe::start([reply, intent("succeeded")]).await;
    assert_eq!(capture(&server).await, Err(StripeError::Unavailable));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_pause_that_stripe_asks_for_and_that_is_too_long_is_not_waited_for() {
    let reply = Reply::Answer(429, "retry-after: 60", String::new());
    let server = ScriptedStripe::start([reply, intent("succeeded")]).await;
    assert_eq!(capture(&server).await, Err(StripeError::Unavailable));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_decline_is_a_decline_and_bad_credentials_are_not() {
    let declined = r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"lost_card","message":"m"}}"#;
    let server = ScriptedStripe::start([Reply::json(402, declined), Reply::error(401, "api_key_expired")]).await;
    let Err(StripeError::Declined(rejection)) = capture(&server).await else { panic!("declined") };
    assert_eq!(
        (rejection.code.as_deref(), rejection.decline_code.as_deref()),
        (Some("card_declined"), Some("lost_card"))
    );
    assert!(matches!(capture(&server).await, Err(StripeError::Misconfigured(_))));
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let stripe = Stripe::new(&config(&base)).unwrap();
    let result = stripe.cancel_intent(&account(), &intent_id(), "rej:ord_1").await;
    assert_eq!(result, Err(StripeError::Unavailable));
}

#[tokio::test]
async fn a_change_without_a_key_of_ours_never_leaves() {
    let server = ScriptedStripe::start([intent("canceled")]).await;
    let transport = Transport::new(&config(&server.base)).unwrap();
    let keyless = CancelPaymentIntent::new("pi_1").customize();
    let random =
        CancelPaymentIntent::new("pi_1").customize().request_strategy(stripe_client_core::RequestStrategy::Retry(3));
    for request in [keyless, random] {
        assert!(matches!(request.send(&transport).await, Err(StripeError::Refused(_))));
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_read_is_sent_again_whatever_went_wrong_and_has_no_stray_question_mark() {
    let server = ScriptedStripe::start([Reply::HangUp, Reply::error(503, "x"), intent("canceled")]).await;
    let transport = Transport::new(&config(&server.base)).unwrap();
    RetrievePaymentIntent::new("pi_1").customize().send(&transport).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|seen| seen.line == "GET /v1/payment_intents/pi_1 HTTP/1.1"), "{seen:?}");
}

#[tokio::test]
async fn an_answer_that_can_t_be_read_is_an_unknown_outcome() {
    let strange = intent_json("fulfilled").to_string();
    let server = ScriptedStripe::start([Reply::json(200, "<html>"), Reply::json(200, strange)]).await;
    assert_eq!(capture(&server).await, Err(StripeError::OutcomeUnknown));
    assert_eq!(capture(&server).await, Err(StripeError::OutcomeUnknown), "a status that we don't know");
}

#[tokio::test]
async fn an_intent_that_is_not_there_is_none_and_a_proxy_s_404_is_not() {
    let page = || Reply::json(404, "<html>");
    let server = ScriptedStripe::start([Reply::error(404, "resource_missing"), page(), page(), page()]).await;
    let stripe = stripe(&server);
    assert_eq!(stripe.load_intent(&account(), &intent_id()).await, Ok(None));
    assert_eq!(stripe.load_intent(&account(), &intent_id()).await, Err(StripeError::Unavailable));
}

#[tokio::test]
async fn an_intent_is_made_for_a_card_and_captured_by_hand() {
    let server = ScriptedStripe::start([intent("requires_payment_method")]).await;
    let new = NewIntent {
        amount: Money::minor(1029),
        currency: "gbp",
        customer: CustomerId::parse("cus_1").unwrap(),
        methods: Methods::Card,
        metadata: BTreeMap::from([
            ("family".to_owned(), "fml_1".to_owned()),
            ("company".to_owned(), "co_1".to_owned()),
        ]),
    };
    let made = stripe(&server).create_intent(&account(), &new, "bk:1").await.unwrap();
    assert_eq!(
        (made.status, made.amount, made.currency.as_str()),
        (IntentStatus::RequiresPaymentMethod, Money::minor(1029), "gbp")
    );
    let body = percent_encoding::percent_decode_str(&server.seen()[0].body).decode_utf8().unwrap().into_owned();
    assert_eq!(
        body,
        "allowed_payment_method_types[0]=card&amount=1029&capture_method=manual&currency=gbp&customer=cus_1\
         &expand[0]=latest_charge.refunds&expand[1]=payment_method&metadata[company]=co_1&metadata[family]=fml_1"
    );
}

#[tokio::test]
async fn an_intent_brings_its_card_its_charge_and_its_refunds() {
    let server = ScriptedStripe::start([Reply::json(200, paid_and_refunded().to_string())]).await;
    let intent = stripe(&server).load_intent(&account(), &intent_id()).await.unwrap().unwrap();
    let query = percent_encoding::percent_decode_str(&server.seen()[0].line).decode_utf8().unwrap().into_owned();
    assert!(query.contains("?expand[0]=latest_charge.refunds&expand[1]=payment_method "), "{query}");
    let Some(PaymentMethodData::Card(card)) = intent.payment_method.map(|method| method.data) else { panic!("card") };
    assert_eq!((card.brand.as_str(), card.expiry_month, card.last4.as_str()), ("visa", 8, "4242"));
    let charge = intent.charge.unwrap();
    assert_eq!((charge.id.as_str(), charge.amount_refunded), ("ch_1", Money::minor(29)));
    assert_eq!(charge.refunds[0].created_on.to_string(), "2023-12-05");
}

fn paid_and_refunded() -> serde_json::Value {
    let refund = json!({
        "id": "re_1", "object": "refund", "amount": 29, "created": 1_701_734_400, "currency": "gbp",
        "status": "succeeded", "charge": "ch_1",
    });
    let mut intent = intent_json("succeeded");
    intent["latest_charge"] = json!({
        "id": "ch_1", "object": "charge", "amount": 1029, "amount_captured": 1029, "amount_refunded": 29,
        "billing_details": {"address": null, "email": null, "name": null, "phone": null, "tax_id": null},
        "captured": true, "created": 1_701_734_400, "currency": "gbp", "disputed": false, "livemode": false,
        "metadata": {}, "paid": true, "refunded": false, "status": "succeeded",
        "refunds": {"object": "list", "data": [refund], "has_more": false, "url": "/v1/charges/ch_1/refunds"},
    });
    intent["payment_method"] = json!({
        "id": "pm_1", "object": "payment_method", "type": "card", "created": 1_701_734_400, "livemode": false,
        "metadata": {}, "customer": "cus_1",
        "billing_details": {"address": null, "email": null, "name": null, "phone": null, "tax_id": null},
        "card": {
            "brand": "visa", "country": "US", "exp_month": 8, "exp_year": 2034, "funding": "credit",
            "last4": "4242", "checks": null, "wallet": null,
        },
    });
    intent
}

#[tokio::test]
async fn a_payment_form_gets_a_session_and_a_key_for_this_customer() {
    let session = json!({
        "object": "customer_session", "client_secret": "cuss_secret_1", "created": 1, "customer": "cus_1",
        "expires_at": 2, "livemode": false, "components": null,
    });
    let key = json!({
        "id": "ephkey_1", "object": "ephemeral_key", "associated_objects": [{"id": "cus_1", "type": "customer"}],
        "created": 1, "expires": 2, "livemode": false, "secret": "ek_1",
    });
    let customer = json!({
        "id": "cus_1", "object": "customer", "created": 1, "livemode": false, "metadata": {}, "name": "Ng",
    });
    let replies = [session, key, customer].map(|reply| Reply::json(200, reply.to_string()));
    let server = ScriptedStripe::start(replies).await;
    let (stripe, id) = (stripe(&server), CustomerId::parse("cus_1").unwrap());

    let session = stripe.create_customer_session(&account(), &id, SavedCards::Offered, "cs:1").await.unwrap();
    assert_eq!((session.customer_id, session.client_secret.expose()), (id.clone(), "cuss_secret_1"));
    let key = stripe.create_ephemeral_key(&account(), &id, "ek:1").await.unwrap();
    assert_eq!((key.secret.expose(), key.associated_object_id.as_str()), ("ek_1", "cus_1"));
    let made = stripe.create_customer(&account(), "Ng", &BTreeMap::new(), "cu:1").await.unwrap();
    assert_eq!(made, id);
}

#[tokio::test]
async fn events_are_listed_page_by_page_on_the_account_between_two_times() {
    let page = |id: &str, has_more: bool| {
        Reply::json(200, json!({"object": "list", "has_more": has_more, "data": [{"id": id}]}).to_string())
    };
    let server = ScriptedStripe::start([page("evt_2", true), page("evt_1", false)]).await;
    let stripe = stripe(&server);
    let (account, kinds) = (account(), ["refund.created", "refund.failed"]);
    let query = EventQuery { from_s: 5, until_s: 9, kinds: &kinds, after: None };
    let first = stripe.list_events(&account, query).await.unwrap();
    let second = stripe.list_events(&account, EventQuery { after: first.next.as_ref(), ..query }).await.unwrap();
    assert_eq!((first.events, second.next), (vec![r#"{"id":"evt_2"}"#.to_owned()], None));
    let seen = server.seen();
    let line = |seen: &Seen| seen.line.replace("%5B", "[").replace("%5D", "]");
    let asked = "created[gte]=5&created[lte]=9&limit=100";
    let types = "types[0]=refund.created&types[1]=refund.failed";
    assert_eq!(line(&seen[0]), format!("GET /v1/events?{asked}&{types} HTTP/1.1"));
    assert_eq!(line(&seen[1]), format!("GET /v1/events?{asked}&starting_after=evt_2&{types} HTTP/1.1"));
    for seen in seen {
        assert_eq!((seen.header("stripe-account"), seen.header("idempotency-key")), (Some("acct_1"), None));
    }
}

#[tokio::test]
async fn events_that_can_t_be_listed_are_unavailable_or_nobody_s_any_more() {
    let script = [Reply::HangUp, Reply::error(500, "api_error"), Reply::json(200, "<html>"), Reply::error(403, "x")];
    let server = ScriptedStripe::start(script).await;
    let (stripe, account) = (stripe(&server), account());
    let query = EventQuery { from_s: 5, until_s: 9, kinds: &["refund.created"], after: None };
    // A read is asked again until it is answered; this answer is none.
    assert_eq!(stripe.list_events(&account, query).await, Err(StripeError::Unavailable));
    assert_eq!(server.seen().len(), 3);
    assert!(matches!(stripe.list_events(&account, query).await, Err(StripeError::Misconfigured(_))));
}
