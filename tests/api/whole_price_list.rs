//! Every rule at once, through the shipped binaries: the quote is charged to the unit, and later instalments are
//! debited on their day.

use classpay_tests::price_list::{self, A as ADA, B as BEN, BALLET, HOPPER, LOVELACE, PLAN_M, PLAN_U, TAP};
use classpay_tests::studio::{basket, place, trial};
use classpay_tests::{Answer, Stack, assert_books_balance};
use serde_json::{Value, json};

/// The basket of the worked example: Ada in both classes at once, Ben monthly in one with a trial of the other.
fn example() -> Value {
    basket(
        &[place(BALLET, ADA, PLAN_U), place(TAP, ADA, PLAN_U), place(BALLET, BEN, PLAN_M)],
        &[trial(TAP, BEN, "2026-09-09", "16:30")],
    )
}

async fn stack() -> Stack {
    price_list::studio().start().await
}

fn list(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json().as_array().expect("an array").clone()
}

/// The types and amounts of a transaction's lines.
fn lines(transaction: &Value) -> Vec<(String, i64)> {
    let details = transaction["details"].as_array().expect("details").iter().map(|line| &line["details"]);
    let of = |line: &Value| (line["type"].as_str().expect("a type").into(), line["amount"].as_i64().expect("one"));
    details.map(of).collect()
}

/// The items that a line is about.
fn about(transaction: &Value, line: usize) -> Vec<String> {
    let entities = transaction["details"][line]["relatedEntities"].as_array().expect("a list").iter();
    entities.map(|entity| entity["entityId"].as_str().expect("an id").to_owned()).collect()
}

