//! Ephemeral keys, with which a phone acts for one customer.
//!
//! Invariant: the secret is returned once, at creation.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::customers;
use crate::error::ApiError;
use crate::state::{Object, State};

/// The prefix of a key's secret.
pub const SECRET: &str = "ek_test_";

const LIFETIME_SECONDS: i64 = 60 * 60;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EphemeralKey {
    pub id: String,
    pub created: i64,
    /// The only customer that the key may access.
    pub customer: String,
    pub deleted: bool,
    pub expires: i64,
    /// Not part of Stripe's object after creation.
    pub secret: String,
}

impl Object for EphemeralKey {
    const KIND: &'static str = "ephemeral_key";
    const OURS: &'static [&'static str] = &["customer", "deleted", "secret"];

    fn json(&self) -> Value {
        let mut whole = self.whole();
        whole["associated_objects"] = json!([{ "id": self.customer, "type": "customer" }]);
        whole
    }
}

impl EphemeralKey {
    /// The key with this secret, and its account.
    pub fn of_secret<'s>(state: &'s State, secret: &str) -> Option<(&'s str, &'s Self)> {
        state.everywhere::<Self>().into_iter().find(|(_, key)| key.secret == secret && !key.deleted)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    pub customer: String,
}

/// Of the answer only the secret is missing in the object's JSON.
pub fn create(call: &mut Call, given: &Create) -> Result<EphemeralKey, ApiError> {
    let customer = customers::named(call, &given.customer)?;
    let key = EphemeralKey {
        id: call.new_id("ephkey"),
        created: call.now,
        customer: customer.id,
        deleted: false,
        expires: call.now + LIFETIME_SECONDS,
        secret: call.new_secret("ek_test"),
    };
    call.save(&key);
    Ok(key)
}

pub fn delete(call: &mut Call, id: &str) -> Result<EphemeralKey, ApiError> {
    let key = call.load(id).filter(|key: &EphemeralKey| !key.deleted);
    let mut key = key.ok_or_else(|| ApiError::no_such("ephemeral key", id, "id"))?;
    key.deleted = true;
    call.save(&key);
    Ok(key)
}
