//! Unsuitable payments: missing, not authorised, for another basket or family, or of another amount.
//!
//! A payment that can still be used is kept. One that is refused for good is released before the answer.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_domain::id::{CompanyId, FamilyId};
use classpay_service::error::ErrorCode;
use classpay_service::store::key;
use classpay_tests::studio::{
    ADA, BALLET, COMPANY, FULL, MONTHLY, NGUYEN, OKAFOR, OPEN_STUDIO, Studio, ballet_for_ada, basket, place,
};
use classpay_tests::{Answer, Api, Call, Stack};
use reqwest::Method;
use serde_json::{Value, json};

use super::refused::{NOTHING, Wish, assert_kept, assert_released};

scenarios! {
    AmountTooSmall: less_than_a_card_can_be_charged;
    NotSupported: a_session_for_a_transaction;
    PaymentRequired: no_payment_for_what_is_due;
    PaymentNotNeeded: a_payment_for_what_costs_nothing;
    QuoteChanged: another_price_than_the_payer_saw;
    PaymentNotAuthorised: a_payer_who_has_not_paid;
    PaymentCancelled: an_authorisation_that_ran_out;
    PaymentAlreadyUsed: one_payment_for_two_baskets;
    PaymentAlreadyCaptured: a_payment_that_the_studio_captured_itself;
    PaymentIntentMismatch: a_payment_of_somebody_else;
    IdempotencyKeyReused: the_same_key_with_another_body;
    IdempotencyInProgress: a_key_that_names_no_order_yet;
    StripeMisconfigured: a_studio_that_left_stripe;
    StripeRefused: a_payment_that_stripe_refuses_for_good;
    Unavailable: stripe_is_overloaded;
}

fn sessions(family: &str) -> String {
    format!("/v1/integrations/stripe/{family}/payment-sessions")
}

fn open_studio_for_ada() -> Value {
    basket(&[place(OPEN_STUDIO, ADA, FULL)], &[])
}

async fn less_than_a_card_can_be_charged(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    for amount in [29, 1, 0, -1, i64::MIN] {
        stack.family(OKAFOR).post(&sessions(OKAFOR), &json!({"amount": amount})).await.refusal(code);
    }
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
    assert_eq!(stack.family(OKAFOR).post(&sessions(OKAFOR), &json!({"amount": 30})).await.status, 200);
}

async fn a_session_for_a_transaction(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    let body = json!({"amount": 1000, "transactionId": "trn_1"});
    stack.family(OKAFOR).post(&sessions(OKAFOR), &body).await.refusal(code);
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
}

async fn no_payment_for_what_is_due(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    stack.family(OKAFOR).checkout(OKAFOR, None, &ballet_for_ada()).await.refusal(code);
    let changes = before.changes(&stack.table().picture().await);
    // The refusal itself is stored, so that an earlier write that lands late books nothing.
    assert!(matches!(&changes[..], [one] if one.starts_with("+ ORD#")), "{changes:?}");
}

async fn a_payment_for_what_costs_nothing(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    stack.family(OKAFOR).session(OKAFOR, &open_studio_for_ada()).await.refusal(code);
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
    Wish::of_family(&stack, OKAFOR, open_studio_for_ada()).checkout_is_refused(code).await;
    assert_eq!(stack.family(OKAFOR).checkout(OKAFOR, None, &open_studio_for_ada()).await.status, 204);
}

async fn another_price_than_the_payer_saw(code: ErrorCode) {
    let stack = Stack::start().await;
    let family = stack.family(OKAFOR);
    let payment = stack.quoted_payment(OKAFOR, &ballet_for_ada()).await;

    // An intent of another amount is released, and the answer has the present price.
    Wish::of_family(&stack, OKAFOR, ballet_for_ada()).checkout_is_refused(code).await;
    let intent = stack.authorise_amount(OKAFOR, payment["total"].as_i64().expect("an amount") - 1).await;
    let answer = family.checkout(OKAFOR, Some(&intent), &ballet_for_ada()).await;
    answer.refusal(code);
    assert_eq!(answer.json()["payment"], payment);
    assert_released(&stack, &intent, &answer).await;

    // The hash of another quote: before a session is opened there is nothing to release.
    let stale = "0".repeat(64);
    let before = stack.table().picture().await;
    let body = json!({"items": ballet_for_ada(), "quoteHash": stale});
    let answer = family.post(&sessions(OKAFOR), &body).await;
    answer.refusal(code);
    assert_eq!((&answer.json()["payment"], answer.says_released()), (&payment, false));
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);

    // At the checkout even the right amount is released, because the payer saw another price.
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let body = json!({"paymentIntentId": intent, "quoteHash": stale, "items": ballet_for_ada()});
    let answer = family.post(&format!("/v1/basket/{OKAFOR}/checkout"), &body).await;
    answer.refusal(code);
    assert_released(&stack, &intent, &answer).await;

    let body = json!({"paymentIntentId": null, "quoteHash": stale, "items": open_studio_for_ada()});
    let answer = family.post(&format!("/v1/basket/{OKAFOR}/checkout"), &body).await;
    answer.refusal(code);
    assert!(!answer.says_released());
}

