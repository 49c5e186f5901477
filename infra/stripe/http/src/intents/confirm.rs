//! Confirmation: charges the payment method and moves the intent to the resulting status.
//!
//! Invariant: at most one charge of an intent is ever paid.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::error::ApiError;
use crate::ids;
use crate::intents::calls::of_path;
use crate::intents::params::{Novelty, OffSession, Terms};
use crate::intents::{PaymentIntent, Status, debits};
use crate::objects::accounts::not_activated;
use crate::objects::cards::{AUTHENTICATION_REQUIRED, Decline, Issuer};
use crate::objects::{Account, Charge, HOLD_SECONDS, PaymentMethod, customers, payment_methods};
use crate::store::Object;

/// The circumstances of a confirmation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    /// The payer isn't present to authenticate, or the caller prefers an error to a pending action.
    pub without_payer: bool,
    /// There is a page to return to after a redirect.
    pub can_return: bool,
}

impl Attempt {
    pub fn of(terms: &Terms) -> Self {
        let absent = terms.off_session.is_some_and(|off| off != OffSession::False);
        Self {
            without_payer: absent || terms.error_on_requires_action == Some(true),
            can_return: terms.return_url.is_some() || terms.use_stripe_sdk == Some(true),
        }
    }
}

pub(crate) fn confirm(call: &Call, id: &str) -> Answer {
    let terms = Terms::parse(call)?;
    let how = Attempt::of(&terms);
    let mut intent = of_path(call, id)?;
    check_status(&intent)?;
    terms.apply(call, &mut intent, Novelty::Existing)?;
    attempt(call, &mut intent, how)?;
    call.save(&intent)?;
    Ok(intent.json())
}

/// Whether it can be confirmed at all.
pub(crate) fn check_status(intent: &PaymentIntent) -> Result<(), ApiError> {
    match intent.status {
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction => Ok(()),
        Status::Processing => Err(intent.unexpected_state(
            "You cannot confirm this PaymentIntent because it is already processing a payment. Only \
             a PaymentIntent with one of the following statuses may be confirmed: \
             requires_payment_method, requires_confirmation, requires_action.",
        )),
        Status::RequiresCapture | Status::Succeeded => Err(intent.unexpected_state(
            "You cannot confirm this PaymentIntent because it has already succeeded after being \
             previously confirmed.",
        )),
        Status::Canceled => Err(intent.unexpected_state(
            "This PaymentIntent could not be confirmed because it has a status of canceled. Only \
             a PaymentIntent with one of the following statuses may be confirmed: \
             requires_payment_method, requires_confirmation, requires_action.",
        )),
    }
}

