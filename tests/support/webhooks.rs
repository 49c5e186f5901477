//! Stripe's events, delivered by the test itself: the stand-in's own or invented ones, signed as Stripe signs them.
//!
//! A test decides when an event arrives, and how often.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{Answer, Api, Item, Stack, signature};

/// The secret with which the stack's Stripe signs.
const SECRET: &str = "whsec_local";

impl Stack {
    /// Sends this body to the webhook, with this signature.
    pub async fn send_signed(&self, body: &str, signature: &str) -> Answer {
        Api::send(self.signed(body, signature)).await
    }

    /// Delivers an event at its own time, signed by Stripe.
    ///
    /// # Panics
    /// If it has no time.
    pub async fn send_event(&self, event: &Value) -> Answer {
        self.send_event_at(event, event["created"].as_i64().expect("a time")).await
    }

    async fn send_event_at(&self, event: &Value, time_s: i64) -> Answer {
        Api::send(self.signed_event_at(event, time_s)).await
    }

    /// The request that delivers an event at its own time, signed by Stripe.
    ///
    /// # Panics
    /// If it has no time.
    pub fn signed_event(&self, event: &Value) -> RequestBuilder {
        self.signed_event_at(event, event["created"].as_i64().expect("a time"))
    }

    fn signed_event_at(&self, event: &Value, time_s: i64) -> RequestBuilder {
        let body = event.to_string();
        let signature = signature(SECRET, &body, time_s);
        self.signed(&body, &signature)
    }

    fn signed(&self, body: &str, signature: &str) -> RequestBuilder {
        let call = self.caller(None).request(Method::POST, "/v1/stripe/webhook");
        let call = call.header("stripe-signature", signature).header("content-type", "application/json");
        call.body(body.to_owned())
    }

    /// Delivers an event signed by Stripe at that time.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn deliver_at(&self, event: &Value, time_s: i64) {
        let answer = self.send_event_at(event, time_s).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Delivers an event at its own time.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn deliver(&self, event: &Value) {
        self.deliver_at(event, event["created"].as_i64().expect("a time")).await;
    }

    /// The stand-in's events of this type on the studio's account, latest first.
    ///
    /// # Panics
    /// If the stand-in doesn't answer.
    pub async fn latest_events(&self, kind: &str) -> Vec<Value> {
        let call = self.stripe().request(Method::GET, &format!("/v1/events?limit=100&type={kind}"));
        let answer = Api::send(call.bearer_auth("sk_test_local").header("stripe-account", self.account())).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["data"].as_array().expect("a list").clone()
    }

    /// The same, oldest first.
    ///
    /// # Panics
    /// If the stand-in doesn't answer.
    pub async fn events(&self, kind: &str) -> Vec<Value> {
        let mut events = self.latest_events(kind).await;
        events.reverse();
        events
    }

    /// The latest event of this type.
    ///
    /// # Panics
    /// If there is none.
    pub async fn event(&self, kind: &str) -> Value {
        self.events(kind).await.pop().unwrap_or_else(|| panic!("no {kind}"))
    }

    /// The last event of this kind about an intent.
    ///
    /// # Panics
    /// If there is none.
    pub async fn event_of(&self, intent: &str, kind: &str) -> Value {
        let is_of = |event: &Value| {
            let object = &event["data"]["object"];
            [&object["id"], &object["payment_intent"]].into_iter().any(|id| id == intent)
        };
        self.events(kind).await.into_iter().rfind(is_of).unwrap_or_else(|| panic!("no {kind} of {intent}"))
    }

    /// An event as stored.
    pub async fn kept(&self, event: &Value) -> Option<Item> {
        let id = event["id"].as_str().unwrap_or_default();
        self.table().get(&format!("EVT#{}#{id}", self.account()), "META").await
    }

    /// The studio refunds this much of an intent's charge, or all of it. Returns the refund's id.
    ///
    /// # Panics
    /// If Stripe refuses.
    pub async fn refund(&self, intent: &str, amount: Option<i64>) -> String {
        let body = amount.map_or(json!({}), |amount| json!({"amount": amount}));
        let answer = self.stripe().post(&format!("/_control/payment_intents/{intent}/refund"), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// The lines of everything that orders didn't post, in the order of the ledger: what went back of payments.
    ///
    /// # Panics
    /// If an entry isn't JSON.
    pub async fn went_back(&self, family: &str) -> Vec<(String, String, i64)> {
        let items = self.table().partition(&format!("C#{}#F#{family}#LEDGER", self.company()), "TRN#").await;
        let mut lines = Vec::new();
        for item in items {
            let entry = crate::entry(&item);
            let head = &entry["transaction"];
            if !head["orderId"].is_null() || head["relatedTransactionId"].is_null() {
                continue;
            }
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            for line in entry["details"].as_array().expect("lines") {
                let line = &line["details"];
                lines.push((text(&head["type"]), text(&line["type"]), line["amount"].as_i64().expect("an amount")));
            }
        }
        lines
    }

    /// What a family owes.
    ///
    /// # Panics
    /// If there is no such family.
    pub async fn balance(&self, family: &str) -> i64 {
        let item = self.table().get(&format!("C#{}#F#{family}", self.company()), "META").await.expect("a family");
        item["family_balance"].as_n().expect("a number").parse().expect("an integer")
    }
}
