//! The stand-in's state: Stripe's, the answers under idempotency keys, and the queue of deliveries.
//!
//! In a file it is one snapshot, written beside the file and renamed, before an answer that reports a change is sent.
//! So a killed process keeps what it promised, and the file is never half written.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use classpay_stripe_model::ids::Ids;
use classpay_stripe_model::keys::Keys;
use classpay_stripe_model::{ApiError, Call, Object, Origin, State, Touched};
use serde::{Deserialize, Serialize};

use crate::answer::Remembered;
use crate::webhooks::queue::Queue;
use crate::{description, locked};

/// What a snapshot says of itself.
const FORMAT: &str = "classpay stripe stand-in, 1";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    format: String,
    pub stripe: State,
    pub keys: Keys<String, Remembered>,
    pub queue: Queue,
}

/// The state couldn't be opened: not a snapshot of ours, or not readable or writable.
#[derive(Debug, thiserror::Error)]
#[error("the Stripe stand-in's state can't be opened: {0}")]
pub struct OpenError(#[source] io::Error);

impl Stored {
    pub fn new() -> Self {
        Self {
            format: FORMAT.to_owned(),
            stripe: State::new(Ids::random()),
            keys: Keys::default(),
            queue: Queue::default(),
        }
    }

    fn read(path: &Path) -> io::Result<Self> {
        let text = match std::fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::new()),
            text => text?,
        };
        let stored: Self = serde_json::from_slice(&text)?;
        if stored.format != FORMAT {
            return Err(io::Error::new(ErrorKind::InvalidData, format!("it is {:?}", stored.format)));
        }
        Ok(stored)
    }

    /// Runs a call of the API or something that happens around Stripe, and queues the deliveries of its events. An
    /// event that Stripe would never send undoes it.
    pub fn call<A>(
        &mut self,
        account: &str,
        now: i64,
        origin: Origin<'_>,
        run: impl FnOnce(&mut Call<'_>) -> Result<A, ApiError>,
    ) -> Result<A, ApiError> {
        let (result, touched) = self.stripe.call(account, now, origin, |call| {
            let result = run(call);
            call.new_events().iter().try_for_each(|event| description::check_event(&event.json()))?;
            result
        });
        self.enqueue(&touched);
        result
    }

    /// Ends every hold whose time has come.
    pub fn pass_time(&mut self, now: i64) {
        let touched = self.stripe.pass_time(now);
        self.enqueue(&touched);
    }

    fn enqueue(&mut self, touched: &Touched) {
        for event in &touched.events {
            self.queue.add(event, event.created);
        }
    }
}

pub(crate) struct Store {
    stored: Mutex<Stored>,
    path: Option<PathBuf>,
}

impl Store {
    pub fn memory() -> Self {
        Self { stored: Mutex::new(Stored::new()), path: None }
    }

    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let stored = Stored::read(path).map_err(OpenError)?;
        let store = Self { stored: Mutex::new(stored), path: Some(path.to_owned()) };
        store.write(&store.lock()).map_err(OpenError)?;
        Ok(store)
    }

    /// Don't hold the lock over an await. If a holder panicked, its call was undone.
    pub fn lock(&self) -> MutexGuard<'_, Stored> {
        locked(&self.stored)
    }

    /// Keeps what has changed, before it is answered.
    pub fn keep(&self, stored: &Stored) -> Result<(), ApiError> {
        self.write(stored).map_err(|error| {
            eprintln!("stripe stand-in: the state can't be written: {error}");
            ApiError::internal()
        })
    }

    fn write(&self, stored: &Stored) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let beside = path.with_extension("new");
        std::fs::write(&beside, serde_json::to_vec(stored)?)?;
        std::fs::rename(beside, path)
    }
}
