//! A basket as anybody may write it: a quote's query, or the `items` of a body.
//!
//! Invariant: what is read is what was written: written again, in either way, it is read as the same.

use classpay_domain::basket::BASKET_MAX_ITEMS;
use classpay_service::api::{extract, query};
use classpay_service::basket::{Plans, parse};
use classpay_service::wire::ItemsBody;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Panics if the input breaks the invariant.
pub fn check(data: &[u8]) {
    if let Some(items) = std::str::from_utf8(data).ok().and_then(|text| query::items(text).ok()) {
        check_items(&items);
    }
    if let Ok(items) = extract::from_json::<ItemsBody>(data, "items") {
        check_items(&items);
    }
}

fn check_items(items: &ItemsBody) {
    let written = serde_json::to_vec(items).expect("words can be written");
    let read: ItemsBody = extract::from_json(&written, "items").expect("what we write we read");
    assert_eq!(&read, items);
    let encoded = |list: String| utf8_percent_encode(&list, NON_ALPHANUMERIC).to_string();
    let enrolments = encoded(serde_json::to_string(&items.enrolments).expect("words"));
    let trials = encoded(serde_json::to_string(&items.trials).expect("words"));
    // A query of 64 KiB that is written with more escapes may be longer than one is read.
    if let Ok(read) = query::items(&format!("enrolments={enrolments}&trials={trials}")) {
        assert_eq!(&read, items);
    }
    let strict = parse(items, Plans::Required);
    if let Ok(basket) = parse(items, Plans::Optional) {
        let count = basket.enrolments().len() + basket.trials().len();
        assert_eq!(count, items.enrolments.len() + items.trials.len());
        assert!((1..=BASKET_MAX_ITEMS).contains(&count));
    } else {
        assert!(strict.is_err(), "what is refused with fewer rules is refused with more");
    }
}
