//! Which table, and the Stripe that belongs to it.
//!
//! For a table that is not on this machine the default is Stripe itself. Compared with a stand-in, a real ledger would
//! look wrong, or look right because there are no payments to compare.

use std::time::Duration;

use clap::Args;
use classpay_domain::id::{AccountId, CompanyId};
use classpay_service::clock::Clock;
use classpay_service::context::Context;
use classpay_service::store::{DynamoDb, Store};
use classpay_service::stripe::{DEFAULT_API_BASE, Secret, Stripe, StripeConfig, StripeConfigError};
use serde::Deserialize;

use super::of_table;
use super::stripe::StripeReader;
use crate::Problem;
use crate::machine::{is_loopback, machine_time, variable};
use crate::stack::{DYNAMODB_URL, LOCAL_STRIPE_KEY, STRIPE_URL, TABLE};
use crate::table::table_at;

/// A stand-in answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which table, and which Stripe.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The table.
    #[arg(long, global = true, default_value = TABLE, value_name = "NAME")]
    table: String,
    /// The DynamoDB, with your AWS_* variables unless it is local (the default is a running stack's).
    #[arg(long, global = true, default_value = DYNAMODB_URL, value_name = "URL")]
    dynamodb_url: String,
    /// The Stripe, with the key in STRIPE_SECRET_KEY unless it is local [default: a running stack's; beside a DynamoDB
    /// that is not local, Stripe itself].
    #[arg(long, global = true, value_name = "URL")]
    stripe_url: Option<String>,
    /// The deployment's name, as its intents bear it at Stripe: payments of another are not missed in the ledger
    /// [default: whatever any deployment has made counts].
    #[arg(long, global = true, value_name = "STACK")]
    deployment: Option<String>,
}

impl Place {
    /// The table alone.
    pub(super) fn store(&self) -> Store {
        Store::new(self.dynamodb())
    }

    /// Whether a marker at Stripe belongs to the deployment.
    pub(super) fn is_ours(&self, marker: &str) -> bool {
        self.deployment.as_ref().is_none_or(|deployment| deployment == marker)
    }

    fn dynamodb(&self) -> DynamoDb {
        table_at(&self.dynamodb_url, &self.table)
    }

    fn stripe_url(&self) -> &str {
        match &self.stripe_url {
            Some(url) => url,
            None if is_loopback(&self.dynamodb_url) => STRIPE_URL,
            None => DEFAULT_API_BASE,
        }
    }

    /// The platform's key, a live one too: the operator provides it.
    fn stripe_key(&self) -> Result<Secret, Problem> {
        let url = self.stripe_url();
        if is_loopback(url) {
            return Ok(Secret::new(LOCAL_STRIPE_KEY));
        }
        let key = variable("STRIPE_SECRET_KEY").filter(|key| !key.is_empty());
        let missing = || Problem::new(format!("{url} needs the platform's key in STRIPE_SECRET_KEY"));
        Ok(Secret::new(key.ok_or_else(missing)?))
    }

    fn not_stripe(&self, problem: StripeConfigError) -> Problem {
        Problem::new(format!("--stripe-url {}: {problem}", self.stripe_url()))
    }

    /// Stripe, for a command that may move money.
    fn stripe(&self) -> Result<Stripe, Problem> {
        let mut config = StripeConfig::new(self.stripe_key()?);
        self.stripe_url().clone_into(&mut config.api_base);
        Stripe::new(&config).map_err(|problem| self.not_stripe(problem))
    }

    /// Stripe, for a command that only reads.
    pub(super) fn stripe_reader(&self) -> Result<StripeReader, Problem> {
        StripeReader::new(self.stripe_url(), &self.stripe_key()?).map_err(|problem| self.not_stripe(problem))
    }

    /// The service's dependencies.
    pub(super) async fn context(&self) -> Result<Context, Problem> {
        Ok(Context::for_operator(self.dynamodb(), self.stripe()?, self.clock().await))
    }

    /// The time. A stack's clock may be moved, and its Stripe knows the time.
    pub(super) async fn clock(&self) -> Clock {
        let is_local = is_loopback(&self.dynamodb_url) && is_loopback(self.stripe_url());
        match if is_local { self.stack_s_time().await } else { None } {
            Some(now_s) => Clock::ahead_by_ms(now_s.saturating_sub(machine_time().as_second()).saturating_mul(1000)),
            None => Clock::default(),
        }
    }

    /// `None` if no stand-in answers there.
    async fn stack_s_time(&self) -> Option<i64> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct StandinClock {
            now_s: i64,
        }
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().ok()?;
        let url = format!("{}/_control/clock", self.stripe_url().trim_end_matches('/'));
        let answer = client.get(url).send().await.ok()?.text().await.ok()?;
        serde_json::from_str::<StandinClock>(&answer).ok().map(|answer| answer.now_s)
    }
}

/// The accounts that are followed, of all companies or of one, and the present account of a company.
pub(super) async fn accounts(store: &Store, company: Option<&CompanyId>) -> Result<Vec<AccountId>, Problem> {
    let unfinished = store.unfinished_keys().await.map_err(of_table)?;
    let feeds = store.load_feeds(&unfinished).await.map_err(of_table)?;
    let is_wanted = |of: &CompanyId| company.is_none_or(|company| company == of);
    let mut accounts: Vec<_> =
        feeds.into_iter().filter(|feed| is_wanted(&feed.company)).map(|feed| feed.account).collect();
    if let Some(company) = company {
        let billing = store.load_billing(company).await.map_err(of_table)?;
        let (_, own) = billing.ok_or_else(|| Problem::new(format!("the table has no company {company}")))?;
        accounts.extend(own);
    }
    accounts.sort();
    accounts.dedup();
    Ok(accounts)
}
