use serde_json::{Value, json};

use crate::harness::TestStripe;

const TERMS: &str = "currency=usd&allowed_payment_method_types[]=card";

async fn disputed(stripe: &TestStripe, body: Value) -> (String, Value) {
    let paid = stripe.paid_by("pm_card_visa", TERMS).await;
    let charge = paid["latestCharge"].as_str().unwrap().to_owned();
    let told = stripe.control(&format!("charges/{charge}/dispute"), body).await.ok();
    (charge, told)
}

#[tokio::test]
async fn a_dispute_takes_the_money_and_a_won_one_brings_it_back() {
    let stripe = TestStripe::start().await;
    let (charge, told) = disputed(&stripe, json!({})).await;
    assert_eq!((&told["status"], &told["amount"]), (&json!("needs_response"), &json!(4200)));
    let path = format!("/v1/disputes/{}", told["id"].as_str().unwrap());
    let answer = stripe.get(&path).await;
    let parsed: stripe_shared::Dispute = miniserde::json::from_str(&answer.text).unwrap();
    assert_eq!((parsed.reason.as_str(), parsed.amount), ("fraudulent", 4200));
    let dispute = answer.ok();
    assert_eq!(stripe.get(&format!("/v1/disputes?charge={charge}")).await.ok()["data"], json!([dispute]));
    assert_eq!(stripe.get(&format!("/v1/charges/{charge}")).await.ok()["disputed"], true);
    stripe.post("/v1/refunds", &format!("charge={charge}")).await.refused(400, "charge_disputed");
    assert_eq!(stripe.control(&format!("charges/{charge}/dispute"), json!({})).await.status, 400);

    let close = format!("disputes/{}/close", told["id"].as_str().unwrap());
    assert_eq!(stripe.control(&close, json!({ "outcome": "won" })).await.ok()["status"], "won");
    assert_eq!(stripe.control(&close, json!({ "outcome": "lost" })).await.status, 400);
    let expected = [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ];
    assert_eq!(stripe.event_types().await[3..], expected);
    // What came back can be refunded and disputed again, and no more than was taken.
    stripe.post("/v1/refunds", &format!("charge={charge}&amount=100")).await.ok();
    let dispute = format!("charges/{charge}/dispute");
    assert_eq!(stripe.control(&dispute, json!({ "amount": 4201 })).await.status, 400);
    assert_eq!(stripe.control(&dispute, json!({ "amount": 4000 })).await.ok()["status"], "needs_response");
}

#[tokio::test]
async fn a_lost_dispute_keeps_the_money() {
    let stripe = TestStripe::start().await;
    let (charge, told) = disputed(&stripe, json!({ "amount": 1000, "reason": "product_not_received" })).await;
    assert_eq!((&told["amount"], &told["reason"]), (&json!(1000), &json!("product_not_received")));
    let close = format!("disputes/{}/close", told["id"].as_str().unwrap());
    assert_eq!(stripe.control(&close, json!({ "outcome": "lost" })).await.ok()["status"], "lost");
    assert_eq!(stripe.event_types().await[5..], ["charge.dispute.closed"]);
    stripe.post("/v1/refunds", &format!("charge={charge}")).await.refused(400, "charge_disputed");
    let accepted = disputed(&stripe, json!({})).await.1;
    let accept = format!("/v1/disputes/{}/close", accepted["id"].as_str().unwrap());
    assert_eq!(stripe.post(&accept, "").await.ok()["status"], "lost");
}

#[tokio::test]
async fn what_was_not_taken_cannot_be_disputed() {
    let stripe = TestStripe::start().await;
    let held = stripe.paid_by("pm_card_visa", &format!("{TERMS}&capture_method=manual")).await;
    let dispute = format!("charges/{}/dispute", held["latestCharge"].as_str().unwrap());
    assert_eq!(stripe.control(&dispute, json!({})).await.status, 400);
    assert_eq!(stripe.control("charges/ch_none/dispute", json!({})).await.status, 404);
    assert_eq!(stripe.event_types().await.len(), 3);
}

/// The statuses of the disputes that the studio's latest events show.
async fn latest(stripe: &TestStripe, count: usize) -> Vec<(String, String)> {
    let events = stripe.get(&format!("/v1/events?limit={count}")).await.ok();
    let of = |event: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&event["type"]), text(&event["data"]["object"]["status"]))
    };
    events["data"].as_array().unwrap().iter().rev().map(of).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(kind, status)| ((*kind).to_owned(), (*status).to_owned())).collect()
}

