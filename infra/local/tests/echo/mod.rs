//! A stack whose only function answers with its event.
//!
//! Every stack has its own ports and keeps nothing, so that tests run side by side.

use std::path::PathBuf;
use std::time::Duration;

use classpay_local::binaries;
use classpay_local::gateway::INTEGRATION_TIMEOUT;
pub use classpay_local::stack::Settings;
use classpay_local::stack::Stack;
use classpay_local::template::Template;
use classpay_operator::token::{Holder, mint_token};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub const TEMPLATE: &str = include_str!("template.yaml");
pub const COMPANY: &str = "co_01J9ZDEMW5TVDJ0R00000C0MPN";
pub const FAMILY: &str = "fml_01J9ZDEMW5TVDJ0R0000FAM1Y1";

/// Cargo puts examples beside the folder of the test binaries.
pub fn examples() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.ancestors().nth(2).expect("target/debug").join("examples");
    assert!(folder.join("echo").is_file(), "no example in {}: run `cargo test -p classpay-local`", folder.display());
    folder
}

pub fn settings() -> Settings {
    Settings {
        port: 0,
        dynamodb_port: 0,
        stripe_port: 0,
        data_dir: None,
        catalogue: None,
        now: None,
        dynamodb_url: None,
        stripe_url: None,
        table: "classpay-local".to_owned(),
        create_table: false,
        integration_timeout: INTEGRATION_TIMEOUT,
    }
}

pub async fn start(settings: &Settings) -> Api {
    let template = Template::parse(TEMPLATE).expect("the tests' template is sound");
    let binaries = binaries::in_folder(&examples(), &template);
    let stack = Stack::start(settings, template, &binaries).await.expect("the stack starts");
    Api { client: Client::new(), stack }
}

pub async fn echo() -> Api {
    start(&settings()).await
}

pub async fn impatient_echo(integration_timeout: Duration) -> Api {
    start(&Settings { integration_timeout, ..settings() }).await
}

pub struct Api {
    pub client: Client,
    pub stack: Stack,
}

impl Api {
    /// A request without a token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.stack.api_url))
    }

    /// A family's request.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path).bearer_auth(token())
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path).bearer_auth(token())
    }

    /// A function's answer, as JSON.
    pub async fn get_json(&self, path: &str) -> Value {
        self.get(path).send().await.expect("an answer").json().await.expect("JSON")
    }

    pub async fn pid(&self) -> u64 {
        self.get_json("/open?mode=pid").await["pid"].as_u64().expect("a pid")
    }
}

pub fn token() -> String {
    mint_token(COMPANY, &Holder::Family(FAMILY.to_owned()))
}

/// Where functions report that they are at work.
pub struct Meeting(TcpListener);

impl Meeting {
    pub async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a free port"))
    }

    pub fn path(&self, mode: &str) -> String {
        format!("/open?mode={mode}&at={}", self.0.local_addr().expect("bound"))
    }

    pub fn port(&self) -> u16 {
        self.0.local_addr().expect("bound").port()
    }

    /// The next function that reports.
    pub async fn guest(&self) -> Guest {
        let (mut line, _) = self.0.accept().await.expect("a function comes");
        let pid = line.read_u32().await.expect("its pid");
        Guest { line, pid }
    }
}

pub struct Guest {
    line: TcpStream,
    pub pid: u32,
}

impl Guest {
    pub async fn let_go(mut self) -> u32 {
        self.line.write_u8(1).await.expect("it still listens");
        self.line.read_u32().await.expect("it has gone on")
    }

    /// Waits until its process is gone.
    pub async fn gone(mut self) {
        let end = self.line.read_u8().await;
        assert!(end.is_err(), "it went on instead of ending");
    }
}
