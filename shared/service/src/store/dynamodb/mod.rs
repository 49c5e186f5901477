//! The DynamoDB table.
//!
//! Invariant: what DynamoDB leaves unprocessed, or cuts off at a page, is requested until it is complete. A write whose
//! reply is lost is [`Commit::Unknown`]. Only this module retries a conflict, and nothing retries a failed condition.

mod render;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, KeysAndAttributes, ReturnValue};

use self::render::{attributes, sdk_key};
use super::StoreError;
use super::item::{Attributes, Read as _};
use super::key::Key;
use super::table::{Commit, Consistency, DueKey, Table};
use super::write::{Edit, Write};
use crate::telemetry::{Peer, timed};

/// The most keys of one batch.
const BATCH_MAX: usize = 100;
/// How long unprocessed keys are requested again without progress before the table counts as unavailable.
const BATCH_PATIENCE: Duration = Duration::from_secs(2);
/// The first pause after a round without progress is random up to this; the bound doubles with each further round.
const BATCH_PAUSE_MS: u64 = 25;
/// The longest pause.
const BATCH_LONGEST_PAUSE_MS: u64 = 400;
/// How often a conflict is retried. Few calls compete for one seat or family; more retries would only hide a hot item.
const CONFLICT_RETRIES: u32 = 5;
/// The first pause after a conflict is random up to this.
const CONFLICT_PAUSE_MS: u64 = 20;
/// The index of unfinished items.
const INDEX: &str = "GSI1";

/// A DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoDb {
    client: Client,
    name: String,
}

impl DynamoDb {
    /// The table of that name.
    #[must_use]
    pub fn connect(aws: &SdkConfig, name: impl Into<String>) -> Self {
        Self::over(Client::new(aws), name)
    }

    /// The table of that name, through an existing client: for programs that don't run in a Lambda.
    #[must_use]
    pub fn over(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    async fn get_batch(
        &self,
        keys: &[Key],
        consistency: Consistency,
        found: &mut HashMap<Key, Attributes>,
    ) -> Result<(), StoreError> {
        let keys = keys.iter().map(sdk_key).collect();
        let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(consistency.is_strong());
        let mut request = request.build().expect("the keys are set above");
        let mut fruitless = Fruitless::default();
        loop {
            let asked = request.keys().len();
            let batch = self.client.batch_get_item().request_items(&self.name, request);
            let answer = timed(Peer::DynamoDb, batch.send()).await.map_err(unavailable)?;
            for item in answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default() {
                let item = attributes(item);
                found.insert(Key { pk: item.text("pk")?.to_owned(), sk: item.text("sk")?.to_owned() }, item);
            }
            let left = answer.unprocessed_keys.and_then(|mut left| left.remove(&self.name));
            let Some(left) = left.filter(|left| !left.keys().is_empty()) else { return Ok(()) };
            // DynamoDB returns at most 16 MB at once, so a round with progress has not failed, and the next need not
            // wait.
            if left.keys().len() < asked {
                fruitless = Fruitless::default();
            } else if let Some(pause) = fruitless.another() {
                tokio::time::sleep(pause).await;
            } else {
                tracing::warn!(keys = asked, "DynamoDB left a batch unprocessed for too long");
                return Err(StoreError::Unavailable);
            }
            request = left;
        }
    }
}

/// The consecutive rounds of a batch without progress.
#[derive(Debug, Default)]
struct Fruitless {
    rounds: u32,
    since: Option<Instant>,
}

impl Fruitless {
    /// Counts one more, and answers how long to wait before the next; `None`: give up.
    fn another(&mut self) -> Option<Duration> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let longest_ms = BATCH_PAUSE_MS.saturating_mul(1 << self.rounds.min(16)).min(BATCH_LONGEST_PAUSE_MS);
        self.rounds = self.rounds.saturating_add(1);
        // A lower bound keeps competing calls that paused together from returning together.
        let pause = Duration::from_millis(fastrand::u64(longest_ms / 2..=longest_ms));
        (since.elapsed() + pause < BATCH_PATIENCE).then_some(pause)
    }
}

#[async_trait]
impl Table for DynamoDb {
    async fn get(&self, key: &Key) -> Result<Option<Attributes>, StoreError> {
        let get = self.client.get_item().table_name(&self.name).consistent_read(true);
        let get = get.set_key(Some(sdk_key(key))).send();
        let answer = timed(Peer::DynamoDb, get).await.map_err(unavailable)?;
        Ok(answer.item.map(attributes))
    }

