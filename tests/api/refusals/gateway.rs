//! API Gateway's own answers, and those in place of a function's. For invalid tokens see `sign_in`.
//!
//! These bodies have `message` and nothing of ours.

use classpay_operator::token::{Holder, mint_token};
use classpay_service::error::ErrorCode;
use classpay_tests::studio::{COMPANY, OKAFOR, ballet_for_ada};
use classpay_tests::{Answer, Api, Stack};
use reqwest::Method;
use serde_json::{Value, json};

use super::refused::NOTHING;

scenarios! {
    BadSignature: an_event_that_stripe_has_not_signed;
    Forbidden: a_token_that_names_no_company_or_family;
    PayloadTooLarge: more_than_64_kib;
}

fn calls() -> [(Method, String); 3] {
    [
        (Method::GET, format!("/v1/basket/{OKAFOR}/quote?enrolments=[]&trials=[]")),
        (Method::POST, format!("/v1/integrations/stripe/{OKAFOR}/payment-sessions")),
        (Method::POST, format!("/v1/basket/{OKAFOR}/checkout")),
    ]
}

/// A gateway's own answer has exactly one key.
fn assert_gateways_own(answer: &Answer, status: u16, message: &str) {
    assert_eq!((answer.status, answer.json()), (status, json!({"message": message})), "{}", answer.text);
}

#[tokio::test]
async fn a_path_or_a_method_without_a_route_is_not_found() {
    let stack = Stack::start().await;
    let nowhere = [
        (Method::GET, "/".to_owned()),
        (Method::GET, "/v1/basket".to_owned()),
        (Method::GET, format!("/v1/basket/{OKAFOR}/quote/more")),
        (Method::GET, format!("/v2/basket/{OKAFOR}/quote")),
        (Method::POST, format!("/v1/basket/{OKAFOR}/quote")),
        (Method::DELETE, format!("/v1/basket/{OKAFOR}/checkout")),
        (Method::GET, format!("/v1/integrations/stripe/{OKAFOR}/payment-sessions")),
    ];
    for (method, path) in nowhere {
        assert_gateways_own(&Api::send(stack.staff().request(method, &path)).await, 404, "Not Found");
    }
}

async fn a_token_that_names_no_company_or_family(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    let nameless = |family: &str| mint_token(COMPANY, &Holder::Family(family.to_owned()));
    let tokens = [
        mint_token("", &Holder::Staff),
        mint_token("co#1", &Holder::Staff),
        mint_token(&"c".repeat(65), &Holder::Staff),
        nameless(""),
        nameless("fml/1"),
    ];
    for token in tokens {
        let caller = stack.caller(Some(&token));
        for (method, path) in calls() {
            let _ =
                Api::send(caller.request(method, &path).json(&json!({"items": ballet_for_ada()}))).await.refusal(code);
        }
    }
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
}

async fn more_than_64_kib(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    let family = stack.family(OKAFOR);
    let padding = " ".repeat(65 * 1024);
    let body = format!("{}{padding}", json!({"paymentIntentId": null, "items": ballet_for_ada()}));
    for (method, path) in calls().into_iter().skip(1) {
        let request = family.request(method, &path).header("content-type", "application/json").body(body.clone());
        Api::send(request).await.refusal(code);
    }
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);

    // Exactly 64 KiB are read.
    let quiet = json!({"paymentIntentId": null, "items": {"enrolments": [], "trials": []}}).to_string();
    let body = format!("{quiet}{}", " ".repeat(64 * 1024 - quiet.len()));
    let request = family.request(Method::POST, &format!("/v1/basket/{OKAFOR}/checkout"));
    let answer = Api::send(request.header("content-type", "application/json").body(body)).await;
    assert_eq!(answer.code(), "basket_empty");
}

#[tokio::test]
async fn an_answer_of_any_kind_is_kept_by_no_cache() {
    let stack = Stack::start().await;
    let family = stack.family(OKAFOR);
    let checkout = json!({"paymentIntentId": null, "items": ballet_for_ada()});
    let answers = [
        family.quote(OKAFOR, &ballet_for_ada()).await,
        family.session(OKAFOR, &ballet_for_ada()).await,
        family.post(&format!("/v1/basket/{OKAFOR}/checkout"), &checkout).await,
        family.post(&format!("/v1/basket/{OKAFOR}/checkout"), &Value::Null).await,
    ];
    for answer in answers {
        assert_eq!(answer.headers["cache-control"], "no-store", "{}", answer.text);
    }
}

async fn an_event_that_stripe_has_not_signed(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    for signature in [None, Some("t=1788768000,v1=00"), Some("nonsense")] {
        let mut call = stack.caller(None).request(Method::POST, "/v1/stripe/webhook").body("{}");
        if let Some(signature) = signature {
            call = call.header("stripe-signature", signature);
        }
        let answer = Api::send(call).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code.as_str()), "{}", answer.text);
    }
    stack.assert_unchanged_since(&before).await;
}
