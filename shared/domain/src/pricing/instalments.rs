//! Instalments: a line's total spread over its plan's dates (rules 20 and 21).
//!
//! Invariant: the instalments sum to the line's total, detail by detail, and differ by at most one unit.

use jiff::civil::Date;

use crate::ledger::DetailKind;
use crate::money::{Money, Overflow, split};
use crate::pricing::tax::LineDetail;

/// An instalment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instalment {
    /// Its due date.
    pub on: Date,
    /// Its amount.
    pub amount: Money,
    /// Its details.
    pub details: Vec<LineDetail>,
}

/// Divides a line over its dates. [`split`] divides each detail except tuition; tuition takes whatever makes an
/// instalment's details sum to its amount. Instalments without details are left out. An instalment whose details sum to
/// zero stays, because it becomes a debit if it falls due today.
pub fn instalments(details: &[LineDetail], dates: &[Date]) -> Result<Vec<Instalment>, Overflow> {
    let total = Money::sum(details.iter().map(|d| d.amount))?;
    let mut parts: Vec<Instalment> = dates
        .iter()
        .zip(split(total, dates.len()))
        .map(|(on, amount)| Instalment { on: *on, amount, details: Vec::new() })
        .collect();
    for detail in details.iter().filter(|d| d.kind != DetailKind::Tuition) {
        for (part, amount) in parts.iter_mut().zip(split(detail.amount, dates.len())) {
            if !amount.is_zero() {
                part.details.push(LineDetail { amount, ..detail.clone() });
            }
        }
    }
    if let Some(tuition) = details.iter().find(|d| d.kind == DetailKind::Tuition) {
        for part in &mut parts {
            let others = Money::sum(part.details.iter().map(|d| d.amount))?;
            let amount = part.amount.minus(others)?;
            if !amount.is_zero() {
                part.details.insert(0, LineDetail { amount, ..tuition.clone() });
            }
        }
    }
    parts.retain(|part| !part.details.is_empty());
    Ok(parts)
}
