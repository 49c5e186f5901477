//! Events, and what a world observes.

use super::*;
use crate::stripe::Complaint;
use crate::stripe::{Arrival, Event, Verdict};
use classpay_service::settlement::event::topic;
use classpay_service::stripe::Secret;
use classpay_service::stripe::signature::{BadSignature, verify};

const SECRET: &str = "whsec_1";

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.kind).collect()
}

fn read(told: &Event) -> classpay_service::store::EventRecord {
    topic::parse(told.body.as_bytes(), 7).expect("an event that our webhook reads")
}

#[test]
fn our_webhook_believes_an_event_that_is_signed_with_its_secret() {
    let desk = Desk::open();
    desk.confirmed(PaysWith::Card);
    let [told]: [Event; 1] = desk.stripe.take_events().try_into().expect("one that is followed");
    let check = |header: &str, now_s| {
        verify(Some(header), told.body.as_bytes(), &[Secret::new("whsec_0"), Secret::new(SECRET)], now_s)
    };
    assert_eq!(check(&told.signature(SECRET, 5000), 5000), Ok(()));
    assert_eq!(check(&told.signature("whsec_of_somebody_else", 5000), 5000), Err(BadSignature::Wrong));
    assert_eq!(check(&told.signature(SECRET, 5000), 6000), Err(BadSignature::Old));
}

#[test]
fn an_event_says_what_it_is_about() {
    let desk = Desk::open();
    let intent = desk.paid();
    let (account, now_s) = (&desk.account, START_MS / 1000);
    for told in desk.stripe.take_events() {
        let read = read(&told);
        assert_eq!((&read.account, read.intent.as_ref(), read.created_s), (account, Some(&intent), now_s));
        assert_eq!((read.id.as_str(), read.kind.as_str()), (told.id.as_str(), told.kind));
        assert_eq!(read.marker.as_deref(), Some("1"));
        assert_eq!((read.object.id.as_str(), read.object.amount), (intent.as_str(), AMOUNT));
    }
    let refund = desk.stripe.refund(&intent, Some(Money::minor(29)), Arrival::Later).unwrap();
    desk.stripe.fail_refund(&refund).unwrap();
    let told = desk.stripe.take_events();
    let expected = ["refund.created", "charge.refunded", "refund.failed", "refund.updated", "charge.refund.updated"];
    assert_eq!(kinds(&told), expected);
    let charge = desk.load(&intent).charge.unwrap().id;
    for (told, status) in told.iter().zip(["pending", "succeeded", "failed", "failed", "failed"]) {
        let read = read(told);
        let (id, amount) = if told.kind == "charge.refunded" { (&charge, AMOUNT) } else { (&refund, 29) };
        assert_eq!((&read.object.id, read.object.amount, read.object.status.as_str()), (id, amount, status));
        assert_eq!(read.intent.as_ref(), Some(&intent));
    }
    let dispute = desk.stripe.dispute(&intent, Some(Money::minor(100)), Complaint::Dispute).unwrap();
    desk.stripe.close_dispute(&dispute, Verdict::Won).unwrap();
    let told = desk.stripe.take_events();
    let expected = ["created", "funds_withdrawn", "closed", "funds_reinstated"];
    assert_eq!(kinds(&told), expected.map(|kind| format!("charge.dispute.{kind}")));
    for (told, status) in told.iter().zip(["needs_response", "needs_response", "won", "won"]) {
        let object = read(told).object;
        assert_eq!((object.id, object.amount, object.status.as_str()), (dispute.clone(), 100, status));
        assert_eq!((object.charge, object.created_s), (charge.clone(), now_s));
    }
}

#[test]
fn an_event_keeps_what_was_true_then_and_edited_metadata_is_edited() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    desk.stripe.edit_metadata(&intent, "classpay", None).unwrap();
    desk.stripe.cancel_in_dashboard(&intent).unwrap();
    let told = desk.stripe.take_events();
    let expected = ["payment_intent.amount_capturable_updated", "charge.refunded", "payment_intent.canceled"];
    assert_eq!(kinds(&told), expected);
    let told: Vec<_> = told.iter().map(|told| (read(told).marker.is_some(), read(told).object.status)).collect();
    let (held, charge, cancelled) = ("requires_capture", "succeeded", "canceled");
    assert_eq!(told, [(true, held.into()), (true, charge.into()), (false, cancelled.into())]);
}

#[test]
fn what_nobody_follows_is_told_only_on_demand() {
    let desk = Desk::open();
    desk.stripe.tell_everything();
    run(desk.stripe.create_customer(&desk.account, "Jo", &BTreeMap::new(), "cu")).unwrap();
    desk.paid();
    let told = desk.stripe.take_events();
    let expected = [
        "customer.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ];
    assert_eq!(kinds(&told), expected);
    told.iter().for_each(|told| assert_eq!(read(told).kind, told.kind));
    assert!(desk.stripe.take_events().is_empty());
}

#[test]
fn a_hold_that_runs_out_tells_so_at_its_time() {
    let desk = Desk::open();
    desk.confirmed(PaysWith::Card);
    desk.pass_ms(8 * DAY_MS);
    let told = desk.stripe.take_events();
    let [_, ended] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((ended.kind, ended.created_s), ("payment_intent.canceled", (START_MS + 7 * DAY_MS) / 1000));
}

#[test]
fn a_watcher_sees_a_capture_at_its_instant() {
    let desk = Desk::open();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watching = Arc::clone(&seen);
    desk.stripe.watch(move |view| {
        watching.lock().unwrap().push((view.status, view.received.units(), view.changed_ms));
    });
    let intent = desk.confirmed(PaysWith::Card);
    desk.pass_ms(5);
    desk.capture(&intent, AMOUNT, "cap").unwrap();
    let expected = [
        (IntentStatus::RequiresPaymentMethod, 0, START_MS),
        (IntentStatus::RequiresCapture, 0, START_MS),
        (IntentStatus::Succeeded, AMOUNT, START_MS + 5),
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
fn a_copy_goes_its_own_way() {
    let desk = Desk::open();
    let intent = desk.confirmed(PaysWith::Card);
    let copy = desk.stripe.copy(Network::reliable(), Arc::new(AtomicI64::new(START_MS)));
    desk.cancel(&intent, "void").unwrap();
    assert!(copy.take_events().is_empty());
    assert!(!copy.for_each_changed(|_| {}));
    let captured = run(copy.capture_intent(&desk.account, &intent, Money::minor(AMOUNT), "cap")).unwrap();
    assert_eq!((captured.status, desk.status(&intent)), (IntentStatus::Succeeded, IntentStatus::Canceled));
}
