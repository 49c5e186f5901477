//! The language of conditions and updates, as far as the store speaks it.
//!
//! Invariant: an expression is read as DynamoDB reads it, or not at all: what isn't known here is a panic with its text,
//! so that a new expression of the store can't be misread in silence.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use aws_sdk_dynamodb::types::AttributeValue;

use super::parse;

/// An attribute: its place in [`Parsed::names`].
pub(super) type Name = usize;
/// A value: its place in [`Parsed::values`].
pub(super) type Value = usize;

/// What must hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// One of them at least.
    Or(Box<Condition>, Box<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// The item has it.
    Exists(Name),
    /// The item doesn't have it, or there is no item.
    NotExists(Name),
    /// One to the other.
    Compare(Operand, Comparison, Operand),
}

/// What is compared.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Operand {
    /// An attribute of the item.
    Attribute(Name),
    /// A value that was given.
    Given(Value),
}

/// How.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// What to write.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Update {
    /// `SET`
    pub(super) set: Vec<(Name, Sum)>,
    /// `ADD`
    pub(super) add: Vec<(Name, Value)>,
    /// `REMOVE`
    pub(super) remove: Vec<Name>,
}

/// The right side of an assignment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// As it is.
    One(Term),
    /// `+`
    Plus(Term, Term),
    /// `-`
    Minus(Term, Term),
}

/// A part of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// An attribute or a value.
    Operand(Operand),
    /// `if_not_exists`: the attribute, or else that.
    Or(Name, Operand),
}

/// An expression, once it is read.
#[derive(Debug)]
pub(super) struct Parsed<E> {
    /// What it says.
    pub(super) says: E,
    /// The attributes that it speaks of, each once: by name, or by a placeholder that begins with `#`.
    pub(super) names: Vec<String>,
    /// The values that it speaks of, each once, with their colons.
    pub(super) values: Vec<String>,
}

/// Expressions are read once: a simulation evaluates the same few of them all the time.
type Cache<E> = RefCell<HashMap<String, Rc<Parsed<E>>>>;

thread_local! {
    static CONDITIONS: Cache<Condition> = RefCell::default();
    static UPDATES: Cache<Update> = RefCell::default();
}

/// Reads a condition.
pub(super) fn condition(text: &str) -> Rc<Parsed<Condition>> {
    CONDITIONS.with_borrow_mut(|known| read(known, text, parse::condition))
}

/// Reads an update.
pub(super) fn update(text: &str) -> Rc<Parsed<Update>> {
    UPDATES.with_borrow_mut(|known| read(known, text, parse::update))
}

fn read<E>(known: &mut HashMap<String, Rc<Parsed<E>>>, text: &str, parse: fn(&str) -> Parsed<E>) -> Rc<Parsed<E>> {
    if let Some(parsed) = known.get(text) {
        return Rc::clone(parsed);
    }
    let parsed = Rc::new(parse(text));
    known.insert(text.to_owned(), Rc::clone(&parsed));
    parsed
}

/// What a call gives for the placeholders of its expressions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    names: Option<&'a HashMap<String, String>>,
    values: Option<&'a HashMap<String, AttributeValue>>,
}

/// An expression's attributes and values, in its own order.
#[derive(Debug)]
pub(super) struct Bound<'a> {
    names: Vec<&'a str>,
    values: Vec<&'a AttributeValue>,
}

impl<'a> Given<'a> {
    /// These, as the SDK holds them.
    pub(super) fn of(
        names: Option<&'a HashMap<String, String>>,
        values: Option<&'a HashMap<String, AttributeValue>>,
    ) -> Self {
        assert!(names.is_none_or(|names| !names.is_empty()), "DynamoDB refuses an empty map of names");
        assert!(values.is_none_or(|values| !values.is_empty()), "DynamoDB refuses an empty map of values");
        Self { names, values }
    }

    /// Gives an expression its attributes and values. All that it speaks of must be given.
    pub(super) fn bind<E>(self, expression: &'a Parsed<E>) -> Bound<'a> {
        let name = |name: &'a String| match name.starts_with('#') {
            false => name.as_str(),
            true => self.names.and_then(|names| names.get(name)).unwrap_or_else(|| undefined(name)),
        };
        let value =
            |name: &'a String| self.values.and_then(|values| values.get(name)).unwrap_or_else(|| undefined(name));
        Bound {
            names: expression.names.iter().map(name).collect(),
            values: expression.values.iter().map(value).collect(),
        }
    }

    /// All that was given must be used by the condition or the update.
    pub(super) fn must_be_used(self, condition: Option<&Parsed<Condition>>, update: Option<&Parsed<Update>>) {
        let (names, values) = (placeholders(condition, update), all_values(condition, update));
        let (names_given, values_given) = (self.names.map_or(0, HashMap::len), self.values.map_or(0, HashMap::len));
        assert!(names == names_given, "DynamoDB refuses a name that no expression uses: {:?}", self.names);
        assert!(values == values_given, "DynamoDB refuses a value that no expression uses: {:?}", self.values);
    }
}

impl<'a> Bound<'a> {
    /// An attribute's own name.
    pub(super) fn name(&self, name: Name) -> &'a str {
        self.names[name]
    }

    /// A value.
    pub(super) fn value(&self, value: Value) -> &'a AttributeValue {
        self.values[value]
    }
}

fn undefined(name: &str) -> ! {
    panic!("DynamoDB refuses an expression that uses what isn't given: {name}")
}

fn placeholders(condition: Option<&Parsed<Condition>>, update: Option<&Parsed<Update>>) -> usize {
    let of_condition = condition.map_or(&[][..], |condition| &condition.names);
    let of_update = update.map_or(&[][..], |update| &update.names);
    distinct(of_condition, of_update, |name| name.starts_with('#'))
}

fn all_values(condition: Option<&Parsed<Condition>>, update: Option<&Parsed<Update>>) -> usize {
    let of_condition = condition.map_or(&[][..], |condition| &condition.values);
    let of_update = update.map_or(&[][..], |update| &update.values);
    distinct(of_condition, of_update, |_| true)
}

/// How many there are of them in both, each once.
fn distinct(some: &[String], others: &[String], counts: fn(&str) -> bool) -> usize {
    let more = others.iter().filter(|name| counts(name) && !some.contains(name));
    some.iter().filter(|name| counts(name)).count() + more.count()
}
