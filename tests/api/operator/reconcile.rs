//! Comparison of Stripe with the ledger, to the unit.

use std::time::Duration;

use classpay_tests::studio::{self, COMPANY, MINH, NGUYEN, OKAFOR, POINTE};
use classpay_tests::{COSTUMES_TOTAL, DEPLOYMENT, Stack, assert_books_balance};
use serde_json::{Value, json};

use super::{bought, dashboard, listed, orders, shown, stuck};

/// The day on which every stack here begins.
const TODAY: &str = "2026-09-07";

/// The comparison of the day. The command succeeds exactly if both sides agree.
async fn reconciled(stack: &Stack) -> Value {
    let output = orders(stack, &["reconcile", "--date", TODAY, "--json"]).await;
    assert_eq!(output.json()["agrees"], output.is_ok, "{}", output.err);
    output.json()
}

#[tokio::test]
async fn an_order_of_which_another_amount_was_captured_is_for_a_person_and_its_difference_is_found() {
    let stack = Stack::start().await;
    let (order, intent) = stuck(&stack, &json!({"drop": "before"})).await;
    dashboard(&stack, &format!("/v1/payment_intents/{intent}/capture"), "amount_to_capture=100").await;
    orders(&stack, &["settle", &order]).await.refused("is still pending: its intent is succeeded, 100 received");
    orders(&stack, &["settle", &order]).await.refused("A person decides: `resolve`");
    let list = listed(&stack).await;
    assert_eq!((&list["unfinished"][0]["order"], &list["unfinished"][0]["needsReview"]), (&json!(order), &json!(true)));
    assert_eq!(list["reviews"][0]["record"], order);
    // The rest of the hold was released without a refund.
    let finding = &reconciled(&stack).await["findings"][0];
    let [received, refunded, difference] = ["received", "refunded", "difference"].map(|name| &finding[name]);
    assert_eq!((received, refunded, difference), (&json!(100), &json!(0), &json!(100)));
}

