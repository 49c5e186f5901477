//! The one place that makes ids which nobody can foresee.
//!
//! Invariant: 80 bits of every ULID come from the operating system; no other generator stands in for it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use classpay_domain::id::{EnrolmentId, TransactionId, TrialId};
use classpay_domain::ledger::POSITION_BITS;
use classpay_domain::link::{LINK_RANDOM_CHARS, PaymentLinkId};
use ulid::Ulid;

use crate::clock::Clock;

/// Makes ULIDs: 48 bits of time, 80 of chance.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ids {
    clock: Clock,
    randomness: Randomness,
}

#[derive(Debug, Clone, Copy, Default)]
enum Randomness {
    /// The operating system's.
    #[default]
    System,
    /// None: it counts, so that a simulation makes the same ids again.
    Counted(&'static AtomicU64),
}

impl Randomness {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that draws ids")]
    fn fill(self, bytes: &mut [u8]) {
        match self {
            Self::System => getrandom::fill(bytes).expect("the operating system has a random source"),
            Self::Counted(count) => {
                let count = count.fetch_add(1, Relaxed).to_be_bytes();
                for (byte, counted) in bytes.iter_mut().rev().zip(count.iter().rev()) {
                    *byte = *counted;
                }
            }
        }
    }
}

impl Ids {
    /// One that reads this clock.
    #[must_use]
    pub const fn new(clock: Clock) -> Self {
        Self { clock, randomness: Randomness::System }
    }

    /// One that counts instead of drawing: for a simulation, whose secrets nobody has to guess.
    #[must_use]
    pub const fn counting(clock: Clock, count: &'static AtomicU64) -> Self {
        Self { clock, randomness: Randomness::Counted(count) }
    }

    /// The bits of a new ULID.
    ///
    /// # Panics
    /// If the operating system has no randomness: then no id is safe to make.
    #[must_use]
    pub fn bits(&self) -> u128 {
        self.bits_above(0)
    }

    /// The bits of a new ULID whose last ones are zero.
    fn bits_above(&self, zeros: u32) -> u128 {
        let mut random = [0_u8; 16];
        self.randomness.fill(&mut random);
        let milliseconds = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        Ulid::from_parts(milliseconds, u128::from_be_bytes(random) << zeros).into()
    }

    /// A new transaction's id.
    #[must_use]
    pub fn transaction(&self) -> TransactionId {
        TransactionId::with_positions(self.bits_above(POSITION_BITS))
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
    pub fn payment_link(&self) -> PaymentLinkId {
        let mut random = [0_u8; LINK_RANDOM_CHARS];
        self.randomness.fill(&mut random);
        PaymentLinkId::from_random(random)
    }

    /// A new id without a prefix, for records of our own.
    #[must_use]
    pub fn bare(&self) -> String {
        Ulid::from(self.bits()).to_string()
    }
}
