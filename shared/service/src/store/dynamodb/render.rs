//! Renders writes for DynamoDB: expressions, and the names and values that they refer to.
//!
//! Every attribute has a placeholder, so that none of our names collides with a reserved word.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};

use super::super::item::{Attributes, Value, key_attributes};
use super::super::key::Key;
use super::super::write::{Action, Edit, Guard, Name, Write};

/// An item in the SDK's form.
pub(super) type SdkItem = HashMap<String, AttributeValue>;

const COMPLETE: &str = "every required field of the action is set above";

/// A write as an action of a transaction.
pub(super) fn action(table: &str, write: Write) -> TransactWriteItem {
    let (key, action, guard) = write.into_parts();
    let mut given = Given::default();
    let condition = given.condition(&guard);
    let built = TransactWriteItem::builder();
    match action {
        Action::Put(item) => {
            let (names, values) = given.into_maps();
            let put = Put::builder()
                .table_name(table)
                .set_item(Some(sdk_item(item.into_attributes())))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values);
            built.put(put.build().expect(COMPLETE)).build()
        }
        Action::Edit(edits) if edits.is_empty() => {
            let (names, values) = given.into_maps();
            let check = ConditionCheck::builder()
                .table_name(table)
                .set_key(Some(sdk_key(&key)))
                .condition_expression(condition.unwrap_or_default())
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values);
            built.condition_check(check.build().expect(COMPLETE)).build()
        }
        Action::Edit(edits) => built.update(update(table, &key, edits, given, condition)).build(),
        Action::Delete => {
            let (names, values) = given.into_maps();
            let delete = Delete::builder()
                .table_name(table)
                .set_key(Some(sdk_key(&key)))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values);
            built.delete(delete.build().expect(COMPLETE)).build()
        }
    }
}

/// Edits of one item, without a guard.
pub(super) fn edit(table: &str, key: &Key, edits: Vec<Edit>) -> Update {
    update(table, key, edits, Given::default(), None)
}

fn update(table: &str, key: &Key, edits: Vec<Edit>, mut given: Given, condition: Option<String>) -> Update {
    let expression = given.update(edits);
    let (names, values) = given.into_maps();
    Update::builder()
        .table_name(table)
        .set_key(Some(sdk_key(key)))
        .update_expression(expression)
        .set_condition_expression(condition)
        .set_expression_attribute_names(names)
        .set_expression_attribute_values(values)
        .build()
        .expect(COMPLETE)
}

/// The names and values that the expressions of an action refer to.
#[derive(Debug, Default)]
struct Given {
    names: Vec<Name>,
    values: Vec<AttributeValue>,
}

impl Given {
    /// The placeholder of an attribute.
    fn name(&mut self, name: Name) -> String {
        let at = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        format!("#n{at}")
    }

    /// A placeholder for a value.
    fn value(&mut self, value: Value) -> String {
        self.values.push(sdk_value(value));
        format!(":v{}", self.values.len() - 1)
    }

    /// A guard as a condition; `None` for one that always holds.
    fn condition(&mut self, guard: &Guard) -> Option<String> {
        Some(match guard {
            Guard::Always => return None,
            Guard::Exists => format!("attribute_exists({})", self.name("pk")),
            Guard::Absent => format!("attribute_not_exists({})", self.name("pk")),
            Guard::Present(name) => format!("attribute_exists({})", self.name(name)),
            Guard::Missing(name) => format!("attribute_not_exists({})", self.name(name)),
            Guard::Is(name, value) => self.comparison(name, "=", value),
            Guard::IsNot(name, value) => self.comparison(name, "<>", value),
            Guard::AtLeast(name, value) => self.comparison(name, ">=", value),
            Guard::AtMost(name, value) => self.comparison(name, "<=", value),
            Guard::Above(name, value) => self.comparison(name, ">", value),
            Guard::Below(name, value) => self.comparison(name, "<", value),
            Guard::Both(one, other) => match (self.operand(one), self.operand(other)) {
                (Some(one), Some(other)) => format!("{one} AND {other}"),
                (one, other) => return one.or(other),
            },
            Guard::Either(one, other) => format!("{} OR {}", self.operand(one)?, self.operand(other)?),
        })
    }

    /// A guard as an operand of another.
    fn operand(&mut self, guard: &Guard) -> Option<String> {
        let condition = self.condition(guard)?;
        Some(if matches!(guard, Guard::Both(..) | Guard::Either(..)) { format!("({condition})") } else { condition })
    }

    fn comparison(&mut self, name: Name, operator: &str, value: &Value) -> String {
        format!("{} {operator} {}", self.name(name), self.value(value.clone()))
    }

    /// Edits as an update.
    fn update(&mut self, edits: Vec<Edit>) -> String {
        let (mut set, mut add, mut remove) = (Vec::new(), Vec::new(), Vec::new());
        for edit in edits {
            let name = self.name(edit.name());
            match edit {
                Edit::Set(_, value) => set.push(format!("{name} = {}", self.value(value))),
                Edit::SetIfMissing(_, value) => {
                    set.push(format!("{name} = if_not_exists({name}, {})", self.value(value)));
                }
                Edit::Add(_, amount) => add.push(format!("{name} {}", self.value(amount.into()))),
                Edit::Clear(_) => remove.push(name),
            }
        }
        let sections = [("SET", set), ("ADD", add), ("REMOVE", remove)];
        let sections = sections.iter().filter(|(_, edits)| !edits.is_empty());
        sections.map(|(section, edits)| format!("{section} {}", edits.join(", "))).collect::<Vec<_>>().join(" ")
    }

    fn into_maps(self) -> (Option<HashMap<String, String>>, Option<SdkItem>) {
        let names = self.names.into_iter().enumerate().map(|(at, name)| (format!("#n{at}"), name.to_owned()));
        let values = self.values.into_iter().enumerate().map(|(at, value)| (format!(":v{at}"), value));
        (
            Some(names.collect()).filter(|names: &HashMap<_, _>| !names.is_empty()),
            Some(values.collect()).filter(|values: &SdkItem| !values.is_empty()),
        )
    }
}

fn sdk_value(value: Value) -> AttributeValue {
    match value {
        Value::Text(text) => AttributeValue::S(text),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::Flag(flag) => AttributeValue::Bool(flag),
        Value::Other => unreachable!("what isn't ours is read, and never written"),
    }
}

/// An item for the SDK.
pub(super) fn sdk_item(item: Attributes) -> SdkItem {
    item.into_iter().map(|(name, value)| (name, sdk_value(value))).collect()
}

/// A key for the SDK.
pub(super) fn sdk_key(key: &Key) -> SdkItem {
    sdk_item(key_attributes(key))
}

/// An item from the SDK.
pub(super) fn attributes(item: SdkItem) -> Attributes {
    let value = |value| match value {
        AttributeValue::S(text) => Value::Text(text),
        AttributeValue::Bool(flag) => Value::Flag(flag),
        AttributeValue::N(digits) => digits.parse().map_or(Value::Other, Value::Number),
        _ => Value::Other,
    };
    item.into_iter().map(|(name, of)| (name, value(of))).collect()
}
