//! What a basket costs, and everything that its order posts.
//!
//! Invariant: quote, session and checkout all price with [`price`], so that the price shown is the price charged.
//! [`snapshot`] fixes every id and amount of an order; posting only copies them.

use classpay_domain::basket::Basket;
use classpay_domain::catalogue::{Company, TrialBooking};
use classpay_domain::id::{AccountId, EnrolmentId, IntentId, OrderId};
use classpay_domain::order::PaidBy;
use classpay_domain::pricing::{
    self, BookedQuote, BrokenRule, Charge, FeeLine, Line, LineDetail, Payment, Quote, Refusal, TrialLine, postings,
};
use jiff::civil::DateTime;
use std::collections::BTreeMap;

use crate::aggregate::Ledger;
use crate::clock::local_time;
use crate::context::Context;
use crate::error::Error;
use crate::ids::Ids;
use crate::schedule::{Schedule, ScheduledLine};
use crate::scope::FamilyScope;
use crate::snapshot::{BookedEnrolment, BookedFee, BookedTrial, EndedTrial, OrderPayment, Snapshot};
use crate::store::{LoadedStudio, document_surely_fits, order_fits};
use crate::stored_entry::StoredEntry;

/// The payment of an order.
#[derive(Debug, Clone, Copy)]
pub struct Payer<'a> {
    /// The account that the intent is on.
    pub account: &'a AccountId,
    /// The intent to capture.
    pub intent: &'a IntentId,
    /// What it charges.
    pub payment: Payment,
}

/// Fixes everything that the order of a quote posts.
///
/// # Errors
/// `amount_too_large` if the sums overflow.
pub fn snapshot(
    scope: &FamilyScope,
    basket: &Basket,
    loaded: &LoadedStudio,
    quote: &Quote,
    order: &OrderId,
    payer: Option<Payer<'_>>,
    ids: &Ids,
) -> Result<Snapshot, Error> {
    let booked = BookedQuote::new(quote, || ids.enrolment(), || ids.trial());
    let seasons: BTreeMap<_, _> =
        loaded.studio.seasons.values().map(|season| (season.id.clone(), season.name.clone())).collect();
    let too_large = |_| Error::from(Refusal::of_basket(BrokenRule::AmountTooLarge));
    let entries = postings(&booked, &seasons, payer.map(|p| p.payment)).map_err(too_large)?;
    let name = &loaded.studio.family.name;
    let ledger = Ledger { company: &scope.company, family: &scope.family, family_name: name, order: Some(order) };
    let company = &loaded.studio.company;
    let enrolments = booked.lines().iter().map(|(line, id)| enrolment(line, id.clone(), quote, company));
    let transactions = ledger.aggregates(&entries, ids).map_err(too_large)?;
    let places = company.trials.places_per_lesson;
    Ok(Snapshot {
        company: scope.company.clone(),
        family: scope.family.clone(),
        currency: company.currency,
        payment: payer.map(|payer| OrderPayment {
            account: payer.account.clone(),
            intent: payer.intent.clone(),
            total: payer.payment.total.units(),
            paid_by: PaidBy::Card,
        }),
        basket: basket.hash(&scope.company, &scope.family).as_str().to_owned(),
        enrolments: enrolments.collect(),
        trials: booked.trials().iter().map(|(line, id)| trial(line, id.clone(), places)).collect(),
        ended_trials: quote.ended_trials.iter().map(ended_trial).collect(),
        fees: quote.fees().map(fee).collect(),
        link: None,
        entries: transactions.iter().map(StoredEntry::from).collect(),
    })
}

/// Prices a basket. One whose order can't be written is refused before anyone pays for it.
///
/// # Errors
/// The refusal of a basket that can't be sold.
pub fn price(
    ctx: &Context,
    scope: &FamilyScope,
    loaded: &LoadedStudio,
    basket: &Basket,
    now: DateTime,
) -> Result<Quote, Error> {
    let quote = pricing::quote(&loaded.studio, basket, now, scope.buyer())?;
    let too_large = || Error::from(Refusal::of_basket(BrokenRule::BasketTooLarge));
    let charge = quote.payment.map(|payment| payment.charge(loaded.studio.company.currency));
    let is_collected = !matches!(charge, Some(Ok(Charge::Nothing | Charge::Uncollectable(_))));
    if !order_fits(basket, &quote, is_collected) {
        return Err(too_large());
    }
    let season_names = loaded.seasons.values().map(|season| season.name.len()).sum();
    let surely = document_surely_fits(&quote, &loaded.studio.family.name, season_names);
    if quote.payment.is_some() && (!surely || cfg!(debug_assertions)) {
        // All order ids have the same length.
        let order = basket.zero_due_order(&scope.company, &scope.family);
        let fits = snapshot(scope, basket, loaded, &quote, &order, None, &ctx.ids)?.fits();
        debug_assert!(fits || !surely, "the bound holds");
        if !fits {
            return Err(too_large());
        }
    }
    Ok(quote)
}

/// The company's local date and time.
///
/// # Errors
/// `internal` if the company's time zone is unknown, which the import refuses.
pub fn local_now(ctx: &Context, loaded: &LoadedStudio) -> Result<DateTime, Error> {
    local_at(ctx.clock.now_s(), loaded)
}

/// The company's local time at an instant, in seconds since 1970.
///
/// # Errors
/// `internal` if the company's time zone is unknown, which the import refuses.
pub fn local_at(instant_s: i64, loaded: &LoadedStudio) -> Result<DateTime, Error> {
    Ok(local_time(instant_s, &loaded.studio.company.timezone)?)
}

fn enrolment(line: &Line, id: EnrolmentId, quote: &Quote, company: &Company) -> BookedEnrolment {
    BookedEnrolment {
        id,
        student: line.item.student.clone(),
        class: line.item.class.clone(),
        season: line.season.clone(),
        discountable: line.discountable,
        plan: Some(line.plan.clone()),
        schedule: schedule(line, quote, company),
    }
}

/// What a line owes later; `None`: nothing.
fn schedule(line: &Line, quote: &Quote, company: &Company) -> Option<Schedule> {
    let mut schedule = Schedule {
        timezone: company.timezone.clone(),
        currency: company.currency,
        lines: Vec::new(),
        instalments: Vec::new(),
    };
    let detail = |detail: &LineDetail| {
        let scheduled = ScheduledLine {
            kind: detail.kind.as_str().to_owned(),
            description: detail.description.to_string(),
            given_by: line.given_by(detail).to_owned(),
        };
        (scheduled, detail.amount.units())
    };
    for instalment in line.instalments.iter().filter(|i| i.on > quote.today && !i.amount.is_zero()) {
        schedule.push(instalment.on, instalment.details.iter().map(detail));
    }
    Some(schedule).filter(|schedule| !schedule.instalments.is_empty())
}

fn fee(line: &FeeLine) -> BookedFee {
    BookedFee {
        fee: line.fee.clone(),
        student: line.student.clone(),
        period: line.period.clone(),
        amount: line.amount.units(),
    }
}

fn ended_trial(trial: &TrialBooking) -> EndedTrial {
    let TrialBooking { id, student, class, on, .. } = trial.clone();
    EndedTrial { id, student, class, on }
}

fn trial(line: &TrialLine, id: classpay_domain::id::TrialId, places: Option<u32>) -> BookedTrial {
    BookedTrial {
        id,
        student: line.item.student.clone(),
        class: line.item.class.clone(),
        on: line.item.on,
        at: line.item.at,
        places,
    }
}
