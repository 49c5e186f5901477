//! Medians, ratios and sizes of what was measured.
//!
//! Invariant: whole numbers; a ratio is in hundredths and is rounded up, against what is measured.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use miniz_oxide::deflate::compress_to_vec;

use crate::spent::Spent;

/// What a zip archive has around its one file: headers, the name twice, the end of the directory.
const ZIP_FRAME_BYTES: usize = 30 + 46 + 22 + 2 * "bootstrap".len();
/// As `zip -6`, which is what most who pack a function use.
const ZIP_LEVEL: u8 = 6;

/// The value that so many per cent are not above.
pub fn percentile(values: impl IntoIterator<Item = Duration>, percent: usize) -> Duration {
    let mut sorted: Vec<_> = values.into_iter().collect();
    sorted.sort_unstable();
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// How many requests a second keep one core busy.
pub fn per_core_second(requests: &[Spent]) -> u128 {
    let cpu: Duration = requests.iter().map(|request| request.cpu).sum();
    let requests = u128::try_from(requests.len()).unwrap_or_default();
    (requests * 1_000_000_000).checked_div(cpu.as_nanos()).unwrap_or_default()
}

/// A ratio in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(pub u128);

impl Ratio {
    pub fn of(value: Duration, base: Duration) -> Option<Self> {
        (!base.is_zero()).then(|| Self((value.as_nanos() * 100).div_ceil(base.as_nanos())))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// Milliseconds with two places.
pub fn ms(time: Duration) -> String {
    let hundredths = (time.as_nanos() + 5_000) / 10_000;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// MiB with one place, of KiB.
pub fn mib(kib: u64) -> String {
    let tenths = (kib * 10).div_ceil(1024);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A binary's bytes, and those of the archive that is uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub binary_kib: u64,
    pub zipped_kib: u64,
}

impl Size {
    pub fn of(file: &Path) -> Self {
        let bytes = std::fs::read(file).unwrap_or_else(|problem| panic!("{}: {problem}", file.display()));
        let zipped = compress_to_vec(&bytes, ZIP_LEVEL).len() + ZIP_FRAME_BYTES;
        let kib = |bytes: usize| u64::try_from(bytes.div_ceil(1024)).unwrap_or(u64::MAX);
        Self { binary_kib: kib(bytes.len()), zipped_kib: kib(zipped) }
    }
}
