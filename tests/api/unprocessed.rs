//! DynamoDB's unprocessed keys are requested again: soon after progress, ever later without it, and not for ever.

use std::time::{Duration, Instant};

use classpay_tests::studio::{OKAFOR, ballet_for_ada};
use classpay_tests::{Answer, Stack};
use serde_json::json;

/// From now on this many batches leave this many of their keys unprocessed.
async fn batches_leave(stack: &Stack, keys: usize, count: u32) {
    let fault = json!({"match": {"operation": "BatchGetItem"}, "count": count, "do": {"leave": keys}});
    let ordered = stack.dynamodb().post("/_control/faults", &fault).await;
    assert_eq!(ordered.status, 200, "{}", ordered.text);
}

async fn quote(stack: &Stack) -> (Answer, Duration) {
    let began = Instant::now();
    let answer = stack.family(OKAFOR).quote(OKAFOR, &ballet_for_ada()).await;
    (answer, began.elapsed())
}

#[tokio::test]
async fn a_batch_that_is_left_unprocessed_again_and_again_is_read_in_the_end() {
    let stack = Stack::start().await;
    let (whole, _) = quote(&stack).await;
    assert_eq!(whole.status, 200, "{}", whole.text);
    batches_leave(&stack, 100, 7).await;
    let (late, took) = quote(&stack).await;
    assert_eq!((late.status, &late.text), (200, &whole.text));
    // At most seven pauses, of 25 ms doubling to 400 ms, each drawn from the upper half.
    assert!(took >= Duration::from_millis(787), "{took:?}");
}

#[tokio::test]
async fn a_batch_that_gets_on_is_read_at_once_however_often_it_is_cut() {
    let stack = Stack::start().await;
    let (whole, _) = quote(&stack).await;
    // Each round gets one key further, and there are more rounds than a table without progress is given.
    for left in (1..=8).rev() {
        batches_leave(&stack, left, 1).await;
    }
    let (late, _) = quote(&stack).await;
    assert_eq!((late.status, &late.text), (200, &whole.text));
}

#[tokio::test]
async fn a_table_that_never_answers_a_batch_is_unavailable_in_time() {
    let stack = Stack::start().await;
    batches_leave(&stack, 100, u32::MAX).await;
    let (given_up, took) = quote(&stack).await;
    assert_eq!((given_up.status, given_up.code().as_str()), (503, "unavailable"), "{}", given_up.text);
    assert!(took < Duration::from_secs(10), "{took:?}");
}