/// A checkout of Ballet for Ada that changes nothing and keeps the payer's authorisation.
async fn refused_and_untouched(stack: &Stack, intent: &str, code: ErrorCode) -> Answer {
    let (before, status) = (stack.table().picture().await, stack.intent_status(intent).await);
    let answer = stack.check_out(OKAFOR, intent, &ballet_for_ada()).await;
    answer.refusal(code);
    assert!(!answer.says_released(), "{}", answer.text);
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
    assert_eq!(stack.intent_status(intent).await, status);
    answer
}

async fn a_payer_who_has_not_paid(code: ErrorCode) {
    let stack = Stack::start().await;
    let intent = stack.open_session(OKAFOR, &ballet_for_ada()).await;
    refused_and_untouched(&stack, &intent, code).await;
    let declined = stack.stripe().pay(&intent, "pm_card_chargeDeclined").await;
    assert_eq!(declined.status, 402, "{}", declined.text);
    refused_and_untouched(&stack, &intent, code).await;
    assert_eq!(stack.stripe().pay(&intent, "pm_card_authenticationRequired").await.status, 200);
    refused_and_untouched(&stack, &intent, code).await;
}

async fn an_authorisation_that_ran_out(code: ErrorCode) {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let expired = stack.stripe().post(&format!("/_control/payment_intents/{intent}/expire"), &json!({})).await;
    assert_eq!(expired.status, 200, "{}", expired.text);
    refused_and_untouched(&stack, &intent, code).await;
}

async fn one_payment_for_two_baskets(code: ErrorCode) {
    let stack = Stack::start().await;
    let monthly = basket(&[place(BALLET, ADA, MONTHLY)], &[]);
    let intent = stack.authorise(OKAFOR, &monthly).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &monthly).await.status, 200);
    refused_and_untouched(&stack, &intent, code).await;
}

async fn a_payment_that_the_studio_captured_itself(code: ErrorCode) {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let capture = stack.stripe().request(Method::POST, &format!("/v1/payment_intents/{intent}/capture"));
    let capture = capture.bearer_auth("sk_test_of_the_studio").header("stripe-account", stack.account());
    assert_eq!(Api::send(capture).await.status, 200);
    let before = stack.table().picture().await;
    let answer = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    answer.refusal(code);
    assert!(!answer.says_released());
    let changes = before.changes(&stack.table().picture().await);
    assert!(matches!(&changes[..], [one] if one.starts_with("+ REVIEW#")), "somebody must look: {changes:?}");
    // A repeated call makes no second review record.
    refused_and_untouched(&stack, &intent, code).await;
}

async fn a_payment_of_somebody_else(code: ErrorCode) {
    let stack = Stack::start().await;
    let theirs = stack.authorise_amount(NGUYEN, 12_345).await;
    let known = refused_and_untouched(&stack, &theirs, code).await;
    let unknown = "pi_0000000000000000000000ab".to_owned();
    for unknown in [unknown, String::new(), "pi#1".into(), "pi_1/capture".into(), "π".into(), "p".repeat(65)] {
        let answer = stack.check_out(OKAFOR, &unknown, &ballet_for_ada()).await;
        assert_eq!(answer.refusal(code), known.refusal(code), "{unknown}: like one that is there");
    }
    // The same holds for the payment of the family's own link, which somebody else may have made: not for a basket of
    // exactly its amount, and not for one that is refused.
    let of_link = stack.authorise_link(&stack.link(None).await).await;
    let many: Vec<Value> = (0..26).map(|n| place(&format!("cls_{n}"), ADA, FULL)).collect();
    for items in [ballet_for_ada(), basket(&many, &[])] {
        let answer = stack.check_out(OKAFOR, &of_link, &items).await;
        assert_eq!(answer.refusal(code), known.refusal(code), "of a link");
        assert_kept(&stack, &of_link, &answer).await;
    }
}

fn with_key(stack: &Stack, key: &str, body: &Value) -> reqwest::RequestBuilder {
    let request = stack.family(OKAFOR).request(Method::POST, &format!("/v1/basket/{OKAFOR}/checkout"));
    request.header("idempotency-key", key).json(body)
}

async fn the_same_key_with_another_body(code: ErrorCode) {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let body = json!({"paymentIntentId": intent, "items": ballet_for_ada()});
    assert_eq!(Api::send(with_key(&stack, "a-key", &body)).await.status, 200);
    let before = stack.table().picture().await;
    for another in [
        json!({"paymentIntentId": intent, "items": basket(&[place(BALLET, ADA, MONTHLY)], &[])}),
        json!({"paymentIntentId": null, "items": ballet_for_ada()}),
    ] {
        let answer = Api::send(with_key(&stack, "a-key", &another)).await;
        answer.refusal(code);
        assert!(!answer.says_released());
    }
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
    let again = Api::send(with_key(&stack, "a-key", &body)).await;
    assert_eq!((again.status, again.headers["idempotent-replayed"].as_str()), (200, "true"));
}