#[tokio::test]
async fn stripe_and_the_ledger_agree_after_a_sale_a_refund_a_refusal_and_a_bank_debit() {
    let stack = Stack::start().await;
    let intent = bought(&stack).await;
    let (_, amount) = stack.captured().await.remove(0);
    let full = stack.authorise_amount(NGUYEN, 50_000).await;
    assert_eq!(stack.check_out(NGUYEN, &full, &studio::one(POINTE, MINH)).await.code(), "class_full");
    let link = stack.link(None).await;
    let debit = stack.intent_of_link(&link).await;
    assert_eq!(stack.stripe().pay(&debit, "pm_bacsDebit_success").await.status, 200);
    assert_eq!(stack.process_link(&link, Some(&debit)).await.status, 200);
    let totals = |all: &Value| all["totals"].clone();
    let of_account = |intents: u32, received: i64, refunded: i64, in_ledger: i64| {
        json!([{
            "account": stack.account(), "currency": "gbp", "intents": intents, "received": received,
            "refunded": refunded, "inLedger": in_ledger, "difference": received - refunded - in_ledger, "notOurs": 0,
        }])
    };
    assert_eq!(
        totals(&reconciled(&stack).await),
        of_account(3, amount, 0, amount),
        "a debit on its way is nothing yet"
    );
    let settled = stack.stripe().post(&format!("/_control/payment_intents/{debit}/settle"), &json!({})).await;
    assert_eq!(settled.status, 200, "{}", settled.text);
    assert_eq!(stack.process_link(&link, Some(&debit)).await.json()["paymentLink"]["status"], "paid");
    let received = amount + COSTUMES_TOTAL;
    let all = reconciled(&stack).await;
    assert_eq!((totals(&all), &all["findings"]), (of_account(3, received, 0, received), &json!([])));

    // The studio refunds a payment, and we haven't been notified yet.
    let refund = stack.refund(&intent, Some(100)).await;
    let all = reconciled(&stack).await;
    assert_eq!(totals(&all), of_account(3, received, 100, received));
    let finding = &all["findings"][0];
    assert_eq!((&finding["intent"], &finding["difference"]), (&json!(intent), &json!(-100)));
    stack.deliver(&stack.event("charge.refunded").await).await;
    assert_eq!(totals(&reconciled(&stack).await), of_account(3, received, 100, received - 100));
    assert_eq!(shown(&stack, &intent).await["stripe"]["refunded"], 100);
    let text = orders(&stack, &["reconcile", "--date", TODAY, "--company", COMPANY]).await.ok().out;
    let last = text.lines().last().unwrap();
    assert!(last.contains("3 intents") && last.contains("difference 0 gbp"), "{text}");
    let failed = stack.stripe().post(&format!("/_control/refunds/{refund}/fail"), &json!({})).await;
    assert_eq!(failed.status, 200, "{}", failed.text);
    assert_eq!(totals(&reconciled(&stack).await), of_account(3, received, 0, received - 100));
    stack.deliver(&stack.event("refund.failed").await).await;
    assert_eq!(totals(&reconciled(&stack).await), of_account(3, received, 0, received));
    let other_day = orders(&stack, &["reconcile", "--date", "2026-09-06", "--json"]).await.ok().json();
    assert_eq!(other_day["totals"][0]["intents"], 0);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn what_was_captured_behind_our_back_is_found_to_the_unit() {
    let stack = Stack::start().await;
    bought(&stack).await;
    let intent = stack.authorise_amount(NGUYEN, 12_345).await;
    assert_eq!(reconciled(&stack).await["agrees"], true);
    stack.capture_by_hand(&intent).await;
    let all = reconciled(&stack).await;
    let [finding] = &all["findings"].as_array().unwrap()[..] else { panic!("one payment: {all}") };
    let expected = (&json!(intent), &json!(12_345), &json!(0), &json!(12_345), &json!("unclaimed"));
    let found = ["intent", "received", "inLedger", "difference", "state"].map(|name| &finding[name]);
    assert_eq!((found[0], found[1], found[2], found[3], found[4]), expected);
    assert_eq!(all["totals"][0]["difference"], 12_345);
    orders(&stack, &["reconcile", "--date", TODAY]).await.refused("1 payments differ");

    // The settlement job credits it to the family, so it is in the ledger although no order has it.
    stack.move_clock("2026-09-07T08:06:30Z").await;
    stack.run_schedule().await;
    assert_eq!(reconciled(&stack).await["agrees"], true);
    let shown = shown(&stack, &intent).await;
    assert_eq!(
        (&shown["state"], shown["entries"].as_array().unwrap().len()),
        (&json!("rejected, and credited without an order"), 1)
    );
}

#[tokio::test]
async fn a_payment_that_is_finished_while_it_is_compared_agrees() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let late = json!({"delayMs": 4000, "executed": true});
    let fault = json!({"match": {"method": "GET", "route": "/v1/payment_intents"}, "count": 1, "do": late});
    assert_eq!(stack.stripe().post("/_control/faults", &fault).await.status, 200);
    // It was held when it was listed, and is posted when the list arrives.
    let meanwhile = async {
        let struck = async { while stack.has_faults_waiting().await {} };
        tokio::time::timeout(Duration::from_secs(60), struck).await.expect("the list is asked for");
        stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await
    };
    let (all, checkout) = futures_util::future::join(reconciled(&stack), meanwhile).await;
    assert_eq!((checkout.status, &all["agrees"]), (200, &json!(true)), "{all}");
    let (_, amount) = stack.captured().await.remove(0);
    assert_eq!((&all["totals"][0]["received"], &all["totals"][0]["inLedger"]), (&json!(amount), &json!(amount)));
}

