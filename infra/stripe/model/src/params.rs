//! The parameters of the calls that set an intent's terms: one type, and which of them each call accepts.
//!
//! No call changes the terms after the payer has authorised.

use classpay_domain::order::IntentStatus;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::ApiError;
use crate::fields::{self, Metadata, Shipping};
use crate::intents::{CaptureMethod, ConfirmationMethod, PaymentIntent, TransferData, is_open};
use crate::methods::{self, AutomaticMethods};
use crate::{confirm, customers, money, payment_methods};

/// The version of Stripe's API that removed `payment_method_types`.
const WITHOUT_METHOD_TYPES: &str = "2026-09-30";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub allowed_payment_method_types: Option<Vec<String>>,
    pub amount: Option<i64>,
    pub application_fee_amount: Option<i64>,
    pub automatic_payment_methods: Option<AutomaticMethods>,
    pub capture_method: Option<CaptureMethod>,
    pub confirm: Option<bool>,
    pub confirmation_method: Option<ConfirmationMethod>,
    pub currency: Option<String>,
    pub customer: Option<String>,
    pub description: Option<String>,
    pub error_on_requires_action: Option<bool>,
    pub excluded_payment_method_types: Option<Vec<String>>,
    pub metadata: Option<Metadata>,
    /// A boolean, or why the payer is away.
    pub off_session: Option<Value>,
    pub on_behalf_of: Option<String>,
    pub payment_method: Option<String>,
    pub payment_method_options: Option<Value>,
    pub payment_method_types: Option<Vec<String>>,
    pub receipt_email: Option<String>,
    pub return_url: Option<String>,
    pub setup_future_usage: Option<String>,
    pub shipping: Option<Shipping>,
    pub statement_descriptor: Option<String>,
    pub statement_descriptor_suffix: Option<String>,
    pub transfer_data: Option<TransferData>,
    pub transfer_group: Option<String>,
    pub use_stripe_sdk: Option<bool>,
}

impl Terms {
    /// Whether this version of the API has all of the parameters.
    pub fn check_version(&self, version: &str) -> Result<(), ApiError> {
        if self.payment_method_types.is_some() && version >= WITHOUT_METHOD_TYPES {
            let message = "The `payment_method_types` parameter is no longer supported on this \
                           API version. Use dynamic payment methods, or \
                           `allowed_payment_method_types` to limit them.";
            return Err(ApiError::invalid(message)
                .code("payment_method_types_no_longer_supported")
                .param("payment_method_types"));
        }
        Ok(())
    }

    pub(crate) fn check(&self) -> Result<(), ApiError> {
        if let Some(email) = self.receipt_email.as_deref().filter(|email| !email.is_empty()) {
            customers::check_email(email, "receipt_email")?;
        }
        Ok(())
    }

    /// Whether they say which payment methods may be used.
    fn picks_methods(&self) -> bool {
        self.allowed_payment_method_types.is_some()
            || self.automatic_payment_methods.is_some()
            || self.excluded_payment_method_types.is_some()
            || self.payment_method_types.is_some()
    }

