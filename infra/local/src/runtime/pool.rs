//! The processes of each function: started on demand, reused, and replaced when they end.
//!
//! Invariant: a function never has more than `PROCESSES_PER_FUNCTION` processes, and a process never has two events at
//! once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{RwLock, Semaphore, watch};

use super::environment::Environment;
use super::process::{Attempt, Process};
use super::{InvokeError, PROCESSES_PER_FUNCTION};
use crate::developer::tell;
use crate::template::Function;

/// The processes of one function.
pub struct Pool {
    function: Function,
    binary: PathBuf,
    roster: Mutex<Roster>,
    last_event: Mutex<Option<Bytes>>,
    places: Semaphore,
    /// A scheduled run takes the write lock, a requested run the read lock: see [`Pool::run_scheduled`].
    runs: RwLock<()>,
    /// Set when the stack ends, so that busy processes end too.
    closing: watch::Sender<bool>,
}

/// State that a restart changes together and that is read together.
struct Roster {
    environment: Environment,
    /// Incremented by a restart; a process from an earlier generation is not used again.
    generation: u64,
    /// The most recently used is last.
    idle: Vec<Process>,
}

impl Pool {
    /// Makes a pool without processes.
    #[must_use]
    pub fn new(function: Function, binary: PathBuf, environment: Environment) -> Self {
        Self {
            function,
            binary,
            roster: Mutex::new(Roster { environment, generation: 0, idle: Vec::new() }),
            last_event: Mutex::new(None),
            places: Semaphore::new(PROCESSES_PER_FUNCTION),
            runs: RwLock::new(()),
            closing: watch::Sender::new(false),
        }
    }

    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The environment for the next process.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.roster().environment.clone()
    }

    /// The last event that was handed over.
    #[must_use]
    pub fn last_event(&self) -> Option<Bytes> {
        self.last_event.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Handles an event in an idle process or a new one, as soon as there is a slot.
    ///
    /// Poll the future to its end even if the caller has gone away. Dropping it kills the process, whereas in the cloud
    /// a caller that goes away stops nothing.
    ///
    /// # Errors
    /// The function failed, died or took too long, or no process could be started.
    pub async fn invoke(&self, payload: Bytes) -> Result<Bytes, InvokeError> {
        *self.last_event.lock().unwrap_or_else(PoisonError::into_inner) = Some(payload.clone());
        let result = self.have_worked_on(payload).await;
        if let Err(error) = &result {
            tell(format_args!("{}: {error}", self.function.package));
        }
        result
    }

    /// A scheduled run, which runs alone. Requested runs wait until it is over, so that a caller who moves the clock
    /// and requests a run finds all work done when it is answered.
    pub async fn run_scheduled(&self, event: Bytes) -> Result<Bytes, InvokeError> {
        let _alone = self.runs.write().await;
        self.invoke(event).await
    }

    /// A requested run. It may run beside other requested runs, but not beside a scheduled one.
    pub async fn run_now(&self, event: Bytes) -> Result<Bytes, InvokeError> {
        let _beside = self.runs.read().await;
        self.invoke(event).await
    }

    async fn have_worked_on(&self, payload: Bytes) -> Result<Bytes, InvokeError> {
        let ending = || InvokeError::NotStarted("the stack is ending".to_owned());
        let _place = self.places.acquire().await.map_err(|_| ending())?;
        if *self.closing.borrow() {
            return Err(ending());
        }
        loop {
            let (generation, environment, idle) = self.take();
            let (process, is_new) = match idle {
                Some(process) => (process, false),
                None => (Process::start(&self.function, &self.binary, &environment).await?, true),
            };
            match self.attempt(process, payload.clone(), generation).await {
                Attempt::Over(result) => return result,
                Attempt::NeverTaken(end) if is_new => return Err(InvokeError::NotStarted(end)),
                // It ended while it was idle, which needs no report; no process has taken the event yet.
                Attempt::NeverTaken(_) => {}
            }
        }
    }

    fn take(&self) -> (u64, Environment, Option<Process>) {
        let mut roster = self.roster();
        roster.idle.retain(Process::is_alive);
        (roster.generation, roster.environment.clone(), roster.idle.pop())
    }

    async fn attempt(&self, mut process: Process, payload: Bytes, generation: u64) -> Attempt {
        let mut closing = self.closing.subscribe();
        let attempt = tokio::select! {
            attempt = process.invoke(payload, self.function.timeout) => attempt,
            _ = closing.wait_for(|closing| *closing) => {
                Attempt::Over(Err(InvokeError::Died("the stack is ending".to_owned())))
            }
        };
        match &attempt {
            Attempt::Over(Ok(_) | Err(InvokeError::Failed(_))) if process.is_alive() => {
                self.put_back(process, generation).await;
            }
            _ => process.stop().await,
        }
        attempt
    }

    async fn put_back(&self, process: Process, generation: u64) {
        let outdated = {
            let mut roster = self.roster();
            if roster.generation == generation {
                roster.idle.push(process);
                None
            } else {
                Some(process)
            }
        };
        if let Some(process) = outdated {
            process.stop().await;
        }
    }

    /// Ends the idle processes now, and the busy ones once they have answered. New processes start with the changed
    /// environment.
    pub async fn restart(&self, change: impl Fn(&Environment) -> Environment) {
        let idle = {
            let mut roster = self.roster();
            roster.environment = change(&roster.environment);
            roster.generation += 1;
            std::mem::take(&mut roster.idle)
        };
        for process in idle {
            process.stop().await;
        }
    }

    async fn stop(&self) {
        self.closing.send_replace(true);
        self.restart(Environment::clone).await;
        // The holder of a slot returns it when its process is gone.
        let places = u32::try_from(PROCESSES_PER_FUNCTION).unwrap_or(u32::MAX);
        drop(self.places.acquire_many(places).await);
        self.places.close();
    }
}

/// The pools of all functions, by resource name.
pub struct Pools(BTreeMap<String, Arc<Pool>>);

impl Pools {
    /// Makes a pool for each of these functions.
    #[must_use]
    pub fn new(pools: BTreeMap<String, Arc<Pool>>) -> Self {
        Self(pools)
    }

    /// The pool of a function, by its resource name.
    #[must_use]
    pub fn get(&self, resource: &str) -> Option<&Arc<Pool>> {
        self.0.get(resource)
    }

    /// Restarts every function with an environment derived from its present one.
    pub async fn restart(&self, change: impl Fn(&Environment) -> Environment) {
        for pool in self.0.values() {
            pool.restart(&change).await;
        }
    }

    /// Stops accepting events and ends every process; returns when they are gone.
    pub async fn stop(&self) {
        for pool in self.0.values() {
            pool.stop().await;
        }
    }
}