#[tokio::test]
async fn intents_of_the_studio_s_own_are_counted_apart_on_every_page_and_ours_without_a_record_are_named() {
    let stack = Stack::start().await;
    bought(&stack).await;
    for _ in 0..101 {
        dashboard(&stack, "/v1/payment_intents", "amount=700&currency=gbp").await;
    }
    let lost = dashboard(&stack, "/v1/payment_intents", "amount=700&currency=gbp&metadata[classpay]=1").await;
    let all = reconciled(&stack).await;
    assert_eq!((&all["totals"][0]["intents"], &all["totals"][0]["notOurs"]), (&json!(2), &json!(101)));
    let [finding] = &all["findings"].as_array().unwrap()[..] else { panic!("one intent: {all}") };
    assert_eq!(
        (&finding["intent"], &finding["state"], &finding["difference"]),
        (&lost["id"], &json!("no record"), &json!(0))
    );
    assert_eq!(all["agrees"], true, "nobody has paid it");

    stack.confirm(lost["id"].as_str().unwrap()).await;
    let all = reconciled(&stack).await;
    assert_eq!((&all["agrees"], &all["totals"][0]["difference"]), (&json!(false), &json!(700)));
}

#[tokio::test]
async fn an_account_that_can_t_be_read_does_not_agree() {
    let stack = Stack::start().await;
    let fault =
        json!({"match": {"method": "GET", "route": "/v1/payment_intents"}, "count": 1000, "do": {"status": 429}});
    assert_eq!(stack.stripe().post("/_control/faults", &fault).await.status, 200);
    let all = reconciled(&stack).await;
    assert_eq!((&all["agrees"], &all["unreadable"][0][0]), (&json!(false), &json!(stack.account())));
}

#[tokio::test]
async fn a_payment_of_another_deployment_on_the_account_is_not_missed_in_this_one_s_ledger() {
    let stack = Stack::start().await;
    let form = "amount=1000&currency=gbp&payment_method=pm_card_visa&confirm=true&allowed_payment_method_types[0]=card\
                &metadata[classpay]=classpay-other";
    dashboard(&stack, "/v1/payment_intents", form).await;
    let all = reconciled(&stack).await;
    assert_eq!((&all["agrees"], &all["totals"][0]["notOurs"]), (&json!(false), &json!(0)), "{all}");
    let words = ["reconcile", "--date", TODAY, "--json", "--deployment", DEPLOYMENT];
    let own = orders(&stack, &words).await.ok().json();
    assert_eq!((&own["agrees"], &own["totals"][0]["notOurs"]), (&json!(true), &json!(1)), "{own}");
}

#[tokio::test]
async fn what_pays_the_debit_of_a_refund_or_of_a_dispute_is_a_payment_of_its_own() {
    for how in ["refund", "dispute"] {
        let stack = Stack::start().await;
        let link = stack.link(None).await;
        let intent = stack.authorise_link(&link).await;
        let paid = stack.process_link(&link, Some(&intent)).await;
        assert_eq!(paid.status, 200, "{how}: {}", paid.text);
        if how == "refund" {
            stack.refund(&intent, None).await;
            stack.deliver(&stack.event("refund.created").await).await;
        } else {
            let charges = stack.stripe().charges().await;
            let charge = charges.iter().find(|charge| charge["paymentIntent"] == *intent).unwrap();
            stack.at_stripe(&format!("charges/{}/dispute", charge["charge"].as_str().unwrap()), &json!({})).await;
            stack.deliver(&stack.event("charge.dispute.funds_withdrawn").await).await;
        }
        assert_eq!(reconciled(&stack).await["findings"], json!([]), "{how}");
        let ledger = stack.ledger(OKAFOR).await;
        let kinds = [json!("refund"), json!("payment-auto-failed")];
        let went_back = ledger.iter().find(|entry| kinds.contains(&entry["details"][0]["details"]["type"])).unwrap();
        let debit = went_back["aggregateId"].as_str().unwrap().to_owned();
        let next = stack.make_link(&debit, None).await.json()["paymentLink"]["id"].as_str().unwrap().to_owned();
        let again = stack.authorise_link(&next).await;
        assert_eq!(stack.process_link(&next, Some(&again)).await.status, 200, "{how}");
        assert_eq!(reconciled(&stack).await["findings"], json!([]), "{how}, and paid again");
    }
}
