//! From a basket to amounts: one pure function of catalogue, family, basket and time.
//!
//! Invariant: checkout calls what the quote called, so what was quoted is what is charged, to the unit. All
//! arithmetic is integer and checked; what can't be represented is refused and never wrapped.

mod instalments;
mod payment;
mod postings;
mod quote_hash;
mod refusal;
mod tax;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime};

pub use instalments::Instalment;
pub use payment::{Charge, LARGEST_CHARGE, Payment};
pub use postings::{BookedQuote, postings};
pub use refusal::{BrokenRule, Buyer, NamedItem, Refusal};
pub use tax::{LineDetail, ShownDiscount, Taxation};

use crate::basket::{Basket, EnrolmentItem, TrialItem};
use crate::calendar;
use crate::catalogue::{PricingModel, PricingPlan, Studio};
use crate::id::{PlanId, SeasonId};
use crate::ledger::{DetailKind, Totals};
use crate::money::{Money, Overflow};
use refusal::Place;
use tax::Discount;

/// A student's place in a class on one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The basket's item.
    pub item: EnrolmentItem,
    /// The class's season.
    pub season: SeasonId,
    /// The plan it is priced on.
    pub plan: PlanId,
    /// For people: class and student.
    pub description: String,
    /// What it is made of.
    pub details: Vec<LineDetail>,
    /// Its discounts with the tax of each.
    pub discounts: Vec<ShownDiscount>,
    /// Its sums.
    pub totals: Totals,
    /// How its tax is called, if it is taxed.
    pub tax_description: Option<String>,
    /// When it is paid.
    pub instalments: Vec<Instalment>,
}

/// All the basket's lines of a season as if on one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanQuote {
    /// The plan.
    pub plan: PlanId,
    /// The lines.
    pub lines: Vec<Line>,
    /// Their sums.
    pub totals: Totals,
    /// Taxes by their description.
    pub taxes: BTreeMap<String, Money>,
    /// What of the tuition is due today.
    pub due_now: Money,
    /// What is due on which date.
    pub instalments: BTreeMap<Date, Money>,
}

/// What a season's lines cost on each of its enabled plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeasonQuote {
    /// The season.
    pub season: SeasonId,
    /// One quote for each enabled plan.
    pub plans: Vec<PlanQuote>,
}

/// A trial lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialLine {
    /// The basket's item.
    pub item: TrialItem,
    /// The class's season.
    pub season: SeasonId,
    /// What it is made of.
    pub details: Vec<LineDetail>,
    /// Its sums.
    pub totals: Totals,
}

/// A priced basket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The company's local date.
    pub today: Date,
    /// The seasons of the basket's enrolments, by id.
    pub seasons: Vec<SeasonQuote>,
    /// The lines on their plans; empty unless every plan is known.
    pub lines: Vec<Line>,
    /// The trials.
    pub trials: Vec<TrialLine>,
    /// What a checkout charges now; `None` unless every enrolment's plan is known.
    pub payment: Option<Payment>,
    /// The SHA-256, in hex, of everything that decides the price. It doesn't depend on the plans that are chosen.
    pub hash: String,
}

/// Prices a basket at `now`, the company's local date and time.
///
/// # Errors
/// The first rule that the basket breaks, with the items that break it.
pub fn quote(studio: &Studio, basket: &Basket, now: DateTime, buyer: Buyer) -> Result<Quote, Refusal> {
    let places = refusal::check(studio, basket, now, buyer)?;
    price(studio, &places, now.date()).map_err(|Overflow| Refusal::of_basket(BrokenRule::AmountTooLarge))
}