#[tokio::test]
async fn an_inquiry_takes_nothing_and_is_closed() {
    let stripe = TestStripe::start().await;
    let (charge, told) = disputed(&stripe, json!({ "inquiry": true })).await;
    assert_eq!(told["status"], "warning_needs_response");
    let path = format!("/v1/disputes/{}", told["id"].as_str().unwrap());
    let answer = stripe.get(&path).await;
    let parsed: stripe_shared::Dispute = miniserde::json::from_str(&answer.text).unwrap();
    assert_eq!((parsed.status.as_str(), parsed.is_charge_refundable), ("warning_needs_response", true));
    assert_eq!(answer.ok()["payment_method_details"]["card"]["case_type"], "inquiry");
    let disputed_now = async || stripe.get(&format!("/v1/charges/{charge}")).await.ok()["disputed"].clone();
    assert_eq!(disputed_now().await, false);
    assert_eq!(latest(&stripe, 1).await, pairs(&[("charge.dispute.created", "warning_needs_response")]));
    assert_eq!(stripe.control(&format!("charges/{charge}/dispute"), json!({})).await.status, 400);

    let order = async |what: &str, body: Value| {
        let path = format!("disputes/{}/{what}", told["id"].as_str().unwrap());
        stripe.control(&path, body).await
    };
    assert_eq!(order("close", json!({ "outcome": "lost" })).await.status, 400);
    assert_eq!(order("review", json!({})).await.ok()["status"], "warning_under_review");
    assert_eq!(order("review", json!({})).await.status, 400);
    assert_eq!(latest(&stripe, 1).await, pairs(&[("charge.dispute.updated", "warning_under_review")]));
    // A partial refund is possible meanwhile.
    stripe.post("/v1/refunds", &format!("charge={charge}&amount=100")).await.ok();
    assert_eq!(order("close", json!({ "outcome": "warning_closed" })).await.ok()["status"], "warning_closed");
    assert_eq!(latest(&stripe, 1).await, pairs(&[("charge.dispute.closed", "warning_closed")]));
    assert_eq!(order("close", json!({ "outcome": "warning_closed" })).await.status, 400);
    assert_eq!(order("escalate", json!({})).await.status, 400);
    assert_eq!(disputed_now().await, false);
}

#[tokio::test]
async fn an_inquiry_becomes_a_dispute_and_takes_the_money() {
    let stripe = TestStripe::start().await;
    let (charge, told) = disputed(&stripe, json!({ "inquiry": true, "amount": 1000 })).await;
    let id = told["id"].as_str().unwrap();
    let escalated = stripe.control(&format!("disputes/{id}/escalate"), json!({})).await.ok();
    assert_eq!((&escalated["id"], &escalated["status"]), (&json!(id), &json!("needs_response")));
    let expected = [("charge.dispute.updated", "needs_response"), ("charge.dispute.funds_withdrawn", "needs_response")];
    assert_eq!(latest(&stripe, 2).await, pairs(&expected));
    assert_eq!(stripe.get(&format!("/v1/charges/{charge}")).await.ok()["disputed"], true);
    let dispute = stripe.get(&format!("/v1/disputes/{id}")).await.ok();
    assert_eq!(dispute["payment_method_details"]["card"]["case_type"], "chargeback");
    stripe.post("/v1/refunds", &format!("charge={charge}")).await.refused(400, "charge_disputed");
    assert_eq!(stripe.control(&format!("disputes/{id}/escalate"), json!({})).await.status, 400);
    let close = format!("disputes/{id}/close");
    assert_eq!(stripe.control(&close, json!({ "outcome": "warning_closed" })).await.status, 400);
    assert_eq!(stripe.control(&format!("disputes/{id}/review"), json!({})).await.ok()["status"], "under_review");
    assert_eq!(stripe.control(&close, json!({ "outcome": "won" })).await.ok()["status"], "won");
}

#[tokio::test]
async fn an_inquiry_is_answered_by_giving_all_of_it_back() {
    let stripe = TestStripe::start().await;
    let (charge, told) = disputed(&stripe, json!({ "inquiry": true })).await;
    stripe.post("/v1/refunds", &format!("charge={charge}")).await.ok();
    let path = format!("/v1/disputes/{}", told["id"].as_str().unwrap());
    assert_eq!(stripe.get(&path).await.ok()["status"], "warning_closed");
    assert_eq!(latest(&stripe, 1).await, pairs(&[("charge.dispute.closed", "warning_closed")]));
}

#[tokio::test]
async fn the_studio_closes_an_inquiry_itself() {
    let stripe = TestStripe::start().await;
    let (_, told) = disputed(&stripe, json!({ "inquiry": true })).await;
    let path = format!("/v1/disputes/{}/close", told["id"].as_str().unwrap());
    assert_eq!(stripe.post(&path, "").await.ok()["status"], "warning_closed");
}
