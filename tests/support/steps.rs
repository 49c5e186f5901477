//! Steps that tests have in common, and what an operator looks up after them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Api, Picture, Stack};

/// A kind of call to Stripe, as the stand-in's faults name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Creates an intent.
    Create,
    /// Reads an intent.
    Retrieve,
    /// Captures an intent.
    Capture,
    /// Cancels an intent.
    Cancel,
}

impl Call {
    fn matched(self) -> Value {
        let (method, route) = match self {
            Self::Create => ("POST", "/v1/payment_intents"),
            Self::Retrieve => ("GET", "/v1/payment_intents/{id}"),
            Self::Capture => ("POST", "/v1/payment_intents/{id}/capture"),
            Self::Cancel => ("POST", "/v1/payment_intents/{id}/cancel"),
        };
        json!({"method": method, "route": route})
    }
}

impl Stack {
    /// A family opens a payment session for these items. Returns the intent's id.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn open_session(&self, family: &str, items: &Value) -> String {
        intent_id(&self.family(family).session(family, items).await)
    }

    /// A family opens a payment session for an amount of its own. Returns the intent's id.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn open_session_of(&self, family: &str, amount: i64) -> String {
        let body = json!({"amount": amount, "transactionId": null});
        let path = format!("/v1/integrations/stripe/{family}/payment-sessions");
        intent_id(&self.family(family).post(&path, &body).await)
    }

    /// A family opens a session for these items and authorises it with a card that works. Returns the intent's id.
    ///
    /// # Panics
    /// If one of the two is refused.
    pub async fn authorise(&self, family: &str, items: &Value) -> String {
        let intent = self.open_session(family, items).await;
        self.confirm(&intent).await;
        intent
    }

    /// The same with an amount of the family's own.
    ///
    /// # Panics
    /// If one of the two is refused.
    pub async fn authorise_amount(&self, family: &str, amount: i64) -> String {
        let intent = self.open_session_of(family, amount).await;
        self.confirm(&intent).await;
        intent
    }

    /// The payer confirms with a card that works.
    ///
    /// # Panics
    /// If it is declined.
    pub async fn confirm(&self, intent: &str) {
        let answer = self.stripe().pay(intent, "pm_card_visa").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// The studio captures an intent by hand, in Stripe's dashboard.
    ///
    /// # Panics
    /// If Stripe refuses.
    pub async fn capture_by_hand(&self, intent: &str) {
        self.by_hand(&format!("/v1/payment_intents/{intent}/capture")).await;
    }

    /// The studio cancels an intent by hand, in Stripe's dashboard.
    ///
    /// # Panics
    /// If Stripe refuses.
    pub async fn cancel_by_hand(&self, intent: &str) {
        self.by_hand(&format!("/v1/payment_intents/{intent}/cancel")).await;
    }

    async fn by_hand(&self, path: &str) {
        let request = self.stripe().request(Method::POST, path);
        let request = request.bearer_auth("sk_test_dashboard").header("stripe-account", self.account());
        let answer = Api::send(request.header("content-type", "application/x-www-form-urlencoded")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// A family checks out.
    pub async fn check_out(&self, family: &str, intent: &str, items: &Value) -> Answer {
        self.family(family).checkout(family, Some(intent), items).await
    }

    /// The amount that a quote of these items charges now.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn quoted_payment(&self, family: &str, items: &Value) -> Value {
        let quote = self.family(family).quote(family, items).await;
        assert_eq!(quote.status, 200, "{}", quote.text);
        quote.json()["payment"].clone()
    }

    fn stripe_api(&self, path: &str) -> reqwest::RequestBuilder {
        let request = self.stripe().request(Method::GET, path).bearer_auth("sk_test_looks");
        request.header("stripe-account", self.account())
    }

    /// An intent, as Stripe's API shows it.
    ///
    /// # Panics
    /// If it doesn't exist.
    pub async fn intent(&self, intent: &str) -> Value {
        let answer = Api::send(self.stripe_api(&format!("/v1/payment_intents/{intent}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// The status of an intent, as Stripe's API shows it.
    ///
    /// # Panics
    /// If it doesn't exist.
    pub async fn intent_status(&self, intent: &str) -> String {
        self.intent(intent).await["status"].as_str().expect("a status").to_owned()
    }

    /// The number of intents at Stripe.
    ///
    /// # Panics
    /// If there is more than one page.
    pub async fn intent_count(&self) -> usize {
        let page = Api::send(self.stripe_api("/v1/payment_intents?limit=100")).await.json();
        assert_eq!(page["has_more"], false);
        page["data"].as_array().expect("a list").len()
    }

    /// Every intent at Stripe.
    ///
    /// # Panics
    /// If Stripe doesn't answer.
    pub async fn intents(&self) -> Vec<Value> {
        let mut intents: Vec<Value> = Vec::new();
        loop {
            let after = intents.last().and_then(|intent| intent["id"].as_str());
            let after = after.map(|id| format!("&starting_after={id}")).unwrap_or_default();
            let page = Api::send(self.stripe_api(&format!("/v1/payment_intents?limit=100{after}"))).await.json();
            intents.extend(page["data"].as_array().expect("a list").iter().cloned());
            if page["has_more"] != true {
                return intents;
            }
        }
    }

    /// The captures: intent and amount of each charge.
    ///
    /// # Panics
    /// If the stand-in doesn't answer.
    pub async fn captured(&self) -> Vec<(String, i64)> {
        let of = |charge: &Value| {
            let intent = charge["paymentIntent"].as_str().expect("a charge has an intent").to_owned();
            (intent, charge["amountCaptured"].as_i64().expect("a charge says what was captured"))
        };
        self.stripe().charges().await.iter().map(of).filter(|(_, captured)| *captured > 0).collect()
    }

    /// Injects a fault into the next `count` calls of this kind.
    ///
    /// # Panics
    /// If the stand-in doesn't know the fault.
    pub async fn order_fault(&self, call: Call, count: u32, what: &Value) {
        let fault = json!({"match": call.matched(), "count": count, "do": what});
        let answer = self.stripe().post("/_control/faults", &fault).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Withdraws the faults that have not been used up.
    ///
    /// # Panics
    /// If the stand-in doesn't answer.
    pub async fn withdraw_faults(&self) {
        let answer = Api::send(self.stripe().request(Method::DELETE, "/_control/faults")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Whether there are faults that have not been used up.
    ///
    /// # Panics
    /// If the stand-in doesn't answer.
    pub async fn has_faults_waiting(&self) -> bool {
        self.stripe().get("/_control/faults").await.json() != json!([])
    }

    /// Moves the clock of the stack, functions and Stripe included.
    ///
    /// # Panics
    /// If it can't be moved.
    pub async fn move_clock(&self, now: &str) {
        let answer = self.stripe().post("/_control/clock", &json!({"now": now})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// How many places a class has left.
    ///
    /// # Panics
    /// For a class that the studio doesn't have.
    pub async fn seats_left(&self, class: &str) -> i64 {
        let pk = format!("C#{}#CLS#{class}", self.company());
        let seats = self.table().get(&pk, "SEATS").await.expect("a class of the studio");
        let left = seats["seats_left"].as_n().expect("a number");
        left.parse().expect("a number")
    }

    /// What orders have posted to a family's ledger, in the ledger's order.
    ///
    /// # Panics
    /// If an entry isn't JSON.
    pub async fn posted(&self, family: &str) -> Vec<Value> {
        let ledger = self.ledger(family).await;
        ledger.into_iter().filter(|entry| !entry["transaction"]["orderId"].is_null()).collect()
    }

    /// A family's whole ledger, in order.
    ///
    /// # Panics
    /// If an entry isn't JSON.
    pub async fn ledger(&self, family: &str) -> Vec<Value> {
        let items = self.table().partition(&format!("C#{}#F#{family}#LEDGER", self.company()), "TRN#").await;
        items.iter().map(crate::entry).collect()
    }

    /// A student's enrolment in a class, if there is an item for it.
    pub async fn place(&self, family: &str, student: &str, class: &str) -> Option<crate::Item> {
        let pk = format!("C#{}#F#{family}", self.company());
        self.table().get(&pk, &format!("ENR#{student}#{class}")).await
    }

    /// Asserts that no item has been written since the snapshot.
    ///
    /// # Panics
    /// Lists what was written.
    pub async fn assert_unchanged_since(&self, before: &Picture) {
        let changes = before.changes(&self.table().picture().await);
        assert!(changes.is_empty(), "written: {changes:#?}");
    }
}

/// The id of the intent in a payment session.
///
/// # Panics
/// If the session was refused.
#[must_use]
pub fn intent_id(session: &Answer) -> String {
    assert_eq!(session.status, 200, "{}", session.text);
    session.json()["paymentIntent"]["id"].as_str().expect("an intent has an id").to_owned()
}

/// A refusal without the fields that differ each time.
#[must_use]
pub fn without_request_id(refusal: &Answer) -> Value {
    let mut body = refusal.json();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("requestId");
    }
    body
}
