//! Secrets Manager: where Stripe's key, and what Stripe signs its events with, are kept.
//!
//! Invariant: a secret is in memory only. It is read while a function initialises, and again only when it has turned
//! out to be wrong: it was replaced.

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;

use crate::stripe::Secret;

/// A secret that can't be read. Why is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret can't be read")]
pub struct SecretUnavailable;

/// A secret, where it is kept.
#[derive(Debug, Clone)]
pub struct KeptSecret {
    client: Client,
    arn: Arc<str>,
}

impl KeptSecret {
    /// The secret of this name in Amazon's form.
    #[must_use]
    pub fn new(client: Client, arn: &str) -> Self {
        Self { client, arn: arn.into() }
    }

    /// Its text as it is now.
    ///
    /// # Errors
    /// [`SecretUnavailable`] if Secrets Manager doesn't give it, or it is empty or no text.
    pub async fn read(&self) -> Result<Secret, SecretUnavailable> {
        let answer = self.client.get_secret_value().secret_id(&*self.arn).send().await.map_err(|error| {
            tracing::error!(arn = &*self.arn, code = error.code(), "a secret can't be read");
            SecretUnavailable
        })?;
        let text = answer.secret_string.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        text.map(Secret::new).ok_or_else(|| {
            tracing::error!(arn = &*self.arn, "a secret is empty");
            SecretUnavailable
        })
    }
}
