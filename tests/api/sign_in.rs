//! Authentication: every operation of the API with every kind of invalid token, and with the valid ones.
//!
//! Invariant: the operations are the template's routes, and one without a row here fails. A refused caller has written
//! nothing, as the table's log of calls shows. A token makes no difference to a public operation.

use std::collections::BTreeSet;

use classpay_local::clock::machine_time;
use classpay_local::template::{Authorizer, TEMPLATE, Template};
use classpay_operator::token::{AUDIENCE, DEVELOPMENT_KEY, ISSUER};
use classpay_service::error::ErrorCode;
use classpay_tests::studio::{COMPANY, NGUYEN, OKAFOR, Studio, ballet_for_ada, open_studio_for_ada};
use classpay_tests::{Answer, Api, COSTUMES, Item, Stack, signature};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

/// The callers that an operation accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// The family in the path, and staff.
    Family,
    /// Only staff.
    Staff,
    /// Anyone: the link's id, or Stripe's signature, is the key.
    Anybody,
}

/// The rows: every operation of the API.
const OPERATIONS: [(&str, For); 9] = [
    ("GET /v1/basket/{familyId}/quote", For::Family),
    ("POST /v1/basket/{familyId}/checkout", For::Family),
    ("POST /v1/integrations/stripe/{familyId}/payment-sessions", For::Family),
    ("POST /v1/payment-links", For::Staff),
    ("GET /v1/payment-links", For::Staff),
    ("DELETE /v1/payment-links/{paymentLinkId}", For::Staff),
    ("POST /v1/payment-links/{paymentLinkId}", For::Anybody),
    ("POST /v1/payment-links/{paymentLinkId}/process", For::Anybody),
    ("POST /v1/stripe/webhook", For::Anybody),
];

/// The result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The gateway answers 401 itself: no function runs.
    NoEntry,
    /// 403 by the function, before it has read anything.
    Forbidden,
    /// 404 by the function: another family's record is answered as missing.
    NotFound,
    Served,
}

/// A column: a token, and its result for a family's operation and for a staff operation.
struct Column {
    name: &'static str,
    token: Option<String>,
    family_s: End,
    staff_s: End,
}

fn signed(claims: &Value, key: &[u8]) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(key)).unwrap()
}

/// A token that is accepted everywhere except for these claims; null removes a claim.
fn with(changes: &Value) -> String {
    let now = machine_time().as_second();
    let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600, "sub": "somebody",
        "role": "staff", "company_id": COMPANY});
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    signed(&claims, DEVELOPMENT_KEY)
}

fn columns() -> Vec<Column> {
    use End::{Forbidden, NoEntry, NotFound, Served};
    let now = machine_time().as_second();
    let good = with(&json!({}));
    let (head, payload) = (good.split('.').next().unwrap(), good.split('.').nth(1).unwrap());
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now + 600, "role": "staff", "company_id": COMPANY});
    let family =
        |family: &str, company: &str| with(&json!({"role": "family", "family_id": family, "company_id": company}));
    let column = |name, token: String, family_s, staff_s| Column { name, token: Some(token), family_s, staff_s };
    let shut = |name, token| column(name, token, NoEntry, NoEntry);
    vec![
        Column { name: "no token", token: None, family_s: NoEntry, staff_s: NoEntry },
        shut("an empty token", String::new()),
        shut("no token at all", "nonsense".into()),
        shut("a token in part", format!("{head}.{payload}")),
        shut("signed by nobody", format!("eyJhbGciOiJub25lIn0.{payload}.")),
        shut("signed by somebody else", signed(&claims, b"another key")),
        shut("another's signature", format!("{good}x")),
        shut("expired", with(&json!({"exp": now - 1}))),
        shut("without an end", with(&json!({"exp": null}))),
        shut("not valid yet", with(&json!({"nbf": now + 600}))),
        shut("for another audience", with(&json!({"aud": "others"}))),
        shut("of another issuer", with(&json!({"iss": "https://elsewhere.invalid/"}))),
        column("no company", with(&json!({"company_id": null})), Forbidden, Forbidden),
        column("no role", with(&json!({"role": null})), Forbidden, Forbidden),
        column("an unknown role", with(&json!({"role": "admin"})), Forbidden, Forbidden),
        column("a family without an id", with(&json!({"role": "family"})), Forbidden, Forbidden),
        column("another family", family(NGUYEN, COMPANY), NotFound, Forbidden),
        column("a family of that id elsewhere", family(OKAFOR, "co_other"), NotFound, Forbidden),
        column("staff of another company", with(&json!({"company_id": "co_other"})), NotFound, NotFound),
        // The valid tokens come last, because their calls change something.
        column("the family", family(OKAFOR, COMPANY), Served, Forbidden),
        column("staff", good.clone(), Served, Served),
    ]
}

