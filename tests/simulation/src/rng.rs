//! A seeded random generator.
//!
//! The same seed gives the same numbers in the same order, and nothing else in the simulation is random.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The increment of the state for each number (SplitMix64: Steele, Lea and Flood, 2014).
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// A generator. Its clones share one sequence.
#[derive(Debug, Clone)]
pub struct Rng(Arc<AtomicU64>);

impl Rng {
    /// The generator with that seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    /// The next number.
    #[must_use]
    pub fn next(&self) -> u64 {
        let mut mixed = self.0.fetch_add(STRIDE, Ordering::Relaxed).wrapping_add(STRIDE);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    ///
    /// # Panics
    /// If `end` is zero.
    #[must_use]
    pub fn below(&self, end: usize) -> usize {
        assert!(end > 0, "a number below zero");
        // The bias is one in 2^64 / end, too small for a simulation to notice.
        let wide = u128::from(self.next()) * end as u128;
        usize::try_from(wide >> 64).expect("it is below a usize")
    }

    /// True once in this many cases, on average.
    #[must_use]
    pub fn one_in(&self, cases: usize) -> bool {
        self.below(cases) == 0
    }

    /// One of these, at random.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn pick<'a, T>(&self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_sequence_and_clones_share_it() {
        // The first numbers of the reference implementation.
        let rng = Rng::of(1_234_567);
        assert_eq!(rng.next(), 6_457_827_717_110_365_317);
        assert_eq!(rng.clone().next(), 3_203_168_211_198_807_973);
        assert_eq!(rng.next(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn every_number_below_the_end_comes_up_and_no_other() {
        let (rng, mut seen) = (Rng::of(7), [0_u32; 6]);
        for _ in 0..600 {
            seen[rng.below(6)] += 1;
        }
        assert!(seen.iter().all(|times| *times > 50), "{seen:?}");
        assert!(rng.one_in(1));
    }
}
