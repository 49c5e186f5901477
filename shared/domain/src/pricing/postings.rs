//! Which transactions a checkout writes (rules 32 and 33).
//!
//! Invariant: only what is due today is debited, and the debits sum to the payment's subtotal.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{EnrolmentId, SeasonId, TrialId};
use crate::ledger::{Detail, Direction, Entry, payment_credit};
use crate::money::Overflow;
use crate::pricing::{LineDetail, Payment, Quote};

/// The ids that the quote's lines and trials get when they are booked, in the quote's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookings {
    /// One for each line.
    pub enrolments: Vec<EnrolmentId>,
    /// One for each trial.
    pub trials: Vec<TrialId>,
}

/// The debits, one for each season in the order of their ids, then the credit for what was paid, if anything was.
///
/// # Errors
/// [`Overflow`] beyond 64 bits.
pub fn postings(
    quote: &Quote,
    bookings: &Bookings,
    season_names: &BTreeMap<SeasonId, String>,
    paid: Option<Payment>,
) -> Result<Vec<Entry>, Overflow> {
    let of_lines = quote.lines.iter().map(|line| &line.season);
    let seasons: BTreeSet<_> = of_lines.chain(quote.trials.iter().map(|trial| &trial.season)).collect();
    let mut entries = Vec::new();
    for season in seasons {
        let details = season_details(quote, bookings, season);
        if !details.is_empty() {
            let description = season_names.get(season).cloned().unwrap_or_default();
            entries.push(Entry { direction: Direction::Debit, on: quote.today, description, details });
        }
    }
    if let Some(payment) = paid {
        entries.push(payment_credit(quote.today, payment.total, payment.processing_fee)?);
    }
    Ok(entries)
}

fn season_details(quote: &Quote, bookings: &Bookings, season: &SeasonId) -> Vec<Detail> {
    let mut details = Vec::new();
    for (line, enrolment) in quote.lines.iter().zip(&bookings.enrolments).filter(|(line, _)| line.season == *season) {
        let about = [line.item.class.as_str(), line.item.student.as_str(), enrolment.as_str(), season.as_str()];
        let about: Vec<_> = about.into_iter().chain([line.plan.as_str()]).map(str::to_owned).collect();
        let due_now = line.instalments.iter().filter(|i| i.on == quote.today).flat_map(|i| &i.details);
        details.extend(due_now.map(|detail| posted(detail, &about)));
    }
    for (trial, booking) in quote.trials.iter().zip(&bookings.trials).filter(|(trial, _)| trial.season == *season) {
        let about = [trial.item.class.as_str(), trial.item.student.as_str(), booking.as_str(), season.as_str()];
        let about: Vec<_> = about.into_iter().map(str::to_owned).collect();
        details.extend(trial.details.iter().map(|detail| posted(detail, &about)));
    }
    details
}

fn posted(detail: &LineDetail, about: &[String]) -> Detail {
    Detail { kind: detail.kind, amount: detail.amount, description: detail.description.clone(), about: about.to_vec() }
}
