//! Registration fees and a season's additional fees (rules 22 to 26).
//!
//! Invariant: no student pays a fee twice in a period, and no family pays more than its cap, including what was charged
//! before.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::calendar::YearDay;
use crate::catalogue::{AdditionalFee, ChargedFee, FeePeriod, RegistrationFee, Repetition, Season, Studio};
use crate::id::{FeeId, SeasonId, StudentId, TaxRateId};
use crate::ledger::{DetailKind, Totals};
use crate::money::{Money, Overflow};
use crate::pricing::resolved_item::ResolvedItem;
use crate::pricing::tax::{self, LineDetail, Taxation};

/// A fee that becomes due for one student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeLine {
    /// The fee.
    pub fee: FeeId,
    /// Who.
    pub student: StudentId,
    /// The season to which it belongs.
    pub season: SeasonId,
    /// The period it is charged for.
    pub period: FeePeriod,
    /// The first and the last day of the period; `None` if it has no end.
    pub days: Option<(Date, Date)>,
    /// The amount before exclusive tax, which counts towards the family's cap.
    pub amount: Money,
    /// Text shown to people: the fee's name.
    pub name: String,
    /// Its details.
    pub details: Vec<LineDetail>,
    /// Its sums.
    pub totals: Totals,
}

/// A fee, with the sum that all students pay of it for a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeSum {
    /// The fee.
    pub fee: FeeId,
    /// The first and the last day of the period; `None` if it has no end.
    pub days: Option<(Date, Date)>,
    /// Its name.
    pub name: String,
    /// The sums of its lines.
    pub totals: Totals,
}

/// The sums of each fee and period. The tax is the sum of the lines' taxes, not the tax on their sum (rule 26).
pub(super) fn sums(lines: &[FeeLine]) -> Result<Vec<FeeSum>, Overflow> {
    let by_fee = lines.chunk_by(|one, next| (&one.fee, &one.period) == (&next.fee, &next.period));
    let sum = |lines: &[FeeLine]| {
        let details = lines.iter().flat_map(|line| &line.details).map(|d| (d.kind, d.amount));
        let first = lines.first().map(|line| (line.fee.clone(), line.name.clone(), line.days));
        first.map(|(fee, name, days)| Ok(FeeSum { fee, name, days, totals: Totals::of(details)? }))
    };
    by_fee.filter_map(sum).collect()
}

/// A fee that students of a season owe, of either kind.
#[derive(Debug, Clone, Copy)]
struct Fee<'a> {
    kind: DetailKind,
    id: &'a FeeId,
    name: &'a str,
    amount: Money,
    family_cap: Option<Money>,
    repetition: Repetition,
    year_begins: YearDay,
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
            year_begins: fee.year_begins,
            pro_rated: fee.pro_rated,
            tax_rate: fee.tax_rate.as_ref(),
        }
    }
}

/// An additional fee behaves like a registration fee once per season (rule 25).
impl<'a> From<&'a AdditionalFee> for Fee<'a> {
    fn from(fee: &'a AdditionalFee) -> Self {
        Self {
            kind: DetailKind::AdditionalFee,
            id: &fee.id,
            name: &fee.description,
            amount: fee.amount,
            family_cap: fee.family_cap,
            repetition: Repetition::PerSeason,
            year_begins: YearDay::NEW_YEAR,
            pro_rated: fee.pro_rated,
            tax_rate: fee.tax_rate.as_ref(),
        }
    }
}

/// The registration fees that become due with a basket, by fee, period and student.
pub(super) fn registration_fees(
    studio: &Studio,
    items: &[ResolvedItem<'_>],
    today: Date,
) -> Result<Vec<FeeLine>, Overflow> {
    due(studio, items, today, |season| season.registration_fee.iter().map(Fee::from).collect())
}

/// The additional fees that become due with a basket, by fee, period and student.
pub(super) fn additional_fees(
    studio: &Studio,
    items: &[ResolvedItem<'_>],
    today: Date,
) -> Result<Vec<FeeLine>, Overflow> {
    due(studio, items, today, |season| season.additional_fees.iter().map(Fee::from).collect())
}

/// A fee that a student owes on enrolling in a season.
#[derive(Debug)]
struct Debt<'a> {
    fee: Fee<'a>,
    item: &'a ResolvedItem<'a>,
    period: Period,
    /// What the family has already been charged of this fee, by any student.
    charged: Money,
}

/// The students who owe a fee for a period.
type Owed<'a> = BTreeMap<(&'a FeeId, FeePeriod), BTreeMap<&'a StudentId, Debt<'a>>>;

