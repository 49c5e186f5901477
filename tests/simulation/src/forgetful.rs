//! A table that ignores a guard, so that a test can show that the guard is needed.
//!
//! The production code has no switch for that: the guard is removed from the writes that reach the table.

use classpay_service::store::{Guard, Name, Write};

/// A guard that the table ignores.
#[derive(Debug, Clone, Copy)]
pub struct Forgotten {
    /// What functions do wrong then.
    pub what: &'static str,
    /// The sort key of the items that it guards.
    sk: &'static str,
    /// The prefix of their partition keys.
    pk_begins: &'static str,
    /// The attribute that the guard compares; `pk` for whether the item exists.
    name: Name,
    forgets: Forgets,
}

/// How much is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Forgets {
    /// Only the guard's condition on that attribute.
    Attribute,
    /// Every guard of a transaction that contains a write with that guard.
    Transaction,
}

impl Forgotten {
    /// A seat is taken although there is none.
    pub const SEATS: Self = Self::attribute("reads that there is a seat, then takes it", "C#", "SEATS", "seats_left");
    /// More is reserved of a debit than it owes.
    pub const DUE: Self = Self::attribute("lowers what is due without a condition", "C#", "DUE", "amount_due");
    /// An order is finished whatever its present state.
    pub const FINISH: Self = Self {
        what: "finishes an order without its conditions",
        sk: "META",
        pk_begins: "ORD#",
        name: "order_state",
        forgets: Forgets::Transaction,
    };
    /// An intent is decided although another process has decided it.
    pub const CLAIM: Self = Self::attribute("claims an intent that is claimed", "PI#", "CLAIM", "pk");
    /// A family's fees are charged although the family has changed since they were priced.
    pub const FAMILY: Self =
        Self::attribute("charges fees without the family's version", "C#", "META", "family_version");

    /// Every guard.
    pub const ALL: [Self; 5] = [Self::SEATS, Self::DUE, Self::FINISH, Self::CLAIM, Self::FAMILY];

    const fn attribute(what: &'static str, pk_begins: &'static str, sk: &'static str, name: Name) -> Self {
        Self { what, sk, pk_begins, name, forgets: Forgets::Attribute }
    }

    /// The writes that reach the table.
    #[must_use]
    pub fn strip(self, writes: Vec<Write>) -> Vec<Write> {
        match self.forgets {
            Forgets::Attribute => {
                let strip = |write: Write| if self.is_about(&write) { self.without_attribute(write) } else { write };
                writes.into_iter().map(strip).collect()
            }
            Forgets::Transaction if writes.iter().any(|write| self.is_about(write) && self.names(write.guard())) => {
                writes.into_iter().map(|write| if write.is_check() { write } else { unguarded(write) }).collect()
            }
            Forgets::Transaction => writes,
        }
    }

    fn is_about(self, write: &Write) -> bool {
        write.key().sk == self.sk && write.key().pk.starts_with(self.pk_begins)
    }

    fn without_attribute(self, write: Write) -> Write {
        // A condition check without a condition is not a valid write, so one is left as it is.
        let guard = self.rest(write.guard().clone());
        if write.is_check() && guard == Guard::Always { write } else { unguarded(write).when(guard) }
    }

    /// The remaining part of a guard.
    fn rest(self, guard: Guard) -> Guard {
        match guard {
            Guard::Both(one, other) => self.rest(*one).and(self.rest(*other)),
            Guard::Either(one, other) => self.rest(*one).or(self.rest(*other)),
            guard if self.names(&guard) => Guard::Always,
            guard => guard,
        }
    }

    fn names(self, guard: &Guard) -> bool {
        match guard {
            Guard::Always => false,
            Guard::Exists | Guard::Absent => self.name == "pk",
            Guard::Present(name)
            | Guard::Missing(name)
            | Guard::Is(name, _)
            | Guard::IsNot(name, _)
            | Guard::AtLeast(name, _)
            | Guard::AtMost(name, _)
            | Guard::Above(name, _)
            | Guard::Below(name, _) => *name == self.name,
            Guard::Both(one, other) | Guard::Either(one, other) => self.names(one) || self.names(other),
        }
    }
}

fn unguarded(write: Write) -> Write {
    let (key, action, _) = write.into_parts();
    Write::of(key, action)
}
