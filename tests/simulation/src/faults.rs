//! Faults of a call between us and DynamoDB or Stripe.
//!
//! Every call of a stand-in goes through [`Network::call`], so that it can be lost, and its task killed, before its
//! effect and after it.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard};

use super::executor::pause;

/// The kind of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// Reads one item of the table.
    Get,
    /// Reads many items by key.
    Batch,
    /// Queries a partition.
    Query,
    /// Queries the index for what is due.
    Due,
    /// Writes a transaction.
    Transact,
    /// Updates a counter.
    Update,
    /// Reads an intent.
    LoadIntent,
    /// Creates an intent.
    CreateIntent,
    /// Captures an intent.
    Capture,
    /// Cancels an intent.
    Cancel,
    /// Creates a customer.
    CreateCustomer,
    /// Creates a customer session.
    CustomerSession,
    /// Creates an ephemeral key.
    EphemeralKey,
    /// Reads an account's events.
    ListEvents,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Fault {
    /// It is answered.
    #[default]
    None,
    /// It was not sent, and the caller knows it. No effect.
    NotSent,
    /// The receiver is too busy and says so. No effect.
    Refused,
    /// It never arrived, but the caller doesn't know. No effect.
    RequestLost,
    /// It arrived and had its whole effect, but the caller doesn't know.
    ReplyLost,
    /// The caller gets no answer, and the call arrives later, when the world decides.
    Late,
    /// Stripe answers 500, and will again for this idempotency key. The table: as [`Fault::RequestLost`].
    Stored500,
    /// The same after the whole effect. The table: as [`Fault::ReplyLost`].
    Stored500Done,
}

/// Decides the fault of each call: at random, or by a plan.
///
/// It is asked during a call, so it must neither make a call itself nor look into a stand-in.
pub trait Faults: Debug + Send {
    /// What happens to this call.
    fn next(&mut self, _call: CallKind) -> Fault {
        Fault::None
    }

    /// The number of further scheduling points until the call arrives. Calls that one task makes at the same time, and
    /// the items of one batch or query, need not be read at one instant. No DynamoDB read of several items is isolated.
    fn delay(&mut self, _call: CallKind) -> u32 {
        0
    }

    /// How many writes old the answer is, if the reader allows stale reads.
    fn age(&mut self, _call: CallKind) -> usize {
        0
    }
}

/// Faults that a world can stop, for a while or for good.
pub trait WorldFaults: Faults {
    /// Stops faults until they are resumed.
    fn pause(&mut self);

    /// Resumes them.
    fn resume(&mut self);

    /// Stops faults for good; a world must then recover.
    fn end(&mut self);

    /// Whether anything may go wrong.
    fn are_on(&self) -> bool;

    /// The number of calls that were lost after their effect.
    fn replies_lost(&self) -> u64;
}

/// Nothing goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {}

/// A single fault, at the call with that number, counted from zero.
#[derive(Debug, Clone, Copy)]
pub struct OneFault {
    /// The number of the call.
    pub at: usize,
    /// The fault.
    pub fault: Fault,
    /// The number of calls so far.
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

/// The connection to the stand-ins. Its clones share their faults.
#[derive(Debug, Clone)]
pub struct Network {
    faults: Arc<Mutex<dyn Faults>>,
}

impl Network {
    /// A network with these faults, which the world keeps controlling.
    #[must_use]
    pub fn with<F: Faults + 'static>(faults: &Arc<Mutex<F>>) -> Self {
        let faults: Arc<Mutex<F>> = Arc::clone(faults);
        Self { faults }
    }

    /// A network without faults.
    #[must_use]
    pub fn reliable() -> Self {
        Self { faults: Arc::new(Mutex::new(NoFaults)) }
    }

    /// Makes a call. The task may be killed before `apply`, which has as much effect as the fault leaves, and after it,
    /// when its answer is never seen.
    pub async fn call<A>(&self, call: CallKind, apply: impl FnOnce(Fault) -> A) -> A {
        let fault = self.arrive(call).await;
        let answer = apply(fault);
        pause().await;
        answer
    }

    /// The first half of [`Network::call`], for a call whose effect is not at one instant: waits until it arrives, and
    /// returns its fault. The caller must [`pause`] before it answers.
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