/// Runs the settlement job at a later time.
async fn run_at(stack: &Stack, time: &str) {
    stack.move_clock(time).await;
    let answer = stack.caller(None).post("/_local/run/settle-payments", &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn the_worked_example_is_quoted_as_the_rules_say() {
    let stack = stack().await;
    let quote = stack.family(LOVELACE).quote(LOVELACE, &example()).await.json();
    // Subtotal 12996 + 14192 + 3213 + 2 × 1000 + 600 + 3000; 2.9 % of 36001 is 1044.03.
    let payment = json!({"subtotal": 36001, "processingFee": 1044, "processingFeePercent": 2.9, "total": 37045});
    assert_eq!(quote["payment"], payment);
    // 15.00 for one, and 10.00 of the cap of 25.00 for the other: 300 and 200 of tax.
    let registration = json!([{
        "name": "Registration", "registrationFeeId": "reg_annual", "subTotal": 2500, "taxTotal": 500, "total": 3000,
        "periodStartAt": "2026-01-01", "periodEndAt": "2026-12-31",
    }]);
    assert_eq!(quote["registrationFees"], registration);
    let season = &quote["seasons"][0];
    let costume = |student: &str| {
        json!({
            "additionalFeeId": "fee_costume", "description": "Costume", "studentId": student,
            "subTotal": 1000, "taxTotal": 0, "total": 1000,
        })
    };
    assert_eq!(season["additionalFees"], json!([costume(ADA), costume(BEN)]));
    assert_eq!(season["season"]["registrationFeeDto"]["id"], "reg_annual");
    let [on_u, on_m] = season["quotes"].as_array().expect("quotes").as_slice() else { panic!("{season}") };
    // On U: 12996 + 14192, and Ben's 11900 − 1190 − 5 % of 10710 (535.5) = 10174 with 2034.8 of tax.
    assert_eq!((&on_u["pricingPlanId"], &on_u["total"]), (&json!(PLAN_U), &json!(12996 + 14192 + 10174 + 2035)));
    let ada = &on_u["items"][0];
    let discounts = json!([
        {"description": "Multiple classes of a student", "amount": -500, "taxAmount": -100, "total": -600},
        {"description": "Plan discount 5%", "amount": -570, "taxAmount": -114, "total": -684},
    ]);
    assert_eq!(ada["discounts"], discounts);
    assert_eq!((&ada["subtotal"], &ada["taxTotal"], &ada["total"]), (&json!(11900), &json!(2166), &json!(12996)));
    let months = ["2026-09-07", "2026-10-07", "2026-11-07", "2026-12-07"];
    let dates: Vec<_> = on_m["instalments"].as_array().expect("dates").iter().map(|part| &part["date"]).collect();
    assert_eq!(dates, months);
    let trial = json!({
        "classId": TAP, "studentId": BEN, "trialAt": "2026-09-09", "time": "16:30",
        "subTotal": 500, "taxTotal": 100, "total": 600,
    });
    assert_eq!(quote["trials"], json!([trial]));
}

#[tokio::test]
async fn the_worked_example_is_charged_as_quoted_and_its_instalments_follow() {
    let stack = stack().await;
    let intent = stack.authorise(LOVELACE, &example()).await;
    let posted = list(&stack.check_out(LOVELACE, &intent, &example()).await);
    assert_eq!(stack.captured().await, [(intent, 37045)]);
    let [season, registration, credit] = posted.as_slice() else { panic!("three: {posted:#?}") };
    assert_eq!((&season["stats"]["total"], &registration["stats"]["total"]), (&json!(33001), &json!(3000)));
    assert_eq!(lines(credit), [("payment-auto".into(), 37045), ("fee-company".into(), -1044)]);
    assert_eq!(credit["transaction"]["relatedTransactionId"], Value::Null, "it is for two debits");
    let of_registration =
        [1500, 300, 1000, 200].map(|amount| (if amount > 500 { "registration-fee" } else { "tax" }.to_owned(), amount));
    assert_eq!(lines(registration), of_registration);
    assert_eq!(about(registration, 0), [ADA, "sea_autumn", "reg_annual"]);
    // Tuition, tax, the scheme's discount, the plan's: each names its source.
    assert_eq!(about(season, 2).last().map(String::as_str), Some("dsc_classes"));
    assert_eq!(about(season, 3).last().map(String::as_str), Some(PLAN_U));
    assert_books_balance(&stack).await;

    run_at(&stack, "2026-10-06T22:59:00Z").await;
    assert_eq!(stack.balance(LOVELACE).await, 0, "a minute before midnight in London");
    run_at(&stack, "2026-10-06T23:01:00Z").await;
    let instalment = stack.ledger(LOVELACE).await.into_iter().find(|t| t["transaction"]["date"] == "2026-10-07");
    let instalment = instalment.expect("the second of four");
    assert_eq!(instalment["stats"]["total"], 3213);
    assert_eq!(
        (&instalment["transaction"]["type"], &instalment["transaction"]["orderId"]),
        (&json!("debit"), &Value::Null)
    );
    assert_eq!(about(&instalment, 0).first().map(String::as_str), Some(BALLET));
    run_at(&stack, "2026-10-06T23:03:00Z").await;
    assert_eq!(stack.balance(LOVELACE).await, 3213, "once");
    // The settlement job was down for two months.
    run_at(&stack, "2026-12-08T09:00:00Z").await;
    assert_eq!(stack.balance(LOVELACE).await, 3 * 3213);
    assert_eq!(stack.ledger(LOVELACE).await.len(), 6);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_family_pays_an_instalment_by_link() {
    let stack = stack().await;
    let ben = basket(&[place(BALLET, BEN, PLAN_M)], &[]);
    let intent = stack.authorise(LOVELACE, &ben).await;
    assert_eq!(stack.check_out(LOVELACE, &intent, &ben).await.status, 200);
    run_at(&stack, "2026-10-07T09:00:00Z").await;
    let ledger = stack.ledger(LOVELACE).await;
    let debit = ledger.iter().find(|t| t["transaction"]["date"] == "2026-10-07").expect("an instalment");
    let debit = debit["aggregateId"].as_str().expect("an id");
    let made = stack.make_link(debit, None).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let link = made.json()["paymentLink"]["id"].as_str().expect("an id").to_owned();
    let intent = stack.authorise_link(&link).await;
    let paid = stack.process_link(&link, Some(&intent)).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    assert_eq!((stack.due(debit).await, stack.balance(LOVELACE).await), (0, 0));
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn what_was_charged_as_a_fee_is_not_charged_again() {
    let stack = stack().await;
    let first = basket(&[place(BALLET, ADA, PLAN_U)], &[]);
    let quoted = stack.family(LOVELACE).quote(LOVELACE, &first).await.json();
    assert_eq!(quoted["registrationFees"][0]["total"], 1800);
    let intent = stack.authorise(LOVELACE, &first).await;
    assert_eq!(stack.check_out(LOVELACE, &intent, &first).await.status, 200);

    let second = basket(&[place(TAP, ADA, PLAN_U)], &[]);
    let quoted = stack.family(LOVELACE).quote(LOVELACE, &second).await.json();
    assert_eq!(quoted["registrationFees"], json!([]));
    assert_eq!(quoted["seasons"][0]["additionalFees"], json!([]));
    let brother = basket(&[place(TAP, BEN, PLAN_U)], &[]);
    let quoted = stack.family(LOVELACE).quote(LOVELACE, &brother).await.json();
    assert_eq!(quoted["registrationFees"][0]["subTotal"], 1000, "what is left of the family's 25.00");
    // Cleo was charged both before the studio was loaded; Dan was not, and 10.00 of the cap are left for him.
    let hopper = basket(&[place(TAP, "stu_c", PLAN_U)], &[]);
    let quoted = stack.family(HOPPER).quote(HOPPER, &hopper).await.json();
    assert_eq!(quoted["registrationFees"], json!([]));
    let hopper = basket(&[place(BALLET, "stu_d", PLAN_U)], &[]);
    let quoted = stack.family(HOPPER).quote(HOPPER, &hopper).await.json();
    assert_eq!(quoted["registrationFees"][0]["subTotal"], 1000);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn two_tabs_cannot_pass_a_family_s_cap() {
    let stack = stack().await;
    let (one, other) = (basket(&[place(BALLET, ADA, PLAN_U)], &[]), basket(&[place(TAP, BEN, PLAN_U)], &[]));
    // Each tab was quoted a registration of 15.00; both together would be 30.00 of 25.00.
    let (first, second) = (stack.authorise(LOVELACE, &one).await, stack.authorise(LOVELACE, &other).await);
    let (first, second) =
        tokio::join!(stack.check_out(LOVELACE, &first, &one), stack.check_out(LOVELACE, &second, &other));
    let (won, lost) = if first.status == 200 { (first, second) } else { (second, first) };
    assert_eq!((won.status, lost.status), (200, 409), "{} {}", won.text, lost.text);
    assert_eq!(lost.code(), "quote_changed");
    assert!(lost.says_released(), "{}", lost.text);
    assert_eq!(stack.captured().await.len(), 1);
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn a_quote_s_hash_covers_fees_and_siblings() {
    let stack = stack().await;
    let brother = basket(&[place(TAP, BEN, PLAN_U)], &[]);
    let before = stack.family(LOVELACE).quote(LOVELACE, &brother).await.json();
    let sister = basket(&[place(BALLET, ADA, PLAN_U)], &[]);
    let intent = stack.authorise(LOVELACE, &sister).await;
    assert_eq!(stack.check_out(LOVELACE, &intent, &sister).await.status, 200);
    let after = stack.family(LOVELACE).quote(LOVELACE, &brother).await.json();
    assert_ne!(before["quoteHash"], after["quoteHash"]);
    // This student is the second now: 10 % off, before the plan's 5 %.
    let discounts = &after["seasons"][0]["quotes"][0]["items"][0]["discounts"];
    assert_eq!(discounts[0]["description"], "Multiple students");
    assert_eq!(before["seasons"][0]["quotes"][0]["items"][0]["discounts"][0]["description"], "Plan discount 5%");
    let body = json!({"items": brother, "quoteHash": before["quoteHash"]});
    let path = format!("/v1/integrations/stripe/{LOVELACE}/payment-sessions");
    let refused = stack.family(LOVELACE).post(&path, &body).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "quote_changed"), "{}", refused.text);
}

#[tokio::test]
async fn what_can_t_be_sold_is_named_and_nothing_is_written() {
    let stack = stack().await;
    let before = stack.table().picture().await;
    let spring_plan = "pp_spring_u";
    let cases = [
        (basket(&[], &[trial(BALLET, ADA, "2026-10-26", "16:30")]), 422, "trial_not_available", "a holiday"),
        (basket(&[], &[trial(BALLET, ADA, "2026-12-21", "16:30")]), 422, "trial_not_available", "after the season"),
        (basket(&[place(BALLET, ADA, spring_plan)], &[]), 422, "plan_not_in_season", "another season's plan"),
        (basket(&[place(BALLET, "stu_c", PLAN_U)], &[]), 404, "not_found", "another family's student"),
    ];
    for (items, status, code, why) in cases {
        let quoted = stack.family(LOVELACE).quote(LOVELACE, &items).await;
        assert_eq!((quoted.status, quoted.code().as_str()), (status, code), "{why}: {}", quoted.text);
        let session = stack.family(LOVELACE).session(LOVELACE, &items).await;
        assert_eq!((session.status, session.code().as_str()), (status, code), "{why}: {}", session.text);
    }
    stack.assert_unchanged_since(&before).await;
    stack.move_clock("2026-12-14T16:30:00Z").await;
    let ended = basket(&[place(BALLET, ADA, PLAN_U), place(TAP, ADA, PLAN_U)], &[]);
    let refused = stack.family(LOVELACE).quote(LOVELACE, &ended).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "class_ended"), "{}", refused.text);
    assert_eq!(refused.json()["messages"], json!(["Ballet has no lessons left (Ada Lovelace)."]), "Tap has one");
}
