//! The requests that this service sends to Stripe.
//!
//! Every call is built here, so that a test can check it against Stripe's API description without sending it
//! ([`Asked::form`]).

use std::collections::{BTreeMap, HashMap};

use classpay_domain::id::{CustomerId, IntentId};
use classpay_domain::money::Money;
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest as _};
use stripe_core::customer::CreateCustomer;
use stripe_core::customer_session::{
    CreateCustomerSession, CreateCustomerSessionComponents, CreateCustomerSessionComponentsMobilePaymentElement,
    CreateCustomerSessionComponentsMobilePaymentElementFeatures,
    CreateCustomerSessionComponentsMobilePaymentElementFeaturesPaymentMethodRedisplay as MobileRedisplay,
    CreateCustomerSessionComponentsMobilePaymentElementFeaturesPaymentMethodSave as MobileSave,
    CreateCustomerSessionComponentsPaymentElement, CreateCustomerSessionComponentsPaymentElementFeatures,
    CreateCustomerSessionComponentsPaymentElementFeaturesPaymentMethodRedisplay as Redisplay,
    CreateCustomerSessionComponentsPaymentElementFeaturesPaymentMethodSave as Save,
    CreateCustomerSessionComponentsPaymentElementFeaturesPaymentMethodSaveUsage as SaveUsage,
};
use stripe_core::event::ListEvent;
use stripe_core::payment_intent::{
    CancelPaymentIntent, CapturePaymentIntent, CreatePaymentIntent, CreatePaymentIntentPaymentMethodOptions,
    CreatePaymentIntentPaymentMethodOptionsCard,
    CreatePaymentIntentPaymentMethodOptionsCardCaptureMethod as CardCapture, RetrievePaymentIntent,
};
use stripe_misc::ephemeral_key::CreateEphemeralKey;
use stripe_shared::{PaymentIntentAllowedPaymentMethodTypes as AllowedTypes, PaymentIntentCaptureMethod};
use stripe_types::{Currency, RangeBoundsTs, RangeQueryTs};

use super::error::StripeError;
use super::events::EventQuery;
use super::payments::{Methods, NewIntent, SavedCards};
use super::transport::API;

/// The related objects that [`Intent`](super::Intent) includes.
const EXPANDED: [&str; 2] = ["latest_charge.refunds", "payment_method"];

/// The most events that Stripe returns at once.
pub(super) const EVENTS_PER_PAGE: i64 = 100;

/// Stripe refuses a customer with a longer name. The id in its metadata identifies the customer.
const NAME_MAX_CHARS: usize = 256;

