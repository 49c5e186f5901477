//! The whole stack: DynamoDB, Stripe, the functions and the gateway, started in this order and stopped in reverse.
//!
//! Every listener is on 127.0.0.1, and everything that was started ends with the stack.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use classpay_import::{Extent, Removals};
use classpay_operator::import;
use classpay_operator::machine::{is_loopback, variables};
use classpay_service::store::{DynamoDb, Store};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::binaries::{self, Binaries};
use crate::clock::Clock;
use crate::data_dir::DataDir;
use crate::developer::tell;
use crate::gateway::Gateway;
use crate::loopback::listen;
use crate::runtime::{self, Backends, Pool, Pools};
use crate::secrets::Secrets;
use crate::studio::{self, Loaded};
use crate::template::{Schedule, Template};
use crate::{Problem, dynamodb, schedule, stripe};

/// How long the requests in progress may take when the stack ends.
const FAREWELL: Duration = Duration::from_secs(3);

/// The options of a stack.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Ports on 127.0.0.1; 0 means any free port.
    pub port: u16,
    pub dynamodb_port: u16,
    pub stripe_port: u16,
    /// Where the state is kept; `None` keeps it in memory.
    pub data_dir: Option<PathBuf>,
    /// A studio to load instead of the demo studio.
    pub catalogue: Option<PathBuf>,
    /// The time at which the stack's clock starts.
    pub now: Option<Timestamp>,
    /// An external DynamoDB and an external Stripe.
    pub dynamodb_url: Option<String>,
    pub stripe_url: Option<String>,
    pub table: String,
    /// Whether a missing table may be created in a DynamoDB that others use.
    pub create_table: bool,
    /// The gateway's timeout for a function.
    pub integration_timeout: Duration,
}

/// A running stack.
pub struct Stack {
    pub api_url: String,
    pub dynamodb_url: String,
    pub stripe_url: String,
    /// Whether Stripe is the stand-in of this repository.
    pub stripe_is_ours: bool,
    pub table: String,
    pub studio: Loaded,
    pools: Arc<Pools>,
    end: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    _data_dir: Option<DataDir>,
}

impl Stack {
    /// Starts everything. When this returns, the API answers.
    ///
    /// # Errors
    /// Names the option or file that is wrong.
    pub async fn start(settings: &Settings, template: Template, binaries: &Binaries) -> Result<Self, Problem> {
        binaries::complete(binaries, &template)?;
        let clock = clock(settings)?;
        let catalogue = import::catalogue(settings.catalogue.as_deref(), clock.now())?;
        let mut studio = studio::loaded(&catalogue)?;
        let data_dir = settings.data_dir.as_deref().map(DataDir::claim).transpose()?;
        let stripe_key = stripe::platform_key(settings.stripe_url.is_none())?;
        let (end, ended) = watch::channel(false);

        // We open every port before starting anything, so that a busy port leaves nothing half done.
        let (api, api_url) = listen(settings.port, "--port").await?;
        let dynamodb =
            Endpoint::find(settings.dynamodb_url.as_ref(), settings.dynamodb_port, "--dynamodb-port").await?;
        let stripe = Endpoint::find(settings.stripe_url.as_ref(), settings.stripe_port, "--stripe-port").await?;

        let file = |name: &str| data_dir.as_ref().map(|folder| folder.file(name));
        let mut servers = Vec::new();
        if let Some(listener) = dynamodb.ours {
            let file = file("dynamodb.sqlite");
            let access = dynamodb::Access::of(&template, &settings.table);
            let server =
                dynamodb::embedded_with_faults(file.as_deref(), listener, access, when(&ended), when(&ended)).await?;
            servers.push(attend("DynamoDB", server));
        }
        if let Some(listener) = stripe.ours {
            let standin = stripe::standin(file("stripe.json").as_deref(), Arc::clone(&clock), &api_url)?;
            servers.push(attend("Stripe", stripe::run(standin, listener, when(&ended), when(&ended))));
        }
        let is_local = is_loopback(&dynamodb.url);
        let client = dynamodb::client(&dynamodb.url, is_local);
        dynamodb::ensure_table(&client, &settings.table, &template.table, is_local || settings.create_table).await?;

        let store = Store::new(DynamoDb::over(client, &settings.table));
        // Only a studio that the developer names is loaded into an external DynamoDB, and only a few records are removed.
        let removals = if is_local { Removals::Any } else { Removals::Few };
        if is_local || settings.catalogue.is_some() {
            let print = |text: &str| eprint!("{text}");
            import::load(&store, &catalogue, Extent::Whole(removals), clock.now(), print).await?;
            studio.payment_links = studio::payment_links(&store, &catalogue, clock.now()).await?;
        }
        studio.example = studio::example(&store, &catalogue, clock.now()).await?;

        let backends = Backends {
            api_url: api_url.clone(),
            dynamodb_url: dynamodb.url.clone(),
            stripe_url: stripe.url.clone(),
            table: settings.table.clone(),
            credentials: if is_local { Backends::local_credentials() } else { own_credentials() },
            clock_offset_ms: clock.told_offset_ms(),
        };
        let pools = Arc::new(pools(&template, binaries, &backends)?);
        servers.extend(schedules(&template, &pools, &clock, &ended));
        let (secrets, timeout) = (Secrets::with(&stripe_key), settings.integration_timeout);
        let gateway = Gateway::new(template, Arc::clone(&pools), clock, secrets, timeout, studio.clone());
        let server = gateway.serve(api, when(&ended));
        servers.push(attend("the API", async { server.await.map_err(|problem| problem.to_string()) }));
        let (dynamodb_url, stripe_url) = (dynamodb.url, stripe.url);
        let table = settings.table.clone();
        let stripe_is_ours = settings.stripe_url.is_none();
        Ok(Self {
            api_url,
            dynamodb_url,
            stripe_url,
            stripe_is_ours,
            table,
            studio,
            pools,
            end,
            servers,
            _data_dir: data_dir,
        })
    }

