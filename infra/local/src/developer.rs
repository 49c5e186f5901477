//! What the developer is told.
//!
//! Invariant: what is told goes to stderr, so that stdout is for programs.

use std::fmt;
use std::io::Write as _;

/// Tells him a line on stderr. A stack whose stderr is closed goes on without it.
pub(crate) fn tell(line: fmt::Arguments<'_>) {
    drop(writeln!(std::io::stderr(), "{line}"));
}
