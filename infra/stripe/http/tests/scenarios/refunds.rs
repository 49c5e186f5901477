use serde_json::{Value, json};

use crate::harness::TestStripe;

const INTENTS: &str = "/v1/payment_intents";

/// A captured payment of 42.00, its intent and its charge.
async fn captured(stripe: &TestStripe, card: &str) -> (String, String) {
    let told = stripe.paid_by(card, "currency=usd&allowed_payment_method_types[]=card").await;
    assert_eq!(told["status"], "succeeded");
    (told["id"].as_str().unwrap().to_owned(), told["latestCharge"].as_str().unwrap().to_owned())
}

async fn charge(stripe: &TestStripe, id: &str) -> Value {
    stripe.get(&format!("/v1/charges/{id}?expand[]=refunds")).await.ok()
}

#[tokio::test]
async fn a_payment_is_given_back_in_parts_and_never_more_than_all() {
    let stripe = TestStripe::start().await;
    let (intent, id) = captured(&stripe, "pm_card_visa").await;
    let form = format!("payment_intent={intent}&amount=1200&reason=duplicate&metadata[a]=1");
    let answer = stripe.post("/v1/refunds", &form).await;
    let parsed: stripe_shared::Refund = miniserde::json::from_str(&answer.text).unwrap();
    assert_eq!((parsed.amount, parsed.status.as_deref()), (1200, Some("succeeded")));
    let first = answer.ok();
    let shown = charge(&stripe, &id).await;
    assert_eq!((&shown["amount_refunded"], &shown["refunded"]), (&json!(1200), &json!(false)));

    let too_much = stripe.post("/v1/refunds", &format!("charge={id}&amount=3001")).await;
    assert_eq!((too_much.status, &too_much.body["error"]["param"]), (400, &json!("amount")));
    let rest = stripe.post("/v1/refunds", &format!("charge={id}")).await.ok();
    assert_eq!(rest["amount"], 3000);
    stripe.post("/v1/refunds", &format!("charge={id}")).await.refused(400, "charge_already_refunded");

    let path = format!("{INTENTS}/{intent}?expand[]=latest_charge.refunds");
    let answer = stripe.get(&path).await;
    let parsed: stripe_shared::PaymentIntent = miniserde::json::from_str(&answer.text).unwrap();
    let parsed = parsed.latest_charge.unwrap().into_object().unwrap();
    assert_eq!((parsed.refunds.unwrap().data.len(), parsed.refunded), (2, true));
    assert_eq!(answer.ok()["latest_charge"]["refunds"]["data"], json!([rest, first]));
    for query in [format!("charge={id}"), format!("payment_intent={intent}")] {
        let listed = stripe.get(&format!("/v1/refunds?{query}")).await.ok();
        assert_eq!(listed["data"], json!([rest, first]));
    }
    assert_eq!(stripe.get(&format!("/v1/refunds/{}", first["id"].as_str().unwrap())).await.ok(), first);
    let types = stripe.event_types().await;
    assert_eq!(types[3..], ["refund.created", "charge.refunded", "refund.created", "charge.refunded"]);
}

#[tokio::test]
async fn a_refund_of_nothing_is_refused() {
    let stripe = TestStripe::start().await;
    let held = stripe.hold().await;
    let refused = stripe.post("/v1/refunds", &format!("payment_intent={held}")).await;
    let message = refused.body["error"]["message"].as_str().unwrap();
    assert!(refused.status == 400 && message.contains("must cancel the PaymentIntent"), "{message}");
    let open = stripe.post(INTENTS, "amount=100&currency=usd").await.ok();
    let refused = stripe.post("/v1/refunds", &format!("payment_intent={}", open["id"].as_str().unwrap())).await;
    assert_eq!(refused.status, 400);
    assert_eq!(stripe.post("/v1/refunds", "").await.status, 400);
    stripe.post("/v1/refunds", "charge=ch_none").await.refused(400, "resource_missing");
    let (intent, _) = captured(&stripe, "pm_card_visa").await;
    let form = format!("payment_intent={intent}&amount=0");
    stripe.post("/v1/refunds", &form).await.refused(400, "parameter_invalid_integer");
    stripe.control("refunds/re_none/fail", json!({})).await.refused(404, "resource_missing");
}

#[tokio::test]
async fn a_charge_shows_its_ten_newest_refunds() {
    let stripe = TestStripe::start().await;
    let (_, id) = captured(&stripe, "pm_card_visa").await;
    for amount in 1..=12 {
        stripe.post("/v1/refunds", &format!("charge={id}&amount={amount}")).await.ok();
    }
    let shown = charge(&stripe, &id).await;
    assert_eq!((&shown["amount_refunded"], &shown["refunds"]["has_more"]), (&json!(78), &json!(true)));
    let amounts = shown["refunds"]["data"].as_array().unwrap().iter().map(|refund| refund["amount"].as_i64().unwrap());
    assert!(amounts.eq((3..=12).rev()));
}

