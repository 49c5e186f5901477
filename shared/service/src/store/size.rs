//! Whether an order can be written at all. Quote, session and checkout ask before anything is held.
//!
//! Invariant: what is counted here is what [`super::orders`], [`super::resolve`] and [`super::zero_due`] write, or more; they
//! assert it in debug builds.

use std::collections::BTreeSet;

use classpay_domain::basket::Basket;
use classpay_domain::pricing::{LineDetail, Quote};

use super::item::document;
use super::write::MAX_ACTIONS;
use crate::snapshot::Snapshot;

/// The largest document of an order. DynamoDB takes items of 400 KB; every other item that an order writes is a part of
/// its document.
const MAX_DOC_BYTES: usize = 256 * 1024;

/// The actions of an order's transactions. A fee is one action of P1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Actions {
    /// P1.
    place: usize,
    /// P2.
    post: usize,
    /// Both in one, for an order with nothing to collect.
    book: usize,
}

/// Counts what an order of this basket writes. Every enrolment is counted with later instalments.
fn actions(basket: &Basket, quote: &Quote) -> Actions {
    let (enrolments, trials) = (basket.enrolments().len(), basket.trials().len());
    let classes = basket.classes().len();
    let lessons: BTreeSet<_> = basket.trials().iter().map(|trial| (&trial.class, trial.on)).collect();
    let of_trials = quote.trials.iter().map(|trial| &trial.season);
    let ended = &quote.ended_trials;
    let given_back: BTreeSet<_> = ended.iter().map(|trial| (&trial.class, trial.on)).collect();
    let seasons: BTreeSet<_> = quote.seasons.iter().map(|season| &season.season).chain(of_trials).collect();
    let debits = seasons.len() + usize::from(!quote.registration_fees.is_empty());
    // A trial checks that there is no enrolment, and one that ends is marked. A debit has what it owes beside it.
    let places = classes + lessons.len() + enrolments + 2 * trials + ended.len() + quote.fees().count();
    Actions {
        // Claim, session, head, document, family, idempotency record.
        place: 6 + places,
        // Head, family, credit, and the note of a person who ends it; enrolments with their instalments.
        post: 4 + 2 * debits + 2 * enrolments + trials + ended.len() + given_back.len(),
        // Head, document, family, idempotency record.
        book: 4 + places + enrolments + given_back.len() + 2 * debits,
    }
}

/// Whether an order of this basket can be written: paid, or with nothing to collect.
#[must_use]
pub fn order_fits(basket: &Basket, quote: &Quote, is_collected: bool) -> bool {
    let Actions { place, post, book } = actions(basket, quote);
    if is_collected { place.max(post) <= MAX_ACTIONS } else { book <= MAX_ACTIONS }
}

/// What a line of a document takes at most besides its words: its kind, an amount, five ids.
const LINE_BYTES: usize = 512;
/// What a place, a trial, a fee or an entry takes at most besides its lines and words.
const ITEM_BYTES: usize = 1024;
/// What a date of a schedule takes, and each amount on it.
const DATE_BYTES: usize = 32;
const AMOUNT_BYTES: usize = 24;
/// A character takes so many bytes more, at most, where JSON escapes it.
const ESCAPED: usize = 6;

/// Whether the document of this quote's order surely fits, by a bound that is cheap to work out. What it doesn't let
/// through is to be written out and measured.
#[must_use]
pub fn document_surely_fits(quote: &Quote, family_name: &str, season_names: usize) -> bool {
    document_bound(quote, family_name, season_names) <= MAX_DOC_BYTES
}

fn document_bound(quote: &Quote, family_name: &str, season_names: usize) -> usize {
    let lines = |details: &[LineDetail]| -> usize {
        details.iter().map(|detail| LINE_BYTES + ESCAPED * detail.description.len()).sum()
    };
    // What is due now, and once more the words of what is due later.
    let places = quote.lines.iter().map(|line| {
        let schedule = line.instalments.len() * (DATE_BYTES + AMOUNT_BYTES * line.details.len());
        ITEM_BYTES + 2 * lines(&line.details) + schedule
    });
    let fees = quote.fees().map(|fee| ITEM_BYTES + lines(&fee.details));
    let trials = quote.trials.iter().map(|trial| ITEM_BYTES + lines(&trial.details));
    let ended_trials = ITEM_BYTES * quote.ended_trials.len();
    // Each season's debit, the registration fees', and the credit with its two lines.
    let entries = quote.seasons.len() + quote.trials.len() + 2;
    let heads = entries * (ITEM_BYTES + ESCAPED * family_name.len()) + ESCAPED * season_names + 2 * LINE_BYTES;
    places.chain(fees).chain(trials).sum::<usize>() + ended_trials + heads + ITEM_BYTES
}

impl Snapshot {
    /// Whether its document can be written.
    #[must_use]
    pub fn fits(&self) -> bool {
        document(self).len() <= MAX_DOC_BYTES
    }
}
