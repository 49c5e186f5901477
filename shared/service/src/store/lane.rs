//! The index of unfinished items: which partition an item is in, and when it is due.
//!
//! The settlement job reads the lanes of [`job_shards`], oldest first within each.

use classpay_domain::fingerprint::Fingerprint;

use super::key::Key;

/// How many partitions of the index each lane is spread over.
const LANE_SHARDS: u128 = 8;

/// The lanes of the index of unfinished items, by what each item waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Money is held or processing: orders, rejections, sessions that are known to be authorised.
    Pay,
    /// Someone else must act first: sessions that nobody has authorised, links, events, accounts.
    Wait,
    /// Instalments, on their dates.
    Debit,
    /// Review records that nobody has seen. The settlement job leaves them alone.
    Review,
}

impl Lane {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "PAY",
            Self::Wait => "WAIT",
            Self::Debit => "DEBIT",
            Self::Review => "REVIEW",
        }
    }

    /// The partition of the index for an item of this lane.
    #[must_use]
    pub fn shard_of(self, key: &Key) -> String {
        let mut digest = Fingerprint::new("sweep");
        digest.text(&key.pk);
        self.shard(digest.finish_bits() % LANE_SHARDS)
    }

    /// All its partitions.
    pub fn shards(self) -> impl Iterator<Item = String> {
        (0..LANE_SHARDS).map(move |number| self.shard(number))
    }

    fn shard(self, number: u128) -> String {
        format!("{}#{number}", self.as_str())
    }
}

/// The partitions of the index that the settlement job reads, money first.
pub fn job_shards() -> impl Iterator<Item = String> {
    [Lane::Pay, Lane::Wait, Lane::Debit].into_iter().flat_map(Lane::shards)
}

/// A due time as the index sorts it.
#[must_use]
pub fn job_due(due_s: i64) -> String {
    format!("{due_s:012}")
}