fn due<'a>(
    studio: &Studio,
    items: &'a [ResolvedItem<'a>],
    today: Date,
    fees_of: impl Fn(&'a Season) -> Vec<Fee<'a>>,
) -> Result<Vec<FeeLine>, Overflow> {
    // If seasons share a fee, it belongs to the season with the smallest id, so the first one stays (rule 24).
    let mut enrolling: Vec<_> = items.iter().filter(|item| item.enrolment().is_some()).collect();
    enrolling.sort_by_key(|item| (&item.season.id, &item.student.id));
    let mut owed = Owed::new();
    for item in enrolling {
        for fee in fees_of(item.season) {
            let period = Period::of(fee, item.season, today);
            let before: Vec<_> = studio.family.charged_fees.iter().filter(|it| period.covers(fee, it)).collect();
            if before.iter().any(|charged| charged.student == item.student.id) {
                continue;
            }
            let charged = Money::sum(before.iter().map(|charged| charged.amount))?;
            let of_period = owed.entry((fee.id, period.name.clone())).or_default();
            of_period.entry(&item.student.id).or_insert(Debt { fee, item, period, charged });
        }
    }
    let mut lines = Vec::new();
    for debts in owed.into_values() {
        let mut due = Money::ZERO;
        for debt in debts.into_values() {
            let line = debt.line(studio, due)?;
            due = due.plus(line.amount)?;
            if !line.amount.is_zero() {
                lines.push(line);
            }
        }
    }
    Ok(lines)
}

impl Debt<'_> {
    /// The amount charged, given what other students already owe of the fee (rule 24).
    fn line(self, studio: &Studio, due: Money) -> Result<FeeLine, Overflow> {
        let Self { fee, item, period, charged } = self;
        let mut amount = period.part(fee)?;
        if let Some(cap) = fee.family_cap {
            amount = amount.min(cap.minus(charged)?.minus(due)?.max(Money::ZERO));
        }
        let taxation = Taxation::at(studio, fee.tax_rate);
        let description = format!("{}, {}", fee.name, item.student.name).into();
        let priced = tax::compose(fee.kind, &description, amount, &[], taxation.as_ref())?;
        Ok(FeeLine {
            fee: fee.id.clone(),
            student: item.student.id.clone(),
            season: item.season.id.clone(),
            period: period.name,
            days: period.days,
            amount,
            name: fee.name.to_owned(),
            totals: Totals::of(priced.details.iter().map(|d| (d.kind, d.amount)))?,
            details: priced.details,
        })
    }
}

/// The period of a fee in which a student begins (rule 22).
#[derive(Debug)]
struct Period {
    name: FeePeriod,
    /// The day from which the fee counts: today, or the season's first day.
    from: Date,
    /// The first and the last day of the period; `None` if it has no end.
    days: Option<(Date, Date)>,
}

impl Period {
    fn of(fee: Fee<'_>, season: &Season, today: Date) -> Self {
        let from = today.max(season.starts_on);
        let (name, days) = match fee.repetition {
            Repetition::OneOff => (FeePeriod::once(), None),
            Repetition::Annual => {
                let (first, last) = fee.year_begins.year_of(from);
                (FeePeriod::year(first), Some((first, last)))
            }
            Repetition::PerSeason => (FeePeriod::season(&season.id), Some((season.starts_on, season.ends_on))),
        };
        Self { name, from, days }
    }

    /// Whether a charge was for this fee and period. An annual charge keeps the year for which it was made, even if the
    /// fee's year now begins on another day.
    fn covers(&self, fee: Fee<'_>, charged: &ChargedFee) -> bool {
        let same = charged.period == self.name;
        charged.fee == *fee.id && (same || fee.repetition == Repetition::Annual && charged.period.has_day(self.from))
    }

    /// The part of the fee for the rest of the period (rule 23).
    fn part(&self, fee: Fee<'_>) -> Result<Money, Overflow> {
        match self.days {
            Some((first, last)) if fee.pro_rated => fee.amount.fraction(count(self.from, last), count(first, last)),
            Some(_) | None => Ok(fee.amount),
        }
    }
}

/// The number of days, both ends included.
fn count(first: Date, last: Date) -> usize {
    let between = first.until(last).map_or(-1, |span| span.get_days());
    usize::try_from(between).map_or(0, |days| days.saturating_add(1))
}
