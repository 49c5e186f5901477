//! Digests that identify a basket, a quote or an order.
//!
//! No two different lists of texts have the same input to the digest.

use jiff::civil::Date;
use sha2::{Digest, Sha256};

/// The number of bits of a ULID that are not its time.
const ULID_RANDOM_BITS: u32 = 80;

/// A SHA-256 over texts and numbers. Each text is prefixed with its length, so that no two lists have the same input.
#[derive(Debug, Clone)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Begins a digest; `about` keeps digests of different things apart.
    #[must_use]
    pub fn new(about: &str) -> Self {
        let mut fingerprint = Self(Sha256::new());
        fingerprint.text(about);
        fingerprint
    }

    /// Adds a text to the digest.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.0.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(text.as_bytes());
        self
    }

    /// Adds a number to the digest.
    pub fn number(&mut self, number: i64) -> &mut Self {
        self.0.update(number.to_be_bytes());
        self
    }

    /// Adds a day to the digest.
    pub fn day(&mut self, day: Date) -> &mut Self {
        self.number(i64::from(day.year())).number(i64::from(day.month())).number(i64::from(day.day()))
    }

    /// The digest in hex.
    #[must_use]
    pub fn finish_hex(self) -> String {
        use std::fmt::Write as _;
        self.0.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The bits of a ULID that is the same for the same digest. Its time is the given one, in milliseconds since 1970,
    /// so that it sorts by time.
    #[must_use]
    pub fn finish_ulid(self, at_ms: i64) -> u128 {
        let milliseconds = u128::try_from(at_ms).unwrap_or(0);
        let rest = self.finish_bits() & (1_u128 << ULID_RANDOM_BITS).wrapping_sub(1);
        milliseconds.wrapping_shl(ULID_RANDOM_BITS) | rest
    }

    /// The first 128 bits of the digest.
    #[must_use]
    pub fn finish_bits(self) -> u128 {
        self.0.finalize().iter().take(16).fold(0, |bits, byte| bits.wrapping_shl(8) | u128::from(*byte))
    }
}
