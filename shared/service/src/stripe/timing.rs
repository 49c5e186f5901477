//! How long we wait for Stripe.
//!
//! Pauses are random, so that callers that failed together don't retry together.

use std::time::Duration;

/// Time limits and pauses for calls to Stripe.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// The limit for connecting (without TLS, which counts towards the attempt).
    pub connect: Duration,
    /// The limit for one attempt, until its whole answer is read.
    pub attempt: Duration,
    /// The limit for a call with all its attempts and pauses.
    pub budget: Duration,
    /// The most times that a call is sent.
    pub max_attempts: u32,
    /// The longest first pause; it doubles with every attempt. Zero: no pauses.
    pub pause: Duration,
    /// The longest pause.
    pub pause_max: Duration,
}

/// A function has 25 s (see the template), and [`Transport::within`](super::Transport::within) limits its calls
/// further; the budget is for programs with more time. A capture takes one to three seconds, rarely more, and is sent
/// again once if its reply is lost.
impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            attempt: Duration::from_secs(8),
            budget: Duration::from_secs(18),
            max_attempts: 3,
            pause: Duration::from_millis(200),
            pause_max: Duration::from_secs(2),
        }
    }
}

impl Timing {
    /// Full jitter: a random pause up to the bound, so that callers that failed together don't retry together.
    pub(super) fn pause_after(&self, attempts: u32) -> Duration {
        let doubled = self.pause.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
        let longest = doubled.min(self.pause_max).as_millis();
        Duration::from_millis(fastrand::u64(0..=u64::try_from(longest).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_never_longer_than_the_longest() {
        let timing = Timing { pause: Duration::from_secs(1), pause_max: Duration::from_secs(3), ..Timing::default() };
        for attempts in 1..=64 {
            assert!(timing.pause_after(attempts) <= Duration::from_secs(3));
        }
        let impatient = Timing { pause: Duration::ZERO, ..timing };
        assert_eq!(impatient.pause_after(3), Duration::ZERO);
    }
}
