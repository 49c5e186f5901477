//! An operator's commands for a table and the Stripe that belongs to it: a running stack's, or one in AWS.
//!
//! Read in this order: this module (the commands), [`import`] (a studio's file), [`orders`] (unfinished orders and
//! differences from Stripe), [`token`], [`table`] (which DynamoDB), [`stack`] and [`machine`] (this machine's
//! settings).
//!
//! Nothing here starts a process. `cargo dev` shows these commands beside the local stack's.

pub mod import;
pub mod machine;
pub mod orders;
pub mod stack;
pub mod table;
pub mod token;

use std::fmt;

use clap::Subcommand;

/// An operator's commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a table hold a studio's file: adds, changes, and takes away what the file lacks. Tells what, before it does,
    /// and every mistake in the file before anything.
    Import(import::Import),
    /// Shows what is unfinished, finishes or voids it, and compares Stripe with the ledger. Of any table.
    Orders(orders::Orders),
    /// Prints a bearer token, valid for a day.
    Token(token::Token),
}

/// Executes the command line.
pub async fn run(command: Command) -> Result<(), Problem> {
    match command {
        Command::Import(import) => import::run(&import).await,
        Command::Orders(orders) => orders::run(orders).await,
        Command::Token(token) => token::run(token),
    }
}

/// Why a command failed, in words for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(String);

impl Problem {
    /// A problem in the operator's words.
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
