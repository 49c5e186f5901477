//! classpay on a laptop: the API, DynamoDB and Stripe on 127.0.0.1, with the functions' own binaries
//! behind them. `cargo dev` starts it.
//!
//! Invariant: routes, functions and the table are read from `infra/template.yaml`. Nothing here says
//! them a second time, so what runs here is what is deployed.

use std::fmt;

pub mod binaries;
pub mod cli;
pub mod clock;
pub mod data_dir;
mod developer;
pub mod dynamodb;
pub mod gateway;
pub mod loopback;
pub mod orders;
mod random;
pub mod runtime;
pub mod schedule;
pub mod secrets;
pub mod stack;
pub mod stripe;
pub mod studio;
pub mod template;
pub mod welcome;

/// Why the stack does not start, in words for the developer who has to change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(String);

impl Problem {
    /// A problem in the developer's words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}