/// A call of an operation that succeeds with a valid token.
async fn call(stack: &Stack, operation: &str, token: Option<&str>, link: &str) -> Answer {
    let api = stack.caller(token);
    match operation {
        "GET /v1/basket/{familyId}/quote" => api.quote(OKAFOR, &ballet_for_ada()).await,
        "POST /v1/basket/{familyId}/checkout" => api.checkout(OKAFOR, None, &open_studio_for_ada()).await,
        "POST /v1/integrations/stripe/{familyId}/payment-sessions" => api.session(OKAFOR, &ballet_for_ada()).await,
        "POST /v1/payment-links" => api.post("/v1/payment-links", &json!({"transactionId": COSTUMES})).await,
        "GET /v1/payment-links" => api.get(&format!("/v1/payment-links?transactionId={COSTUMES}")).await,
        "DELETE /v1/payment-links/{paymentLinkId}" => {
            Api::send(api.request(Method::DELETE, &format!("/v1/payment-links/{link}"))).await
        }
        "POST /v1/payment-links/{paymentLinkId}" => {
            Api::send(api.request(Method::POST, &format!("/v1/payment-links/{link}"))).await
        }
        "POST /v1/payment-links/{paymentLinkId}/process" => {
            api.post(&format!("/v1/payment-links/{link}/process"), &json!({"paymentIntentId": null})).await
        }
        "POST /v1/stripe/webhook" => {
            // 2026-09-07T08:00:00Z, the start of the stack's clock.
            let created = 1_788_768_000;
            let event = json!({"id": "evt_1", "type": "customer.created", "created": created,
                "account": stack.account(), "data": {"object": {"id": "cus_1"}}})
            .to_string();
            let request = api.request(Method::POST, "/v1/stripe/webhook").header("content-type", "application/json");
            let request = request.header("stripe-signature", signature("whsec_local", &event, created));
            Api::send(request.body(event)).await
        }
        unknown => panic!("{unknown} has no call here"),
    }
}

/// The number of a function's reads and writes of the table.
async fn calls_of(stack: &Stack, function: &str) -> (u64, u64) {
    const READS: [&str; 3] = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"];
    let (mut reads, mut writes) = (0, 0);
    for ([caller, action, _], count) in stack.permissions_used().await {
        match READS.contains(&action.as_str()) {
            _ if caller != function => {}
            true => reads += count,
            false => writes += count,
        }
    }
    (reads, writes)
}

/// The function behind each operation with a token, or without one.
fn functions(with_token: bool) -> Vec<(&'static str, For, String)> {
    let template = Template::parse(TEMPLATE).unwrap();
    let function = |operation: &str| {
        let route = template.routes.iter().find(|route| route.key() == operation).unwrap();
        template.functions[&route.function].package.clone()
    };
    let rows = OPERATIONS.iter().filter(|(_, whose)| (*whose != For::Anybody) == with_token);
    rows.map(|(operation, whose)| (*operation, *whose, function(operation))).collect()
}

#[test]
fn every_operation_has_a_row_and_who_needs_no_token_is_written_down() {
    let template = Template::parse(TEMPLATE).unwrap();
    let routes: BTreeSet<_> =
        template.routes.iter().map(|route| (route.key(), route.authorizer == Authorizer::None)).collect();
    let rows: BTreeSet<_> =
        OPERATIONS.iter().map(|(operation, whose)| ((*operation).to_owned(), *whose == For::Anybody)).collect();
    assert_eq!(routes, rows);
}

