//! Which calls may be sent again. Pure: no clock, no network.
//!
//! Invariant: a call that changes something is sent again only if it provably did nothing, or, once and with the same
//! key, if its reply was lost. After a 5xx it is never sent again, because Stripe stores the 5xx and would replay it. A
//! lost reply is remembered: a later "nothing was done" concerns only the later attempt.

use std::time::Duration;

use bytes::Bytes;

use crate::stripe::error::StripeError;

/// What a call does at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Reads,
    Changes,
}

/// How one attempt ended.
#[derive(Debug)]
pub(super) enum Attempt {
    Replied(Answer),
    /// No connection: not one byte of the request was sent.
    NotSent,
    /// It may have been sent, but no complete reply came.
    NoReply,
    /// The reply is too large to read.
    TooLarge,
}

/// The parts of Stripe's answer that decide a retry.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub status: u16,
    pub retry_after: Option<Duration>,
    /// The header `Stripe-Should-Retry`.
    pub should_retry: Option<bool>,
    /// The header `Idempotent-Replayed`: Stripe has given this answer to this key before.
    pub is_replayed: bool,
    pub body: Bytes,
}

/// The attempts of this call that have ended.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct SoFar {
    pub attempts: u32,
    pub lost: u32,
}

#[derive(Debug)]
pub(super) enum Next {
    Done(Result<Bytes, StripeError>),
    /// Send it again after `after` at the earliest. If there is no time left for that, the call ends with `error`.
    Again {
        error: StripeError,
        after: Duration,
    },
}

/// How often a changing call is sent again after a lost reply.
const RESENDS_AFTER_LOSS: u32 = 1;

/// What follows from the attempt, which `so_far` already counts.
pub(super) fn next(effect: Effect, attempt: Attempt, so_far: SoFar, max_attempts: u32) -> Next {
    let (error, again, after) = match attempt {
        Attempt::Replied(answer) if (200..300).contains(&answer.status) => return Next::Done(Ok(answer.body)),
        Attempt::Replied(answer) => {
            let error = StripeError::from_answer(answer.status, &answer.body);
            let error = if answer.is_replayed { error.replayed() } else { error };
            let again = answer.should_retry != Some(false) && harmless(effect, answer.status, &error);
            (error, again, answer.retry_after.unwrap_or_default())
        }
        Attempt::NotSent => (StripeError::Unavailable, true, Duration::ZERO),
        Attempt::TooLarge if effect == Effect::Reads => (StripeError::too_large(), false, Duration::ZERO),
        Attempt::TooLarge => (StripeError::OutcomeUnknown, false, Duration::ZERO),
        Attempt::NoReply => {
            let again = effect == Effect::Reads || so_far.lost <= RESENDS_AFTER_LOSS;
            (StripeError::OutcomeUnknown, again, Duration::ZERO)
        }
    };
    let error = in_view_of(effect, so_far, error);
    if again && so_far.attempts < max_attempts { Next::Again { error, after } } else { Next::Done(Err(error)) }
}

/// Whether the call may be sent again after this answer.
fn harmless(effect: Effect, status: u16, error: &StripeError) -> bool {
    match error {
        StripeError::Unavailable => true,
        // A key in use: the same key again can only wait for, or replay, that other request.
        StripeError::OutcomeUnknown => status == 409 || effect == Effect::Reads,
        StripeError::KeyExhausted => effect == Effect::Reads,
        StripeError::Declined(_)
        | StripeError::Refused(_)
        | StripeError::WrongState(_)
        | StripeError::IdempotencyConflict(_)
        | StripeError::Misconfigured(_) => false,
    }
}

