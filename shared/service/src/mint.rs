//! The one place that makes ids which nobody can foresee.
//!
//! Invariant: 80 bits of every ULID come from the operating system; no other generator stands in for it.

use classpay_domain::id::{DetailEntityId, DetailId, EnrolmentId, TransactionId, TrialId};
use classpay_domain::link::{LINK_RANDOM_CHARS, PaymentLinkId};
use ulid::Ulid;

use crate::clock::Clock;

/// Makes ULIDs: 48 bits of time, 80 of chance.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mint {
    clock: Clock,
}

impl Mint {
    /// One that reads this clock.
    #[must_use]
    pub const fn new(clock: Clock) -> Self {
        Self { clock }
    }

    /// The bits of a new ULID.
    ///
    /// # Panics
    /// If the operating system has no randomness: then no id is safe to make.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that draws ids")]
    pub fn bits(&self) -> u128 {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).expect("the operating system has a random source");
        let milliseconds = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        Ulid::from_parts(milliseconds, u128::from_be_bytes(random)).into()
    }

    /// A new transaction's id.
    #[must_use]
    pub fn transaction(&self) -> TransactionId {
        TransactionId::from_bits(self.bits())
    }

    /// A new transaction detail's id.
    #[must_use]
    pub fn detail(&self) -> DetailId {
        DetailId::from_bits(self.bits())
    }

    /// A new detail entity's id.
    #[must_use]
    pub fn detail_entity(&self) -> DetailEntityId {
        DetailEntityId::from_bits(self.bits())
    }

    /// A new enrolment's id.
    #[must_use]
    pub fn enrolment(&self) -> EnrolmentId {
        EnrolmentId::from_bits(self.bits())
    }

    /// A new trial's id.
    #[must_use]
    pub fn trial(&self) -> TrialId {
        TrialId::from_bits(self.bits())
    }

    /// A new payment link's id: nothing of it can be foreseen, not even its time.
    ///
    /// # Panics
    /// If the operating system has no randomness: then no secret is safe to make.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that draws ids")]
    pub fn payment_link(&self) -> PaymentLinkId {
        let mut random = [0_u8; LINK_RANDOM_CHARS];
        getrandom::fill(&mut random).expect("the operating system has a random source");
        PaymentLinkId::from_random(random)
    }

    /// A new id without a prefix, for records of our own.
    #[must_use]
    pub fn bare(&self) -> String {
        Ulid::from(self.bits()).to_string()
    }
}
