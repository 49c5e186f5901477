//! The calls on intents, except confirmation.
//!
//! Invariant: a call that isn't allowed in the intent's status changes nothing and fails with
//! `payment_intent_unexpected_state` and the intent.

use serde::Deserialize;

use crate::call::{Answer, Call};
use crate::error::ApiError;
use crate::form::{self, Metadata};
use crate::ids;
use crate::intents::confirm::{Attempt, attempt};
use crate::intents::holds;
use crate::intents::params::{self, Novelty, Terms};
use crate::intents::{CancellationReason, CaptureMethod, ConfirmationMethod, MethodOptions, PaymentIntent, Status};
use crate::money;
use crate::page::{self, Created, Page};
use crate::store::{Object, Where};

pub(crate) fn of_path(call: &Call, id: &str) -> Result<PaymentIntent, ApiError> {
    let intent: Option<PaymentIntent> = call.load(id)?;
    intent.ok_or_else(|| ApiError::no_such("payment_intent", id, "intent"))
}

pub(crate) fn create(call: &Call) -> Answer {
    call.form.without_empty()?;
    let terms = Terms::parse(call)?;
    let amount = terms.amount.ok_or_else(|| ApiError::missing("amount"))?;
    let currency = terms.currency.clone().ok_or_else(|| ApiError::missing("currency"))?;
    let to_confirm = terms.confirm == Some(true);
    for (param, given) in [
        ("off_session", terms.off_session.is_some()),
        ("return_url", terms.return_url.is_some()),
        ("error_on_requires_action", terms.error_on_requires_action.is_some()),
    ] {
        if given && !to_confirm {
            let message = format!("You cannot pass `{param}` when creating a PaymentIntent without `confirm=true`.");
            return Err(ApiError::invalid(message).param(param));
        }
    }
    let mut intent = blank(call, amount, currency);
    let how = Attempt::of(&terms);
    terms.apply(call, &mut intent, Novelty::New)?;
    call.event("payment_intent.created", &intent)?;
    if to_confirm {
        attempt(call, &mut intent, how)?;
    }
    call.save(&intent)?;
    Ok(intent.json())
}

fn blank(call: &Call, amount: i64, currency: String) -> PaymentIntent {
    let id = ids::object("pi");
    PaymentIntent {
        client_secret: ids::client_secret(&id),
        id,
        allowed_payment_method_types: None,
        amount,
        amount_capturable: 0,
        amount_received: 0,
        application_fee_amount: None,
        automatic_payment_methods: None,
        canceled_at: None,
        cancellation_reason: None,
        capture_method: CaptureMethod::AutomaticAsync,
        confirmation_method: ConfirmationMethod::Automatic,
        created: call.now,
        currency,
        customer: None,
        description: None,
        excluded_payment_method_types: None,
        held_until: None,
        last_payment_error: None,
        latest_charge: None,
        metadata: Metadata::new(),
        next_action: None,
        on_behalf_of: None,
        payment_method: None,
        payment_method_options: MethodOptions::default(),
        payment_method_types: Vec::new(),
        receipt_email: None,
        setup_future_usage: None,
        shipping: None,
        statement_descriptor: None,
        statement_descriptor_suffix: None,
        status: Status::RequiresPaymentMethod,
        transfer_data: None,
        transfer_group: None,
    }
}

pub(crate) fn retrieve(call: &Call, id: &str) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Retrieve {
        client_secret: Option<String>,
    }
    let given: Retrieve = call.form.typed()?;
    let intent = of_path(call, id)?;
    if given.client_secret.is_some_and(|secret| secret != intent.client_secret) {
        let message = "The client_secret provided does not match the client_secret associated \
                       with this PaymentIntent.";
        return Err(ApiError::invalid(message).param("client_secret"));
    }
    Ok(intent.json())
}

pub(crate) fn list(call: &Call) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        created: Option<Created>,
        customer: Option<String>,
        ending_before: Option<String>,
        limit: Option<i64>,
        starting_after: Option<String>,
    }
    let List { created, customer, ending_before, limit, starting_after } = call.form.typed()?;
    let conditions = customer.map(|customer| Where::Is("customer", customer));
    let page = Page { limit, starting_after, ending_before, created };
    let conditions = conditions.into_iter().collect();
    page::list::<PaymentIntent>(call, "/v1/payment_intents", page, conditions)
}

pub(crate) fn update(call: &Call, id: &str) -> Answer {
    let terms = Terms::parse(call)?;
    let mut intent = of_path(call, id)?;
    terms.apply(call, &mut intent, Novelty::Existing)?;
    call.save(&intent)?;
    Ok(intent.json())
}

pub(crate) fn capture(call: &Call, id: &str) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Capture {
        amount_to_capture: Option<i64>,
        application_fee_amount: Option<i64>,
        final_capture: Option<bool>,
        metadata: Option<Metadata>,
        statement_descriptor: Option<String>,
        statement_descriptor_suffix: Option<String>,
    }
    let given: Capture = call.form.typed()?;
    if let Some(amount) = given.amount_to_capture {
        money::at_least_one(amount, "amount_to_capture")?;
    }
    let mut intent = of_path(call, id)?;
    let amount = holds::capturable(&intent, given.amount_to_capture)?;
    if given.final_capture == Some(false) {
        let message = "This PaymentIntent's card does not support multiple captures.";
        return Err(ApiError::invalid(message).param("final_capture"));
    }
    if let Some(fee) = given.application_fee_amount {
        params::application_fee(fee, amount)?;
        intent.application_fee_amount = Some(fee);
    }
    form::merge(&mut intent.metadata, given.metadata)?;
    form::set(&mut intent.statement_descriptor, given.statement_descriptor);
    form::set(&mut intent.statement_descriptor_suffix, given.statement_descriptor_suffix);
    holds::capture(call, &mut intent, amount)?;
    Ok(intent.json())
}

pub(crate) fn cancel(call: &Call, id: &str) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Cancel {
        cancellation_reason: Option<CancellationReason>,
    }
    let Cancel { cancellation_reason } = call.form.typed()?;
    let mut intent = of_path(call, id)?;
    if matches!(intent.status, Status::Processing | Status::Succeeded | Status::Canceled) {
        let status = intent.status.as_str();
        return Err(intent.unexpected_state(format!(
            "You cannot cancel this PaymentIntent because it has a status of {status}. Only a \
             PaymentIntent with one of the following statuses may be canceled: \
             requires_payment_method, requires_capture, requires_confirmation, requires_action."
        )));
    }
    holds::cancel(call, &mut intent, cancellation_reason)?;
    Ok(intent.json())
}
