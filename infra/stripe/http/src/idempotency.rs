//! Idempotency keys: the first answer under a key is the only one.
//!
//! Invariant: an answer is stored in the transaction of its change, so a key never reports a change that doesn't exist,
//! and no change lacks its answer.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::{ApiError, Effect};

/// Stripe keeps answers for at least 24 hours. Here it is exactly that, so that a test can reach the end.
const REMEMBERED_SECONDS: i64 = 24 * 60 * 60;

const LONGEST_KEY: usize = 255;

pub(crate) fn check(key: &str) -> Result<(), ApiError> {
    if key.len() <= LONGEST_KEY {
        return Ok(());
    }
    let message = format!("Idempotency keys may be at most {LONGEST_KEY} characters.");
    Err(ApiError::new(400, "idempotency_error", Effect::NotExecuted, message))
}

/// A stored answer.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    pub status: u16,
    pub body: String,
    pub request: String,
}

/// The stored answer, if there is one. Different parameters under the same key are refused.
pub(crate) fn recall(
    db: &Connection,
    account: &str,
    key: &str,
    fingerprint: &str,
    now: i64,
) -> Result<Option<Remembered>, ApiError> {
    db.prepare_cached("DELETE FROM idempotency WHERE account = ?1 AND key = ?2 AND created <= ?3")?
        .execute(params![account, key, now - REMEMBERED_SECONDS])?;
    let found = db
        .prepare_cached(
            "SELECT fingerprint, status, body, request FROM idempotency
             WHERE account = ?1 AND key = ?2",
        )?
        .query_row(params![account, key], |row| {
            let remembered = Remembered { status: row.get(1)?, body: row.get(2)?, request: row.get(3)? };
            Ok((row.get::<_, String>(0)?, remembered))
        })
        .optional()?;
    match found {
        Some((known, _)) if known != fingerprint => {
            let message = format!(
                "Keys for idempotent requests can only be used with the same parameters they were \
                 first used with. Try using a key other than '{key}' if you meant to execute a \
                 different request."
            );
            Err(ApiError::new(400, "idempotency_error", Effect::NotExecuted, message))
        }
        found => Ok(found.map(|(_, remembered)| remembered)),
    }
}

pub(crate) fn remember(
    db: &Connection,
    account: &str,
    key: &str,
    fingerprint: &str,
    answer: &Remembered,
    now: i64,
) -> Result<(), ApiError> {
    let Remembered { status, body, request } = answer;
    db.prepare_cached("INSERT INTO idempotency VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(params![
        account,
        key,
        fingerprint,
        status,
        body,
        request,
        now
    ])?;
    Ok(())
}

/// The keys of calls in progress. In memory, because a killed process has none.
#[derive(Default)]
pub(crate) struct InFlight(Mutex<HashSet<(String, String)>>);

impl InFlight {
    /// `None` while another call with the key is in progress. Dropping the claim frees the key.
    pub fn claim(&self, account: &str, key: &str) -> Option<Claim<'_>> {
        let name = (account.to_owned(), key.to_owned());
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Created lazily: dropping an unused claim would free the key of the call in progress.
        keys.insert(name.clone()).then(|| Claim { in_flight: self, name })
    }
}

pub(crate) struct Claim<'a> {
    in_flight: &'a InFlight,
    name: (String, String),
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut keys = self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.name);
    }
}

pub(crate) fn in_use(key: &str) -> ApiError {
    let message = format!(
        "There is currently another in-progress request using this Idempotent Key (that probably \
         means you submitted twice, and the other request is still going through): {key}"
    );
    ApiError::new(409, "idempotency_error", Effect::NotExecuted, message).code("idempotency_key_in_use")
}
