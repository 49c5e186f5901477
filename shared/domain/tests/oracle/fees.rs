//! Registration fees and additional fees (rules 22 to 26): who owes what is asked student by student, and what is left
//! of a family's cap is reckoned anew for each of them.

use std::collections::BTreeSet;

use classpay_domain::basket::Basket;
use classpay_domain::calendar::YearDay;
use classpay_domain::catalogue::{AdditionalFee, ChargedFee, RegistrationFee, Repetition, Season, Studio};
use classpay_domain::id::{FeeId, StudentId, TaxRateId};
use classpay_domain::ledger::DetailKind;
use classpay_domain::money::Money;
use jiff::ToSpan;
use jiff::civil::Date;

use super::bill;
use super::days::days;
use super::details::{Tax, composed};
use super::exact::{Exact, count, rounded, units, whole};

/// A student who owes a fee because he enrols in a season.
struct Debt<'a> {
    fee: &'a FeeId,
    period: String,
    annual: bool,
    /// When it begins to count.
    from: Date,
    student: &'a StudentId,
    season: &'a Season,
    /// Before the cap.
    full: i128,
    cap: Option<Money>,
    tax: Option<&'a TaxRateId>,
}

impl<'a> Debt<'a> {
    /// What was charged of it before: of a year, whatever lasts until it begins.
    fn charged(&'a self, studio: &'a Studio) -> impl Iterator<Item = &'a ChargedFee> {
        let of_fee = studio.family.charged_fees.iter().filter(|old| old.fee == *self.fee);
        of_fee.filter(|old| {
            let text = old.period.as_str();
            let is_year = text.len() == 4 && text.parse::<u16>().is_ok();
            let text = if is_year { format!("{text}-01-01") } else { text.to_owned() };
            let lasts = |first: Date| first <= self.from && self.from < first.checked_add(1.year()).unwrap();
            text == self.period || self.annual && text.parse().is_ok_and(lasts)
        })
    }
}

/// The registration fees, by fee, period and student.
pub fn registration(studio: &Studio, basket: &Basket, today: Date) -> Vec<bill::Fee> {
    let debts = enrolling(studio, basket).into_iter().filter_map(|(season, student)| {
        let fee = season.registration_fee.as_ref()?;
        let RegistrationFee { id, amount, family_cap, repetition, pro_rated, tax_rate, .. } = fee;
        let (period, part) = period(season, *repetition, fee.year_begins, today);
        let full = if *pro_rated { rounded(whole(units(*amount)) * part) } else { units(*amount) };
        let from = today.max(season.starts_on);
        let annual = *repetition == Repetition::Annual;
        Some(Debt { fee: id, period, annual, from, student, season, full, cap: *family_cap, tax: tax_rate.as_ref() })
    });
    owed(studio, debts.collect(), DetailKind::RegistrationFee)
}

/// The additional fees, by fee, period and student.
pub fn additional(studio: &Studio, basket: &Basket, today: Date) -> Vec<bill::Fee> {
    let debts = enrolling(studio, basket).into_iter().flat_map(|(season, student)| {
        let (name, part) = period(season, Repetition::PerSeason, YearDay::NEW_YEAR, today);
        season.additional_fees.iter().map(move |fee| {
            let AdditionalFee { id, amount, family_cap, pro_rated, tax_rate, .. } = fee;
            let full = if *pro_rated { rounded(whole(units(*amount)) * part) } else { units(*amount) };
            let (cap, tax) = (*family_cap, tax_rate.as_ref());
            let from = today;
            Debt { fee: id, period: name.clone(), annual: false, from, student, season, full, cap, tax }
        })
    });
    owed(studio, debts.collect(), DetailKind::AdditionalFee)
}

/// Every season with every student who enrols in it, the smaller seasons first.
fn enrolling<'a>(studio: &'a Studio, basket: &'a Basket) -> Vec<(&'a Season, &'a StudentId)> {
    let pairs = basket.enrolments().iter().map(|item| (&studio.classes[&item.class].class.season, &item.student));
    let pairs: BTreeSet<_> = pairs.collect();
    pairs.into_iter().map(|(season, student)| (&studio.seasons[season], student)).collect()
}

/// A fee's period, and how much of it is left (rules 22 and 23).
fn period(season: &Season, repetition: Repetition, begins: YearDay, today: Date) -> (String, Exact) {
    let from = today.max(season.starts_on);
    let share = |first, last| Exact::new(count(days(from, last).len()), count(days(first, last).len()));
    match repetition {
        Repetition::OneOff => ("once".into(), whole(1)),
        Repetition::Annual => {
            // Back to the day on which a year begins, and on to the last before the next.
            let begins = |day: &Date| {
                let in_leap = (begins.month(), begins.day()) == (2, 29) && !day.in_leap_year();
                (day.month(), day.day()) == if in_leap { (2, 28) } else { (begins.month(), begins.day()) }
            };
            let mut first = from;
            while !begins(&first) {
                first = first.yesterday().unwrap();
            }
            let mut last = first;
            while !begins(&last.tomorrow().unwrap()) {
                last = last.tomorrow().unwrap();
            }
            (first.to_string(), share(first, last))
        }
        Repetition::PerSeason => (season.id.to_string(), share(season.starts_on, season.ends_on)),
    }
}

/// What remains of the debts: one a student and period, none that was paid before, and no more than the caps.
fn owed(studio: &Studio, debts: Vec<Debt<'_>>, kind: DetailKind) -> Vec<bill::Fee> {
    let mut once: Vec<Debt<'_>> = vec![];
    for debt in debts {
        let before = debt.charged(studio).filter(|old| old.student == *debt.student).count();
        let same = |other: &Debt<'_>| other.fee == debt.fee && other.period == debt.period;
        if before == 0 && !once.iter().any(|other| same(other) && other.student == debt.student) {
            once.push(debt);
        }
    }
    once.sort_by(|one, other| (one.fee, &one.period, one.student).cmp(&(other.fee, &other.period, other.student)));
    let fees = once.iter().map(|debt| {
        let amount = capped(studio, &once, debt);
        let (details, _) = composed(kind, amount, &[], Tax::at(studio, debt.tax));
        let (fee, student, season) = (debt.fee.to_string(), debt.student.to_string(), debt.season.id.to_string());
        bill::Fee { fee, student, season, period: debt.period.clone(), amount, details }
    });
    fees.filter(|fee| fee.amount != 0).collect()
}

/// What a student pays when all before him have paid (rule 24).
fn capped(studio: &Studio, debts: &[Debt<'_>], mine: &Debt<'_>) -> i128 {
    let Some(cap) = mine.cap else { return mine.full };
    let charged: i128 = mine.charged(studio).map(|old| units(old.amount)).sum();
    let same = debts.iter().filter(|other| other.fee == mine.fee && other.period == mine.period);
    let first = same.filter(|other| other.student < mine.student);
    let paid: i128 = first.map(|other| capped(studio, debts, other)).sum();
    mine.full.min(units(cap) - charged - paid).max(0)
}
