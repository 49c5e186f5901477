//! The one source of unpredictable ids.
//!
//! In production, 80 bits of every ULID come from the operating system.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use classpay_domain::id::{EnrolmentId, TransactionId, TrialId};
use classpay_domain::ledger::POSITION_BITS;
use classpay_domain::link::{LINK_RANDOM_CHARS, PaymentLinkId};
use ulid::Ulid;

use crate::clock::Clock;

/// Creates ULIDs: 48 bits of time, 80 random bits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ids {
    clock: Clock,
    randomness: Randomness,
}

#[derive(Debug, Clone, Copy, Default)]
enum Randomness {
    /// The operating system's randomness.
    #[default]
    System,
    /// A counter, so that a simulation reproduces the same ids.
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
    /// A source with this clock.
    #[must_use]
    pub const fn new(clock: Clock) -> Self {
        Self { clock, randomness: Randomness::System }
    }

    /// A source that counts instead of drawing random bits: only for a simulation, which has no secrets to protect.
    #[must_use]
    pub const fn counting(clock: Clock, count: &'static AtomicU64) -> Self {
        Self { clock, randomness: Randomness::Counted(count) }
    }

    /// The bits of a new ULID.
    ///
    /// # Panics
    /// If the operating system provides no randomness: then no id is safe.
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

    /// A new payment link's id: no part of it is predictable, not even its time.
    ///
    /// # Panics
    /// If the operating system provides no randomness: then no secret is safe.
    #[must_use]
    pub fn payment_link(&self) -> PaymentLinkId {
        let mut random = [0_u8; LINK_RANDOM_CHARS];
        self.randomness.fill(&mut random);
        PaymentLinkId::from_random(random)
    }

    /// A new id without a prefix, for internal records.
    #[must_use]
    pub fn bare(&self) -> String {
        Ulid::from(self.bits()).to_string()
    }
}
