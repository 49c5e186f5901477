//! The secrets with which Stripe signs its events: one, or two during a rotation.
//!
//! Invariant: an event that no secret has signed is refused.

use std::sync::{Mutex, PoisonError};

use super::secret::Secret;
use super::signature::BadSignature;
use crate::secrets::{KeptSecret, SecretUnavailable};

/// The signing secrets, and where they are kept.
#[derive(Debug)]
pub struct SigningSecrets {
    kept: Option<KeptSecret>,
    known: Mutex<Vec<Secret>>,
}

impl SigningSecrets {
    /// Reads the secrets; without a place where they are kept there are none.
    ///
    /// # Errors
    /// [`SecretUnavailable`] if they can't be read.
    pub async fn read(kept: Option<KeptSecret>) -> Result<Self, SecretUnavailable> {
        let secrets = match &kept {
            Some(kept) => listed(&kept.read().await?),
            None => Vec::new(),
        };
        Ok(Self { kept, known: Mutex::new(secrets) })
    }

    /// No secrets, for programs that receive no events.
    #[must_use]
    pub fn none() -> Self {
        Self { kept: None, known: Mutex::default() }
    }

    /// One secret that is never replaced.
    #[must_use]
    pub fn fixed(secret: Secret) -> Self {
        Self { kept: None, known: Mutex::new(vec![secret]) }
    }

    /// Checks a signature. If no secret fits, reads the secrets again and checks once more.
    ///
    /// # Errors
    /// The error of the check.
    pub async fn check(&self, is_signed: impl Fn(&[Secret]) -> Result<(), BadSignature>) -> Result<(), BadSignature> {
        let checked = is_signed(&self.known.lock().unwrap_or_else(PoisonError::into_inner));
        let (Err(BadSignature::Wrong), Some(kept)) = (checked, &self.kept) else { return checked };
        let Some(text) = kept.read_again().await else { return checked };
        let secrets = listed(&text);
        let checked = is_signed(&secrets);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = secrets;
        checked
    }
}

/// Parses comma-separated secrets. An empty secret is dropped, because anyone could sign with it.
fn listed(text: &Secret) -> Vec<Secret> {
    text.expose().split(',').map(str::trim).filter(|secret| !secret.is_empty()).map(Secret::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_is_none() {
        assert_eq!(listed(&Secret::new("whsec_1, whsec_2")), [Secret::new("whsec_1"), Secret::new("whsec_2")]);
        assert_eq!(listed(&Secret::new(",, ")), []);
    }
}
