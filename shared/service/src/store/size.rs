//! Whether an order is small enough to be written. Quote, session and checkout check this before anything is held.
//!
//! Invariant: the counts here are at least what [`super::orders`], [`super::resolve`] and [`super::zero_due`] write;
//! they assert it in debug builds.

use std::collections::BTreeSet;

use classpay_domain::basket::Basket;
use classpay_domain::pricing::{LineDetail, Quote};

use super::item::document;
use super::write::MAX_ACTIONS;
use crate::snapshot::Snapshot;

/// The largest document of an order. DynamoDB takes items of 400 KB; every other item that an order writes is smaller
/// than its document.
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
    // A trial checks that there is no enrolment, and a trial that ends is marked. Each debit has an item for what it
    // owes.
    let places = classes + lessons.len() + enrolments + 2 * trials + ended.len() + quote.fees().count();
    Actions {
        // Claim, session, head, document, family, idempotency record.
        place: 6 + places,
        // Head, family, credit, and the review record if a person ends it; enrolments with their instalments.
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

/// The most bytes of a document's line besides its text: its kind, an amount, five ids.
const LINE_BYTES: usize = 512;
/// The most bytes of a place, a trial, a fee or an entry besides its lines and text.
const ITEM_BYTES: usize = 1024;
/// The bytes of a date in an instalment schedule, and of each amount on it.
const DATE_BYTES: usize = 32;
const AMOUNT_BYTES: usize = 24;
/// The most bytes that a character takes when JSON escapes it.
const ESCAPED: usize = 6;

/// Whether the document of this quote's order certainly fits, by a bound that is cheap to compute. If it doesn't, the
/// document must be serialised and measured.
#[must_use]
pub fn document_surely_fits(quote: &Quote, family_name: &str, season_names: usize) -> bool {
    document_bound(quote, family_name, season_names) <= MAX_DOC_BYTES
}

fn document_bound(quote: &Quote, family_name: &str, season_names: usize) -> usize {
    let lines = |details: &[LineDetail]| -> usize {
        details.iter().map(|detail| LINE_BYTES + ESCAPED * detail.description.len()).sum()
    };
    // What is due now, and the text of what is due later.
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
    /// Whether its document is small enough to be written.
    #[must_use]
    pub fn fits(&self) -> bool {
        document(self).len() <= MAX_DOC_BYTES
    }
}
