//! When something unfinished is looked at again, and what a session needs by what Stripe says of its intent.
//!
//! Invariant: there is always a next time. A payment that can still be made or is under way is left alone, but none
//! stays open for ever.

use classpay_domain::order::{HELD_AT_MOST_S, IntentStatus};

use crate::store::SessionKind;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// How old something is at each look of its first day.
const LOOKS_S: [i64; 8] =
    [2 * MINUTE_S, 5 * MINUTE_S, 15 * MINUTE_S, HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S, DAY_S];
/// After its first day, and for what waits for a person, something is looked at this often.
pub const LATER_S: i64 = HOUR_S;
/// An account's events that can't be read now are asked for again so soon.
pub const FEED_AGAIN_S: i64 = 5 * MINUTE_S;
/// A payer who authorised a basket and left has paid in his eyes. So long his own call has precedence.
const BASKET_BOOKED_S: i64 = 5 * MINUTE_S;
/// An amount without a basket can't be booked for its payer; so long his checkout may come.
const AMOUNT_VOIDED_S: i64 = HOUR_S;
/// After this nobody comes back to a payment form.
const UNPAID_VOIDED_S: i64 = DAY_S;
/// An order that can't be captured for so long is given up: its places are needed.
pub const ORDER_GIVEN_UP_S: i64 = DAY_S;
/// What has been out of our reach for so long is put before a person.
pub const LOST_S: i64 = DAY_S;
/// What was given up and is still held for so long isn't released by trying again.
pub const NOT_RELEASED_S: i64 = DAY_S + 2 * HOUR_S;

/// When to look next at what began then, in seconds since 1970.
pub fn next_look(began_s: i64, now_s: i64) -> i64 {
    let looks = LOOKS_S.iter().map(|age_s| began_s.saturating_add(*age_s));
    looks.into_iter().find(|look_s| *look_s > now_s).unwrap_or(now_s.saturating_add(LATER_S))
}

/// What an unclaimed session needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStep {
    /// Nothing now.
    Wait,
    /// What it was made for is booked, or its payment is voided.
    Book,
    /// Its payment is voided.
    Void,
    /// It is over: nothing was paid.
    Close,
    /// It was captured without us: what was received is credited.
    Credit,
}

/// What a session of that age needs, given what its intent is and for how long a card has been held for it.
pub fn session_step(kind: &SessionKind, intent: IntentStatus, age_s: i64, held_for_s: i64) -> SessionStep {
    match (intent, kind) {
        (IntentStatus::Canceled, _) => SessionStep::Close,
        // Whatever keeps it from being booked: nothing is held for longer.
        (IntentStatus::RequiresCapture, _) if held_for_s >= HELD_AT_MOST_S => SessionStep::Void,
        // Whoever holds a link has paid its debit when he has confirmed, whoever captures.
        (
            IntentStatus::Processing | IntentStatus::RequiresCapture | IntentStatus::Succeeded,
            SessionKind::Link { .. },
        ) => SessionStep::Book,
        (IntentStatus::Succeeded, SessionKind::Basket { .. } | SessionKind::Amount) => SessionStep::Credit,
        (IntentStatus::RequiresCapture, SessionKind::Basket { .. }) if age_s >= BASKET_BOOKED_S => SessionStep::Book,
        (IntentStatus::RequiresCapture, SessionKind::Amount) if age_s >= AMOUNT_VOIDED_S => SessionStep::Void,
        // A link's intent stays for as long as the link does, which cancels it when it ends.
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
    fn it_is_looked_at_ever_more_rarely_and_never_for_the_last_time() {
        let mut now_s = 1000;
        let mut ages_s = Vec::new();
        for _ in 0..10 {
            now_s = next_look(1000, now_s);
            ages_s.push(now_s - 1000);
        }
        assert_eq!(ages_s, [120, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 90_000, 93_600]);
    }

    #[test]
    fn a_look_that_comes_late_leaves_out_what_it_missed() {
        assert_eq!(next_look(0, 899), 900);
        assert_eq!(next_look(0, 900), 3600);
        assert_eq!(next_look(0, 1_000_000), 1_003_600);
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