    /// Stops everything, the functions first because they use the rest.
    pub async fn stop(self) {
        self.pools.stop().await;
        self.end.send_replace(true);
        for mut server in self.servers {
            // A caller that keeps sending must not keep the stack running.
            if timeout(FAREWELL, &mut server).await.is_err() {
                server.abort();
            }
        }
    }
}

fn clock(settings: &Settings) -> Result<Arc<Clock>, Problem> {
    let is_local = settings.dynamodb_url.as_deref().is_none_or(is_loopback);
    let clock = if is_local { Clock::movable() } else { Clock::fixed() };
    if let Some(now) = settings.now {
        clock
            .set(now)
            .map_err(|_| Problem::new("--now: beside a DynamoDB that is not local the clock cannot be moved"))?;
    }
    Ok(Arc::new(clock))
}

fn pools(template: &Template, binaries: &Binaries, backends: &Backends) -> Result<Pools, Problem> {
    let mut pools = BTreeMap::new();
    for (resource, function) in &template.functions {
        let environment =
            runtime::environment(function, template, backends).map_err(|problem| Problem::new(problem.to_string()))?;
        let binary =
            binaries.get(&function.package).ok_or_else(|| Problem::new(format!("no binary for {resource}")))?;
        pools.insert(resource.clone(), Arc::new(Pool::new(function.clone(), binary.clone(), environment)));
    }
    Ok(Pools::new(pools))
}

/// Runs the functions that have a schedule, until the stack ends.
fn schedules(
    template: &Template,
    pools: &Pools,
    clock: &Arc<Clock>,
    ended: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let scheduled = template.schedules.iter().filter_map(|schedule| Some((schedule, pools.get(&schedule.function)?)));
    let run = |(schedule, pool): (&Schedule, &Arc<Pool>)| {
        let kept = schedule::keep(schedule.clone(), Arc::clone(pool), Arc::clone(clock));
        let end = when(ended);
        tokio::spawn(async move {
            tokio::select! { () = kept => {}, () = end => {} }
        })
    };
    scheduled.map(run).collect()
}

/// The address of a backend, and the listener if we serve it.
struct Endpoint {
    url: String,
    ours: Option<TcpListener>,
}

impl Endpoint {
    async fn find(given: Option<&String>, port: u16, option: &str) -> Result<Self, Problem> {
        match given {
            Some(url) => Ok(Self { url: url.clone(), ours: None }),
            None => listen(port, option).await.map(|(listener, url)| Self { url, ours: Some(listener) }),
        }
    }
}

/// Ready when the stack ends.
fn when(ended: &watch::Receiver<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut ended = ended.clone();
    async move {
        // An error means that the stack itself is gone.
        drop(ended.wait_for(|ended| *ended).await);
    }
}

fn attend(name: &'static str, server: impl Future<Output = Result<(), String>> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(problem) = server.await {
            tell(format_args!("{name} ended: {problem}"));
        }
    })
}

/// The developer's own AWS credentials, for a DynamoDB that checks them.
fn own_credentials() -> BTreeMap<String, String> {
    let wanted =
        |name: &String| name.starts_with("AWS_") && !name.starts_with("AWS_LAMBDA_") || name == "SSL_CERT_FILE";
    variables().into_iter().filter(|(name, _)| wanted(name)).collect()
}
