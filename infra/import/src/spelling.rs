//! Keys that name one thing in two spellings.
//!
//! Invariant: what an earlier version has stored under its spelling is found.

use classpay_service::store::key::{FEE, Key};

/// The key, and as an earlier version has written it: a fee year that begins on 1 January was its bare number.
pub(super) fn spellings(key: &Key) -> impl Iterator<Item = Key> {
    let bare = key.sk.strip_suffix("-01-01").filter(|sk| sk.starts_with(FEE));
    let earlier = bare.map(|sk| Key { pk: key.pk.clone(), sk: sk.to_owned() });
    std::iter::once(key.clone()).chain(earlier)
}
