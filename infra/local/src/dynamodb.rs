//! The table, in an embedded DynamoDB or in the one that the developer names.
//!
//! Read in this order: this module (the table), [`proxy`] (which stands in front of the embedded DynamoDB), [`access`]
//! (permissions), [`faults`] (injected faults), [`control`] (how to inject them).
//!
//! The table is created from the template, through the real SDK, and only where it is missing. Nothing is created in a
//! DynamoDB that is not local unless the developer asks for it.

mod access;
mod answers;
mod control;
mod faults;
mod log;
mod proxy;

use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TableDescription, TableStatus, TimeToLiveSpecification,
};
use tokio::net::TcpListener;

pub use self::access::Access;
use crate::template::{Key, Table};
use crate::{Problem, loopback};
pub use classpay_operator::table::client;

/// How often, and how many times, we ask whether a new table is ready. AWS takes some seconds.
const READY_POLL: Duration = Duration::from_millis(500);
const READY_POLLS: u32 = 120;

/// Serves an embedded DynamoDB, in this file or in memory, until the future is ready.
///
/// # Errors
/// The file is not a database or can't be opened.
pub fn embedded<S: Future<Output = ()> + Send + 'static>(
    file: Option<&Path>,
    listener: TcpListener,
    shutdown: S,
) -> Result<impl Future<Output = Result<(), String>> + Send + use<S>, Problem> {
    let database = match file {
        None => dynoxide::Database::memory(),
        Some(file) => dynoxide::Database::new(&file.to_string_lossy()),
    };
    let database = database.map_err(|problem| Problem::new(format!("DynamoDB does not open: {problem}")))?;
    Ok(dynoxide::server::serve_with_shutdown(listener, database, shutdown))
}

/// Serves an embedded DynamoDB until both futures are ready. It refuses a function any call that the template doesn't
/// allow, and faults can be injected under `/_control/`.
pub async fn embedded_with_faults<S: Future<Output = ()> + Send + 'static>(
    file: Option<&Path>,
    listener: TcpListener,
    access: Access,
    shutdown: S,
    proxy_shutdown: S,
) -> Result<impl Future<Output = Result<(), String>> + Send + use<S>, Problem> {
    let trouble = |problem: std::io::Error| Problem::new(format!("DynamoDB has no port: {problem}"));
    let behind = loopback::anywhere(0).await.map_err(trouble)?;
    let url = format!("http://{}", behind.local_addr().map_err(trouble)?);
    let database = embedded(file, behind, shutdown)?;
    let behind = url.parse().map_err(|_| Problem::new(url))?;
    let proxy = proxy::serve(listener, behind, access, control::router(), proxy_shutdown);
    Ok(async { tokio::try_join!(database, proxy).map(|((), ())| ()) })
}

/// Ensures that the table exists as the template defines it.
///
/// # Errors
/// The table is missing and may not be created, or it exists with other keys.
pub async fn ensure_table(client: &Client, name: &str, table: &Table, may_create: bool) -> Result<(), Problem> {
    if let Some(found) = describe(client, name).await? {
        return compare(name, table, &found);
    }
    if !may_create {
        return Err(Problem::new(format!(
            "there is no table {name} in that DynamoDB, and none is created in one that is not local unless --create-table is given"
        )));
    }
    create(client, name, table).await?;
    wait_until_active(client, name).await?;
    if let Some(attribute) = &table.ttl_attribute {
        let ttl = TimeToLiveSpecification::builder().attribute_name(attribute).enabled(true).build().map_err(failed)?;
        client.update_time_to_live().table_name(name).time_to_live_specification(ttl).send().await.map_err(failed)?;
    }
    Ok(())
}

async fn describe(client: &Client, name: &str) -> Result<Option<TableDescription>, Problem> {
    match client.describe_table().table_name(name).send().await {
        Ok(answer) => Ok(answer.table),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: impl std::error::Error) -> Problem {
    Problem::new(format!("DynamoDB: {}", DisplayErrorContext(error)))
}

async fn create(client: &Client, name: &str, table: &Table) -> Result<(), Problem> {
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(&table.key)?));
    for attribute in &table.attributes {
        let definition = AttributeDefinition::builder()
            .attribute_name(&attribute.name)
            .attribute_type(ScalarAttributeType::from(attribute.kind.as_str()))
            .build()
            .map_err(failed)?;
        request = request.attribute_definitions(definition);
    }
    for index in &table.indexes {
        let index = GlobalSecondaryIndex::builder()
            .index_name(&index.name)
            .set_key_schema(Some(key_schema(&index.key)?))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()
            .map_err(failed)?;
        request = request.global_secondary_indexes(index);
    }
    request.send().await.map_err(failed)?;
    Ok(())
}

fn key_schema(key: &Key) -> Result<Vec<KeySchemaElement>, Problem> {
    let element = |name: &String, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let hash = element(&key.hash, KeyType::Hash);
    let range = key.range.as_ref().map(|name| element(name, KeyType::Range));
    [Some(hash), range].into_iter().flatten().collect::<Result<_, _>>().map_err(failed)
}

async fn wait_until_active(client: &Client, name: &str) -> Result<(), Problem> {
    for _ in 0..READY_POLLS {
        let found = describe(client, name).await?;
        if found.and_then(|table| table.table_status) == Some(TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(READY_POLL).await;
    }
    Err(Problem::new(format!("the table {name} was created but is not ready after a minute")))
}

/// A table from an older template would fail later, with an error that is hard to understand.
fn compare(name: &str, wanted: &Table, found: &TableDescription) -> Result<(), Problem> {
    let keys = |schema: &[KeySchemaElement]| -> BTreeSet<(String, bool)> {
        schema.iter().map(|part| (part.attribute_name.clone(), part.key_type == KeyType::Hash)).collect()
    };
    let wanted_keys = |key: &Key| -> BTreeSet<(String, bool)> {
        let range = key.range.iter().map(|name| (name.clone(), false));
        range.chain([(key.hash.clone(), true)]).collect()
    };
    let same_key = keys(found.key_schema()) == wanted_keys(&wanted.key);
    let same_indexes = wanted.indexes.iter().all(|index| {
        let twin = found.global_secondary_indexes().iter().find(|found| found.index_name() == Some(&index.name));
        twin.is_some_and(|twin| keys(twin.key_schema()) == wanted_keys(&index.key))
    });
    if same_key && same_indexes {
        return Ok(());
    }
    Err(Problem::new(format!(
        "the table {name} has other keys or indexes than infra/template.yaml: it is from another version. \
         Start with another --data-dir, or remove the old one"
    )))
}
