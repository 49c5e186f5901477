//! What all AWS clients share: one connection pool, time limits, region and credentials.
//!
//! Credentials come only from the environment, where a Lambda has them.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

use crate::net::Pool;

/// The limit for one attempt; the services called here answer within milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// The limit for a call with its retries; a function has 25 seconds for several calls.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(6);
/// The limit for connecting; within a region it takes milliseconds.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The most times that a repeatable call is sent.
const MAX_ATTEMPTS: u32 = 3;

/// Region, credentials and endpoints from the environment.
pub async fn sdk_config(pool: &Pool) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(pool.clone())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
        .load()
        .await
}
