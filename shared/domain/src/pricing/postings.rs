//! Which transactions a checkout writes (rules 32 and 33).
//!
//! Invariant: only what is due today is debited, and the debits sum to the payment's subtotal.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{EnrolmentId, SeasonId, TrialId};
use crate::ledger::{Detail, Direction, Entry, payment_credit};
use crate::money::Overflow;
use crate::pricing::{Line, LineDetail, Payment, Quote, TrialLine};

/// A quote whose lines and trials have got the ids under which they are booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedQuote<'q> {
    quote: &'q Quote,
    lines: Vec<(&'q Line, EnrolmentId)>,
    trials: Vec<(&'q TrialLine, TrialId)>,
}

impl<'q> BookedQuote<'q> {
    /// Gives every line and every trial an id.
    pub fn new(
        quote: &'q Quote,
        mut enrolment: impl FnMut() -> EnrolmentId,
        mut trial: impl FnMut() -> TrialId,
    ) -> Self {
        let lines = quote.lines.iter().map(|line| (line, enrolment())).collect();
        Self { quote, lines, trials: quote.trials.iter().map(|line| (line, trial())).collect() }
    }

    /// The lines with their enrolments.
    #[must_use]
    pub fn lines(&self) -> &[(&'q Line, EnrolmentId)] {
        &self.lines
    }

    /// The trials with their bookings.
    #[must_use]
    pub fn trials(&self) -> &[(&'q TrialLine, TrialId)] {
        &self.trials
    }
}

/// The debits, one for each season in the order of their ids, then the credit for what was paid, if anything was.
///
/// # Errors
/// [`Overflow`] beyond 64 bits.
pub fn postings(
    booked: &BookedQuote<'_>,
    season_names: &BTreeMap<SeasonId, String>,
    paid: Option<Payment>,
) -> Result<Vec<Entry>, Overflow> {
    let of_lines = booked.lines.iter().map(|(line, _)| &line.season);
    let seasons: BTreeSet<_> = of_lines.chain(booked.trials.iter().map(|(trial, _)| &trial.season)).collect();
    let mut entries = Vec::new();
    for season in seasons {
        let details = season_details(booked, season);
        if !details.is_empty() {
            let description = season_names.get(season).cloned().unwrap_or_default();
            entries.push(Entry { direction: Direction::Debit, on: booked.quote.today, description, details });
        }
    }
    if let Some(payment) = paid {
        entries.push(payment_credit(booked.quote.today, payment.total, payment.processing_fee)?);
    }
    Ok(entries)
}

fn season_details(booked: &BookedQuote<'_>, season: &SeasonId) -> Vec<Detail> {
    let mut details = Vec::new();
    for (line, enrolment) in booked.lines.iter().filter(|(line, _)| line.season == *season) {
        let about = [line.item.class.as_str(), line.item.student.as_str(), enrolment.as_str(), season.as_str()];
        let about: Vec<_> = about.into_iter().chain([line.plan.as_str()]).map(str::to_owned).collect();
        let due_now = line.instalments.iter().filter(|i| i.on == booked.quote.today).flat_map(|i| &i.details);
        details.extend(due_now.map(|detail| posted(detail, &about)));
    }
    for (trial, booking) in booked.trials.iter().filter(|(trial, _)| trial.season == *season) {
        let about = [trial.item.class.as_str(), trial.item.student.as_str(), booking.as_str(), season.as_str()];
        let about: Vec<_> = about.into_iter().map(str::to_owned).collect();
        details.extend(trial.details.iter().map(|detail| posted(detail, &about)));
    }
    details
}

fn posted(detail: &LineDetail, about: &[String]) -> Detail {
    Detail { kind: detail.kind, amount: detail.amount, description: detail.description.clone(), about: about.to_vec() }
}
