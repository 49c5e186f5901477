//! Random faults.
//!
//! Once they are stopped, no further faults occur, and a world must recover.

use super::faults::{CallKind, Fault, Faults, WorldFaults};
use super::rng::Rng;

/// The parameters of a world's network, drawn from its seed.
#[derive(Debug)]
pub struct RandomFaults {
    rng: Rng,
    /// One call in this many goes wrong; `None` if none does.
    rate: Option<usize>,
    /// One call in this many takes longer than others.
    slow: usize,
    is_paused: bool,
    replies_lost: u64,
}

impl RandomFaults {
    /// The faults of a world.
    #[must_use]
    pub fn draw(rng: &Rng) -> Self {
        let rate = *rng.pick(&[None, Some(40), Some(15), Some(6)]);
        Self { rng: Rng::of(rng.next()), rate, slow: *rng.pick(&[2, 5, 1000]), is_paused: false, replies_lost: 0 }
    }
}

impl WorldFaults for RandomFaults {
    fn pause(&mut self) {
        self.is_paused = true;
    }

    fn resume(&mut self) {
        self.is_paused = false;
    }

    fn end(&mut self) {
        self.rate = None;
        self.slow = usize::MAX;
    }

    fn are_on(&self) -> bool {
        self.rate.is_some() && !self.is_paused
    }

    fn replies_lost(&self) -> u64 {
        self.replies_lost
    }
}

impl Faults for RandomFaults {
    fn next(&mut self, call: CallKind) -> Fault {
        let Some(rate) = self.rate.filter(|_| !self.is_paused) else { return Fault::None };
        if !self.rng.one_in(rate) {
            return Fault::None;
        }
        let of_writes = [
            Fault::NotSent,
            Fault::Refused,
            Fault::RequestLost,
            Fault::ReplyLost,
            Fault::ReplyLost,
            Fault::Late,
            Fault::Stored500,
            Fault::Stored500Done,
        ];
        let fault = match call {
            CallKind::Get
            | CallKind::Batch
            | CallKind::Query
            | CallKind::Due
            | CallKind::LoadIntent
            | CallKind::ListEvents => Fault::NotSent,
            CallKind::Transact
            | CallKind::Update
            | CallKind::CreateIntent
            | CallKind::Capture
            | CallKind::Cancel
            | CallKind::CreateCustomer
            | CallKind::CustomerSession
            | CallKind::EphemeralKey => *self.rng.pick(&of_writes),
        };
        self.replies_lost += u64::from(fault == Fault::ReplyLost);
        fault
    }

    fn delay(&mut self, _call: CallKind) -> u32 {
        if self.slow < usize::MAX && self.rng.one_in(self.slow) { u32::from(self.rng.one_in(3)) + 1 } else { 0 }
    }

    fn age(&mut self, _call: CallKind) -> usize {
        if self.slow < usize::MAX && self.rng.one_in(4) { self.rng.below(4) } else { 0 }
    }
}
