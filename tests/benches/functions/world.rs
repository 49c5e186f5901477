//! What one row of the table has for itself: a table with a studio in it, a Stripe, its secrets; and programs of the
//! service that prepare what is measured.
//!
//! Invariant: nothing is prepared while something is measured, and preparing waits for nobody: only what is measured
//! meets the latencies.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use classpay_local::clock::Clock;
use classpay_local::dynamodb;
use classpay_local::runtime::{Backends, environment};
use classpay_local::secrets::{PlatformKey, Secrets};
use classpay_local::template::Template;
use classpay_operator::stack::LOCAL_STRIPE_KEY;
use classpay_stripe_standin::{StandIn as Stripe, serve};
use classpay_tests::Table;
use classpay_tests::studio::{FIRST_DAY, Studio};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::node::Node;
use crate::program::Program;
use crate::stand_in::{Authority, Behind, StandIn};

const TABLE: &str = "classpay-bench";
/// The functions' variable that names whom to trust on this machine.
const CA_FILE: &str = "LOOPBACK_CA_FILE";

/// How long a call waits, by where it goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// DynamoDB, and Secrets Manager.
    pub aws: Duration,
    pub stripe: Duration,
}

/// What is the same in all worlds.
pub struct Ground {
    pub template: Template,
    pub binaries: BTreeMap<String, PathBuf>,
    /// If there is a comparison with it.
    pub node: Option<Node>,
    pub authority: Authority,
}

/// One row's own world.
pub struct World {
    ground: Arc<Ground>,
    backends: Backends,
    pub dynamodb: StandIn,
    pub stripe: StandIn,
    secrets: StandIn,
    /// The Stripe stand-in itself, where its payers are played.
    stripe_itself: String,
    client: reqwest::Client,
    helpers: BTreeMap<(String, i64), Program>,
    newcomers: usize,
}

impl World {
    /// With this studio, on the first day of the demo studio's school year.
    pub async fn open(ground: &Arc<Ground>, studio: &str) -> Self {
        let clock = Arc::new(Clock::movable());
        clock.set(FIRST_DAY.parse().expect("a time")).expect("it is movable");
        let (listener, table_itself) = listen().await;
        let server = dynamodb::embedded(None, listener, pending::<()>()).expect("it opens in memory");
        tokio::spawn(async move { server.await.expect("it serves") });
        let client = dynamodb::client(&format!("http://{table_itself}"), true);
        dynamodb::ensure_table(&client, TABLE, &ground.template.table, true).await.expect("the table can be made");
        let table = Table { client, name: TABLE.to_owned() };
        Studio::parse(studio).load_into(&table).await;

        let (listener, stripe_itself) = listen().await;
        let now = Arc::clone(&clock);
        let stripe = Stripe::memory(Arc::new(move || now.now().as_second())).expect("it opens in memory");
        tokio::spawn(serve(listener, Arc::new(stripe), pending::<()>()));

        let authority = &ground.authority;
        let secrets = Behind::Secrets(Secrets::with(&PlatformKey(LOCAL_STRIPE_KEY.to_owned())));
        let secrets = StandIn::start(authority, secrets).await;
        let dynamodb = StandIn::start(authority, Behind::Server(table_itself)).await;
        let stripe = StandIn::start(authority, Behind::Server(stripe_itself)).await;
        let backends = Backends {
            api_url: secrets.url.clone(),
            dynamodb_url: dynamodb.url.clone(),
            stripe_url: stripe.url.clone(),
            table: TABLE.to_owned(),
            credentials: Backends::local_credentials(),
            clock_offset_ms: clock.told_offset_ms(),
        };
        Self {
            ground: Arc::clone(ground),
            backends,
            dynamodb,
            stripe,
            secrets,
            stripe_itself: format!("http://{stripe_itself}"),
            client: reqwest::Client::builder().no_proxy().build().expect("a client without TLS can be built"),
            helpers: BTreeMap::new(),
            newcomers: 0,
        }
    }

    /// From now on every call waits so long.
    pub fn wait_for(&self, latency: Latency) {
        self.dynamodb.wait_for(latency.aws);
        self.secrets.wait_for(latency.aws);
        self.stripe.wait_for(latency.stripe);
    }

