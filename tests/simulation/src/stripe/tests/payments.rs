//! The statuses of an intent, and the changes that each allows.

use super::*;
use crate::stripe::Authentication;
use classpay_service::stripe::PaymentMethodData;

const ALL: [IntentStatus; 7] = IntentStatus::ALL;

/// An intent with this status.
fn in_status(status: IntentStatus) -> (Desk, IntentId) {
    let desk = Desk::open();
    let intent = desk.create("mk").unwrap().id;
    let pay = |with| desk.stripe.confirm(&intent, with).unwrap();
    match status {
        IntentStatus::RequiresPaymentMethod => {}
        IntentStatus::RequiresConfirmation => {
            pay(PaysWith::AskingCard);
            desk.stripe.edit_amount(&intent, Money::minor(2000)).unwrap();
        }
        IntentStatus::RequiresAction => pay(PaysWith::AskingCard),
        IntentStatus::Processing => pay(PaysWith::BankDebit),
        IntentStatus::RequiresCapture => pay(PaysWith::Card),
        IntentStatus::Succeeded => {
            pay(PaysWith::Card);
            desk.stripe.capture_in_dashboard(&intent, None).unwrap();
        }
        IntentStatus::Canceled => desk.stripe.cancel_in_dashboard(&intent).unwrap(),
    }
    assert_eq!(desk.status(&intent), status);
    (desk, intent)
}

#[test]
fn only_what_is_held_is_captured() {
    for status in ALL {
        let (desk, intent) = in_status(status);
        let captured = desk.capture(&intent, AMOUNT, "cap");
        if status == IntentStatus::RequiresCapture {
            let captured = captured.unwrap();
            assert_eq!((captured.status, captured.amount_received.units()), (IntentStatus::Succeeded, AMOUNT));
        } else {
            assert_unexpected_state(captured);
            assert_eq!(desk.status(&intent), status);
        }
    }
}

#[test]
fn what_is_on_its_way_or_at_its_end_is_not_cancelled() {
    for status in ALL {
        let (desk, intent) = in_status(status);
        let cancelled = desk.cancel(&intent, "void");
        if matches!(status, IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled) {
            assert_unexpected_state(cancelled);
            assert_eq!(desk.status(&intent), status);
        } else {
            assert_eq!(cancelled.unwrap().status, IntentStatus::Canceled);
        }
    }
}

#[test]
fn the_payer_confirms_and_the_amount_is_changed_only_before_he_has() {
    for status in ALL {
        let is_open = matches!(
            status,
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction
        );
        for with in [PaysWith::Card, PaysWith::DecliningCard, PaysWith::AskingCard, PaysWith::BankDebit] {
            let (desk, intent) = in_status(status);
            let confirmed = desk.stripe.confirm(&intent, with);
            if is_open { confirmed.unwrap() } else { assert_unexpected_state(confirmed) }
        }
        let (desk, intent) = in_status(status);
        let edited = desk.stripe.edit_amount(&intent, Money::minor(100));
        if is_open {
            edited.unwrap()
        } else {
            assert_unexpected_state(edited)
        }
        desk.stripe.edit_metadata(&intent, "classpay", None).unwrap();
    }
}

#[test]
fn a_hold_shows_its_charge_and_its_card() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    let held = desk.load(&intent);
    let charge = held.charge.expect("it is held");
    assert_eq!((charge.amount.units(), charge.amount_captured.units(), charge.created_s), (AMOUNT, 0, 1_788_768_000));
    assert!(matches!(held.payment_method.map(|method| method.data), Some(PaymentMethodData::Card(_))));
    assert!(charge.id.starts_with("ch_"));
}

#[test]
fn a_part_is_captured_and_the_rest_is_let_go_and_more_is_refused() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    assert_rejected(desk.capture(&intent, AMOUNT + 1, "more"), 400, "amount_too_large");
    assert_rejected(desk.capture(&intent, 0, "none"), 400, "parameter_invalid_integer");
    let part = desk.capture(&intent, 1000, "cap").unwrap();
    let charge = part.charge.expect("it was taken");
    assert_eq!((part.amount_received.units(), charge.amount_captured.units()), (1000, 1000));
    assert_eq!((charge.amount_refunded.units(), charge.refunded, charge.refunds.len()), (29, false, 1));
    let refunded = desk.stripe.inspect(&intent, |view| view.refunded.units());
    assert_eq!(refunded, Some(0), "what was never taken isn't given back");
}

#[test]
fn a_cancelled_hold_shows_a_refund_of_what_was_never_captured() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    let cancelled = desk.cancel(&intent, "void").unwrap();
    let charge = cancelled.charge.expect("it was held");
    assert_eq!((charge.amount_captured.units(), charge.amount_refunded.units()), (0, AMOUNT));
    assert!(charge.refunded);
    assert_eq!(charge.refunds.first().map(|refund| refund.status.as_str()), Some("succeeded"));
    let money = desk.stripe.inspect(&intent, |view| (view.received, view.refunded));
    assert_eq!(money, Some((Money::ZERO, Money::ZERO)));
}

