//! `/_control/`: what happens around Stripe (the payer, the bank, the studio, the passing of time), the log of calls, and
//! injected faults. Bodies are JSON in camelCase, or a form, so that a newcomer's curl is short.
//!
//! | call | body | |
//! |---|---|---|
//! | `POST /_control/payment_intents/{id}/confirm` | `{"paymentMethod": "pm_card_visa"}` | the payer pays in the browser |
//! | `POST /_control/payment_intents/{id}/authenticate` | `{"outcome": "succeed" \| "fail"}` | 3-D Secure |
//! | `POST /_control/payment_intents/{id}/expire` | – | an authorisation runs out |
//! | `POST /_control/payment_intents/{id}/settle` | – | the bank answers to a debit |
//! | `POST /_control/payment_intents/{id}/fail` | `{"code": "insufficient_funds"}` | the bank refuses a debit |
//! | `POST /_control/payment_intents/{id}/refund` | `{"amount": 100, "reason": …, "pending": true}` | the studio refunds in its dashboard |
//! | `POST /_control/payment_intents/{id}/capture` | `{"amount": 100}` | the studio captures a part (or all) in its dashboard; the rest is let go |
//! | `POST /_control/refunds/{id}/succeed` | – | a pending refund arrives |
//! | `POST /_control/refunds/{id}/fail` | `{"reason": "declined"}` | a refund comes back |
//! | `POST /_control/charges/{id}/dispute` | `{"amount": 100, "currency": "eur", "reason": "fraudulent", "inquiry": true}` | the payer disputes; an inquiry takes nothing |
//! | `POST /_control/disputes/{id}/review` | – | the studio has sent its evidence |
//! | `POST /_control/disputes/{id}/escalate` | – | an inquiry becomes a dispute: the bank takes the money |
//! | `POST /_control/disputes/{id}/close` | `{"outcome": "won" \| "lost" \| "warning_closed"}` | the bank decides; the last ends an inquiry |
//! | `POST /_control/customers/{id}/delete` | – | the studio deletes a customer in its dashboard |
//! | `POST /_control/accounts/{id}/capabilities` | `{"bacsDebitPayments": "inactive", "cardPayments": "active", "named": "refused"}` | Stripe takes a capability away, or gives it back; `named` `left_out`: what `allowed_payment_method_types` names is left out, not refused |
//! | `POST /_control/accounts/{id}/disconnect`, `…/connect` | – | the studio disconnects its account, or connects it again |
//! | `POST /_control/accounts/{id}/pad` | `{"bytes": 50000}` | every event of the account is so much larger from now on |
//! | `GET /_control/accounts` | | what was ordered of accounts |
//! | `GET /_control/charges` | | what was charged |
//! | `GET`, `DELETE /_control/requests` | | the calls that came in |
//! | `GET`, `POST`, `DELETE /_control/faults` | `{"match": {…}, "after": 0, "count": 1, "do": {…}}` | see `faults` |
//! | `POST /_control/faults/land` | – | what was dropped late arrives now |
//! | `POST /_control/keys/revoke` | `{"key": "sk_test_…"}` | the platform's key was rolled: the old one is refused |
//! | `GET /_control/clock` | | what time it is, in seconds since 1970: `{"nowS": 1788768000}` |
//! | `POST /_control/clock` | `{"now": "2026-09-01T09:00:00Z"}` | time passes: a redirect (307) to the owner of the clock |
//! | `/_control/webhooks…` | | see `webhooks` |
//!
//! Every field of a body may be left out, but for the outcomes and the bytes.
//!
//! Nothing here does to an object what the outside world couldn't.

mod accounts;
mod happenings;
mod webhooks;

use axum::body::Body;
use classpay_stripe_model::{ApiError, Charge, Effect};
use http::{Method, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::StandIn;
use crate::faults;
use crate::form::{Form, read};
use crate::{description, locked, pretty};

pub(crate) async fn answer(standin: &StandIn, method: &Method, path: &str, body: &str) -> Response<Body> {
    if let ("POST", "/_control/clock", Some(owner)) = (method.as_str(), path, locked(&standin.clock_owner).clone()) {
        let redirect = Response::builder().status(307).header("location", owner);
        return redirect.body(Body::empty()).expect("made of known parts");
    }
    let result = if path == "/_control/webhooks" || path.starts_with("/_control/webhooks/") {
        webhooks::handle(standin, method, path, body).await
    } else {
        handle(standin, method, path, body)
    };
    let (status, answer) = match result {
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
        ("POST", ["keys", "revoke"]) => {
            let Revoked { key } = parse(body)?;
            locked(&standin.revoked).insert(key);
            Ok(json!({}))
        }
        ("POST", ["faults", "land"]) => Ok(standin.land().into()),
        ("GET", ["accounts"]) => Ok(accounts::list(standin)),
        ("POST", ["accounts", id, what]) => {
            accounts::handle(standin, id, what, body)?.ok_or_else(|| nothing_here(method, path))
        }
        ("POST", [kind, id, what]) => {
            let told = happenings::handle(standin, kind, id, what, body);
            // A decline is an error that also makes an event.
            standin.webhooks.wake();
            told
        }
        ("GET", ["clock"]) => Ok(json!({"nowS": standin.now()})),
        ("GET", ["charges"]) => Ok(charges(standin)),
        ("GET", ["requests"]) => Ok(locked(&standin.log).json()),
        ("DELETE", ["requests"]) => {
            locked(&standin.log).clear();
            Ok(json!({}))
        }
        ("GET", ["faults"]) => Ok(json!(locked(&standin.faults).waiting())),
        ("POST", ["faults"]) => order(standin, body),
        ("DELETE", ["faults"]) => {
            locked(&standin.faults).clear();
            Ok(json!({}))
        }
        _ => Err(nothing_here(method, path)),
    }
}

fn nothing_here(method: &Method, path: &str) -> ApiError {
    let message = format!("There is no {method} {path} here.");
    ApiError::new(404, "invalid_request_error", Effect::NotExecuted, message)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoked {
    key: String,
}

/// The body may be JSON, a form, or empty.
fn given(body: &str) -> Result<Value, ApiError> {
    if !body.trim_start().starts_with('{') {
        return Ok(description::undescribed(&Form::parse("", body.trim())?.pairs));
    }
    serde_json::from_str(body).map_err(|error| ApiError::invalid(error.to_string()))
}

fn parse<T: DeserializeOwned>(body: &str) -> Result<T, ApiError> {
    read(given(body)?)
}

/// Money that was actually taken and returned. A hold and a pending debit don't count.
fn charges(standin: &StandIn) -> Value {
    let stored = standin.store.lock();
    let told = stored.stripe.everywhere::<Charge>().into_iter().map(|(account, charge)| {
        let (captured, refunded) = charge.money();
        json!({
            "account": account,
            "paymentIntent": charge.payment_intent,
            "charge": charge.id,
            "amount": charge.amount,
            "amountCaptured": captured,
            "amountRefunded": refunded,
            "currency": charge.currency,
            "disputed": charge.disputed,
            "status": charge.status,
        })
    });
    told.collect()
}

fn order(standin: &StandIn, body: &str) -> Result<Value, ApiError> {
    let mut faults = locked(&standin.faults);
    faults.order(body, faults::mistake).map_err(ApiError::invalid)?;
    Ok(json!(faults.waiting()))
}
