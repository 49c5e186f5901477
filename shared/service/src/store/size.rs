//! Whether an order can be written at all. Quote, session and checkout ask before anything is held.
//!
//! Invariant: what is counted here is what [`super::orders`] and [`super::unpaid`] write, or more; they assert it in
//! debug builds.

use std::collections::BTreeSet;

use classpay_domain::basket::Basket;
use classpay_domain::pricing::Quote;

use super::item::document;
use super::transact::MAX_ACTIONS;
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
    let seasons: BTreeSet<_> = quote.seasons.iter().map(|season| &season.season).chain(of_trials).collect();
    let debits = seasons.len() + usize::from(!quote.registration_fees.is_empty());
    // A trial checks that there is no enrolment. A debit has what it owes beside it.
    let places = classes + lessons.len() + enrolments + 2 * trials + quote.fees().count();
    Actions {
        // Claim, session, head, document, family, idempotency record.
        place: 6 + places,
        // Head, family, credit; enrolments with their instalments.
        post: 3 + 2 * debits + 2 * enrolments + trials,
        // Head, document, family, idempotency record.
        book: 4 + places + enrolments + 2 * debits,
    }
}

/// Whether an order of this basket can be written: paid, or with nothing to collect.
#[must_use]
pub fn order_fits(basket: &Basket, quote: &Quote, is_collected: bool) -> bool {
    let Actions { place, post, book } = actions(basket, quote);
    if is_collected { place.max(post) <= MAX_ACTIONS } else { book <= MAX_ACTIONS }
}

impl Snapshot {
    /// Whether its document can be written.
    #[must_use]
    pub fn fits(&self) -> bool {
        document(self).len() <= MAX_DOC_BYTES
    }
}
