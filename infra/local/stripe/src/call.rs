//! One call to the API, authenticated, with what a handler needs to answer it.
//!
//! Invariant: a handler reads and writes only through `db`, which is inside the transaction of the
//! call, and only in `account`.

use rusqlite::Connection;
use serde_json::Value;

use crate::error::ApiError;
use crate::form::Form;
use crate::store::{self, Object};

/// The version that is assumed when a call names none, and the one async-stripe is pinned to.
pub(crate) const STRIPE_VERSION: &str = "2026-09-30.endive";

/// What the platform's own objects are filed under: a call without `Stripe-Account`.
pub(crate) const PLATFORM: &str = "acct_platform";

pub(crate) struct Call<'a> {
    pub db: &'a Connection,
    pub account: &'a str,
    /// Unix seconds.
    pub now: i64,
    pub form: &'a Form,
    /// The `Stripe-Version` header, where there was one.
    pub version: Option<&'a str>,
    pub origin: Origin<'a>,
}

/// The request that a change comes from. What happens around Stripe has none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Origin<'a> {
    pub request: Option<&'a str>,
    pub key: Option<&'a str>,
}

pub(crate) type Answer = Result<Value, ApiError>;

impl Call<'_> {
    pub fn load<T: Object>(&self, id: &str) -> Result<Option<T>, ApiError> {
        store::load(self.db, self.account, id)
    }

    pub fn save<T: Object>(&self, object: &T) -> Result<(), ApiError> {
        store::save(self.db, self.account, object)
    }

    /// Whether the call speaks a version of this date (`2026-09-30`) or a later one.
    pub fn since(&self, date: &str) -> bool {
        self.version.unwrap_or(STRIPE_VERSION) >= date
    }
}
