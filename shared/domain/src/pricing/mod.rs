//! Pricing: one pure function from catalogue, family, basket and time to amounts.
//!
//! Read in this order: this module (the whole), [`resolved_item`] (what the items refer to), [`refusal`] (why a basket
//! can't be sold), [`tuition`] and [`discounts`] (what the enrolments of a season cost), [`tax`], [`instalments`] and
//! [`mod@line`] (one enrolment on one plan), [`fees`], [`payment`] (what is due now), [`mod@postings`] (what a checkout
//! writes).
//!
//! Checkout calls the same function as the quote, so a family is charged exactly what was quoted. All arithmetic is on
//! integers and checked: an amount that can't be represented is refused, never wrapped.

mod discounts;
mod fees;
mod instalments;
mod line;
mod payment;
mod postings;
mod quote_hash;
mod refusal;
mod resolved_item;
mod tax;
mod tuition;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};

pub use fees::{FeeLine, FeeSum};
pub use instalments::Instalment;
pub use line::{Line, TrialLine};
pub use payment::{Charge, LARGEST_CHARGE, Payment};
pub use postings::{BookedQuote, postings};
pub use refusal::{BrokenRule, Buyer, NamedItem, NoTrial, Refusal};
pub use resolved_item::{ResolvedItem, resolve};
pub use tax::{Giver, LineDetail, ShownDiscount, Taxation};

use crate::basket::{BASKET_MAX_ITEMS, Basket};
use crate::catalogue::{PricingPlan, Season, Studio, TrialBooking};
use crate::id::{PlanId, SeasonId};
use crate::ledger::Totals;
use crate::money::{Money, Overflow};
use line::{Joined, line, trial_line};
use tuition::Tuition;

/// All of the basket's lines of a season, priced on one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanQuote {
    /// The plan.
    pub plan: PlanId,
    /// When a family that joins today pays.
    pub dates: Vec<Date>,
    /// The lines.
    pub lines: Vec<Line>,
    /// Their sums.
    pub totals: Totals,
    /// Taxes by their description.
    pub taxes: BTreeMap<Arc<str>, Money>,
    /// The part of the tuition that is due today.
    pub due_now: Money,
    /// The amount due on each date.
    pub instalments: BTreeMap<Date, Money>,
}

/// The price of a season's lines on each of its enabled plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeasonQuote {
    /// The season.
    pub season: SeasonId,
    /// One quote for each enabled plan.
    pub plans: Vec<PlanQuote>,
}

/// A priced basket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The company's local date.
    pub today: Date,
    /// The seasons of the basket's enrolments, by id.
    pub seasons: Vec<SeasonQuote>,
    /// The lines on their chosen plans; empty unless every plan is known.
    pub lines: Vec<Line>,
    /// The registration fees, by fee, period and student.
    pub registration_fees: Vec<FeeLine>,
    /// Each registration fee with the sum that all students pay of it.
    pub registration_fees_in_sum: Vec<FeeSum>,
    /// The seasons' additional fees, by fee, period and student.
    pub additional_fees: Vec<FeeLine>,
    /// The trials.
    pub trials: Vec<TrialLine>,
    /// Trials that end because their students enrol before the lesson, in the order of the basket.
    pub ended_trials: Vec<TrialBooking>,
    /// What a checkout charges now; `None` unless the plan of every enrolment is known.
    pub payment: Option<Payment>,
    /// The SHA-256, in hex, of what is charged, when, and for what; `None` if there is no payment.
    pub hash: Option<String>,
}

impl Quote {
    /// All fees, of both kinds.
    pub fn fees(&self) -> impl Iterator<Item = &FeeLine> {
        self.registration_fees.iter().chain(&self.additional_fees)
    }
}

