//! What the studio does in Stripe's dashboard, and what Stripe does to the studio's account, at the stand-in.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Api, Stack};

impl Stack {
    /// An order of the stand-in's control, and its answer.
    ///
    /// # Panics
    /// If it refuses.
    pub async fn at_stripe(&self, path: &str, body: &Value) -> Value {
        let answer = self.stripe().post(&format!("/_control/{path}"), body).await;
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text);
        answer.json()
    }

    /// The studio's account gets this capability (`bacsDebitPayments`, `cardPayments`) in this status (`active`,
    /// `inactive`, `pending`).
    ///
    /// # Panics
    /// If there is no such capability or status.
    pub async fn set_capability(&self, capability: &str, status: &str) {
        self.at_stripe(&format!("accounts/{}/capabilities", self.account()), &json!({capability: status})).await;
    }

    /// The studio connects an account instead of another, as its file says.
    ///
    /// # Panics
    /// If the other is not the one that it has.
    pub async fn connect(&self, account: &str, instead_of: &str) {
        let company = format!("C#{}", self.company());
        let quoted = |account: &str| format!("\"{account}\"");
        self.table().rewrite((&company, "META"), &quoted(instead_of), &quoted(account)).await;
        // Their order is that of the files; none is named twice.
        let mut item = self.table().get(&company, "META").await.expect("the company");
        let mut accounts: Vec<String> = serde_json::from_str(item["accounts"].as_s().expect("a list")).expect("JSON");
        if !accounts.iter().any(|known| known == account) {
            accounts.push(account.to_owned());
        }
        item.insert("accounts".to_owned(), AttributeValue::S(serde_json::to_string(&accounts).expect("JSON")));
        self.table().put(item).await;
    }

    /// The studio leaves its account for another, and disconnects it at Stripe: our calls there are refused.
    ///
    /// # Panics
    /// If it has left it before.
    pub async fn leave_account(&self, for_another: &str) {
        self.connect(for_another, self.account()).await;
        self.at_stripe(&format!("accounts/{}/disconnect", self.account()), &json!({})).await;
    }

    /// The studio deletes a customer.
    ///
    /// # Panics
    /// If there is none of this id.
    pub async fn delete_customer(&self, customer: &str) {
        self.at_stripe(&format!("customers/{customer}/delete"), &json!({})).await;
    }

    /// The studio captures so much of an authorisation (minor units); the rest is let go.
    ///
    /// # Panics
    /// If there is no such authorisation, or not so much of it.
    pub async fn capture_at_stripe(&self, intent: &str, amount: i64) {
        self.at_stripe(&format!("payment_intents/{intent}/capture"), &json!({"amount": amount})).await;
    }

    /// The payer's bank asks about a charge, and takes nothing. The dispute's id.
    ///
    /// # Panics
    /// If nothing was taken, or the charge is disputed already.
    pub async fn inquire(&self, charge: &str) -> String {
        let told = self.at_stripe(&format!("charges/{charge}/dispute"), &json!({"inquiry": true})).await;
        told["id"].as_str().expect("an id").to_owned()
    }

    /// From now on Stripe refuses every call of this kind with this error, until the faults are withdrawn.
    ///
    /// # Panics
    /// If Stripe has no such error.
    pub async fn refuse_at_stripe(&self, (method, route): (&str, &str), refusal: &Value) {
        let matched = json!({"method": method, "route": route});
        self.at_stripe("faults", &json!({"match": matched, "lasting": true, "do": {"refuse": refusal}})).await;
    }

    /// Stripe executes the next call of this kind and never answers.
    ///
    /// # Panics
    /// If it doesn't take the order.
    pub async fn hang_at_stripe(&self, (method, route): (&str, &str)) {
        let matched = json!({"method": method, "route": route});
        self.at_stripe("faults", &json!({"match": matched, "do": {"hang": "after"}})).await;
    }

    /// A call that a phone makes at Stripe with the secret of an ephemeral key; `form` is encoded, as it is sent.
    pub async fn by_phone(&self, secret: &str, (method, path): (Method, &str), form: &str) -> Answer {
        let call = self.stripe().request(method, path).bearer_auth(secret);
        Api::send(call.body(form.to_owned())).await
    }
}
