//! What all clients of AWS have in common: one pool of connections, time limits, where and as whom.
//!
//! Invariant: credentials come from the environment only: that is where a Lambda has them.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

use crate::net::Pool;

/// One attempt may take this long; what is called here answers within milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// A call, with its retries, may take this long; a function has 25 seconds for several of them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(6);
/// A connection within a region is opened within milliseconds, or something is wrong.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How often a call is sent that may be sent again.
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