/// Whether this payment method may pay this intent.
pub(crate) fn check_method(call: &Call, intent: &PaymentIntent, method: &PaymentMethod) -> Result<(), ApiError> {
    if !intent.payment_method_types.contains(&method.kind) {
        let message = format!(
            "The PaymentMethod provided ({}) is not allowed for this PaymentIntent. Please attach \
             a PaymentMethod of one of the following types: {}.",
            method.kind,
            intent.payment_method_types.join(", ")
        );
        let code = "payment_intent_incompatible_payment_method";
        return Err(ApiError::invalid(message).code(code).param("payment_method"));
    }
    // It may have been attached when the intent was made.
    if !Account::of(call)?.takes(&method.kind) {
        return Err(not_activated(&method.kind, "payment_method"));
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
pub(crate) fn attempt(call: &Call, intent: &mut PaymentIntent, how: Attempt) -> Result<(), ApiError> {
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
    if method.kind == "bacs_debit" {
        return debits::start(call, intent, method);
    }
    let asks = intent.payment_method_options.card_authenticates();
    match method.issuer() {
        Issuer::Declines(reason) => decline(call, intent, &method, reason),
        Issuer::AsksPayer if how.without_payer => decline(call, intent, &method, AUTHENTICATION_REQUIRED),
        Issuer::Approves if asks && !how.without_payer => ask_payer(call, intent),
        Issuer::AsksPayer => ask_payer(call, intent),
        Issuer::Approves => approve(call, intent, method),
    }
}

fn ask_payer(call: &Call, intent: &mut PaymentIntent) -> Result<(), ApiError> {
    intent.status = Status::RequiresAction;
    intent.last_payment_error = None;
    intent.next_action = Some(json!({
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {
            "type": "three_d_secure_redirect",
            "source": ids::object("src"),
            "stripe_js": "",
        },
    }));
    call.event("payment_intent.requires_action", intent)
}

fn approve(call: &Call, intent: &mut PaymentIntent, method: PaymentMethod) -> Result<(), ApiError> {
    let mut charge = Charge::authorised(call, intent, &method);
    intent.latest_charge = Some(charge.id.clone());
    intent.last_payment_error = None;
    intent.next_action = None;
    if intent.captured_by_hand() {
        intent.status = Status::RequiresCapture;
        intent.amount_capturable = intent.amount;
        intent.held_until = Some(call.now + HOLD_SECONDS);
    } else {
        charge.capture(intent.amount);
        intent.status = Status::Succeeded;
        intent.amount_received = intent.amount;
    }
    keep_method(call, intent, method)?;
    call.save(&charge)?;
    call.event("charge.succeeded", &charge)?;
    match intent.status {
        Status::RequiresCapture => call.event("payment_intent.amount_capturable_updated", intent),
        _ => call.event("payment_intent.succeeded", intent),
    }
}

/// Attaches the payment method to the intent's customer, if the intent says so.
pub(super) fn keep_method(call: &Call, intent: &PaymentIntent, mut method: PaymentMethod) -> Result<(), ApiError> {
    let saved = intent.setup_future_usage.is_some() || intent.payment_method_options.card_saved_for().is_some();
    let customer = intent.customer.as_deref().filter(|_| saved && method.customer.is_none());
    // A customer that was deleted meanwhile gets nothing, and the payment still succeeds.
    if let Some(id) = customer
        && customers::is_living(call, id)?
    {
        method.customer = Some(id.to_owned());
        call.save(&method)?;
        call.event("payment_method.attached", &method)?;
    }
    Ok(())
}

fn decline(call: &Call, intent: &mut PaymentIntent, method: &PaymentMethod, reason: Decline) -> Result<(), ApiError> {
    let charge = Charge::declined(call, intent, method, reason);
    call.save(&charge)?;
    let mut error = ApiError::card(reason.code, reason.message);
    error.0.detail.decline_code = Some(reason.decline_code.into());
    error.0.detail.charge = Some(charge.id.clone());
    error.0.detail.payment_method = Some(method.json());
    intent.latest_charge = Some(charge.id.clone());
    back_to_start(intent, json!(error.0.detail));
    call.save(intent)?;
    call.event("charge.failed", &charge)?;
    call.event("payment_intent.payment_failed", intent)?;
    Err(error.payment_intent(intent.json()))
}

pub(super) fn back_to_start(intent: &mut PaymentIntent, error: Value) {
    intent.status = Status::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.next_action = None;
    intent.last_payment_error = Some(error);
}

/// Applies the payer's answer to 3-D Secure.
pub(crate) fn authenticate(call: &Call, intent: &mut PaymentIntent, outcome: Authentication) -> Result<(), ApiError> {
    if intent.status != Status::RequiresAction {
        let status = intent.status.as_str();
        return Err(intent.unexpected_state(format!(
            "This PaymentIntent has a status of {status}: there is nothing to authenticate."
        )));
    }
    let id = intent.payment_method.clone().unwrap_or_default();
    let method = payment_methods::named(call, &id)?;
    match outcome {
        Authentication::Succeed => approve(call, intent, method)?,
        Authentication::Fail => {
            let message = "The provided PaymentMethod has failed authentication. You can provide \
                           payment_method_data or a new PaymentMethod to attempt to fulfill this \
                           PaymentIntent again.";
            let mut error = ApiError::refused("payment_intent_authentication_failure", message);
            error.0.detail.payment_method = Some(method.json());
            back_to_start(intent, json!(error.0.detail));
            call.event("payment_intent.payment_failed", intent)?;
        }
    }
    call.save(intent)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Authentication {
    Succeed,
    Fail,
}
