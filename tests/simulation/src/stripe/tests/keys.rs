//! Idempotency keys.

use super::*;
use classpay_service::stripe::SavedCards;

#[test]
fn the_first_answer_is_the_only_one_also_when_the_intent_has_gone_on() {
    let desk = Desk::open();
    let made = desk.create("mk").unwrap();
    desk.stripe.confirm(&made.id, PaysWith::Card).unwrap();
    assert_eq!(desk.create("mk"), Ok(made.clone()));
    let captured = desk.capture(&made.id, AMOUNT, "cap").unwrap();
    assert_eq!(desk.capture(&made.id, AMOUNT, "cap"), Ok(captured));
    assert_unexpected_state(desk.capture(&made.id, AMOUNT, "cap:2"));
}

#[test]
fn an_error_that_was_executed_is_replayed_too() {
    let desk = Desk::open();
    let intent = desk.create("mk").unwrap().id;
    assert_unexpected_state(desk.capture(&intent, AMOUNT, "cap"));
    desk.stripe.confirm(&intent, PaysWith::Card).unwrap();
    assert_unexpected_state(desk.capture(&intent, AMOUNT, "cap"));
    assert_eq!(desk.status(&intent), IntentStatus::RequiresCapture);
    desk.capture(&intent, AMOUNT, "cap:2").unwrap();
}

#[test]
fn a_parameter_that_was_refused_leaves_the_key_free() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    assert_rejected(desk.capture(&intent, -1, "cap"), 400, "parameter_invalid_integer");
    desk.capture(&intent, AMOUNT, "cap").unwrap();
}

#[test]
fn other_parameters_or_another_call_under_a_key_are_refused() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    let other = run(desk.stripe.create_intent(&desk.account, &desk.new_intent(500, Methods::Card), "mk"));
    assert_rejected(other, 400, "idempotency_error");
    assert_rejected(desk.capture(&intent, AMOUNT, "mk"), 400, "idempotency_error");
    assert_rejected(desk.cancel(&intent, "mk"), 400, "idempotency_error");
    assert_eq!(desk.status(&intent), IntentStatus::RequiresCapture);
}

#[test]
fn a_key_has_its_length() {
    let desk = Desk::open();
    for key in [String::new(), "k".repeat(256)] {
        assert_rejected(desk.create(&key), 0, "refused_unsent");
    }
    desk.create(&"k".repeat(255)).unwrap();
}

#[test]
fn customers_and_their_forms_are_made_once_for_a_key() {
    let desk = Desk::open();
    let session = |cards, key| run(desk.stripe.create_customer_session(&desk.account, &desk.customer, cards, key));
    let open = session(SavedCards::Offered, "cs").unwrap();
    assert_eq!(open.customer_id, desk.customer);
    assert_eq!(session(SavedCards::Offered, "cs"), Ok(open));
    assert_rejected(session(SavedCards::Off, "cs"), 400, "idempotency_error");
    let mobile = |key| run(desk.stripe.create_ephemeral_key(&desk.account, &desk.customer, key)).unwrap();
    assert_eq!(mobile("ek"), mobile("ek"));
    assert_ne!(mobile("ek"), mobile("ek:2"));
}
