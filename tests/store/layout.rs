//! The layout of the stored items (except those of payment links), compared with the recorded one.
//!
//! Invariant: a change of the layout requires a change of `contract/layout.txt`, so that it is reviewed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_domain::basket::Basket;
use classpay_service::error::{Error, ErrorCode};
use classpay_service::store::{Commit, ReviewReason, ZeroDueOrder, key};
use classpay_service::stripe::KnownCustomer;
use classpay_tests::backend::Backend;
use classpay_tests::store_fixture::{NOW_S, Purchase, StoreFixture, id, known_customer};
use classpay_tests::studio::{ADA, BALLET, COMPANY, OKAFOR, STREET, TAP, TOBI};
use classpay_tests::{Item, on_both, price_list};
use serde_json::Value;

/// The items of one kind: their number, and the types of each attribute with the number of items that have it.
#[derive(Default)]
struct Kind {
    items: usize,
    attributes: BTreeMap<String, (usize, BTreeSet<&'static str>)>,
}

/// Writes one of everything that the store writes.
async fn everything<M: Backend>() -> Vec<Item> {
    let shop = StoreFixture::<M>::open().await;
    let (company, family) = (id(COMPANY), id(OKAFOR));
    let customer = known_customer("cus_1", "acct_1", 1);
    let remembered = shop.store.remember_customer((&company, &family), &customer, &KnownCustomer::default()).await;
    assert_eq!(remembered, Ok(Commit::Done));
    assert_eq!(shop.store.note_cards_only(&company, &id("acct_1"), NOW_S).await, Ok(Commit::Done));
    let nothing = Basket::new(Vec::new(), Vec::new()).hash(&company, &family);

    let bought = shop.purchase("pi_1", OKAFOR, &[(BALLET, ADA)], &[(STREET, ADA, "2026-09-15")]).await;
    let key = key::idempotency(&company, &family, "basket-checkout", "a-key");
    let bought = Purchase { idempotency: Some((key, "f".repeat(64))), ..bought };
    assert_eq!(shop.place(&bought).await, Commit::Done);
    assert_eq!(shop.store.post(&bought.record()).await, Ok(Commit::Done));

    let trial = bought.snapshot.trials[0].id.as_str();
    let enrols = shop.purchase("pi_5", OKAFOR, &[(STREET, ADA)], &[]).await;
    let enrols = enrols.ending_trial(trial, (ADA, STREET, "2026-09-15"));
    assert_eq!(shop.place(&enrols).await, Commit::Done);

    let rejected = shop.purchase("pi_2", OKAFOR, &[(TAP, ADA)], &[]).await;
    let refusal = Error::from(ErrorCode::ClassFull);
    assert_eq!(shop.store.reject(&rejected.session, nothing.as_str(), &refusal, NOW_S).await, Ok(Commit::Done));

    // Still open.
    shop.purchase("pi_4", OKAFOR, &[(TAP, ADA)], &[]).await;

    let pending = shop.purchase("pi_3", OKAFOR, &[(TAP, TOBI)], &[]).await.with_fee_for(TOBI);
    assert_eq!(shop.place(&pending).await, Commit::Done);
    shop.store
        .mark_for_review(&pending.record(), &ReviewReason::OrderUnpostable(&pending.record().id), NOW_S)
        .await
        .expect("it is noted");

    let owing = shop.zero_due(OKAFOR, &[(TAP, ADA)], &[]).await;
    assert_eq!(shop.book(&owing, 0).await, Commit::Done);
    let refused = shop.zero_due(OKAFOR, &[(STREET, TOBI)], &[]).await;
    assert_eq!(
        shop.store.refuse_zero_due(&id(COMPANY), &refused.order, &ZeroDueOrder::default(), NOW_S).await,
        Ok(Commit::Done)
    );
    // A studio with every kind of price.
    shop.import(&price_list::studio()).await;
    shop.everything().await
}

/// A key's parts, with ids, dates and digests replaced by their names.
fn normalised(part: &str) -> String {
    let is_date = part.len() == 10 && part.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let is_digest = part.len() == 64 && part.bytes().all(|b| b.is_ascii_hexdigit());
    match part.split_once('_') {
        Some((prefix, _)) if prefix.bytes().all(|b| b.is_ascii_lowercase()) => format!("{{{prefix}}}"),
        _ if is_date => "{date}".into(),
        _ if is_digest => "{sha256}".into(),
        _ if part.len() == 26 => "{ulid}".into(),
        _ => part.into(),
    }
}

fn shape(item: &Item) -> String {
    let part =
        |name: &str| item[name].as_s().expect("a key is text").split('#').map(normalised).collect::<Vec<_>>().join("#");
    // An order's attributes depend on how it ended.
    let state = item.get("order_state").or_else(|| item.get("claim_decision"));
    let state = state.map(|state| format!("  {}", state.as_s().expect("a state is text"))).unwrap_or_default();
    format!("{} / {}{state}", part("pk"), part("sk"))
}

fn types(name: &str, value: &AttributeValue, found: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        AttributeValue::S(text) => {
            let document = serde_json::from_str::<Value>(text).ok().filter(|value| value.is_object());
            if let Some(document) = &document {
                json_types(name, document, found);
            }
            if document.is_some() { "S, JSON" } else { "S" }
        }
        AttributeValue::N(_) => "N",
        AttributeValue::Bool(_) => "BOOL",
        _ => "something else",
    };
    found.insert(name.to_owned(), kind);
}

fn json_types(at: &str, value: &Value, found: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "decimal",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(elements) => {
            elements.iter().for_each(|element| json_types(&format!("{at}[]"), element, found));
            "array"
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| json_types(&format!("{at}.{name}"), field, found));
            "object"
        }
    };
    found.insert(at.to_owned(), kind);
}

fn layout(items: &[Item]) -> String {
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for item in items {
        let kind = kinds.entry(shape(item)).or_default();
        kind.items += 1;
        let mut found = BTreeMap::new();
        item.iter().filter(|(name, _)| !["pk", "sk"].contains(&name.as_str())).for_each(|(name, value)| {
            types(name, value, &mut found);
        });
        for (name, of_type) in found {
            let (count, types) = kind.attributes.entry(name).or_default();
            *count += 1;
            types.insert(of_type);
        }
    }
    let mut text = "Every kind of item: its key, then its attributes and, indented by dots, what their JSON holds.\n\
                    A question mark: not every item has it.\n"
        .to_owned();
    for (shape, kind) in kinds {
        text.push_str(&format!("\n{shape}\n"));
        for (name, (count, types)) in kind.attributes {
            let some = if count < kind.items { "?" } else { "" };
            text.push_str(&format!("  {name}{some}: {}\n", types.into_iter().collect::<Vec<_>>().join(" | ")));
        }
    }
    text
}

async fn the_layout_is_the_one_that_is_written_down<M: Backend>() {
    let found = layout(&everything::<M>().await);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("contract/layout.txt");
    if std::env::var_os("UPDATE_LAYOUT").is_some() {
        std::fs::write(&file, &found).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (before, after) = (lines(&written), lines(&found));
    let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
    let new = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    let difference: Vec<_> = gone.chain(new).collect();
    let difference = difference.join("\n");
    assert!(written == found, "not the layout of contract/layout.txt; UPDATE_LAYOUT=1 renews it:\n{difference}");
}

on_both! {
    the_layout_is_the_one_that_is_written_down
}
