//! One transaction: all of its actions or none.
//!
//! Invariant: a lost reply is [`Written::Unknown`]; whoever gets it reads again and concludes nothing. A conflict
//! is tried again here, and nowhere else; a failed condition is never tried again.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, ConditionCheck, Put, TransactWriteItem, Update};

use super::item::{Item, key_attributes};
use super::key::Key;
use super::{Store, StoreError};

/// The most actions that DynamoDB takes in one transaction.
pub const MAX_ACTIONS: usize = 100;
/// How often a conflict is tried again. Rivals for one seat or family are few; more would only hide a hot item.
const CONFLICT_RETRIES: u32 = 5;
/// The first pause after a conflict is drawn from zero to this.
const CONFLICT_PAUSE_MS: u64 = 20;

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// All of it.
    Done,
    /// A condition didn't hold: somebody was faster, or something is no longer there. Nothing was written.
    Lost,
    /// Only conflicts or throttling, again and again. Nothing was written.
    Busy,
    /// The reply was lost: it may have been written, and may still be.
    Unknown,
}

/// A condition or an update on one item, with the values it names.
#[derive(Debug, Clone)]
pub struct Change {
    key: Key,
    update: Option<String>,
    condition: Option<String>,
    values: Vec<(&'static str, AttributeValue)>,
    names: Vec<(&'static str, &'static str)>,
}

impl Change {
    /// A change of the item at `key`.
    #[must_use]
    pub fn of(key: Key) -> Self {
        Self { key, update: None, condition: None, values: Vec::new(), names: Vec::new() }
    }

    /// What to write.
    #[must_use]
    pub fn update(mut self, expression: impl Into<String>) -> Self {
        self.update = Some(expression.into());
        self
    }

    /// What must hold.
    #[must_use]
    pub fn only_if(mut self, expression: impl Into<String>) -> Self {
        self.condition = Some(expression.into());
        self
    }

    /// A value that an expression names.
    #[must_use]
    pub fn value(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.values.push((name, value));
        self
    }

    /// A name for an attribute whose own is reserved.
    #[must_use]
    pub fn name(mut self, placeholder: &'static str, attribute: &'static str) -> Self {
        self.names.push((placeholder, attribute));
        self
    }
}

/// Actions that are written together.
#[derive(Debug, Default)]
pub struct Transaction {
    actions: Vec<TransactWriteItem>,
}

const COMPLETE: &str = "every required field of the action is set above";

impl Transaction {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many actions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Puts an item where there is none.
    pub fn create(&mut self, item: Item) {
        self.put_if(item, Change::of(Key { pk: String::new(), sk: String::new() }).only_if("attribute_not_exists(pk)"));
    }

    /// Puts an item if the condition of `guard` holds for what is there.
    pub fn put_if(&mut self, item: Item, guard: Change) {
        let mut put = Put::builder().table_name("").set_item(Some(item.into_attributes()));
        put = put.set_condition_expression(guard.condition);
        for (name, value) in guard.values {
            put = put.expression_attribute_values(name, value);
        }
        for (placeholder, attribute) in guard.names {
            put = put.expression_attribute_names(placeholder, attribute);
        }
        self.actions.push(TransactWriteItem::builder().put(put.build().expect(COMPLETE)).build());
    }

