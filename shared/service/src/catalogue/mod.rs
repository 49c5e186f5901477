//! What a studio sells, written down: as stored items, as parts of an answer, as a file to import.
//!
//! [`documents`] are the shapes, [`convert`] makes the domain's types from documents.
//!
//! Invariant: nothing here does I/O, reads a clock or passes a percentage through a float.

pub mod convert;
pub mod documents;

pub use convert::CorruptDocument;
