//! A local stack for one test, on free ports.
//!
//! It ends with the test, and nothing of it is retried.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::studio::Studio;
use crate::{Api, Table, log};

/// The name of its deployment, which its objects at Stripe carry.
pub const DEPLOYMENT: &str = "classpay-local";

/// What a running stack reports about itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    api: String,
    dynamodb: String,
    stripe: String,
    table: String,
    company_id: String,
    stripe_account: String,
    tokens: Tokens,
    payment_links: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Tokens {
    staff: String,
    families: std::collections::BTreeMap<String, String>,
}

/// The options of a stack.
#[derive(Debug, Clone, Default)]
pub struct StackOptions {
    /// The clock's start, such as `2026-09-07T08:00:00Z`.
    pub now: Option<String>,
    /// A studio other than [`Studio::demo`]: a file, or the name of a demo studio.
    pub catalogue: Option<PathBuf>,
    /// Where its state is kept; `None` keeps it in memory.
    pub data_dir: Option<PathBuf>,
    /// Whether Stripe's events arrive automatically.
    pub webhooks: Webhooks,
}

/// Whether Stripe's events arrive automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Webhooks {
    /// No event arrives before the test releases it, so that only the test's own calls move money.
    #[default]
    Held,
    /// As at Stripe.
    Delivered,
}

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    process: Child,
    ready: Ready,
    client: reqwest::Client,
    log: tempfile::NamedTempFile,
    webhooks: Webhooks,
}

/// The folder of the binaries, built once per test process, as `cargo dev` builds them.
pub fn binaries() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().expect("a test has a path");
        let folder = test.ancestors().nth(2).expect("a test is in target/<profile>/deps").to_owned();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = std::process::Command::new(cargo);
        build
            .args(["build", "--workspace", "--bins", "--quiet"])
            .current_dir(classpay_local::binaries::workspace_root());
        // A test's environment names the package under test, which build scripts would see as a change.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                build.env_remove(&name);
            }
        }
        assert!(build.status().expect("cargo starts").success(), "the binaries do not build");
        folder
    })
}

/// Prints the log, which a test's runner shows if the test fails, and searches it.
impl Drop for Stack {
    fn drop(&mut self) {
        let logged = self.logged();
        eprint!("{logged}");
        let leaks = log::leaks(&logged);
        // A second panic would hide the first.
        assert!(leaks.is_empty() || std::thread::panicking(), "the log holds secrets: {leaks:#?}");
        let wrong = log::wrong_answers(&logged);
        assert!(wrong.is_empty() || std::thread::panicking(), "the stand-in isn't Stripe: {wrong:#?}");
    }
}

impl Stack {
    /// A stack with [`Studio::demo`] on the first day of its school year, in memory.
    ///
    /// # Panics
    /// If it doesn't start.
    pub async fn start() -> Self {
        Self::start_with(StackOptions { now: Some("2026-09-07T08:00:00Z".into()), ..StackOptions::default() }).await
    }

    /// A stack with these options.
    ///
    /// # Panics
    /// If it doesn't start.
    pub async fn start_with(options: StackOptions) -> Self {
        let folder = binaries();
        let mut command = Command::new(folder.join("classpay-local"));
        command.args(["--json", "--port", "0", "--dynamodb-port", "0", "--stripe-port", "0", "--bin-dir"]).arg(folder);
        match &options.data_dir {
            Some(folder) => command.arg("--data-dir").arg(folder),
            None => command.arg("--memory"),
        };
        if let Some(now) = &options.now {
            command.args(["--now", now]);
        }
        let log = tempfile::NamedTempFile::new().expect("a log can be written");
        command.stderr(log.reopen().expect("a log can be written"));
        let demo = tempfile::NamedTempFile::new().expect("a file");
        let catalogue = options.catalogue.as_deref().unwrap_or_else(|| {
            std::fs::write(demo.path(), Studio::demo().text()).expect("the file can be written");
            demo.path()
        });
        command.arg("--catalogue").arg(catalogue);
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the local stack starts");
        let stdout = process.stdout.take().expect("its standard output is piped");
        let line = BufReader::new(stdout).lines().next_line().await.expect("its output can be read");
        let line = line.unwrap_or_else(|| panic!("the stack did not start:\n{}", log::read(log.path())));
        let ready = serde_json::from_str(&line).expect("its first line is JSON");
        let stack = Self { process, ready, client: Api::client(), log, webhooks: options.webhooks };
        if options.webhooks == Webhooks::Held {
            let every_one = serde_json::json!({"match": {}, "count": u32::MAX, "do": "holdBack"});
            let held = stack.stripe().post("/_control/webhooks/faults", &every_one).await;
            assert_eq!(held.status, 200, "{}", held.text);
        }
        stack
    }

    /// What it and its functions have logged so far.
    #[must_use]
    pub fn logged(&self) -> String {
        log::read(self.log.path())
    }

    /// The sum of its functions' metric with this name so far.
    #[must_use]
    pub fn counted(&self, metric: &str) -> i64 {
        let logged = self.logged();
        let lines = logged.lines().filter_map(|line| serde_json::from_str::<Value>(&line[line.find('{')?..]).ok());
        lines.filter_map(|line| line[metric].as_i64()).sum()
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Ends it as a power cut would. Held events stay held: an event that waits survives the power cut, and would
    /// arrive before the next stack is instructed to hold it.
    ///
    /// # Panics
    /// If it can't be killed.
    pub async fn kill(mut self) {
        if self.webhooks == Webhooks::Held {
            let held = self.stripe().post("/_control/webhooks/flush", &serde_json::json!({"all": true})).await;
            assert_eq!(held.status, 200, "{}", held.text);
        }
        self.process.kill().await.expect("the stack can be killed");
    }

    /// The API, called by a family of the studio.
    ///
    /// # Panics
    /// For a family that the studio doesn't have.
    #[must_use]
    pub fn family(&self, family: &str) -> Api {
        let token = self.ready.tokens.families.get(family).expect("a family of the studio");
        Api::new(&self.client, &self.ready.api, Some(token))
    }

    /// The API, called by staff.
    #[must_use]
    pub fn staff(&self) -> Api {
        Api::new(&self.client, &self.ready.api, Some(&self.ready.tokens.staff))
    }

    /// The API, called with this token, or with none.
    #[must_use]
    pub fn caller(&self, token: Option<&str>) -> Api {
        Api::new(&self.client, &self.ready.api, token)
    }

    /// The Stripe stand-in's control.
    #[must_use]
    pub fn stripe(&self) -> Api {
        Api::new(&self.client, &self.ready.stripe, None)
    }

    /// The control of its DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> Api {
        Api::new(&self.client, &self.ready.dynamodb, None)
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        Table::new(&self.ready.dynamodb, &self.ready.table)
    }

    /// The URL of its DynamoDB.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.ready.dynamodb
    }

    /// The URL of its Stripe.
    #[must_use]
    pub fn stripe_url(&self) -> &str {
        &self.ready.stripe
    }

    /// The studio's company.
    #[must_use]
    pub fn company(&self) -> &str {
        &self.ready.company_id
    }

    /// The studio's account at Stripe.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.ready.stripe_account
    }

    /// The links of the studio's open debits, in the order of the debits.
    #[must_use]
    pub fn payment_links(&self) -> &[String] {
        &self.ready.payment_links
    }

    /// The studio's families.
    pub fn families(&self) -> impl Iterator<Item = &str> {
        self.ready.tokens.families.keys().map(String::as_str)
    }
}
