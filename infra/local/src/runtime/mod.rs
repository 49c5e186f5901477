//! Runs the functions' own binaries behind the Lambda Runtime API, as Lambda does: one process, one
//! event at a time, more processes under load.
//!
//! Invariant: an event is handed to a process at most once. If the process dies with it, the caller learns that it died
//! and decides whether to try again, as in the cloud.

mod api;
mod environment;
mod pool;
mod process;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

pub use environment::{Backends, Environment, LOCAL_ACCOUNT, Unresolved, environment};
pub use pool::{Pool, Pools};

/// Lambda's limit on a payload, in either direction.
pub const PAYLOAD_LIMIT_BYTES: usize = 6 * 1024 * 1024;

/// How long a process may take until it first asks for an event. Lambda allows 10 s. A debug build on a busy laptop
/// needs more, but this stays below the gateway's timeout.
const INIT_LIMIT: Duration = Duration::from_secs(20);

/// The most processes that a function may have at once; further events wait for one of them.
pub const PROCESSES_PER_FUNCTION: usize = 8;

/// Why an event has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvokeError {
    /// The function reported an error.
    Failed(Bytes),
    /// The process died with the event; says how it ended.
    Died(String),
    /// The function timed out and its process was killed.
    TimedOut(Duration),
    /// No process started far enough to ask for an event.
    NotStarted(String),
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(report) => write!(f, "failed: {}", String::from_utf8_lossy(report)),
            Self::Died(how) => write!(f, "died with an event: {how}"),
            Self::TimedOut(limit) => write!(f, "timed out after {} s and was killed", limit.as_secs_f64()),
            Self::NotStarted(why) => write!(f, "did not start: {why}"),
        }
    }
}

impl std::error::Error for InvokeError {}
