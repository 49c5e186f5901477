//! Refunds and disputes.

use super::*;
use crate::stripe::{Arrival, Complaint, Verdict};

fn refund(desk: &Desk, intent: &IntentId, amount: Option<i64>) -> Result<String, StripeError> {
    desk.stripe.refund(intent, amount.map(Money::minor), Arrival::AtOnce)
}

fn complain(desk: &Desk, intent: &IntentId, amount: Option<i64>, complaint: Complaint) -> Result<String, StripeError> {
    desk.stripe.dispute(intent, amount.map(Money::minor), complaint)
}

fn dispute(desk: &Desk, intent: &IntentId, amount: Option<i64>) -> Result<String, StripeError> {
    complain(desk, intent, amount, Complaint::Dispute)
}

/// The amounts received, refunded and disputed.
fn money(desk: &Desk, intent: &IntentId) -> [i64; 3] {
    let seen = desk.stripe.inspect(intent, |view| [view.received, view.refunded, view.disputed]);
    seen.expect("it was made").map(Money::units)
}

#[test]
fn only_what_was_taken_is_given_back() {
    let desk = Desk::open();
    let intent = desk.create("mk").unwrap().id;
    assert_rejected(refund(&desk, &intent, None), 400, "invalid_request_error");
    desk.stripe.confirm(&intent, PaysWith::Card).unwrap();
    assert_rejected(refund(&desk, &intent, None), 400, "invalid_request_error");
    desk.capture(&intent, AMOUNT, "cap").unwrap();
    assert_rejected(refund(&desk, &intent, Some(0)), 400, "parameter_invalid_integer");
    assert_rejected(refund(&desk, &intent, Some(AMOUNT + 1)), 400, "invalid_request_error");
    refund(&desk, &intent, Some(500)).unwrap();
    desk.pass_ms(1000);
    refund(&desk, &intent, None).unwrap();
    assert_rejected(refund(&desk, &intent, None), 400, "charge_already_refunded");
    let charge = desk.load(&intent).charge.unwrap();
    let amounts: Vec<_> = charge.refunds.iter().map(|refund| refund.amount.units()).collect();
    assert_eq!((amounts, charge.refunded), (vec![529, 500], true), "newest first");
    assert_eq!(money(&desk, &intent), [AMOUNT, AMOUNT, 0]);
    assert_eq!(charge.refunds[0].created_on, jiff::civil::date(2026, 9, 7));
}

#[test]
fn ten_refunds_are_shown_the_newest() {
    let desk = Desk::open();
    let intent = desk.paid();
    let made: Vec<_> = (0..12).map(|n| refund(&desk, &intent, Some(n + 1)).unwrap()).collect();
    let shown: Vec<_> = desk.load(&intent).charge.unwrap().refunds.into_iter().map(|refund| refund.id).collect();
    let newest: Vec<_> = made.iter().rev().take(10).cloned().collect();
    assert_eq!(shown, newest);
    assert_eq!(money(&desk, &intent), [AMOUNT, 78, 0]);
}

#[test]
fn a_pending_refund_arrives_or_fails_and_one_that_looked_done_may_fail_too() {
    let desk = Desk::open();
    let intent = desk.paid();
    let status = |id: &str| {
        let refunds = desk.load(&intent).charge.unwrap().refunds;
        refunds.into_iter().find(|refund| refund.id == id).map(|refund| refund.status)
    };
    let [arrives, fails] =
        [500, 29].map(|amount| desk.stripe.refund(&intent, Some(Money::minor(amount)), Arrival::Later).unwrap());
    assert_eq!(status(&arrives).as_deref(), Some("pending"));
    assert_eq!(money(&desk, &intent), [AMOUNT, 529, 0]);
    desk.stripe.settle_refund(&arrives).unwrap();
    assert_eq!(status(&arrives).as_deref(), Some("succeeded"));
    assert_rejected(desk.stripe.settle_refund(&arrives), 400, "invalid_request_error");
    desk.stripe.fail_refund(&fails).unwrap();
    assert_eq!(status(&fails).as_deref(), Some("failed"));
    assert_eq!(money(&desk, &intent), [AMOUNT, 500, 0]);
    desk.stripe.fail_refund(&arrives).unwrap();
    assert_rejected(desk.stripe.fail_refund(&arrives), 400, "invalid_request_error");
    assert_eq!(money(&desk, &intent), [AMOUNT, 0, 0]);
    refund(&desk, &intent, None).expect("all of it is left again");
    assert_rejected(desk.stripe.fail_refund("re_of_nobody"), 404, "resource_missing");
}