fn price(studio: &Studio, places: &[Place<'_>], today: Date) -> Result<Quote, Overflow> {
    let trials = places.iter().filter_map(|place| trial_line(studio, place)).collect::<Result<Vec<_>, _>>()?;
    let season_ids: BTreeSet<_> = places.iter().filter(|p| p.enrolment().is_some()).map(|p| &p.season.id).collect();
    let seasons = season_ids
        .into_iter()
        .map(|season| season_quote(studio, places, season, today))
        .collect::<Result<Vec<_>, _>>()?;
    let hash = quote_hash::of(&studio.company, &seasons, &trials, today);
    let enrolments = || places.iter().filter_map(|place| place.enrolment().map(|item| (place, item)));
    let known = enrolments().all(|(place, _)| place.plan().is_some());
    let lines = if known {
        let chosen = enrolments().filter_map(|(place, item)| place.plan().map(|plan| (place, item, plan)));
        chosen.map(|(place, item, plan)| line(studio, place, item, plan, today)).collect::<Result<Vec<_>, _>>()?
    } else {
        Vec::new()
    };
    let payment = if known { Some(Payment::of(&studio.company, &lines, &trials, today)?) } else { None };
    Ok(Quote { today, seasons, lines, trials, payment, hash })
}

fn season_quote(studio: &Studio, places: &[Place<'_>], id: &SeasonId, today: Date) -> Result<SeasonQuote, Overflow> {
    let of_season = || places.iter().filter(|place| place.season.id == *id);
    let plans = of_season().next().into_iter().flat_map(|place| place.season.enabled_plans());
    let plans = plans
        .map(|plan| {
            let lines = of_season()
                .filter_map(|place| place.enrolment().map(|item| line(studio, place, item, plan, today)))
                .collect::<Result<Vec<_>, _>>()?;
            plan_quote(plan, lines, today)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(SeasonQuote { season: id.clone(), plans })
}

fn plan_quote(plan: &PricingPlan, lines: Vec<Line>, today: Date) -> Result<PlanQuote, Overflow> {
    let mut taxes: BTreeMap<String, Money> = BTreeMap::new();
    let mut instalments: BTreeMap<Date, Money> = BTreeMap::new();
    for line in &lines {
        if let Some(description) = &line.tax_description {
            let sum = taxes.entry(description.clone()).or_default();
            *sum = sum.plus(line.totals.tax_total)?;
        }
        for instalment in line.instalments.iter().filter(|i| !i.amount.is_zero()) {
            let sum = instalments.entry(instalment.on).or_default();
            *sum = sum.plus(instalment.amount)?;
        }
    }
    let details = lines.iter().flat_map(|line| &line.details);
    let totals = Totals::of(details.map(|d| (d.kind, d.amount)))?;
    let due_now = instalments.get(&today).copied().unwrap_or_default();
    Ok(PlanQuote { plan: plan.id.clone(), lines, totals, taxes, due_now, instalments })
}

fn line(
    studio: &Studio,
    place: &Place<'_>,
    item: &EnrolmentItem,
    plan: &PricingPlan,
    today: Date,
) -> Result<Line, Overflow> {
    let class = place.class();
    let units = match place.season.pricing_model {
        PricingModel::PerLesson => place.lessons_left.len(),
        PricingModel::PerMonth => calendar::calendar_months(&place.lessons_left),
        PricingModel::PerSeason => 1,
    };
    let base = class.price.times(units)?;
    let off = plan.discount.of(base)?;
    let discounts = if off.is_zero() {
        vec![]
    } else {
        let description = format!("Plan discount {}%", plan.discount.to_shortest());
        vec![Discount { description, amount: off, plan: plan.id.clone() }]
    };
    let taxation = Taxation::of_class(studio, class);
    let description = format!("{}, {}", class.name, place.student.name);
    let priced = tax::compose(DetailKind::Tuition, &description, base, &discounts, taxation.as_ref())?;
    Ok(Line {
        item: item.clone(),
        season: place.season.id.clone(),
        plan: plan.id.clone(),
        totals: Totals::of(priced.details.iter().map(|d| (d.kind, d.amount)))?,
        tax_description: taxation.as_ref().map(Taxation::description),
        instalments: instalments::instalments(&priced.details, &calendar::payment_dates(plan, today))?,
        details: priced.details,
        discounts: priced.discounts,
        description,
    })
}

fn trial_line(studio: &Studio, place: &Place<'_>) -> Option<Result<TrialLine, Overflow>> {
    let item = place.trial()?;
    let taxation = Taxation::of_class(studio, place.class());
    let description = format!("Trial of {} on {}, {}", place.class().name, item.on, place.student.name);
    let priced = tax::compose(DetailKind::Trial, &description, studio.company.trials.price, &[], taxation.as_ref());
    Some(priced.and_then(|priced| {
        Ok(TrialLine {
            item: item.clone(),
            season: place.season.id.clone(),
            totals: Totals::of(priced.details.iter().map(|d| (d.kind, d.amount)))?,
            details: priced.details,
        })
    }))
}
