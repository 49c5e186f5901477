//! Unconfirmed events: of other systems on the account, of payments that we don't know, of disputes that Stripe's
//! charge doesn't show. None is retried for ever.

use classpay_tests::{DEPLOYMENT, OKAFOR, Stack, assert_books_balance, binaries};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

/// The start of the stacks' clocks: 2026-09-07T08:00:00Z.
const START_S: i64 = 1_788_768_000;

async fn run_at(stack: &Stack, now: &str) {
    stack.move_clock(now).await;
    stack.run_schedule().await;
}

async fn is_finished(stack: &Stack, event: &Value) -> bool {
    let kept = stack.kept(event).await.expect("it is put");
    assert_eq!(kept.contains_key("gsi1pk"), !kept.contains_key("ttl"), "{kept:?}");
    kept.contains_key("ttl")
}

/// When a stored event is handled next, in seconds after it arrived.
async fn due_after_s(stack: &Stack, event: &Value) -> i64 {
    let kept = stack.kept(event).await.expect("it is put");
    let received_s: i64 = kept["received_s"].as_n().unwrap().parse().unwrap();
    kept["gsi1sk"].as_s().unwrap().parse::<i64>().unwrap() - received_s
}

fn succeeded(stack: &Stack, id: &str, marker: &str) -> Value {
    json!({"id": id, "type": "payment_intent.succeeded", "created": START_S, "account": stack.account(),
        "data": {"object": {"id": "pi_foreign", "metadata": {"classpay": marker}}}})
}

#[tokio::test]
async fn an_event_of_another_deployment_is_finished_at_once_and_counted() {
    let stack = Stack::start().await;
    for (n, marker) in ["classpay-other", "1", "true", ""].into_iter().enumerate() {
        let event = succeeded(&stack, &format!("evt_{n}"), marker);
        stack.deliver(&event).await;
        assert!(is_finished(&stack, &event).await, "{marker}");
    }
    let without = json!({"id": "evt_bare", "type": "charge.refunded", "created": START_S, "account": stack.account(),
        "data": {"object": {"id": "ch_foreign", "payment_intent": "pi_foreign"}}});
    stack.deliver(&without).await;
    assert!(is_finished(&stack, &without).await);
    assert_eq!((stack.counted("EventsForeign"), stack.counted("EventsGivenUp")), (5, 0));
}

#[tokio::test]
async fn our_objects_at_stripe_bear_the_deployment_s_name() {
    let stack = Stack::start().await;
    stack.open_session(OKAFOR, &classpay_tests::studio::ballet_for_ada()).await;
    let link = stack.link(None).await;
    stack.intent_of_link(&link).await;
    let list = |what: &'static str| {
        let call = stack.stripe().request(Method::GET, &format!("/v1/{what}?limit=100"));
        let call = call.bearer_auth("sk_test_local").header("stripe-account", stack.account());
        async move { classpay_tests::Api::send(call).await.json()["data"].as_array().unwrap().clone() }
    };
    for what in ["payment_intents", "customers"] {
        let ours = list(what).await;
        assert_eq!(ours.len(), 2, "{what}");
        assert!(ours.iter().all(|object| object["metadata"]["classpay"] == DEPLOYMENT), "{ours:#?}");
    }
}

#[tokio::test]
async fn an_event_with_our_marker_of_a_payment_that_nobody_knows_is_given_up_after_a_day() {
    let stack = Stack::start().await;
    let event = succeeded(&stack, "evt_marked", DEPLOYMENT);
    stack.deliver(&event).await;
    assert_eq!(due_after_s(&stack, &event).await, 2 * 60);
    run_at(&stack, "2026-09-07T08:02:30Z").await;
    assert_eq!(due_after_s(&stack, &event).await, 60 * 60);
    run_at(&stack, "2026-09-07T09:00:30Z").await;
    assert_eq!(due_after_s(&stack, &event).await, 24 * 60 * 60);
    run_at(&stack, "2026-09-08T07:59:00Z").await;
    assert!(!is_finished(&stack, &event).await);
    assert_eq!(stack.counted("EventsGivenUp"), 0);
    run_at(&stack, "2026-09-08T08:00:30Z").await;
    assert!(is_finished(&stack, &event).await);
    assert_eq!(stack.counted("EventsGivenUp"), 1);
    run_at(&stack, "2026-09-09T09:00:00Z").await;
    stack.deliver_at(&event, START_S + 2 * 24 * 60 * 60 + 60 * 60).await;
    assert_eq!(stack.counted("EventsGivenUp"), 1, "it is told once");
}

#[tokio::test]
async fn an_unknown_payment_of_ours_that_came_to_nothing_is_nobody_s_worry() {
    let stack = Stack::start().await;
    let mut event = succeeded(&stack, "evt_marked", DEPLOYMENT);
    event["type"] = json!("payment_intent.canceled");
    stack.deliver(&event).await;
    assert!(is_finished(&stack, &event).await);
    assert_eq!((stack.counted("EventsForeign"), stack.counted("EventsGivenUp")), (0, 0));
}

/// A paid link. Returns its intent and its charge.
async fn paid(stack: &Stack) -> (String, String) {
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    assert_eq!(stack.process_link(&link, None).await.status, 200);
    let charges = stack.stripe().charges().await;
    let charge = charges.iter().find(|charge| charge["paymentIntent"] == *intent).unwrap();
    (intent, charge["charge"].as_str().unwrap().to_owned())
}

