//! The stack's clock: the machine's clock with an offset.
//!
//! Beside a DynamoDB that is not local the clock can't be moved, because others read what is written there.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

pub use classpay_operator::machine::machine_time;

/// The clock of the gateway, the functions, the settlement job and the Stripe stand-in.
#[derive(Debug)]
pub struct Clock {
    offset_ms: AtomicI64,
    movable: bool,
    moves: watch::Sender<()>,
}

/// The clock cannot be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed;

impl Clock {
    /// The machine's time, which can be moved.
    #[must_use]
    pub fn movable() -> Self {
        Self { offset_ms: AtomicI64::new(0), movable: true, moves: watch::Sender::new(()) }
    }

    /// The machine's time, fixed to it.
    #[must_use]
    pub fn fixed() -> Self {
        Self { movable: false, ..Self::movable() }
    }

    /// How far the clock is ahead of the machine's.
    #[must_use]
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::SeqCst)
    }

    /// The offset that functions are given; `None` where they must use the machine's time.
    #[must_use]
    pub fn told_offset_ms(&self) -> Option<i64> {
        self.movable.then(|| self.offset_ms())
    }

    /// The stack's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = machine_time();
        now.checked_add(SignedDuration::from_millis(self.offset_ms())).unwrap_or(now)
    }

    /// Moves the clock, which runs on from there. Call [`Self::announce`] once the functions have the new time, to wake
    /// tasks that wait for a time.
    pub fn set(&self, now: Timestamp) -> Result<(), Fixed> {
        if !self.movable {
            return Err(Fixed);
        }
        self.offset_ms.store(now.as_millisecond() - machine_time().as_millisecond(), Ordering::SeqCst);
        Ok(())
    }

    /// Wakes the tasks that wait for a time.
    pub fn announce(&self) {
        self.moves.send_replace(());
    }

    /// Waits until the clock reaches this time, by running or by being moved.
    pub async fn reach(&self, time: Timestamp) {
        let mut moves = self.moves.subscribe();
        loop {
            let Ok(left) = std::time::Duration::try_from(time.duration_since(self.now())) else { return };
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // This clock owns the sender, so a change is always a move.
                _ = moves.changed() => {}
            }
        }
    }
}
