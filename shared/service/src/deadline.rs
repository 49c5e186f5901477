//! How much time a call has.

use std::time::Duration;

use crate::clock::left_until;

/// What is kept back of an invocation for what has to be written and answered: no call of Stripe may use it. With less
/// than this left, what isn't finished is answered with 202.
const KEPT_FROM_STRIPE: Duration = Duration::from_secs(3);

/// When the Lambda runtime will end this invocation.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at_ms: u64,
}

impl Deadline {
    /// The deadline of an invocation that the runtime ends then, in milliseconds since 1970 by the machine's clock.
    #[must_use]
    pub const fn at_ms(at_ms: u64) -> Self {
        Self { at_ms }
    }

    /// The same deadline with so much time kept back.
    #[must_use]
    pub fn keeping(self, reserve: Duration) -> Self {
        Self { at_ms: self.at_ms.saturating_sub(u64::try_from(reserve.as_millis()).unwrap_or(u64::MAX)) }
    }

    /// Whether there is too little time left to ask Stripe anything.
    #[must_use]
    pub fn is_near(self) -> bool {
        self.for_stripe().is_zero()
    }

    /// The time that calls of Stripe may take, all of them together: a Stripe that executes a call and never answers
    /// must not keep us from saying what is known.
    #[must_use]
    pub fn for_stripe(self) -> Duration {
        self.left().saturating_sub(KEPT_FROM_STRIPE)
    }

    /// The time left.
    #[must_use]
    pub fn left(self) -> Duration {
        left_until(self.at_ms)
    }
}
