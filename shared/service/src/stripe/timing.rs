//! How long Stripe is waited for.
//!
//! Invariant: pauses are random, so that callers who failed together don't come back together.

use std::time::Duration;

/// How patient to be with Stripe.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Until the connection stands (without TLS, which counts to the attempt).
    pub connect: Duration,
    /// For one attempt, until its whole answer is there.
    pub attempt: Duration,
    /// For the call with all its attempts and pauses.
    pub budget: Duration,
    /// How often a call is sent at most.
    pub max_attempts: u32,
    /// The longest first pause; it doubles with every attempt. Zero: no pauses.
    pub pause: Duration,
    /// The longest pause of all.
    pub pause_max: Duration,
}

/// A function has 25 s (the template says), and [`Transport::within`](super::Transport::within) keeps the last of them from calls of Stripe: the
/// budget is for who has more. A capture takes one to three seconds, rarely more; one that is lost is sent once more.
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
    /// Full jitter: anything from nothing to the longest pause, so that those who failed together don't come
    /// back together.
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
