//! Writes: puts, edits and deletes of single items, each with its condition.
//!
//! The store describes its writes in these types. [`super::dynamodb`] renders them as DynamoDB's expressions, and the
//! simulation evaluates them; a test keeps the two consistent.

use super::item::{Item, Value};
use super::key::Key;

/// The name of an attribute.
pub type Name = &'static str;

/// The most actions that DynamoDB accepts in one transaction.
pub const MAX_ACTIONS: usize = 100;

/// A write to one item, or a condition on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    key: Key,
    action: Action,
    guard: Guard,
}

/// What a [`Write`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Puts an item, in the place of what is there.
    Put(Item),
    /// Changes attributes of an item; without an edit it only checks the guard. A missing item is created with its key
    /// alone.
    Edit(Vec<Edit>),
    /// Removes an item.
    Delete,
}

/// A change of one attribute. A write edits an attribute at most once, and never a key attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Sets it.
    Set(Name, Value),
    /// Sets it unless it exists.
    SetIfMissing(Name, Value),
    /// Adds to a number; one that is missing counts as zero.
    Add(Name, i64),
    /// Removes it.
    Clear(Name),
}

impl Edit {
    /// The attribute that it changes.
    #[must_use]
    pub const fn name(&self) -> Name {
        match self {
            Self::Set(name, _) | Self::SetIfMissing(name, _) | Self::Add(name, _) | Self::Clear(name) => name,
        }
    }
}

/// The condition that an item must meet before the transaction.
///
/// Values compare within their type: texts by their bytes, numbers by size. An attribute that is missing, or of another
/// type, differs from every value (`IsNot` holds) and is neither above nor below one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// Nothing.
    Always,
    /// The item is there.
    Exists,
    /// The item isn't there.
    Absent,
    /// The attribute is there.
    Present(Name),
    /// The attribute isn't there.
    Missing(Name),
    /// The attribute has this value.
    Is(Name, Value),
    /// The attribute has another value, or is missing.
    IsNot(Name, Value),
    /// The attribute has this value or more.
    AtLeast(Name, Value),
    /// The attribute has this value or less.
    AtMost(Name, Value),
    /// The attribute has more than this value.
    Above(Name, Value),
    /// The attribute has less than this value.
    Below(Name, Value),
    /// Both hold. [`Guard::and`] builds it, from guards that don't always hold.
    Both(Box<Guard>, Box<Guard>),
    /// One holds, or both. [`Guard::or`] builds it, from guards that don't always hold.
    Either(Box<Guard>, Box<Guard>),
}

impl Guard {
    /// [`Guard::Is`].
    #[must_use]
    pub fn is(name: Name, value: impl Into<Value>) -> Self {
        Self::Is(name, value.into())
    }

    /// [`Guard::IsNot`].
    #[must_use]
    pub fn is_not(name: Name, value: impl Into<Value>) -> Self {
        Self::IsNot(name, value.into())
    }

    /// [`Guard::AtLeast`].
    #[must_use]
    pub fn at_least(name: Name, value: impl Into<Value>) -> Self {
        Self::AtLeast(name, value.into())
    }

    /// [`Guard::AtMost`].
    #[must_use]
    pub fn at_most(name: Name, value: impl Into<Value>) -> Self {
        Self::AtMost(name, value.into())
    }

    /// [`Guard::Above`].
    #[must_use]
    pub fn above(name: Name, value: impl Into<Value>) -> Self {
        Self::Above(name, value.into())
    }

    /// [`Guard::Below`].
    #[must_use]
    pub fn below(name: Name, value: impl Into<Value>) -> Self {
        Self::Below(name, value.into())
    }

    /// [`Guard::Both`].
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, guard) | (guard, Self::Always) => guard,
            (guard, other) => Self::Both(Box::new(guard), Box::new(other)),
        }
    }

    /// [`Guard::Either`].
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (guard, other) => Self::Either(Box::new(guard), Box::new(other)),
        }
    }
}

