//! The rules that a studio must keep beyond the shape of its documents.
//!
//! Invariant: every broken rule is named, with its place; what can't be priced is refused, not ignored.

mod charged_fees;
mod company;
mod families;
mod fees;
mod seasons;
mod transactions;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use classpay_domain::id::{ClassId, FeeId, PlanId, SeasonId, TaxRateId};
use classpay_domain::money::{Money, Percent};
use classpay_service::catalogue::documents::{ClassDoc, RegistrationFeeDoc, SeasonDoc, TaxRateDoc};

use super::mistake::Mistake;
use super::parts::FileDoc;

pub(crate) use self::fees::differing_fields;

/// Every rule that the file breaks. `gone`: the ids of documents that were unreadable, which may be referred to.
pub(super) fn mistakes_of(file: &FileDoc, gone: &BTreeSet<String>) -> Vec<Mistake> {
    let mut check = Check { file, gone, known: Known::of(file), mistakes: Vec::new() };
    check.company();
    check.tax_rates();
    check.discount_schemes();
    check.holidays();
    check.seasons();
    check.fees();
    check.classes();
    check.families();
    check.transactions();
    check.mistakes
}

/// What can be referred to.
struct Known<'a> {
    tax_rates: BTreeMap<&'a TaxRateId, &'a TaxRateDoc>,
    fees: BTreeMap<&'a FeeId, KnownFee<'a>>,
    seasons: BTreeMap<&'a SeasonId, &'a SeasonDoc>,
    plans: BTreeSet<&'a PlanId>,
    classes: BTreeMap<&'a ClassId, &'a ClassDoc>,
}

impl<'a> Known<'a> {
    fn of(file: &'a FileDoc) -> Self {
        // Backwards, so that of two with the same id the first is meant: the second is the mistake.
        let seasons = || file.seasons.iter().rev();
        let plans = seasons().flat_map(|season| season.pricing_plans.iter().map(|plan| &plan.id));
        Self {
            tax_rates: file.tax_rates.iter().rev().map(|rate| (&rate.id, rate)).collect(),
            fees: fees_of(file),
            seasons: seasons().map(|season| (&season.id, season)).collect(),
            plans: plans.collect(),
            classes: file.classes.iter().rev().map(|class| (&class.id, class)).collect(),
        }
    }
}

/// A fee that can have been charged.
#[derive(Debug, Clone, Copy)]
enum KnownFee<'a> {
    /// Of the company, or of the seasons that spell it out.
    Registration(&'a RegistrationFeeDoc),
    /// Of that season.
    Additional(&'a SeasonId),
}

/// Every fee of the file. The company's own come last: of two with the same id, they are meant.
fn fees_of(file: &FileDoc) -> BTreeMap<&FeeId, KnownFee<'_>> {
    let additional = file
        .seasons
        .iter()
        .rev()
        .flat_map(|season| season.additional_fees.iter().map(|fee| (&fee.id, KnownFee::Additional(&season.id))));
    let spelled_out = file.seasons.iter().rev().filter_map(|season| season.registration_fee_dto.as_ref());
    let registration = spelled_out.chain(file.registration_fees.iter().rev());
    additional.chain(registration.map(|fee| (&fee.id, KnownFee::Registration(fee)))).collect()
}

/// A check on its way through the file.
struct Check<'a> {
    file: &'a FileDoc,
    gone: &'a BTreeSet<String>,
    known: Known<'a>,
    mistakes: Vec<Mistake>,
}

impl<'a> Check<'a> {
    fn mistake(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.mistakes.push(Mistake::new(place, what));
    }

    /// Names what does not hold.
    fn holds(&mut self, holds: bool, place: impl Display, what: impl Into<String>) {
        if !holds {
            self.mistake(place.to_string(), what);
        }
    }

    fn not_negative(&mut self, amount: Money, place: impl Display) {
        self.holds(amount >= Money::ZERO, place, format!("{amount} is negative"));
    }

    fn at_most_hundred(&mut self, percent: Percent, place: impl Display) {
        self.holds(percent <= Percent::HUNDRED, place, format!("{} % is over 100 %", percent.to_shortest()));
    }

    /// Names a reference to nothing.
    fn refers(&mut self, is_known: bool, id: &str, place: impl Display, kind: &str) {
        self.holds(is_known || self.gone.contains(id), place, format!("there is no {kind} {id} in the file"));
    }

    fn refers_to_tax_rate(&mut self, id: Option<&TaxRateId>, place: impl Display) {
        if let Some(id) = id {
            self.refers(self.known.tax_rates.contains_key(id), id.as_str(), place, "tax rate");
        }
    }

    /// Names every id that stood before.
    fn once(&mut self, ids: impl IntoIterator<Item = (String, &'a str)>) {
        let mut seen = BTreeSet::new();
        for (place, id) in ids {
            self.holds(seen.insert(id), format!("{place}.id"), format!("{id} is used twice"));
        }
    }
}
