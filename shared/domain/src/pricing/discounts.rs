//! Discounts given by schemes (rules 10 to 14).
//!
//! Invariant: a scheme is computed on a line's base, not on what earlier schemes have left of it. It takes no more than
//! they have left.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Application, DiscountKind, DiscountScheme, Enrolment, Off, Season, Studio};
use crate::id::StudentId;
use crate::money::{Money, Overflow};
use crate::pricing::tax::{Discount, Giver};
use crate::pricing::tuition::Tuition;

/// Adds the discounts of the studio's schemes to every line, in the order of their kinds.
pub(super) fn apply(studio: &Studio, season: &Season, lines: &mut [Tuition<'_>]) -> Result<(), Overflow> {
    for (kind, scheme) in &studio.discount_schemes {
        let ranks = match kind {
            DiscountKind::StudentsOfFamily => students_of_family(studio, season, lines)?,
            DiscountKind::ClassesOfStudent => classes_of_student(studio, season, lines),
            DiscountKind::ClassesOfFamily => classes_of_family(studio, season, lines),
        };
        for (line, rank) in lines.iter_mut().zip(ranks) {
            if let Some(rank) = rank {
                take_off(scheme, rank, line)?;
            }
        }
    }
    Ok(())
}

/// The position of a line in its group.
#[derive(Debug, Clone, Copy)]
struct Rank {
    /// Counted from one.
    position: usize,
    /// The number of members in the group.
    members: usize,
}

fn take_off(scheme: &DiscountScheme, rank: Rank, line: &mut Tuition<'_>) -> Result<(), Overflow> {
    let quantity = match scheme.application {
        Application::TotalTuition => rank.members,
        Application::IndividualItem => rank.position,
    };
    let Some(off) = scheme.tier(quantity) else { return Ok(()) };
    let wanted = match off {
        Off::Percent(percent) => percent.of(line.base)?,
        Off::Fixed(amount) => amount.fraction(line.units, line.units_in_all)?,
    };
    let taken = Money::sum(line.discounts.iter().map(|discount| discount.amount))?;
    let amount = wanted.min(line.base.minus(taken)?);
    if !amount.is_zero() {
        let description = scheme.name.clone();
        line.discounts.push(Discount { description, amount, giver: Giver::Scheme(scheme.id.clone()) });
    }
    Ok(())
}

/// Live enrolments of the season that schemes count. Enrolments of archived students don't count.
fn live<'a>(studio: &'a Studio, season: &'a Season) -> impl Iterator<Item = &'a Enrolment> {
    let students = &studio.family.students;
    let counts = move |e: &&Enrolment| {
        e.season == season.id
            && e.discountable
            && students.get(&e.student).is_some_and(|s| s.discountable && !s.archived)
    };
    studio.family.enrolments.iter().filter(counts)
}

/// Indices of the lines that count, the highest price first; ties by student, then class (rule 12).
fn dearest_first(lines: &[Tuition<'_>]) -> Vec<usize> {
    let mut counted: Vec<_> = lines.iter().enumerate().filter(|(_, line)| line.counts()).collect();
    counted.sort_by_key(|(_, line)| (Reverse(line.base), &line.item.student, &line.item.class));
    counted.into_iter().map(|(index, _)| index).collect()
}

fn classes_of_family(studio: &Studio, season: &Season, lines: &[Tuition<'_>]) -> Vec<Option<Rank>> {
    let live = live(studio, season).count();
    let order = dearest_first(lines);
    let members = live.saturating_add(order.len());
    let mut ranks = vec![None; lines.len()];
    for (index, position) in order.into_iter().zip(live.saturating_add(1)..) {
        if let Some(rank) = ranks.get_mut(index) {
            *rank = Some(Rank { position, members });
        }
    }
    ranks
}

fn classes_of_student(studio: &Studio, season: &Season, lines: &[Tuition<'_>]) -> Vec<Option<Rank>> {
    let mut counts: BTreeMap<&StudentId, usize> = BTreeMap::new();
    for enrolment in live(studio, season) {
        let count = counts.entry(&enrolment.student).or_default();
        *count = count.saturating_add(1);
    }
    let mut ranks = vec![None; lines.len()];
    for index in dearest_first(lines) {
        if let (Some(line), Some(rank)) = (lines.get(index), ranks.get_mut(index)) {
            let count = counts.entry(&line.item.student).or_default();
            *count = count.saturating_add(1);
            *rank = Some(Rank { position: *count, members: 0 });
        }
    }
    for (line, rank) in lines.iter().zip(&mut ranks) {
        if let Some(rank) = rank {
            rank.members = counts.get(&line.item.student).copied().unwrap_or_default();
        }
    }
    ranks
}

fn students_of_family(studio: &Studio, season: &Season, lines: &[Tuition<'_>]) -> Result<Vec<Option<Rank>>, Overflow> {
    let live: BTreeSet<_> = live(studio, season).map(|enrolment| &enrolment.student).collect();
    let mut sums: BTreeMap<&StudentId, Money> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.counts()) {
        let sum = sums.entry(&line.item.student).or_default();
        *sum = sum.plus(line.base)?;
    }
    let mut joining: Vec<_> = sums.iter().filter(|(student, _)| !live.contains(*student)).collect();
    joining.sort_by_key(|(student, sum)| (Reverse(**sum), **student));
    let order = live.iter().copied().chain(joining.into_iter().map(|(student, _)| *student));
    let positions: BTreeMap<_, _> = order.zip(1..).collect();
    let members = positions.len();
    let rank = |line: &Tuition<'_>| {
        let position = positions.get(&line.item.student).copied().filter(|_| line.counts());
        position.map(|position| Rank { position, members })
    };
    Ok(lines.iter().map(rank).collect())
}
