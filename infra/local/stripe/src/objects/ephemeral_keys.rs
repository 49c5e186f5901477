//! Ephemeral keys: what a phone gets to act for one customer.
//!
//! Invariant: the secret is told once, at creation; and a key is made for the version that the
//! phone speaks, so a call without `Stripe-Version` is refused. What a key opens is `auth`'s.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::error::ApiError;
use crate::ids;
use crate::objects::customers;
use crate::store::{self, Object};

/// How the secret of a key begins.
pub(crate) const SECRET: &str = "ek_test_";

const LIFETIME_SECONDS: i64 = 60 * 60;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EphemeralKey {
    id: String,
    associated_objects: Value,
    created: i64,
    expires: i64,
    /// Not part of Stripe's object after its creation. A key from before it was kept has none, and opens nothing.
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

    /// The customer that it opens.
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
