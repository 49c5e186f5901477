use serde_json::{Value, json};

use crate::harness::{START, TestStripe};

const INTENTS: &str = "/v1/payment_intents";

#[tokio::test]
async fn a_hold_is_captured_once() {
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    let held = stripe.get(&format!("{INTENTS}/{id}?expand[]=latest_charge")).await.ok();
    assert_eq!(held["status"], "requires_capture");
    assert_eq!((&held["amount_capturable"], &held["amount_received"]), (&json!(4200), &json!(0)));
    let charge = &held["latest_charge"];
    assert_eq!((&charge["captured"], &charge["paid"]), (&json!(false), &json!(true)));
    let card = &charge["payment_method_details"]["card"];
    assert_eq!((&card["brand"], &card["last4"]), (&json!("visa"), &json!("4242")));
    assert_eq!(card["capture_before"], START + 7 * 24 * 60 * 60);

    let capture = format!("{INTENTS}/{id}/capture");
    let taken = stripe.post(&capture, "").await.ok();
    assert_eq!(taken["status"], "succeeded");
    assert_eq!((&taken["amount_capturable"], &taken["amount_received"]), (&json!(0), &json!(4200)));
    let error = stripe.post(&capture, "").await.refused(400, "payment_intent_unexpected_state");
    assert_eq!(error["payment_intent"]["status"], "succeeded");
    let charges = stripe.get_control("charges").await;
    assert_eq!(charges[0]["amountCaptured"], 4200);
    assert_eq!(charges[0]["paymentIntent"], id);
    assert_eq!(charges.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_part_of_a_hold_is_captured_and_never_more_than_all() {
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    let capture = format!("{INTENTS}/{id}/capture");
    stripe.post(&capture, "amount_to_capture=4201").await.refused(400, "amount_too_large");
    stripe.post(&capture, "amount_to_capture=0").await.refused(400, "parameter_invalid_integer");
    let taken = stripe.post(&capture, "amount_to_capture=4000").await.ok();
    assert_eq!((&taken["amount"], &taken["amount_received"]), (&json!(4200), &json!(4000)));
}

#[tokio::test]
async fn the_cards_own_way_of_capture_makes_a_hold_too() {
    let stripe = TestStripe::start().await;
    let form = "amount=100&currency=gbp&confirm=true&payment_method=pm_card_mastercard\
                &allowed_payment_method_types[0]=card&allowed_payment_method_types[1]=bacs_debit\
                &payment_method_options[card][capture_method]=manual";
    let held = stripe.post(INTENTS, form).await.ok();
    assert_eq!(held["status"], "requires_capture");
    assert_eq!(held["capture_method"], "automatic_async");
    assert_eq!(held["payment_method_options"]["card"]["capture_method"], "manual");
    assert_eq!(held["payment_method_types"], json!(["card", "bacs_debit"]));
}

#[tokio::test]
async fn an_allowed_type_that_cannot_be_used_is_left_out() {
    let stripe = TestStripe::start().await;
    let form = "amount=100&currency=usd&allowed_payment_method_types[]=card\
                &allowed_payment_method_types[]=bacs_debit";
    let intent = stripe.post(INTENTS, form).await.ok();
    assert_eq!(intent["payment_method_types"], json!(["card"]));
    assert_eq!(intent["allowed_payment_method_types"], json!(["card", "bacs_debit"]));
}

#[tokio::test]
async fn a_decline_leads_back_to_the_start_and_another_card_pays() {
    let stripe = TestStripe::start().await;
    for (card, code, decline_code) in [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ] {
        let form = format!(
            "amount=100&currency=eur&allowed_payment_method_types[]=card&confirm=true\
             &payment_method={card}"
        );
        let error = stripe.post(INTENTS, &form).await.refused(402, code);
        assert_eq!((&error["type"], &error["decline_code"]), (&json!("card_error"), &json!(decline_code)));
        let id = error["payment_intent"]["id"].as_str().unwrap();
        let intent = stripe.get(&format!("{INTENTS}/{id}?expand[]=latest_charge")).await.ok();
        assert_eq!(intent["status"], "requires_payment_method");
        assert_eq!(intent["payment_method"], Value::Null);
        assert_eq!(intent["last_payment_error"]["decline_code"], decline_code);
        assert_eq!(intent["latest_charge"]["status"], "failed");
        assert_eq!(intent["latest_charge"]["id"], error["charge"]);

        let confirm = format!("{INTENTS}/{id}/confirm");
        let paid = stripe.post(&confirm, "payment_method=pm_card_amex").await.ok();
        assert_eq!(paid["status"], "succeeded");
        assert_eq!(paid["last_payment_error"], Value::Null);
        assert_eq!(paid["amount_received"], 100);
    }
}

#[tokio::test]
async fn three_d_secure_waits_for_the_payer() {
    let stripe = TestStripe::start().await;
    let form = "amount=100&currency=eur&allowed_payment_method_types[]=card&confirm=true\
                &payment_method=pm_card_authenticationRequired";
    for (outcome, status) in [("succeed", "succeeded"), ("fail", "requires_payment_method")] {
        let intent = stripe.post(INTENTS, form).await.ok();
        assert_eq!(intent["status"], "requires_action");
        assert_eq!(intent["next_action"]["type"], "use_stripe_sdk");
        assert_eq!(intent["latest_charge"], Value::Null);
        let id = intent["id"].as_str().unwrap();
        let authenticate = format!("payment_intents/{id}/authenticate");
        let done = stripe.control(&authenticate, json!({ "outcome": outcome })).await.ok();
        assert_eq!(done["status"], status);
        let again = stripe.control(&authenticate, json!({ "outcome": outcome })).await;
        again.refused(400, "payment_intent_unexpected_state");
    }
    // A change of the amount takes the payer's confirmation back.
    let intent = stripe.post(INTENTS, form).await.ok();
    let path = format!("{INTENTS}/{}", intent["id"].as_str().unwrap());
    let changed = stripe.post(&path, "amount=250").await.ok();
    assert_eq!((&changed["status"], &changed["next_action"]), (&json!("requires_confirmation"), &Value::Null));
    let error = stripe.post(INTENTS, &format!("{form}&off_session=true")).await;
    error.refused(402, "authentication_required");
}

#[tokio::test]
async fn what_is_illegal_in_a_state_changes_nothing() {
    let stripe = TestStripe::start().await;
    let form = "amount=100&currency=usd&allowed_payment_method_types[]=card";
    let intent = stripe.post(INTENTS, form).await.ok();
    let open = format!("{INTENTS}/{}", intent["id"].as_str().unwrap());
    let unexpected = "payment_intent_unexpected_state";
    stripe.post(&format!("{open}/capture"), "").await.refused(400, unexpected);
    stripe.post(&format!("{open}/confirm"), "").await.refused(400, unexpected);
    assert_eq!(stripe.get(&open).await.ok(), intent);

    stripe.post(&format!("{open}/cancel"), "cancellation_reason=abandoned").await.ok();
    for call in ["cancel", "confirm", "capture"] {
        let error = stripe.post(&format!("{open}/{call}"), "").await.refused(400, unexpected);
        assert_eq!(error["payment_intent"]["status"], "canceled");
        assert_eq!(error["payment_intent"]["cancellation_reason"], "abandoned");
    }

    let held = format!("{INTENTS}/{}", stripe.hold().await);
    stripe.post(&held, "amount=100").await.refused(400, unexpected);
    stripe.post(&format!("{held}/confirm"), "").await.refused(400, unexpected);
    let noted = stripe.post(&held, "metadata[order]=ord_1&description=Ballet").await.ok();
    assert_eq!(noted["status"], "requires_capture");
    assert_eq!(noted["metadata"], json!({ "order": "ord_1" }));
    assert_eq!(stripe.post(&held, "metadata=").await.ok()["metadata"], json!({}));
}

#[tokio::test]
async fn a_cancelled_or_expired_hold_lets_go() {
    let stripe = TestStripe::start().await;
    let cancelled = stripe.hold().await;
    let cancel = format!("{INTENTS}/{cancelled}/cancel");
    let intent = stripe.post(&cancel, "cancellation_reason=requested_by_customer").await.ok();
    assert_eq!((&intent["status"], &intent["amount_capturable"]), (&json!("canceled"), &json!(0)));
    assert_eq!(intent["canceled_at"], START);

    let expired = stripe.hold().await;
    let told = stripe.control(&format!("payment_intents/{expired}/expire"), json!({})).await.ok();
    assert_eq!(told["cancellationReason"], "automatic");
    assert_eq!(told["amountCapturable"], 0);
    let capture = stripe.post(&format!("{INTENTS}/{expired}/capture"), "").await;
    capture.refused(400, "payment_intent_unexpected_state");
}

#[tokio::test]
async fn a_hold_that_nobody_captures_expires_by_itself() {
    const WEEK: i64 = 7 * 24 * 60 * 60;
    let stripe = TestStripe::start().await;
    let path = format!("{INTENTS}/{}", stripe.hold().await);
    stripe.pass(WEEK - 1);
    assert_eq!(stripe.get(&path).await.ok()["status"], "requires_capture");
    stripe.pass(1);
    let expired = stripe.get(&path).await.ok();
    assert_eq!((&expired["status"], &expired["amount_capturable"]), (&json!("canceled"), &json!(0)));
    assert_eq!(expired["canceled_at"], START + WEEK);
    assert_eq!(stripe.get(INTENTS).await.ok()["data"][0], expired);
    let capture = stripe.post(&format!("{path}/capture"), "").await;
    capture.refused(400, "payment_intent_unexpected_state");
}

#[tokio::test]
async fn terms_may_change_until_the_payer_has_authorised() {
    let stripe = TestStripe::start().await;
    let form = "amount=100&currency=usd&allowed_payment_method_types[]=card&metadata[a]=1\
                &metadata[b]=2&description=old";
    let intent = stripe.post(INTENTS, form).await.ok();
    let path = format!("{INTENTS}/{}", intent["id"].as_str().unwrap());
    let form = "amount=250&metadata[a]=&metadata[c]=3&description=&payment_method=pm_card_visa";
    let changed = stripe.post(&path, form).await.ok();
    assert_eq!(changed["amount"], 250);
    assert_eq!(changed["metadata"], json!({ "b": "2", "c": "3" }));
    assert_eq!(changed["description"], Value::Null);
    assert_eq!(changed["status"], "requires_confirmation");
    let method = changed["payment_method"].as_str().unwrap();
    assert!(method.starts_with("pm_") && method != "pm_card_visa", "{method}");
    assert_eq!(stripe.post(&format!("{path}/confirm"), "").await.ok()["amount_received"], 250);
}

#[tokio::test]
async fn amounts_that_stripe_does_not_charge_are_refused() {
    let stripe = TestStripe::start().await;
    let refused = async |form: &str, code: &str| {
        let form = format!("{form}&allowed_payment_method_types[]=card");
        stripe.post(INTENTS, &form).await.refused(400, code)
    };
    let told = refused("amount=49&currency=usd", "amount_too_small").await;
    assert_eq!(told["message"], "Amount must be at least $0.50 usd");
    refused("amount=29&currency=gbp", "amount_too_small").await;
    refused("amount=100000000&currency=usd", "amount_too_large").await;
    refused("amount=12.50&currency=usd", "parameter_invalid_integer").await;
    assert_eq!(refused("amount=100", "parameter_missing").await["param"], "currency");
    for unknown in ["pounds", "xxx", "u d"] {
        let answer = stripe.post(INTENTS, &format!("amount=100&currency={unknown}")).await;
        assert_eq!((answer.status, &answer.body["error"]["param"]), (400, &json!("currency")));
    }
}

#[tokio::test]
async fn payment_method_types_are_refused_by_the_version_that_took_them_away() {
    let stripe = TestStripe::start().await;
    let form = "amount=100&currency=usd&payment_method_types[]=card";
    let code = "payment_method_types_no_longer_supported";
    stripe.post(INTENTS, form).await.refused(400, code);
    let older = stripe.call(reqwest::Method::POST, INTENTS).header("stripe-version", "2026-08-26.dahlia");
    let answer = older.body(form).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
}

#[tokio::test]
async fn dynamic_methods_need_somewhere_to_return_to() {
    let stripe = TestStripe::start().await;
    let form = "amount=100&currency=usd&confirm=true&payment_method=pm_card_visa";
    let answer = stripe.post(INTENTS, form).await;
    assert_eq!((answer.status, &answer.body["error"]["param"]), (400, &json!("return_url")));
    let form = format!("{form}&return_url=https%3A%2F%2Fexample.com");
    assert_eq!(stripe.post(INTENTS, &form).await.ok()["status"], "succeeded");
}

#[tokio::test]
async fn the_studio_captures_a_part_in_its_dashboard() {
    let stripe = TestStripe::start().await;
    let id = stripe.hold().await;
    let capture = format!("payment_intents/{id}/capture");
    stripe.control(&capture, json!({ "amount": 4201 })).await.refused(400, "amount_too_large");
    stripe.control(&capture, json!({ "amount": 0 })).await.refused(400, "parameter_invalid_integer");
    let told = stripe.control(&capture, json!({ "amount": 1500 })).await.ok();
    assert_eq!((&told["status"], &told["amount"]), (&json!("succeeded"), &json!(4200)));
    assert_eq!((&told["amountReceived"], &told["amountCapturable"]), (&json!(1500), &json!(0)));
    let intent = stripe.get(&format!("{INTENTS}/{id}?expand[]=latest_charge.refunds")).await.ok();
    let charge = &intent["latest_charge"];
    assert_eq!((&charge["amount_captured"], &charge["amount_refunded"]), (&json!(1500), &json!(2700)));
    assert_eq!((&charge["captured"], &charge["refunded"]), (&json!(true), &json!(false)));
    // The released amount looks like a refund, but isn't one.
    assert_eq!(charge["refunds"]["data"][0]["amount"], 2700);
    let charges = stripe.get_control("charges").await;
    assert_eq!((&charges[0]["amountCaptured"], &charges[0]["amountRefunded"]), (&json!(1500), &json!(0)));
    assert_eq!(stripe.event_types().await[3..], ["charge.captured", "payment_intent.succeeded"]);
    stripe.control(&capture, json!({})).await.refused(400, "payment_intent_unexpected_state");
    let ours = stripe.post(&format!("{INTENTS}/{id}/capture"), "").await;
    ours.refused(400, "payment_intent_unexpected_state");
    // None of the rest can be refunded; all of the captured amount can.
    let refund = format!("payment_intents/{id}/refund");
    assert_eq!(stripe.control(&refund, json!({ "amount": 1501 })).await.status, 400);
    assert_eq!(stripe.control(&refund, json!({})).await.ok()["amount"], 1500);

    let whole = stripe.hold().await;
    let told = stripe.control(&format!("payment_intents/{whole}/capture"), json!({})).await.ok();
    assert_eq!(told["amountReceived"], 4200);
}
