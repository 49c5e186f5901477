//! A function's process behind a Runtime API of its own, one event at a time, with a watch held to it.
//!
//! Invariant: the watch stands when the process has been given its event and stops when its answer is here; its CPU is
//! read when it has asked for the next event and waits.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use classpay_local::clock::machine_time;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::http;
use crate::spent::{Spent, cpu_when_quiet, peak_kib};

/// Neither a start nor a request takes so long, whatever latency is injected; what does has hung.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a process has printed is kept to explain its failure.
const LOG_KEPT: usize = 64 * 1024;

/// What a process tells its Runtime API, and when.
enum Said {
    /// It waits for an event, which is to be sent there.
    Next(oneshot::Sender<Bytes>, Instant),
    Answer(Bytes, Instant),
    Failed(Bytes),
}

/// A function's process.
pub struct Program {
    child: Child,
    id: u32,
    said: mpsc::Receiver<Said>,
    next: Option<oneshot::Sender<Bytes>>,
    /// Up to the last answer.
    cpu: Duration,
    /// From its start to its first request for an event.
    pub start: Spent,
    log: Arc<Mutex<Vec<u8>>>,
}

impl Program {
    /// Starts a program with these variables and waits until it asks for an event.
    pub async fn start(mut program: Command, variables: &BTreeMap<String, String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (say, said) = mpsc::channel(4);
        tokio::spawn(runtime_api(listener, say));
        let began = Instant::now();
        let mut child = program
            .env_clear()
            .envs(variables)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|problem| panic!("{program:?}: {problem}"));
        let log = Arc::default();
        keep(child.stdout.take(), Arc::clone(&log));
        keep(child.stderr.take(), Arc::clone(&log));
        let id = child.id().expect("it has just been started");
        let mut program = Self { child, id, said, next: None, cpu: Duration::ZERO, start: Spent::default(), log };
        let ready = program.wait_for_next().await;
        program.start = Spent { wall: ready - began, cpu: program.cpu };
        program
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Has an event worked on: the answer, and what it took.
    pub async fn invoke(&mut self, event: Bytes) -> (Bytes, Spent) {
        let cpu_before = self.cpu;
        let next = self.next.take().expect("it waits for an event");
        let began = Instant::now();
        next.send(event).unwrap_or_else(|_| panic!("the process has gone:\n{}", self.printed()));
        let (answer, answered) = match self.hear().await {
            Said::Answer(answer, at) => (answer, at),
            Said::Next(..) => panic!("an event has no answer:\n{}", self.printed()),
            Said::Failed(report) => panic!("{}\n{}", String::from_utf8_lossy(&report), self.printed()),
        };
        self.wait_for_next().await;
        (answer, Spent { wall: answered - began, cpu: self.cpu - cpu_before })
    }

    /// The most memory it ever had, in KiB.
    pub fn peak_kib(&self) -> u64 {
        peak_kib(self.id)
    }

    /// Ends it, so that nothing of it takes time from the next.
    pub async fn stop(mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Has it end by itself, as who counts its instructions needs it.
    pub async fn terminate(mut self) {
        let told = Command::new("kill").arg(self.id.to_string()).status().await.expect("kill is on every system");
        assert!(told.success(), "it can be told to end");
        self.child.wait().await.expect("it ends");
    }

    /// When it asked; its CPU is read afterwards.
    async fn wait_for_next(&mut self) -> Instant {
        match self.hear().await {
            Said::Next(next, at) => {
                self.next = Some(next);
                self.cpu = cpu_when_quiet(self.id).await;
                at
            }
            Said::Answer(..) => panic!("an answer to no event:\n{}", self.printed()),
            Said::Failed(report) => panic!("{}\n{}", String::from_utf8_lossy(&report), self.printed()),
        }
    }

    async fn hear(&mut self) -> Said {
        tokio::select! {
            said = timeout(PATIENCE, self.said.recv()) => match said {
                Ok(Some(said)) => said,
                _ => panic!("the process says nothing:\n{}", self.printed()),
            },
            ended = self.child.wait() => panic!("the process has ended: {ended:?}\n{}", self.printed()),
        }
    }

    fn printed(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// What it prints is read at once, as Lambda does: a full pipe would hold it up.
fn keep(stream: Option<impl AsyncRead + Unpin + Send + 'static>, log: Arc<Mutex<Vec<u8>>>) {
    let Some(mut stream) = stream else { return };
    tokio::spawn(async move {
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut part).await {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.extend_from_slice(&part[..length]);
            let surplus = log.len().saturating_sub(LOG_KEPT);
            log.drain(..surplus);
        }
    });
}

async fn runtime_api(listener: TcpListener, say: mpsc::Sender<Said>) {
    while let Ok((stream, _)) = listener.accept().await {
        let say = say.clone();
        tokio::spawn(async move {
            stream.set_nodelay(true).expect("a connection that has just been made");
            http::serve(stream, |request| answer(request, say.clone())).await;
        });
    }
}

/// `None`: the benchmark has no event any more, and the process will be killed.
async fn answer(request: Request<Incoming>, say: mpsc::Sender<Said>) -> Option<Response<Full<Bytes>>> {
    let arrived = Instant::now();
    if request.uri().path().ends_with("/invocation/next") {
        let (next, event) = oneshot::channel();
        say.send(Said::Next(next, arrived)).await.ok()?;
        let event = event.await.ok()?;
        let deadline_ms = machine_time().as_millisecond() + 25_000;
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", format!("00000000-0000-4000-8000-{deadline_ms:012}"))
            .header("lambda-runtime-deadline-ms", deadline_ms)
            .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-2:000000000000:function:measured")
            .header("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0");
        return Some(response.body(Full::new(event)).expect("its headers are sound"));
    }
    let is_answer = request.uri().path().ends_with("/response");
    let body = request.into_body().collect().await.ok()?.to_bytes();
    let said = if is_answer { Said::Answer(body, Instant::now()) } else { Said::Failed(body) };
    say.send(said).await.ok()?;
    let response = Response::builder().status(202).header("content-type", "application/json");
    Some(response.body(Full::new(Bytes::from_static(br#"{"status":"OK"}"#))).expect("its headers are sound"))
}