    async fn get_all(
        &self,
        mut keys: Vec<Key>,
        consistency: Consistency,
    ) -> Result<HashMap<Key, Attributes>, StoreError> {
        keys.sort();
        keys.dedup();
        let mut found = HashMap::with_capacity(keys.len());
        for batch in keys.chunks(BATCH_MAX) {
            self.get_batch(batch, consistency, &mut found).await?;
        }
        Ok(found)
    }

    async fn query(&self, pk: &str, consistency: Consistency) -> Result<Vec<Attributes>, StoreError> {
        let query = self.client.query().table_name(&self.name).consistent_read(consistency.is_strong());
        let query = query
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()));
        let mut pages = query.into_paginator().send();
        let mut items = Vec::new();
        while let Some(page) = timed(Peer::DynamoDb, pages.next()).await {
            items.extend(page.map_err(unavailable)?.items.unwrap_or_default().into_iter().map(attributes));
        }
        Ok(items)
    }

    async fn due(&self, shard: &str, until: &str, most: usize) -> Result<Vec<DueKey>, StoreError> {
        let query = self.client.query().table_name(&self.name).index_name(INDEX);
        let query = query
            .key_condition_expression("gsi1pk = :shard AND gsi1sk <= :now")
            .expression_attribute_values(":shard", AttributeValue::S(shard.to_owned()))
            .expression_attribute_values(":now", AttributeValue::S(until.to_owned()))
            .projection_expression("pk, sk, gsi1sk");
        let mut pages = query.into_paginator().send();
        let mut due = Vec::new();
        while due.len() < most
            && let Some(page) = timed(Peer::DynamoDb, pages.next()).await
        {
            for item in page.map_err(unavailable)?.items.unwrap_or_default() {
                let item = attributes(item);
                let key = Key { pk: item.text("pk")?.to_owned(), sk: item.text("sk")?.to_owned() };
                due.push(DueKey { key, due: item.text("gsi1sk")?.to_owned() });
            }
        }
        due.truncate(most);
        Ok(due)
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Commit, StoreError> {
        let actions: Vec<_> = writes.into_iter().map(|write| render::action(&self.name, write)).collect();
        for attempt in 0..=CONFLICT_RETRIES {
            // The SDK's own retries would hide that an earlier attempt was lost and may still land.
            let once = aws_sdk_dynamodb::config::Builder::new().retry_config(RetryConfig::disabled());
            let call = self.client.transact_write_items().set_transact_items(Some(actions.clone()));
            let sent = timed(Peer::DynamoDb, call.customize().config_override(once).send()).await;
            let error = match sent {
                Ok(_) => return Ok(Commit::Done),
                Err(error) => error,
            };
            match outcome_of(&error)? {
                Commit::Contended if attempt < CONFLICT_RETRIES => {
                    let longest_ms = CONFLICT_PAUSE_MS << attempt;
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=longest_ms))).await;
                }
                outcome => return Ok(outcome),
            }
        }
        Ok(Commit::Contended)
    }

    async fn edit(&self, key: &Key, edits: Vec<Edit>) -> Result<Attributes, StoreError> {
        let update = render::edit(&self.name, key, edits);
        let call = self.client.update_item().table_name(update.table_name).set_key(Some(update.key));
        let call = call
            .update_expression(update.update_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values)
            .return_values(ReturnValue::AllNew);
        let answer = timed(Peer::DynamoDb, call.send()).await.map_err(unavailable)?;
        Ok(attributes(answer.attributes.unwrap_or_default()))
    }
}

/// DynamoDB's error codes for a call that it will always refuse.
const LASTING: [&str; 4] =
    ["ValidationException", "ResourceNotFoundException", "AccessDeniedException", "UnrecognizedClientException"];

/// What a failed read or single write means. The details are logged: they name tables and actions, not people.
fn unavailable<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::fmt::Debug,
    R: std::fmt::Debug,
{
    match &error {
        SdkError::ServiceError(service) => {
            let (code, message) = (service.err().code(), service.err().message());
            if code.is_some_and(|code| LASTING.contains(&code)) {
                tracing::error!(code, message, "DynamoDB refuses a call for good");
                return StoreError::Refused;
            }
            tracing::warn!(code, message, "DynamoDB refused a call");
        }
        SdkError::DispatchFailure(_) => tracing::warn!("DynamoDB can't be reached"),
        SdkError::TimeoutError(_) => tracing::warn!("DynamoDB didn't answer in time"),
        _ => tracing::warn!("a call to DynamoDB failed"),
    }
    StoreError::Unavailable
}

