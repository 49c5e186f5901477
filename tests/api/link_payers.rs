//! Payers of a link, and what Stripe stores about them.

use classpay_tests::{COSTUMES_TOTAL, OKAFOR, Stack, assert_books_balance, studio};
use reqwest::Method;
use serde_json::{Value, json};

/// The customers of the studio's account, as Stripe lists them.
async fn customers(stack: &Stack) -> Vec<Value> {
    let list = stack.stripe().request(Method::GET, "/v1/customers?limit=100");
    let list = list.bearer_auth("sk_test_local").header("stripe-account", stack.account());
    let answer = classpay_tests::Api::send(list).await.json();
    answer["data"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn links_of_a_family_have_customers_of_their_own_that_name_no_link() {
    let stack = Stack::start().await;
    stack.open_session(OKAFOR, &studio::ballet_for_ada()).await;
    let own = customers(&stack).await;
    assert_eq!(own.len(), 1);
    let (one, other) = (stack.link(None).await, stack.link(None).await);
    let (a, b) = tokio::join!(stack.open_link(&one), stack.open_link(&other));
    let customer = |answer: &classpay_tests::Answer| {
        answer.json()["paymentSession"]["customerSession"]["customerId"].as_str().map(str::to_owned)
    };
    assert_ne!(customer(&a), customer(&b));
    assert!([customer(&a), customer(&b)].iter().all(|of_link| of_link.as_deref() != own[0]["id"].as_str()));
    let now = customers(&stack).await;
    assert_eq!(now.len(), 3);
    assert!(now.iter().all(|customer| customer["email"].is_null()), "{now:?}");
    let about = json!(now).to_string();
    assert!(!about.contains(&one) && !about.contains(&other), "Stripe learns no link");
}

#[tokio::test]
async fn a_payer_who_proves_himself_to_his_bank_pays_and_one_who_fails_to_may_try_again() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.intent_of_link(&link).await;
    let bank = |outcome: &'static str| {
        let (path, body) = (format!("/_control/payment_intents/{intent}/authenticate"), json!({"outcome": outcome}));
        let stripe = stack.stripe();
        async move { stripe.post(&path, &body).await.status }
    };
    for outcome in ["fail", "succeed"] {
        assert_eq!(stack.stripe().pay(&intent, "pm_card_authenticationRequired").await.status, 200);
        let early = stack.process_link(&link, Some(&intent)).await;
        assert_eq!((early.status, early.code().as_str()), (422, "payment_not_authorised"));
        assert_eq!(bank(outcome).await, 200);
    }
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    assert_eq!(stack.captured().await, [(intent, COSTUMES_TOTAL)]);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_hold_that_ran_out_is_replaced_by_a_new_intent() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let old = stack.authorise_link(&link).await;
    let ran_out = stack.stripe().post(&format!("/_control/payment_intents/{old}/expire"), &json!({})).await;
    assert_eq!(ran_out.status, 200, "{}", ran_out.text);
    let refused = stack.process_link(&link, Some(&old)).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "payment_cancelled"));
    let new = stack.authorise_link(&link).await;
    assert_ne!(new, old);
    assert_eq!(stack.process_link(&link, None).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_price_that_was_meddled_with_in_stripe_s_dashboard_is_released_and_not_captured() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.intent_of_link(&link).await;
    let interfere = stack.stripe().request(Method::POST, &format!("/v1/payment_intents/{intent}"));
    let interfere = interfere.bearer_auth("sk_test_local").header("stripe-account", stack.account());
    let interfere = interfere.header("content-type", "application/x-www-form-urlencoded").body("amount=100");
    assert_eq!(classpay_tests::Api::send(interfere).await.status, 200);
    stack.confirm(&intent).await;
    let refused = stack.process_link(&link, Some(&intent)).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "quote_changed"), "{}", refused.text);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert!(stack.captured().await.is_empty());
}

#[tokio::test]
async fn a_company_that_moves_to_another_account_is_paid_there() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let old = stack.intent_of_link(&link).await;
    let moved = studio::Studio::demo().text().replace("acct_1DemoDanceSchool", "acct_2Moved");
    studio::Studio::parse(&moved).load_into(&stack.table()).await;
    let new = stack.authorise_link(&link).await;
    assert_ne!(new, old);
    assert_eq!(stack.intent_status(&old).await, "canceled");
    assert_eq!(stack.process_link(&link, Some(&new)).await.status, 200);
    let charges = stack.stripe().charges().await;
    let taken: Vec<_> = charges.iter().map(|charge| (&charge["account"], &charge["amountCaptured"])).collect();
    assert_eq!(taken, [(&json!("acct_2Moved"), &json!(COSTUMES_TOTAL))]);
    assert_eq!(stack.link_status(&link).await, "paid");
}
