//! Stripe's key and the webhook's secret are replaced while the functions run.

use classpay_tests::studio::{OKAFOR, ballet_for_ada};
use classpay_tests::{Api, Stack, assert_books_balance, signature};
use reqwest::Method;
use serde_json::json;

/// The start of the stacks' clocks: 2026-09-07T08:00:00Z.
const START_S: i64 = 1_788_768_000;

/// Replaces the secret that a function has under this variable, as `aws secretsmanager put-secret-value` does.
async fn replace_secret(stack: &Stack, variable: &str, text: &str) {
    let environment = stack.caller(None).get("/_local/env/stripe-webhook").await;
    let arn = environment.text.lines().find_map(|line| line.strip_prefix(variable)?.strip_prefix('='));
    let put = stack.caller(None).request(Method::POST, "/_local/secrets/");
    let put = put.header("x-amz-target", "secretsmanager.PutSecretValue");
    let answer = Api::send(put.body(json!({"SecretId": arn, "SecretString": text}).to_string())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

async fn revoke(stack: &Stack, key: &str) {
    let answer = stack.stripe().post("/_control/keys/revoke", &json!({"key": key})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn warm_functions_take_the_new_stripe_key_and_the_payer_notices_nothing() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    let warm = stack.check_out(OKAFOR, "pi_of_nobody", &ballet_for_ada()).await;
    assert_eq!(warm.status, 404, "{}", warm.text);

    replace_secret(&stack, "STRIPE_SECRET_ARN", "sk_test_rolled").await;
    revoke(&stack, "sk_test_local").await;
    let booked = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!(booked.status, 200, "{}", booked.text);
    stack.open_session_of(OKAFOR, 1000).await;
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_key_that_is_revoked_before_it_was_replaced_is_said_to_be_our_fault_and_takes_nothing() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    revoke(&stack, "sk_test_local").await;
    let refused = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!((refused.status, refused.code().as_str()), (502, "stripe_misconfigured"), "{}", refused.text);
    assert_eq!(stack.captured().await, []);

    // The operator corrects the key; the payer's call a minute later succeeds.
    replace_secret(&stack, "STRIPE_SECRET_ARN", "sk_test_rolled").await;
    stack.move_clock("2026-09-07T08:01:00Z").await;
    let booked = stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await;
    assert_eq!(booked.status, 200, "{}", booked.text);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_warm_webhook_takes_the_new_secret_beside_the_old_one() {
    let stack = Stack::start().await;
    let event = |id: &str| {
        json!({"id": id, "type": "customer.created", "created": START_S, "account": stack.account(),
            "data": {"object": {"id": "cus_1"}}})
        .to_string()
    };
    let sent = async |id: &str, secret: &str| {
        let body = event(id);
        stack.send_signed(&body, &signature(secret, &body, START_S)).await.status
    };
    assert_eq!(sent("evt_1", "whsec_local").await, 200);

    // While the endpoint's secret is rolled, Stripe signs with both secrets, and we accept both.
    replace_secret(&stack, "WEBHOOK_SECRET_ARN", "whsec_local,whsec_rolled").await;
    assert_eq!(sent("evt_2", "whsec_rolled").await, 200);
    assert_eq!(sent("evt_3", "whsec_local").await, 200);
    assert_eq!(sent("evt_4", "whsec_of_nobody").await, 400);
}
