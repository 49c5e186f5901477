//! Registration fees and a season's additional fees (rules 22 to 26).
//!
//! Invariant: no student pays a fee twice in a period, and no family more than its cap, what was charged before
//! included.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::catalogue::{AdditionalFee, FeePeriod, RegistrationFee, Repetition, Season, Studio};
use crate::id::{FeeId, SeasonId, StudentId, TaxRateId};
use crate::ledger::{DetailKind, Totals};
use crate::money::{Money, Overflow};
use crate::pricing::place::Place;
use crate::pricing::tax::{self, LineDetail, Taxation};

/// A fee that a basket makes due for one student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeLine {
    /// The fee.
    pub fee: FeeId,
    /// Who.
    pub student: StudentId,
    /// The season that it belongs to.
    pub season: SeasonId,
    /// What it is charged for.
    pub period: FeePeriod,
    /// Before exclusive tax: what counts against the family's cap.
    pub amount: Money,
    /// For people: the fee's name.
    pub name: String,
    /// What it is made of.
    pub details: Vec<LineDetail>,
    /// Its sums.
    pub totals: Totals,
}

/// A fee with what all students pay of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeSum {
    /// The fee.
    pub fee: FeeId,
    /// Its name.
    pub name: String,
    /// The sums of its lines.
    pub totals: Totals,
}

/// The sums of each fee: its tax is that of its lines, not that of its sum (rule 26).
pub(super) fn sums(lines: &[FeeLine]) -> Result<Vec<FeeSum>, Overflow> {
    let by_fee = lines.chunk_by(|one, next| one.fee == next.fee);
    let sum = |lines: &[FeeLine]| {
        let details = lines.iter().flat_map(|line| &line.details).map(|d| (d.kind, d.amount));
        let first = lines.first().map(|line| (line.fee.clone(), line.name.clone()));
        first.map(|(fee, name)| Ok(FeeSum { fee, name, totals: Totals::of(details)? }))
    };
    by_fee.filter_map(sum).collect()
}

/// A fee that students of a season owe, whichever kind it is.
#[derive(Debug, Clone, Copy)]
struct Fee<'a> {
    kind: DetailKind,
    id: &'a FeeId,
    name: &'a str,
    amount: Money,
    family_cap: Option<Money>,
    repetition: Repetition,
    pro_rated: bool,
    tax_rate: Option<&'a TaxRateId>,
}

impl<'a> From<&'a RegistrationFee> for Fee<'a> {
    fn from(fee: &'a RegistrationFee) -> Self {
        Self {
            kind: DetailKind::RegistrationFee,
            id: &fee.id,
            name: &fee.name,
            amount: fee.amount,
            family_cap: fee.family_cap,
            repetition: fee.repetition,
            pro_rated: fee.pro_rated,
            tax_rate: fee.tax_rate.as_ref(),
        }
    }
}

/// It is like a registration fee once a season (rule 25).
impl<'a> From<&'a AdditionalFee> for Fee<'a> {
    fn from(fee: &'a AdditionalFee) -> Self {
        Self {
            kind: DetailKind::AdditionalFee,
            id: &fee.id,
            name: &fee.description,
            amount: fee.amount,
            family_cap: fee.family_cap,
            repetition: Repetition::PerSeason,
            pro_rated: fee.pro_rated,
            tax_rate: fee.tax_rate.as_ref(),
        }
    }
}

/// The registration fees that a basket makes due: by fee, period and student.
pub(super) fn registration_fees(studio: &Studio, places: &[Place<'_>], today: Date) -> Result<Vec<FeeLine>, Overflow> {
    due(studio, places, today, |season| season.registration_fee.iter().map(Fee::from).collect())
}

/// The additional fees that a basket makes due: by fee, period and student.
pub(super) fn additional_fees(studio: &Studio, places: &[Place<'_>], today: Date) -> Result<Vec<FeeLine>, Overflow> {
    due(studio, places, today, |season| season.additional_fees.iter().map(Fee::from).collect())
}

/// Who owes a fee, and by which season.
type Owed<'a> = BTreeMap<(&'a FeeId, FeePeriod), BTreeMap<&'a StudentId, (Fee<'a>, &'a Place<'a>)>>;

fn due<'a>(
    studio: &Studio,
    places: &'a [Place<'a>],
    today: Date,
    fees_of: impl Fn(&'a Season) -> Vec<Fee<'a>>,
) -> Result<Vec<FeeLine>, Overflow> {
    // A fee that seasons share belongs to the smallest season's id, so the first that owes it stays (rule 24).
    let mut enrolling: Vec<_> = places.iter().filter(|place| place.enrolment().is_some()).collect();
    enrolling.sort_by_key(|place| (&place.season.id, &place.student.id));
    let mut owed = Owed::new();
    for place in enrolling {
        for fee in fees_of(place.season) {
            let period = period(fee.repetition, place.season, today);
            owed.entry((fee.id, period)).or_default().entry(&place.student.id).or_insert((fee, place));
        }
    }
    let mut lines = Vec::new();
    for ((id, period), students) in owed {
        let of_period = |charged: &&crate::catalogue::ChargedFee| charged.fee == *id && charged.period == period;
        let before = || studio.family.charged_fees.iter().filter(of_period);
        let charged: BTreeSet<_> = before().map(|charged| &charged.student).collect();
        let mut charged_amount = Money::sum(before().map(|charged| charged.amount))?;
        for (student, (fee, place)) in students.into_iter().filter(|(student, _)| !charged.contains(student)) {
            let mut amount = prorated(fee, place.season, today)?;
            if let Some(cap) = fee.family_cap {
                amount = amount.min(cap.minus(charged_amount)?.max(Money::ZERO));
            }
            if amount.is_zero() {
                continue;
            }
            charged_amount = charged_amount.plus(amount)?;
            let taxation = Taxation::at(studio, fee.tax_rate);
            let description = format!("{}, {}", fee.name, place.student.name).into();
            let priced = tax::compose(fee.kind, &description, amount, &[], taxation.as_ref())?;
            lines.push(FeeLine {
                fee: id.clone(),
                student: student.clone(),
                season: place.season.id.clone(),
                period: period.clone(),
                amount,
                name: fee.name.to_owned(),
                totals: Totals::of(priced.details.iter().map(|d| (d.kind, d.amount)))?,
                details: priced.details,
            });
        }
    }
    Ok(lines)
}

/// The day from which a season's fees count.
fn from(season: &Season, today: Date) -> Date {
    today.max(season.starts_on)
}

fn period(repetition: Repetition, season: &Season, today: Date) -> FeePeriod {
    match repetition {
        Repetition::OneOff => FeePeriod::once(),
        Repetition::Annual => FeePeriod::year(from(season, today).year()),
        Repetition::PerSeason => FeePeriod::season(&season.id),
    }
}

/// What is left of a fee's period (rule 23).
fn prorated(fee: Fee<'_>, season: &Season, today: Date) -> Result<Money, Overflow> {
    let from = from(season, today);
    let (first, last) = match fee.repetition {
        _ if !fee.pro_rated => return Ok(fee.amount),
        Repetition::OneOff => return Ok(fee.amount),
        Repetition::Annual => (from.first_of_year(), from.last_of_year()),
        Repetition::PerSeason => (season.starts_on, season.ends_on),
    };
    fee.amount.fraction(days(from, last), days(first, last))
}

/// How many days, both ends included.
fn days(first: Date, last: Date) -> usize {
    let between = first.until(last).map_or(-1, |span| span.get_days());
    usize::try_from(between).map_or(0, |days| days.saturating_add(1))
}
