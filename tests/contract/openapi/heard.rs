//! Checks that a running stack's requests and answers fit the document.
//!
//! Invariant: a status that the document doesn't list for an operation fails, whatever its body.

use std::collections::BTreeSet;

use classpay_tests::price_list::{self, A, B, BALLET as CLASS_A, LOVELACE, PLAN_M, PLAN_U, TAP as CLASS_B};
use classpay_tests::studio::{
    ADA, BALLET, COMPANY, FULL, MINH, NGUYEN, OKAFOR, POINTE, STREET, Studio, ballet_for_ada, basket, one,
    open_studio_for_ada, place, trial,
};
use classpay_tests::{Answer, Api, COSTUMES, Call, Document, intent_id, signature};
use reqwest::Method;
use serde_json::{Value, json};

use super::document::{example_file, json_parameters};
use super::published;

/// The recorder of requests and answers.
struct Ear {
    document: Document,
    heard: BTreeSet<(String, u16)>,
}

impl Ear {
    fn new() -> Self {
        Self { document: published(), heard: BTreeSet::new() }
    }

    /// Records a request to an operation, and its answer.
    #[track_caller]
    fn hear(&mut self, id: &str, request: Option<&Value>, answer: &Answer) {
        let operation = self.document.operation(id);
        let is_good = answer.status < 300;
        if let Some(request) = request.filter(|_| is_good) {
            for (place, schema) in requests(operation) {
                let part = place.map_or(request, |place| &request[place]);
                let misfits = self.document.misfits(schema, part);
                assert!(misfits.is_empty(), "{id} takes {part}: {misfits:#?}");
            }
            keep(id, request);
        }
        let documented = &operation["responses"][answer.status.to_string()];
        assert!(documented.is_object(), "{id} may not answer {}: {}", answer.status, answer.text);
        match documented.pointer("/content/application~1json/schema") {
            None => assert_eq!(answer.text, "", "{id}"),
            Some(schema) => {
                let misfits = self.document.misfits(schema, &answer.json());
                assert!(misfits.is_empty(), "{id} answers {}: {misfits:#?}\n{}", answer.status, answer.text);
                if is_good {
                    keep(&format!("{id}-{}", answer.status), &answer.json());
                }
            }
        }
        for header in ["Retry-After", "Idempotent-Replayed"] {
            let is_there = answer.headers.contains_key(&header.to_lowercase());
            let can_be_there = documented["headers"].get(header).is_some();
            assert!(can_be_there || !is_there, "{id} answers {} with {header}", answer.status);
        }
        self.heard.insert((id.to_owned(), answer.status));
    }

    /// Checks that every answer with these statuses was recorded.
    fn has_heard(&self, expected: &[(&str, &[u16])]) {
        for (id, statuses) in expected {
            for status in *statuses {
                assert!(self.heard.contains(&((*id).to_owned(), *status)), "{id} has not answered {status}");
            }
        }
    }
}

/// The schemas of an operation's input: its body's, or that of each JSON parameter.
fn requests(operation: &Value) -> Vec<(Option<&str>, &Value)> {
    let body = operation.pointer("/requestBody/content/application~1json/schema").map(|schema| (None, schema));
    body.into_iter().chain(json_parameters(operation).map(|(name, schema, _)| (Some(name), schema))).collect()
}

/// `UPDATE_EXAMPLES=1` makes the first recorded answer the document's example.
fn keep(name: &str, value: &Value) {
    let file = example_file(name);
    if std::env::var_os("UPDATE_EXAMPLES").is_some() && !file.exists() {
        std::fs::write(file, format!("{value:#}\n")).unwrap();
    }
}

fn sessions(family: &str) -> String {
    format!("/v1/integrations/stripe/{family}/payment-sessions")
}

