//! Secrets Manager: where Stripe's key, and what Stripe signs its events with, are kept.
//!
//! Invariant: a secret is in memory only. It is read while a function initialises, and again when it has turned out to
//! be wrong, for then it was replaced; whoever makes us think so can make us read it every ten seconds, and no more often.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;

use crate::stripe::Secret;

/// How long a secret is not read again after it was.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// A secret that can't be read. Why is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret can't be read")]
pub struct SecretUnavailable;

/// A secret, where it is kept. A clone is the same.
#[derive(Debug, Clone)]
pub struct KeptSecret {
    client: Client,
    arn: Arc<str>,
    read_again_at: Arc<Mutex<Option<Instant>>>,
}

impl KeptSecret {
    /// The secret of this name in Amazon's form.
    #[must_use]
    pub fn new(client: Client, arn: &str) -> Self {
        Self { client, arn: arn.into(), read_again_at: Arc::default() }
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

    /// Its text as it is now, for somebody to whom the one he has seems to be wrong. `None`: it can't be read, or was
    /// read again a moment ago.
    pub async fn read_again(&self) -> Option<Secret> {
        {
            let mut read_again_at = self.read_again_at.lock().unwrap_or_else(PoisonError::into_inner);
            if read_again_at.is_some_and(|at| at.elapsed() < READ_AGAIN_AFTER) {
                return None;
            }
            *read_again_at = Some(Instant::now());
        }
        self.read().await.ok()
    }
}
