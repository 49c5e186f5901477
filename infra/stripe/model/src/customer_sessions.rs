//! Customer sessions, with which a page acts for one customer.
//!
//! A component that wasn't requested is answered as disabled.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::customers;
use crate::error::ApiError;
use crate::state::Object;

const LIFETIME_SECONDS: i64 = 30 * 60;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CustomerSession {
    /// It has no id at Stripe; the secret identifies it.
    #[serde(rename = "client_secret")]
    pub id: String,
    pub components: Components,
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
    pub components: Components,
}

/// The components, as they are given and as they are answered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Components {
    pub active_entitlements: Plain,
    pub buy_button: Plain,
    pub customer_portal: Plain,
    pub customer_sheet: Component<SheetFeatures>,
    pub mobile_payment_element: Component<MobileFeatures>,
    pub payment_element: Component<PaymentFeatures>,
    pub pricing_table: Plain,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plain {
    pub enabled: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component<F> {
    pub enabled: bool,
    pub features: Option<F>,
}

impl<F: Default> Component<F> {
    /// The features of an enabled component that weren't given have their defaults; a disabled one has none.
    fn complete(&mut self) {
        self.features = self.enabled.then(|| self.features.take().unwrap_or_default());
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Filters(Vec<Redisplay>);

impl Default for Filters {
    fn default() -> Self {
        Self(vec![Redisplay::Always])
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SheetFeatures {
    payment_method_allow_redisplay_filters: Filters,
    payment_method_remove: Feature,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MobileFeatures {
    payment_method_allow_redisplay_filters: Filters,
    payment_method_redisplay: Feature,
    payment_method_remove: Feature,
    payment_method_save: Feature,
    payment_method_save_allow_redisplay_override: Option<Redisplay>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentFeatures {
    payment_method_allow_redisplay_filters: Filters,
    payment_method_redisplay: Feature,
    payment_method_redisplay_limit: Limit,
    payment_method_remove: Feature,
    payment_method_save: Feature,
    payment_method_save_usage: Option<Usage>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
struct Limit(i64);

impl Default for Limit {
    fn default() -> Self {
        Self(3)
    }
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Feature {
    #[default]
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
    fn check(&self) -> Result<(), ApiError> {
        let enabled = [
            self.active_entitlements.enabled,
            self.buy_button.enabled,
            self.customer_portal.enabled,
            self.customer_sheet.enabled,
            self.mobile_payment_element.enabled,
            self.payment_element.enabled,
            self.pricing_table.enabled,
        ];
        if !enabled.contains(&true) {
            return Err(ApiError::invalid("You must enable at least one component.").param("components"));
        }
        let features = self.payment_element.features.as_ref();
        if features.is_some_and(|features| !(1..=10).contains(&features.payment_method_redisplay_limit.0)) {
            let param = "components[payment_element][features][payment_method_redisplay_limit]";
            return Err(ApiError::invalid("This value must be between 1 and 10.")
                .code("parameter_invalid_integer")
                .param(param));
        }
        Ok(())
    }

    fn complete(&mut self) {
        self.customer_sheet.complete();
        self.mobile_payment_element.complete();
        self.payment_element.complete();
    }
}

pub fn create(call: &mut Call, given: Create) -> Result<CustomerSession, ApiError> {
    let Create { customer, mut components } = given;
    components.check()?;
    components.complete();
    let customer = customers::named(call, &customer)?;
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
