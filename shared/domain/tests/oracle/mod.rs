//! The price of a basket a second time: with exact fractions, day by day and student by student, from the pricing
//! rules alone. It shares the catalogue's types with the code that it judges, and no arithmetic.
//!
//! Read in this order: here (the whole), [`exact`], [`days`], [`tuition`], [`details`], [`fees`], [`booking`]; [`bars`]; then
//! [`bill`] (what comes out) and [`shipped`] (the code's answer in the same form).
#![allow(dead_code, reason = "every test file is a crate of its own and uses a part of this")]

pub mod bars;
pub mod bill;
pub mod booking;
pub mod days;
pub mod details;
pub mod exact;
pub mod fees;
pub mod shipped;
pub mod tuition;

use std::collections::BTreeMap;

use bill::{Bill, Line, OnPlan, Trial, totals};
use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{PricingPlan, Season, Studio};
use classpay_domain::ledger::DetailKind;
use details::{Tax, composed, parts, sum};
use jiff::civil::{Date, DateTime};
use tuition::Place;

/// The bill for a basket of known students, classes and plans; `None` if one of its classes has no lesson left to pay for.
pub fn bill(studio: &Studio, basket: &Basket, now: DateTime) -> Option<Bill> {
    let today = now.date();
    let places = tuition::places(studio, basket, now)?;
    let plans = studio.seasons.values().flat_map(|season| {
        let wanted = places.iter().any(|place| place.season.id == season.id);
        enabled(season).into_iter().filter(move |_| wanted).map(move |plan| (season, plan))
    });
    let plans: Vec<_> = plans.map(|(season, plan)| on_plan(studio, &places, season, plan, today)).collect();
    let chosen: Option<Vec<_>> = places.iter().map(chosen).collect();
    let known = chosen.is_some();
    let lines = places.iter().zip(chosen.unwrap_or_default());
    let mut bill = Bill {
        plans,
        lines: lines.map(|(place, plan)| line(studio, &places, place, plan, today)).collect(),
        registration_fees: fees::registration(studio, basket, today),
        additional_fees: fees::additional(studio, basket, today),
        trials: trials(studio, basket),
        ended_trials: places.iter().filter_map(|place| place.ended_trial.clone()).collect(),
        payment: None,
        postings: vec![],
    };
    if known {
        let payment = booking::payment(studio, &bill, today);
        let paid = matches!(payment.charge, "collected" | "too large");
        bill.payment = Some(payment);
        bill.postings = booking::postings(&bill, &by_season(studio, basket), today, paid);
    }
    Some(bill)
}

fn enabled(season: &Season) -> Vec<&PricingPlan> {
    season.plans.iter().filter(|plan| plan.enabled).collect()
}

/// The plan that an item names, or the season's only one.
fn chosen<'a>(place: &Place<'a>) -> Option<&'a PricingPlan> {
    let enabled = enabled(place.season);
    match &place.item.plan {
        Some(named) => enabled.into_iter().find(|plan| plan.id == *named),
        None => enabled.first().copied().filter(|_| enabled.len() == 1),
    }
}

fn line(studio: &Studio, places: &[Place<'_>], place: &Place<'_>, plan: &PricingPlan, today: Date) -> Line {
    let discounts = tuition::discounts(studio, places, place, plan);
    let tax = Tax::at(studio, place.class.tax_rate.as_ref());
    let (details, off) = composed(DetailKind::Tuition, place.base, &discounts, tax);
    Line {
        student: place.item.student.to_string(),
        class: place.item.class.to_string(),
        plan: plan.id.to_string(),
        total: sum(&details),
        parts: parts(&details, &days::payments(plan, today), today),
        details,
        off,
    }
}

fn on_plan(studio: &Studio, places: &[Place<'_>], season: &Season, plan: &PricingPlan, today: Date) -> OnPlan {
    let lines = places.iter().filter(|place| place.season.id == season.id);
    let lines: Vec<_> = lines.map(|place| line(studio, places, place, plan, today)).collect();
    let mut parts = BTreeMap::<Date, i128>::new();
    for part in lines.iter().flat_map(|line| &line.parts) {
        *parts.entry(part.on).or_default() += part.amount;
    }
    OnPlan {
        season: season.id.to_string(),
        plan: plan.id.to_string(),
        totals: totals(lines.iter().flat_map(|line| &line.details)),
        due_now: parts.get(&today).copied().unwrap_or_default(),
        parts: parts.into_iter().filter(|(_, amount)| *amount != 0).collect(),
        lines,
    }
}

fn trials(studio: &Studio, basket: &Basket) -> Vec<Trial> {
    let trial = |item: &classpay_domain::basket::TrialItem| {
        let class = &studio.classes[&item.class].class;
        let tax = Tax::at(studio, class.tax_rate.as_ref());
        let (details, _) = composed(DetailKind::Trial, exact::units(studio.company.trials.price), &[], tax);
        let (student, season) = (item.student.to_string(), class.season.to_string());
        Trial { student, class: item.class.to_string(), season, details }
    };
    basket.trials().iter().map(trial).collect()
}

/// The basket's students and classes by season, enrolments before trials.
fn by_season(studio: &Studio, basket: &Basket) -> BTreeMap<String, Vec<(String, String)>> {
    let mut seasons = BTreeMap::<String, Vec<(String, String)>>::new();
    for (student, class) in basket.places() {
        let season = &studio.classes[class].class.season;
        seasons.entry(season.to_string()).or_default().push((student.to_string(), class.to_string()));
    }
    seasons
}

/// What only one of two bills says: `page` for ours, `code` for the shipped one.
pub fn disagreements(page: &Bill, code: &Bill) -> Vec<String> {
    let (page, code) = (page.facts(), code.facts());
    let only = |who: &str, these: &[String], those: &[String]| {
        let only = these.iter().filter(|fact| !those.contains(fact));
        only.map(|fact| format!("{who}  {fact}")).collect::<Vec<_>>()
    };
    let mut differences = [only("page", &page, &code), only("code", &code, &page)].concat();
    if differences.is_empty() && page != code {
        differences.push(format!("the same facts in another order: page {page:#?}, code {code:#?}"));
    }
    differences
}
