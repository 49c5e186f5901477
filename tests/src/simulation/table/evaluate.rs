//! What conditions and updates mean for an item.
//!
//! Invariant: as DynamoDB has it. A missing attribute, or one of another type, differs from every value (`<>` holds)
//! and compares with none; what an update reads, it reads from the item as it was before.

use std::cmp::Ordering;

use aws_sdk_dynamodb::types::AttributeValue;
use classpay_service::store::Attributes;

use super::expression::{Bound, Comparison, Condition, Operand, Sum, Term, Update};

/// What no update may touch.
const KEY_ATTRIBUTES: [&str; 2] = ["pk", "sk"];

impl Condition {
    /// Whether it holds for an item, or for none.
    pub(super) fn holds(&self, item: Option<&Attributes>, given: &Bound<'_>) -> bool {
        let attribute = |name| item.and_then(|item| item.get(given.name(name)));
        let operand = |operand| match operand {
            Operand::Attribute(name) => attribute(name),
            Operand::Given(value) => Some(given.value(value)),
        };
        match self {
            Self::And(one, other) => one.holds(item, given) && other.holds(item, given),
            Self::Or(one, other) => one.holds(item, given) || other.holds(item, given),
            Self::Not(other) => !other.holds(item, given),
            Self::Exists(name) => attribute(*name).is_some(),
            Self::NotExists(name) => attribute(*name).is_none(),
            Self::Compare(left, how, right) => match (operand(*left), operand(*right)) {
                (Some(left), Some(right)) => how.holds(left, right),
                _ => *how == Comparison::NotEqual,
            },
        }
    }
}

impl Comparison {
    fn holds(self, left: &AttributeValue, right: &AttributeValue) -> bool {
        match (left, right) {
            (AttributeValue::S(left), AttributeValue::S(right)) => self.allows(left.as_bytes().cmp(right.as_bytes())),
            (AttributeValue::N(left), AttributeValue::N(right)) => self.allows(integer(left).cmp(&integer(right))),
            (AttributeValue::Bool(left), AttributeValue::Bool(right)) => {
                let is_order = !matches!(self, Self::Equal | Self::NotEqual);
                assert!(!is_order, "DynamoDB refuses to order yes and no");
                self.allows(left.cmp(right))
            }
            (
                AttributeValue::S(_) | AttributeValue::N(_) | AttributeValue::Bool(_),
                AttributeValue::S(_) | AttributeValue::N(_) | AttributeValue::Bool(_),
            ) => self == Self::NotEqual,
            _ => panic!("values of a type that the simulated table doesn't know: {left:?}, {right:?}"),
        }
    }