fn outcome_of(error: &SdkError<TransactWriteItemsError>) -> Result<Commit, StoreError> {
    let service = match error {
        SdkError::ServiceError(service) => service.err(),
        SdkError::ConstructionFailure(_) => return Err(StoreError::Unwritable),
        SdkError::DispatchFailure(failure) if failure.is_user() => return Err(StoreError::Unavailable),
        // Timeouts, broken connections, unreadable answers: it may have been written.
        _ => return Ok(Commit::Unknown),
    };
    match service {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            outcome_of_reasons(cancelled.cancellation_reasons())
        }
        TransactWriteItemsError::TransactionInProgressException(_)
        | TransactWriteItemsError::InternalServerError(_) => Ok(Commit::Unknown),
        TransactWriteItemsError::ProvisionedThroughputExceededException(_) => Ok(Commit::Contended),
        other => match other.meta().code() {
            Some("ThrottlingException" | "RequestLimitExceeded") => Ok(Commit::Contended),
            Some("ResourceNotFoundException" | "AccessDeniedException" | "UnrecognizedClientException") => {
                tracing::error!(reason = other.meta().message(), "DynamoDB refuses a transaction for good");
                Err(StoreError::Refused)
            }
            Some("ValidationException" | "IdempotentParameterMismatchException") => {
                tracing::error!(reason = other.meta().message(), "DynamoDB refuses a transaction as malformed");
                Err(StoreError::Unwritable)
            }
            _ => Ok(Commit::Unknown),
        },
    }
}

/// Reads the cancellation reasons. A permanent refusal decides, then a failed condition. Only conflicts and throttling
/// are worth a retry.
fn outcome_of_reasons(reasons: &[CancellationReason]) -> Result<Commit, StoreError> {
    let codes = || reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None");
    let passing =
        |code: &str| matches!(code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded");
    let refused = |code: &str| matches!(code, "ValidationError" | "ItemCollectionSizeLimitExceeded");
    if let Some(reason) = reasons.iter().find(|reason| reason.code().is_some_and(refused)) {
        tracing::error!(code = reason.code(), reason = reason.message(), "DynamoDB refuses an item of a transaction");
        return Err(StoreError::Unwritable);
    }
    Ok(if codes().next().is_some() && codes().all(passing) { Commit::Contended } else { Commit::ConditionFailed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(codes: &[&str]) -> Result<Commit, StoreError> {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        outcome_of_reasons(&codes.iter().map(reason).collect::<Vec<_>>())
    }

    #[test]
    fn a_batch_that_gets_nothing_waits_ever_longer_and_not_for_ever() {
        let mut fruitless = Fruitless::default();
        let mut longest_ms = BATCH_PAUSE_MS;
        for _ in 0..10 {
            let pause = fruitless.another().expect("it has only begun");
            let drawn = Duration::from_millis(longest_ms / 2)..=Duration::from_millis(longest_ms);
            assert!(drawn.contains(&pause), "{pause:?} of {drawn:?}");
            longest_ms = (longest_ms * 2).min(BATCH_LONGEST_PAUSE_MS);
        }
        fruitless.since = Instant::now().checked_sub(BATCH_PATIENCE);
        assert_eq!(fruitless.another(), None);
    }

    #[test]
    fn only_conflicts_are_worth_another_try_and_a_mix_is_not() {
        assert_eq!(outcome(&["None", "TransactionConflict"]), Ok(Commit::Contended));
        assert_eq!(outcome(&["ThrottlingError", "TransactionConflict"]), Ok(Commit::Contended));
        assert_eq!(outcome(&["ConditionalCheckFailed", "TransactionConflict"]), Ok(Commit::ConditionFailed));
        assert_eq!(outcome(&["ConditionalCheckFailed", "None"]), Ok(Commit::ConditionFailed));
        assert_eq!(outcome(&[]), Ok(Commit::ConditionFailed));
    }

    #[test]
    fn what_is_refused_for_good_is_no_lost_condition() {
        for reasons in [["None", "ValidationError"], ["ConditionalCheckFailed", "ValidationError"]] {
            assert_eq!(outcome(&reasons), Err(StoreError::Unwritable), "{reasons:?}");
        }
    }
}