fn dispute(stack: &Stack, kind: &str, status: &str, (intent, charge): &(String, String)) -> Value {
    json!({"id": format!("evt_{}", kind.rsplit('.').next().unwrap()), "type": kind, "created": START_S,
        "account": stack.account(), "data": {"object": {"id": "du_1", "amount": 1000, "status": status,
        "charge": charge, "created": START_S, "payment_intent": intent}}})
}

#[tokio::test]
async fn a_bank_that_only_asks_takes_no_money_and_its_inquiry_is_finished() {
    let stack = Stack::start().await;
    let paid = paid(&stack).await;
    for (kind, status) in
        [("charge.dispute.created", "warning_needs_response"), ("charge.dispute.closed", "warning_closed")]
    {
        let event = dispute(&stack, kind, status, &paid);
        stack.deliver(&event).await;
        assert!(is_finished(&stack, &event).await, "{kind} {status}");
    }
    assert_eq!(stack.went_back(OKAFOR).await, []);
    assert_eq!(stack.counted("EventsGivenUp"), 0);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_dispute_that_its_charge_does_not_show_is_put_before_a_person_after_a_day() {
    let stack = Stack::start().await;
    let paid = paid(&stack).await;
    let event = dispute(&stack, "charge.dispute.funds_withdrawn", "needs_response", &paid);
    stack.deliver(&event).await;
    assert_eq!(due_after_s(&stack, &event).await, 2 * 60);
    run_at(&stack, "2026-09-07T08:02:30Z").await;
    assert_eq!(due_after_s(&stack, &event).await, 60 * 60);
    run_at(&stack, "2026-09-07T09:00:30Z").await;
    assert_eq!(due_after_s(&stack, &event).await, 24 * 60 * 60);
    run_at(&stack, "2026-09-08T08:00:30Z").await;
    assert!(is_finished(&stack, &event).await);
    assert_eq!((stack.counted("EventsGivenUp"), stack.went_back(OKAFOR).await), (1, vec![]));
    let reviews = stack.table().partition(&format!("REVIEW#{}", stack.company()), "").await;
    assert_eq!(reviews.len(), 1, "{reviews:?}");
    assert_eq!(reviews[0]["sk"].as_s().unwrap(), "du_1");
    assert!(reviews[0]["what"].as_s().unwrap().contains(&paid.0), "{reviews:?}");
    let mut reviewed = Command::new(binaries().join("classpay-local"));
    reviewed.args(["orders", "reviewed", stack.company(), "du_1", "--dynamodb-url", stack.dynamodb_url()]);
    let said = reviewed.args(["--table", &stack.table().name]).output().await.unwrap();
    assert!(said.status.success(), "{said:?}");
    let review = stack.table().get(&format!("REVIEW#{}", stack.company()), "du_1").await.unwrap();
    assert!(review.contains_key("seen_s"), "{review:?}");
}

#[tokio::test]
async fn a_dispute_in_another_currency_is_put_before_a_person_and_no_amount_of_it_is_posted() {
    let stack = Stack::start().await;
    let (_, charge) = paid(&stack).await;
    let complaint = json!({"amount": 1900, "currency": "jpy"});
    assert_eq!(stack.stripe().post(&format!("/_control/charges/{charge}/dispute"), &complaint).await.status, 200);
    stack.deliver(&stack.event("charge.dispute.funds_withdrawn").await).await;
    for now in ["2026-09-07T08:02:30Z", "2026-09-07T09:03:00Z", "2026-09-08T09:05:00Z", "2026-09-09T09:05:00Z"] {
        run_at(&stack, now).await;
    }
    assert_eq!(stack.went_back(OKAFOR).await, []);
    let reviews = stack.table().partition(&format!("REVIEW#{}", stack.company()), "").await;
    assert_eq!(reviews.len(), 1, "{reviews:?}");
    assert_eq!(reviews[0]["reason"].as_s().unwrap(), "dispute_not_shown");
}

#[tokio::test]
async fn a_page_of_events_that_is_too_large_is_asked_for_in_smaller_pages() {
    let stack = Stack::start().await;
    let paid = paid(&stack).await;
    run_at(&stack, "2026-09-07T08:01:00Z").await;
    // The studio's own payments, each with as much metadata as Stripe allows: 60 of them are more than one read
    // returns.
    let pairs: String = (0..50).map(|n| format!("&metadata[k{n}]={}", "%F0%9F%A9%B0".repeat(500))).collect();
    let form = format!(
        "amount=1000&currency=gbp&payment_method=pm_card_visa&confirm=true&allowed_payment_method_types[0]=card{pairs}"
    );
    for _ in 0..12 {
        let made = join_all((0..5).map(|_| {
            let call = stack.stripe().request(Method::POST, "/v1/payment_intents");
            let call = call.bearer_auth("sk_test_dashboard").header("stripe-account", stack.account());
            let call = call.header("content-type", "application/x-www-form-urlencoded").body(form.clone());
            classpay_tests::Api::send(call)
        }));
        for answer in made.await {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }
    stack.refund(&paid.0, Some(1000)).await;
    run_at(&stack, "2026-09-07T09:02:00Z").await;
    let feed = stack.table().get(&format!("ACCT#{}", stack.account()), "FEED").await.unwrap();
    let read_s: i64 = feed["read_s"].as_n().unwrap().parse().unwrap();
    assert!(read_s >= START_S + 60 * 60, "read until {read_s}");
    assert_eq!(stack.went_back(OKAFOR).await, [("debit".to_owned(), "refund".to_owned(), 1000)]);
    assert_eq!(stack.counted("EventsForeign"), 60);
}
