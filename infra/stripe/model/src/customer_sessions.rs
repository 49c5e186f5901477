//! Customer sessions, with which a page acts for one customer.
//!
//! A component that wasn't requested is answered as disabled.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::customers;
use crate::error::ApiError;
use crate::fields::overlay;
use crate::state::Object;

const LIFETIME_SECONDS: i64 = 30 * 60;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CustomerSession {
    /// It has no id at Stripe; the secret identifies it.
    #[serde(rename = "client_secret")]
    pub id: String,
    pub components: Value,
    pub created: i64,
    pub customer: String,
    pub expires_at: i64,
}

impl Object for CustomerSession {
    const KIND: &'static str = "customer_session";

    fn constants() -> Value {
        json!({ "customer_account": null })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    pub customer: String,
    pub components: Value,
}

/// The components as they are if nothing is said of them, but with the features of an enabled one.
fn defaults() -> Value {
    json!({
        "active_entitlements": { "enabled": false },
        "buy_button": { "enabled": false },
        "customer_portal": { "enabled": false },
        "customer_sheet": { "enabled": false, "features": {
            "payment_method_allow_redisplay_filters": ["always"],
            "payment_method_remove": "disabled",
        } },
        "mobile_payment_element": { "enabled": false, "features": {
            "payment_method_allow_redisplay_filters": ["always"],
            "payment_method_redisplay": "disabled",
            "payment_method_remove": "disabled",
            "payment_method_save": "disabled",
            "payment_method_save_allow_redisplay_override": null,
        } },
        "payment_element": { "enabled": false, "features": {
            "payment_method_allow_redisplay_filters": ["always"],
            "payment_method_redisplay": "disabled",
            "payment_method_redisplay_limit": 3,
            "payment_method_remove": "disabled",
            "payment_method_save": "disabled",
            "payment_method_save_usage": null,
        } },
        "pricing_table": { "enabled": false },
    })
}

/// All components, of which these were requested.
fn complete(requested: Value) -> Result<Value, ApiError> {
    let mut components = defaults();
    overlay(&mut components, requested);
    let mut is_any = false;
    for component in components.as_object_mut().into_iter().flatten().map(|(_, component)| component) {
        is_any |= component["enabled"] == true;
        if component["enabled"] == false && component.get("features").is_some() {
            component["features"] = Value::Null;
        }
    }
    if !is_any {
        return Err(ApiError::invalid("You must enable at least one component.").param("components"));
    }
    let limit = components["payment_element"]["features"]["payment_method_redisplay_limit"].as_i64();
    if limit.is_some_and(|limit| !(1..=10).contains(&limit)) {
        let param = "components[payment_element][features][payment_method_redisplay_limit]";
        return Err(ApiError::invalid("This value must be between 1 and 10.")
            .code("parameter_invalid_integer")
            .param(param));
    }
    Ok(components)
}

pub fn create(call: &mut Call, given: Create) -> Result<CustomerSession, ApiError> {
    let components = complete(given.components)?;
    let customer = customers::named(call, &given.customer)?;
    let session = CustomerSession {
        id: call.new_secret("cuss_secret"),
        components,
        created: call.now,
        customer: customer.id,
        expires_at: call.now + LIFETIME_SECONDS,
    };
    call.save(&session);
    Ok(session)
}
