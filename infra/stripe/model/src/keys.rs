//! Idempotency keys: the first answer under a key is the only one.
//!
//! The host stores an answer together with the change that it reports, so a key never reports a change that doesn't
//! exist, and no change lacks its answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{ApiError, Effect};

/// Stripe keeps answers for at least 24 hours. Here it is exactly that, so that a test can reach the end.
const REMEMBERED_SECONDS: i64 = 24 * 60 * 60;

const LONGEST_KEY: usize = 255;

pub fn check(key: &str) -> Result<(), ApiError> {
    if key.len() <= LONGEST_KEY {
        return Ok(());
    }
    Err(refused(400, format!("Idempotency keys may be at most {LONGEST_KEY} characters.")))
}

/// The stored answers `A`, by account and key, each with what tells its request `R` from others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Keys<R, A>(BTreeMap<String, BTreeMap<String, Remembered<R, A>>>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remembered<R, A> {
    request: R,
    answer: A,
    created: i64,
}

impl<R, A> Default for Keys<R, A> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<R: PartialEq, A: Clone> Keys<R, A> {
    /// The stored answer, if there is one. Another request under the same key is refused.
    pub fn recall(&self, account: &str, key: &str, request: &R, now: i64) -> Result<Option<A>, ApiError> {
        let found = self.0.get(account).and_then(|keys| keys.get(key));
        match found.filter(|known| known.created > now - REMEMBERED_SECONDS) {
            Some(known) if known.request != *request => Err(refused(
                400,
                format!(
                    "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                     Try using a key other than '{key}' if you meant to execute a different request."
                ),
            )),
            found => Ok(found.map(|known| known.answer.clone())),
        }
    }

    pub fn remember(&mut self, account: &str, key: &str, request: R, answer: A, now: i64) {
        let remembered = Remembered { request, answer, created: now };
        self.0.entry(account.to_owned()).or_default().insert(key.to_owned(), remembered);
    }
}

/// Another call with the key is in progress.
pub fn in_use(key: &str) -> ApiError {
    refused(
        409,
        format!(
            "There is currently another in-progress request using this Idempotent Key (that probably means you \
             submitted twice, and the other request is still going through): {key}"
        ),
    )
    .code("idempotency_key_in_use")
}

fn refused(status: u16, message: String) -> ApiError {
    ApiError::new(status, "idempotency_error", Effect::NotExecuted, message)
}
