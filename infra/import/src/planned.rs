//! The documents of an import, each as it is stored and as it will be.

use classpay_service::catalogue::documents::{ClassDoc, SeasonDoc};
use classpay_service::store::key::Key;

use crate::changes::Kind;

/// A document as it is stored and as it will be.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) key: Key,
    pub(super) id: String,
    pub(super) stored: Option<String>,
    /// `None`: it is removed.
    pub(super) target: Option<String>,
    /// Whether the file lacks it, and so takes it away.
    pub(super) goes: bool,
    /// Whether the file has it, and archives it.
    pub(super) ends: bool,
}

impl Entry {
    pub(super) fn is_new(&self) -> bool {
        self.stored != self.target
    }
}

/// A season as it will be.
#[derive(Debug)]
pub(super) struct PlannedSeason {
    pub(super) doc: SeasonDoc,
    pub(super) text: String,
    pub(super) key: Key,
}

/// A class as it will be.
#[derive(Debug)]
pub(super) struct PlannedClass {
    pub(super) doc: ClassDoc,
    pub(super) text: String,
}