    /// Updates an item; a change without an update only checks its condition.
    pub fn change(&mut self, change: Change) {
        let values: std::collections::HashMap<_, _> =
            change.values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let values = Some(values).filter(|values| !values.is_empty());
        let names: std::collections::HashMap<_, _> =
            change.names.into_iter().map(|(name, attribute)| (name.to_owned(), attribute.to_owned())).collect();
        let names = Some(names).filter(|names| !names.is_empty());
        let action = TransactWriteItem::builder();
        let key = Some(key_attributes(&change.key));
        self.actions.push(match change.update {
            Some(update) => {
                let update = Update::builder()
                    .table_name("")
                    .set_key(key)
                    .update_expression(update)
                    .set_condition_expression(change.condition)
                    .set_expression_attribute_values(values)
                    .set_expression_attribute_names(names);
                action.update(update.build().expect(COMPLETE)).build()
            }
            None => {
                let check = ConditionCheck::builder()
                    .table_name("")
                    .set_key(key)
                    .set_condition_expression(change.condition)
                    .set_expression_attribute_values(values)
                    .set_expression_attribute_names(names);
                action.condition_check(check.build().expect(COMPLETE)).build()
            }
        });
    }
}

impl Store {
    /// Writes a transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it was provably not sent, [`StoreError::Corrupt`] if it can't be sent at all.
    pub async fn transact(&self, transaction: Transaction) -> Result<Written, StoreError> {
        let actions = transaction.into_actions(&self.table);
        for attempt in 0..=CONFLICT_RETRIES {
            // The SDK's own retries would hide that an earlier attempt was lost and may still land.
            let once = aws_sdk_dynamodb::config::Builder::new().retry_config(RetryConfig::disabled());
            let call = self.client.transact_write_items().set_transact_items(Some(actions.clone()));
            let sent = call.customize().config_override(once).send().await;
            let error = match sent {
                Ok(_) => return Ok(Written::Done),
                Err(error) => error,
            };
            match outcome_of(&error)? {
                Written::Busy if attempt < CONFLICT_RETRIES => {
                    let longest_ms = CONFLICT_PAUSE_MS << attempt;
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=longest_ms))).await;
                }
                outcome => return Ok(outcome),
            }
        }
        Ok(Written::Busy)
    }
}

impl Transaction {
    fn into_actions(self, table: &str) -> Vec<TransactWriteItem> {
        let named = |mut action: TransactWriteItem| {
            if let Some(put) = &mut action.put {
                table.clone_into(&mut put.table_name);
            }
            if let Some(update) = &mut action.update {
                table.clone_into(&mut update.table_name);
            }
            if let Some(check) = &mut action.condition_check {
                table.clone_into(&mut check.table_name);
            }
            action
        };
        self.actions.into_iter().map(named).collect()
    }
}

fn outcome_of(error: &SdkError<TransactWriteItemsError>) -> Result<Written, StoreError> {
    let service = match error {
        SdkError::ServiceError(service) => service.err(),
        SdkError::ConstructionFailure(_) => return Err(StoreError::Corrupt("transaction")),
        SdkError::DispatchFailure(failure) if failure.is_user() => return Err(StoreError::Unavailable),
        // Timeouts, connections that broke, answers that can't be read: it may have been written.
        _ => return Ok(Written::Unknown),
    };
    match service {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            Ok(outcome_of_reasons(cancelled.cancellation_reasons()))
        }
        TransactWriteItemsError::TransactionInProgressException(_)
        | TransactWriteItemsError::InternalServerError(_) => Ok(Written::Unknown),
        TransactWriteItemsError::ProvisionedThroughputExceededException(_) => Ok(Written::Busy),
        other => match other.meta().code() {
            Some("ThrottlingException" | "RequestLimitExceeded") => Ok(Written::Busy),
            Some("ResourceNotFoundException" | "AccessDeniedException" | "UnrecognizedClientException") => {
                Err(StoreError::Unavailable)
            }
            Some("ValidationException" | "IdempotentParameterMismatchException") => {
                tracing::error!(reason = other.meta().message(), "DynamoDB refuses a transaction as malformed");
                Err(StoreError::Corrupt("transaction"))
            }
            _ => Ok(Written::Unknown),
        },
    }
}

/// Reads the reasons by position: a failed condition decides; only conflicts and throttling are worth another try.
fn outcome_of_reasons(reasons: &[CancellationReason]) -> Written {
    let codes = || reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None");
    let passing =
        |code: &str| matches!(code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded");
    if codes().next().is_some() && codes().all(passing) { Written::Busy } else { Written::Lost }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(codes: &[&str]) -> Written {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        outcome_of_reasons(&codes.iter().map(reason).collect::<Vec<_>>())
    }

    #[test]
    fn only_conflicts_are_worth_another_try_and_a_mix_is_not() {
        assert_eq!(outcome(&["None", "TransactionConflict"]), Written::Busy);
        assert_eq!(outcome(&["ThrottlingError", "TransactionConflict"]), Written::Busy);
        assert_eq!(outcome(&["ConditionalCheckFailed", "TransactionConflict"]), Written::Lost);
        assert_eq!(outcome(&["ConditionalCheckFailed", "None"]), Written::Lost);
        assert_eq!(outcome(&[]), Written::Lost);
    }
}
