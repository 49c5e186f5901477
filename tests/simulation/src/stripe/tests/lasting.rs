//! Lasting refusals.

use super::*;
use crate::faults::CallKind;
use crate::stripe::{Capability, LastingRefusals};

const INVALID: &str = "payment_intent_invalid_parameter";

#[test]
fn what_is_refused_lastingly_is_counted_by_its_cause_and_a_replay_is_not() {
    let desk = Desk::open();
    let made = desk.create("mk").unwrap().id;
    desk.stripe.set_capability(&desk.account, Capability::BankDebits, false);
    assert_rejected(desk.create("mk:2"), 400, INVALID);
    assert_rejected(desk.create("mk:2"), 400, INVALID);
    assert_rejected(desk.stripe.confirm(&made, PaysWith::BankDebit), 400, INVALID);
    desk.stripe.set_capability(&desk.account, Capability::BankDebits, true);
    desk.stripe.delete_customer(&desk.customer).unwrap();
    assert_rejected(desk.stripe.delete_customer(&desk.customer), 404, "resource_missing");
    assert_rejected(desk.create("mk:3"), 400, "resource_missing");
    assert_rejected(
        run(desk.stripe.create_ephemeral_key(&desk.account, &desk.customer, "ek")),
        400,
        "resource_missing",
    );
    assert_eq!((desk.create("mk").unwrap().id, desk.stripe.customers()), (made.clone(), Vec::new()));
    desk.stripe.confirm(&made, PaysWith::Card).unwrap();
    desk.stripe.refuse(CallKind::Capture, 402, "card_declined");
    desk.stripe.refuse(CallKind::Cancel, 403, "account_restricted");
    assert!(desk.stripe.refuses_payments());
    assert!(matches!(desk.capture(&made, AMOUNT, "cap"), Err(StripeError::Declined(_))));
    assert!(matches!(desk.cancel(&made, "void"), Err(StripeError::Misconfigured(_))));
    assert_eq!(desk.status(&made), IntentStatus::RequiresCapture);
    desk.stripe.withdraw_refusals();
    assert_rejected(desk.capture(&made, AMOUNT, "cap"), 402, "card_declined");
    assert_eq!(desk.cancel(&made, "void").unwrap().status, IntentStatus::Canceled, "a 403 is not remembered");
    let counted = LastingRefusals { deleted_customer: 2, not_activated: 2, by_kind: 2, declined: 1 };
    assert_eq!(desk.stripe.lasting_refusals(), counted);
}

#[test]
fn the_studio_copies_an_intent_and_it_looks_like_ours() {
    let desk = Desk::open();
    let ours = desk.create("mk").unwrap().id;
    let copy = desk.stripe.copy_intent(&ours, (Money::minor(4631), "jpy")).unwrap();
    desk.stripe.confirm(&copy, PaysWith::Card).unwrap();
    desk.stripe.capture_in_dashboard(&copy, None).unwrap();
    assert_eq!(desk.load(&copy).amount_received.units(), 4631);
    let see = |view: &super::super::IntentView<'_>| (view.is_studios, view.metadata.clone(), view.customer.clone());
    let [ours, copy] = [ours, copy].map(|intent| desk.stripe.inspect(&intent, see).unwrap());
    assert_eq!((ours.0, copy.0), (false, true));
    assert_eq!((ours.1, ours.2), (copy.1, copy.2));
}

#[test]
fn a_disconnected_account_is_not_reached() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    desk.stripe.disconnect(&desk.account);
    assert!(matches!(desk.capture(&intent, AMOUNT, "cap"), Err(StripeError::Misconfigured(_))));
    let seen = |view: &super::super::IntentView<'_>| (view.is_connected, view.was_disconnected);
    assert_eq!(desk.stripe.inspect(&intent, seen), Some((false, true)));
    desk.stripe.reconnect(&desk.account);
    desk.capture(&intent, AMOUNT, "cap").unwrap();
}