    /// The first given parameter that may only change while nothing is authorised.
    fn binding(&self) -> Option<&'static str> {
        [
            ("amount", self.amount.is_some()),
            ("currency", self.currency.is_some()),
            ("customer", self.customer.is_some()),
            ("payment_method", self.payment_method.is_some()),
            ("payment_method_options", self.payment_method_options.is_some()),
            ("capture_method", self.capture_method.is_some()),
            ("setup_future_usage", self.setup_future_usage.is_some()),
            ("application_fee_amount", self.application_fee_amount.is_some()),
            ("transfer_data", self.transfer_data.is_some()),
            ("statement_descriptor", self.statement_descriptor.is_some()),
            ("statement_descriptor_suffix", self.statement_descriptor_suffix.is_some()),
            ("payment_method_types", self.picks_methods()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }

    /// Applies the terms to the intent.
    pub fn apply(self, call: &mut Call, intent: &mut PaymentIntent, new: Novelty) -> Result<(), ApiError> {
        let binding = self.binding();
        if let (Some(name), false) = (binding, is_open(intent.status)) {
            let status = intent.status.as_str();
            return Err(intent.unexpected_state(format!(
                "This PaymentIntent's {name} could not be updated because it has a status of \
                 {status}. You may only update the {name} of a PaymentIntent with one of the \
                 following statuses: requires_payment_method, requires_confirmation, \
                 requires_action."
            )));
        }
        if let Some(currency) = &self.currency {
            intent.currency = money::currency(currency)?;
        }
        intent.amount = self.amount.unwrap_or(intent.amount);
        if self.amount.is_some() || self.currency.is_some() {
            money::chargeable(intent.amount, &intent.currency)?;
        }
        if let Some(customer) = self.customer.as_deref().filter(|id| !id.is_empty()) {
            customers::named(call, customer)?;
        }
        intent.capture_method = self.capture_method.unwrap_or(intent.capture_method);
        intent.confirmation_method = self.confirmation_method.unwrap_or(intent.confirmation_method);
        if new == Novelty::New || self.picks_methods() {
            let by_hand = intent.capture_method == CaptureMethod::Manual;
            let chosen = methods::choose(&self, call.settings(), &intent.currency, by_hand)?;
            intent.allowed_payment_method_types = self.allowed_payment_method_types;
            intent.excluded_payment_method_types = self.excluded_payment_method_types;
            intent.payment_method_types = chosen.types;
            intent.automatic_payment_methods = chosen.automatic;
        }
        let options = self.payment_method_options.unwrap_or_else(|| json!({}));
        methods::merge_options(&mut intent.payment_method_options, options, &intent.payment_method_types)?;
        if let Some(fee) = self.application_fee_amount {
            application_fee(fee, intent.amount)?;
            intent.application_fee_amount = Some(fee);
        }
        fields::merge(&mut intent.metadata, self.metadata)?;
        fields::set(&mut intent.customer, self.customer);
        fields::set(&mut intent.description, self.description);
        fields::set(&mut intent.on_behalf_of, self.on_behalf_of);
        fields::set(&mut intent.receipt_email, self.receipt_email);
        fields::set(&mut intent.statement_descriptor, self.statement_descriptor);
        fields::set(&mut intent.statement_descriptor_suffix, self.statement_descriptor_suffix);
        fields::set(&mut intent.transfer_group, self.transfer_group);
        fields::set(&mut intent.setup_future_usage, self.setup_future_usage);
        intent.shipping = self.shipping.or(intent.shipping.take());
        intent.transfer_data = self.transfer_data.or(intent.transfer_data.take());
        if let Some(id) = self.payment_method.filter(|id| !id.is_empty()) {
            put_method(call, intent, &id)?;
        } else if binding.is_some() && intent.status == IntentStatus::RequiresAction {
            intent.status = IntentStatus::RequiresConfirmation;
            intent.next_action = None;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Novelty {
    New,
    Existing,
}

/// The payer's choice of method. An intent that is past that point refuses it.
pub fn put_method(call: &mut Call, intent: &mut PaymentIntent, id: &str) -> Result<(), ApiError> {
    confirm::check_status(intent)?;
    let method = payment_methods::named(call, id)?;
    confirm::check_method(call, intent, &method)?;
    intent.payment_method = Some(method.id);
    intent.status = IntentStatus::RequiresConfirmation;
    intent.next_action = None;
    Ok(())
}

pub fn application_fee(fee: i64, amount: i64) -> Result<(), ApiError> {
    let param = "application_fee_amount";
    if fee < 0 {
        return Err(ApiError::invalid("This value must be greater than or equal to 0.")
            .code("parameter_invalid_integer")
            .param(param));
    }
    if fee > amount {
        let message = format!("Your application fee of {fee} is greater than the amount of the payment, {amount}.");
        return Err(ApiError::invalid(message).param(param));
    }
    Ok(())
}
