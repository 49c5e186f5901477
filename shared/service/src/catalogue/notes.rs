//! What a catalogue says without effect.
//!
//! Invariant: a note is no mistake: what it is about is loaded, and answered as it stands.

use std::fmt;

use classpay_domain::catalogue::Repetition;
use classpay_domain::money::Percent;
use classpay_domain::surcharge::Ban;

use super::documents::text::Textual as _;
use super::documents::{BillingTiming, RegistrationFeeDoc};
use super::file::Catalogue;

/// What has no effect, and its place: `company.settings.billing.billingTiming: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where it is, from the file's root.
    pub place: String,
    /// Why it has none, for the file's author.
    pub what: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Everything that its author should know of a catalogue though it is right.
#[must_use]
pub fn notes(catalogue: &Catalogue) -> Vec<Note> {
    let left_out = catalogue.left_out.iter().map(|mistake| (mistake.place.clone(), mistake.what.clone()));
    let found = processing_fee(catalogue).into_iter().chain(arrears(catalogue)).chain(due_dates(catalogue));
    left_out.chain(found).map(|(place, what)| Note { place, what }).collect()
}

type Found = (String, String);

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

#[cfg(test)]
mod tests;
