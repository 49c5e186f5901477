//! How much time a call has.

use std::time::Duration;

use crate::clock::left_until;

/// The end of an invocation, reserved for writing and answering: no call to Stripe may use it. With less time than this
/// left, an unfinished call is answered with 202.
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

    /// The same deadline, earlier by this reserve.
    #[must_use]
    pub fn keeping(self, reserve: Duration) -> Self {
        Self { at_ms: self.at_ms.saturating_sub(u64::try_from(reserve.as_millis()).unwrap_or(u64::MAX)) }
    }

    /// Whether there is too little time left to ask Stripe anything.
    #[must_use]
    pub fn is_near(self) -> bool {
        self.for_stripe().is_zero()
    }

    /// The time for all calls to Stripe together. If Stripe executes a call and never answers, there must be time left
    /// to answer what is known.
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
