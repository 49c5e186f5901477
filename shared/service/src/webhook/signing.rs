//! What Stripe signs its events with: one secret, or two while one takes the place of the other.
//!
//! Invariant: an event that no secret fits is believed by nobody. Whoever sends such events can make us read the
//! secrets again once a minute, and no more often.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::signature::BadSignature;
use crate::secrets::{KeptSecret, SecretUnavailable};
use crate::stripe::Secret;

/// How long the secrets are not read again after they were.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The secrets, and where they are kept.
#[derive(Debug)]
pub struct SigningSecrets {
    kept: Option<KeptSecret>,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    secrets: Vec<Secret>,
    read_at: Option<Instant>,
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
        Ok(Self { kept, known: Mutex::new(Known { secrets, read_at: None }) })
    }

    /// None, for who takes no events.
    #[must_use]
    pub fn none() -> Self {
        Self { kept: None, known: Mutex::new(Known { secrets: Vec::new(), read_at: None }) }
    }

    /// One that is never replaced.
    #[must_use]
    pub fn fixed(secret: Secret) -> Self {
        Self { kept: None, known: Mutex::new(Known { secrets: vec![secret], read_at: None }) }
    }

    /// Checks a signature; when none of the secrets made it, with those that are kept now.
    ///
    /// # Errors
    /// What the check says.
    pub async fn check(&self, is_signed: impl Fn(&[Secret]) -> Result<(), BadSignature>) -> Result<(), BadSignature> {
        let (checked, kept) = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let checked = is_signed(&known.secrets);
            let is_rested = known.read_at.is_none_or(|read_at| read_at.elapsed() >= READ_AGAIN_AFTER);
            let kept = self.kept.as_ref().filter(|_| checked == Err(BadSignature::Wrong) && is_rested);
            if kept.is_some() {
                known.read_at = Some(Instant::now());
            }
            (checked, kept)
        };
        let Some(kept) = kept else { return checked };
        let Ok(text) = kept.read().await else { return checked };
        let secrets = listed(&text);
        let checked = is_signed(&secrets);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).secrets = secrets;
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
