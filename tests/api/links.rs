//! A payment link from its creation to its receipt.

use classpay_tests::{COSTUMES, COSTUMES_DUE, COSTUMES_TOTAL, OKAFOR, Stack, assert_books_balance};
use futures_util::future::join_all;
use serde_json::Value;

#[tokio::test]
async fn a_link_is_made_opened_paid_and_is_then_a_receipt() {
    let stack = Stack::start().await;
    let made = stack.make_link(COSTUMES, None).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let body = made.json();
    let link = body["paymentLink"]["id"].as_str().unwrap().to_owned();
    assert_eq!(link.len(), "pay_".len() + 26);
    assert!(body["url"].as_str().unwrap().ends_with(&link));
    assert_eq!(body["paymentLink"]["status"], "open");

    let opened = stack.open_link(&link).await;
    assert_eq!(opened.status, 200, "{}", opened.text);
    assert_eq!(opened.headers["cache-control"], "no-store");
    assert_eq!(opened.headers["referrer-policy"], "no-referrer");
    let body = opened.json();
    assert_eq!((body["subtotal"].as_i64(), body["total"].as_i64()), (Some(COSTUMES_DUE), Some(COSTUMES_TOTAL)));
    assert_eq!(body["aggregateTransaction"]["aggregateId"], COSTUMES);
    assert_eq!(body["paymentSession"]["paymentIntent"]["amount"], COSTUMES_TOTAL);
    let intent = stack.authorise_link(&link).await;

    let paid = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    let body = paid.json();
    assert_eq!(body["paymentLink"]["status"], "paid");
    assert_eq!(body["debitAggregateTransaction"]["aggregateId"], COSTUMES);
    let credit = &body["creditAggregateTransaction"];
    assert_eq!(credit["transaction"]["relatedTransactionId"], COSTUMES);
    assert_eq!(credit["stats"]["total"], COSTUMES_DUE);
    assert_eq!(body["company"]["name"], "Riverside School of Dance");
    assert_eq!((body["family"]["id"].as_str(), body["family"].get("email")), (Some(OKAFOR), None));
    assert_eq!(stack.due(COSTUMES).await, 0);
    assert!(stack.posted(OKAFOR).await.contains(credit));

    let again = stack.process_link(&link, None).await;
    assert_eq!((again.status, &again.text), (200, &paid.text));
    let receipt = stack.open_link(&link).await.json();
    assert_eq!(receipt["paymentLink"]["status"], "paid");
    let session = &receipt["paymentSession"];
    assert_eq!(session["paymentIntent"]["charge"]["amountCaptured"], COSTUMES_TOTAL);
    assert_eq!(session["paymentIntent"]["paymentMethod"]["data"]["last4"], "4242");
    for secret in ["/paymentIntent/clientSecret", "/customerSession/clientSecret", "/ephemeralKey/secret"] {
        assert_eq!(session.pointer(secret), Some(&Value::from("")), "{secret}");
    }
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn eight_tabs_at_once_are_one_intent() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let before = stack.intent_count().await;
    let opened = join_all((0..8).map(|_| stack.open_link(&link))).await;
    let mut intents: Vec<_> = opened.iter().map(|tab| Stack::shown_intent(tab)["id"].to_string()).collect();
    assert!(opened.iter().all(|tab| tab.status == 200), "{opened:?}");
    intents.dedup();
    assert_eq!(intents.len(), 1, "{intents:?}");
    let live = stack.intent_of_link(&link).await;
    assert_eq!(intents, [format!("\"{live}\"")]);
    assert_eq!(stack.intent_count().await, before + 1);
}

