//! The day on which a law begins to forbid the processing fee: in Australia 1 October 2026, by the company's time zone.
//!
//! A payment that was authorised before is captured as the payer saw it; any other is without the fee.

use classpay_tests::studio::{COMPANY, Studio, ballet_for_ada};
use classpay_tests::{COSTUMES, COSTUMES_DUE, COSTUMES_TOTAL, OKAFOR, Stack, assert_books_balance};
use serde_json::{Value, json};

/// Half past eleven in the evening of the last day with a fee, in Sydney. In London it is still the afternoon.
const LAST_EVENING: &str = "2026-09-30T13:30:00Z";
/// The first second without a fee.
const MIDNIGHT: &str = "2026-09-30T14:00:00Z";

/// The demo studio, with its fee of 2.9 %, in Sydney on that evening.
async fn in_sydney() -> Stack {
    let there = json!({
        "address": {"countryCode": "AU"},
        "settings": {"general": {"timezone": "Australia/Sydney"}, "billing": {"currency": "aud"}},
    });
    Studio::demo().with(COMPANY, &there).start_at(LAST_EVENING).await
}

/// The amounts of an answer: the subtotal, the fee, its percentage, the total.
fn charged(answer: &Value) -> [Value; 4] {
    ["subtotal", "processingFee", "processingFeePercent", "total"].map(|name| answer[name].clone())
}

fn with_the_fee() -> [Value; 4] {
    [json!(COSTUMES_DUE), json!(COSTUMES_TOTAL - COSTUMES_DUE), json!(2.9), json!(COSTUMES_TOTAL)]
}

fn without_it() -> [Value; 4] {
    [json!(COSTUMES_DUE), json!(0), json!(0), json!(COSTUMES_DUE)]
}

/// The types of the details of a payment's credit.
fn kinds(credit: &Value) -> Vec<&str> {
    let details = credit["details"].as_array().expect("a list of details");
    details.iter().map(|detail| detail["details"]["type"].as_str().expect("a type")).collect()
}

#[tokio::test]
async fn a_link_that_was_opened_with_a_fee_is_paid_without_it_from_midnight_on() {
    let stack = in_sydney().await;
    let link = stack.link(None).await;
    let evening = stack.open_link(&link).await.json();
    assert_eq!(charged(&evening), with_the_fee());
    let old = evening["paymentSession"]["paymentIntent"]["id"].as_str().unwrap();
    stack.move_clock("2026-09-30T13:59:59Z").await;
    let again = stack.open_link(&link).await.json();
    assert_eq!(again["paymentSession"]["paymentIntent"]["id"], old, "the same to the last second");

    stack.move_clock(MIDNIGHT).await;
    let opened = stack.open_link(&link).await.json();
    assert_eq!(charged(&opened), without_it());
    assert_eq!(opened["paymentSession"]["paymentIntent"]["amount"], COSTUMES_DUE);
    assert_eq!(stack.intent_status(old).await, "canceled");

    let intent = stack.authorise_link(&link).await;
    assert_ne!(intent, old);
    let paid = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    assert_eq!(kinds(&paid.json()["creditAggregateTransaction"]), ["payment-auto"]);
    assert_eq!(stack.captured().await, [(intent, COSTUMES_DUE)]);
    assert_eq!(stack.due(COSTUMES).await, 0);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_link_that_was_authorised_before_midnight_is_paid_as_its_payer_saw_it() {
    let stack = in_sydney().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    stack.move_clock(MIDNIGHT).await;
    let paid = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    assert_eq!(kinds(&paid.json()["creditAggregateTransaction"]), ["payment-auto", "fee-company"]);
    assert_eq!(stack.captured().await, [(intent, COSTUMES_TOTAL)]);
    assert_eq!(charged(&stack.open_link(&link).await.json()), with_the_fee(), "the receipt says what was paid");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_basket_is_charged_what_its_family_was_shown_and_the_next_one_without_a_fee() {
    let stack = in_sydney().await;
    let family = stack.family(OKAFOR);
    let quoted = |quote: Value| (charged(&quote["payment"]), quote["quoteHash"].clone());
    let (evening, evening_s) = quoted(family.quote(OKAFOR, &ballet_for_ada()).await.json());
    assert_eq!(evening[2], json!(2.9));
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;

    stack.move_clock(MIDNIGHT).await;
    let (morning, morning_s) = quoted(family.quote(OKAFOR, &ballet_for_ada()).await.json());
    assert_eq!((&morning[1], &morning[2]), (&json!(0), &json!(0)));
    assert_eq!((&morning[0], &morning[3]), (&evening[0], &evening[0]), "the same places at the same price");
    assert_ne!(morning_s, evening_s, "another charge is another price");

    // A session's date stays valid while the family pays.
    let booked = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!(booked.status, 200, "{}", booked.text);
    let booked = booked.json();
    assert_eq!(kinds(&booked[1]), ["payment-auto", "fee-company"]);
    assert_eq!(stack.captured().await, [(intent, evening[3].as_i64().unwrap())]);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_studio_that_says_no_country_charges_no_fee_anywhere() {
    let nowhere = Studio::demo().with(COMPANY, &json!({"address": {"countryCode": ""}}));
    let stack = nowhere.start().await;
    let quote = stack.family(OKAFOR).quote(OKAFOR, &ballet_for_ada()).await.json();
    assert_eq!(quote["payment"]["processingFeePercent"], json!(0));
    let link = stack.link(None).await;
    assert_eq!(charged(&stack.open_link(&link).await.json()), without_it());
    let bought = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let booked = stack.check_out(OKAFOR, &bought, &ballet_for_ada()).await;
    assert_eq!(booked.status, 200, "{}", booked.text);
    assert_eq!(kinds(&booked.json()[1]), ["payment-auto"]);
    assert_books_balance(&stack).await;
}
