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
    /// Where the same stands first, for what is there twice.
    pub first: Option<String>,
}

impl Mistake {
    pub(super) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), first: None }
    }

    /// With the place where the same stands first.
    pub(super) fn first_at(self, place: String) -> Self {
        Self { first: Some(place), ..self }
    }

    /// The places that it is in, the whole file apart: its own, and those around it.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
        let ends = self.place.match_indices(['.', '[']).map(|(end, _)| end).chain([self.place.len()]);
        ends.filter_map(|end| self.place.get(..end))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, what, first } = self;
        if place.is_empty() {
            f.write_str(what)?
        } else {
            write!(f, "{place}: {what}")?
        }
        first.as_ref().map_or(Ok(()), |first| write!(f, ", first in {first}"))
    }
}
