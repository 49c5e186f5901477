//! What is remembered: one DynamoDB table, and methods named for what they mean.
//!
//! Invariant: every write that matters has a condition, so that doing it twice does it once; nothing is scanned and
//! nothing is deleted; no type of the SDK leaves this module.

mod events;
mod fees;
mod import;
mod instalments;
mod item;
pub mod key;
mod links;
mod orders;
mod payments;
mod places;
mod read;
mod returns;
mod studio;
mod sweep;
mod transact;
mod unpaid;
mod versions;

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, retry::RetryConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::{Builder, tls};

pub use events::{EVENT_LIFE_S, EventObject, EventRecord, Put};
pub use import::ImportError;
pub use instalments::{Debtor, Scheduled};
pub use links::{Debit, Link, LinkTarget};
pub use orders::{OrderRecord, PlaceOrder};
pub use payments::{Claim, Decision, Rejection, Session, SessionKind};
pub use returns::{OrderReturns, PostReturns};
pub use studio::LoadedStudio;
pub use sweep::{DueItem, DueKey, UnallocatedCredit, Unfinished};
pub use transact::{MAX_ACTIONS, Written};
pub use unpaid::UnpaidOrder;
pub use versions::{IdempotencyRecord, Versions};

/// One attempt may take this long; DynamoDB answers within milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// A call, with its retries, may take this long; a function has 25 seconds for several of them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(6);
/// A connection to DynamoDB is opened within milliseconds, or something is wrong.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// What a caller can do about a failed call: nothing but try again later, or call a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB didn't answer, or not usefully.
    #[error("the table can't be reached")]
    Unavailable,
    /// What is stored can't be what we wrote: the attribute that is wrong.
    #[error("a stored item is corrupt: {0}")]
    Corrupt(&'static str),
}

/// The table.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
}

impl Store {
    /// Connects to the table of that name, with region, credentials and endpoint from the environment.
    pub async fn connect(table: impl Into<String>) -> Self {
        Self { client: connect().await, table: table.into() }
    }

    /// The table of that name, through a client that is there already: for programs that don't live in a Lambda.
    #[must_use]
    pub fn over(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }
}

/// A client of DynamoDB with one lean TLS stack, bounded in time, and credentials from the environment only: that is
/// where a Lambda has them.
pub async fn connect() -> Client {
    let http_client = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client.build_https())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .load()
        .await;
    Client::new(&config)
}

/// What a failed read or single write means. Its details go to the log: they name tables and actions, not people.
fn unavailable<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::fmt::Debug,
    R: std::fmt::Debug,
{
    match &error {
        SdkError::ServiceError(service) => {
            let (code, message) = (service.err().code(), service.err().message());
            tracing::warn!(code, message, "DynamoDB refused a call");
        }
        SdkError::DispatchFailure(_) => tracing::warn!("DynamoDB can't be reached"),
        SdkError::TimeoutError(_) => tracing::warn!("DynamoDB didn't answer in time"),
        _ => tracing::warn!("a call to DynamoDB failed"),
    }
    StoreError::Unavailable
}
