//! The transactions that a checkout posts (rules 32 and 33).
//!
//! Invariant: only what is due today is debited, and the debits sum to the payment's subtotal.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{EnrolmentId, SeasonId, TrialId};
use crate::ledger::{Detail, Direction, Entry, payment_credit};
use crate::money::Overflow;
use crate::pricing::{FeeLine, Line, LineDetail, Payment, Quote, TrialLine};

/// A quote whose enrolments and trials have the ids under which they are booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedQuote<'q> {
    quote: &'q Quote,
    lines: Vec<(&'q Line, EnrolmentId)>,
    trials: Vec<(&'q TrialLine, TrialId)>,
}

impl<'q> BookedQuote<'q> {
    /// Assigns an id to every enrolment and every trial.
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

/// The debits, one for each season in the order of their ids and one for registration fees, then the credit for the
/// payment, if there is one.
pub fn postings(
    booked: &BookedQuote<'_>,
    season_names: &BTreeMap<SeasonId, String>,
    paid: Option<Payment>,
) -> Result<Vec<Entry>, Overflow> {
    let quote = booked.quote;
    let of_lines = booked.lines.iter().map(|(line, _)| &line.season);
    let of_fees = quote.additional_fees.iter().map(|fee| &fee.season);
    let of_trials = booked.trials.iter().map(|(trial, _)| &trial.season);
    let seasons: BTreeSet<_> = of_lines.chain(of_fees).chain(of_trials).collect();
    let mut entries = Vec::new();
    let mut debit = |description: String, details: Vec<Detail>| {
        if !details.is_empty() {
            entries.push(Entry { direction: Direction::Debit, on: quote.today, description, details });
        }
    };
    for season in seasons {
        debit(season_names.get(season).cloned().unwrap_or_default(), season_details(booked, season));
    }
    debit("Registration".into(), quote.registration_fees.iter().flat_map(fee_details).collect());
    if let Some(payment) = paid {
        entries.push(payment_credit(booked.quote.today, payment.total, payment.processing_fee)?);
    }
    Ok(entries)
}

fn season_details(booked: &BookedQuote<'_>, season: &SeasonId) -> Vec<Detail> {
    let mut details = Vec::new();
    for (line, enrolment) in booked.lines.iter().filter(|(line, _)| line.season == *season) {
        let about = [line.item.class.as_str(), line.item.student.as_str(), enrolment.as_str(), season.as_str()];
        let due_now = line.instalments.iter().filter(|i| i.on == booked.quote.today).flat_map(|i| &i.details);
        details.extend(due_now.map(|detail| posted(detail, &about, Some(line.given_by(detail)))));
    }
    let fees = booked.quote.additional_fees.iter().filter(|fee| fee.season == *season);
    details.extend(fees.flat_map(fee_details));
    for (trial, booking) in booked.trials.iter().filter(|(trial, _)| trial.season == *season) {
        let about = [trial.item.class.as_str(), trial.item.student.as_str(), booking.as_str(), season.as_str()];
        details.extend(trial.details.iter().map(|detail| posted(detail, &about, None)));
    }
    details
}

fn fee_details(fee: &FeeLine) -> impl Iterator<Item = Detail> {
    let about = [fee.student.as_str(), fee.season.as_str(), fee.fee.as_str()];
    fee.details.iter().map(move |detail| posted(detail, &about, None))
}

fn posted(detail: &LineDetail, about: &[&str], given_by: Option<&str>) -> Detail {
    let about = about.iter().copied().chain(given_by).map(str::to_owned).collect();
    Detail { kind: detail.kind, amount: detail.amount, description: detail.description.to_string(), about }
}