    fn allows(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

impl Update {
    /// Changes an item.
    pub(super) fn apply(&self, item: &mut Attributes, given: &Bound<'_>) {
        let sums = self.set.iter().map(|(name, sum)| (given.name(*name), sum.of(item, given)));
        let added = self.add.iter().map(|(name, value)| {
            let (name, more) = (given.name(*name), number(given.value(*value)));
            (name, text_of(item.get(name).map_or(0, number).checked_add(more)))
        });
        let written: Vec<_> = sums.chain(added).collect();
        self.refuse_overlaps(given);
        for (name, value) in written {
            match item.get_mut(name) {
                Some(before) => *before = value,
                None => drop(item.insert(name.to_owned(), value)),
            }
        }
        for name in &self.remove {
            item.remove(given.name(*name));
        }
    }

    /// Whether it writes anything; if not, it only removes.
    pub(super) fn writes(&self) -> bool {
        !(self.set.is_empty() && self.add.is_empty())
    }

    fn refuse_overlaps(&self, given: &Bound<'_>) {
        let targets = self.set.iter().map(|(name, _)| *name);
        let targets = targets.chain(self.add.iter().map(|(name, _)| *name)).chain(self.remove.iter().copied());
        let targets: Vec<_> = targets.map(|name| given.name(name)).collect();
        for (at, target) in targets.iter().enumerate() {
            assert!(!targets[..at].contains(target), "DynamoDB refuses to change one attribute twice: {target}");
            assert!(!KEY_ATTRIBUTES.contains(target), "DynamoDB refuses to change a key: {target}");
        }
    }
}

impl Sum {
    fn of(&self, item: &Attributes, given: &Bound<'_>) -> AttributeValue {
        match self {
            Self::One(term) => term.of(item, given).clone(),
            Self::Plus(left, right) => text_of(number(left.of(item, given)).checked_add(number(right.of(item, given)))),
            Self::Minus(left, right) => {
                text_of(number(left.of(item, given)).checked_sub(number(right.of(item, given))))
            }
        }
    }
}

impl Term {
    fn of<'a>(&self, item: &'a Attributes, given: &Bound<'a>) -> &'a AttributeValue {
        let existing = |operand| match operand {
            Operand::Given(value) => given.value(value),
            Operand::Attribute(name) => {
                let name = given.name(name);
                item.get(name).unwrap_or_else(|| {
                    panic!("DynamoDB refuses an update from an attribute that isn't there: {name}, {item:?}")
                })
            }
        };
        match self {
            Self::Operand(operand) => existing(*operand),
            Self::Or(name, other) => item.get(given.name(*name)).unwrap_or_else(|| existing(*other)),
        }
    }
}

fn number(value: &AttributeValue) -> i64 {
    let AttributeValue::N(digits) = value else { panic!("DynamoDB refuses to add what is no number: {value:?}") };
    integer(digits)
}

/// All numbers of the store are integers: DynamoDB would take more.
fn integer(digits: &str) -> i64 {
    digits.parse().unwrap_or_else(|_| panic!("a number that the simulated table doesn't know: {digits}"))
}

fn text_of(number: Option<i64>) -> AttributeValue {
    AttributeValue::N(number.expect("a sum of the store's fits").to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::expression::{self, Given};
    use super::*;

    fn n(number: i64) -> AttributeValue {
        AttributeValue::N(number.to_string())
    }

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn item() -> Attributes {
        let of = |(name, value): (&str, AttributeValue)| (name.to_owned(), value);
        [("nine", n(9)), ("ten", n(10)), ("text", s("nine")), ("yes", AttributeValue::Bool(true))].map(of).into()
    }

    fn values() -> HashMap<String, AttributeValue> {
        let of = |(name, value): (&str, AttributeValue)| (name.to_owned(), value);
        [(":9", n(9)), (":10", n(10)), (":nine", s("nine")), (":no", AttributeValue::Bool(false))].map(of).into()
    }

    fn holds(text: &str, item: Option<&Attributes>) -> bool {
        let (condition, values, names) = (expression::condition(text), values(), [name("#ten", "ten")].into());
        condition.says.holds(item, &Given::of(Some(&names), Some(&values)).bind(&condition))
    }

    fn name(placeholder: &str, of: &str) -> (String, String) {
        (placeholder.to_owned(), of.to_owned())
    }

    fn all_hold(conditions: &[&str]) {
        for condition in conditions {
            assert!(holds(condition, Some(&item())), "{condition}");
        }
    }

    fn none_holds(conditions: &[&str]) {
        for condition in conditions {
            assert!(!holds(condition, Some(&item())), "{condition}");
        }
    }

    #[test]
    fn each_comparison_is_what_it_says() {
        all_hold(&["nine = :9", "nine <> :10", "nine < :10", "nine <= :9", "ten > :9", "ten >= :10", "nine < ten"]);
        none_holds(&["nine = :10", "nine <> :9", "nine < :9", "ten <= :9", "nine > :9", "nine >= :10", "ten < nine"]);
        all_hold(&["text = :nine", "text >= :nine", "yes <> :no", "#ten = :10", ":9 < #ten"]);
        none_holds(&["text <> :nine", "text < :nine", "yes = :no", "#ten = :9"]);
    }

    #[test]
    fn numbers_compare_as_numbers_and_other_types_not_at_all() {
        all_hold(&["nine < ten", "nine <> text", "nine <> :nine", "yes <> :9"]);
        none_holds(&["nine = text", "nine < :nine", "nine >= :nine", "text > :9"]);
    }

    #[test]
    fn what_is_missing_differs_from_everything_and_compares_with_nothing() {
        all_hold(&["none <> :9", "none <> other", "NOT none = :9", "attribute_not_exists(none)"]);
        none_holds(&[
            "none = :9",
            "none < :9",
            "none >= :9",
            "none = other",
            "NOT none <> :9",
            "attribute_exists(none)",
        ]);
        assert!(holds("attribute_not_exists(pk) OR nine = :9", None));
        assert!(!holds("attribute_exists(pk)", None));
        assert!(holds("nine <> :9", None));
    }

    #[test]
    fn and_binds_before_or_and_not_before_both() {
        all_hold(&["nine = :9 OR ten = :9 AND ten = :9", "ten = :9 AND ten = :9 OR nine = :9"]);
        none_holds(&["(nine = :9 OR ten = :9) AND ten = :9", "ten = :9 AND (ten = :9 OR nine = :9)"]);
        all_hold(&["NOT ten = :9 AND nine = :9", "NOT ten = :9 OR nine = :10", "NOT (ten = :9 AND nine = :9)"]);
        none_holds(&["NOT nine = :9 AND ten = :9", "NOT (nine = :9 OR ten = :9)", "NOT NOT ten = :9"]);
        all_hold(&["(attribute_exists(nine) AND attribute_exists(ten))", "nine=:9 AND(ten=:10)"]);
    }

    fn updated(text: &str) -> Attributes {
        let (update, values, names) = (expression::update(text), values(), [name("#ten", "ten")].into());
        let mut item = item();
        update.says.apply(&mut item, &Given::of(Some(&names), Some(&values)).bind(&update));
        item
    }

    #[track_caller]
    fn becomes(text: &str, name: &str, value: Option<AttributeValue>) {
        assert_eq!(updated(text).get(name), value.as_ref(), "{text}");
    }

    #[test]
    fn each_update_is_what_it_says() {
        becomes("SET text = :9", "text", Some(n(9)));
        becomes("SET new = ten", "new", Some(n(10)));
        becomes("SET nine = nine + :10", "nine", Some(n(19)));
        becomes("SET nine = nine - #ten", "nine", Some(n(-1)));
        becomes("SET #ten = :9 + :9", "ten", Some(n(18)));
        becomes("SET nine = if_not_exists(nine, :10)", "nine", Some(n(9)));
        becomes("SET new = if_not_exists(new, :10)", "new", Some(n(10)));
        becomes("SET new = if_not_exists(new, :10) + :9", "new", Some(n(19)));
        becomes("SET new = :9 - if_not_exists(ten, :9)", "new", Some(n(-1)));
        becomes("ADD nine :10", "nine", Some(n(19)));
        becomes("ADD new :10", "new", Some(n(10)));
        becomes("REMOVE nine, none", "nine", None);
    }

    #[test]
    fn sections_come_in_any_order_and_read_what_was_there_before() {
        let item = updated("REMOVE text ADD sum :9 SET nine = ten, ten = nine, yes = text");
        assert_eq!((&item["nine"], &item["ten"], &item["sum"]), (&n(10), &n(9), &n(9)));
        assert_eq!((&item["yes"], item.get("text")), (&s("nine"), None));
    }

    #[test]
    #[should_panic(expected = "an attribute that isn't there: none")]
    fn an_update_from_what_is_missing_is_refused() {
        drop(updated("SET nine = none + :9"));
    }

    #[test]
    #[should_panic(expected = "add what is no number")]
    fn an_update_that_adds_a_text_is_refused() {
        drop(updated("SET nine = nine + :nine"));
    }

    #[test]
    #[should_panic(expected = "change one attribute twice: ten")]
    fn an_update_that_changes_one_attribute_twice_is_refused() {
        drop(updated("SET #ten = :9 REMOVE ten"));
    }

    #[test]
    #[should_panic(expected = "change a key: sk")]
    fn an_update_of_a_key_is_refused() {
        drop(updated("SET sk = :nine"));
    }

    #[test]
    #[should_panic(expected = "order yes and no")]
    fn yes_and_no_have_no_order() {
        holds("yes < :no", Some(&item()));
    }

    #[test]
    #[should_panic(expected = "uses what isn't given: :other")]
    fn a_value_that_is_not_given_is_refused() {
        holds("attribute_not_exists(pk) OR nine = :other", None);
    }
}