impl Write {
    /// Puts an item, in the place of what is there.
    #[must_use]
    pub fn put(item: Item) -> Self {
        Self::of(item.key().clone(), Action::Put(item))
    }

    /// Puts an item where there is none.
    #[must_use]
    pub fn create(item: Item) -> Self {
        Self::put(item).when(Guard::Absent)
    }

    /// Changes the item at `key`. Until an edit is added, it only checks its guard.
    #[must_use]
    pub const fn edit(key: Key) -> Self {
        Self::of(key, Action::Edit(Vec::new()))
    }

    /// Removes the item at `key`.
    #[must_use]
    pub const fn delete(key: Key) -> Self {
        Self::of(key, Action::Delete)
    }

    /// An action on the item at `key`, whatever is there.
    #[must_use]
    pub const fn of(key: Key, action: Action) -> Self {
        Self { key, action, guard: Guard::Always }
    }

    /// Whether it writes nothing and only checks its guard.
    #[must_use]
    pub fn is_check(&self) -> bool {
        matches!(&self.action, Action::Edit(edits) if edits.is_empty())
    }

    /// Adds a guard that must hold as well.
    #[must_use]
    pub fn when(mut self, guard: Guard) -> Self {
        self.guard = self.guard.and(guard);
        self
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set(self, name: Name, value: impl Into<Value>) -> Self {
        self.and_edit(Edit::Set(name, value.into()))
    }

    /// Sets an attribute unless it is there.
    #[must_use]
    pub fn set_if_missing(self, name: Name, value: impl Into<Value>) -> Self {
        self.and_edit(Edit::SetIfMissing(name, value.into()))
    }

    /// Adds to a number; one that is missing counts as zero.
    #[must_use]
    pub fn add(self, name: Name, amount: impl Into<i64>) -> Self {
        self.and_edit(Edit::Add(name, amount.into()))
    }

    /// Removes an attribute.
    #[must_use]
    pub fn clear(self, name: Name) -> Self {
        self.and_edit(Edit::Clear(name))
    }

    /// Takes an item out of the index of unfinished items.
    #[must_use]
    pub fn leave_index(self) -> Self {
        self.clear("gsi1pk").clear("gsi1sk")
    }

    /// Subtracts an amount from a number, on the condition that the number is at least that. Amounts are never
    /// negative.
    #[must_use]
    pub fn take(self, name: Name, amount: impl Into<i64>) -> Self {
        let amount = amount.into();
        self.when(Guard::at_least(name, amount)).add(name, -amount)
    }

    /// The key of the item that it writes.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// What it does.
    #[must_use]
    pub const fn action(&self) -> &Action {
        &self.action
    }

    /// What must hold.
    #[must_use]
    pub const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The item, what is done with it, and what must hold.
    #[must_use]
    pub fn into_parts(self) -> (Key, Action, Guard) {
        (self.key, self.action, self.guard)
    }

    fn and_edit(mut self, edit: Edit) -> Self {
        match &mut self.action {
            Action::Edit(edits) => edits.push(edit),
            Action::Put(_) | Action::Delete => unreachable!("only an edit is edited: {:?}", self.key),
        }
        self
    }
}

/// Writes that happen together: all of them, or none.
#[derive(Debug, Default)]
pub struct Writes(Vec<Write>);

impl Writes {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    pub fn push(&mut self, write: Write) {
        self.0.push(write);
    }

    /// Puts an item where there is none.
    pub fn create(&mut self, item: Item) {
        self.push(Write::create(item));
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The writes, in their order.
    #[must_use]
    pub fn into_vec(self) -> Vec<Write> {
        self.0
    }
}

impl From<Write> for Writes {
    fn from(write: Write) -> Self {
        Self(vec![write])
    }
}

impl FromIterator<Write> for Writes {
    fn from_iter<W: IntoIterator<Item = Write>>(writes: W) -> Self {
        Self(writes.into_iter().collect())
    }
}
