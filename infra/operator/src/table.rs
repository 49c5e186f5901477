//! Which DynamoDB: a running stack's, or one in AWS.
//!
//! Only a DynamoDB on this machine is called without TLS and without the operator's own credentials.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use classpay_service::aws::CONNECT_TIMEOUT;
use classpay_service::net::{Cleartext, Pool, Trust};
use classpay_service::store::DynamoDb;

use crate::machine::{is_loopback, variable};
use crate::stack::LOCAL_REGION;

/// The table of this name in the DynamoDB at this address.
#[must_use]
pub fn table_at(url: &str, name: &str) -> DynamoDb {
    DynamoDb::over(client(url, is_loopback(url)), name)
}

/// A client of the DynamoDB at this address.
#[must_use]
pub fn client(url: &str, local: bool) -> Client {
    let trust = Trust::public().expect("the library has its own protocol versions");
    let clear = if is_loopback(url) { Cleartext::Allowed } else { Cleartext::Refused };
    let http = Pool::new(&trust, clear, CONNECT_TIMEOUT);
    let config = Config::builder().behavior_version(BehaviorVersion::v2026_01_12()).http_client(http).endpoint_url(url);
    let config = if local {
        config.region(Region::new(LOCAL_REGION)).credentials_provider(Credentials::new(
            "local",
            "local",
            None,
            None,
            "classpay-local",
        ))
    } else {
        let region = variable("AWS_REGION").unwrap_or_else(|| LOCAL_REGION.to_owned());
        config.region(Region::new(region)).credentials_provider(EnvironmentVariableCredentialsProvider::new())
    };
    Client::from_conf(config.build())
}
