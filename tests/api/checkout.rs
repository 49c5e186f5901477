//! A basket through the shipped binaries, from the quote to the ledger.

use classpay_tests::studio::{
    self, ADA, BALLET, BALLET_NEXT_YEAR, FULL, FULL_NEXT_YEAR, MONTHLY, OKAFOR, STREET, Studio, TAP,
};
use classpay_tests::{Answer, Stack, StackOptions, assert_books_balance};
use serde_json::{Value, json};

fn list(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let Value::Array(transactions) = answer.json() else { panic!("an array: {}", answer.text) };
    transactions
}

fn amounts(transaction: &Value) -> Vec<(String, i64)> {
    let details = transaction["details"].as_array().expect("details").iter().map(|detail| &detail["details"]);
    let of =
        |detail: &Value| (detail["type"].as_str().expect("a type").into(), detail["amount"].as_i64().expect("one"));
    details.map(of).collect()
}

#[tokio::test]
async fn what_was_quoted_is_what_is_charged_and_what_the_ledger_says() {
    let stack = Stack::start().await;
    let payment = stack.quoted_payment(OKAFOR, &studio::ballet_for_ada()).await;
    let quoted = payment["total"].as_i64().unwrap();

    let session = stack.family(OKAFOR).session(OKAFOR, &studio::ballet_for_ada()).await.json();
    assert_eq!(session["paymentIntent"]["amount"], quoted);
    let intent = session["paymentIntent"]["id"].as_str().unwrap();
    stack.confirm(intent).await;
    assert_eq!(stack.captured().await, [], "an authorisation is no charge");

    let answered = list(&stack.check_out(OKAFOR, intent, &studio::ballet_for_ada()).await);
    assert_eq!(stack.captured().await, [(intent.to_owned(), quoted)]);
    assert_eq!(stack.posted(OKAFOR).await, answered, "what is shown is what is stored");
    let [debit, credit] = answered.as_slice() else { panic!("a debit and a credit: {answered:?}") };
    assert_eq!(debit["stats"]["total"], payment["subtotal"]);
    assert_eq!(credit["stats"]["total"], payment["subtotal"]);
    let fee = payment["processingFee"].as_i64().unwrap();
    assert_eq!(amounts(credit), [("payment-auto".to_owned(), quoted), ("fee-company".to_owned(), -fee)]);
    assert_eq!(credit["transaction"]["relatedTransactionId"], debit["aggregateId"]);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn tuition_and_trials_of_two_seasons_are_a_debit_for_each_season_and_one_credit() {
    // The next school year is also paid for today.
    let both_due = Studio::demo().with(FULL_NEXT_YEAR, &json!({"firstPaymentDate": "2026-09-07"}));
    let stack = both_due.start().await;
    let basket = studio::basket(
        &[studio::place(BALLET_NEXT_YEAR, ADA, FULL_NEXT_YEAR), studio::place(TAP, ADA, FULL)],
        &[studio::trial(STREET, ADA, "2026-09-15", "17:15")],
    );
    let payment = stack.quoted_payment(OKAFOR, &basket).await;
    let intent = stack.authorise(OKAFOR, &basket).await;
    let answered = list(&stack.check_out(OKAFOR, &intent, &basket).await);

    let [this_year, next_year, credit] = answered.as_slice() else { panic!("three: {answered:?}") };
    assert_eq!(this_year["transaction"]["description"], "School year 2026/27");
    assert_eq!(next_year["transaction"]["description"], "School year 2027/28");
    let types = |of: &Value| amounts(of).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert!(types(this_year).contains(&"trial".to_owned()), "{this_year}");
    assert!(!types(next_year).contains(&"trial".to_owned()), "{next_year}");
    for debit in [this_year, next_year] {
        assert_eq!(debit["transaction"]["type"], "debit");
        assert!(types(debit).contains(&"tuition".to_owned()), "{debit}");
    }
    assert_eq!(credit["transaction"]["type"], "credit");
    assert_eq!(types(credit), ["payment-auto", "fee-company"]);
    assert_eq!(credit["transaction"]["relatedTransactionId"], Value::Null, "it is about two debits");
    let order = this_year["transaction"]["orderId"].as_str().unwrap();
    assert!(answered.iter().all(|transaction| transaction["transaction"]["orderId"] == order));
    let debited: i64 = [this_year, next_year].iter().filter_map(|debit| debit["stats"]["total"].as_i64()).sum();
    assert_eq!(debited, payment["subtotal"]);
    assert_eq!(stack.captured().await, [(intent, payment["total"].as_i64().unwrap())]);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn of_a_monthly_plan_only_the_first_instalment_is_charged_and_the_rest_is_written_down() {
    let stack = Stack::start().await;
    let basket = studio::basket(&[studio::place(BALLET, ADA, MONTHLY)], &[]);
    let quote = stack.family(OKAFOR).quote(OKAFOR, &basket).await.json();
    let quotes = quote["seasons"][0]["quotes"].as_array().unwrap();
    let on_plan = quotes.iter().find(|quote| quote["pricingPlanId"] == MONTHLY).unwrap();
    let instalments = on_plan["instalments"].as_array().unwrap();
    assert_eq!(instalments.len(), 10);

    let intent = stack.authorise(OKAFOR, &basket).await;
    let answered = list(&stack.check_out(OKAFOR, &intent, &basket).await);
    assert_eq!(answered[0]["stats"]["total"], instalments[0]["amount"]);
    assert_eq!(answered[0]["stats"]["total"], quote["payment"]["subtotal"]);

    let place = stack.place(OKAFOR, ADA, BALLET).await.unwrap();
    let pk = format!("C#{}#F#{OKAFOR}#PLANS", stack.company());
    let plans = stack.table().get(&pk, place["enrolment_id"].as_s().unwrap()).await.unwrap();
    let stored: Value = serde_json::from_str(plans["doc"].as_s().unwrap()).unwrap();
    let sum = |amounts: &Value| amounts.as_array().unwrap().iter().map(|amount| amount.as_i64().unwrap()).sum::<i64>();
    let schedule = stored["instalments"].as_array().unwrap();
    let later: Vec<_> = schedule.iter().map(|due| json!({"date": due[0], "amount": sum(&due[1])})).collect();
    assert_eq!(later, instalments[1..]);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn the_second_click_gets_the_same_bytes_and_pays_nothing() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let first = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let before = stack.table().picture().await;
    for _ in 0..3 {
        let again = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
        assert_eq!((again.status, &again.text), (200, &first.text));
    }
    assert_eq!(stack.captured().await.len(), 1);
    stack.assert_unchanged_since(&before).await;
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn the_order_of_the_items_is_no_other_basket() {
    let stack = Stack::start().await;
    let items = [studio::place(BALLET, ADA, FULL), studio::place(TAP, ADA, FULL)];
    let turned = [items[1].clone(), items[0].clone()];
    let (basket, turned) = (studio::basket(&items, &[]), studio::basket(&turned, &[]));
    let intent = stack.authorise(OKAFOR, &basket).await;
    assert_eq!(stack.open_session(OKAFOR, &turned).await, intent);
    let first = stack.check_out(OKAFOR, &intent, &basket).await;
    let again = stack.check_out(OKAFOR, &intent, &turned).await;
    assert_eq!((first.status, &again.text), (200, &first.text));
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_session_for_an_amount_pays_a_basket_that_costs_just_that() {
    let stack = Stack::start().await;
    let quoted = stack.quoted_payment(OKAFOR, &studio::ballet_for_ada()).await["total"].as_i64().unwrap();
    let intent = stack.authorise_amount(OKAFOR, quoted).await;
    assert_eq!(list(&stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await).len(), 2);
    assert_eq!(stack.captured().await, [(intent, quoted)]);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn the_same_basket_asked_for_twice_is_one_intent_until_it_is_paid() {
    let stack = Stack::start().await;
    let first = stack.open_session(OKAFOR, &studio::ballet_for_ada()).await;
    assert_eq!(stack.open_session(OKAFOR, &studio::ballet_for_ada()).await, first);
    stack.confirm(&first).await;
    assert_eq!(
        stack.open_session(OKAFOR, &studio::ballet_for_ada()).await,
        first,
        "an authorisation is not made twice"
    );
    assert_ne!(stack.open_session(OKAFOR, &studio::one(TAP, ADA)).await, first);
    assert_eq!(stack.intent_count().await, 2);
    assert_eq!(stack.check_out(OKAFOR, &first, &studio::ballet_for_ada()).await.status, 200);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn staff_check_out_for_a_family() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    let by_staff = stack.staff().checkout(OKAFOR, Some(&intent), &studio::ballet_for_ada()).await;
    let by_family = stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await;
    assert_eq!((by_staff.status, &by_family.text), (200, &by_staff.text));
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn midnight_changes_no_price_under_a_payer() {
    let just_before = Some("2026-10-06T22:58:00Z".into()); // 23:58 in London
    let stack = Stack::start_with(StackOptions { now: just_before, ..StackOptions::default() }).await;
    let basket = studio::basket(&[studio::place(BALLET, ADA, MONTHLY)], &[]);
    let quoted = stack.quoted_payment(OKAFOR, &basket).await["total"].as_i64().unwrap();
    let intent = stack.authorise(OKAFOR, &basket).await;

    // Before the session is five minutes old: after that the settlement job would book it alongside this call.
    stack.move_clock("2026-10-06T23:02:00Z").await;
    let after_midnight = stack.quoted_payment(OKAFOR, &basket).await["total"].as_i64().unwrap();
    assert_ne!(after_midnight, quoted, "one instalment fewer: another price");
    let answered = list(&stack.check_out(OKAFOR, &intent, &basket).await);
    assert_eq!(stack.captured().await, [(intent, quoted)]);
    assert_eq!(answered[0]["transaction"]["date"], "2026-10-06");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_lesson_that_begins_changes_no_price_under_a_payer() {
    let just_before = Some("2026-09-07T15:28:00Z".into()); // 16:28 in London, and the class is at 16:30.
    let stack = Stack::start_with(StackOptions { now: just_before, ..StackOptions::default() }).await;
    let basket = studio::ballet_for_ada();
    let quoted = stack.quoted_payment(OKAFOR, &basket).await["total"].as_i64().unwrap();
    let intent = stack.authorise(OKAFOR, &basket).await;
    stack.move_clock("2026-09-07T15:31:00Z").await;
    let a_lesson_later = stack.quoted_payment(OKAFOR, &basket).await["total"].as_i64().unwrap();
    assert!(a_lesson_later < quoted, "{a_lesson_later} of {quoted}");
    assert_eq!(stack.check_out(OKAFOR, &intent, &basket).await.status, 200);
    assert_eq!(stack.captured().await, [(intent, quoted)]);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_quote_of_before_midnight_holds_after_it_at_the_same_price() {
    let just_before = Some("2026-09-07T22:59:30Z".into()); // 23:59:30 in London
    let stack = Stack::start_with(StackOptions { now: just_before, ..StackOptions::default() }).await;
    let (basket, api) = (studio::ballet_for_ada(), stack.family(OKAFOR));
    let quote = api.quote(OKAFOR, &basket).await.json();
    stack.move_clock("2026-09-07T23:00:30Z").await;
    let path = format!("/v1/integrations/stripe/{OKAFOR}/payment-sessions");
    let opened = api.post(&path, &json!({"items": basket, "quoteHash": quote["quoteHash"]})).await;
    assert_eq!(opened.status, 200, "{}", opened.text);
    let intent = classpay_tests::intent_id(&opened);
    stack.confirm(&intent).await;
    let body = json!({"paymentIntentId": intent, "quoteHash": quote["quoteHash"], "items": basket});
    let paid = api.post(&format!("/v1/basket/{OKAFOR}/checkout"), &body).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    assert_eq!(stack.captured().await, [(intent, quote["payment"]["total"].as_i64().unwrap())]);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn half_an_hour_after_midnight_the_new_price_counts() {
    let just_before = Some("2026-10-06T22:58:00Z".into());
    let stack = Stack::start_with(StackOptions { now: just_before, ..StackOptions::default() }).await;
    let basket = studio::basket(&[studio::place(BALLET, ADA, MONTHLY)], &[]);
    let intent = stack.authorise(OKAFOR, &basket).await;
    stack.move_clock("2026-10-06T23:35:00Z").await;
    let refusal = stack.check_out(OKAFOR, &intent, &basket).await;
    assert_eq!((refusal.status, refusal.code().as_str()), (409, "quote_changed"), "{}", refusal.text);
    assert_eq!(refusal.json()["payment"], stack.quoted_payment(OKAFOR, &basket).await);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
    assert_books_balance(&stack).await;
}
