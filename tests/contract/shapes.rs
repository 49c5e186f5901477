//! The shapes of the answers: every key of the contract's examples, its type, and the relations between amounts.
//!
//! The examples are authoritative, and the answers come from the shipped binaries.

use classpay_tests::studio::{ADA, ADULT, BALLET, FULL, MONTHLY, OKAFOR, STREET, TAP, TOBI, basket, place, trial};
use classpay_tests::{Answer, Stack};
use serde_json::{Value, json};

const CHECKOUT: &str = include_str!("checkout-200.json");
const QUOTE: &str = include_str!("quote-200.json");
const PAYMENT_SESSION: &str = include_str!("payment-session-200.json");

/// The fields that the published page marks `| null`.
const CHECKOUT_NULLS: &[&str] = &[
    "[].transaction.relatedTransactionId",
    "[].transaction.orderId",
    "[].transaction.deletedAt",
    "[].details[].details.deletedAt",
];
/// The fields that the contract marks `|null` in a quote.
const QUOTE_NULLS: &[&str] = &[
    "seasons[].season.registrationFeeDto",
    "seasons[].season.registrationFeeTaxRateId",
    "seasons[].season.maxRegistrationFee",
    "seasons[].season.updatedAt",
    "seasons[].season.archivedAt",
    "seasons[].season.pricingPlans[].paymentDay",
    "seasons[].enabledPricingPlans[].paymentDay",
    "seasons[].quotes[].items[].taxTotal",
    "seasons[].quotes[].items[].taxDescription",
    "payment",
    "quoteHash",
];
const SESSION_NULLS: &[&str] = &["paymentIntent.paymentMethod", "paymentIntent.charge"];

/// Percentages: the only numbers that may have a decimal point.
const PERCENTAGES: [&str; 2] = ["processingFeePercent", "discount"];

/// The prefixes of our ids, by the key of the field.
const MINTED: [(&str, &str); 4] =
    [("aggregateId", "trn"), ("orderId", "ord"), ("transactionId", "trn"), ("transactionDetailId", "trnd")];

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether two texts have the same format: a date, a time, an instant, or any text.
fn format_of(text: &str) -> String {
    let digits: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let formats = ["0000-00-00", "00:00", "0000-00-00 00:00:00"];
    if formats.contains(&digits.as_str()) { digits } else { "text".into() }
}

/// Every key of the example is present with its type, and there is no other key.
fn assert_shaped(answer: &Value, example: &Value, at: &str, nulls: &[&str]) {
    if answer.is_null() && nulls.contains(&at) {
        return;
    }
    assert_eq!(kind(answer), kind(example), "{at}: {answer}");
    match (answer, example) {
        (Value::Object(answer), Value::Object(example)) => {
            let keys = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(answer), keys(example), "{at}");
            for (key, example) in example {
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                assert_shaped(&answer[key], example, &at, nulls);
            }
        }
        (Value::Array(answer), Value::Array(example)) => match example.first() {
            Some(example) => {
                answer.iter().for_each(|element| assert_shaped(element, example, &format!("{at}[]"), nulls))
            }
            None => assert!(answer.is_empty(), "{at}"),
        },
        (Value::String(answer), Value::String(example)) => assert_eq!(format_of(answer), format_of(example), "{at}"),
        _ => {}
    }
}

