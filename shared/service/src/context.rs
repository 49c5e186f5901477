//! What a function has in its hands while it serves: the table, Stripe, the clock, the source of ids.
//!
//! Invariant: made once for a process, while it initialises; nothing in it belongs to one request, and nothing in
//! it outlives a change in the table but the names of companies' Stripe accounts, which are checked when used.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use classpay_domain::id::{AccountId, CompanyId, FamilyId};
use http::Uri;
use lambda_http::{Request, RequestExt};

use crate::api::{ApiError, ErrorCode};
use crate::aws;
use crate::clock::{Clock, left_until};
use crate::config::{Config, ConfigError, is_loopback};
use crate::mint::Mint;
use crate::net::{Clear, NoTls, Pool, Trust};
use crate::secrets::{KeptSecret, SecretUnavailable};
use crate::store::{DynamoDb, Store, StoreError, Table};
use crate::stripe::{DEFAULT_API_BASE, MARKER, Payments, Secret, Stripe, StripeConfig, Timing};
use crate::webhook::signing::SigningSecrets;

/// What is kept back of an invocation for what has to be written and answered: no call of Stripe may use it. With less
/// than this left, what isn't finished is answered with 202.
const KEPT_FROM_STRIPE: Duration = Duration::from_secs(3);

/// What every function has.
#[derive(Debug)]
pub struct Context {
    /// The table.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Ids.
    pub mint: Mint,
    /// The name of this deployment; an operator's program has none.
    deployment: Option<String>,
    stripe: Option<Arc<dyn Payments>>,
    signing: SigningSecrets,
    payment_link_url: Option<String>,
    accounts: Mutex<HashMap<CompanyId, AccountId>>,
}

impl Context {
    /// Connects, as the configuration says.
    ///
    /// # Errors
    /// [`StartError`]: a variable that is malformed, a secret that can't be read.
    pub async fn connect(config: Config) -> Result<Self, StartError> {
        let trust = trust(config.stand_ins_vouched_for_by.as_deref())?;
        let dynamodb = Pool::new(&trust, clear(&config.dynamodb), aws::CONNECT_TIMEOUT);
        let aws = aws::sdk_config(&dynamodb).await;
        let kept = |arn: &Option<String>| {
            let client = || aws_sdk_secretsmanager::Client::new(&aws);
            arn.as_deref().map(|arn| KeptSecret::new(client(), arn))
        };
        let (key, signing) = (kept(&config.stripe_key_secret), kept(&config.webhook_signing_secret));
        let signing = async { Ok(SigningSecrets::read(signing).await?) };
        // The first request finds its connections open.
        let open = async {
            dynamodb.open(at(&config.dynamodb, "/ping")?).await;
            Ok(())
        };
        let (stripe, signing, ()) = tokio::try_join!(stripe(key, config.stripe_api_base, &trust), signing, open)?;
        Ok(Self {
            store: Store::new(DynamoDb::connect(&aws, config.table)),
            clock: config.clock,
            mint: Mint::new(config.clock),
            deployment: Some(config.service),
            stripe,
            signing,
            payment_link_url: config.payment_link_url,
            accounts: Mutex::default(),
        })
    }

    /// What an operator's program settles with: it takes no events and shows no links.
    #[must_use]
    pub fn for_operator(table: DynamoDb, stripe: Stripe, clock: Clock) -> Self {
        Self {
            store: Store::new(table),
            clock,
            mint: Mint::new(clock),
            deployment: None,
            stripe: Some(Arc::new(stripe)),
            signing: SigningSecrets::none(),
            payment_link_url: None,
            accounts: Mutex::default(),
        }
    }

    /// One that is put together by hand: the deployment's name, the table, Stripe, the clock, the source of ids, what
    /// Stripe signs its events with and where payment links are opened.
    #[must_use]
    pub fn assembled(
        deployment: String,
        table: impl Table + 'static,
        stripe: impl Payments + 'static,
        clock: Clock,
        mint: Mint,
        webhook_secret: Secret,
        payment_link_url: String,
    ) -> Self {
        Self {
            store: Store::new(table),
            clock,
            mint,
            deployment: Some(deployment),
            stripe: Some(Arc::new(stripe)),
            signing: SigningSecrets::fixed(webhook_secret),
            payment_link_url: Some(payment_link_url),
            accounts: Mutex::default(),
        }
    }

