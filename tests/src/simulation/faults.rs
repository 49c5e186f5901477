//! What can go wrong with a call between us and DynamoDB or Stripe.
//!
//! Invariant: every call of a stand-in goes through [`Network::call`], so that it can be lost, and its task killed,
//! before its effect and after it.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard};

use super::executor::pause;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// One item of the table.
    Get,
    /// Many items by key.
    Batch,
    /// A partition.
    Query,
    /// What is due in the index.
    Due,
    /// A transaction.
    Transact,
    /// An update of a counter.
    Update,
    /// An intent is read.
    LoadIntent,
    /// An intent is made.
    CreateIntent,
    /// An intent is captured.
    Capture,
    /// An intent is cancelled.
    Cancel,
    /// A customer is made.
    CreateCustomer,
    /// A customer's payment form.
    CustomerSession,
    /// A customer's mobile payment form.
    EphemeralKey,
    /// An account's events are read.
    ListEvents,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Fault {
    /// It is answered.
    #[default]
    None,
    /// It could not be sent, provably. No effect.
    NotSent,
    /// The other side has no time for it and says so. No effect.
    Refused,
    /// It never arrived, and nobody knows. No effect.
    RequestLost,
    /// It arrived, and nobody knows: all of its effect.
    ReplyLost,
    /// Nobody knows, and it arrives later, when the world says.
    Late,
    /// Stripe answers 500 and will again to this idempotency key. The table: as [`Fault::RequestLost`].
    Stored500,
    /// The same after all of its effect. The table: as [`Fault::ReplyLost`].
    Stored500Done,
}

/// Who decides what happens to calls: at random, or by a plan.
///
/// It is asked while a call is made: it must neither make one itself nor look into a stand-in.
pub trait Faults: Debug + Send {
    /// What happens to this call.
    fn next(&mut self, _call: CallKind) -> Fault {
        Fault::None
    }

    /// How many further scheduling points it takes to arrive: calls that one task makes at the same time, and the items
    /// of one batch or query, need not be read at one instant. No DynamoDB read of several items is isolated.
    fn delay(&mut self, _call: CallKind) -> u32 {
        0
    }

    /// How many writes old the answer is, if the reader allows for that.
    fn age(&mut self, _call: CallKind) -> usize {
        0
    }
}

/// Faults that a world stops, for a while or for good.
pub trait WorldFaults: Faults {
    /// Nothing goes wrong until they are resumed.
    fn pause(&mut self);

    /// They go on.
    fn resume(&mut self);

    /// Nothing goes wrong any more: a world must recover then.
    fn end(&mut self);

    /// Whether anything may go wrong.
    fn are_on(&self) -> bool;

    /// How many calls were lost after their effect.
    fn replies_lost(&self) -> u64;
}

/// Nothing goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {}

/// One fault, at the call of that number, counted from zero.
#[derive(Debug, Clone, Copy)]
pub struct OneFault {
    /// At which call.
    pub at: usize,
    /// What.
    pub fault: Fault,
    /// How many calls there have been.
    pub calls: usize,
}

impl OneFault {
    /// See [`OneFault`].
    #[must_use]
    pub fn at(at: usize, fault: Fault) -> Self {
        Self { at, fault, calls: 0 }
    }
}

impl Faults for OneFault {
    fn next(&mut self, _call: CallKind) -> Fault {
        let call = self.calls;
        self.calls += 1;
        if call == self.at { self.fault } else { Fault::None }
    }
}

/// The way to the stand-ins. Its clones share their faults.
#[derive(Debug, Clone)]
pub struct Network {
    faults: Arc<Mutex<dyn Faults>>,
}

impl Network {
    /// One with these faults; the world keeps its hand on them.
    #[must_use]
    pub fn with<F: Faults + 'static>(faults: &Arc<Mutex<F>>) -> Self {
        let faults: Arc<Mutex<F>> = Arc::clone(faults);
        Self { faults }
    }

    /// One without faults.
    #[must_use]
    pub fn reliable() -> Self {
        Self { faults: Arc::new(Mutex::new(NoFaults)) }
    }

    /// A call: it may be killed before `apply`, which has the effect that the fault leaves of it, and after it, when
    /// its answer is never seen.
    pub async fn call<A>(&self, call: CallKind, apply: impl FnOnce(Fault) -> A) -> A {
        let fault = self.arrive(call).await;
        let answer = apply(fault);
        pause().await;
        answer
    }

    /// The first half of [`Network::call`], for a call whose effect is not one instant: until it arrives, and what
    /// happens to it. Before it is answered it must [`pause`].
    pub async fn arrive(&self, call: CallKind) -> Fault {
        pause().await;
        for _ in 0..self.delay(call) {
            pause().await;
        }
        self.faults().next(call)
    }

    /// See [`Faults::delay`].
    #[must_use]
    pub fn delay(&self, call: CallKind) -> u32 {
        self.faults().delay(call)
    }

    /// See [`Faults::age`].
    #[must_use]
    pub fn age(&self, call: CallKind) -> usize {
        self.faults().age(call)
    }

    fn faults(&self) -> MutexGuard<'_, dyn Faults + 'static> {
        self.faults.lock().expect("nobody panics while he decides")
    }
}
