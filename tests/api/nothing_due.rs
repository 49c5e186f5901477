//! Baskets with nothing to collect now, superfluous payments, and missing ones.

use classpay_tests::studio::{self, ADA, COMPANY, OKAFOR, OPEN_STUDIO, STREET, Studio};
use classpay_tests::{Stack, assert_books_balance};
use serde_json::json;

#[tokio::test]
async fn a_basket_that_costs_nothing_is_booked_once_however_often_it_is_sent() {
    let stack = Stack::start().await;
    let seats = stack.seats_left(OPEN_STUDIO).await;
    for _ in 0..3 {
        let checkout = stack.family(OKAFOR).checkout(OKAFOR, None, &studio::open_studio_for_ada()).await;
        assert_eq!((checkout.status, checkout.text.as_str()), (204, ""));
    }
    let place = stack.place(OKAFOR, ADA, OPEN_STUDIO).await.unwrap();
    assert_eq!(place["place_state"].as_s().unwrap(), "ACTIVE");
    assert_eq!(stack.seats_left(OPEN_STUDIO).await, seats - 1);
    assert_eq!(stack.captured().await, []);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_payment_that_is_not_needed_is_refused_and_kept() {
    let stack = Stack::start().await;
    let session = stack.family(OKAFOR).session(OKAFOR, &studio::open_studio_for_ada()).await;
    assert_eq!((session.status, session.code().as_str()), (422, "payment_not_needed"), "{}", session.text);
    let intent = stack.authorise_amount(OKAFOR, 1000).await;
    let before = stack.table().picture().await;
    let refusal = stack.check_out(OKAFOR, &intent, &studio::open_studio_for_ada()).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (422, "payment_not_needed"), "{}", refusal.text);
    stack.assert_unchanged_since(&before).await;
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_basket_that_costs_something_needs_a_payment() {
    let stack = Stack::start().await;
    let refusal = stack.family(OKAFOR).checkout(OKAFOR, None, &studio::ballet_for_ada()).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (422, "payment_required"), "{}", refusal.text);
    assert!(stack.place(OKAFOR, ADA, studio::BALLET).await.is_none());
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn what_is_less_than_stripe_takes_stays_on_the_balance() {
    let cheap = Studio::demo().with(COMPANY, &json!({"settings": {"trial": {"price": 20}}}));
    let stack = cheap.start().await;
    let basket = studio::basket(&[], &[studio::trial(STREET, ADA, "2026-09-15", "17:15")]);
    let payment = stack.quoted_payment(OKAFOR, &basket).await;
    assert!(payment["total"].as_i64().unwrap() < 30, "{payment}");

    let mut answers = Vec::new();
    for _ in 0..2 {
        let checkout = stack.family(OKAFOR).checkout(OKAFOR, None, &basket).await;
        assert_eq!(checkout.status, 200, "{}", checkout.text);
        answers.push(checkout.text);
    }
    assert_eq!(answers[0], answers[1]);
    let ledger = stack.posted(OKAFOR).await;
    let [debit] = ledger.as_slice() else { panic!("one debit: {ledger:?}") };
    assert_eq!(serde_json::to_value([debit]).unwrap(), serde_json::from_str::<serde_json::Value>(&answers[0]).unwrap());
    assert_eq!(debit["stats"]["total"], payment["subtotal"]);
    let due = format!("C#{}#TRN#{}", stack.company(), debit["aggregateId"].as_str().unwrap());
    let due = stack.table().get(&due, "DUE").await.unwrap();
    assert_eq!(due["amount_due"].as_n().unwrap(), &payment["subtotal"].to_string());
    assert_eq!(stack.intent_count().await, 0);
    assert_books_balance(&stack).await;
}
