//! The calls that a running stack's page offers work, even on a day for which the document's own examples are out of
//! date.

use classpay_tests::{Stack, StackOptions};
use serde_json::{Value, json};

#[tokio::test]
async fn what_the_page_offers_in_a_late_autumn_can_be_quoted_and_opened() {
    let now = Some("2026-11-21T12:00:00Z".into());
    let stack = Stack::start_with(StackOptions { now, ..StackOptions::default() }).await;
    let document = stack.staff().get("/docs/openapi.json").await.json();
    let operation = |path: &str, method: &str| document["paths"][path][method].clone();

    let quote = operation("/v1/basket/{familyId}/quote", "get");
    let offered = |operation: &Value, name: &str| {
        let parameters = operation["parameters"].as_array().unwrap();
        let parameter = parameters.iter().find(|parameter| parameter["name"] == name).unwrap();
        parameter["example"].as_str().unwrap().to_owned()
    };
    let list = |name: &str| serde_json::from_str::<Value>(&offered(&quote, name)).unwrap();
    let family = offered(&quote, "familyId");
    let family = family.as_str();
    let callers = stack.staff().get("/docs/callers.json").await.json();
    assert_eq!(callers[0]["name"], format!("family {family}"), "whom the page is signed in as");
    let items = json!({"enrolments": list("enrolments"), "trials": list("trials")});
    assert_eq!(items["trials"].as_array().map(Vec::len), Some(1), "Swagger UI sends no empty list");
    let quoted = stack.family(family).quote(family, &items).await;
    assert_eq!(quoted.status, 200, "{}", quoted.text);

    let session = operation("/v1/integrations/stripe/{familyId}/payment-sessions", "post");
    let items = &session["requestBody"]["content"]["application/json"]["example"]["items"];
    let session = stack.family(family).session(family, items).await;
    assert_eq!(session.status, 200, "{}", session.text);

    let link = offered(&operation("/v1/payment-links/{paymentLinkId}", "post"), "paymentLinkId");
    let opened = stack.open_link(&link).await;
    assert_eq!(opened.status, 200, "{}", opened.text);
}
