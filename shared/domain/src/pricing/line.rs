//! Priced lines: an enrolment on a plan, and a trial.
//!
//! Invariant: the details of a line sum to its total, and so do its instalments.

use std::sync::Arc;

use jiff::civil::Date;

use crate::basket::{EnrolmentItem, TrialItem};
use crate::calendar;
use crate::catalogue::{PricingPlan, Studio};
use crate::id::{PlanId, SeasonId};
use crate::ledger::{DetailKind, Totals};
use crate::money::{Money, Overflow};
use crate::pricing::instalments::{self, Instalment};
use crate::pricing::resolved_item::ResolvedItem;
use crate::pricing::tax::{self, Discount, Giver, LineDetail, ShownDiscount, Taxation};
use crate::pricing::tuition::Tuition;

/// A student's enrolment in a class, priced on one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The basket's item.
    pub item: EnrolmentItem,
    /// The class's season.
    pub season: SeasonId,
    /// Whether discount schemes count the class.
    pub discountable: bool,
    /// The plan it is priced on.
    pub plan: PlanId,
    /// Text shown to people: class and student.
    pub description: Arc<str>,
    /// Its details.
    pub details: Vec<LineDetail>,
    /// Its discounts with the tax of each.
    pub discounts: Vec<ShownDiscount>,
    /// Its sums.
    pub totals: Totals,
    /// The description of its tax, if it is taxed.
    pub tax_description: Option<Arc<str>>,
    /// Its instalments.
    pub instalments: Vec<Instalment>,
}

impl Line {
    /// The plan or scheme that one of its details is about (rule 33).
    #[must_use]
    pub fn given_by<'a>(&'a self, detail: &'a LineDetail) -> &'a str {
        match &detail.giver {
            Some(Giver::Scheme(scheme)) => scheme.as_str(),
            Some(Giver::Plan(plan)) => plan.as_str(),
            None => self.plan.as_str(),
        }
    }
}

/// A trial lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialLine {
    /// The basket's item.
    pub item: TrialItem,
    /// The class's season.
    pub season: SeasonId,
    /// Its details.
    pub details: Vec<LineDetail>,
    /// Its sums.
    pub totals: Totals,
}

/// A plan with its dates for a family that joins today.
#[derive(Debug)]
pub(super) struct Joined<'a> {
    plan: &'a PricingPlan,
    dates: Vec<Date>,
    /// Text shown to people: the description of the plan's discount.
    discount: Arc<str>,
}

impl<'a> Joined<'a> {
    pub fn on(plan: &'a PricingPlan, today: Date) -> Self {
        let discount = format!("Plan discount {}%", plan.discount.to_shortest()).into();
        Self { plan, dates: calendar::payment_dates(plan, today), discount }
    }
}

impl Joined<'_> {
    pub fn into_dates(self) -> Vec<Date> {
        self.dates
    }
}

/// An enrolment on a plan, whose discount is applied last (rule 15).
pub(super) fn line(studio: &Studio, tuition: &Tuition<'_>, joined: &Joined<'_>) -> Result<Line, Overflow> {
    let Tuition { resolved, item, description, base, discounts, .. } = tuition;
    let plan = joined.plan;
    let mut discounts = discounts.clone();
    let off = Money::sum(discounts.iter().map(|discount| discount.amount))?;
    let amount = plan.discount.of(base.minus(off)?)?;
    if !amount.is_zero() {
        let description = Arc::clone(&joined.discount);
        discounts.push(Discount { description, amount, giver: Giver::Plan(plan.id.clone()) });
    }
    let class = resolved.class();
    let taxation = Taxation::at(studio, class.tax_rate.as_ref());
    let priced = tax::compose(DetailKind::Tuition, description, *base, &discounts, taxation.as_ref())?;
    Ok(Line {
        item: (*item).clone(),
        season: resolved.season.id.clone(),
        discountable: class.discountable,
        plan: plan.id.clone(),
        totals: Totals::of(priced.details.iter().map(|d| (d.kind, d.amount)))?,
        tax_description: taxation.as_ref().map(Taxation::description),
        instalments: instalments::instalments(&priced.details, &joined.dates)?,
        details: priced.details,
        discounts: priced.discounts,
        description: Arc::clone(description),
    })
}

/// A trial, if the item is one (rule 29).
pub(super) fn trial_line(studio: &Studio, resolved: &ResolvedItem<'_>) -> Option<Result<TrialLine, Overflow>> {
    let item = resolved.trial()?;
    let taxation = Taxation::at(studio, resolved.class().tax_rate.as_ref());
    let description = format!("Trial of {} on {}, {}", resolved.class().name, item.on, resolved.student.name).into();
    let priced = tax::compose(DetailKind::Trial, &description, studio.company.trials.price, &[], taxation.as_ref());
    Some(priced.and_then(|priced| {
        Ok(TrialLine {
            item: item.clone(),
            season: resolved.season.id.clone(),
            totals: Totals::of(priced.details.iter().map(|d| (d.kind, d.amount)))?,
            details: priced.details,
        })
    }))
}
