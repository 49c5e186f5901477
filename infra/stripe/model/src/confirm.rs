//! Confirmation: charges the payment method and moves the intent to the resulting status.
//!
//! Invariant: at most one charge of an intent is ever paid.

use classpay_domain::order::IntentStatus;
use serde_json::{Value, json};

use crate::accounts::not_activated;
use crate::call::Call;
use crate::charges::{Charge, HOLD_SECONDS};
use crate::error::ApiError;
use crate::intents::{PaymentIntent, is_open, of_path};
use crate::means::{AUTHENTICATION_REQUIRED, Decline, Issuer, Means};
use crate::params::{Novelty, Terms, put_method};
use crate::payment_methods::PaymentMethod;
use crate::state::Object;
use crate::{customers, debits, payment_methods};

/// The circumstances of a confirmation.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// The payer isn't present to authenticate, or the caller prefers an error to a pending action.
    pub without_payer: bool,
    /// There is a page to return to after a redirect.
    pub can_return: bool,
}

impl Attempt {
    pub fn of(terms: &Terms) -> Self {
        let absent = terms.off_session.as_ref().is_some_and(|off| *off != false);
        Self {
            without_payer: absent || terms.error_on_requires_action == Some(true),
            can_return: terms.return_url.is_some() || terms.use_stripe_sdk == Some(true),
        }
    }
}

pub fn confirm(call: &mut Call, id: &str, terms: Terms) -> Result<PaymentIntent, ApiError> {
    terms.check()?;
    let how = Attempt::of(&terms);
    let mut intent = of_path(call, id)?;
    check_status(&intent)?;
    terms.apply(call, &mut intent, Novelty::Existing)?;
    attempt(call, &mut intent, how)?;
    call.save(&intent);
    Ok(intent)
}

/// The payer confirms in a browser, which has a page to return to.
pub fn confirm_in_browser(call: &mut Call, intent: &mut PaymentIntent, method: &str) -> Result<(), ApiError> {
    put_method(call, intent, method)?;
    attempt(call, intent, Attempt { without_payer: false, can_return: true })
}

/// Whether it can be confirmed at all.
pub fn check_status(intent: &PaymentIntent) -> Result<(), ApiError> {
    const ONLY: &str = "Only a PaymentIntent with one of the following statuses may be confirmed: \
                        requires_payment_method, requires_confirmation, requires_action.";
    let why = match intent.status {
        status if is_open(status) => return Ok(()),
        IntentStatus::Processing => {
            format!("You cannot confirm this PaymentIntent because it is already processing a payment. {ONLY}")
        }
        IntentStatus::Canceled => {
            format!("This PaymentIntent could not be confirmed because it has a status of canceled. {ONLY}")
        }
        _ => "You cannot confirm this PaymentIntent because it has already succeeded after being \
              previously confirmed."
            .to_owned(),
    };
    Err(intent.unexpected_state(why))
}

/// Whether this payment method may pay this intent.
pub fn check_method(call: &mut Call, intent: &PaymentIntent, method: &PaymentMethod) -> Result<(), ApiError> {
    let kind = method.means.kind();
    if !intent.payment_method_types.iter().any(|known| known == kind) {
        let message = format!(
            "The PaymentMethod provided ({}) is not allowed for this PaymentIntent. Please attach \
             a PaymentMethod of one of the following types: {}.",
            kind,
            intent.payment_method_types.join(", ")
        );
        let code = "payment_intent_incompatible_payment_method";
        return Err(ApiError::invalid(message).code(code).param("payment_method"));
    }
    // It may have been attached when the intent was made.
    if !call.settings().takes(kind) {
        return Err(not_activated(kind, "payment_method"));
    }
    match (&method.customer, &intent.customer) {
        (None, _) => Ok(()),
        (Some(theirs), Some(ours)) if theirs == ours => Ok(()),
        (Some(_), None) => Err(ApiError::invalid(
            "The payment method you provided is attached to a customer so for security purposes \
             you must provide the customer in the request.",
        )
        .param("customer")),
        (Some(_), Some(ours)) => Err(ApiError::invalid(format!(
            "The provided PaymentMethod cannot be attached to this PaymentIntent: it belongs to a \
             different customer than {ours}."
        ))
        .param("payment_method")),
    }
}

