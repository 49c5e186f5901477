//! Unsuitable payments: which are kept, which are released, and that nothing else changes.

use classpay_tests::studio::{self, ACRO, ADA, BALLET, CAMPBELL, ISLA, MINH, NGUYEN, OKAFOR, POINTE, TAP};
use classpay_tests::{Stack, assert_books_balance, without_request_id};
use serde_json::json;

#[tokio::test]
async fn a_declined_card_changes_nothing_and_another_card_pays() {
    let stack = Stack::start().await;
    let intent = stack.open_session(OKAFOR, &studio::ballet_for_ada()).await;
    assert_eq!(stack.stripe().pay(&intent, "pm_card_chargeDeclined").await.status, 402);
    let before = stack.table().picture().await;
    let refusal = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "payment_not_authorised"), "{}", refusal.text);
    assert_eq!(refusal.json().get("paymentReleased"), None);
    stack.assert_unchanged_since(&before).await;
    assert_eq!(stack.intent_status(&intent).await, "requires_payment_method");

    stack.confirm(&intent).await;
    let checkout = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!(checkout.status, 200, "{}", checkout.text);
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_intent_that_nobody_has_paid_is_left_to_its_payer() {
    let stack = Stack::start().await;
    let intent = stack.open_session(OKAFOR, &studio::ballet_for_ada()).await;
    let before = stack.table().picture().await;
    for status in ["requires_payment_method", "requires_action"] {
        assert_eq!(stack.intent_status(&intent).await, status);
        let refusal = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
        assert_eq!((refusal.status, refusal.code().as_str()), (409, "payment_not_authorised"), "{}", refusal.text);
        stack.stripe().pay(&intent, "pm_card_authenticationRequired").await;
    }
    stack.assert_unchanged_since(&before).await;
    let path = format!("/_control/payment_intents/{intent}/authenticate");
    assert_eq!(stack.stripe().post(&path, &json!({"outcome": "succeed"})).await.status, 200);
    assert_eq!(stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn another_family_s_intent_and_no_intent_at_all_are_one_answer() {
    let stack = Stack::start().await;
    let theirs = stack.authorise(CAMPBELL, &studio::one(TAP, ISLA)).await;
    let before = stack.table().picture().await;
    let mut bodies = Vec::new();
    for intent in [theirs.as_str(), "pi_00000000000000000000000a", "not an intent", ""] {
        let refusal = stack.check_out(OKAFOR, intent, &studio::ballet_for_ada()).await;
        assert_eq!((refusal.status, refusal.code().as_str()), (404, "payment_intent_mismatch"), "{intent}");
        bodies.push(without_request_id(&refusal));
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    stack.assert_unchanged_since(&before).await;
    assert_eq!(stack.intent_status(&theirs).await, "requires_capture");
    assert_eq!(stack.check_out(CAMPBELL, &theirs, &studio::one(TAP, ISLA)).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_amount_that_is_not_the_quote_s_is_released_and_the_price_is_told() {
    let stack = Stack::start().await;
    let payment = stack.quoted_payment(OKAFOR, &studio::ballet_for_ada()).await;
    let quoted = payment["total"].as_i64().unwrap();
    for amount in [quoted - 1, quoted + 1] {
        let (seats, posted) = (stack.seats_left(BALLET).await, stack.posted(OKAFOR).await);
        let intent = stack.authorise_amount(OKAFOR, amount).await;
        let refusal = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
        assert_eq!((refusal.status, refusal.code().as_str()), (409, "quote_changed"), "{}", refusal.text);
        assert_eq!(refusal.json()["payment"], payment);
        assert_eq!(refusal.json()["paymentReleased"], true);
        assert_eq!(stack.intent_status(&intent).await, "canceled");
        assert_eq!((stack.seats_left(BALLET).await, stack.posted(OKAFOR).await), (seats, posted));
        let again = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
        assert_eq!(without_request_id(&again), without_request_id(&refusal), "the second click hears the same");
    }
    assert_eq!(stack.captured().await, []);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_payment_that_has_paid_a_basket_pays_no_other() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await.status, 200);
    let before = stack.table().picture().await;
    let refusal = stack.check_out(OKAFOR, &intent, &studio::one(TAP, ADA)).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "payment_already_used"), "{}", refusal.text);
    stack.assert_unchanged_since(&before).await;
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_class_that_is_full_gives_the_money_back() {
    let stack = Stack::start().await;
    assert_eq!(stack.seats_left(POINTE).await, 0);
    let intent = stack.authorise_amount(NGUYEN, 50_000).await;
    let basket = studio::one(POINTE, MINH);
    let refusal = stack.check_out(NGUYEN, &intent, &basket).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "class_full"), "{}", refusal.text);
    assert_eq!(refusal.json()["paymentReleased"], true);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_eq!(stack.seats_left(POINTE).await, 0);
    assert_eq!(stack.captured().await, []);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn who_pays_after_the_last_seat_was_sold_gets_his_money_back() {
    let stack = Stack::start().await;
    let (adas, islas) = (studio::one(ACRO, ADA), studio::one(ACRO, ISLA));
    let (first, second) = (stack.authorise(OKAFOR, &adas).await, stack.authorise(CAMPBELL, &islas).await);
    assert_eq!(stack.check_out(OKAFOR, &first, &adas).await.status, 200);
    let refusal = stack.check_out(CAMPBELL, &second, &islas).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "class_full"), "{}", refusal.text);
    assert_eq!(refusal.json()["paymentReleased"], true);
    assert_eq!(stack.intent_status(&second).await, "canceled");
    assert_eq!(stack.seats_left(ACRO).await, 0);
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_authorisation_that_ran_out_is_cancelled_and_a_new_session_pays() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let path = format!("/_control/payment_intents/{intent}/expire");
    assert_eq!(stack.stripe().post(&path, &json!({})).await.status, 200);
    let refusal = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "payment_cancelled"), "{}", refusal.text);
    let next = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    assert_ne!(next, intent);
    assert_eq!(stack.check_out(OKAFOR, &next, &studio::ballet_for_ada()).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_released_payment_is_followed_by_a_new_intent_for_the_same_basket() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let body = json!({"paymentIntentId": intent, "quoteHash": "0".repeat(64), "items": studio::ballet_for_ada()});
    let refusal = stack.family(OKAFOR).post(&format!("/v1/basket/{OKAFOR}/checkout"), &body).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "quote_changed"), "{}", refusal.text);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    let next = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    assert_ne!(next, intent);
    assert_eq!(stack.check_out(OKAFOR, &next, &studio::ballet_for_ada()).await.status, 200);
    assert_books_balance(&stack).await;
}
