//! Actions of the studio in Stripe's dashboard during a payment: captures, cancels, edits.

use classpay_tests::studio::{self, ADA, BALLET, CAMPBELL, OKAFOR};
use classpay_tests::{Answer, Api, Call, Stack, assert_books_balance};
use reqwest::Method;
use serde_json::json;

/// The studio changes an intent: a path below the intent, and a form.
async fn dashboard(stack: &Stack, intent: &str, action: &str, form: &str) {
    let request = stack.stripe().request(Method::POST, &format!("/v1/payment_intents/{intent}{action}"));
    let request = request.bearer_auth("sk_test_dashboard").header("stripe-account", stack.account());
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    let answer = Api::send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text);
}

/// An authorised payment whose order is placed; Stripe doesn't answer about it until the faults are withdrawn.
async fn pending(stack: &Stack) -> String {
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    stack.order_fault(Call::Retrieve, 1, &json!({"delayMs": 0})).await;
    stack.order_fault(Call::Retrieve, 1000, &json!({"drop": "before"})).await;
    stack.order_fault(Call::Capture, 1000, &json!({"drop": "before"})).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await.status, 202);
    stack.withdraw_faults().await;
    intent
}

#[tokio::test]
async fn a_payment_captured_before_its_basket_is_booked_is_for_a_person() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let seats = stack.seats_left(BALLET).await;
    dashboard(&stack, &intent, "/capture", "").await;
    for _ in 0..2 {
        let refusal = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
        assert_refused(&refusal, 409, "payment_already_captured");
        assert_eq!(refusal.json().get("paymentReleased"), None, "the payer has paid");
    }
    assert_eq!(stack.seats_left(BALLET).await, seats);
    assert!(stack.place(OKAFOR, ADA, BALLET).await.is_none());
    let notes = stack.table().partition(&format!("REVIEW#{}", stack.company()), "").await;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0]["what"].as_s().unwrap().contains(&intent));
}

