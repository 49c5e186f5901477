//! An authenticated API call, with what a handler needs to answer it.
//!
//! A handler reads and writes only through `db`, which is inside the call's transaction, and only in `account`.

use rusqlite::Connection;
use serde_json::Value;

use crate::error::ApiError;
use crate::form::Form;
use crate::store::{self, Object};

/// The version of a call that names none; async-stripe is pinned to it.
pub(crate) const STRIPE_VERSION: &str = "2026-09-30.endive";

/// The account of the platform's own objects: a call without `Stripe-Account`.
pub(crate) const PLATFORM: &str = "acct_platform";

pub(crate) struct Call<'a> {
    pub db: &'a Connection,
    pub account: &'a str,
    /// Unix seconds.
    pub now: i64,
    pub form: &'a Form,
    /// The `Stripe-Version` header, if there is one.
    pub version: Option<&'a str>,
    pub origin: Origin<'a>,
}

/// The request that causes a change. Changes from outside the API have none.
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

    /// Whether the call uses a version of this date (`2026-09-30`) or later.
    pub fn since(&self, date: &str) -> bool {
        self.version.unwrap_or(STRIPE_VERSION) >= date
    }
}
