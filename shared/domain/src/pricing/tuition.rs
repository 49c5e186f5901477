//! What the enrolments of a season cost before discounts and tax, on any plan (rules 7 to 9).
//!
//! Invariant: a line's base is never negative.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use crate::basket::EnrolmentItem;
use crate::calendar;
use crate::catalogue::{PricingModel, PricingScheme, QuantityPrices, Season, Studio};
use crate::id::{ClassId, StudentId};
use crate::money::{Money, Overflow, split};
use crate::pricing::resolved_item::ResolvedItem;
use crate::pricing::tax::Discount;

/// An enrolment before it is priced on a plan.
#[derive(Debug)]
pub(super) struct Tuition<'a> {
    pub resolved: &'a ResolvedItem<'a>,
    pub item: &'a EnrolmentItem,
    /// Text shown to people: class and student.
    pub description: Arc<str>,
    /// The remaining units, in the season's pricing model (rule 7).
    pub units: usize,
    /// All units, remaining or past.
    pub units_in_all: usize,
    /// The price before discounts and exclusive tax.
    pub base: Money,
    /// Discounts by schemes in the order of application; positive, and never more than the base. Empty at first.
    pub discounts: Vec<Discount>,
}

impl Tuition<'_> {
    /// Whether discount schemes count it (rule 10).
    pub fn counts(&self) -> bool {
        self.resolved.class().discountable && self.resolved.student.discountable
    }
}

/// The enrolments of one season, in the order of the basket.
pub(super) fn of_season<'a>(
    studio: &Studio,
    season: &Season,
    items: impl Iterator<Item = &'a ResolvedItem<'a>>,
) -> Result<Vec<Tuition<'a>>, Overflow> {
    let enrolments = items.filter_map(|resolved| resolved.enrolment().map(|item| (resolved, item)));
    let line = |(resolved, item): (&'a ResolvedItem<'a>, _)| {
        let description = format!("{}, {}", resolved.class().name, resolved.student.name).into();
        Tuition {
            resolved,
            item,
            description,
            units: units(season.pricing_model, &resolved.lessons_to_pay()),
            units_in_all: units(season.pricing_model, &resolved.lessons.all),
            base: Money::ZERO,
            discounts: Vec::new(),
        }
    };
    let mut lines: Vec<_> = enrolments.map(line).collect();
    match &season.pricing_scheme {
        PricingScheme::ClassPrice => {
            for line in &mut lines {
                line.base = line.resolved.class().price.times(line.units)?;
            }
        }
        PricingScheme::ClassQuantity(prices) => price_by_quantity(studio, season, prices, &mut lines)?,
    }
    Ok(lines)
}

/// The number of units in these lessons (rule 7).
fn units(model: PricingModel, lessons: &[Date]) -> usize {
    match model {
        PricingModel::PerLesson => lessons.len(),
        PricingModel::PerMonth => calendar::calendar_months(lessons),
        PricingModel::PerSeason => 1,
    }
}

/// The extra cost of a student's classes over those they already have, in equal parts (rule 9).
fn price_by_quantity(
    studio: &Studio,
    season: &Season,
    prices: &QuantityPrices,
    lines: &mut [Tuition<'_>],
) -> Result<(), Overflow> {
    let mut of_student: BTreeMap<&StudentId, Vec<(&ClassId, &mut Tuition<'_>)>> = BTreeMap::new();
    for line in lines.iter_mut() {
        let item = line.item;
        of_student.entry(&item.student).or_default().push((&item.class, line));
    }
    for (student, mut lines) in of_student {
        let live = studio.family.enrolments.iter().filter(|e| e.season == season.id && e.student == *student).count();
        let more = prices.of(live.saturating_add(lines.len())).minus(prices.of(live))?.max(Money::ZERO);
        lines.sort_by_key(|(class, _)| *class);
        let shares = split(more, lines.len());
        for ((_, line), share) in lines.into_iter().zip(shares) {
            line.base = share.times(line.units)?;
        }
    }
    Ok(())
}
