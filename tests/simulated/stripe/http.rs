//! The stand-in on a local port, and what happens around it.
//!
//! Calls of our service go through its own adapter; this module has payers, banks, the dashboard and faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use classpay_service::stripe::{Secret, Stripe, StripeConfig, StripeError, Timing};
use classpay_simulation::faults::{CallKind, Fault};
use classpay_stripe_standin::{StandIn, serve};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const SECRET_KEY: &str = "sk_test_1";

/// The stand-in.
pub struct Http {
    url: String,
    client: Client,
}

impl Http {
    /// A stand-in on that clock (milliseconds since 1970), and our adapter to it.
    pub async fn start(clock: &Arc<AtomicI64>) -> (Self, Stripe) {
        let clock = Arc::clone(clock);
        let now = Arc::new(move || clock.load(Ordering::Relaxed).div_euclid(1000));
        let standin = Arc::new(StandIn::memory(now).expect("SQLite in memory"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(serve(listener, standin, std::future::pending()));
        let timing = Timing { pause: Duration::ZERO, ..Timing::default() };
        let config = StripeConfig { api_base: url.clone(), timing, ..StripeConfig::new(Secret::new(SECRET_KEY)) };
        let stripe = Stripe::new(&config).expect("a sound configuration");
        (Self { url, client: Client::new() }, stripe)
    }

    /// Makes something happen around Stripe.
    pub async fn happens(&self, path: &str, body: &Value) -> Result<Value, StripeError> {
        let call = self.client.request(Method::POST, format!("{}/_control/{path}", self.url));
        Self::send(call.body(body.to_string())).await
    }

    /// Reads from the stand-in's control.
    pub async fn get_control(&self, path: &str) -> Value {
        let call = self.client.request(Method::GET, format!("{}/_control/{path}", self.url));
        Self::send(call).await.expect("an answer")
    }

    /// The studio changes something in its dashboard.
    pub async fn dashboard(&self, account: &str, path: &str, form: &str) -> Result<Value, StripeError> {
        let call = self.client.request(Method::POST, format!("{}/v1/{path}", self.url));
        let call = call.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
        Self::send(call.bearer_auth(SECRET_KEY).header("stripe-account", account)).await
    }

    /// The account's events, oldest first.
    pub async fn events(&self, account: &str) -> Vec<Value> {
        let call = self.client.request(Method::GET, format!("{}/v1/events?limit=100", self.url));
        let page = Self::send(call.bearer_auth(SECRET_KEY).header("stripe-account", account)).await.expect("a list");
        assert_eq!(page["has_more"], false, "a sequence is too long for one page");
        let mut events = page["data"].as_array().expect("a list").clone();
        events.reverse();
        events
    }

    /// The next call has this fault, however often our adapter sends it.
    pub async fn order(&self, fault: Fault) {
        let action = match fault {
            Fault::None => return,
            Fault::NotSent | Fault::Refused => json!({"status": 429}),
            Fault::RequestLost | Fault::Late => json!({"drop": "before"}),
            Fault::ReplyLost => json!({"drop": "after"}),
            Fault::Stored500 => json!({"status": 500}),
            Fault::Stored500Done => json!({"status": 500, "executed": true}),
        };
        self.happens("faults", &json!({"count": 10, "do": action})).await.expect("it is ordered");
    }

    /// Every call of a kind is refused, until that is withdrawn.
    pub async fn refuse(&self, kind: CallKind, (status, code): (u16, &str)) {
        let route = match kind {
            CallKind::CreateIntent => "/v1/payment_intents",
            CallKind::Capture => "/v1/payment_intents/{id}/capture",
            CallKind::Cancel => "/v1/payment_intents/{id}/cancel",
            CallKind::CreateCustomer => "/v1/customers",
            CallKind::CustomerSession => "/v1/customer_sessions",
            CallKind::EphemeralKey => "/v1/ephemeral_keys",
            other => panic!("{other:?} changes nothing"),
        };
        let refused = json!({"status": status, "code": code});
        let matched = json!({"method": "POST", "route": route});
        let fault = json!({"match": matched, "lasting": true, "do": {"refuse": refused}});
        self.happens("faults", &fault).await.expect("it is ordered");
    }

    /// Withdraws the unused faults.
    pub async fn withdraw(&self) {
        let call = self.client.request(Method::DELETE, format!("{}/_control/faults", self.url));
        Self::send(call).await.expect("they are withdrawn");
    }

    async fn send(call: reqwest::RequestBuilder) -> Result<Value, StripeError> {
        let answer = call.send().await.expect("the stand-in answers");
        let status = answer.status().as_u16();
        let body = answer.bytes().await.expect("a whole answer");
        if status >= 400 {
            return Err(StripeError::from_answer(status, &body));
        }
        Ok(serde_json::from_slice(&body).expect("JSON"))
    }
}
