//! What its author should know of a catalogue though it is right: what has no effect in it, and what won't happen.
//!
//! [`unused`] are the fields that no rule obeys.
//!
//! Invariant: a note is no mistake: what it is about is loaded, and answered as it stands.

mod trials;
mod unused;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use classpay_domain::calendar;
use classpay_domain::catalogue::{Class, Holiday, PricingPlan, Repetition, Season};
use classpay_domain::id::EnrolmentId;
use classpay_domain::money::Percent;
use classpay_domain::surcharge::Ban;
use classpay_service::catalogue::documents::text::Textual as _;
use classpay_service::catalogue::documents::{BillingTiming, RegistrationFeeDoc};
use jiff::civil::Date;

use super::file::Catalogue;
use super::parts::EnrolmentEntry;

/// A note and its place: `company.settings.billing.billingTiming: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where it is, from the file's root.
    pub place: String,
    /// What there is to know, for the file's author.
    pub what: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Everything that its author should know of a catalogue on a day, the company's local one. `scheduled`: the enrolments
/// whose instalments are stored.
#[must_use]
pub fn notes(catalogue: &Catalogue, today: Date, scheduled: &BTreeSet<EnrolmentId>) -> Vec<Note> {
    let left_out = catalogue.left_out.iter().map(|mistake| (mistake.place.clone(), mistake.what.clone()));
    let unused = processing_fee(catalogue).into_iter().chain(arrears(catalogue)).chain(due_dates(catalogue));
    let unused = unused.chain(unused::fields(catalogue));
    let missing = without_lessons(catalogue).into_iter().chain(not_debited(catalogue, today, scheduled));
    let missing =
        missing.chain(trials::without_lesson(catalogue)).chain(unused::without_plan(catalogue, today, scheduled));
    // What was left out is named where it stood, and all else is counted in what is left.
    let rest = unused
        .chain(missing)
        .chain(plans_of_other_seasons(catalogue))
        .map(|(place, what)| (catalogue.as_written(&place), what));
    left_out.chain(rest).map(|(place, what)| Note { place, what }).collect()
}

type Found = (String, String);

/// The enrolments of all families, each with its place.
fn enrolments(catalogue: &Catalogue) -> impl Iterator<Item = (String, &EnrolmentEntry)> {
    catalogue.families.iter().enumerate().flat_map(|(family, entry)| {
        let enrolments = entry.enrolments.iter().enumerate();
        enrolments.map(move |(index, enrolment)| (format!("families[{family}].enrolments[{index}]"), enrolment))
    })
}

/// Rule 35: a fee that the law forbids, or may forbid for all that we know.
fn processing_fee(catalogue: &Catalogue) -> Option<Found> {
    let company = &catalogue.company;
    let fee = company.processing_fee().filter(|fee| *fee != Percent::ZERO)?.to_shortest();
    let code = &company.address.country_code;
    let what = match company.country() {
        Some(country) => {
            let Ban { since, source, .. } = Ban::of(country)?;
            format!("{fee} % is not charged from {since} on: {country} forbids it then ({source})")
        }
        None if code.is_empty() => {
            format!("{fee} % is not charged: company.address.countryCode is missing, and the law there may forbid it")
        }
        None => format!("{fee} % is not charged: no country has the company.address.countryCode `{code}`"),
    };
    Some(("company.settings.billing.processingFee".to_owned(), what))
}

/// What is paid when a period is over is paid before it all the same.
fn arrears(catalogue: &Catalogue) -> impl Iterator<Item = Found> {
    let company =
        ("company.settings.billing.billingTiming".to_owned(), catalogue.company.settings.billing.billing_timing);
    let plans = catalogue.seasons.iter().enumerate().flat_map(|(season, doc)| {
        let plans = doc.pricing_plans.iter().enumerate();
        plans.map(move |(plan, doc)| {
            (format!("seasons[{season}].pricingPlans[{plan}].billingTiming"), doc.billing_timing)
        })
    });
    let late = std::iter::once(company).chain(plans).filter(|(_, timing)| *timing == BillingTiming::Arrears);
    late.map(|(place, _)| (place, "`arrears` is not used: a plan's own dates say when it is paid".to_owned()))
}

