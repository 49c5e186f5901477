use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answered, START, STUDIO, TestStripe};

async fn customer(stripe: &TestStripe) -> String {
    let form = "name=Ada+Lovelace&email=ada%40example.com&metadata[family]=fml_1";
    let customer = stripe.post("/v1/customers", form).await.ok();
    assert_eq!((&customer["name"], &customer["email"]), (&json!("Ada Lovelace"), &json!("ada@example.com")));
    customer["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_customer_is_made_changed_listed_and_deleted() {
    let stripe = TestStripe::start().await;
    let id = customer(&stripe).await;
    let path = format!("/v1/customers/{id}");
    let changed = stripe.post(&path, "email=&phone=123&address[city]=London").await.ok();
    assert_eq!((&changed["email"], &changed["phone"]), (&Value::Null, &json!("123")));
    assert_eq!(changed["address"]["city"], "London");
    assert_eq!(changed["metadata"], json!({ "family": "fml_1" }));
    assert_eq!(stripe.get("/v1/customers?limit=5").await.ok()["data"], json!([changed]));

    stripe.delete(&format!("{path}?colour=red")).await.refused(400, "parameter_unknown");
    assert_eq!(stripe.delete(&path).await.ok()["deleted"], true);
    assert_eq!(stripe.get("/v1/customers").await.ok()["data"], json!([]));
    assert_eq!(stripe.get(&path).await.ok()["deleted"], true);
    stripe.post(&path, "name=x").await.refused(404, "resource_missing");
    let form = format!("amount=100&currency=usd&customer={id}");
    stripe.post("/v1/payment_intents", &form).await.refused(400, "resource_missing");
}

#[tokio::test]
async fn a_saved_card_pays_for_its_customer_only() {
    let stripe = TestStripe::start().await;
    let (mine, other) = (customer(&stripe).await, customer(&stripe).await);
    let attach = format!("customer={mine}");
    let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &attach).await.ok();
    let card = card["id"].as_str().unwrap().to_owned();
    let list = stripe.get(&format!("/v1/payment_methods?customer={mine}&type=card")).await.ok();
    assert_eq!(list["data"][0]["id"], card.as_str());
    let list = stripe.get(&format!("/v1/customers/{other}/payment_methods")).await.ok();
    assert_eq!(list["data"], json!([]));

    let pay = async |customer: &str| {
        let form = format!(
            "amount=100&currency=usd&allowed_payment_method_types[]=card&confirm=true\
             &customer={customer}&payment_method={card}"
        );
        stripe.post("/v1/payment_intents", &form).await.status
    };
    assert_eq!((pay(&mine).await, pay(&other).await), (200, 400));

    let detach = format!("/v1/payment_methods/{card}/detach");
    assert_eq!(stripe.post(&detach, "").await.ok()["customer"], Value::Null);
    stripe.post(&detach, "").await.refused(400, "payment_method_unexpected_state");
}

#[tokio::test]
async fn a_card_that_declines_cannot_be_saved() {
    let stripe = TestStripe::start().await;
    let form = format!("customer={}", customer(&stripe).await);
    let answer = stripe.post("/v1/payment_methods/pm_card_chargeDeclined/attach", &form).await;
    answer.refused(402, "card_declined");
}

#[tokio::test]
async fn future_usage_saves_the_card_once_it_has_paid() {
    let stripe = TestStripe::start().await;
    let id = customer(&stripe).await;
    let form = format!(
        "amount=100&currency=usd&allowed_payment_method_types[]=card&confirm=true&customer={id}\
         &payment_method=pm_card_visa&setup_future_usage=off_session"
    );
    let paid = stripe.post("/v1/payment_intents", &form).await.ok();
    let list = stripe.get(&format!("/v1/customers/{id}/payment_methods")).await.ok();
    assert_eq!(list["data"][0]["id"], paid["payment_method"]);
}

#[tokio::test]
async fn a_customer_session_answers_every_component() {
    let stripe = TestStripe::start().await;
    let id = customer(&stripe).await;
    let form = format!(
        "customer={id}&components[payment_element][enabled]=true\
         &components[payment_element][features][payment_method_save]=enabled\
         &components%5Bpayment_element%5D%5Bfeatures%5D%5Bpayment_method_redisplay%5D=enabled"
    );
    let session = stripe.post("/v1/customer_sessions", &form).await.ok();
    assert_eq!(session["expires_at"], START + 1800);
    let element = &session["components"]["payment_element"];
    assert_eq!(element["features"]["payment_method_save"], "enabled");
    assert_eq!(element["features"]["payment_method_remove"], "disabled");
    assert_eq!(session["components"]["customer_sheet"], json!({ "enabled": false, "features": null }));

    let answer = stripe.post("/v1/customer_sessions", &format!("customer={id}")).await;
    assert_eq!(answer.refused(400, "parameter_missing")["param"], "components");
    let form = format!("customer={id}&components[payment_elements][enabled]=true");
    let error = stripe.post("/v1/customer_sessions", &form).await.refused(400, "parameter_unknown");
    assert_eq!(error["param"], "components[payment_elements]");
}