#[tokio::test]
async fn a_payment_cancelled_before_its_basket_is_booked_buys_nothing() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    dashboard(&stack, &intent, "/cancel", "").await;
    let before = stack.table().picture().await;
    assert_refused(&stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await, 409, "payment_cancelled");
    stack.assert_unchanged_since(&before).await;
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_pending_order_that_the_studio_captures_is_completed() {
    let stack = Stack::start().await;
    let intent = pending(&stack).await;
    dashboard(&stack, &intent, "/capture", "").await;
    let checkout = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!(checkout.status, 200, "{}", checkout.text);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_pending_order_that_the_studio_cancels_gives_its_place_back() {
    let stack = Stack::start().await;
    let seats = stack.seats_left(BALLET).await;
    let intent = pending(&stack).await;
    assert_eq!(stack.seats_left(BALLET).await, seats - 1);
    dashboard(&stack, &intent, "/cancel", "").await;
    let refusal = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_refused(&refusal, 409, "payment_cancelled");
    assert_eq!(refusal.json()["paymentReleased"], true);
    assert_eq!(stack.seats_left(BALLET).await, seats);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_pending_order_of_which_the_studio_captures_a_part_is_for_a_person() {
    let stack = Stack::start().await;
    let intent = pending(&stack).await;
    dashboard(&stack, &intent, "/capture", "amount_to_capture=100").await;
    for _ in 0..2 {
        let answer = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
        assert_eq!(answer.status, 202, "no guess: {}", answer.text);
        let order = answer.json()["orderId"].as_str().unwrap().to_owned();
        let order = stack.table().get(&format!("ORD#{order}"), "META").await.unwrap();
        assert_eq!(order["order_state"].as_s().unwrap(), "PENDING");
        assert!(order.contains_key("needs_review"));
    }
    assert_eq!(stack.posted(OKAFOR).await.len(), 0);
    let notes = stack.table().partition(&format!("REVIEW#{}", stack.company()), "").await;
    assert_eq!(notes.len(), 1, "{notes:?}");
}

#[tokio::test]
async fn whose_payment_it_is_can_t_be_edited() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    dashboard(&stack, &intent, "", &format!("metadata[family]={CAMPBELL}&metadata[classpay]=")).await;
    let islas = studio::one(BALLET, studio::ISLA);
    assert_refused(&stack.check_out(CAMPBELL, &intent, &islas).await, 404, "payment_intent_mismatch");
    let checkout = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!(checkout.status, 200, "{}", checkout.text);
    assert_books_balance(&stack).await;
}

/// An authorised payment whose authorisation an event has reported. No event reports what the studio does next.
async fn told(stack: &Stack) -> String {
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    stack.deliver(&stack.event("payment_intent.amount_capturable_updated").await).await;
    intent
}

#[tokio::test]
async fn a_payment_cancelled_after_its_event_buys_nothing_and_gives_its_place_back() {
    let stack = Stack::start().await;
    let (seats, intent) = (stack.seats_left(BALLET).await, told(&stack).await);
    dashboard(&stack, &intent, "/cancel", "").await;
    for _ in 0..2 {
        let refusal = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
        assert_refused(&refusal, 409, "payment_cancelled");
    }
    assert_eq!(stack.seats_left(BALLET).await, seats);
    assert_eq!((stack.captured().await, stack.posted(OKAFOR).await), (vec![], vec![]));
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_payment_captured_after_its_event_is_captured_once_and_has_its_place() {
    let stack = Stack::start().await;
    let intent = told(&stack).await;
    dashboard(&stack, &intent, "/capture", "").await;
    for _ in 0..2 {
        let checkout = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
        assert_eq!(checkout.status, 200, "{}", checkout.text);
    }
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn nothing_is_refused_on_the_word_of_an_event() {
    let stack = Stack::start().await;
    let intent = told(&stack).await;
    dashboard(&stack, &intent, "/cancel", "").await;
    let before = stack.table().picture().await;
    // Two places cost more. That refusal would release what is held, but nothing is held.
    let places = [BALLET, studio::TAP].map(|class| studio::place(class, ADA, studio::FULL));
    let refusal = stack.check_out(OKAFOR, &intent, &studio::basket(&places, &[])).await;
    assert_refused(&refusal, 409, "payment_cancelled");
    assert_eq!(refusal.json().get("paymentReleased"), None);
    stack.assert_unchanged_since(&before).await;
}

#[tokio::test]
async fn an_intent_that_was_edited_at_stripe_is_replaced_before_a_card_is_taken() {
    for edit in ["currency=jpy", "amount=100"] {
        let stack = Stack::start().await;
        let link = stack.link(None).await;
        let edited = stack.intent_of_link(&link).await;
        dashboard(&stack, &edited, "", edit).await;
        let intent = stack.authorise_link(&link).await;
        assert_ne!(intent, edited, "{edit}");
        assert_eq!(stack.intent_status(&edited).await, "canceled", "{edit}: nobody can pay it any more");
        let paid = stack.process_link(&link, Some(&intent)).await;
        assert_eq!(paid.status, 200, "{edit}: {}", paid.text);

        let basket = studio::ballet_for_ada();
        let edited = stack.open_session(OKAFOR, &basket).await;
        dashboard(&stack, &edited, "", edit).await;
        let intent = stack.authorise(OKAFOR, &basket).await;
        assert_ne!(intent, edited, "{edit}");
        let paid = stack.check_out(OKAFOR, &intent, &basket).await;
        assert_eq!(paid.status, 200, "{edit}: {}", paid.text);
        assert_books_balance(&stack).await;
    }
}

#[tokio::test]
async fn a_card_that_an_edited_intent_holds_is_released_and_the_next_intent_pays() {
    let stack = Stack::start().await;
    let (link, basket) = (stack.link(None).await, studio::ballet_for_ada());
    let (of_link, of_basket) = (stack.intent_of_link(&link).await, stack.open_session(OKAFOR, &basket).await);
    for intent in [&of_link, &of_basket] {
        dashboard(&stack, intent, "", "currency=jpy").await;
        stack.confirm(intent).await;
    }
    assert_refused(&stack.process_link(&link, Some(&of_link)).await, 422, "quote_changed");
    let next = stack.authorise(OKAFOR, &basket).await;
    assert_ne!(next, of_basket, "what can't be booked isn't offered again");
    let refusal = stack.check_out(OKAFOR, &of_basket, &basket).await;
    assert_refused(&refusal, 409, "quote_changed");
    for intent in [&of_link, &of_basket] {
        assert_eq!(stack.intent_status(intent).await, "canceled");
    }
    assert_eq!(stack.check_out(OKAFOR, &next, &basket).await.status, 200);
    let next = stack.authorise_link(&link).await;
    assert_eq!(stack.process_link(&link, Some(&next)).await.status, 200);
    assert_books_balance(&stack).await;
}
