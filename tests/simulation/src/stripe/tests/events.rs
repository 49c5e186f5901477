//! Events, and what a world observes.

use super::*;
use crate::signature;
use classpay_service::settlement::event::topic::{FOLLOWED_KINDS, parse};
use classpay_service::stripe::signature::verify;
use classpay_service::stripe::{EventQuery, Secret};

const SECRET: &str = "whsec_1";

#[test]
fn our_webhook_reads_each_event_that_it_subscribes_to_and_gets_no_other() {
    let desk = Desk::open();
    let intent = desk.paid();
    let events = desk.stripe.take_events();
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["payment_intent.amount_capturable_updated", "payment_intent.succeeded"]);
    for event in events {
        let body = event.body();
        let secrets = [Secret::new("whsec_0"), Secret::new(SECRET)];
        assert_eq!(verify(Some(&signature(SECRET, body, 5000)), body.as_bytes(), &secrets, 5000), Ok(()));
        let read = parse(body.as_bytes(), 7).unwrap();
        assert_eq!((&read.account, read.intent.as_ref()), (&desk.account, Some(&intent)));
        assert_eq!((read.kind.as_str(), read.created_s), (event.kind.as_str(), START_MS / 1000));
        assert_eq!((read.object.id.as_str(), read.object.amount), (intent.as_str(), AMOUNT));
        assert_eq!((read.marker.as_deref(), event.intent), (Some("1"), Some(intent.clone())));
    }
    assert!(desk.stripe.take_events().is_empty());
}

#[test]
fn the_list_of_events_has_pages() {
    let desk = Desk::open();
    let intent = desk.paid();
    for _ in 0..4 {
        desk.stripe.refund(&intent, Some(Money::minor(1)), crate::stripe::Arrival::AtOnce).unwrap();
    }
    let mut after = None;
    let mut sizes = Vec::new();
    loop {
        let query = EventQuery { from_s: 0, until_s: START_MS, kinds: &FOLLOWED_KINDS, after: after.as_ref() };
        let page = run(desk.stripe.list_events(&desk.account, query)).unwrap();
        sizes.push(page.events.len());
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [8, 2]);
}

#[test]
fn a_watcher_sees_a_capture_at_its_instant() {
    let desk = Desk::open();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watching = Arc::clone(&seen);
    desk.stripe.watch(move |view| watching.lock().unwrap().push((view.status, view.received.units())));
    desk.paid();
    let expected = [
        (IntentStatus::RequiresPaymentMethod, 0),
        (IntentStatus::RequiresCapture, 0),
        (IntentStatus::Succeeded, AMOUNT),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn what_has_changed_is_shown_once() {
    let desk = Desk::open();
    let changed = || {
        let mut changed = Vec::new();
        desk.stripe.for_each_changed(|view| changed.push(view.intent.clone()));
        changed
    };
    let intent = desk.paid();
    assert_eq!(changed(), [intent]);
    assert_eq!(changed(), []);
    let other = desk.create("mk:2").unwrap().id;
    assert_eq!(changed(), [other]);
}

#[test]
fn an_intent_is_loaded_with_its_charge_its_refunds_and_its_card() {
    let desk = Desk::open();
    let intent = desk.paid();
    let refunds = [500, 29]
        .map(|amount| desk.stripe.refund(&intent, Some(Money::minor(amount)), crate::stripe::Arrival::Later).unwrap());
    desk.stripe.fail_refund(&refunds[0]).unwrap();
    desk.stripe.dispute(&intent, Some(Money::minor(100)), crate::stripe::Complaint::Dispute).unwrap();
    let loaded = desk.load(&intent);
    let charge = loaded.charge.unwrap();
    let shown: Vec<_> = charge.refunds.iter().map(|refund| (refund.status.as_str(), refund.amount.units())).collect();
    assert_eq!(shown, [("pending", 29), ("failed", 500)], "newest first");
    assert_eq!(charge.refunds[0].created_on, jiff::civil::date(2026, 9, 7));
    assert_eq!((charge.amount_captured.units(), charge.amount_refunded.units(), charge.disputed), (AMOUNT, 29, true));
    assert!(loaded.payment_method.is_some());
    let money = |view: &super::super::IntentView<'_>| [view.received, view.refunded, view.disputed].map(Money::units);
    assert_eq!(desk.stripe.inspect(&intent, money), Some([AMOUNT, 29, 100]));
}
