//! Ephemeral keys, with which a phone acts for one customer.
//!
//! Invariant: the secret is returned once, at creation. A key is made for the API version of the phone, so a call
//! without `Stripe-Version` is refused. `auth` decides what a key may access.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::error::ApiError;
use crate::ids;
use crate::objects::customers;
use crate::store::{self, Object};

/// The prefix of a key's secret.
pub(crate) const SECRET: &str = "ek_test_";

const LIFETIME_SECONDS: i64 = 60 * 60;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EphemeralKey {
    id: String,
    associated_objects: Value,
    created: i64,
    expires: i64,
    /// Not part of Stripe's object after creation. A key stored before this field existed has none, and grants no
    /// access.
    #[serde(default)]
    secret: Option<String>,
}

impl Object for EphemeralKey {
    const KIND: &'static str = "ephemeral_key";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn constants() -> Value {
        json!({})
    }

    const OURS: &'static [&'static str] = &["secret"];
}

impl EphemeralKey {
    /// The key with this secret, and its account.
    pub fn of_secret(db: &Connection, secret: &str) -> Result<Option<(String, Self)>, ApiError> {
        let keys = store::everywhere::<Self>(db)?;
        Ok(keys.into_iter().find(|(_, key)| key.secret.as_deref() == Some(secret)))
    }

    pub fn expired(&self, now: i64) -> bool {
        now >= self.expires
    }

    /// The customer that the key may access.
    pub fn customer(&self) -> &str {
        self.associated_objects[0]["id"].as_str().unwrap_or_default()
    }
}

pub(crate) fn create(call: &Call) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Create {
        customer: String,
    }
    let given: Create = call.form.typed()?;
    if call.version.is_none() {
        return Err(ApiError::invalid(
            "Please specify a Stripe-Version header when creating an ephemeral key: it has to be \
             the API version of the mobile SDK that will use it.",
        ));
    }
    let customer = customers::named(call, &given.customer)?;
    let secret = ids::secret("ek_test");
    let key = EphemeralKey {
        id: ids::object("ephkey"),
        associated_objects: json!([{ "id": customer.id, "type": "customer" }]),
        created: call.now,
        expires: call.now + LIFETIME_SECONDS,
        secret: Some(secret.clone()),
    };
    call.save(&key)?;
    let mut answer = key.json();
    answer["secret"] = secret.into();
    Ok(answer)
}

pub(crate) fn delete(call: &Call, id: &str) -> Answer {
    let key: Option<EphemeralKey> = call.load(id)?;
    let key = key.ok_or_else(|| ApiError::no_such("ephemeral key", id, "id"))?;
    store::remove::<EphemeralKey>(call.db, call.account, id)?;
    Ok(key.json())
}