    /// What our objects at Stripe say about themselves: whose they are, and which deployment has made them. Nothing is
    /// decided by whose they say they are, for the studio can edit it.
    ///
    /// # Errors
    /// `internal` in a program that makes none.
    pub fn metadata(&self, company: &CompanyId, family: &FamilyId) -> Result<BTreeMap<String, String>, ApiError> {
        let deployment = self.deployment.clone().ok_or_else(|| ApiError::internal("this program has no name"))?;
        let about = [(MARKER, deployment), ("company", company.to_string()), ("family", family.to_string())];
        Ok(about.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Whether a marker in Stripe's metadata is that of this deployment.
    #[must_use]
    pub fn is_ours(&self, marker: &str) -> bool {
        self.deployment.as_deref() == Some(marker)
    }

    /// Stripe.
    ///
    /// # Errors
    /// `stripe_misconfigured` in a function that was given no key.
    pub fn stripe(&self) -> Result<&dyn Payments, ApiError> {
        self.stripe.as_deref().ok_or_else(|| ApiError::from(ErrorCode::StripeMisconfigured).because("no secret key"))
    }

    /// What Stripe signs its events with. Only the webhook has any.
    #[must_use]
    pub fn signing_secrets(&self) -> &SigningSecrets {
        &self.signing
    }

    /// Where payment links are opened: their id is added to it.
    ///
    /// # Errors
    /// `internal` in a function that wasn't told.
    pub fn payment_link_url(&self) -> Result<&str, ApiError> {
        self.payment_link_url.as_deref().ok_or_else(|| ApiError::internal("PAYMENT_LINK_URL is missing"))
    }

    /// The Stripe account of a company, as this process has last seen it. Whoever uses it compares it with the
    /// company that he loads, and calls [`Context::forget_account`] when it has changed.
    ///
    /// # Errors
    /// [`StoreError`] if the table can't be reached.
    pub async fn account_of(&self, company: &CompanyId) -> Result<Option<AccountId>, StoreError> {
        if let Some(account) = self.accounts.lock().unwrap_or_else(PoisonError::into_inner).get(company) {
            return Ok(Some(account.clone()));
        }
        let account = self.store.load_account(company).await?;
        if let Some(account) = &account {
            let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.insert(company.clone(), account.clone());
        }
        Ok(account)
    }

    /// Makes the next [`Context::account_of`] read the table.
    pub fn forget_account(&self, company: &CompanyId) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).remove(company);
    }
}

/// Why a function can't begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The environment is not what it has to be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Secrets Manager doesn't give what is needed.
    #[error(transparent)]
    Secret(#[from] SecretUnavailable),
    /// Nothing can be connected to.
    #[error(transparent)]
    Tls(#[from] NoTls),
}

/// Stripe, for a function that has a key. Its connection is opened while the key is read.
async fn stripe(
    key: Option<KeptSecret>,
    api_base: Option<String>,
    trust: &Trust,
) -> Result<Option<Arc<dyn Payments>>, StartError> {
    let Some(key) = key else { return Ok(None) };
    let api_base = api_base.unwrap_or_else(|| DEFAULT_API_BASE.to_owned());
    let pool = Pool::new(trust, clear(&api_base), Timing::default().connect);
    let (secret, ()) = tokio::join!(key.read(), pool.open(at(&api_base, "/healthcheck")?));
    let (pool, kept_key) = (Some(pool), Some(key));
    let config = StripeConfig { kept_key, api_base, pool, ..StripeConfig::new(secret?) };
    Ok(Some(Arc::new(Stripe::new(&config).map_err(|_| ConfigError("STRIPE_API_BASE"))?)))
}

/// Whom the other ends of connections may be vouched for by.
fn trust(file: Option<&str>) -> Result<Trust, StartError> {
    match file {
        None => Ok(Trust::public()?),
        Some(file) => Ok(Trust::only(&std::fs::read(file).map_err(|_| ConfigError("LOOPBACK_CA_FILE"))?)?),
    }
}

fn clear(url: &str) -> Clear {
    if is_loopback(url) { Clear::Allowed } else { Clear::Refused }
}

fn at(base: &str, path: &str) -> Result<Uri, StartError> {
    Ok(format!("{}{path}", base.trim_end_matches('/')).parse().map_err(|_| ConfigError("an endpoint's address"))?)
}

/// When the Lambda runtime will end this invocation.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at_ms: u64,
}

impl Deadline {
    /// The deadline of a request; none is a deadline that never comes.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self { at_ms: request.lambda_context_ref().map_or(u64::MAX, |context| context.deadline) }
    }

    /// The deadline of an invocation that the runtime ends then, in milliseconds since 1970 by the machine's clock.
    #[must_use]
    pub const fn at_ms(at_ms: u64) -> Self {
        Self { at_ms }
    }

    /// The same deadline with so much time kept back.
    #[must_use]
    pub fn keeping(self, reserve: Duration) -> Self {
        Self { at_ms: self.at_ms.saturating_sub(u64::try_from(reserve.as_millis()).unwrap_or(u64::MAX)) }
    }

    /// Whether there is too little time left to ask Stripe anything.
    #[must_use]
    pub fn is_near(self) -> bool {
        self.for_stripe().is_zero()
    }

    /// The time that calls of Stripe may take, all of them together: a Stripe that executes a call and never answers
    /// must not keep us from saying what is known.
    #[must_use]
    pub fn for_stripe(self) -> Duration {
        self.left().saturating_sub(KEPT_FROM_STRIPE)
    }

    /// The time left.
    #[must_use]
    pub fn left(self) -> Duration {
        left_until(self.at_ms)
    }
}

/// A read or a write that failed before anything was sent that changes something.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable => Self::from(ErrorCode::Unavailable).because(error.to_string()),
            StoreError::Corrupt(_) | StoreError::Refused | StoreError::Unwritable => Self::internal(error.to_string()),
        }
    }
}