async fn a_key_that_names_no_order_yet(code: ErrorCode) {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let body = json!({"paymentIntentId": intent, "items": ballet_for_ada()});
    // None of our calls leaves such a record; another version's may.
    let (company, family) = (CompanyId::parse(COMPANY).expect("an id"), FamilyId::parse(OKAFOR).expect("an id"));
    let key = key::idempotency(&company, &family, "basket-checkout", "a-key");
    let text = |text: String| AttributeValue::S(text);
    let fingerprint = basket_checkout::body_fingerprint(&body.to_string());
    let table = stack.table();
    let put = table.client.put_item().table_name(&table.name).item("pk", text(key.pk)).item("sk", text(key.sk));
    let put = put.item("cid", text(COMPANY.into())).item("fingerprint", text(fingerprint));
    put.item("ttl", AttributeValue::N("4102444800".into())).send().await.expect("the table can be written");

    let before = stack.table().picture().await;
    let answer = Api::send(with_key(&stack, "a-key", &body)).await;
    answer.refusal(code);
    assert_kept(&stack, &intent, &answer).await;
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
}

async fn a_studio_that_left_stripe(code: ErrorCode) {
    let gone = json!({"settings": {"billing": {"stripeId": "acct_1disconnected"}}});
    let stack = Studio::demo().with(COMPANY, &gone).start().await;
    let before = stack.table().picture().await;
    stack.family(OKAFOR).session(OKAFOR, &ballet_for_ada()).await.refusal(code);
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);

    // The account was left after the payer had authorised: first for a process that doesn't know it, then for one that
    // remembers it.
    for remembered in [false, true] {
        let stack = Stack::start().await;
        let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
        if remembered {
            let _ = stack.check_out(OKAFOR, "pi_unknown", &ballet_for_ada()).await;
        }
        let table = stack.table();
        let item = table.get(&format!("C#{COMPANY}"), "META").await.expect("the company");
        let doc = item["doc"].as_s().expect("a text").replace(&format!("\"{}\"", stack.account()), "null");
        let mut item = item.clone();
        item.insert("doc".into(), AttributeValue::S(doc));
        table
            .client
            .put_item()
            .table_name(&table.name)
            .set_item(Some(item))
            .send()
            .await
            .expect("the table can be written");
        refused_and_untouched(&stack, &intent, code).await;
    }
}

async fn a_payment_that_stripe_refuses_for_good(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    let why = json!({"refuse": {"status": 400, "code": "amount_too_small", "param": "amount", "message": "…"}});
    stack.order_fault(Call::Create, 100, &why).await;
    let answer = stack.family(OKAFOR).session(OKAFOR, &ballet_for_ada()).await;
    answer.refusal(code);
    assert_eq!(answer.headers.get("retry-after"), None);
    // The family's customer was created, and the next attempt can use it.
    let pk = format!("C#{COMPANY}#F#{OKAFOR}");
    let changes = before.changes(&stack.table().picture().await);
    assert!(
        changes
            .iter()
            .all(|change| change.starts_with(&format!("~ {pk}/META customer_account customer_keys stripe_customer"))),
        "{changes:?}"
    );
    let logged = stack.logged();
    assert!(logged.contains("stripe refused a call for good") && logged.contains("amount_too_small"), "Stripe's code");
    stack.withdraw_faults().await;

    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let before = stack.table().picture().await;
    stack.order_fault(Call::Retrieve, 100, &why).await;
    let answer = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    answer.refusal(code);
    assert_eq!(answer.headers.get("retry-after"), None);
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
    stack.withdraw_faults().await;
    assert_kept(&stack, &intent, &answer).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 200, "once it is put right");
}

async fn stripe_is_overloaded(code: ErrorCode) {
    let stack = Stack::start().await;
    let before = stack.table().picture().await;
    let fault = json!({"match": {}, "count": 100, "do": {"status": 429}});
    assert_eq!(stack.stripe().post("/_control/faults", &fault).await.status, 200);
    let answer = stack.family(OKAFOR).session(OKAFOR, &ballet_for_ada()).await;
    answer.refusal(code);
    assert_eq!(answer.headers["retry-after"], "2");
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
    stack.withdraw_faults().await;

    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let before = stack.table().picture().await;
    stack.order_fault(Call::Retrieve, 100, &json!({"status": 429})).await;
    let answer = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    answer.refusal(code);
    assert_eq!(answer.headers["retry-after"], "2");
    assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
    stack.withdraw_faults().await;
    assert_kept(&stack, &intent, &answer).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 200, "later it is taken");
}
