//! Actions of the studio in Stripe's dashboard, and of Stripe on the studio's account, at the stand-in.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Api, Stack};

impl Stack {
    /// Calls the stand-in's control, and returns its answer.
    ///
    /// # Panics
    /// If the stand-in refuses.
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

    /// The studio connects another account in place of the present one, as its file says.
    ///
    /// # Panics
    /// If the present account is not the one given.
    pub async fn connect(&self, account: &str, instead_of: &str) {
        let company = format!("C#{}", self.company());
        let quoted = |account: &str| format!("\"{account}\"");
        self.table().rewrite((&company, "META"), &quoted(instead_of), &quoted(account)).await;
        // They are in the order of the files; no account is named twice.
        let mut item = self.table().get(&company, "META").await.expect("the company");
        let mut accounts: Vec<String> = serde_json::from_str(item["accounts"].as_s().expect("a list")).expect("JSON");
        if !accounts.iter().any(|known| known == account) {
            accounts.push(account.to_owned());
        }
        item.insert("accounts".to_owned(), AttributeValue::S(serde_json::to_string(&accounts).expect("JSON")));
        self.table().put(item).await;
    }

    /// The studio changes to another account and disconnects this one at Stripe, which refuses our calls there.
    ///
    /// # Panics
    /// If the studio has left the account before.
    pub async fn leave_account(&self, for_another: &str) {
        self.connect(for_another, self.account()).await;
        self.at_stripe(&format!("accounts/{}/disconnect", self.account()), &json!({})).await;
    }

    /// The studio deletes a customer.
    ///
    /// # Panics
    /// If there is no customer with this id.
    pub async fn delete_customer(&self, customer: &str) {
        self.at_stripe(&format!("customers/{customer}/delete"), &json!({})).await;
    }

    /// The studio captures this much of an authorisation (minor units); the rest is released.
    ///
    /// # Panics
    /// If there is no such authorisation, or it holds less.
    pub async fn capture_at_stripe(&self, intent: &str, amount: i64) {
        self.at_stripe(&format!("payment_intents/{intent}/capture"), &json!({"amount": amount})).await;
    }

    /// The payer's bank opens an inquiry about a charge, and takes nothing. Returns the dispute's id.
    ///
    /// # Panics
    /// If nothing was captured, or the charge is disputed already.
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
    /// If the stand-in refuses the fault.
    pub async fn hang_at_stripe(&self, (method, route): (&str, &str)) {
        let matched = json!({"method": method, "route": route});
        self.at_stripe("faults", &json!({"match": matched, "do": {"hang": "after"}})).await;
    }

    /// A call that a phone makes to Stripe with the secret of an ephemeral key; `form` is already encoded.
    pub async fn by_phone(&self, secret: &str, (method, path): (Method, &str), form: &str) -> Answer {
        let call = self.stripe().request(method, path).bearer_auth(secret);
        Api::send(call.body(form.to_owned())).await
    }
}
