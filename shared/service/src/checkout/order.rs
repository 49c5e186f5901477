//! From a quote to everything that its order posts.
//!
//! Invariant: every id and every amount is fixed here; P2 only copies.

use classpay_domain::basket::Basket;
use classpay_domain::id::{AccountId, EnrolmentId, IntentId, OrderId};
use classpay_domain::order::PaidBy;
use classpay_domain::pricing::{
    self, BookedQuote, BrokenRule, Buyer, FeeLine, Instalment, Line, LineDetail, Payment, Quote, Refusal, TrialLine,
    postings,
};
use jiff::civil::DateTime;
use std::collections::{BTreeMap, BTreeSet};

use super::CheckoutRequest;
use crate::aggregate::Ledger;
use crate::clock::start_of_day_s;
use crate::http::ApiError;
use crate::mint::Mint;
use crate::snapshot::{
    BookedEnrolment, BookedFee, BookedTrial, OrderPayment, ScheduledDetail, ScheduledInstalment, Snapshot,
};
use crate::store::{LoadedStudio, MAX_ACTIONS};

/// How many actions P1 and P2 have besides those for items: claim, session, order, family, idempotency record,
/// and a credit.
const FIXED_ACTIONS: usize = 6;
/// An item's most actions: a trial's record, the check for an enrolment, its lesson, its class's version.
const ACTIONS_PER_TRIAL: usize = 4;
/// An enrolment's most actions: its record and its class's seats. A fee has one.
const ACTIONS_PER_ENROLMENT: usize = 2;
/// A debit and what it owes. There is one for each season, and one for registration fees.
const ACTIONS_PER_DEBIT: usize = 2;

/// What pays an order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payer<'a> {
    pub account: &'a AccountId,
    pub intent: &'a IntentId,
    pub payment: Payment,
}

/// Freezes a quote.
pub(super) fn snapshot(
    request: &CheckoutRequest,
    loaded: &LoadedStudio,
    quote: &Quote,
    order: &OrderId,
    payer: Option<Payer<'_>>,
    mint: &Mint,
) -> Result<Snapshot, ApiError> {
    let scope = &request.scope;
    let booked = BookedQuote::new(quote, || mint.enrolment(), || mint.trial());
    let seasons: BTreeMap<_, _> =
        loaded.studio.seasons.values().map(|season| (season.id.clone(), season.name.clone())).collect();
    let too_large = |_| ApiError::from(Refusal::of_basket(BrokenRule::AmountTooLarge));
    let entries = postings(&booked, &seasons, payer.map(|p| p.payment)).map_err(too_large)?;
    let name = &loaded.studio.family.name;
    let ledger = Ledger { company: &scope.company, family: &scope.family, family_name: name, order: Some(order) };
    let timezone = &loaded.studio.company.timezone;
    let enrolments = booked.lines().iter().map(|(line, id)| enrolment(line, id.clone(), quote, timezone));
    let places = loaded.studio.company.trials.places_per_lesson;
    Ok(Snapshot {
        company: scope.company.clone(),
        family: scope.family.clone(),
        payment: payer.map(|payer| OrderPayment {
            account: payer.account.clone(),
            intent: payer.intent.clone(),
            total: payer.payment.total.units(),
            paid_by: PaidBy::Card,
        }),
        basket: request.basket.hash(&scope.company, &scope.family).as_str().to_owned(),
        enrolments: enrolments.collect::<Result<_, _>>()?,
        trials: booked.trials().iter().map(|(line, id)| trial(line, id.clone(), places)).collect(),
        fees: quote.fees().map(fee).collect(),
        link: None,
        transactions: ledger.aggregates(&entries, mint).map_err(too_large)?,
    })
}

/// Prices a basket: the one function that quote, session and checkout call.
///
/// # Errors
/// The refusal of a basket that can't be sold.
pub fn price(loaded: &LoadedStudio, basket: &Basket, now: DateTime, buyer: Buyer) -> Result<Quote, ApiError> {
    let quote = pricing::quote(&loaded.studio, basket, now, buyer)?;
    fits_one_order(basket, &quote)?;
    Ok(quote)
}

/// Refuses a basket whose order would not fit into one transaction, before anybody pays for it.
fn fits_one_order(basket: &Basket, quote: &Quote) -> Result<(), ApiError> {
    let of_trials = quote.trials.iter().map(|trial| &trial.season);
    let seasons: BTreeSet<_> = quote.seasons.iter().map(|season| &season.season).chain(of_trials).collect();
    let actions = FIXED_ACTIONS
        + basket.enrolments().len() * ACTIONS_PER_ENROLMENT
        + basket.trials().len() * ACTIONS_PER_TRIAL
        + quote.fees().count()
        + (seasons.len() + usize::from(!quote.registration_fees.is_empty())) * ACTIONS_PER_DEBIT;
    if actions > MAX_ACTIONS { Err(Refusal::of_basket(BrokenRule::BasketTooLarge).into()) } else { Ok(()) }
}

fn enrolment(line: &Line, id: EnrolmentId, quote: &Quote, timezone: &str) -> Result<BookedEnrolment, ApiError> {
    let later = line.instalments.iter().filter(|i| i.on > quote.today && !i.amount.is_zero());
    Ok(BookedEnrolment {
        id,
        student: line.item.student.clone(),
        class: line.item.class.clone(),
        season: line.season.clone(),
        discountable: line.discountable,
        plan: line.plan.clone(),
        schedule: later.map(|instalment| scheduled(line, instalment, timezone)).collect::<Result<_, _>>()?,
    })
}

fn scheduled(line: &Line, instalment: &Instalment, timezone: &str) -> Result<ScheduledInstalment, ApiError> {
    let due_s = start_of_day_s(instalment.on, timezone);
    let detail = |detail: &LineDetail| ScheduledDetail {
        kind: detail.kind.as_str().to_owned(),
        amount: detail.amount.units(),
        description: detail.description.to_string(),
        given_by: line.given_by(detail).to_owned(),
    };
    Ok(ScheduledInstalment {
        date: instalment.on,
        due_s: due_s.ok_or_else(|| ApiError::internal(format!("unknown time zone {timezone}")))?,
        amount: instalment.amount.units(),
        details: instalment.details.iter().map(detail).collect(),
    })
}

fn fee(line: &FeeLine) -> BookedFee {
    BookedFee {
        fee: line.fee.clone(),
        student: line.student.clone(),
        period: line.period.clone(),
        amount: line.amount.units(),
    }
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