#[tokio::test]
async fn a_caller_who_is_not_let_in_is_refused_and_has_written_nothing() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    for (operation, whose, function) in functions(true) {
        for Column { name, token, family_s, staff_s } in columns() {
            let what = format!("{operation} with {name}");
            let before = calls_of(&stack, &function).await;
            let answer = call(&stack, operation, token.as_deref(), &link).await;
            let after = calls_of(&stack, &function).await;
            let end = if whose == For::Staff { staff_s } else { family_s };
            match end {
                End::NoEntry => {
                    let own = (answer.status, answer.json(), answer.headers.contains_key("www-authenticate"));
                    assert_eq!(own, (401, json!({"message": "Unauthorized"}), true), "{what}");
                    assert_eq!(after, before, "{what}: nothing is called");
                }
                End::Forbidden => {
                    assert_eq!(answer.status, 403, "{what}: {}", answer.text);
                    answer.refusal(ErrorCode::Forbidden);
                    assert_eq!(after, before, "{what}: nothing is called");
                }
                End::NotFound => {
                    assert_eq!(answer.status, 404, "{what}: {}", answer.text);
                    answer.refusal(ErrorCode::NotFound);
                    assert!(after.0 > before.0, "{what}: it is looked for");
                    assert_eq!(after.1, before.1, "{what}: nothing is written");
                }
                End::Served => assert!((200..300).contains(&answer.status), "{what}: {}", answer.text),
            }
        }
    }
}

#[tokio::test]
async fn where_no_token_is_needed_a_token_of_any_kind_changes_nothing() {
    let stack = Stack::start().await;
    for (operation, _, _) in functions(false) {
        let mut without = None;
        for Column { name, token, .. } in columns() {
            // A link of its own for each, because attempts per link and hour are limited.
            let link = stack.link(None).await;
            stack.intent_of_link(&link).await;
            let answer = call(&stack, operation, token.as_deref(), &link).await;
            let told = (answer.status, answer.json()["code"].clone(), answer.json()["paymentLink"]["status"].clone());
            assert!([200, 422].contains(&answer.status), "{operation} with {name}: {}", answer.text);
            assert_eq!(*without.get_or_insert_with(|| told.clone()), told, "{operation} with {name}");
        }
    }
}

/// All records of a company and its families.
async fn items_of(stack: &Stack, company: &str) -> Vec<Item> {
    let is_of = |item: &Item| item["pk"].as_s().is_ok_and(|pk| pk.contains(company));
    stack.table().everything().await.into_iter().filter(is_of).collect()
}

#[tokio::test]
async fn two_companies_whose_things_have_the_same_ids_each_have_their_own() {
    let stack = Stack::start().await;
    let ours = stack.link(None).await;
    let theirs = Studio::demo().text().replace(COMPANY, "co_other").replace(stack.account(), "acct_other");
    Studio::parse(&theirs).load_into(&stack.table()).await;
    let before = items_of(&stack, COMPANY).await;

    let staff = stack.caller(Some(&with(&json!({"company_id": "co_other"}))));
    assert_eq!(staff.quote(OKAFOR, &ballet_for_ada()).await.status, 200);
    assert_eq!(staff.checkout(OKAFOR, None, &open_studio_for_ada()).await.status, 204);
    let made = staff.post("/v1/payment-links", &json!({"transactionId": COSTUMES})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let listed = staff.get(&format!("/v1/payment-links?transactionId={COSTUMES}")).await.json();
    assert_eq!(listed, json!([made.json()]), "their own and no other");
    let revoked = Api::send(staff.request(Method::DELETE, &format!("/v1/payment-links/{ours}"))).await;
    revoked.refusal(ErrorCode::NotFound);

    let after = items_of(&stack, COMPANY).await;
    assert!(before.len() == after.len() && after.iter().all(|item| before.contains(item)));
    assert_eq!(stack.link_status(&ours).await, "open");
}

#[tokio::test]
async fn another_family_s_idempotency_key_and_body_open_nothing() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let checkout = async |family: &str, body: &Value| {
        let request = stack.family(family).request(Method::POST, &format!("/v1/basket/{OKAFOR}/checkout"));
        Api::send(request.header("idempotency-key", "a-click").json(body)).await
    };
    let body = json!({"paymentIntentId": intent, "items": ballet_for_ada()});
    assert_eq!(checkout(OKAFOR, &body).await.status, 200);
    for body in [body, json!({"paymentIntentId": intent, "items": open_studio_for_ada()})] {
        checkout(NGUYEN, &body).await.refusal(ErrorCode::NotFound);
    }
}
