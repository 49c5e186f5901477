//! One process of one function, with its own Runtime API.
//!
//! Invariant: a process does not outlive its `Process`. Dropping it kills the child. If this program itself is killed,
//! the child finds its Runtime API gone and exits.

use std::fmt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use axum::serve::ListenerExt as _;
use bytes::Bytes;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::api::{self, Desk, Event, Outcome};
use super::environment::Environment;
use super::{INIT_LIMIT, InvokeError};
use crate::developer::tell;
use crate::loopback::{self, send_at_once};
use crate::template::Function;

/// How an attempt to handle an event ended.
pub(super) enum Attempt {
    /// The process received the event.
    Over(Result<Bytes, InvokeError>),
    /// The process was gone before it received the event; another may handle it.
    NeverTaken(String),
}

pub(super) struct Process {
    events: mpsc::Sender<Event>,
    desk: Arc<Desk>,
    /// How it ended, once it has.
    ended: watch::Receiver<Option<String>>,
    /// Dropped with the process; dropping it kills the child.
    _alive: oneshot::Sender<()>,
}

impl Process {
    /// Starts the function's binary.
    pub async fn start(function: &Function, binary: &Path, environment: &Environment) -> Result<Self, InvokeError> {
        let not_started =
            |problem: &dyn fmt::Display| InvokeError::NotStarted(format!("{}: {problem}", binary.display()));
        let listener = loopback::anywhere(0).await.map_err(|problem| not_started(&problem))?;
        let address = listener.local_addr().map_err(|problem| not_started(&problem))?;
        let mut child = Command::new(binary)
            .env_clear()
            .envs(environment.variables())
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|problem| not_started(&problem))?;
        relay(function.package.clone(), child.stdout.take());
        relay(function.package.clone(), child.stderr.take());

        let (events, waiting) = mpsc::channel(1);
        let desk = Desk::new(environment.arn(), function.timeout, waiting);
        let (tell_end, ended) = watch::channel(None);
        let (alive, dropped) = oneshot::channel();
        let listener = listener.tap_io(send_at_once);
        let server = tokio::spawn(axum::serve(listener, api::router(Arc::clone(&desk))).into_future());
        tokio::spawn(async move {
            let end = attend(&mut child, dropped).await;
            server.abort();
            tell_end.send_replace(Some(end));
        });
        Ok(Self { events, desk, ended, _alive: alive })
    }

    pub fn is_alive(&self) -> bool {
        self.ended.borrow().is_none()
    }

    /// Handles one event. A process that was killed meanwhile is no longer alive afterwards.
    pub async fn invoke(&mut self, payload: Bytes, limit: std::time::Duration) -> Attempt {
        let (taken, mut is_taken) = oneshot::channel();
        let (outcome, mut settled) = oneshot::channel();
        if self.events.send(Event { payload, taken, outcome }).await.is_err() {
            return Attempt::NeverTaken(self.end().await);
        }
        tokio::select! {
            biased;
            Ok(()) = &mut is_taken => {}
            end = self.end() => return Attempt::NeverTaken(end),
            () = sleep(INIT_LIMIT) => {
                return Attempt::Over(Err(InvokeError::NotStarted(format!("asked for no event within {} s", INIT_LIMIT.as_secs()))));
            }
        }
        let settled = async {
            tokio::select! {
                biased;
                Ok(outcome) = &mut settled => Ok(outcome),
                end = self.end() => Err(InvokeError::Died(end)),
            }
        };
        Attempt::Over(match timeout(limit, settled).await {
            Ok(Ok(Outcome::Answered(body))) => Ok(body),
            Ok(Ok(Outcome::Failed(report))) => Err(InvokeError::Failed(report)),
            Ok(Err(died)) => Err(died),
            Err(_) => Err(InvokeError::TimedOut(limit)),
        })
    }

    /// Waits until the child ends, and returns how it ended.
    pub async fn end(&self) -> String {
        let mut ended = self.ended.clone();
        let end = match ended.wait_for(Option::is_some).await {
            Ok(end) => end.clone().unwrap_or_default(),
            Err(_) => "the stack is ending".to_owned(),
        };
        match self.desk.init_error() {
            Some(report) => format!("{end}: {report}"),
            None => end,
        }
    }

    /// Kills the child and waits until it is gone.
    pub async fn stop(self) {
        let Self { ended, _alive, .. } = self;
        drop(_alive);
        let mut ended = ended;
        // An error means that the task that watches the child is gone, and the child with it.
        drop(ended.wait_for(Option::is_some).await);
    }
}

/// Waits for the child to end, or kills it.
async fn attend(child: &mut Child, dropped: oneshot::Receiver<()>) -> String {
    tokio::select! {
        status = child.wait() => match status {
            Ok(status) => describe(status),
            Err(problem) => format!("could not be waited for: {problem}"),
        },
        _ = dropped => {
            // Killing fails only if the child has already ended.
            drop(child.kill().await);
            "was stopped".to_owned()
        }
    }
}

fn describe(status: ExitStatus) -> String {
    // "exit status: 3", "signal: 9 (SIGKILL)"
    status.to_string()
}

/// Forwards what the function prints to the stack's stderr, each line prefixed with the function's name.
fn relay(name: String, stream: Option<impl AsyncRead + Unpin + Send + 'static>) {
    let Some(stream) = stream else { return };
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            tell(format_args!("{name}: {}", String::from_utf8_lossy(&line)));
        }
    });
}
