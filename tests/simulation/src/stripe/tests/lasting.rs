//! Lasting refusals.

use super::*;
use crate::faults::CallKind;
use crate::stripe::Capability;
use classpay_service::stripe::SavedCards;

const INVALID: &str = "payment_intent_invalid_parameter";

fn customer(desk: &Desk) -> CustomerId {
    run(desk.stripe.create_customer(&desk.account, "Jo", &BTreeMap::new(), "cu")).unwrap()
}

fn intent_for(desk: &Desk, customer: &CustomerId, key: &str) -> Result<Intent, StripeError> {
    let new = NewIntent { customer: customer.clone(), ..desk.new_intent(AMOUNT, Methods::Card) };
    run(desk.stripe.create_intent(&desk.account, &new, key))
}

#[test]
fn a_deleted_customer_is_refused_in_new_calls_and_pays_what_was_made() {
    let desk = Desk::open();
    let customer = customer(&desk);
    let made = intent_for(&desk, &customer, "mk").unwrap();
    desk.stripe.delete_customer(&customer).unwrap();
    assert_rejected(desk.stripe.delete_customer(&customer), 404, "resource_missing");
    assert_rejected(intent_for(&desk, &customer, "mk:2"), 400, "resource_missing");
    let session = run(desk.stripe.create_customer_session(&desk.account, &customer, SavedCards::Off, "cs"));
    assert_rejected(session, 400, "resource_missing");
    assert_rejected(run(desk.stripe.create_ephemeral_key(&desk.account, &customer, "ek")), 400, "resource_missing");
    assert_eq!(desk.stripe.lasting_refusals().deleted_customer, 3);
    // Its keys are answered as before, and another customer is not affected.
    assert_eq!(intent_for(&desk, &customer, "mk").unwrap().id, made.id);
    assert_eq!(run(desk.stripe.create_customer(&desk.account, "Jo", &BTreeMap::new(), "cu")), Ok(customer));
    intent_for(&desk, &desk.customer, "mk:3").unwrap();
    desk.stripe.confirm(&made.id, PaysWith::Card).unwrap();
    desk.capture(&made.id, AMOUNT, "cap").unwrap();
}

#[test]
fn a_capability_that_is_lost_refuses_by_name_and_comes_back() {
    let desk = Desk::open();
    let both = desk.create("mk").unwrap().id;
    desk.stripe.set_capability(&desk.account, Capability::BankDebits, false);
    assert_rejected(desk.create("mk:2"), 400, INVALID);
    assert_rejected(desk.create("mk:2"), 400, INVALID);
    let card = run(desk.stripe.create_intent(&desk.account, &desk.new_intent(AMOUNT, Methods::Card), "mk:3"));
    desk.stripe.confirm(&card.unwrap().id, PaysWith::Card).unwrap();
    assert_rejected(desk.stripe.confirm(&both, PaysWith::BankDebit), 400, INVALID);
    assert_eq!(desk.status(&both), IntentStatus::RequiresPaymentMethod);
    // The replay doesn't count as a refusal.
    assert_eq!(desk.stripe.lasting_refusals().not_activated, 2);
    desk.stripe.set_capability(&desk.account, Capability::BankDebits, true);
    desk.stripe.confirm(&both, PaysWith::BankDebit).unwrap();
    assert_rejected(desk.create("mk:2"), 400, INVALID);
    desk.create("mk:4").unwrap();

    desk.stripe.set_capability(&desk.account, Capability::Cards, false);
    let card = run(desk.stripe.create_intent(&desk.account, &desk.new_intent(AMOUNT, Methods::Card), "mk:5"));
    assert_rejected(card, 400, INVALID);
    let other = AccountId::parse("acct_other").unwrap();
    desk.stripe.add_customer(&other, desk.customer.clone());
    run(desk.stripe.create_intent(&other, &desk.new_intent(500, Methods::Card), "mk")).unwrap();
}

#[test]
fn calls_of_a_kind_are_refused_until_that_is_withdrawn() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    desk.stripe.refuse(CallKind::Capture, 400, "charge_not_allowed");
    desk.stripe.refuse(CallKind::Cancel, 403, "account_restricted");
    assert_rejected(desk.capture(&intent, AMOUNT, "cap"), 400, "charge_not_allowed");
    assert!(matches!(desk.cancel(&intent, "void"), Err(StripeError::Misconfigured(_))));
    assert_eq!(desk.status(&intent), IntentStatus::RequiresCapture);
    assert_eq!(desk.create("mk").unwrap().id, intent, "other calls are answered");
    assert_eq!(desk.stripe.lasting_refusals().by_kind, 2);
    desk.stripe.withdraw_refusals();
    assert_rejected(desk.capture(&intent, AMOUNT, "cap"), 400, "charge_not_allowed");
    assert_eq!(desk.cancel(&intent, "void").unwrap().status, IntentStatus::Canceled, "a 403 is not remembered");
}

#[test]
fn the_studio_copies_an_intent_and_it_looks_like_ours() {
    let desk = Desk::open();
    let ours = desk.create("mk").unwrap().id;
    let copy = desk.stripe.copy_intent(&ours, (Money::minor(4631), "jpy")).unwrap();
    desk.stripe.confirm(&copy, PaysWith::Card).unwrap();
    desk.stripe.capture_in_dashboard(&copy, None).unwrap();
    let seen = |intent| {
        let see = |view: &super::super::IntentView<'_>| {
            (view.is_studios, view.currency.to_owned(), view.metadata.clone(), view.customer.clone())
        };
        desk.stripe.inspect(intent, see).unwrap()
    };
    let marked = BTreeMap::from([("classpay".to_owned(), "1".to_owned())]);
    assert_eq!(seen(&copy), (true, "jpy".to_owned(), marked.clone(), desk.customer.clone()));
    assert_eq!(seen(&ours), (false, "gbp".to_owned(), marked, desk.customer.clone()));
    assert_eq!(desk.load(&copy).amount_received.units(), 4631);
    assert_rejected(desk.stripe.copy_intent(&ours, (Money::minor(1), "jpy")), 400, "amount_too_small");
}
