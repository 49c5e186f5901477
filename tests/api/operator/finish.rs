//! Unfinished orders: listed, shown, settled, voided, reviewed.

use classpay_tests::studio::{self, ADA, BALLET, COMPANY, MINH, NGUYEN, OKAFOR, POINTE};
use classpay_tests::{Call, Stack, assert_books_balance, binaries};
use serde_json::json;
use tokio::process::Command;

use super::{assert_nothing_is_listed, listed, orders, shown, stuck};

#[tokio::test]
async fn an_order_that_is_stuck_is_listed_and_shown_and_settled() {
    let stack = Stack::start().await;
    assert_nothing_is_listed(&stack).await;
    // Captured, and we haven't been notified.
    let (order, intent) = stuck(&stack, &json!({"drop": "after"})).await;
    let (_, amount) = stack.captured().await.remove(0);
    let list = listed(&stack).await;
    let [found] = &list["unfinished"].as_array().unwrap()[..] else { panic!("one order: {list}") };
    let expected = json!({
        "order": order, "state": "pending", "needsReview": false, "amount": amount, "currency": "gbp", "paidBy": "card",
        "company": COMPANY, "family": OKAFOR, "account": stack.account(), "intent": intent,
        "ageS": found["ageS"], "beganS": found["beganS"],
    });
    assert_eq!(*found, expected);
    // By the stack's clock, which is not the machine's.
    assert!((0..60).contains(&found["ageS"].as_i64().unwrap()), "{found}");
    let text = orders(&stack, &["list"]).await.ok().out;
    let line = text.lines().find(|line| line.contains(&order)).unwrap();
    assert!(text.starts_with("1 unfinished, 0 to be looked at") && line.contains(&format!("{amount} gbp")), "{text}");
    let of_others = orders(&stack, &["list", "--company", "co_other", "--json"]).await.ok().json();
    assert_eq!(of_others["unfinished"], json!([]));

    for what in [&order, &intent] {
        let shown = shown(&stack, what).await;
        assert_eq!(
            (&shown["order"], &shown["intent"], &shown["state"]),
            (&json!(order), &json!(intent), &json!("pending"))
        );
        assert_eq!(
            shown["stripe"],
            json!({"status": "succeeded", "currency": "gbp", "amount": amount, "received": amount, "refunded": 0})
        );
        assert_eq!(shown["bought"]["enrolments"], json!([[BALLET, ADA]]));
        let entries = shown["entries"].as_array().unwrap();
        assert!(entries.len() >= 2 && entries.iter().all(|entry| entry["posted"] == false), "{shown}");
    }
    assert!(orders(&stack, &["settle", &order]).await.ok().out.contains("is completed"));
    let shown = shown(&stack, &order).await;
    assert_eq!(shown["state"], "completed");
    assert!(shown["entries"].as_array().unwrap().iter().all(|entry| entry["posted"] == true), "{shown}");
    let text = orders(&stack, &["show", &intent]).await.ok().out;
    assert!(
        text.contains(&format!("succeeded: {amount} gbp, received {amount}")) && !text.contains("not posted"),
        "{text}"
    );
    assert_nothing_is_listed(&stack).await;
    assert!(orders(&stack, &["settle", &order]).await.ok().out.contains("was completed before"));
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_order_that_stripe_can_t_be_asked_about_is_still_pending_and_the_operator_is_told() {
    let stack = Stack::start().await;
    let (order, _) = stuck(&stack, &json!({"drop": "before"})).await;
    stack.order_fault(Call::Retrieve, 1000, &json!({"status": 429})).await;
    let before = stack.table().picture().await;
    orders(&stack, &["settle", &order]).await.refused("is still pending: stripe is unavailable");
    orders(&stack, &["void", &order]).await.refused("stripe is unavailable");
    stack.assert_unchanged_since(&before).await;
    assert_eq!(shown(&stack, &order).await["trouble"], "stripe answers 429: rate_limit");
    stack.withdraw_faults().await;
    assert!(orders(&stack, &["settle", &order]).await.ok().out.contains("is completed"));
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_order_whose_money_is_held_is_given_back_but_not_before_stripe_says_canceled() {
    let stack = Stack::start().await;
    let seats = stack.seats_left(BALLET).await;
    let (order, intent) = stuck(&stack, &json!({"drop": "before"})).await;
    assert_eq!(stack.seats_left(BALLET).await, seats - 1);
    stack.order_fault(Call::Cancel, 1000, &json!({"drop": "before"})).await;
    let before = stack.table().picture().await;
    orders(&stack, &["void", &order]).await.refused("has not said `canceled`");
    stack.assert_unchanged_since(&before).await;
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");

    stack.withdraw_faults().await;
    assert!(orders(&stack, &["void", &order]).await.ok().out.contains("is cancelled"));
    assert_eq!((stack.intent_status(&intent).await.as_str(), stack.seats_left(BALLET).await), ("canceled", seats));
    assert_nothing_is_listed(&stack).await;
    assert_eq!(stack.captured().await, []);
    assert!(orders(&stack, &["void", &order]).await.ok().out.contains("was cancelled before"));
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_order_that_is_captured_is_not_voided_posted_or_not() {
    let stack = Stack::start().await;
    let (order, intent) = stuck(&stack, &json!({"drop": "after"})).await;
    let before = stack.table().picture().await;
    orders(&stack, &["void", &order]).await.refused("its payment is captured");
    stack.assert_unchanged_since(&before).await;
    orders(&stack, &["settle", &order]).await.ok();
    let before = stack.table().picture().await;
    orders(&stack, &["void", &order]).await.refused("it is completed");
    stack.assert_unchanged_since(&before).await;
    assert_eq!(stack.intent_status(&intent).await, "succeeded");
    orders(&stack, &["void", "ord_nobody"]).await.refused("there is no order ord_nobody");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_rejection_that_could_not_be_released_is_listed_and_settled_by_its_order_s_id() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(NGUYEN, 50_000).await;
    stack.order_fault(Call::Cancel, 1000, &json!({"status": 429})).await;
    assert_eq!(stack.check_out(NGUYEN, &intent, &studio::one(POINTE, MINH)).await.status, 202);
    let list = listed(&stack).await;
    let [found] = &list["unfinished"].as_array().unwrap()[..] else { panic!("one rejection: {list}") };
    let expected = (&json!("rejected"), &json!(50_000), &json!(intent), &json!(NGUYEN));
    assert_eq!((&found["state"], &found["amount"], &found["intent"], &found["family"]), expected);
    let order = found["order"].as_str().unwrap();
    assert_eq!(shown(&stack, order).await["state"], "rejected, not yet released");
    orders(&stack, &["settle", order]).await.refused("Stripe has not said `canceled`");

    stack.withdraw_faults().await;
    assert!(orders(&stack, &["settle", order]).await.ok().out.contains("rejected and released"));
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_nothing_is_listed(&stack).await;
    orders(&stack, &["settle", order]).await.refused("there is no order");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_review_record_is_listed_until_a_person_has_looked_and_is_kept() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    stack.capture_by_hand(&intent).await;
    let refusal = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!(refusal.code(), "payment_already_captured", "{}", refusal.text);
    let list = listed(&stack).await;
    let [review] = &list["reviews"].as_array().unwrap()[..] else { panic!("one record: {list}") };
    assert!(review["what"].as_str().unwrap().contains(&intent), "{review}");
    let record = review["record"].as_str().unwrap();
    assert!(orders(&stack, &["list"]).await.ok().out.contains(record));

    let before = stack.table().picture().await;
    orders(&stack, &["reviewed", COMPANY, "ord_nobody"]).await.refused("has no review record ord_nobody");
    stack.assert_unchanged_since(&before).await;
    orders(&stack, &["reviewed", COMPANY, record, "--note", "asked the studio"]).await.ok();
    assert_nothing_is_listed(&stack).await;
    let kept = stack.table().get(&format!("REVIEW#{COMPANY}"), record).await.unwrap();
    assert_eq!(kept["seen_note"].as_s().unwrap(), "asked the studio");
    assert!(kept.contains_key("seen_s") && kept["what"].as_s().unwrap().contains(&intent));

    // The settlement job credits the payment to the family, which makes a new review record.
    stack.move_clock("2026-09-07T08:06:30Z").await;
    stack.run_schedule().await;
    let list = listed(&stack).await;
    assert_eq!(list["reviews"][0]["record"], record, "{list}");
    assert!(list["reviews"][0]["what"].as_str().unwrap().contains("nothing was booked"), "{list}");
}

#[tokio::test]
async fn beside_a_table_that_is_not_on_this_machine_the_default_is_stripe_itself_and_it_wants_a_key() {
    let mut command = Command::new(binaries().join("classpay-local"));
    command.args(["orders", "settle", "ord_1", "--dynamodb-url", "https://dynamodb.eu-west-2.amazonaws.com"]);
    let output = command.env_remove("STRIPE_SECRET_KEY").output().await.expect("it starts");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && err.contains("https://api.stripe.com needs the platform's key"), "{err}");
}