#[test]
fn a_dispute_is_open_until_the_bank_decides_and_nothing_is_given_back_meanwhile() {
    let desk = Desk::open();
    let intent = desk.paid();
    assert_rejected(dispute(&desk, &intent, Some(AMOUNT + 1)), 400, "invalid_request_error");
    let first = dispute(&desk, &intent, None).unwrap();
    assert_eq!(money(&desk, &intent), [AMOUNT, 0, AMOUNT]);
    assert!(desk.load(&intent).charge.unwrap().disputed);
    assert_rejected(dispute(&desk, &intent, None), 400, "invalid_request_error");
    assert_rejected(refund(&desk, &intent, None), 400, "charge_disputed");
    desk.stripe.close_dispute(&first, Verdict::Won).unwrap();
    assert_rejected(desk.stripe.close_dispute(&first, Verdict::Lost), 400, "invalid_request_error");
    assert_eq!(money(&desk, &intent), [AMOUNT, 0, 0]);
    assert!(desk.load(&intent).charge.unwrap().disputed, "it was once");
    refund(&desk, &intent, Some(1)).unwrap();
    let again = dispute(&desk, &intent, Some(100)).unwrap();
    desk.stripe.close_dispute(&again, Verdict::Lost).unwrap();
    assert_eq!(money(&desk, &intent), [AMOUNT, 1, 100]);
    assert_rejected(refund(&desk, &intent, None), 400, "charge_disputed");
}

#[test]
fn nothing_is_disputed_that_was_not_taken() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    assert_rejected(dispute(&desk, &intent, None), 400, "invalid_request_error");
    desk.cancel(&intent, "void").unwrap();
    assert_rejected(dispute(&desk, &intent, None), 400, "invalid_request_error");
}

#[test]
fn an_inquiry_takes_nothing_until_the_bank_makes_a_dispute_of_it() {
    let desk = Desk::open();
    let intent = desk.paid();
    let inquiry = complain(&desk, &intent, Some(100), Complaint::Inquiry).unwrap();
    assert_eq!(money(&desk, &intent), [AMOUNT, 0, 0]);
    assert!(!desk.load(&intent).charge.unwrap().disputed);
    assert_rejected(dispute(&desk, &intent, None), 400, "invalid_request_error");
    refund(&desk, &intent, Some(1)).unwrap();
    assert_rejected(desk.stripe.close_dispute(&inquiry, Verdict::Won), 400, "invalid_request_error");
    desk.stripe.escalate(&inquiry).unwrap();
    assert_eq!(money(&desk, &intent), [AMOUNT, 1, 100]);
    assert!(desk.load(&intent).charge.unwrap().disputed);
    assert_rejected(desk.stripe.escalate(&inquiry), 400, "invalid_request_error");
    desk.stripe.close_dispute(&inquiry, Verdict::Won).unwrap();
    assert_eq!(money(&desk, &intent), [AMOUNT, 1, 0]);
}

#[test]
fn a_refund_of_everything_answers_the_inquiry() {
    let desk = Desk::open();
    let intent = desk.paid();
    let inquiry = complain(&desk, &intent, None, Complaint::Inquiry).unwrap();
    refund(&desk, &intent, None).unwrap();
    assert_rejected(desk.stripe.escalate(&inquiry), 400, "invalid_request_error");
    assert_rejected(desk.stripe.close_dispute(&inquiry, Verdict::WarningClosed), 400, "invalid_request_error");
    assert!(!desk.load(&intent).charge.unwrap().disputed);
}
