//! A server on this machine that answers Stripe's calls from a script, one reply after the other, and remembers
//! what it was asked. It knows nothing of Stripe; it can do what a network does: hang up, and say nothing.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What to do with a request that has been read completely.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answer: status, one more header, body.
    Answer(u16, &'static str, String),
    /// Answer, and then close the connection, as an idle one is closed some time.
    AnswerAndClose(String),
    /// Close the connection without a word.
    HangUp,
    /// Keep the connection open and say nothing.
    Silence,
}

impl Reply {
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self::Answer(status, "request-id: req_1", body.into())
    }

    pub fn error(status: u16, code: &str) -> Self {
        Self::json(status, format!(r#"{{"error":{{"type":"x","code":"{code}","message":"m"}}}}"#))
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub connection: usize,
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

#[derive(Default)]
struct Stage {
    script: VecDeque<Reply>,
    seen: Vec<Seen>,
    connections: usize,
}

pub struct ScriptedStripe {
    pub base: String,
    stage: Arc<Mutex<Stage>>,
}

impl ScriptedStripe {
    /// Starts with a script. A request beyond its end is answered 599, which no test expects.
    pub async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stage = Arc::new(Mutex::new(Stage { script: script.into_iter().collect(), ..Stage::default() }));
        let shared = Arc::clone(&stage);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                let connection = shared.lock().unwrap().connections;
                tokio::spawn(serve(stream, connection, Arc::clone(&shared)));
            }
        });
        Self { base, stage }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.stage.lock().unwrap().seen.clone()
    }
}

async fn serve(stream: TcpStream, connection: usize, stage: Arc<Mutex<Stage>>) {
    let mut stream = BufReader::new(stream);
    while let Some(seen) = read(&mut stream, connection).await {
        let reply = {
            let mut stage = stage.lock().unwrap();
            stage.seen.push(seen);
            stage.script.pop_front().unwrap_or_else(|| Reply::json(599, ""))
        };
        match reply {
            Reply::HangUp => return,
            Reply::Silence => {}
            Reply::AnswerAndClose(body) => return write(&mut stream, 200, "x: y", &body).await,
            Reply::Answer(status, header, body) => write(&mut stream, status, header, &body).await,
        }
    }
}

async fn write(stream: &mut BufReader<TcpStream>, status: u16, header: &str, body: &str) {
    let head = format!("HTTP/1.1 {status} X\r\n{header}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).await.unwrap();
}

async fn read(stream: &mut BufReader<TcpStream>, connection: usize) -> Option<Seen> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen { connection, line: line.trim_end().to_owned(), headers, body: String::from_utf8(body).unwrap() })
}
