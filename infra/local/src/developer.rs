//! The developer: the environment he works in, and what he is told.
//!
//! Invariant: this is the only place that reads his environment, and none of it reaches a function but by name.

#![expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]

use std::fmt;
use std::io::Write as _;

/// A variable of the developer's, if it is set and is text.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Every variable of the developer's that is text.
#[must_use]
pub fn variables() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// Tells him a line on stderr. A stack whose stderr is closed goes on without it.
pub(crate) fn tell(line: fmt::Arguments<'_>) {
    drop(writeln!(std::io::stderr(), "{line}"));
}
