//! A mistake in a catalogue file.
//!
//! Invariant: it names its place, so that the file's author finds it without us.

use std::fmt;

/// A mistake and its place: `seasons[0].pricingPlans[1].firstPaymentDate: …`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where it is, from the file's root; empty: the file as a whole.
    pub place: String,
    /// What is wrong, for the file's author.
    pub what: String,
}

impl Mistake {
    pub(super) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }

    /// The places that it is in, the whole file apart: its own, and those around it.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
        let ends = self.place.match_indices(['.', '[']).map(|(end, _)| end).chain([self.place.len()]);
        ends.filter_map(|end| self.place.get(..end))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() { f.write_str(&self.what) } else { write!(f, "{}: {}", self.place, self.what) }
    }
}
