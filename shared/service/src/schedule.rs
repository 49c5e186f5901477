//! What an enrolment owes after the checkout: its later instalments.
//!
//! A line's text is stored once, and each date has only its amounts, in the order of the lines. So a weekly plan of a
//! year takes some two kilobytes.

use classpay_domain::catalogue::Currency;
use classpay_domain::fingerprint::Fingerprint;
use classpay_domain::id::{EnrolmentId, FamilyId, TransactionId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::catalogue::documents::text;
use crate::clock::start_of_day_s;

/// The later instalments of an enrolment. Amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// The time zone of the dates: the company's when it was sold.
    pub timezone: String,
    /// The currency of the amounts.
    #[serde(with = "text")]
    pub currency: Currency,
    /// The lines of the instalments.
    pub lines: Vec<ScheduledLine>,
    /// By date.
    pub instalments: Vec<ScheduledInstalment>,
}

/// A line of later instalments.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledLine {
    /// Its kind, in the contract's words.
    #[serde(rename = "type")]
    pub kind: String,
    /// For people.
    pub description: String,
    /// The plan or scheme that it is about.
    pub given_by: String,
}

/// What falls due on one date: the date, and an amount for each line (0: the instalment doesn't have it).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledInstalment(
    /// The date, in the schedule's time zone.
    #[serde(with = "text")]
    pub Date,
    /// In the order of the schedule's lines, signed.
    pub Vec<i64>,
);

impl Schedule {
    /// Adds what falls due on a date.
    pub fn push(&mut self, on: Date, details: impl IntoIterator<Item = (ScheduledLine, i64)>) {
        let mut amounts = vec![0; self.lines.len()];
        for (line, amount) in details {
            // A line that appears twice in one instalment is two lines.
            let known = self.lines.iter().zip(&amounts).position(|(known, taken)| *known == line && *taken == 0);
            match known.and_then(|index| amounts.get_mut(index)) {
                Some(slot) => *slot = amount,
                None => {
                    self.lines.push(line);
                    amounts.push(amount);
                }
            }
        }
        self.instalments.push(ScheduledInstalment(on, amounts));
    }

    /// The lines of an instalment with their amounts.
    pub fn details<'s>(
        &'s self,
        instalment: &'s ScheduledInstalment,
    ) -> impl Iterator<Item = (&'s ScheduledLine, i64)> {
        self.lines.iter().zip(instalment.1.iter().copied()).filter(|(_, amount)| *amount != 0)
    }

    /// When the date of an instalment begins, in seconds since 1970; in UTC if the time zone is no longer known.
    #[must_use]
    pub fn due_s(&self, instalment: &ScheduledInstalment) -> i64 {
        let there = start_of_day_s(instalment.0, &self.timezone);
        there.or_else(|_| start_of_day_s(instalment.0, "UTC")).unwrap_or(i64::MAX)
    }

    /// The debit id of one of an enrolment's instalments: the same for each run that writes it, and different for each
    /// family, because an enrolment's id is unique only within its family.
    #[must_use]
    pub fn debit_of(
        &self,
        family: &FamilyId,
        enrolment: &EnrolmentId,
        instalment: &ScheduledInstalment,
    ) -> TransactionId {
        let mut digest = Fingerprint::new("instalment");
        digest.text(family.as_str()).text(enrolment.as_str()).text(&instalment.0.to_string());
        TransactionId::with_positions(digest.finish_ulid(self.due_s(instalment).saturating_mul(1000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn line(kind: &str, description: &str) -> ScheduledLine {
        ScheduledLine { kind: kind.to_owned(), description: description.to_owned(), given_by: "pp_1".to_owned() }
    }

    fn empty() -> Schedule {
        let currency = Currency::parse("gbp").unwrap();
        Schedule { timezone: "Europe/London".to_owned(), currency, lines: Vec::new(), instalments: Vec::new() }
    }

    #[test]
    fn a_date_is_stored_with_its_amounts_only() {
        let mut schedule = empty();
        for month in [10, 11] {
            schedule.push(date(2026, month, 7), [(line("tuition", "Ballet"), 500), (line("tax", "VAT"), 100)]);
        }
        let text = serde_json::to_string(&schedule).unwrap();
        assert!(text.ends_with(r#""instalments":[["2026-10-07",[500,100]],["2026-11-07",[500,100]]]}"#), "{text}");
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
    }

    #[test]
    fn a_debit_is_of_one_family_enrolment_and_date() {
        let mut schedule = empty();
        for month in [10, 11] {
            schedule.push(date(2026, month, 7), [(line("tuition", "Ballet"), 500)]);
        }
        let [first, second] = &schedule.instalments[..] else { panic!("two instalments") };
        let debit = |family: &str, enrolment: &str, instalment| {
            schedule.debit_of(&family.parse().unwrap(), &enrolment.parse().unwrap(), instalment)
        };
        let of = debit("fml_1", "enr_1", first);
        assert_eq!(of, debit("fml_1", "enr_1", first));
        let others = [debit("fml_2", "enr_1", first), debit("fml_1", "enr_2", first), debit("fml_1", "enr_1", second)];
        assert!(!others.contains(&of), "{of} is one of {others:?}");
    }

    #[test]
    fn an_instalment_has_the_lines_that_it_was_given_and_no_others() {
        let mut schedule = empty();
        let given = [
            vec![(line("tuition", "Ballet"), 500), (line("discount", "Sibling"), -10)],
            vec![(line("tuition", "Ballet"), 500)],
            vec![(line("discount", "Sibling"), -10), (line("discount", "Sibling"), -5)],
        ];
        for (day, details) in (1..).zip(&given) {
            schedule.push(date(2026, 10, day), details.clone());
        }
        for (instalment, details) in schedule.instalments.iter().zip(given) {
            let found: Vec<_> = schedule.details(instalment).map(|(line, amount)| (line.clone(), amount)).collect();
            assert_eq!(found, details);
        }
    }
}