#[tokio::test]
async fn a_refund_that_looked_done_comes_back() {
    let stripe = TestStripe::start().await;
    let (intent, id) = captured(&stripe, "pm_card_refundFail").await;
    let told = stripe.control(&format!("payment_intents/{intent}/refund"), json!({ "amount": 1000 })).await.ok();
    assert_eq!((&told["status"], &told["paymentIntent"]), (&json!("succeeded"), &json!(intent)));
    assert_eq!(stripe.get_control("charges").await[0]["amountRefunded"], 1000);
    let refund = told["id"].as_str().unwrap();
    let fail = format!("refunds/{refund}/fail");
    let told = stripe.control(&fail, json!({ "reason": "lost_or_stolen_card" })).await.ok();
    assert_eq!((&told["status"], &told["failureReason"]), (&json!("failed"), &json!("lost_or_stolen_card")));
    assert_eq!(stripe.control(&fail, json!({})).await.status, 400);
    let shown = charge(&stripe, &id).await;
    assert_eq!((&shown["amount_refunded"], &shown["refunds"]["data"][0]["status"]), (&json!(0), &json!("failed")));
    let types = stripe.event_types().await;
    assert_eq!(types[5..], ["refund.failed", "refund.updated", "charge.refund.updated"]);
    let updated = stripe.get("/v1/events?type=charge.refund.updated").await.ok()["data"][0]["data"].clone();
    assert_eq!(updated["previous_attributes"], json!({ "failure_reason": null, "status": "succeeded" }));
    // The money is ours again, so it can be refunded again.
    stripe.post("/v1/refunds", &format!("charge={id}")).await.ok();
}

#[tokio::test]
async fn a_pending_refund_arrives_or_does_not() {
    let stripe = TestStripe::start().await;
    for (card, body) in [("pm_card_pendingRefund", json!({})), ("pm_card_visa", json!({ "pending": true }))] {
        let (intent, id) = captured(&stripe, card).await;
        let told = stripe.control(&format!("payment_intents/{intent}/refund"), body).await.ok();
        assert_eq!(told["status"], "pending");
        let refund = told["id"].as_str().unwrap();
        // It counts as refunded from the start.
        assert_eq!(charge(&stripe, &id).await["refunded"], true);
        let cancel = stripe.post(&format!("/v1/refunds/{refund}/cancel"), "").await;
        assert_eq!(cancel.status, 400);
        let succeed = format!("refunds/{refund}/succeed");
        assert_eq!(stripe.control(&succeed, json!({})).await.ok()["status"], "succeeded");
        assert_eq!(stripe.control(&succeed, json!({})).await.status, 400);
        let types = stripe.event_types().await;
        assert_eq!(types[types.len() - 2..], ["refund.updated", "charge.refund.updated"]);
        let noted = stripe.post(&format!("/v1/refunds/{refund}"), "metadata[note]=late").await.ok();
        assert_eq!(noted["metadata"]["note"], "late");
    }
}

#[tokio::test]
async fn a_hold_that_is_let_go_leaves_a_refund_of_no_money() {
    let stripe = TestStripe::start().await;
    let shown = async |intent: &str| {
        let path = format!("{INTENTS}/{intent}?expand[]=latest_charge.refunds");
        stripe.get(&path).await.ok()["latest_charge"].clone()
    };
    let cancelled = stripe.hold().await;
    stripe.post(&format!("{INTENTS}/{cancelled}/cancel"), "").await.ok();
    let charge = shown(&cancelled).await;
    assert_eq!((&charge["captured"], &charge["amount_refunded"]), (&json!(false), &json!(4200)));
    assert_eq!((&charge["refunded"], &charge["refunds"]["data"][0]["amount"]), (&json!(true), &json!(4200)));

    let partly = stripe.hold().await;
    stripe.post(&format!("{INTENTS}/{partly}/capture"), "amount_to_capture=4000").await.ok();
    let charge = shown(&partly).await;
    assert_eq!((&charge["amount_captured"], &charge["amount_refunded"]), (&json!(4000), &json!(200)));
    assert_eq!((&charge["refunded"], &charge["refunds"]["data"][0]["amount"]), (&json!(false), &json!(200)));

    let expired = stripe.hold().await;
    stripe.control(&format!("payment_intents/{expired}/expire"), json!({})).await.ok();
    assert_eq!(shown(&expired).await["refunds"]["data"][0]["reason"], "expired_uncaptured_charge");
    let money = stripe.get_control("charges").await;
    let of = |index: usize| (money[index]["amountCaptured"].clone(), money[index]["amountRefunded"].clone());
    let nothing = (json!(0), json!(0));
    assert_eq!([of(0), of(1), of(2)], [nothing.clone(), (json!(4000), json!(0)), nothing]);
    // The captured amount can be refunded, and no more.
    stripe.control(&format!("payment_intents/{partly}/refund"), json!({})).await.ok();
    assert_eq!(stripe.get_control("charges").await[1]["amountRefunded"], 4000);
}