/// The error of the whole call, not only of its last attempt.
fn in_view_of(effect: Effect, so_far: SoFar, error: StripeError) -> StripeError {
    match (effect, error) {
        // A read changes nothing, however it fails.
        (Effect::Reads, StripeError::OutcomeUnknown | StripeError::KeyExhausted) => StripeError::Unavailable,
        // The attempt whose reply was lost may have been carried out, or may still be.
        (Effect::Changes, StripeError::Unavailable | StripeError::Misconfigured(_)) if so_far.lost > 0 => {
            StripeError::OutcomeUnknown
        }
        (_, error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u32 = 3;

    fn answered(status: u16) -> Attempt {
        Attempt::Replied(Answer { status, ..Answer::default() })
    }

    fn ends(effect: Effect, attempt: Attempt, attempts: u32, lost: u32) -> Option<StripeError> {
        match next(effect, attempt, SoFar { attempts, lost }, MAX) {
            Next::Done(result) => Some(result.unwrap_err()),
            Next::Again { .. } => None,
        }
    }

    #[test]
    fn what_did_nothing_is_sent_again_until_the_attempts_are_used_up() {
        for effect in [Effect::Reads, Effect::Changes] {
            for status in [None, Some(429)] {
                let attempt = || status.map_or(Attempt::NotSent, answered);
                assert_eq!(ends(effect, attempt(), 2, 0), None);
                assert_eq!(ends(effect, attempt(), 3, 0), Some(StripeError::Unavailable));
            }
        }
    }

    #[test]
    fn a_lost_reply_of_a_change_is_asked_for_once_more_and_then_unknown() {
        assert_eq!(ends(Effect::Changes, Attempt::NoReply, 1, 1), None);
        assert_eq!(ends(Effect::Changes, Attempt::NoReply, 2, 2), Some(StripeError::OutcomeUnknown));
    }

    #[test]
    fn after_a_lost_reply_nothing_done_is_no_longer_proven() {
        for attempt in [Attempt::NotSent, answered(429), answered(401)] {
            assert_eq!(ends(Effect::Changes, attempt, MAX, 1), Some(StripeError::OutcomeUnknown));
        }
        assert!(matches!(ends(Effect::Changes, answered(402), 2, 1), Some(StripeError::Declined(_))));
    }

    #[test]
    fn a_5xx_of_a_change_is_not_sent_again_and_of_a_read_it_is() {
        let of_a_change = [500, 502, 503, 504].map(|status| (status, StripeError::KeyExhausted));
        for (status, is) in of_a_change.into_iter().chain([(424, StripeError::OutcomeUnknown)]) {
            assert_eq!(ends(Effect::Changes, answered(status), 1, 0), Some(is));
            assert_eq!(ends(Effect::Reads, answered(status), 1, 0), None);
            assert_eq!(ends(Effect::Reads, answered(status), 3, 0), Some(StripeError::Unavailable));
        }
    }

    #[test]
    fn stripe_s_word_against_a_retry_counts() {
        let attempt = Answer { status: 429, should_retry: Some(false), ..Answer::default() };
        assert_eq!(ends(Effect::Changes, Attempt::Replied(attempt), 1, 0), Some(StripeError::Unavailable));
    }

    #[test]
    fn stripe_s_word_for_a_retry_does_not_make_a_500_harmless() {
        let attempt = Answer { status: 500, should_retry: Some(true), ..Answer::default() };
        assert_eq!(ends(Effect::Changes, Attempt::Replied(attempt), 1, 0), Some(StripeError::KeyExhausted));
    }

    #[test]
    fn a_key_in_use_is_waited_for() {
        let body = Bytes::from_static(br#"{"error":{"code":"idempotency_key_in_use"}}"#);
        let attempt = || Attempt::Replied(Answer { status: 409, body: body.clone(), ..Answer::default() });
        assert_eq!(ends(Effect::Changes, attempt(), 1, 0), None);
        assert_eq!(ends(Effect::Changes, attempt(), 3, 0), Some(StripeError::OutcomeUnknown));
    }

    #[test]
    fn a_refusal_that_is_replayed_says_nothing_of_today() {
        let body = || Bytes::from_static(br#"{"error":{"type":"invalid_request_error","code":"amount_too_small"}}"#);
        let answer = |status, is_replayed| Answer { status, is_replayed, body: body(), ..Answer::default() };
        let error = |status, is_replayed| ends(Effect::Changes, Attempt::Replied(answer(status, is_replayed)), 1, 0);
        for status in [400, 402, 404] {
            assert!(error(status, false).is_some_and(|error| error.refusal().is_some()), "{status}");
            assert!(matches!(error(status, true), Some(StripeError::IdempotencyConflict(_))), "{status}");
        }
    }

    #[test]
    fn a_clear_no_is_final() {
        let body = Bytes::from_static(br#"{"error":{"type":"invalid_request_error"}}"#);
        for status in [400, 402, 403, 404] {
            let attempt = Attempt::Replied(Answer { status, body: body.clone(), ..Answer::default() });
            assert!(ends(Effect::Reads, attempt, 1, 0).is_some(), "{status}");
        }
    }
}
