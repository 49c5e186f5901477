//! From a quote to everything that its order posts.
//!
//! Invariant: every id and every amount is fixed here; P2 only copies.

use classpay_domain::basket::Basket;
use classpay_domain::id::{AccountId, IntentId, OrderId};
use classpay_domain::order::PaidBy;
use classpay_domain::pricing::{
    self, BookedQuote, BrokenRule, Buyer, Instalment, Line, Payment, Quote, Refusal, TrialLine, postings,
};
use jiff::civil::DateTime;
use std::collections::{BTreeMap, BTreeSet};

use super::CheckoutRequest;
use crate::aggregate::Ledger;
use crate::http::ApiError;
use crate::mint::Mint;
use crate::snapshot::{BookedEnrolment, BookedTrial, OrderPayment, ScheduledDetail, ScheduledInstalment, Snapshot};
use crate::store::{LoadedStudio, MAX_ACTIONS};

/// How many actions P1 and P2 have besides those for items: claim, session, order, family, idempotency record,
/// and a credit.
const FIXED_ACTIONS: usize = 6;
/// An item's most actions: a trial's record, the check for an enrolment, its lesson, its class's version.
const ACTIONS_PER_TRIAL: usize = 4;
/// An enrolment's most actions: its record and its class's seats.
const ACTIONS_PER_ENROLMENT: usize = 2;
/// A season's debit and what it owes.
const ACTIONS_PER_SEASON: usize = 2;

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
    let ledger = Ledger { company: &scope.company, family: &scope.family, family_name: name, order };
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
        enrolments: booked.lines().iter().map(|(line, id)| enrolment(line, id.clone(), quote)).collect(),
        trials: booked.trials().iter().map(|(line, id)| trial(line, id.clone(), places)).collect(),
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
        + seasons.len() * ACTIONS_PER_SEASON;
    if actions > MAX_ACTIONS { Err(Refusal::of_basket(BrokenRule::BasketTooLarge).into()) } else { Ok(()) }
}

fn enrolment(line: &Line, id: classpay_domain::id::EnrolmentId, quote: &Quote) -> BookedEnrolment {
    let later = line.instalments.iter().filter(|i| i.on > quote.today && !i.amount.is_zero());
    BookedEnrolment {
        id,
        student: line.item.student.clone(),
        class: line.item.class.clone(),
        season: line.season.clone(),
        plan: line.plan.clone(),
        schedule: later.map(scheduled).collect(),
    }
}

fn scheduled(instalment: &Instalment) -> ScheduledInstalment {
    let detail = |detail: &classpay_domain::pricing::LineDetail| ScheduledDetail {
        kind: detail.kind.as_str().to_owned(),
        amount: detail.amount.units(),
        description: detail.description.clone(),
    };
    ScheduledInstalment {
        date: instalment.on,
        amount: instalment.amount.units(),
        details: instalment.details.iter().map(detail).collect(),
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