/// A call of [`Payments`](super::Payments), without its account and its key.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'a> {
    /// Read an intent.
    LoadIntent(&'a IntentId),
    /// Create an intent.
    CreateIntent(&'a NewIntent<'a>),
    /// Capture what is held.
    CaptureIntent(&'a IntentId, Money),
    /// Cancel an intent.
    CancelIntent(&'a IntentId),
    /// Create a customer with this name and metadata.
    CreateCustomer(&'a str, &'a BTreeMap<String, String>),
    /// Open the customer's payment form.
    CreateCustomerSession(&'a CustomerId, SavedCards),
    /// Open the customer's mobile payment form.
    CreateEphemeralKey(&'a CustomerId),
    /// List an account's events.
    ListEvents(EventQuery<'a>),
}

/// A call as it is sent, without its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// It begins with `/v1/`.
    pub path: String,
    /// Encoded; empty where there is none.
    pub query: String,
    /// Encoded; empty where there is none.
    pub body: String,
}

impl Asked<'_> {
    /// The call as it is sent.
    ///
    /// # Errors
    /// [`StripeError::Refused`] for a call that is never sent.
    pub fn form(self) -> Result<Form, StripeError> {
        let RequestBuilder { method, path, query, body } = match self {
            Self::LoadIntent(intent) => load_intent(intent).build(),
            Self::CreateIntent(new) => create_intent(new)?.build(),
            Self::CaptureIntent(intent, amount) => capture_intent(intent, amount).build(),
            Self::CancelIntent(intent) => cancel_intent(intent).build(),
            Self::CreateCustomer(name, about) => create_customer(name, about).build(),
            Self::CreateCustomerSession(customer, cards) => create_customer_session(customer, cards).build(),
            Self::CreateEphemeralKey(customer) => create_ephemeral_key(customer).build(),
            Self::ListEvents(query) => list_events(query, EVENTS_PER_PAGE).build(),
        };
        let method = match method {
            StripeMethod::Get => "GET",
            StripeMethod::Post => "POST",
            StripeMethod::Delete => "DELETE",
        };
        let path = format!("{API}{path}");
        Ok(Form { method, path, query: query.unwrap_or_default(), body: body.unwrap_or_default() })
    }
}

pub(super) fn load_intent(intent: &IntentId) -> RetrievePaymentIntent {
    RetrievePaymentIntent::new(intent.as_str()).expand(expanded())
}

/// A currency that Stripe doesn't know is refused here.
pub(super) fn create_intent(new: &NewIntent<'_>) -> Result<CreatePaymentIntent, StripeError> {
    let request = CreatePaymentIntent::new(new.amount.units(), currency(new.currency)?)
        .customer(new.customer.as_str())
        .metadata(metadata(&new.metadata))
        .expand(expanded());
    // Earlier versions of Stripe's API called `allowed_payment_method_types` `payment_method_types`.
    Ok(match new.methods {
        Methods::Card => request
            .allowed_payment_method_types(vec![AllowedTypes::Card])
            .capture_method(PaymentIntentCaptureMethod::Manual),
        Methods::CardOrBankDebit => request
            .allowed_payment_method_types(vec![AllowedTypes::Card, AllowedTypes::BacsDebit])
            .payment_method_options(held_card()),
    })
}

pub(super) fn capture_intent(intent: &IntentId, amount: Money) -> CapturePaymentIntent {
    CapturePaymentIntent::new(intent.as_str()).amount_to_capture(amount.units()).expand(expanded())
}

pub(super) fn cancel_intent(intent: &IntentId) -> CancelPaymentIntent {
    CancelPaymentIntent::new(intent.as_str()).expand(expanded())
}

pub(super) fn create_customer(name: &str, about: &BTreeMap<String, String>) -> CreateCustomer {
    let name: String = name.chars().take(NAME_MAX_CHARS).collect();
    CreateCustomer::new().name(name).metadata(metadata(about))
}

pub(super) fn create_customer_session(customer: &CustomerId, cards: SavedCards) -> CreateCustomerSession {
    CreateCustomerSession::new(payment_form(cards)).customer(customer.as_str())
}

pub(super) fn create_ephemeral_key(customer: &CustomerId) -> CreateEphemeralKey {
    CreateEphemeralKey::new().customer(customer.as_str())
}

pub(super) fn list_events(query: EventQuery<'_>, most: i64) -> ListEvent {
    let between = RangeBoundsTs { gte: Some(query.from_s), lte: Some(query.until_s), ..RangeBoundsTs::default() };
    let kinds: Vec<_> = query.kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let list = ListEvent::new().created(RangeQueryTs::Bounds(between)).types(kinds).limit(most);
    match query.after {
        Some(event) => list.starting_after(event.as_str()),
        None => list,
    }
}

fn expanded() -> Vec<String> {
    EXPANDED.map(str::to_owned).to_vec()
}

fn metadata(pairs: &BTreeMap<String, String>) -> HashMap<String, String> {
    pairs.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A currency that the SDK doesn't know is a mistake in the studio's settings, so no payment is attempted.
fn currency(code: &str) -> Result<Currency, StripeError> {
    match code.parse() {
        Ok(Currency::Unknown(_)) => Err(StripeError::refused_unsent("not a currency, or not in lower case")),
        Ok(known) => Ok(known),
        Err(never) => match never {},
    }
}

/// This option holds the card of an intent that also accepts bank debits, which can't be held.
fn held_card() -> CreatePaymentIntentPaymentMethodOptions {
    let mut card = CreatePaymentIntentPaymentMethodOptionsCard::new();
    card.capture_method = Some(CardCapture::Manual);
    let mut options = CreatePaymentIntentPaymentMethodOptions::new();
    options.card = Some(card);
    options
}

/// The payment forms, on the web and on a phone. With [`SavedCards::Offered`] a form shows saved cards and offers to
/// save a new one for later instalments, but can't remove one, because instalments may depend on it.
fn payment_form(cards: SavedCards) -> CreateCustomerSessionComponents {
    let mut features = CreateCustomerSessionComponentsPaymentElementFeatures::new();
    let mut on_phones = CreateCustomerSessionComponentsMobilePaymentElementFeatures::new();
    match cards {
        SavedCards::Offered => {
            features.payment_method_redisplay = Some(Redisplay::Enabled);
            features.payment_method_save = Some(Save::Enabled);
            features.payment_method_save_usage = Some(SaveUsage::OffSession);
            on_phones.payment_method_redisplay = Some(MobileRedisplay::Enabled);
            on_phones.payment_method_save = Some(MobileSave::Enabled);
        }
        SavedCards::Off => {
            features.payment_method_redisplay = Some(Redisplay::Disabled);
            features.payment_method_save = Some(Save::Disabled);
            on_phones.payment_method_redisplay = Some(MobileRedisplay::Disabled);
            on_phones.payment_method_save = Some(MobileSave::Disabled);
        }
    }
    let mut form = CreateCustomerSessionComponentsPaymentElement::new(true);
    form.features = Some(features);
    let mut components = CreateCustomerSessionComponents::new();
    components.payment_element = Some(form);
    let mut sheet = CreateCustomerSessionComponentsMobilePaymentElement::new(true);
    sheet.features = Some(on_phones);
    components.mobile_payment_element = Some(sheet);
    components
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stripe_would_refuse_is_cut() {
        let form = Asked::CreateCustomer(&"ö".repeat(NAME_MAX_CHARS + 1), &BTreeMap::new()).form().unwrap();
        assert_eq!((form.method, form.path.as_str()), ("POST", "/v1/customers"));
        let name = form.body.split('&').find_map(|pair| pair.strip_prefix("name=")).unwrap();
        assert_eq!(name, "%C3%B6".repeat(NAME_MAX_CHARS));
    }

    #[test]
    fn who_holds_a_link_can_keep_no_card_on_the_web_and_on_a_phone() {
        let customer = CustomerId::parse("cus_1").unwrap();
        let form = |cards| Asked::CreateCustomerSession(&customer, cards).form().unwrap().body;
        for element in ["payment_element", "mobile_payment_element"] {
            for feature in ["payment_method_save", "payment_method_redisplay"] {
                let said = |word| format!("components[{element}][features][{feature}]={word}");
                assert!(form(SavedCards::Off).split('&').any(|pair| pair == said("disabled")), "{element} {feature}");
                assert!(
                    form(SavedCards::Offered).split('&').any(|pair| pair == said("enabled")),
                    "{element} {feature}"
                );
            }
        }
    }
}
