use serde_json::{Value, json};

use crate::harness::Stand;

const TERMS: &str = "currency=usd&allowed_payment_method_types[]=card";

async fn disputed(stand: &Stand, body: Value) -> (String, Value) {
    let paid = stand.paid_by("pm_card_visa", TERMS).await;
    let charge = paid["latestCharge"].as_str().unwrap().to_owned();
    let told = stand.control(&format!("charges/{charge}/dispute"), body).await.ok();
    (charge, told)
}

#[tokio::test]
async fn a_dispute_takes_the_money_and_a_won_one_brings_it_back() {
    let stand = Stand::start().await;
    let (charge, told) = disputed(&stand, json!({})).await;
    assert_eq!((&told["status"], &told["amount"]), (&json!("needs_response"), &json!(4200)));
    let path = format!("/v1/disputes/{}", told["id"].as_str().unwrap());
    let answer = stand.get(&path).await;
    let parsed: stripe_shared::Dispute = miniserde::json::from_str(&answer.text).unwrap();
    assert_eq!((parsed.reason.as_str(), parsed.amount), ("fraudulent", 4200));
    let dispute = answer.ok();
    assert_eq!(stand.get(&format!("/v1/disputes?charge={charge}")).await.ok()["data"], json!([dispute]));
    assert_eq!(stand.get(&format!("/v1/charges/{charge}")).await.ok()["disputed"], true);
    stand.post("/v1/refunds", &format!("charge={charge}")).await.refused(400, "charge_disputed");
    assert_eq!(stand.control(&format!("charges/{charge}/dispute"), json!({})).await.status, 400);

    let close = format!("disputes/{}/close", told["id"].as_str().unwrap());
    assert_eq!(stand.control(&close, json!({ "outcome": "won" })).await.ok()["status"], "won");
    assert_eq!(stand.control(&close, json!({ "outcome": "lost" })).await.status, 400);
    let expected = [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ];
    assert_eq!(stand.event_types().await[3..], expected);
    stand.post("/v1/refunds", &format!("charge={charge}")).await.ok();
}

#[tokio::test]
async fn a_lost_dispute_keeps_the_money() {
    let stand = Stand::start().await;
    let (charge, told) = disputed(&stand, json!({ "amount": 1000, "reason": "product_not_received" })).await;
    assert_eq!((&told["amount"], &told["reason"]), (&json!(1000), &json!("product_not_received")));
    let close = format!("disputes/{}/close", told["id"].as_str().unwrap());
    assert_eq!(stand.control(&close, json!({ "outcome": "lost" })).await.ok()["status"], "lost");
    assert_eq!(stand.event_types().await[5..], ["charge.dispute.closed"]);
    stand.post("/v1/refunds", &format!("charge={charge}")).await.refused(400, "charge_disputed");
    let accepted = disputed(&stand, json!({})).await.1;
    let accept = format!("/v1/disputes/{}/close", accepted["id"].as_str().unwrap());
    assert_eq!(stand.post(&accept, "").await.ok()["status"], "lost");
}

#[tokio::test]
async fn what_was_not_taken_cannot_be_disputed() {
    let stand = Stand::start().await;
    let held = stand.paid_by("pm_card_visa", &format!("{TERMS}&capture_method=manual")).await;
    let dispute = format!("charges/{}/dispute", held["latestCharge"].as_str().unwrap());
    assert_eq!(stand.control(&dispute, json!({})).await.status, 400);
    assert_eq!(stand.control("charges/ch_none/dispute", json!({})).await.status, 404);
    assert_eq!(stand.event_types().await.len(), 3);
}