#[tokio::test]
async fn two_links_for_one_debit_paid_at_once_are_one_capture_and_one_void() {
    let stack = Stack::start().await;
    let (one, other) = (stack.link(None).await, stack.link(None).await);
    let (first, second) = (stack.authorise_link(&one).await, stack.authorise_link(&other).await);
    let (a, b) = tokio::join!(stack.process_link(&one, Some(&first)), stack.process_link(&other, Some(&second)));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422], "{a:?} {b:?}");
    let (lost, lost_intent) = if a.status == 422 { (&a, &first) } else { (&b, &second) };
    assert_eq!((lost.code().as_str(), lost.json()["paymentReleased"].as_bool()), ("link_paid_by_other", Some(true)));
    assert_eq!(stack.intent_status(lost_intent).await, "canceled");
    assert_eq!(stack.captured().await.iter().map(|(_, amount)| *amount).collect::<Vec<_>>(), [COSTUMES_TOTAL]);
    assert_eq!(stack.due(COSTUMES).await, 0);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn eight_clicks_on_pay_are_one_payment() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    let clicks = join_all((0..8).map(|_| stack.process_link(&link, Some(&intent)))).await;
    for click in &clicks {
        assert_eq!((click.status, &click.text), (200, &clicks[0].text));
    }
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_declined_card_leaves_the_link_open_and_another_card_pays_it() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.intent_of_link(&link).await;
    assert_eq!(stack.stripe().pay(&intent, "pm_card_chargeDeclined").await.status, 402);
    let refused = stack.process_link(&link, Some(&intent)).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "payment_not_authorised"));
    assert_eq!((stack.link_status(&link).await.as_str(), stack.due(COSTUMES).await), ("open", COSTUMES_DUE));
    stack.confirm(&intent).await;
    assert_eq!(stack.process_link(&link, Some(&intent)).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn another_link_s_intent_is_refused_untouched() {
    let stack = Stack::start().await;
    let (one, other) = (stack.link(None).await, stack.link(None).await);
    let intent = stack.authorise_link(&one).await;
    stack.intent_of_link(&other).await;
    for foreign in [intent.as_str(), "pi_unknown", "no id"] {
        let refused = stack.process_link(&other, Some(foreign)).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "payment_intent_mismatch"), "{foreign}");
    }
    assert_eq!(stack.intent_status(&intent).await, "requires_capture");
    assert_eq!(stack.process_link(&one, Some(&intent)).await.status, 200);
}

#[tokio::test]
async fn a_payer_who_closed_the_tab_and_opens_the_link_again_has_paid() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    stack.authorise_link(&link).await;
    let opened = stack.open_link(&link).await.json();
    assert_eq!(opened["paymentLink"]["status"], "paid");
    assert_eq!(opened["paymentSession"]["paymentIntent"]["charge"]["amountCaptured"], COSTUMES_TOTAL);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_link_that_nobody_has_is_not_found_whatever_it_looks_like() {
    let stack = Stack::start().await;
    let real = stack.link(None).await;
    let mut almost = real.clone();
    almost.replace_range(4..5, if real.as_bytes()[4] == b'0' { "1" } else { "0" });
    for id in [almost.as_str(), "pay_0", "x", "%20", "pay_%23META"] {
        for answer in [stack.open_link(id).await, stack.process_link(id, None).await] {
            assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{id}");
        }
    }
    assert_eq!(stack.link_status(&real).await, "open");
}

#[tokio::test]
async fn only_staff_make_list_and_revoke_links_and_only_of_their_own_debits() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let family = stack.family(OKAFOR);
    let body = serde_json::json!({"transactionId": COSTUMES});
    assert_eq!(family.post("/v1/payment-links", &body).await.code(), "forbidden");
    assert_eq!(family.get(&format!("/v1/payment-links?transactionId={COSTUMES}")).await.code(), "forbidden");
    assert_eq!(stack.caller(None).post("/v1/payment-links", &body).await.status, 401);
    assert_eq!(stack.make_link("trn_unknown", None).await.code(), "not_found");
    let listed = stack.staff().get(&format!("/v1/payment-links?transactionId={COSTUMES}")).await.json();
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|l| l["paymentLink"]["id"].clone()).collect();
    assert!(listed.contains(&Value::from(link.as_str())), "{listed:?}");
    assert_eq!(stack.staff().get("/v1/payment-links?transactionId=trn_unknown").await.code(), "not_found");
    assert_eq!(stack.staff().get("/v1/payment-links").await.code(), "wrong_type");
}
