//! What a phone may do with its key, and what it may not.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answered, STUDIO, TestStripe};

const HOUR: i64 = 60 * 60;

async fn customer(stripe: &TestStripe) -> String {
    let customer = stripe.post("/v1/customers", "name=Jenny").await.ok();
    customer["id"].as_str().unwrap().to_owned()
}

async fn key(stripe: &TestStripe, customer: &str) -> Value {
    let request = stripe
        .call(Method::POST, "/v1/ephemeral_keys")
        .header("stripe-account", STUDIO)
        .header("stripe-version", "2026-09-30.endive")
        .body(format!("customer={customer}"));
    Answered::from(request.send().await.unwrap()).await.ok()
}

/// A phone with the secret of a key.
struct Phone<'a> {
    stripe: &'a TestStripe,
    secret: String,
}

impl<'a> Phone<'a> {
    async fn of(stripe: &'a TestStripe, customer: &str) -> Self {
        let key = key(stripe, customer).await;
        Self { stripe, secret: key["secret"].as_str().unwrap().to_owned() }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let client = reqwest::Client::new();
        client.request(method, format!("{}{path}", self.stripe.url)).bearer_auth(&self.secret)
    }

    async fn get(&self, path: &str) -> Answered {
        Answered::from(self.request(Method::GET, path).send().await.unwrap()).await
    }

    async fn post(&self, path: &str, form: &str) -> Answered {
        let request = self.request(Method::POST, path).body(form.to_owned());
        Answered::from(request.send().await.unwrap()).await
    }
}

#[tokio::test]
async fn a_key_opens_its_customer_and_that_customers_methods() {
    let stripe = TestStripe::start().await;
    let id = customer(&stripe).await;
    let phone = Phone::of(&stripe, &id).await;
    assert_eq!(phone.get(&format!("/v1/customers/{id}")).await.ok()["name"], "Jenny");
    let attached = phone.post("/v1/payment_methods/pm_card_visa/attach", &format!("customer={id}")).await.ok();
    assert_eq!(attached["customer"], id);
    for path in [format!("/v1/payment_methods?customer={id}&type=card"), format!("/v1/customers/{id}/payment_methods")]
    {
        assert_eq!(phone.get(&path).await.ok()["data"], json!([attached]));
    }
    // The studio's own key sees it too, and the phone may name its account.
    assert_eq!(stripe.get(&format!("/v1/payment_methods?customer={id}")).await.ok()["data"], json!([attached]));
    let own = phone.request(Method::GET, &format!("/v1/customers/{id}")).header("stripe-account", STUDIO);
    assert_eq!(own.send().await.unwrap().status(), 200);
    let detach = format!("/v1/payment_methods/{}/detach", attached["id"].as_str().unwrap());
    assert_eq!(phone.post(&detach, "").await.ok()["customer"], Value::Null);
    assert_eq!(phone.post(&detach, "").await.status, 403);
}

#[tokio::test]
async fn a_key_opens_nothing_else() {
    let stripe = TestStripe::start().await;
    let (id, other) = (customer(&stripe).await, customer(&stripe).await);
    let theirs = stripe.post("/v1/payment_methods/pm_card_visa/attach", &format!("customer={other}")).await.ok();
    let intent = stripe.hold().await;
    let phone = Phone::of(&stripe, &id).await;
    let refused = |answer: Answered| {
        assert_eq!(answer.status, 403, "{}", answer.text);
        assert_eq!(answer.body["error"]["type"], "invalid_request_error");
        let words = "does not have the required permissions for this endpoint on account 'acct_studio'";
        assert!(answer.text.contains(words), "{}", answer.text);
        assert!(!answer.text.contains(&phone.secret));
    };
    for path in [
        format!("/v1/customers/{other}"),
        format!("/v1/customers/{other}/payment_methods"),
        format!("/v1/payment_methods?customer={other}"),
        format!("/v1/payment_methods?customer={id}&customer={other}"),
        "/v1/payment_methods".to_owned(),
        "/v1/customers".to_owned(),
        "/v1/charges".to_owned(),
        "/v1/events".to_owned(),
        "/v1/payment_intents".to_owned(),
        format!("/v1/payment_intents/{intent}"),
    ] {
        refused(phone.get(&path).await);
    }
    let theirs = theirs["id"].as_str().unwrap();
    for (path, form) in [
        ("/v1/payment_intents".to_owned(), "amount=100&currency=gbp".to_owned()),
        (format!("/v1/payment_intents/{intent}/capture"), String::new()),
        (format!("/v1/payment_intents/{intent}/cancel"), String::new()),
        (format!("/v1/payment_methods/{theirs}/detach"), String::new()),
        ("/v1/payment_methods/pm_card_visa/attach".to_owned(), format!("customer={other}")),
        (format!("/v1/customers/{id}"), "name=Nobody".to_owned()),
        ("/v1/customers".to_owned(), "name=Nobody".to_owned()),
        ("/v1/ephemeral_keys".to_owned(), format!("customer={id}")),
        ("/v1/refunds".to_owned(), format!("payment_intent={intent}")),
    ] {
        refused(phone.post(&path, &form).await);
    }
    let elsewhere = phone.request(Method::GET, &format!("/v1/customers/{id}")).header("stripe-account", "acct_other");
    Answered::from(elsewhere.send().await.unwrap()).await.refused(403, "account_invalid");
    assert_eq!(stripe.get(&format!("/v1/payment_intents/{intent}")).await.ok()["status"], "requires_capture");
}

#[tokio::test]
async fn a_key_ends_after_an_hour_or_when_it_is_deleted() {
    let stripe = TestStripe::start().await;
    let id = customer(&stripe).await;
    let path = format!("/v1/customers/{id}");
    let phone = Phone::of(&stripe, &id).await;
    stripe.pass(HOUR - 1);
    phone.get(&path).await.ok();
    stripe.pass(1);
    phone.get(&path).await.refused(401, "api_key_expired");

    let key = key(&stripe, &id).await;
    let phone = Phone { stripe: &stripe, secret: key["secret"].as_str().unwrap().to_owned() };
    phone.get(&path).await.ok();
    stripe.delete(&format!("/v1/ephemeral_keys/{}", key["id"].as_str().unwrap())).await.ok();
    let answer = phone.get(&path).await;
    assert_eq!(answer.status, 401);
    assert!(!answer.text.contains(&phone.secret), "{}", answer.text);
    let made_up = Phone { stripe: &stripe, secret: "ek_test_made_up".to_owned() };
    assert_eq!(made_up.get(&path).await.status, 401);
}

#[tokio::test]
async fn a_key_of_a_deleted_customer_opens_a_stub() {
    let stripe = TestStripe::start().await;
    let id = customer(&stripe).await;
    let phone = Phone::of(&stripe, &id).await;
    stripe.control(&format!("customers/{id}/delete"), json!({})).await.ok();
    assert_eq!(phone.get(&format!("/v1/customers/{id}")).await.ok()["deleted"], true);
    let attach = phone.post("/v1/payment_methods/pm_card_visa/attach", &format!("customer={id}")).await;
    assert_eq!(attach.refused(400, "resource_missing")["param"], "customer");
}
