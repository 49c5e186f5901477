//! Stripe's error body, as one type.
//!
//! An error says what the call changed (`Effect`), because that decides whether the change is kept and whether the
//! answer is stored under the idempotency key.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use crate::means::Decline;

/// What the refused call changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The parameters were refused before anything was executed, so the idempotency key stays free.
    NotExecuted,
    /// It was executed and changed nothing; the answer is stored.
    Refused,
    /// It failed but changed something (a decline). The change is kept, and the answer is stored.
    Changed,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Detail {
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc_url: Option<String>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_intent: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_log_url: Option<String>,
}

/// Boxed because every handler returns it and it is large.
#[derive(Debug, Clone)]
pub struct ApiError(pub Box<Refusal>);

#[derive(Debug, Clone)]
pub struct Refusal {
    pub status: u16,
    pub effect: Effect,
    pub detail: Detail,
}

impl ApiError {
    pub fn new(status: u16, kind: impl Into<Cow<'static, str>>, effect: Effect, message: impl Into<String>) -> Self {
        let detail = Detail { kind: kind.into(), message: message.into(), ..Detail::default() };
        Self(Box::new(Refusal { status, effect, detail }))
    }

    /// 400 before execution: not stored under an idempotency key.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", Effect::NotExecuted, message)
    }

    /// 400 at execution: stored.
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", Effect::Refused, message).code(code)
    }

    /// 404: the object in the path doesn't exist or belongs to another account.
    pub fn no_such(what: &str, id: &str, param: &str) -> Self {
        Self::new(404, "invalid_request_error", Effect::Refused, format!("No such {what}: '{id}'"))
            .code("resource_missing")
            .param(param)
    }

    /// 400: an object that a parameter names doesn't exist.
    pub fn no_such_reference(what: &str, id: &str, param: &str) -> Self {
        let mut error = Self::no_such(what, id, param);
        error.0.status = 400;
        error
    }

    pub fn missing(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}.")).code("parameter_missing").param(param)
    }

    pub fn unknown_parameter(param: &str) -> Self {
        Self::invalid(format!("Received unknown parameter: {param}")).code("parameter_unknown").param(param)
    }

    /// 402: the card's bank declines.
    pub(crate) fn declined(reason: Decline) -> Self {
        let mut error = Self::new(402, "card_error", Effect::Changed, reason.message).code(reason.code);
        error.0.detail.decline_code = Some(reason.decline_code.into());
        error
    }

    /// 400 at execution, without a code: stored.
    pub(crate) fn refused_plainly(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", Effect::Refused, message)
    }

    /// 400: a value is empty that can't be unset.
    pub fn empty(param: &str) -> Self {
        Self::invalid(format!(
            "You passed an empty string for '{param}'. We assume empty values are an attempt to unset \
             a parameter; however '{param}' cannot be unset. You should remove '{param}' from your \
             request or supply a non-empty value."
        ))
        .code("parameter_invalid_empty")
        .param(param)
    }

    /// Stripe's own failure. A failure to write our state looks the same from outside.
    pub fn internal() -> Self {
        Self::internal_because("An unknown error occurred. Please try again, or look at the stand-in's log.")
    }

    /// As `internal`, for a mistake of ours that has a description.
    pub fn internal_because(message: impl Into<String>) -> Self {
        Self::new(500, "api_error", Effect::NotExecuted, message)
    }

    /// Stripe's own failure, stored and answered again.
    pub fn broken() -> Self {
        let mut error = Self::internal();
        error.0.effect = Effect::Refused;
        error
    }

    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        let page = code.replace('_', "-");
        self.0.detail.doc_url = Some(format!("https://stripe.com/docs/error-codes/{page}"));
        self.0.detail.code = Some(code);
        self
    }

    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.0.detail.param = Some(param.into());
        self
    }

    pub fn payment_intent(mut self, intent: Value) -> Self {
        self.0.detail.payment_intent = Some(intent);
        self
    }

    pub fn body(&self) -> Value {
        json!({ "error": self.0.detail })
    }
}
