//! Secrets Manager, which keeps Stripe's key and the signing secrets of Stripe's events.
//!
//! A secret is kept in memory only. It is read during initialisation, and again when it turns out to be wrong, because
//! then it may have been replaced. A caller that provokes this can make us read it at most every ten seconds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;

use crate::stripe::Secret;

/// The shortest time between two readings of a secret.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// A secret that can't be read. The log says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret can't be read")]
pub struct SecretUnavailable;

/// A reference to a stored secret. A clone refers to the same secret.
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

    /// Its current text.
    ///
    /// # Errors
    /// [`SecretUnavailable`] if Secrets Manager doesn't return it, or it is empty or no text.
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

    /// Its current text, for a caller whose copy seems to be wrong. `None`: it can't be read, or was read again a
    /// moment ago.
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
