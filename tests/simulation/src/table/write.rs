//! Writes of many items, or edits of one.
//!
//! All guards are evaluated on the state before, and then everything is written or nothing. A request that DynamoDB
//! would refuse as malformed is a panic: our code must not send it.

use classpay_service::store::key::Key;
use classpay_service::store::{Action, Attributes, Edit, Guard, MAX_ACTIONS, Value, Write};

use super::evaluate;
use super::items::Items;

/// Makes all writes, if all guards hold.
///
/// # Errors
/// The first item whose guard didn't hold.
pub(super) fn transact(items: &mut Items, writes: Vec<Write>) -> Result<(), Key> {
    assert!(!writes.is_empty(), "DynamoDB refuses a transaction without actions");
    assert!(writes.len() <= MAX_ACTIONS, "DynamoDB refuses more than {MAX_ACTIONS} actions: {}", writes.len());
    writes.iter().for_each(refuse_malformed);
    refuse_rivals(&writes);
    let holds = |write: &&Write| evaluate::holds(write.guard(), item(items, write.key()));
    if let Some(failed) = writes.iter().find(|write| !holds(write)) {
        return Err(failed.key().clone());
    }
    items.begin_write();
    for write in writes {
        let (key, action, _) = write.into_parts();
        match action {
            Action::Put(item) => items.replace(key, item.into_attributes()),
            Action::Edit(edits) if edits.is_empty() => {}
            Action::Edit(edits) => apply(items, key, &edits),
            Action::Delete => items.remove(key),
        }
    }
    Ok(())
}

/// Edits one item without a guard, and returns its new state.
pub(super) fn edit(items: &mut Items, key: &Key, edits: &[Edit]) -> Attributes {
    items.begin_write();
    apply(items, key.clone(), edits);
    item(items, key).cloned().unwrap_or_default()
}

fn item<'a>(items: &'a Items, key: &Key) -> Option<&'a Attributes> {
    items.get(&key.pk, &key.sk).map(|item| &**item)
}

fn apply(items: &mut Items, key: Key, edits: &[Edit]) {
    let mut edited = item(items, &key).cloned().unwrap_or_else(|| {
        // None of our code relies on what DynamoDB does here: an item with only its key, or none.
        let only_clears = edits.iter().all(|edit| matches!(edit, Edit::Clear(_)));
        assert!(!only_clears, "edits that only clear, of an item that isn't there: {key:?}");
        [("pk".to_owned(), key.pk.as_str().into()), ("sk".to_owned(), key.sk.as_str().into())].into()
    });
    evaluate::apply(edits, &mut edited);
    items.replace(key, edited);
}

fn refuse_malformed(write: &Write) {
    let Key { pk, sk } = write.key();
    assert!(!pk.is_empty() && !sk.is_empty(), "DynamoDB refuses an empty text in a key: `{pk}`, `{sk}`");
    match write.action() {
        Action::Edit(_) if write.is_check() => {
            assert_ne!(write.guard(), &Guard::Always, "DynamoDB refuses a check without a condition: `{pk}`, `{sk}`");
        }
        Action::Put(item) => {
            let is_key = |name: &str, part: &str| item.get(name).and_then(Value::as_text) == Some(part);
            assert!(is_key("pk", pk) && is_key("sk", sk), "an item that isn't where it is put: {item:?}");
        }
        Action::Edit(_) | Action::Delete => {}
    }
}

fn refuse_rivals(writes: &[Write]) {
    let mut keys: Vec<_> = writes.iter().map(Write::key).collect();
    keys.sort_unstable();
    let rivals = keys.windows(2).find(|pair| pair[0] == pair[1]);
    assert!(rivals.is_none(), "DynamoDB refuses two actions on one item: {rivals:?}");
}
