//! From documents to the domain's types.
//!
//! Nothing is guessed: what the import would have refused is a [`CorruptDocument`], never a default.

mod company;
mod family;
mod fees;
mod season;

use classpay_domain::money::{Money, Percent};

pub use company::{age_cut_off, is_time_zone};

/// A stored document that the import would have refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the document {id} has a corrupt {field}")]
pub struct CorruptDocument {
    /// Its id.
    pub id: String,
    /// The field, in the contract's words.
    pub field: &'static str,
}

fn corrupt(id: &impl ToString, field: &'static str) -> CorruptDocument {
    CorruptDocument { id: id.to_string(), field }
}

/// Accepts a value that passes the import's check.
fn sound<T>(value: T, holds: bool, id: &impl ToString, field: &'static str) -> Result<T, CorruptDocument> {
    if holds { Ok(value) } else { Err(corrupt(id, field)) }
}

fn price(amount: Money, id: &impl ToString, field: &'static str) -> Result<Money, CorruptDocument> {
    sound(amount, amount >= Money::ZERO, id, field)
}

fn rate(percent: Percent, id: &impl ToString, field: &'static str) -> Result<Percent, CorruptDocument> {
    sound(percent, percent <= Percent::HUNDRED, id, field)
}

/// Accepts a document in which the import's check finds no mistake.
fn faultless(mistakes: Vec<(&'static str, String)>, id: &impl ToString) -> Result<(), CorruptDocument> {
    mistakes.into_iter().next().map_or(Ok(()), |(field, _)| Err(corrupt(id, field)))
}