#[tokio::test]
async fn an_ephemeral_key_needs_a_version_and_tells_its_secret_once() {
    let stripe = TestStripe::start().await;
    let id = customer(&stripe).await;
    let form = format!("customer={id}");
    assert_eq!(stripe.post("/v1/ephemeral_keys", &form).await.status, 400);
    let request = stripe
        .call(Method::POST, "/v1/ephemeral_keys")
        .header("stripe-account", STUDIO)
        .header("stripe-version", "2026-09-30.endive")
        .body(form);
    let key = Answered::from(request.send().await.unwrap()).await.ok();
    assert_eq!(key["associated_objects"], json!([{ "id": id, "type": "customer" }]));
    assert!(key["secret"].as_str().unwrap().starts_with("ek_test_"));
    let path = format!("/v1/ephemeral_keys/{}", key["id"].as_str().unwrap());
    assert_eq!(stripe.delete(&path).await.ok().get("secret"), None);
    stripe.delete(&path).await.refused(404, "resource_missing");
}

/// Every call that names a customer in a parameter, and how it is refused.
async fn refused_everywhere(stripe: &TestStripe, id: &str, account: &str) {
    let session = format!("customer={id}&components[payment_element][enabled]=true");
    for (path, form) in [
        ("/v1/payment_intents", format!("amount=100&currency=usd&customer={id}")),
        ("/v1/customer_sessions", session),
        ("/v1/ephemeral_keys", format!("customer={id}")),
        ("/v1/payment_methods/pm_card_visa/attach", format!("customer={id}")),
    ] {
        let request = stripe
            .call(Method::POST, path)
            .header("stripe-account", account)
            .header("stripe-version", "2026-09-30.endive")
            .body(form);
        let answer = Answered::from(request.send().await.unwrap()).await;
        let error = answer.refused(400, "resource_missing");
        assert_eq!((&error["param"], &error["type"]), (&json!("customer"), &json!("invalid_request_error")), "{path}");
        assert_eq!(error["message"], format!("No such customer: '{id}'"));
    }
    let listed = stripe.get_as(account, &format!("/v1/payment_methods?customer={id}")).await;
    assert_eq!(listed.refused(400, "resource_missing")["param"], "customer");
    let listed = stripe.get_as(account, &format!("/v1/customers/{id}/payment_methods")).await;
    assert_eq!(listed.refused(404, "resource_missing")["param"], "customer");
}

#[tokio::test]
async fn a_customer_that_the_studio_has_deleted_is_answered_as_deleted_and_refused_elsewhere() {
    let stripe = TestStripe::start().await;
    let id = customer(&stripe).await;
    let form = format!(
        "amount=100&currency=usd&allowed_payment_method_types[]=card&customer={id}&setup_future_usage=off_session"
    );
    let open = stripe.post("/v1/payment_intents", &form).await.ok();
    let delete = format!("customers/{id}/delete");
    let stub = json!({ "id": id, "object": "customer", "deleted": true });
    assert_eq!(stripe.control(&delete, json!({})).await.ok(), stub);
    assert_eq!(stripe.get(&format!("/v1/customers/{id}")).await.ok(), stub);
    assert_eq!(stripe.event_types().await.last().unwrap(), "customer.deleted");
    refused_everywhere(&stripe, &id, STUDIO).await;
    stripe.control(&delete, json!({})).await.refused(404, "resource_missing");
    stripe.control("customers/cus_nobody/delete", json!({})).await.refused(404, "resource_missing");
    stripe.delete(&format!("/v1/customers/{id}")).await.refused(404, "resource_missing");
    // A payment made before the deletion still succeeds, and saves its card for nobody.
    let path = format!("/v1/payment_intents/{}", open["id"].as_str().unwrap());
    let paid = stripe.post(&format!("{path}/confirm"), "payment_method=pm_card_visa").await.ok();
    assert_eq!((&paid["status"], &paid["customer"]), (&json!("succeeded"), &json!(id)));
    let method = stripe.get(&format!("/v1/payment_methods/{}", paid["payment_method"].as_str().unwrap())).await.ok();
    assert_eq!(method["customer"], Value::Null);
}

#[tokio::test]
async fn a_customer_of_another_account_is_no_customer() {
    let stripe = TestStripe::start().await;
    let id = customer(&stripe).await;
    refused_everywhere(&stripe, &id, "acct_other").await;
    stripe.get_as("acct_other", &format!("/v1/customers/{id}")).await.refused(404, "resource_missing");
    assert_eq!(stripe.get(&format!("/v1/customers/{id}")).await.ok()["name"], "Ada Lovelace");
}