/// A checkout with a key of the caller's.
async fn keyed(api: &Api, body: &Value, key: &str) -> Answer {
    let request = api.request(Method::POST, &format!("/v1/basket/{OKAFOR}/checkout"));
    Api::send(request.header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn a_basket_from_its_quote_to_its_booking() {
    let stack = Studio::in_london().start().await;
    let (family, mut ear) = (stack.family(OKAFOR), Ear::new());
    let items = basket(&[place(BALLET, ADA, FULL)], &[trial(STREET, ADA, "2026-09-15", "17:15")]);
    ear.hear("getQuote", Some(&items), &family.quote(OKAFOR, &items).await);
    let open = json!({"enrolments": [{"classId": BALLET, "studentId": ADA}], "trials": []});
    ear.hear("getQuote", Some(&open), &family.quote(OKAFOR, &open).await);
    let asked = json!({"items": items, "transactionId": null});
    let session = family.post(&sessions(OKAFOR), &asked).await;
    ear.hear("createPaymentSession", Some(&asked), &session);
    let intent = intent_id(&session);
    stack.confirm(&intent).await;
    ear.hear("createPaymentSession", Some(&asked), &family.post(&sessions(OKAFOR), &asked).await);
    let bought = json!({"paymentIntentId": intent, "items": items});
    for _ in 0..2 {
        ear.hear("checkout", Some(&bought), &keyed(&family, &bought, "a-key").await);
    }
    let amount = json!({"amount": 1000, "transactionId": null});
    ear.hear("createPaymentSession", Some(&amount), &family.post(&sessions(OKAFOR), &amount).await);
    let free = json!({"paymentIntentId": null, "items": open_studio_for_ada()});
    ear.hear("checkout", Some(&free), &keyed(&family, &free, "free").await);
    let replayed = keyed(&family, &free, "free").await;
    assert_eq!(replayed.headers["idempotent-replayed"], "true");
    ear.hear("checkout", Some(&free), &replayed);
    ear.has_heard(&[("getQuote", &[200]), ("createPaymentSession", &[200]), ("checkout", &[200, 204])]);
}

#[tokio::test]
async fn a_quote_with_every_kind_of_price() {
    let stack = price_list::studio().start().await;
    let places = [place(CLASS_A, A, PLAN_U), place(CLASS_B, A, PLAN_U), place(CLASS_A, B, PLAN_M)];
    let items = basket(&places, &[trial(CLASS_B, B, "2026-09-09", "16:30")]);
    let quote = stack.family(LOVELACE).quote(LOVELACE, &items).await;
    let full = quote.json();
    assert!(full["registrationFees"][0].is_object() && full["seasons"][0]["additionalFees"][0].is_object());
    Ear::new().hear("getQuote", Some(&items), &quote);
}

#[tokio::test]
async fn a_payment_link_from_its_making_to_its_end() {
    let stack = Studio::in_london().start().await;
    let (staff, mut ear) = (stack.staff(), Ear::new());
    let asked = json!({"transactionId": COSTUMES, "expiresAt": "2026-12-31 23:59:59"});
    let made = staff.post("/v1/payment-links", &asked).await;
    ear.hear("createPaymentLink", Some(&asked), &made);
    let link = made.json()["paymentLink"]["id"].as_str().expect("an id").to_owned();
    ear.hear("retrievePaymentLink", None, &stack.open_link(&link).await);
    let intent = stack.authorise_link(&link).await;
    let paying = json!({"paymentIntentId": intent});
    for _ in 0..2 {
        ear.hear("processPaymentLink", Some(&paying), &stack.process_link(&link, Some(&intent)).await);
    }
    stack.refund(&intent, Some(1000)).await;
    ear.hear("retrievePaymentLink", None, &stack.open_link(&link).await);
    let list = staff.get(&format!("/v1/payment-links?transactionId={COSTUMES}")).await;
    ear.hear("listPaymentLinks", None, &list);
    ear.hear("revokePaymentLink", None, &stack.revoke_link(&link).await);
    ear.has_heard(&[
        ("createPaymentLink", &[201]),
        ("retrievePaymentLink", &[200]),
        ("processPaymentLink", &[200]),
        ("listPaymentLinks", &[200]),
        ("revokePaymentLink", &[409]),
    ]);
}

#[tokio::test]
async fn a_payment_link_that_is_paid_by_bank_debit_and_one_that_is_revoked() {
    let stack = Studio::in_london().start().await;
    let mut ear = Ear::new();
    let (link, revoked, tired) = (stack.link(None).await, stack.link(None).await, stack.link(None).await);
    stack.use_up_starts(&tired).await;
    let one_more = stack.debit_link(&tired).await;
    ear.hear("processPaymentLink", None, &stack.process_link(&tired, Some(&one_more)).await);
    ear.hear("revokePaymentLink", None, &stack.revoke_link(&revoked).await);
    ear.hear("retrievePaymentLink", None, &stack.open_link(&revoked).await);
    ear.hear("processPaymentLink", None, &stack.process_link(&revoked, None).await);
    let intent = stack.intent_of_link(&link).await;
    ear.hear("processPaymentLink", None, &stack.process_link(&link, Some(&intent)).await);
    assert_eq!(stack.stripe().pay(&intent, "pm_bacsDebit_success").await.status, 200);
    ear.hear("processPaymentLink", None, &stack.process_link(&link, Some(&intent)).await);
    ear.hear("retrievePaymentLink", None, &stack.open_link(&link).await);
    let nothing_left = json!({"transactionId": COSTUMES});
    ear.hear("createPaymentLink", Some(&nothing_left), &stack.staff().post("/v1/payment-links", &nothing_left).await);
    ear.has_heard(&[
        ("revokePaymentLink", &[204]),
        ("retrievePaymentLink", &[410, 200]),
        ("processPaymentLink", &[410, 422, 200, 429]),
        ("createPaymentLink", &[422]),
    ]);
}

#[tokio::test]
async fn a_checkout_whose_outcome_is_not_known_yet() {
    let stack = Studio::in_london().start().await;
    let mut ear = Ear::new();
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    stack.order_fault(Call::Retrieve, 1, &json!({"delayMs": 0})).await;
    let gone = json!({"drop": "before"});
    stack.order_fault(Call::Retrieve, 1000, &gone).await;
    stack.order_fault(Call::Capture, 1000, &gone).await;
    ear.hear("checkout", None, &stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await);
    ear.has_heard(&[("checkout", &[202])]);
}

#[tokio::test]
async fn refusals_by_the_function_and_by_the_gateway() {
    let stack = Studio::in_london().start().await;
    let (family, mut ear) = (stack.family(OKAFOR), Ear::new());
    let nobody = stack.caller(None);
    ear.hear("getQuote", None, &nobody.quote(OKAFOR, &ballet_for_ada()).await);
    ear.hear("getQuote", None, &family.get(&format!("/v1/basket/{OKAFOR}/quote?enrolments=[]")).await);
    ear.hear("getQuote", None, &family.quote(NGUYEN, &ballet_for_ada()).await);
    ear.hear("getQuote", None, &family.quote("", &ballet_for_ada()).await);
    ear.hear("getQuote", None, &family.quote(OKAFOR, &basket(&[], &[])).await);
    ear.hear("getQuote", None, &stack.staff().quote(NGUYEN, &one(POINTE, MINH)).await);
    let checkout = format!("/v1/basket/{OKAFOR}/checkout");
    for body in [json!({}), json!({"paymentIntentId": null, "items": ballet_for_ada()})] {
        ear.hear("checkout", None, &family.post(&checkout, &body).await);
    }
    let dear = stack.authorise_amount(OKAFOR, 12_345).await;
    let refused = stack.check_out(OKAFOR, &dear, &ballet_for_ada()).await;
    assert!(refused.json()["payment"].is_object() && refused.says_released(), "{}", refused.text);
    ear.hear("checkout", None, &refused);
    let large = " ".repeat(65 * 1024);
    let large = family.request(Method::POST, &checkout).header("content-type", "application/json").body(large);
    ear.hear("checkout", None, &Api::send(large).await);
    ear.hear("createPaymentSession", None, &family.post(&sessions(OKAFOR), &json!({"amount": 1})).await);
    ear.hear("createPaymentLink", None, &family.post("/v1/payment-links", &json!({})).await);
    ear.hear("listPaymentLinks", None, &stack.staff().get("/v1/payment-links?transactionId=trn_none").await);
    ear.hear("retrievePaymentLink", None, &stack.open_link("pay_none").await);
    ear.hear("revokePaymentLink", None, &stack.revoke_link("pay_none").await);
    let gone = json!({"settings": {"billing": {"stripeId": "acct_1disconnected"}}});
    let without_stripe = Studio::in_london().with(COMPANY, &gone).start().await;
    let session = without_stripe.family(OKAFOR).session(OKAFOR, &ballet_for_ada()).await;
    ear.hear("createPaymentSession", None, &session);
    ear.has_heard(&[
        ("getQuote", &[401, 400, 404, 422, 409]),
        ("checkout", &[400, 422, 409, 413]),
        ("createPaymentSession", &[422, 502]),
        ("createPaymentLink", &[403]),
        ("listPaymentLinks", &[404]),
        ("retrievePaymentLink", &[404]),
        ("revokePaymentLink", &[404]),
    ]);
}

#[tokio::test]
async fn an_event_of_stripe_s() {
    let stack = Studio::in_london().start().await;
    let mut ear = Ear::new();
    // The start of the stack's clock.
    let now_s = 1_788_768_000;
    let told = json!({"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": now_s,
        "account": stack.account(), "livemode": false, "data": {"object": {"id": "pi_1", "object": "payment_intent"}}});
    let text = told.to_string();
    ear.hear(
        "receiveStripeEvent",
        Some(&told),
        &stack.send_signed(&text, &signature("whsec_local", &text, now_s)).await,
    );
    ear.hear("receiveStripeEvent", None, &stack.send_signed(&text, "nonsense").await);
    ear.has_heard(&[("receiveStripeEvent", &[200, 400])]);
}
