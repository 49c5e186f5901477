//! Customer sessions, with which a page acts for one customer.
//!
//! A component that wasn't requested is answered as disabled.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::error::ApiError;
use crate::ids;
use crate::objects::customers;
use crate::store::Object;

const LIFETIME_SECONDS: i64 = 30 * 60;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct CustomerSession {
    client_secret: String,
    components: Value,
    created: i64,
    customer: String,
    expires_at: i64,
}

impl Object for CustomerSession {
    const KIND: &'static str = "customer_session";

    /// It has no id at Stripe; the secret identifies it.
    fn id(&self) -> &str {
        &self.client_secret
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn constants() -> Value {
        json!({ "customer_account": null })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    customer: String,
    components: Components,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Components {
    active_entitlements: Option<Plain>,
    buy_button: Option<Plain>,
    customer_portal: Option<Plain>,
    customer_sheet: Option<CustomerSheet>,
    mobile_payment_element: Option<MobilePaymentElement>,
    payment_element: Option<PaymentElement>,
    pricing_table: Option<Plain>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    enabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerSheet {
    enabled: bool,
    features: Option<CustomerSheetFeatures>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerSheetFeatures {
    payment_method_allow_redisplay_filters: Option<Vec<Redisplay>>,
    payment_method_remove: Option<Feature>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MobilePaymentElement {
    enabled: bool,
    features: Option<MobileFeatures>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MobileFeatures {
    payment_method_allow_redisplay_filters: Option<Vec<Redisplay>>,
    payment_method_redisplay: Option<Feature>,
    payment_method_remove: Option<Feature>,
    payment_method_save: Option<Feature>,
    payment_method_save_allow_redisplay_override: Option<Redisplay>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentElement {
    enabled: bool,
    features: Option<PaymentFeatures>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentFeatures {
    payment_method_allow_redisplay_filters: Option<Vec<Redisplay>>,
    payment_method_redisplay: Option<Feature>,
    payment_method_redisplay_limit: Option<i64>,
    payment_method_remove: Option<Feature>,
    payment_method_save: Option<Feature>,
    payment_method_save_usage: Option<Usage>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Feature {
    Disabled,
    Enabled,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Redisplay {
    Always,
    Limited,
    Unspecified,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Usage {
    OffSession,
    OnSession,
}

impl Components {
    fn nothing_enabled(&self) -> bool {
        let plain = |component: &Option<Plain>| component.as_ref().is_some_and(|c| c.enabled);
        let enabled = plain(&self.active_entitlements)
            || plain(&self.buy_button)
            || plain(&self.customer_portal)
            || plain(&self.pricing_table)
            || self.customer_sheet.as_ref().is_some_and(|c| c.enabled)
            || self.mobile_payment_element.as_ref().is_some_and(|c| c.enabled)
            || self.payment_element.as_ref().is_some_and(|c| c.enabled);
        !enabled
    }

    fn check(&self) -> Result<(), ApiError> {
        if self.nothing_enabled() {
            let message = "You must enable at least one component.";
            return Err(ApiError::invalid(message).param("components"));
        }
        let features = self.payment_element.as_ref().and_then(|c| c.features.as_ref());
        if let Some(limit) = features.and_then(|f| f.payment_method_redisplay_limit)
            && !(1..=10).contains(&limit)
        {
            let param = "components[payment_element][features][payment_method_redisplay_limit]";
            return Err(ApiError::invalid("This value must be between 1 and 10.")
                .code("parameter_invalid_integer")
                .param(param));
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let plain = |component: &Option<Plain>| json!({ "enabled": component.as_ref().is_some_and(|c| c.enabled) });
        json!({
            "active_entitlements": plain(&self.active_entitlements),
            "buy_button": plain(&self.buy_button),
            "customer_portal": plain(&self.customer_portal),
            "customer_sheet": sheet(self.customer_sheet.as_ref()),
            "mobile_payment_element": mobile(self.mobile_payment_element.as_ref()),
            "payment_element": element(self.payment_element.as_ref()),
            "pricing_table": plain(&self.pricing_table),
        })
    }
}

fn disabled() -> Value {
    json!({ "enabled": false, "features": null })
}

fn sheet(given: Option<&CustomerSheet>) -> Value {
    let Some(given) = given.filter(|given| given.enabled) else { return disabled() };
    let none = CustomerSheetFeatures::default();
    let features = given.features.as_ref().unwrap_or(&none);
    json!({
        "enabled": true,
        "features": {
            "payment_method_allow_redisplay_filters": filters(
                features.payment_method_allow_redisplay_filters.as_deref(),
            ),
            "payment_method_remove": off_unless(features.payment_method_remove),
        },
    })
}

fn mobile(given: Option<&MobilePaymentElement>) -> Value {
    let Some(given) = given.filter(|given| given.enabled) else { return disabled() };
    let none = MobileFeatures::default();
    let features = given.features.as_ref().unwrap_or(&none);
    json!({
        "enabled": true,
        "features": {
            "payment_method_allow_redisplay_filters": filters(
                features.payment_method_allow_redisplay_filters.as_deref(),
            ),
            "payment_method_redisplay": off_unless(features.payment_method_redisplay),
            "payment_method_remove": off_unless(features.payment_method_remove),
            "payment_method_save": off_unless(features.payment_method_save),
            "payment_method_save_allow_redisplay_override":
                features.payment_method_save_allow_redisplay_override,
        },
    })
}

fn element(given: Option<&PaymentElement>) -> Value {
    let Some(given) = given.filter(|given| given.enabled) else { return disabled() };
    let none = PaymentFeatures::default();
    let features = given.features.as_ref().unwrap_or(&none);
    json!({
        "enabled": true,
        "features": {
            "payment_method_allow_redisplay_filters": filters(
                features.payment_method_allow_redisplay_filters.as_deref(),
            ),
            "payment_method_redisplay": off_unless(features.payment_method_redisplay),
            "payment_method_redisplay_limit": features.payment_method_redisplay_limit.unwrap_or(3),
            "payment_method_remove": off_unless(features.payment_method_remove),
            "payment_method_save": off_unless(features.payment_method_save),
            "payment_method_save_usage": features.payment_method_save_usage,
        },
    })
}

fn filters(given: Option<&[Redisplay]>) -> Value {
    json!(given.unwrap_or(&[Redisplay::Always]))
}

fn off_unless(feature: Option<Feature>) -> Value {
    json!(feature.unwrap_or(Feature::Disabled))
}

pub(crate) fn create(call: &Call) -> Answer {
    let given: Create = call.form.typed()?;
    given.components.check()?;
    let customer = customers::named(call, &given.customer)?;
    let session = CustomerSession {
        client_secret: ids::secret("cuss_secret"),
        components: given.components.json(),
        created: call.now,
        customer: customer.id,
        expires_at: call.now + LIFETIME_SECONDS,
    };
    call.save(&session)?;
    Ok(session.json())
}
