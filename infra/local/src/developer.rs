//! Messages to the developer.
//!
//! Messages go to stderr, so that stdout is for programs.

use std::fmt;
use std::io::Write as _;

/// Prints a line on stderr. A stack whose stderr is closed continues without it.
pub(crate) fn tell(line: fmt::Arguments<'_>) {
    drop(writeln!(std::io::stderr(), "{line}"));
}
