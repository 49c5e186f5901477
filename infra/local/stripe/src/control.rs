//! `/_control/`: what happens around Stripe (the payer, the passing of time), what was done, and
//! what shall go wrong. JSON in camelCase; a form does too, so that a newcomer's curl is short.
//!
//! | call | body | |
//! |---|---|---|
//! | `POST /_control/payment_intents/{id}/confirm` | `{"paymentMethod": "pm_card_visa"}` | the payer pays in the browser |
//! | `POST /_control/payment_intents/{id}/authenticate` | `{"outcome": "succeed" \| "fail"}` | 3-D Secure |
//! | `POST /_control/payment_intents/{id}/expire` | – | an authorisation runs out |
//! | `GET /_control/charges` | | what was charged |
//! | `GET`, `DELETE /_control/requests` | | the calls that came in |
//! | `GET`, `POST`, `DELETE /_control/faults` | `{"match": {…}, "count": 1, "do": {…}}` | see `faults` |
//!
//! Invariant: it does nothing to an object that the world couldn't do.

use axum::body::Body;
use http::{Method, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::StandIn;
use crate::answer::pretty;
use crate::call::Call;
use crate::error::{ApiError, Effect};
use crate::faults::Fault;
use crate::form::Form;
use crate::intents::{self, Attempt, Authentication, CancellationReason, PaymentIntent, Status};
use crate::objects::Charge;
use crate::store;

pub(crate) fn answer(standin: &StandIn, method: &Method, path: &str, body: &str) -> Response<Body> {
    let (status, answer) = match handle(standin, method, path, body) {
        Ok(answer) => (200, answer),
        Err(error) => (error.0.status, refusal(&error)),
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(pretty(&answer)))
        .expect("made of known parts")
}

fn refusal(error: &ApiError) -> Value {
    let detail = &error.0.detail;
    json!({ "error": {
        "type": detail.kind, "code": detail.code, "declineCode": detail.decline_code,
        "message": detail.message, "param": detail.param,
    }})
}

fn handle(standin: &StandIn, method: &Method, path: &str, body: &str) -> Result<Value, ApiError> {
    let segments: Vec<&str> = path.split('/').skip(2).collect();
    match (method.as_str(), segments.as_slice()) {
        ("POST", ["payment_intents", id, "confirm"]) => confirm(standin, id, parse(body)?),
        ("POST", ["payment_intents", id, "authenticate"]) => {
            let Authenticate { outcome } = parse(body)?;
            with_intent(standin, id, |call, intent| intents::authenticate(call, intent, outcome))
        }
        ("POST", ["payment_intents", id, "expire"]) => {
            let Nothing {} = parse(body)?;
            with_intent(standin, id, expire)
        }
        ("GET", ["charges"]) => charges(standin),
        ("GET", ["requests"]) => Ok(standin.log().json()),
        ("DELETE", ["requests"]) => {
            standin.log().clear();
            Ok(json!({}))
        }
        ("GET", ["faults"]) => Ok(json!(standin.faults().waiting())),
        ("POST", ["faults"]) => order(standin, body),
        ("DELETE", ["faults"]) => {
            standin.faults().clear();
            Ok(json!({}))
        }
        _ => {
            let message = format!("There is no {method} {path} here.");
            Err(ApiError::new(404, "invalid_request_error", Effect::NotExecuted, message))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authenticate {
    outcome: Authentication,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirm {
    #[serde(rename = "paymentMethod", alias = "payment_method", default = "visa")]
    payment_method: String,
}

fn visa() -> String {
    "pm_card_visa".into()
}

/// JSON, a form, or nothing at all.
fn parse<T: DeserializeOwned>(body: &str) -> Result<T, ApiError> {
    if !body.trim_start().starts_with('{') {
        return Form::parse("", body.trim())?.typed();
    }
    serde_json::from_str(body).map_err(|error| ApiError::invalid(error.to_string()))
}

/// Does something to an intent, in one transaction, and tells how it is then.
fn with_intent(
    standin: &StandIn,
    id: &str,
    change: impl FnOnce(&Call, &mut PaymentIntent) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    let now = standin.now();
    let mut db = standin.store.lock();
    let transaction = db.transaction()?;
    let missing = || ApiError::no_such("payment_intent", id, "id");
    let account = store::account_of(&transaction, id)?.ok_or_else(missing)?;
    let form = Form::default();
    let call = Call { db: &transaction, account: &account, now, form: &form, version: None };
    let mut intent: PaymentIntent = call.load(id)?.ok_or_else(missing)?;
    let result = change(&call, &mut intent);
    if let Err(error) = result {
        if error.0.effect == Effect::Changed {
            transaction.commit()?;
        }
        return Err(error);
    }
    call.save(&intent)?;
    transaction.commit()?;
    Ok(json!({
        "id": intent.id,
        "account": account,
        "status": intent.status,
        "amount": intent.amount,
        "amountCapturable": intent.amount_capturable,
        "amountReceived": intent.amount_received,
        "currency": intent.currency,
        "latestCharge": intent.latest_charge,
        "cancellationReason": intent.cancellation_reason,
    }))
}

fn confirm(standin: &StandIn, id: &str, given: Confirm) -> Result<Value, ApiError> {
    with_intent(standin, id, |call, intent| {
        intents::put_method(call, intent, &given.payment_method)?;
        // A browser has a page to come back to, and the payer in front of it.
        intents::attempt(call, intent, Attempt { without_payer: false, can_return: true })
    })
}

fn expire(call: &Call, intent: &mut PaymentIntent) -> Result<(), ApiError> {
    if intent.status != Status::RequiresCapture {
        let status = intent.status.as_str();
        return Err(intent.unexpected_state(format!(
            "This PaymentIntent has a status of {status}: there is no authorisation to expire."
        )));
    }
    intent.end(call.now, Some(CancellationReason::Automatic));
    Ok(())
}

fn charges(standin: &StandIn) -> Result<Value, ApiError> {
    let db = standin.store.lock();
    let charges = store::everywhere::<Charge>(&db)?;
    let told = charges.into_iter().map(|(account, charge)| {
        json!({
            "account": account,
            "paymentIntent": charge.payment_intent,
            "charge": charge.id,
            "amount": charge.amount,
            "amountCaptured": charge.amount_captured,
            "amountRefunded": charge.amount_refunded,
            "currency": charge.currency,
            "status": charge.status,
        })
    });
    Ok(told.collect())
}

fn order(standin: &StandIn, body: &str) -> Result<Value, ApiError> {
    let fault: Fault = serde_json::from_str(body).map_err(|error| ApiError::invalid(error.to_string()))?;
    if let Some(mistake) = fault.mistake() {
        return Err(ApiError::invalid(mistake));
    }
    let mut faults = standin.faults();
    faults.order(fault);
    Ok(json!(faults.waiting()))
}
