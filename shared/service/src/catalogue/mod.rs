//! What a studio sells, written down: as a file to import, as stored items, as parts of an answer.
//!
//! [`documents`] are the shapes, [`file`] reads a whole studio and names every mistake in it, [`notes()`] what in it has
//! no effect, [`convert`] makes the domain's types from documents.
//!
//! Invariant: what leaves [`file::Catalogue::parse`] has been checked as a whole. Nothing here does I/O, reads a clock
//! or passes a percentage through a float.

mod check;
pub mod convert;
pub mod documents;
mod encoding;
pub mod file;
mod mend;
mod mistake;
mod notes;
mod parts;
mod places;
mod published;
mod tree;

pub(crate) use check::differing_fields;
pub use convert::CorruptDocument;
pub use file::{Catalogue, FamilyEntry};
pub use mistake::Mistake;
pub use notes::{Note, notes};
pub use published::{Deleted, Sold};