#[test]
fn a_hold_runs_out_after_seven_days_or_before() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    desk.pass_ms(7 * DAY_MS - 1000);
    assert_eq!(desk.status(&intent), IntentStatus::RequiresCapture);
    desk.pass_ms(5000);
    assert_unexpected_state(desk.capture(&intent, AMOUNT, "cap"));
    let ended = desk.load(&intent);
    assert_eq!(ended.status, IntentStatus::Canceled);
    let released_s = ended.charge.expect("it was held").refunds.first().map(|refund| refund.created_s);
    assert_eq!(released_s, Some((START_MS + 7 * DAY_MS) / 1000), "at its time, whenever it is read");

    let early = Desk::open();
    let intent = early.confirmed(PaysWith::Card);
    early.stripe.expire(&intent).unwrap();
    assert_eq!(early.status(&intent), IntentStatus::Canceled);
    assert_unexpected_state(early.stripe.expire(&intent));
}

#[test]
fn a_debit_is_paid_days_later_or_goes_back_to_the_start() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::BankDebit);
    assert_unexpected_state(desk.stripe.expire(&intent));
    desk.pass_ms(30 * DAY_MS);
    let pending = desk.load(&intent);
    assert_eq!((pending.status, pending.amount_received), (IntentStatus::Processing, Money::ZERO));
    assert!(pending.charge.expect("the bank was asked").id.starts_with("py_"));
    desk.stripe.fail_debit(&intent).unwrap();
    let failed = desk.load(&intent);
    assert_eq!((failed.status, failed.payment_method), (IntentStatus::RequiresPaymentMethod, None));
    assert_eq!(failed.charge.map(|charge| charge.amount_captured), Some(Money::ZERO));
    assert_unexpected_state(desk.stripe.settle_debit(&intent));
    desk.stripe.confirm(&intent, PaysWith::BankDebit).unwrap();
    desk.stripe.settle_debit(&intent).unwrap();
    let paid = desk.load(&intent);
    assert_eq!((paid.status, paid.amount_received.units()), (IntentStatus::Succeeded, AMOUNT));
}

#[test]
fn a_basket_takes_no_debits_and_nothing_but_pounds_is_debited() {
    let desk = Desk::open();
    let basket = run(desk.stripe.create_intent(&desk.account, &desk.new_intent(500, Methods::Card), "bk")).unwrap();
    let euros = NewIntent { currency: "eur", ..desk.new_intent(500, Methods::CardOrBankDebit) };
    let euros = run(desk.stripe.create_intent(&desk.account, &euros, "pl")).unwrap();
    for intent in [basket.id, euros.id] {
        let debited = desk.stripe.confirm(&intent, PaysWith::BankDebit);
        assert_rejected(debited, 400, "payment_intent_incompatible_payment_method");
    }
}

#[test]
fn a_declined_card_leaves_its_charge_and_another_may_pay() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::DecliningCard);
    let declined = desk.load(&intent);
    assert_eq!((declined.status, declined.payment_method), (IntentStatus::RequiresPaymentMethod, None));
    let first = declined.charge.expect("it was tried").id;
    desk.stripe.confirm(&intent, PaysWith::Card).unwrap();
    assert_ne!(desk.load(&intent).charge.expect("it is held").id, first);
}

#[test]
fn a_payer_passes_authentication_or_fails_it() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::AskingCard);
    desk.stripe.authenticate(&intent, Authentication::Fails).unwrap();
    assert_eq!(desk.status(&intent), IntentStatus::RequiresPaymentMethod);
    assert_unexpected_state(desk.stripe.authenticate(&intent, Authentication::Passes));
    desk.stripe.confirm(&intent, PaysWith::AskingCard).unwrap();
    desk.stripe.authenticate(&intent, Authentication::Passes).unwrap();
    assert_eq!(desk.status(&intent), IntentStatus::RequiresCapture);
}

#[test]
fn what_stripe_does_not_charge_is_refused_before_anything_is_made() {
    let desk = Desk::open();
    let codes = [(0, "parameter_invalid_integer"), (29, "amount_too_small"), (100_000_000, "amount_too_large")];
    for (amount, code) in codes {
        let new = desk.new_intent(amount, Methods::Card);
        assert_rejected(run(desk.stripe.create_intent(&desk.account, &new, "mk")), 400, code);
    }
    let stranger = CustomerId::parse("cus_of_nobody").unwrap();
    let new = NewIntent { customer: stranger, ..desk.new_intent(500, Methods::Card) };
    assert_rejected(run(desk.stripe.create_intent(&desk.account, &new, "ghost")), 400, "resource_missing");
    let new = NewIntent { currency: "GBP", ..desk.new_intent(500, Methods::Card) };
    assert_rejected(run(desk.stripe.create_intent(&desk.account, &new, "caps")), 0, "refused_unsent");
    let mut made = 0;
    desk.stripe.for_each(|_| made += 1);
    assert_eq!(made, 0);
    desk.create("mk").expect("what was refused before it was executed leaves the key free");
}

#[test]
fn no_account_reaches_into_another_and_a_disconnected_one_is_not_reached() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    let other = AccountId::parse("acct_other").unwrap();
    assert_eq!(run(desk.stripe.load_intent(&other, &intent)), Ok(None));
    let captured = run(desk.stripe.capture_intent(&other, &intent, Money::minor(AMOUNT), "cap"));
    assert_rejected(captured, 404, "resource_missing");
    let strange = ["pi_2", "pi_0", "pi_01", "pi_", "x"].map(|id| IntentId::parse(id).unwrap());
    assert!(strange.iter().all(|id| run(desk.stripe.load_intent(&desk.account, id)) == Ok(None)));
    desk.stripe.disconnect(&desk.account);
    assert!(matches!(desk.capture(&intent, AMOUNT, "cap"), Err(StripeError::Misconfigured(_))));
    desk.stripe.reconnect(&desk.account);
    desk.capture(&intent, AMOUNT, "cap").unwrap();
}
