//! When an unfinished item is visited next, and what a session needs given its intent.
//!
//! Invariant: there is always a next visit. A payment that can still be made or is under way is left alone, but none
//! stays open for ever.

use classpay_domain::order::{HELD_AT_MOST_S, IntentStatus};

use crate::store::SessionKind;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// The ages at which an item is visited on its first day.
const VISITS_S: [i64; 8] =
    [2 * MINUTE_S, 5 * MINUTE_S, 15 * MINUTE_S, HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S, DAY_S];
/// How often an item is visited after its first day, or while it waits for a person.
pub const LATER_S: i64 = HOUR_S;
/// How soon an account's events are requested again if they can't be read now.
pub const FEED_AGAIN_S: i64 = 5 * MINUTE_S;
/// How long the payer's own call has precedence. A payer who authorised a basket and left believes that they have paid,
/// so then the settlement job books it.
const BASKET_BOOKED_S: i64 = 5 * MINUTE_S;
/// How long an amount without a basket waits for its payer's checkout: the settlement job can't book it.
const AMOUNT_VOIDED_S: i64 = HOUR_S;
/// The age after which no payer returns to a payment form.
const UNPAID_VOIDED_S: i64 = DAY_S;
/// The age at which an uncaptured order is given up, because its places are needed.
pub const ORDER_GIVEN_UP_S: i64 = DAY_S;
/// How long an item is out of our reach before it is put up for review.
pub const LOST_S: i64 = DAY_S;
/// The age after which retrying won't release what was given up and is still held.
pub const NOT_RELEASED_S: i64 = DAY_S + 2 * HOUR_S;

/// When to visit an item next that began then, in seconds since 1970.
pub fn next_visit(began_s: i64, now_s: i64) -> i64 {
    let visits = VISITS_S.iter().map(|age_s| began_s.saturating_add(*age_s));
    visits.into_iter().find(|visit_s| *visit_s > now_s).unwrap_or(now_s.saturating_add(LATER_S))
}

/// What an unclaimed session needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStep {
    /// Nothing now.
    Wait,
    /// Book what it was made for, or void its payment.
    Book,
    /// Void its payment.
    Void,
    /// Close it: nothing was paid.
    Close,
    /// Credit what was received: it was captured without us.
    Credit,
}

/// What a session of that age needs, given its intent's status and how long a card has been held for it.
pub fn session_step(kind: &SessionKind, intent: IntentStatus, age_s: i64, held_for_s: i64) -> SessionStep {
    match (intent, kind) {
        (IntentStatus::Canceled, _) => SessionStep::Close,
        // No hold lasts longer, whatever prevents the booking.
        (IntentStatus::RequiresCapture, _) if held_for_s >= HELD_AT_MOST_S => SessionStep::Void,
        // The holder of a link has paid its debit once they have confirmed, no matter which call captures.
        (
            IntentStatus::Processing | IntentStatus::RequiresCapture | IntentStatus::Succeeded,
            SessionKind::Link { .. },
        ) => SessionStep::Book,
        (IntentStatus::Succeeded, SessionKind::Basket { .. } | SessionKind::Amount) => SessionStep::Credit,
        (IntentStatus::RequiresCapture, SessionKind::Basket { .. }) if age_s >= BASKET_BOOKED_S => SessionStep::Book,
        (IntentStatus::RequiresCapture, SessionKind::Amount) if age_s >= AMOUNT_VOIDED_S => SessionStep::Void,
        // A link's intent lives as long as the link, which cancels it when it ends.
        (
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction,
            SessionKind::Basket { .. } | SessionKind::Amount,
        ) if age_s >= UNPAID_VOIDED_S => SessionStep::Void,
        (
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::Processing
            | IntentStatus::RequiresCapture,
            _,
        ) => SessionStep::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ItemsBody;

    #[test]
    fn it_is_visited_ever_more_rarely_and_never_for_the_last_time() {
        let mut now_s = 1000;
        let mut ages_s = Vec::new();
        for _ in 0..10 {
            now_s = next_visit(1000, now_s);
            ages_s.push(now_s - 1000);
        }
        assert_eq!(ages_s, [120, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 90_000, 93_600]);
    }

    #[test]
    fn a_visit_that_comes_late_leaves_out_what_it_missed() {
        assert_eq!(next_visit(0, 899), 900);
        assert_eq!(next_visit(0, 900), 3600);
        assert_eq!(next_visit(0, 1_000_000), 1_003_600);
    }

    #[test]
    fn what_is_captured_or_under_way_is_never_voided() {
        for age_s in [0, HOUR_S, DAY_S, 100 * DAY_S] {
            assert_eq!(session_step(&SessionKind::Amount, IntentStatus::Processing, age_s, 0), SessionStep::Wait);
            assert_eq!(session_step(&SessionKind::Amount, IntentStatus::Succeeded, age_s, 0), SessionStep::Credit);
            assert_eq!(session_step(&SessionKind::Amount, IntentStatus::Canceled, age_s, 0), SessionStep::Close);
        }
    }

    #[test]
    fn an_amount_that_is_held_is_voided_after_an_hour_and_an_unpaid_one_after_a_day() {
        let step = |intent, age_s| session_step(&SessionKind::Amount, intent, age_s, 0);
        assert_eq!(step(IntentStatus::RequiresCapture, HOUR_S - 1), SessionStep::Wait);
        assert_eq!(step(IntentStatus::RequiresCapture, HOUR_S), SessionStep::Void);
        assert_eq!(step(IntentStatus::RequiresAction, DAY_S - 1), SessionStep::Wait);
        assert_eq!(step(IntentStatus::RequiresAction, DAY_S), SessionStep::Void);
    }

    #[test]
    fn nothing_is_held_for_longer_than_a_day_whatever_it_was_made_for() {
        let items = ItemsBody { enrolments: Vec::new(), trials: Vec::new() };
        let basket = SessionKind::Basket { hash: String::new(), items };
        let step = |held_for_s| session_step(&basket, IntentStatus::RequiresCapture, 9 * DAY_S, held_for_s);
        assert_eq!([step(DAY_S - 1), step(DAY_S)], [SessionStep::Book, SessionStep::Void]);
    }
}
