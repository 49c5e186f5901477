//! What every function uses while it serves: the table, Stripe, the clock, the source of ids.
//!
//! It is created once per process, during initialisation. Nothing in it belongs to one request. Its only cache of the
//! table is the companies' Stripe account ids, which are checked when used.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use classpay_domain::id::{AccountId, CompanyId, FamilyId};
use http::Uri;

use crate::aws;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, is_loopback};
use crate::error::{Error, ErrorCode};
use crate::ids::Ids;
use crate::net::{Cleartext, NoTls, Pool, Trust};
use crate::secrets::{KeptSecret, SecretUnavailable};
use crate::store::{DynamoDb, Store, StoreError, Table};
use crate::stripe::signing::SigningSecrets;
use crate::stripe::{DEFAULT_API_BASE, MARKER, Payments, Secret, Stripe, StripeConfig, Timing};

/// The dependencies of every function.
#[derive(Debug)]
pub struct Context {
    /// The table.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// The source of ids.
    pub ids: Ids,
    /// The name of this deployment; `None` in an operator's program.
    deployment: Option<String>,
    stripe: Option<Arc<dyn Payments>>,
    signing: SigningSecrets,
    payment_link_url: Option<String>,
    accounts: Mutex<HashMap<CompanyId, AccountId>>,
}

impl Context {
    /// Connects according to the configuration.
    ///
    /// # Errors
    /// [`StartError`]: a malformed variable, or a secret that can't be read.
    pub async fn connect(config: Config) -> Result<Self, StartError> {
        let trust = trust(config.stand_ins_vouched_for_by.as_deref())?;
        let dynamodb = Pool::new(&trust, cleartext(&config.dynamodb), aws::CONNECT_TIMEOUT);
        let aws = aws::sdk_config(&dynamodb).await;
        let kept = |arn: &Option<String>| {
            let client = || aws_sdk_secretsmanager::Client::new(&aws);
            arn.as_deref().map(|arn| KeptSecret::new(client(), arn))
        };
        let (key, signing) = (kept(&config.stripe_key_secret), kept(&config.webhook_signing_secret));
        let signing = async { Ok(SigningSecrets::read(signing).await?) };
        // Opens the connections before the first request.
        let open = async {
            dynamodb.open(at(&config.dynamodb, "/ping")?).await;
            Ok(())
        };
        let (stripe, signing, ()) = tokio::try_join!(stripe(key, config.stripe_api_base, &trust), signing, open)?;
        Ok(Self {
            store: Store::new(DynamoDb::connect(&aws, config.table)),
            clock: config.clock,
            ids: Ids::new(config.clock),
            deployment: Some(config.service),
            stripe,
            signing,
            payment_link_url: config.payment_link_url,
            accounts: Mutex::default(),
        })
    }

    /// The context of an operator's program, which receives no events and shows no links.
    #[must_use]
    pub fn for_operator(table: DynamoDb, stripe: Stripe, clock: Clock) -> Self {
        Self {
            store: Store::new(table),
            clock,
            ids: Ids::new(clock),
            deployment: None,
            stripe: Some(Arc::new(stripe)),
            signing: SigningSecrets::none(),
            payment_link_url: None,
            accounts: Mutex::default(),
        }
    }

    /// A context from its parts, of which some may be substitutes: the deployment's name, the table, Stripe, the clock,
    /// the source of ids, the signing secrets and the URL of payment links.
    #[must_use]
    pub fn assembled(
        deployment: String,
        table: impl Table + 'static,
        stripe: impl Payments + 'static,
        clock: Clock,
        ids: Ids,
        webhook_secret: Secret,
        payment_link_url: String,
    ) -> Self {
        Self {
            store: Store::new(table),
            clock,
            ids,
            deployment: Some(deployment),
            stripe: Some(Arc::new(stripe)),
            signing: SigningSecrets::fixed(webhook_secret),
            payment_link_url: Some(payment_link_url),
            accounts: Mutex::default(),
        }
    }

    /// The metadata of our objects at Stripe: whose they are, and which deployment made them. Nothing is decided by it,
    /// because the studio can edit it.
    ///
    /// # Errors
    /// `internal` in a program that creates no such objects.
    pub fn metadata(&self, company: &CompanyId, family: &FamilyId) -> Result<BTreeMap<String, String>, Error> {
        let deployment = self.deployment.clone().ok_or_else(|| Error::internal("this program has no name"))?;
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
    /// `stripe_misconfigured` in a function without a key.
    pub fn stripe(&self) -> Result<&dyn Payments, Error> {
        self.stripe.as_deref().ok_or_else(|| Error::from(ErrorCode::StripeMisconfigured).because("no secret key"))
    }

    /// The secrets with which Stripe signs its events. Only the webhook has any.
    #[must_use]
    pub fn signing_secrets(&self) -> &SigningSecrets {
        &self.signing
    }

    /// The URL that opens payment links, to which a link's id is appended.
    ///
    /// # Errors
    /// `internal` in a function without this setting.
    pub fn payment_link_url(&self) -> Result<&str, Error> {
        self.payment_link_url.as_deref().ok_or_else(|| Error::internal("PAYMENT_LINK_URL is missing"))
    }

    /// The Stripe account of a company, as this process last read it. The caller compares it with the loaded company,
    /// and calls [`Context::forget_account`] if it has changed.
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

/// Why a function can't start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The environment is incomplete or malformed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Secrets Manager doesn't return a secret.
    #[error(transparent)]
    Secret(#[from] SecretUnavailable),
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] NoTls),
}

/// Stripe, for a function that has a key. Its connection opens while the key is read.
async fn stripe(
    key: Option<KeptSecret>,
    api_base: Option<String>,
    trust: &Trust,
) -> Result<Option<Arc<dyn Payments>>, StartError> {
    let Some(key) = key else { return Ok(None) };
    let api_base = api_base.unwrap_or_else(|| DEFAULT_API_BASE.to_owned());
    let pool = Pool::new(trust, cleartext(&api_base), Timing::default().connect);
    let (secret, ()) = tokio::join!(key.read(), pool.open(at(&api_base, "/healthcheck")?));
    let (pool, kept_key) = (Some(pool), Some(key));
    let config = StripeConfig { kept_key, api_base, pool, ..StripeConfig::new(secret?) };
    Ok(Some(Arc::new(Stripe::new(&config).map_err(|_| ConfigError("STRIPE_API_BASE"))?)))
}

/// The authorities that may vouch for the other ends of connections.
fn trust(file: Option<&str>) -> Result<Trust, StartError> {
    match file {
        None => Ok(Trust::public()?),
        Some(file) => Ok(Trust::only(&std::fs::read(file).map_err(|_| ConfigError("LOOPBACK_CA_FILE"))?)?),
    }
}

fn cleartext(url: &str) -> Cleartext {
    if is_loopback(url) { Cleartext::Allowed } else { Cleartext::Refused }
}

fn at(base: &str, path: &str) -> Result<Uri, StartError> {
    Ok(format!("{}{path}", base.trim_end_matches('/')).parse().map_err(|_| ConfigError("an endpoint's address"))?)
}
