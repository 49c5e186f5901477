//! Writes: many actions or one update.
//!
//! Invariant: all conditions are judged by the state before, then everything is written or nothing. What DynamoDB would
//! refuse as malformed is a panic: no code of ours may send it.

use std::rc::Rc;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update as UpdateAction};
use classpay_service::store::Attributes;
use classpay_service::store::MAX_ACTIONS;
use classpay_service::store::key::Key;

use super::expression::{self, Bound, Condition, Given, Parsed, Update};
use super::items::Items;

/// An action, its expressions read.
struct Action<'a> {
    pk: &'a str,
    sk: &'a str,
    given: Given<'a>,
    condition: Option<Rc<Parsed<Condition>>>,
    effect: Effect,
}

enum Effect {
    None,
    Put,
    Delete,
    Update(Rc<Parsed<Update>>),
}

/// Writes all actions, if all conditions hold.
///
/// # Errors
/// The first item whose condition didn't.
pub(super) fn transact(items: &mut Items, actions: Vec<TransactWriteItem>) -> Result<(), Key> {
    assert!(!actions.is_empty(), "DynamoDB refuses a transaction without actions");
    assert!(actions.len() <= MAX_ACTIONS, "DynamoDB refuses more than {MAX_ACTIONS} actions: {}", actions.len());
    let read: Vec<_> = actions.iter().map(Action::of).collect();
    refuse_rivals(&read);
    if let Some(lost) = read.iter().find(|action| !action.holds(items)) {
        return Err(Key { pk: lost.pk.to_owned(), sk: lost.sk.to_owned() });
    }
    items.begin_write();
    for action in &read {
        action.update(items);
    }
    // What is put is not needed any more: it moves into the table.
    for action in actions {
        if let Some(put) = action.put {
            items.replace(key_of(&put.item), put.item);
        } else if let Some(delete) = action.delete {
            items.remove(key_of(&delete.key));
        }
    }
    Ok(())
}

/// Updates one item without a condition, and answers it as it is then.
pub(super) fn update(items: &mut Items, update: &UpdateAction) -> Attributes {
    assert!(update.condition_expression.is_none(), "an update of a counter has no condition: {update:?}");
    let action = Action::of_update(update);
    items.begin_write();
    action.update(items);
    items.get(action.pk, action.sk).map(|item| Attributes::clone(item)).unwrap_or_default()
}

impl<'a> Action<'a> {
    fn of(action: &'a TransactWriteItem) -> Self {
        match (&action.put, &action.update, &action.condition_check, &action.delete) {
            (Some(put), None, None, None) => {
                let given =
                    Given::of(put.expression_attribute_names.as_ref(), put.expression_attribute_values.as_ref());
                Self::new(&put.item, given, put.condition_expression.as_deref(), Effect::Put)
            }
            (None, Some(update), None, None) => Self::of_update(update),
            (None, None, Some(check), None) => {
                let given =
                    Given::of(check.expression_attribute_names.as_ref(), check.expression_attribute_values.as_ref());
                Self::new(exactly_a_key(&check.key), given, Some(&check.condition_expression), Effect::None)
            }
            (None, None, None, Some(delete)) => {
                let given =
                    Given::of(delete.expression_attribute_names.as_ref(), delete.expression_attribute_values.as_ref());
                let condition = delete.condition_expression.as_deref();
                Self::new(exactly_a_key(&delete.key), given, condition, Effect::Delete)
            }
            _ => panic!("an action that the simulated table doesn't know: {action:?}"),
        }
    }

    fn of_update(update: &'a UpdateAction) -> Self {
        let given = Given::of(update.expression_attribute_names.as_ref(), update.expression_attribute_values.as_ref());
        let effect = Effect::Update(expression::update(&update.update_expression));
        Self::new(exactly_a_key(&update.key), given, update.condition_expression.as_deref(), effect)
    }

    fn new(key: &'a Attributes, given: Given<'a>, condition: Option<&str>, effect: Effect) -> Self {
        let condition = condition.map(expression::condition);
        let update = if let Effect::Update(update) = &effect { Some(&**update) } else { None };
        given.must_be_used(condition.as_deref(), update);
        Self { pk: key_text(key, "pk"), sk: key_text(key, "sk"), given, condition, effect }
    }

    fn holds(&self, items: &Items) -> bool {
        let Some(condition) = &self.condition else { return true };
        let item = items.get(self.pk, self.sk);
        condition.says.holds(item.map(|item| &**item), &self.given.bind(condition))
    }

    /// Writes it, if it is an update.
    fn update(&self, items: &mut Items) {
        let Effect::Update(update) = &self.effect else { return };
        let given: Bound<'_> = self.given.bind(update);
        let mut item = match items.get(self.pk, self.sk) {
            Some(item) => Attributes::clone(item),
            None => self.new_item(&update.says),
        };
        update.says.apply(&mut item, &given);
        items.replace(Key { pk: self.pk.to_owned(), sk: self.sk.to_owned() }, item);
    }

    /// What an update begins with where there is no item.
    fn new_item(&self, update: &Update) -> Attributes {
        // Nothing of ours relies on what DynamoDB does then: an item of nothing but its key, or none.
        assert!(update.writes(), "an update that only removes, of an item that isn't there: {} {}", self.pk, self.sk);
        let text = |value: &str| AttributeValue::S(value.to_owned());
        [("pk".to_owned(), text(self.pk)), ("sk".to_owned(), text(self.sk))].into()
    }
}

/// The partition that an action is about.
pub(super) fn partition_of(action: &TransactWriteItem) -> Option<&str> {
    let put = action.put.as_ref().map(|put| &put.item);
    let update = action.update.as_ref().map(|update| &update.key);
    let check = action.condition_check.as_ref().map(|check| &check.key);
    let delete = action.delete.as_ref().map(|delete| &delete.key);
    put.or(update).or(check).or(delete).map(|key| key_text(key, "pk"))
}

fn refuse_rivals(actions: &[Action<'_>]) {
    let mut keys: Vec<_> = actions.iter().map(|action| (action.pk, action.sk)).collect();
    keys.sort_unstable();
    let rivals = keys.windows(2).find(|pair| pair[0] == pair[1]);
    assert!(rivals.is_none(), "DynamoDB refuses two actions on one item: {rivals:?}");
}

fn exactly_a_key(key: &Attributes) -> &Attributes {
    assert!(key.len() == 2, "DynamoDB refuses a key of other attributes: {key:?}");
    key
}

fn key_of(item: &Attributes) -> Key {
    Key { pk: key_text(item, "pk").to_owned(), sk: key_text(item, "sk").to_owned() }
}

fn key_text<'a>(key: &'a Attributes, name: &str) -> &'a str {
    let text = key.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
    text.filter(|text| !text.is_empty()).unwrap_or_else(|| panic!("DynamoDB refuses a key without `{name}`: {key:?}"))
}