/// Prices a basket at `now`, the company's local date and time.
///
/// # Errors
/// The first rule that the basket breaks, with every item that breaks it.
pub fn quote(studio: &Studio, basket: &Basket, now: DateTime, buyer: Buyer) -> Result<Quote, Refusal> {
    if basket.is_empty() {
        return Err(Refusal::of_basket(BrokenRule::BasketEmpty));
    }
    if basket.len() > BASKET_MAX_ITEMS {
        return Err(Refusal::of_basket(BrokenRule::BasketTooLarge));
    }
    let items = resolve(studio, basket, now).ok_or(Refusal::of_basket(BrokenRule::NotFound))?;
    refusal::check(studio, &items, buyer)?;
    price(studio, &items, now.date()).map_err(|Overflow| Refusal::of_basket(BrokenRule::AmountTooLarge))
}

/// Prices items that may be sold, without a limit on their number.
pub fn price(studio: &Studio, items: &[ResolvedItem<'_>], today: Date) -> Result<Quote, Overflow> {
    let trials = items.iter().filter_map(|item| trial_line(studio, item)).collect::<Result<Vec<_>, _>>()?;
    let mut of_season: BTreeMap<&SeasonId, (&Season, Vec<&ResolvedItem<'_>>)> = BTreeMap::new();
    for item in items.iter().filter(|item| item.enrolment().is_some()) {
        of_season.entry(&item.season.id).or_insert_with(|| (item.season, Vec::new())).1.push(item);
    }
    let (mut seasons, mut lines) = (Vec::new(), Vec::new());
    for (season, items) in of_season.into_values() {
        let mut tuition = tuition::of_season(studio, season, items.into_iter())?;
        discounts::apply(studio, season, &mut tuition)?;
        let season = season_quote(studio, season, &tuition, today)?;
        lines.extend(chosen(&season, &tuition));
        seasons.push(season);
    }
    let enrolments = items.iter().filter(|item| item.enrolment().is_some()).count();
    let known = lines.len() == enrolments;
    if !known {
        lines.clear();
    }
    lines.sort_by(|one, other| one.item.cmp(&other.item));
    let registration_fees = fees::registration_fees(studio, items, today)?;
    let mut quote = Quote {
        today,
        seasons,
        lines,
        registration_fees_in_sum: fees::sums(&registration_fees)?,
        registration_fees,
        additional_fees: fees::additional_fees(studio, items, today)?,
        trials,
        ended_trials: items.iter().filter_map(|item| item.ended_trial.cloned()).collect(),
        payment: None,
        hash: None,
    };
    if known {
        let payment = Payment::of(&studio.company, &quote)?;
        quote.hash = Some(quote_hash::of(&studio.company, &quote, &payment));
        quote.payment = Some(payment);
    }
    Ok(quote)
}

/// The lines whose plan is known, as they are quoted on it.
fn chosen<'q>(season: &'q SeasonQuote, tuition: &'q [Tuition<'_>]) -> impl Iterator<Item = Line> + 'q {
    tuition.iter().enumerate().filter_map(|(index, tuition)| {
        let plan = tuition.resolved.plan()?;
        let quoted = season.plans.iter().find(|quoted| quoted.plan == plan.id)?;
        quoted.lines.get(index).cloned()
    })
}

fn season_quote(
    studio: &Studio,
    season: &Season,
    tuition: &[Tuition<'_>],
    today: Date,
) -> Result<SeasonQuote, Overflow> {
    let plans = season.enabled_plans().map(|plan| plan_quote(studio, plan, tuition, today));
    Ok(SeasonQuote { season: season.id.clone(), plans: plans.collect::<Result<_, _>>()? })
}

fn plan_quote(
    studio: &Studio,
    plan: &PricingPlan,
    tuition: &[Tuition<'_>],
    today: Date,
) -> Result<PlanQuote, Overflow> {
    let joined = Joined::on(plan, today);
    let lines = tuition.iter().map(|tuition| line(studio, tuition, &joined)).collect::<Result<Vec<_>, _>>()?;
    let mut taxes: BTreeMap<Arc<str>, Money> = BTreeMap::new();
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
    Ok(PlanQuote { plan: plan.id.clone(), dates: joined.into_dates(), lines, totals, taxes, due_now, instalments })
}
