//! A stack that loses power and restarts on the same data.

use std::path::Path;

use classpay_tests::studio::{self, ADA, BALLET, OKAFOR, TAP};
use classpay_tests::{Call, Stack, StackOptions, assert_books_balance};
use serde_json::json;

async fn start_on(folder: &Path) -> Stack {
    let now = Some("2026-09-07T08:00:00Z".into());
    Stack::start_with(StackOptions { now, data_dir: Some(folder.to_owned()), ..StackOptions::default() }).await
}

#[tokio::test]
async fn an_authorised_payment_survives_a_power_cut_and_pays() {
    let folder = tempfile::tempdir().unwrap();
    let stack = start_on(folder.path()).await;
    let taps = studio::one(TAP, ADA);
    let bought = stack.authorise(OKAFOR, &taps).await;
    let first = stack.check_out(OKAFOR, &bought, &taps).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let (table, at_stripe) = (stack.table().picture().await, stack.intent(&intent).await);
    let (charges, seats) = (stack.stripe().charges().await, stack.seats_left(TAP).await);
    stack.kill().await;

    let stack = start_on(folder.path()).await;
    stack.assert_unchanged_since(&table).await;
    assert_eq!(stack.seats_left(TAP).await, seats);
    assert_eq!(stack.intent(&intent).await, at_stripe);
    assert_eq!(stack.stripe().charges().await, charges);
    let again = stack.check_out(OKAFOR, &bought, &taps).await;
    assert_eq!((again.status, &again.text), (200, &first.text));
    let checkout = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!(checkout.status, 200, "{}", checkout.text);
    assert_eq!(stack.captured().await.len(), 2);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn an_order_that_a_power_cut_left_pending_is_finished_by_the_next_call() {
    let folder = tempfile::tempdir().unwrap();
    let stack = start_on(folder.path()).await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let seats = stack.seats_left(BALLET).await;
    stack.order_fault(Call::Capture, 1, &json!({"delayMs": 600_000, "executed": true})).await;
    {
        let basket = studio::ballet_for_ada();
        let checkout = std::pin::pin!(stack.check_out(OKAFOR, &intent, &basket));
        let captured = std::pin::pin!(async { while stack.captured().await.is_empty() {} });
        // The capture succeeds, and its reply never arrives.
        match futures_util::future::select(checkout, captured).await {
            futures_util::future::Either::Left((answer, _)) => panic!("answered: {}", answer.text),
            futures_util::future::Either::Right(_) => {}
        }
    }
    stack.kill().await;

    let stack = start_on(folder.path()).await;
    assert_eq!(stack.seats_left(BALLET).await, seats - 1, "the seat is held");
    assert_eq!(stack.posted(OKAFOR).await, Vec::<serde_json::Value>::new());
    let checkout = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!(checkout.status, 200, "{}", checkout.text);
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn one_folder_is_one_stack_s_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let stack = start_on(folder.path()).await;
    let file = std::fs::File::open(folder.path().join("lock")).unwrap();
    assert!(file.try_lock().is_err(), "the folder is taken");
    stack.kill().await;
    assert!(file.try_lock().is_ok(), "a stack that was killed leaves no lock behind");
}
