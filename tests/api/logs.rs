//! What a log must never contain: secrets, links, personal data.

use classpay_tests::{COSTUMES, OKAFOR, Stack, studio};
use serde_json::Value;

/// Every text in an answer whose key says that it is a secret.
fn secrets_in(answer: &Value, found: &mut Vec<String>) {
    match answer {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name.to_lowercase().contains("secret") => found.push(text.clone()),
                    value => secrets_in(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| secrets_in(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn no_log_line_holds_a_secret_a_link_a_token_or_a_person() {
    let stack = Stack::start().await;
    let mut secrets = ["sk_test_local", "Okafor", "riverside-dance.example"].map(str::to_owned).to_vec();

    let items = studio::ballet_for_ada();
    let api = stack.family(OKAFOR);
    let session = api.session(OKAFOR, &items).await;
    secrets_in(&session.json(), &mut secrets);
    let intent = classpay_tests::intent_id(&session);
    assert_eq!(stack.stripe().pay(&intent, "pm_card_chargeDeclined").await.status, 402);
    assert_eq!(api.checkout(OKAFOR, Some(&intent), &items).await.status, 409);
    stack.confirm(&intent).await;
    assert_eq!(api.checkout(OKAFOR, Some(&intent), &items).await.status, 200);
    assert_eq!(api.quote(OKAFOR, &items).await.status, 409);

    let (paid, revoked, expired) =
        (stack.link(None).await, stack.link(None).await, stack.link(Some("2026-09-07 09:00:00")).await);
    for link in [&paid, &revoked, &expired] {
        secrets_in(&stack.open_link(link).await.json(), &mut secrets);
        assert_eq!(stack.process_link(link, Some("pi_foreign")).await.status, 422);
    }
    assert_eq!(stack.revoke_link(&revoked).await.status, 204);
    stack.authorise_link(&paid).await;
    assert_eq!(stack.process_link(&paid, None).await.status, 200);
    assert_eq!(stack.staff().get(&format!("/v1/payment-links?transactionId={COSTUMES}")).await.status, 200);
    stack.move_clock("2026-09-07T09:00:01Z").await;
    assert_eq!(stack.open_link(&expired).await.code(), "link_expired");
    secrets.extend([paid, revoked, expired]);
    secrets.retain(|secret| !secret.is_empty());
    assert!(secrets.len() > 12, "{}", secrets.len());

    let logged = stack.logged();
    assert!(logged.lines().filter(|line| line.contains("\"message\"")).count() > 15, "the functions have logged");
    let leaked: Vec<_> = logged.lines().filter(|line| secrets.iter().any(|secret| line.contains(secret))).collect();
    assert!(leaked.is_empty(), "{leaked:#?}");
}
