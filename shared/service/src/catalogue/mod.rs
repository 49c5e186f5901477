//! Documents of what a studio sells: as stored items, as parts of an answer, as a file to import.
//!
//! [`documents`] defines them, [`convert`] makes the domain's types from them.
//!
//! Nothing here does I/O, reads a clock or passes a percentage through a float.

pub mod convert;
pub mod documents;

pub use convert::CorruptDocument;