/// Rule 22: only an annual fee has years that begin on some day.
fn due_dates(catalogue: &Catalogue) -> impl Iterator<Item = Found> {
    let company_s = catalogue.registration_fees.iter().enumerate();
    let company_s = company_s.map(|(index, fee)| (format!("registrationFees[{index}]"), fee));
    // A fee that a season only names stands in the season, too, since the file was read.
    let is_company_s = |fee: &RegistrationFeeDoc| catalogue.registration_fees.iter().any(|known| known.id == fee.id);
    let spelled_out = catalogue.seasons.iter().enumerate().filter_map(move |(index, season)| {
        let fee = season.registration_fee_dto.as_ref().filter(|fee| !is_company_s(fee))?;
        Some((format!("seasons[{index}].registrationFeeDto"), fee))
    });
    company_s.chain(spelled_out).filter_map(|(place, fee)| {
        let day = fee.due_date.filter(|_| fee.repetition_interval != Repetition::Annual)?;
        let interval = fee.repetition_interval.write();
        let what =
            format!("{day} is not used: only an annual fee has years that begin on a day, and this one is {interval}");
        Some((format!("{place}.dueDate"), what))
    })
}

/// Rule 5: a class that has no lesson is sold to nobody.
fn without_lessons(catalogue: &Catalogue) -> Vec<Found> {
    let seasons = catalogue.seasons.iter().filter(|season| season.archived_at.is_none());
    let seasons: BTreeMap<_, _> = seasons.filter_map(|doc| Some((&doc.id, Season::try_from(doc).ok()?))).collect();
    let holidays: Vec<_> = catalogue.holidays.iter().filter_map(|doc| Holiday::try_from(doc).ok()).collect();
    let mut found = Vec::new();
    for (index, doc) in catalogue.classes.iter().enumerate().filter(|(_, doc)| doc.archived_at.is_none()) {
        let (Some(season), Ok(class)) = (seasons.get(&doc.season_id), Class::try_from(doc)) else { continue };
        if !calendar::lessons(&class, season, &holidays).is_empty() {
            continue;
        }
        let what = if calendar::lessons(&class, season, &[]).is_empty() {
            format!(
                "from {} to {} it has no lesson in its season, which is from {} to {}: it is sold to nobody",
                class.first_lesson_on, class.last_lesson_on, season.starts_on, season.ends_on
            )
        } else {
            "each of its lessons is in a holiday: it is sold to nobody".to_owned()
        };
        found.push((format!("classes[{index}]"), what));
    }
    found
}

/// What enrolments that are loaded would still owe by their plans, and bring no instalments for.
fn not_debited(catalogue: &Catalogue, today: Date, scheduled: &BTreeSet<EnrolmentId>) -> Option<Found> {
    let plans = catalogue.seasons.iter().flat_map(|season| &season.pricing_plans);
    let to_come = |plan| calendar::plan_dates(&plan).into_iter().filter(|day| *day > today).count();
    let to_come: BTreeMap<_, _> =
        plans.filter_map(|plan| Some((&plan.id, to_come(PricingPlan::try_from(plan).ok()?)))).collect();
    let without: Vec<_> = enrolments(catalogue)
        .filter(|(_, enrolment)| enrolment.instalments.is_empty() && !scheduled.contains(&enrolment.id))
        .filter_map(|(place, enrolment)| Some((place, *to_come.get(enrolment.pricing_plan_id.as_ref()?)?)))
        .filter(|(_, dates)| *dates > 0)
        .collect();
    let dates: usize = without.iter().map(|(_, dates)| dates).sum();
    let (first, _) = without.first()?;
    let what = match without.len() {
        1 if dates == 1 => {
            format!("it brings no `instalments`: nothing is debited on the last date of its plan, after {today}")
        }
        1 => format!("it brings no `instalments`: nothing is debited on the {dates} dates of its plan after {today}"),
        more => format!(
            "it and {} more bring no `instalments`: nothing is debited on the {dates} dates of their plans after {today}",
            more - 1
        ),
    };
    Some((first.clone(), what))
}

/// A class may have moved to another season since; what was sold of it stays on its plan.
fn plans_of_other_seasons(catalogue: &Catalogue) -> Option<Found> {
    let plans =
        catalogue.seasons.iter().flat_map(|season| season.pricing_plans.iter().map(|plan| (&plan.id, &season.id)));
    let plans: BTreeMap<_, _> = plans.collect();
    let classes: BTreeMap<_, _> = catalogue.classes.iter().map(|class| (&class.id, &class.season_id)).collect();
    let of_others = enrolments(catalogue).filter(|(_, enrolment)| {
        let of_plan = enrolment.pricing_plan_id.as_ref().and_then(|plan| plans.get(plan));
        of_plan.zip(classes.get(&enrolment.class_id)).is_some_and(|(of_plan, of_class)| of_plan != of_class)
    });
    unused::counted(
        of_others.map(|(place, _)| format!("{place}.pricingPlanId")),
        "belongs to another season than the class: the enrolment keeps it",
        "belong to other seasons than their classes: the enrolments keep them",
    )
}

#[cfg(test)]
mod tests;