/// Charges the card and updates the intent. A decline saves the intent and is also an error, as at Stripe.
pub fn attempt(call: &mut Call, intent: &mut PaymentIntent, how: Attempt) -> Result<(), ApiError> {
    check_status(intent)?;
    let Some(id) = intent.payment_method.clone() else {
        return Err(intent.unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can \
             either update the PaymentIntent with a payment method and then confirm it again, or \
             confirm it again directly with a payment method or ConfirmationToken.",
        ));
    };
    let redirects = intent.automatic_payment_methods.as_ref();
    if redirects.is_some_and(|automatic| automatic["allow_redirects"] == "always") && !how.can_return {
        return Err(ApiError::invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. \
             Because some of these payment methods might redirect your customer off of your page, \
             you must provide a `return_url`. If you don't want to accept redirect-based payment \
             methods, set `automatic_payment_methods[enabled]` to `true` and \
             `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents \
             and Payment Intents.",
        )
        .param("return_url"));
    }
    let method = payment_methods::named(call, &id)?;
    check_method(call, intent, &method)?;
    let card = match method.means {
        Means::BankAccount(_) => {
            debits::start(call, intent, method);
            return Ok(());
        }
        Means::Card(card) => card,
    };
    let asks = matches!(intent.card_option("request_three_d_secure"), Some("any" | "challenge"));
    match card.issuer {
        Issuer::Declines(reason) => return decline(call, intent, &method, reason),
        Issuer::AsksPayer if how.without_payer => return decline(call, intent, &method, AUTHENTICATION_REQUIRED),
        Issuer::Approves if asks && !how.without_payer => ask_payer(call, intent),
        Issuer::AsksPayer => ask_payer(call, intent),
        Issuer::Approves => approve(call, intent, method),
    }
    Ok(())
}

fn ask_payer(call: &mut Call, intent: &mut PaymentIntent) {
    intent.status = IntentStatus::RequiresAction;
    intent.last_payment_error = None;
    intent.next_action = Some(json!({
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {
            "type": "three_d_secure_redirect",
            "source": call.new_id("src"),
            "stripe_js": "",
        },
    }));
    call.event("payment_intent.requires_action", intent);
}

fn approve(call: &mut Call, intent: &mut PaymentIntent, method: PaymentMethod) {
    let mut charge = Charge::authorised(call, intent, &method);
    intent.latest_charge = Some(charge.id.clone());
    intent.last_payment_error = None;
    intent.next_action = None;
    if intent.captured_by_hand() {
        intent.status = IntentStatus::RequiresCapture;
        intent.amount_capturable = intent.amount;
        let end = call.now + HOLD_SECONDS;
        intent.held_until = Some(end);
        call.holds_until(end);
    } else {
        charge.capture(intent.amount);
        intent.status = IntentStatus::Succeeded;
        intent.amount_received = intent.amount;
    }
    keep_method(call, intent, method);
    call.save(&charge);
    call.event("charge.succeeded", &charge);
    match intent.status {
        IntentStatus::RequiresCapture => call.event("payment_intent.amount_capturable_updated", intent),
        _ => call.event("payment_intent.succeeded", intent),
    }
}

/// Attaches the payment method to the intent's customer, if the intent says so.
pub fn keep_method(call: &mut Call, intent: &PaymentIntent, mut method: PaymentMethod) {
    let card_saved = intent.card_option("setup_future_usage").is_some_and(|usage| usage != "none");
    let saved = intent.setup_future_usage.is_some() || card_saved;
    let customer = intent.customer.as_deref().filter(|_| saved && method.customer.is_none());
    // A customer that was deleted meanwhile gets nothing, and the payment still succeeds.
    if let Some(id) = customer
        && customers::named(call, id).is_ok()
    {
        method.customer = Some(id.to_owned());
        call.save(&method);
        call.event("payment_method.attached", &method);
    }
}

fn decline(
    call: &mut Call,
    intent: &mut PaymentIntent,
    method: &PaymentMethod,
    reason: Decline,
) -> Result<(), ApiError> {
    let charge = Charge::declined(call, intent, method, reason);
    call.save(&charge);
    let mut error = ApiError::declined(reason);
    error.0.detail.charge = Some(charge.id.clone());
    error.0.detail.payment_method = Some(method.json());
    intent.latest_charge = Some(charge.id.clone());
    back_to_start(intent, json!(error.0.detail));
    call.save(intent);
    call.event("charge.failed", &charge);
    call.event("payment_intent.payment_failed", intent);
    Err(error.payment_intent(intent.json()))
}

pub fn back_to_start(intent: &mut PaymentIntent, error: Value) {
    intent.status = IntentStatus::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.next_action = None;
    intent.last_payment_error = Some(error);
}

/// Applies the payer's answer to 3-D Secure.
pub fn authenticate(call: &mut Call, intent: &mut PaymentIntent, outcome: Authentication) -> Result<(), ApiError> {
    if intent.status != IntentStatus::RequiresAction {
        return Err(intent.lacks("payer to authenticate"));
    }
    let id = intent.payment_method.clone().unwrap_or_default();
    let method = payment_methods::named(call, &id)?;
    match outcome {
        Authentication::Succeed => approve(call, intent, method),
        Authentication::Fail => {
            let message = "The provided PaymentMethod has failed authentication. You can provide \
                           payment_method_data or a new PaymentMethod to attempt to fulfill this \
                           PaymentIntent again.";
            let mut error = ApiError::refused("payment_intent_authentication_failure", message);
            error.0.detail.payment_method = Some(method.json());
            back_to_start(intent, json!(error.0.detail));
            call.event("payment_intent.payment_failed", intent);
        }
    }
    call.save(intent);
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    Succeed,
    Fail,
}
