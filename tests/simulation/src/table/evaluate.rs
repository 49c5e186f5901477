//! Evaluates guards and edits on an item.
//!
//! Invariant: results are DynamoDB's; `tests/simulated_table.rs` compares the two. A missing attribute, or one of
//! another type, differs from every value and is ordered against none.

use std::cmp::Ordering;

use classpay_service::store::{Attributes, Edit, Guard, Value};

/// The attributes that no edit may change.
const KEY_ATTRIBUTES: [&str; 2] = ["pk", "sk"];

/// Whether a guard holds for an item, or for a missing one.
pub(super) fn holds(guard: &Guard, item: Option<&Attributes>) -> bool {
    let attribute = |name| item.and_then(|item| item.get(name));
    let compared = |name, value| attribute(name).and_then(|attribute| compare(attribute, value));
    match guard {
        Guard::Always => true,
        Guard::Exists => item.is_some(),
        Guard::Absent => item.is_none(),
        Guard::Present(name) => attribute(*name).is_some(),
        Guard::Missing(name) => attribute(*name).is_none(),
        Guard::Is(name, value) => attribute(*name) == Some(value),
        Guard::IsNot(name, value) => attribute(*name) != Some(value),
        Guard::AtLeast(name, value) => compared(*name, value).is_some_and(Ordering::is_ge),
        Guard::AtMost(name, value) => compared(*name, value).is_some_and(Ordering::is_le),
        Guard::Above(name, value) => compared(*name, value).is_some_and(Ordering::is_gt),
        Guard::Below(name, value) => compared(*name, value).is_some_and(Ordering::is_lt),
        Guard::Both(one, other) => holds(one, item) && holds(other, item),
        Guard::Either(one, other) => holds(one, item) || holds(other, item),
    }
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        (Value::Number(left), Value::Number(right)) => Some(left.cmp(right)),
        (_, Value::Flag(_)) => panic!("DynamoDB refuses to order yes and no"),
        _ => None,
    }
}

/// Applies edits to an item.
pub(super) fn apply(edits: &[Edit], item: &mut Attributes) {
    for (at, edit) in edits.iter().enumerate() {
        let name = edit.name();
        let is_twice = edits[..at].iter().any(|earlier| earlier.name() == name);
        assert!(!is_twice, "DynamoDB refuses to change one attribute twice: {name}");
        assert!(!KEY_ATTRIBUTES.contains(&name), "DynamoDB refuses to change a key: {name}");
        match edit {
            Edit::Set(_, value) => set(item, name, value.clone()),
            Edit::SetIfMissing(_, value) if !item.contains_key(name) => set(item, name, value.clone()),
            Edit::SetIfMissing(..) => {}
            Edit::Add(_, amount) => {
                let before = item.get(name).map_or(0, |value| {
                    value.as_number().unwrap_or_else(|| panic!("DynamoDB refuses to add to what is no number: {name}"))
                });
                set(item, name, before.checked_add(*amount).expect("a sum of the store's fits").into());
            }
            Edit::Clear(_) => drop(item.remove(name)),
        }
    }
}

fn set(item: &mut Attributes, name: &str, value: Value) {
    match item.get_mut(name) {
        Some(before) => *before = value,
        None => drop(item.insert(name.to_owned(), value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Attributes {
        let of = |(name, value): (&str, Value)| (name.to_owned(), value);
        [("nine", 9.into()), ("ten", 10.into()), ("text", "nine".into()), ("yes", true.into())].map(of).into()
    }

    #[track_caller]
    fn all_hold(guards: &[Guard]) {
        for guard in guards {
            assert!(holds(guard, Some(&item())), "{guard:?}");
        }
    }

    #[track_caller]
    fn none_holds(guards: &[Guard]) {
        for guard in guards {
            assert!(!holds(guard, Some(&item())), "{guard:?}");
        }
    }

    #[test]
    fn each_comparison_is_what_it_says() {
        all_hold(&[Guard::is("nine", 9), Guard::is_not("nine", 10), Guard::below("nine", 10), Guard::above("ten", 9)]);
        all_hold(&[Guard::at_most("nine", 9), Guard::at_least("ten", 10), Guard::is("yes", true), Guard::Exists]);
        none_holds(&[
            Guard::is("nine", 10),
            Guard::is_not("nine", 9),
            Guard::below("nine", 9),
            Guard::above("ten", 10),
        ]);
        none_holds(&[Guard::at_most("ten", 9), Guard::at_least("nine", 10), Guard::is("yes", false), Guard::Absent]);
    }

    #[test]
    fn numbers_compare_as_numbers_and_other_types_not_at_all() {
        all_hold(&[Guard::below("nine", 10), Guard::is_not("text", 9), Guard::below("text", "o")]);
        none_holds(&[Guard::is("text", 9), Guard::below("nine", "nine"), Guard::at_least("nine", "10")]);
    }

    #[test]
    fn what_is_missing_differs_from_everything_and_compares_with_nothing() {
        all_hold(&[Guard::is_not("none", 9), Guard::Missing("none"), Guard::Present("nine")]);
        none_holds(&[
            Guard::is("none", 9),
            Guard::below("none", 9),
            Guard::at_least("none", 9),
            Guard::Present("none"),
        ]);
        assert!(holds(&Guard::Absent.or(Guard::is("nine", 9)), None));
        assert!(holds(&Guard::is_not("nine", 9), None));
        assert!(!holds(&Guard::Exists, None));
    }

    #[test]
    fn both_and_either_are_what_they_say() {
        let (yes, no) = (Guard::is("nine", 9), Guard::is("ten", 9));
        all_hold(&[yes.clone().or(no.clone().and(no.clone())), Guard::Always.and(yes.clone()), Guard::Always]);
        none_holds(&[yes.clone().or(no.clone()).and(no.clone()), yes.and(no)]);
    }

    fn edited(edits: &[Edit]) -> Attributes {
        let mut item = item();
        apply(edits, &mut item);
        item
    }

    #[test]
    fn each_edit_is_what_it_says() {
        let becomes = |edit: Edit, value: Option<Value>| {
            let name = edit.name();
            assert_eq!(edited(&[edit]).get(name), value.as_ref(), "{name}");
        };
        becomes(Edit::Set("text", 9.into()), Some(9.into()));
        becomes(Edit::SetIfMissing("nine", 10.into()), Some(9.into()));
        becomes(Edit::SetIfMissing("new", 10.into()), Some(10.into()));
        becomes(Edit::Add("nine", -10), Some((-1).into()));
        becomes(Edit::Add("new", 10), Some(10.into()));
        becomes(Edit::Clear("nine"), None);
        becomes(Edit::Clear("none"), None);
    }

    #[test]
    #[should_panic(expected = "add to what is no number")]
    fn an_edit_that_adds_to_a_text_is_refused() {
        drop(edited(&[Edit::Add("text", 1)]));
    }

    #[test]
    #[should_panic(expected = "change one attribute twice: ten")]
    fn edits_that_change_one_attribute_twice_are_refused() {
        drop(edited(&[Edit::Set("ten", 9.into()), Edit::Clear("ten")]));
    }

    #[test]
    #[should_panic(expected = "change a key: sk")]
    fn an_edit_of_a_key_is_refused() {
        drop(edited(&[Edit::Set("sk", "nine".into())]));
    }

    #[test]
    #[should_panic(expected = "order yes and no")]
    fn yes_and_no_have_no_order() {
        holds(&Guard::below("yes", false), Some(&item()));
    }
}
