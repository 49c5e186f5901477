//! Discounts for those who take more: of a family's students, of a student's classes, of a family's classes.
//!
//! Invariant: a studio has at most one scheme of a kind that is given, and a scheme has a quantity once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::id::DiscountSchemeId;
use crate::money::{Money, Percent};

/// What a scheme counts. The order is that of application (rule 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiscountKind {
    /// The family's students in the season.
    StudentsOfFamily,
    /// The student's classes in the season.
    ClassesOfStudent,
    /// The family's classes in the season.
    ClassesOfFamily,
}

/// Whom a tier is for (rule 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    /// The tier of the number of members, for all of them.
    TotalTuition,
    /// The tier of a member's position, for that member.
    IndividualItem,
}

/// What a tier takes off a line (rule 14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// A part of the line's base.
    Percent(Percent),
    /// So much for the whole class; of one that has begun, a part.
    Fixed(Money),
}

/// A discount scheme that is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscountScheme {
    /// Its id.
    pub id: DiscountSchemeId,
    /// Its name.
    pub name: Arc<str>,
    /// Whom its tiers are for.
    pub application: Application,
    /// What is taken off from which quantity on.
    pub tiers: BTreeMap<u32, Off>,
}

impl DiscountScheme {
    /// The tier of a quantity: that with the greatest quantity up to it.
    #[must_use]
    pub fn tier(&self, quantity: usize) -> Option<Off> {
        let quantity = u32::try_from(quantity).unwrap_or(u32::MAX);
        self.tiers.range(..=quantity).next_back().map(|(_, off)| *off)
    }
}