    /// Starts a function's process.
    pub async fn start(&self, function: &str) -> Program {
        self.start_late(function, 0).await
    }

    /// The same with a clock that is behind by so much.
    async fn start_late(&self, function: &str, behind_ms: i64) -> Program {
        Program::start(Command::new(self.binary(function)), &self.variables(function, behind_ms)).await
    }

    /// Starts what makes its calls in Node.
    pub async fn start_in_node(&self, function: &str) -> Program {
        let node = self.ground.node.as_ref().expect("a row in Node is there if Node is");
        let mut program = Command::new("node");
        program.arg(node.bundle(function));
        Program::start(program, &self.variables(function, 0)).await
    }

    /// Starts it as the last argument of a tool.
    pub async fn start_under(&self, mut tool: Command, function: &str) -> Program {
        tool.arg(self.binary(function));
        Program::start(tool, &self.variables(function, 0)).await
    }

    fn binary(&self, function: &str) -> &Path {
        self.ground.binaries.get(function).unwrap_or_else(|| panic!("no binary for {function}"))
    }

    /// What Lambda would give it, with this world's stand-ins.
    fn variables(&self, function: &str, behind_ms: i64) -> BTreeMap<String, String> {
        let mut backends = self.backends.clone();
        backends.clock_offset_ms = backends.clock_offset_ms.map(|offset| offset - behind_ms);
        // One that the template doesn't have is given what the quote has.
        let of = |package: &str| self.ground.template.functions.values().find(|found| found.package == package);
        let own = of(function).or_else(|| of("get-quote")).expect("the template has the quote");
        let environment = environment(own, &self.ground.template, &backends).expect("every variable has a value");
        let mut variables = environment.variables().clone();
        let authority = self.ground.authority.certificate.path().display().to_string();
        variables.insert(CA_FILE.to_owned(), authority);
        variables
    }

    /// The number of the next family that has done nothing yet.
    pub fn newcomer(&mut self) -> usize {
        self.newcomers += 1;
        self.newcomers - 1
    }

    /// Has an event worked on, unmeasured, by a function whose clock is behind by so much. The answer's body.
    pub async fn have_done(&mut self, function: &str, behind_ms: i64, event: Bytes) -> Value {
        let name = (function.to_owned(), behind_ms);
        let mut helper = match self.helpers.remove(&name) {
            Some(helper) => helper,
            None => self.start_late(function, behind_ms).await,
        };
        let (answer, _) = helper.invoke(event).await;
        self.helpers.insert(name, helper);
        body(function, &answer)
    }

    /// The payer authorises an intent with a card.
    pub async fn confirm(&self, intent: &str) {
        let url = format!("{}/_control/payment_intents/{intent}/confirm", self.stripe_itself);
        let call = self.client.post(url).json(&json!({"payment_method": "pm_card_visa"}));
        let answer = call.send().await.expect("the stand-in answers");
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    }

    /// The latest event of a type that happened on an account at Stripe.
    pub async fn latest_event(&self, account: &str, kind: &str) -> Value {
        let url = format!("{}/v1/events?limit=1&type={kind}", self.stripe_itself);
        let call = self.client.get(url).bearer_auth(LOCAL_STRIPE_KEY).header("stripe-account", account);
        let answer = call.send().await.expect("the stand-in answers");
        let mut list: Value = answer.json().await.expect("JSON");
        list["data"][0].take()
    }

    /// Ends what only prepares.
    pub async fn end_helpers(&mut self) {
        for (_, helper) in std::mem::take(&mut self.helpers) {
            helper.stop().await;
        }
    }
}

/// The body of an answer that is a success, or of a run of the schedule.
pub fn body(function: &str, answer: &[u8]) -> Value {
    let answer: Value = serde_json::from_slice(answer).expect("an answer is JSON");
    let Some(status) = answer.get("statusCode").and_then(Value::as_u64) else { return answer };
    assert!((200..300).contains(&status) && status != 202, "{function}: {answer}");
    let body = answer["body"].as_str().unwrap_or_default();
    serde_json::from_str(body).unwrap_or(Value::Null)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}
