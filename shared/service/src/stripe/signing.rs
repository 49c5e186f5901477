//! What Stripe signs its events with: one secret, or two while one takes the place of the other.
//!
//! Invariant: an event that no secret fits is believed by nobody.

use std::sync::{Mutex, PoisonError};

use super::secret::Secret;
use super::signature::BadSignature;
use crate::secrets::{KeptSecret, SecretUnavailable};

/// The secrets, and where they are kept.
#[derive(Debug)]
pub struct SigningSecrets {
    kept: Option<KeptSecret>,
    known: Mutex<Vec<Secret>>,
}

impl SigningSecrets {
    /// Reads them; nowhere kept, there are none.
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

    /// None, for who takes no events.
    #[must_use]
    pub fn none() -> Self {
        Self { kept: None, known: Mutex::default() }
    }

    /// One that is never replaced.
    #[must_use]
    pub fn fixed(secret: Secret) -> Self {
        Self { kept: None, known: Mutex::new(vec![secret]) }
    }

    /// Checks a signature; when none of the secrets made it, with those that are kept now.
    ///
    /// # Errors
    /// What the check says.
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

/// Comma separated. An empty secret would be anybody's.
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
