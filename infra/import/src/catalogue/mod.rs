//! A studio's file: read as a whole, every mistake in it named.
//!
//! [`mod@file`] reads it, [`check`] holds it to the rules, [`notes()`] says what in it has no effect. The shapes of its
//! documents are the service's.
//!
//! Invariant: what leaves [`Catalogue::parse`] has been checked as a whole. Nothing here does I/O, reads a clock or passes
//! a percentage through a float.

mod check;
#[cfg(test)]
mod converted;
mod encoding;
mod file;
mod mistake;
mod notes;
mod parts;
mod places;
mod published;
mod reader;
#[cfg(test)]
mod stored;
mod tree;

pub(crate) use check::differing_fields;
pub use file::{Catalogue, FamilyEntry};
pub use mistake::Mistake;
pub use notes::{Note, notes};
pub use parts::{ChargedFeeEntry, EnrolmentEntry, InstalmentEntry, TrialEntry};
pub use published::{Deleted, Sold};
