//! Quantity discounts: by a family's students, a student's classes or a family's classes.
//!
//! A studio gives at most one scheme of each kind, and a scheme lists each quantity once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::id::DiscountSchemeId;
use crate::money::{Money, Percent};

/// What a scheme counts, in the order in which schemes apply (rule 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiscountKind {
    /// The family's students in the season.
    StudentsOfFamily,
    /// The student's classes in the season.
    ClassesOfStudent,
    /// The family's classes in the season.
    ClassesOfFamily,
}

/// The members to which a tier applies (rule 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    /// The tier for the number of members applies to all of them.
    TotalTuition,
    /// Each member gets the tier of its own position.
    IndividualItem,
}

/// What a tier takes off a line (rule 14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// A percentage of the line's base.
    Percent(Percent),
    /// A fixed amount for the whole class; a proportional part if the class has begun.
    Fixed(Money),
}

/// A discount scheme that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscountScheme {
    /// Its id.
    pub id: DiscountSchemeId,
    /// Its name.
    pub name: Arc<str>,
    /// The members to which its tiers apply.
    pub application: Application,
    /// The discount from each quantity upwards.
    pub tiers: BTreeMap<u32, Off>,
}

impl DiscountScheme {
    /// The tier for a quantity: the one with the greatest quantity not above it.
    #[must_use]
    pub fn tier(&self, quantity: usize) -> Option<Off> {
        let quantity = u32::try_from(quantity).unwrap_or(u32::MAX);
        self.tiers.range(..=quantity).next_back().map(|(_, off)| *off)
    }
}
