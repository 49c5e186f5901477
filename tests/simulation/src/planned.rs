//! Planned faults: which calls go wrong, and how.
//!
//! Calls are counted from where the plan begins, and nothing goes wrong before that or after its end. The plan records
//! its calls, so that a scenario that never reached its faults doesn't count as run.

use std::fmt;
use std::str::FromStr;

use super::faults::{CallKind, Fault, Faults, WorldFaults};

/// The fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InjectedFault {
    /// The call itself goes wrong.
    Call(Fault),
    /// The function is killed before the call has any effect.
    KilledBefore,
    /// The function is killed when the call has had its whole effect, and its answer is not seen.
    KilledAfter,
}

impl InjectedFault {
    /// Every fault.
    pub const ALL: [Self; 9] = [
        Self::Call(Fault::NotSent),
        Self::Call(Fault::Refused),
        Self::Call(Fault::RequestLost),
        Self::Call(Fault::ReplyLost),
        Self::Call(Fault::Late),
        Self::Call(Fault::Stored500),
        Self::Call(Fault::Stored500Done),
        Self::KilledBefore,
        Self::KilledAfter,
    ];

    /// The faults that differ for such a call at the stand-ins. A read is not answered, however it fails; a 500 of the
    /// table is a lost call; and Stripe's refusal is like a call that never arrived.
    #[must_use]
    pub fn that_differ(call: CallKind) -> &'static [Self] {
        const OF_A_READ: [InjectedFault; 2] = [InjectedFault::Call(Fault::NotSent), InjectedFault::KilledAfter];
        const OF_THE_TABLE: [InjectedFault; 7] = [
            InjectedFault::Call(Fault::NotSent),
            InjectedFault::Call(Fault::Refused),
            InjectedFault::Call(Fault::RequestLost),
            InjectedFault::Call(Fault::ReplyLost),
            InjectedFault::Call(Fault::Late),
            InjectedFault::KilledBefore,
            InjectedFault::KilledAfter,
        ];
        const OF_STRIPE: [InjectedFault; 8] = [
            InjectedFault::Call(Fault::NotSent),
            InjectedFault::Call(Fault::RequestLost),
            InjectedFault::Call(Fault::ReplyLost),
            InjectedFault::Call(Fault::Late),
            InjectedFault::Call(Fault::Stored500),
            InjectedFault::Call(Fault::Stored500Done),
            InjectedFault::KilledBefore,
            InjectedFault::KilledAfter,
        ];
        match call {
            CallKind::Get
            | CallKind::Batch
            | CallKind::Query
            | CallKind::Due
            | CallKind::LoadIntent
            | CallKind::ListEvents => &OF_A_READ,
            CallKind::Transact | CallKind::Update => &OF_THE_TABLE,
            CallKind::CreateIntent
            | CallKind::Capture
            | CallKind::Cancel
            | CallKind::CreateCustomer
            | CallKind::CustomerSession
            | CallKind::EphemeralKey => &OF_STRIPE,
        }
    }

    /// The fault of the call itself.
    fn fault(self, call: CallKind) -> Fault {
        let is_read = Self::that_differ(call) == Self::that_differ(CallKind::Get);
        match self {
            Self::Call(fault) => fault,
            // A function that is killed before a read and one that is killed after it know the same. A read that fails
            // might be finished before the function can be killed.
            Self::KilledBefore if is_read => Fault::None,
            Self::KilledBefore => Fault::RequestLost,
            Self::KilledAfter => Fault::None,
        }
    }
}

impl fmt::Display for InjectedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(fault) => write!(f, "{fault:?}"),
            injected @ (Self::KilledBefore | Self::KilledAfter) => write!(f, "{injected:?}"),
        }
    }
}

/// A fault, and the number of its call, counted from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// The number of the call.
    pub at: usize,
    /// Its fault.
    pub injected: InjectedFault,
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.at, self.injected)
    }
}

impl FromStr for Planned {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (at, name) = text.split_once(':')?;
            let injected = InjectedFault::ALL.into_iter().find(|injected| injected.to_string() == name)?;
            Some(Self { at: at.parse().ok()?, injected })
        };
        read().ok_or_else(|| format!("{text} is no call with its fault: one is 12:ReplyLost"))
    }
}

/// See the module.
#[derive(Debug)]
pub struct PlannedFaults {
    plan: Vec<Planned>,
    is_on: bool,
    /// The number of calls since the plan began.
    pub calls: Vec<CallKind>,
    met: usize,
    kills: bool,
}

impl PlannedFaults {
    /// A network with this plan, which begins when it is resumed.
    #[must_use]
    pub fn of(plan: Vec<Planned>) -> Self {
        Self { plan, is_on: false, calls: Vec::new(), met: 0, kills: false }
    }

    /// Whether a task is to be killed now: it has just made the call that kills it.
    pub fn take_kill(&mut self) -> bool {
        std::mem::take(&mut self.kills)
    }

    /// Whether every planned fault has happened.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.met == self.plan.len()
    }
}

impl Faults for PlannedFaults {
    fn next(&mut self, call: CallKind) -> Fault {
        if !self.is_on {
            return Fault::None;
        }
        let at = self.calls.len();
        self.calls.push(call);
        let Some(Planned { injected, .. }) = self.plan.iter().find(|planned| planned.at == at) else {
            tracing::debug!(at, ?call, "a call");
            return Fault::None;
        };
        tracing::debug!(at, ?call, %injected, "a call suffers");
        self.met += 1;
        self.kills |= matches!(injected, InjectedFault::KilledBefore | InjectedFault::KilledAfter);
        injected.fault(call)
    }
}

impl WorldFaults for PlannedFaults {
    fn pause(&mut self) {
        self.is_on = false;
    }

    fn resume(&mut self) {
        self.is_on = true;
    }

    fn end(&mut self) {
        self.is_on = false;
    }

    fn are_on(&self) -> bool {
        self.is_on
    }

    fn replies_lost(&self) -> u64 {
        0
    }
}
