//! A version that is rolled back reads what the next version has stored: it ignores fields that it doesn't know, in
//! every document of every item.

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_tests::price_list::{self, A, B, BALLET as CLASS_A, LOVELACE, PLAN_M, PLAN_U, TAP as CLASS_B};
use classpay_tests::studio::{
    ADA, BALLET, CAMPBELL, FINN, FULL, ISLA, MONTHLY, STREET, Studio, TAP, basket, one, place, trial,
};
use classpay_tests::{COSTUMES, COSTUMES_TOTAL, Item, OKAFOR, Stack, assert_books_balance, binaries};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::process::Command;

/// Every kind of item that holds a document, with the attribute that contains it.
const KINDS: [&str; 15] = [
    "C#CLS/META doc",
    "C#F#LEDGER/TRN doc",
    "C#F#PLANS/ doc",
    "C#F/META doc",
    "C#F/STU doc",
    "C#F/TRIAL doc",
    "C/HOL doc",
    "C/META doc",
    "C/SEASON doc",
    "C/TAX doc",
    "EVT/META doc",
    "ORD/DOC doc",
    "PI/CLAIM refusal",
    "PI/SESSION doc",
    "PL/META doc",
];

/// Adds an unknown field to every object of a document.
fn add_later(document: &mut Value) {
    match document {
        Value::Array(elements) => elements.iter_mut().for_each(add_later),
        Value::Object(fields) => {
            fields.values_mut().for_each(add_later);
            fields.insert("laterField".to_owned(), json!({"amount": 1.5, "of": ["x", null]}));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Removes it again.
fn take_away(document: &mut Value) {
    match document {
        Value::Array(elements) => elements.iter_mut().for_each(take_away),
        Value::Object(fields) => {
            fields.remove("laterField");
            fields.values_mut().for_each(take_away);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The item as another version might have written it. Records the documents that were changed, by kind of item.
fn rewritten(item: &Item, change: fn(&mut Value), documents: &mut BTreeSet<String>) -> Item {
    let kind = |name: &str| {
        let is_word = |part: &&str| part.bytes().all(|byte| byte.is_ascii_uppercase());
        let words = |name: &str| item[name].as_s().unwrap().split('#').filter(is_word).collect::<Vec<_>>().join("#");
        format!("{}/{} {name}", words("pk"), words("sk"))
    };
    let mut later = item.clone();
    for (name, value) in &mut later {
        let AttributeValue::S(text) = value else { continue };
        let Ok(mut document @ Value::Object(_)) = serde_json::from_str::<Value>(text) else { continue };
        change(&mut document);
        *text = document.to_string();
        documents.insert(kind(name));
    }
    later.insert("later_attribute".to_owned(), AttributeValue::S("x".to_owned()));
    later.insert("later_number".to_owned(), AttributeValue::N("1.5".to_owned()));
    later.insert("later_list".to_owned(), AttributeValue::L(vec![AttributeValue::Null(true)]));
    later
}

async fn rewrite(stack: &Stack, change: fn(&mut Value)) -> BTreeSet<String> {
    let (table, mut documents) = (stack.table(), BTreeSet::new());
    for item in table.everything().await {
        let put =
            table.client.put_item().table_name(&table.name).set_item(Some(rewritten(&item, change, &mut documents)));
        put.send().await.expect("the table can be written");
    }
    documents
}

#[tokio::test]
async fn everything_goes_on_with_what_a_later_version_has_stored() {
    let stack = Stack::start().await;
    // One of everything in progress: an order that waits for its capture, a rejection that waits for its release, a
    // basket's session, a link's session, a bank debit, an event, and future instalments.
    let monthly = basket(&[place(BALLET, ADA, MONTHLY)], &[]);
    let bought = stack.authorise(OKAFOR, &monthly).await;
    assert_eq!(stack.check_out(OKAFOR, &bought, &monthly).await.status, 200);
    let tried = basket(&[], &[trial(BALLET, FINN, "2026-09-14", "16:30")]);
    let pending = stack.authorise(OKAFOR, &one(STREET, ADA)).await;
    stack.order_fault(classpay_tests::Call::Capture, 1000, &json!({"drop": "before"})).await;
    assert_eq!(stack.check_out(OKAFOR, &pending, &one(STREET, ADA)).await.status, 202);
    let refused = stack.authorise_amount(CAMPBELL, 5000).await;
    stack.order_fault(classpay_tests::Call::Cancel, 1000, &json!({"status": 429})).await;
    assert_eq!(stack.check_out(CAMPBELL, &refused, &one(STREET, ISLA)).await.status, 202);
    stack.withdraw_faults().await;
    let left = stack.authorise(CAMPBELL, &one(TAP, ISLA)).await;
    let (link, debited) = (stack.link(None).await, stack.link(None).await);
    let debit = stack.intent_of_link(&debited).await;
    stack.intent_of_link(&link).await;
    assert_eq!(stack.stripe().pay(&debit, "pm_bacsDebit_success").await.status, 200);
    stack.refund(&bought, Some(100)).await;
    stack.order_fault(classpay_tests::Call::Retrieve, 1000, &json!({"status": 500})).await;
    stack.deliver(&stack.event("refund.created").await).await;
    stack.withdraw_faults().await;

    let documents = rewrite(&stack, add_later).await;
    let kinds = documents.iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(kinds, KINDS);

    // The family requests a quote, opens a payment form and buys.
    let quote = stack.family(CAMPBELL).quote(CAMPBELL, &tried).await;
    assert_eq!(quote.status, 200, "{}", quote.text);
    assert!(!quote.text.contains("laterField"), "what nobody knows isn't answered");
    let intent = stack.authorise(CAMPBELL, &tried).await;
    assert_eq!(stack.check_out(CAMPBELL, &intent, &tried).await.status, 200);
    // The payments in progress: the same calls again.
    assert_eq!(stack.check_out(OKAFOR, &pending, &one(STREET, ADA)).await.status, 200);
    let released = stack.check_out(CAMPBELL, &refused, &one(STREET, ISLA)).await;
    assert_eq!(released.json()["paymentReleased"], true, "{}", released.text);
    // Staff and payers.
    let listed = stack.staff().get(&format!("/v1/payment-links?transactionId={COSTUMES}")).await;
    assert_eq!(listed.json().as_array().map(Vec::len), Some(3), "{}", listed.text);
    assert_eq!(stack.open_link(&link).await.status, 200);
    let processed = stack.process_link(&debited, None).await;
    assert_eq!((processed.status, &processed.json()["paymentLink"]["status"]), (200, &json!("processing")));
    let said = stack.stripe().post(&format!("/_control/payment_intents/{debit}/settle"), &json!({})).await;
    assert_eq!(said.status, 200, "{}", said.text);
    let paid = stack.process_link(&debited, None).await;
    assert_eq!(paid.json()["paymentIntent"]["amount"], COSTUMES_TOTAL, "{}", paid.text);
    assert_eq!(stack.revoke_link(&link).await.status, 204);
    // The settlement job and its work: the basket whose payer has left, the event, the instalments of October.
    for now in ["2026-09-07T08:06:30Z", "2026-10-20T08:00:00Z"] {
        stack.move_clock(now).await;
        stack.run_schedule().await;
    }
    assert_eq!(stack.intent_status(&left).await, "succeeded");
    let is_instalment = |entry: &Value| entry["transaction"]["date"] == "2026-10-07";
    assert_eq!(stack.ledger(OKAFOR).await.iter().filter(|entry| is_instalment(entry)).count(), 1);
    assert_eq!(stack.went_back(OKAFOR).await.len(), 1, "the refund is posted");
    // An order's contents are compared with its postings, field by field.
    rewrite(&stack, take_away).await;
    assert_books_balance(&stack).await;
    // The office loads its file again.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Studio::demo().text()).unwrap();
    let mut import = Command::new(binaries().join("classpay-local"));
    import.arg("import").arg(file.path()).args([
        "--table",
        &stack.table().name,
        "--dynamodb-url",
        stack.dynamodb_url(),
    ]);
    let imported = import.output().await.unwrap();
    assert!(imported.status.success(), "{imported:?}");
    assert!(!stack.logged().contains("corrupt"), "{}", stack.logged());
}

#[tokio::test]
async fn a_word_that_this_version_does_not_know_is_an_error_that_says_so() {
    let stack = Stack::start().await;
    let table = stack.table();
    let pk = format!("C#{}", stack.company());
    let mut company = table.get(&pk, "META").await.unwrap();
    let doc = company["doc"]
        .as_s()
        .unwrap()
        .replace("\"exclusive\"", "\"reverse-charge\"")
        .replace("\"inclusive\"", "\"reverse-charge\"");
    company.insert("doc".to_owned(), AttributeValue::S(doc));
    table.client.put_item().table_name(&table.name).set_item(Some(company)).send().await.unwrap();
    let quote = stack.family(OKAFOR).quote(OKAFOR, &basket(&[place(STREET, ADA, FULL)], &[])).await;
    assert_eq!(
        (quote.status, quote.code().as_str()),
        (500, "internal"),
        "a price is never made from what isn't understood"
    );
    assert!(stack.logged().contains("a stored item is corrupt"), "the log says what");
}

#[tokio::test]
async fn a_refusal_that_only_a_later_version_knows_is_a_payment_that_is_void() {
    let stack = Stack::start().await;
    let intent = stack.authorise_amount(OKAFOR, 7_000).await;
    stack.order_fault(classpay_tests::Call::Cancel, 1000, &json!({"status": 429})).await;
    let items = basket(&[place(STREET, ADA, FULL)], &[]);
    assert_eq!(stack.check_out(OKAFOR, &intent, &items).await.status, 202);
    stack.withdraw_faults().await;
    let pk = format!("PI#{}#{intent}", stack.account());
    let mut claim = stack.table().get(&pk, "CLAIM").await.unwrap();
    let refusal = claim["refusal"].as_s().unwrap().replace("\"quote_changed\"", "\"price_frozen\"");
    assert!(refusal.contains("price_frozen"), "{refusal}");
    claim.insert("refusal".to_owned(), AttributeValue::S(refusal));
    stack.table().put(claim).await;

    let mut list = Command::new(binaries().join("classpay-local"));
    list.args(["orders", "list", "--dynamodb-url", stack.dynamodb_url(), "--table", &stack.table().name]);
    let listed = list.output().await.unwrap();
    assert!(listed.status.success() && String::from_utf8_lossy(&listed.stdout).contains("1 unfinished"), "{listed:?}");
    let answer = stack.check_out(OKAFOR, &intent, &items).await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "payment_cancelled"));
    assert_eq!(answer.json()["paymentReleased"], true, "{}", answer.text);
    assert_eq!(stack.intent_status(&intent).await, "canceled");
}

#[tokio::test]
async fn a_studio_with_every_kind_of_price_is_quoted_with_what_a_later_version_has_stored() {
    let stack = price_list::studio().start().await;
    let places = [place(CLASS_A, A, PLAN_U), place(CLASS_B, A, PLAN_U), place(CLASS_A, B, PLAN_M)];
    let items = basket(&places, &[trial(CLASS_B, B, "2026-09-09", "16:30")]);
    let before = stack.family(LOVELACE).quote(LOVELACE, &items).await;
    let documents = rewrite(&stack, add_later).await;
    for kind in ["C/DISC doc", "C/REGFEE doc", "C/TAX doc", "C/SEASON doc", "C#CLS/META doc"] {
        assert!(documents.contains(kind), "{kind}: {documents:#?}");
    }
    let after = stack.family(LOVELACE).quote(LOVELACE, &items).await;
    assert_eq!((after.status, after.text), (200, before.text));
}