/// Checks every number, sum and id in an answer.
fn assert_sound(value: &Value, key: &str) {
    match value {
        Value::Number(number) => {
            let whole = number.is_i64() || number.is_u64();
            assert!(whole || PERCENTAGES.contains(&key), "{key} is {number}");
        }
        Value::String(text) => {
            if let Some((_, prefix)) = MINTED.iter().find(|(minted, _)| *minted == key) {
                assert_minted(text, prefix);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| assert_sound(element, key)),
        Value::Object(fields) => {
            assert_adds_up(fields);
            fields.iter().for_each(|(key, field)| assert_sound(field, key));
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn assert_adds_up(fields: &serde_json::Map<String, Value>) {
    let amount = |names: &[&str]| {
        let found = names.iter().find_map(|name| fields.get(*name));
        found.map(|amount| amount.as_i64().unwrap_or_default())
    };
    let Some(total) = amount(&["total"]) else { return };
    let parts = ["discountTotal", "taxTotal", "processingFee", "taxAmount"];
    let rest: i64 = parts.iter().filter_map(|name| amount(&[name])).sum();
    assert_eq!(total, amount(&["subtotal", "subTotal", "amount"]).expect("a part") + rest, "{fields:?}");
    assert!(amount(&["discountTotal"]).is_none_or(|discounts| discounts <= 0), "{fields:?}");
}

/// A prefix and 26 characters of Crockford's base32.
fn assert_minted(id: &str, prefix: &str) {
    let (found, ulid) = id.split_once('_').unwrap_or_default();
    let crockford = |c: char| "0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(c);
    assert!(found == prefix && ulid.len() == 26 && ulid.chars().all(crockford), "{id} is no {prefix}_");
}

fn assert_answer(answer: &Answer, example: &str, nulls: &[&str]) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["content-type"], "application/json");
    let body = answer.json();
    assert_shaped(&body, &serde_json::from_str(example).expect("an example is JSON"), "", nulls);
    assert_sound(&body, "");
    body
}

/// Taxed and untaxed, with and without a discount, due now and later, and a trial.
fn of_all_kinds() -> Value {
    basket(
        &[
            place(BALLET, ADA, FULL),
            place(TAP, ADA, MONTHLY),
            place(ADULT, TOBI, FULL),
            place("cls_01J9ZDEMW5TVDJ0RBABYBA11ET", TOBI, FULL),
        ],
        &[trial(STREET, ADA, "2026-09-15", "17:15")],
    )
}

#[tokio::test]
async fn a_checkout_answers_every_key_of_the_published_example() {
    let stack = Stack::start().await;
    let staff = stack.staff();
    let session = staff.session(OKAFOR, &of_all_kinds()).await;
    let intent = classpay_tests::intent_id(&session);
    stack.confirm(&intent).await;
    let body = assert_answer(&staff.checkout(OKAFOR, Some(&intent), &of_all_kinds()).await, CHECKOUT, CHECKOUT_NULLS);
    let transactions = body.as_array().unwrap();
    let kinds: Vec<_> = transactions.iter().map(|t| t["transaction"]["type"].as_str().unwrap()).collect();
    assert!(kinds.split_last().is_some_and(|(last, debits)| *last == "credit" && debits.iter().all(|k| *k == "debit")));
    for transaction in transactions {
        let head = &transaction["transaction"];
        assert_eq!((&head["id"], &head["deletedAt"]), (&transaction["aggregateId"], &Value::Null));
        let mut sum = 0;
        for detail in transaction["details"].as_array().unwrap() {
            let line = &detail["details"];
            assert_minted(line["id"].as_str().unwrap(), "trnd");
            assert_eq!(line["transactionId"], head["id"]);
            sum += line["amount"].as_i64().unwrap();
            for entity in detail["relatedEntities"].as_array().unwrap() {
                assert_minted(entity["id"].as_str().unwrap(), "trne");
                assert_eq!(entity["transactionDetailId"], line["id"]);
            }
        }
        assert_eq!(transaction["stats"]["total"], sum, "the total is the sum of the lines");
    }
    let booked = stack.table().partition(&format!("C#{}#F#{OKAFOR}", stack.company()), "").await;
    for (attribute, prefix, count) in [("enrolment_id", "enr", 4), ("trial_id", "trl", 1)] {
        let ids: Vec<_> = booked.iter().filter_map(|item| item.get(attribute)).collect();
        assert_eq!(ids.len(), count);
        ids.iter().for_each(|id| assert_minted(id.as_s().unwrap(), prefix));
    }
}

#[tokio::test]
async fn a_quote_answers_the_contract_s_keys() {
    let stack = Stack::start().await;
    let body = assert_answer(&stack.staff().quote(OKAFOR, &of_all_kinds()).await, QUOTE, QUOTE_NULLS);
    let hash = body["quoteHash"].as_str().unwrap();
    assert!(hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{hash}");
    let season = &body["seasons"][0];
    assert_eq!(season["season"]["pricingPlans"].as_array().unwrap().len(), 3);
    assert_eq!(season["enabledPricingPlans"].as_array().unwrap().len(), 2);
    assert_eq!(season["quotes"].as_array().unwrap().len(), 2, "one quote for each enabled plan");
    let untaxed = season["quotes"][0]["items"].as_array().unwrap().iter().find(|item| item["taxTotal"].is_null());
    assert!(untaxed.is_some_and(|item| item["taxDescription"].is_null()));
    assert!(stack.staff().quote(OKAFOR, &of_all_kinds()).await.text.contains(r#""processingFeePercent":2.9,"#));
}

#[tokio::test]
async fn a_quote_without_a_plan_says_no_payment() {
    let stack = Stack::start().await;
    let open = json!({"enrolments": [{"classId": BALLET, "studentId": ADA}], "trials": []});
    let body = assert_answer(&stack.family(OKAFOR).quote(OKAFOR, &open).await, QUOTE, QUOTE_NULLS);
    assert_eq!((&body["payment"], &body["quoteHash"]), (&Value::Null, &Value::Null));
    for quote in body["seasons"][0]["quotes"].as_array().unwrap() {
        let instalments = quote["instalments"].as_array().unwrap();
        let sum: i64 = instalments.iter().map(|i| i["amount"].as_i64().unwrap()).sum();
        assert_eq!(quote["total"], sum, "the instalments are the total");
    }
}

#[tokio::test]
async fn a_payment_session_answers_the_contract_s_keys_before_and_after_it_is_authorised() {
    let stack = Stack::start().await;
    let open = stack.staff().session(OKAFOR, &of_all_kinds()).await;
    let body = assert_answer(&open, PAYMENT_SESSION, SESSION_NULLS);
    assert_eq!(body["paymentIntent"]["status"], "requires_payment_method");
    assert_eq!(body["customerSession"]["customerId"], body["ephemeralKey"]["associatedObjectId"]);
    stack.confirm(&classpay_tests::intent_id(&open)).await;
    let body = assert_answer(&stack.staff().session(OKAFOR, &of_all_kinds()).await, PAYMENT_SESSION, &[]);
    assert_eq!(body["paymentIntent"]["status"], "requires_capture");
}

#[tokio::test]
async fn what_is_due_later_only_is_answered_with_nothing() {
    let stack = Stack::start().await;
    let free = basket(&[place("cls_01J9ZDEMW5TVDJ0R0PENSTVD10", ADA, FULL)], &[]);
    let answer = stack.family(OKAFOR).checkout(OKAFOR, None, &free).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(answer.headers["cache-control"], "no-store");
}
