//! Lost calls, and what the caller learns.

use super::*;
use crate::executor::Executor;
use crate::rng::Rng;

const LOST: StripeError = StripeError::OutcomeUnknown;
const SPOILT: StripeError = StripeError::KeyExhausted;

/// An intent that is held, at a Stripe whose capture has this fault.
fn held(fault: Fault) -> (Desk, IntentId) {
    let desk = Desk::with(2, fault);
    let intent = desk.confirmed(PaysWith::Card);
    (desk, intent)
}

#[test]
fn a_fault_has_its_effect_and_its_answer() {
    let cases = [
        (Fault::NotSent, StripeError::Unavailable, IntentStatus::RequiresCapture),
        (Fault::Refused, StripeError::Unavailable, IntentStatus::RequiresCapture),
        (Fault::RequestLost, LOST, IntentStatus::RequiresCapture),
        (Fault::ReplyLost, LOST, IntentStatus::Succeeded),
        (Fault::Late, LOST, IntentStatus::RequiresCapture),
        (Fault::Stored500, SPOILT, IntentStatus::RequiresCapture),
        (Fault::Stored500Done, SPOILT, IntentStatus::Succeeded),
    ];
    for (fault, error, status) in cases {
        let (desk, intent) = held(fault);
        assert_eq!(desk.capture(&intent, AMOUNT, "cap"), Err(error), "{fault:?}");
        assert_eq!(desk.status(&intent), status, "{fault:?}");
    }
}

#[test]
fn the_same_key_again_does_what_was_lost_and_answers_what_was_done() {
    for fault in [Fault::NotSent, Fault::Refused, Fault::RequestLost, Fault::ReplyLost, Fault::Late] {
        let (desk, intent) = held(fault);
        assert!(desk.capture(&intent, AMOUNT, "cap").is_err());
        assert_eq!(desk.capture(&intent, AMOUNT, "cap").unwrap().status, IntentStatus::Succeeded, "{fault:?}");
        for late in (0..desk.stripe.late_calls()).rev() {
            assert!(desk.stripe.land_late(late), "it finds its answer");
        }
        assert_eq!(desk.load(&intent).amount_received.units(), AMOUNT);
    }
}

#[test]
fn a_500_is_answered_to_its_key_for_a_day_and_another_key_gets_past_it() {
    let (desk, intent) = held(Fault::Stored500);
    for _ in 0..3 {
        assert_eq!(desk.capture(&intent, AMOUNT, "cap"), Err(SPOILT));
    }
    assert_rejected(desk.cancel(&intent, "cap"), 400, "idempotency_error");
    desk.capture(&intent, AMOUNT, "cap:2").unwrap();
    desk.pass_ms(DAY_MS);
    assert_unexpected_state(desk.capture(&intent, AMOUNT, "cap"));
}

#[test]
fn a_500_after_the_effect_is_answered_to_its_key_too() {
    let (desk, intent) = held(Fault::Stored500Done);
    for _ in 0..2 {
        assert_eq!(desk.capture(&intent, AMOUNT, "cap"), Err(SPOILT));
        assert_eq!(desk.load(&intent).amount_received.units(), AMOUNT);
    }
    assert_unexpected_state(desk.capture(&intent, AMOUNT, "cap:2"));
}

#[test]
fn a_key_that_has_an_answer_gives_it_though_stripe_would_break() {
    let desk = Desk::with(2, Fault::Stored500);
    let made = desk.create("mk").unwrap();
    assert_eq!(desk.create("mk"), Ok(made));
}

#[test]
fn what_is_late_meets_the_intent_as_it_is_then() {
    let (desk, intent) = held(Fault::Late);
    assert_eq!(desk.capture(&intent, AMOUNT, "cap"), Err(LOST));
    assert_eq!(desk.stripe.late_calls(), 1);
    desk.cancel(&intent, "void").unwrap();
    assert!(!desk.stripe.land_late(0));
    assert_eq!((desk.status(&intent), desk.stripe.late_calls()), (IntentStatus::Canceled, 0));
    assert_unexpected_state(desk.capture(&intent, AMOUNT, "cap"));

    let (desk, intent) = held(Fault::Late);
    assert_eq!(desk.capture(&intent, AMOUNT, "cap"), Err(LOST));
    assert!(desk.stripe.land_late(0));
    assert_eq!(desk.status(&intent), IntentStatus::Succeeded);
    assert_unexpected_state(desk.cancel(&intent, "void"));
}

#[test]
fn a_read_that_fails_proves_that_nothing_was_done() {
    let lost = [Fault::RequestLost, Fault::ReplyLost, Fault::Late, Fault::Stored500, Fault::Stored500Done];
    for fault in lost.into_iter().chain([Fault::NotSent, Fault::Refused]) {
        let (desk, intent) = held(fault);
        let loaded = run(desk.stripe.load_intent(&desk.account, &intent));
        assert_eq!(loaded, Err(StripeError::Unavailable), "{fault:?}");
        assert_eq!(desk.status(&intent), IntentStatus::RequiresCapture);
        assert_eq!(desk.stripe.late_calls(), 0);
    }
}

#[test]
fn a_call_is_killed_before_its_effect_or_after_it() {
    for (steps, status) in [(1, IntentStatus::RequiresCapture), (2, IntentStatus::Succeeded)] {
        let desk = Desk::open();
        let intent = desk.confirmed(PaysWith::Card);
        let (stripe, account, captured) = (desk.stripe.clone(), desk.account.clone(), intent.clone());
        let mut executor = Executor::new(Rng::of(1));
        let task = executor
            .spawn(async move { stripe.capture_intent(&account, &captured, Money::minor(AMOUNT), "cap").await });
        for _ in 0..steps {
            executor.step_of(task);
        }
        assert!(executor.kill(task));
        assert_eq!(desk.status(&intent), status, "{steps}");
    }
}
