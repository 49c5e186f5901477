//! Injected faults for the next calls of a kind.
//!
//! What each fault does. A real network and a real Stripe can do all of these:
//! - 429 and 409: nothing is executed, and nothing is stored under the idempotency key.
//! - 500: nothing is executed, and the 500 is stored and replayed. With `executed` the change is made and the 500 is
//!   stored all the same. A key that already has an answer replays it.
//! - drop before: the connection closes, nothing is executed. Drop after: the call is executed (and stored), and the
//!   connection closes without an answer. Drop late: the connection closes, and the call is executed on request
//!   (`POST /_control/faults/land`).
//! - delay: executed late, even if the caller has given up meanwhile. With `executed` it is executed at once and
//!   answered late. The idempotency key is in use until the answer.
//! - hang: no answer is sent, and the connection stays open until the caller gives up. Before: nothing is executed.
//!   After: it is executed (and stored), and the key is free, as it is at Stripe once a call is done.
//! - refuse: nothing is executed, and the answer is this error of Stripe's. It is stored under the key as at Stripe: an
//!   error that an endpoint returns when it runs is stored (402, 404, most 400s); an error from before that is not
//!   (401, 403, a 400 whose code begins with `parameter_`). `remembered` overrides this. A key that already has an
//!   answer replays it.
//!
//! A fault applies to exactly `count` calls, or with `lasting` to all until it is withdrawn, after letting `after` of
//! them pass, in the order of arrival.

use serde::{Deserialize, Serialize};

use crate::error::{ApiError, Effect};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(rename = "match", default)]
    pub calls: Calls,
    #[serde(default = "once")]
    pub count: u32,
    /// The fault applies until it is withdrawn, and `count` has no meaning.
    #[serde(default)]
    pub lasting: bool,
    /// The number of matching calls that pass first.
    #[serde(default)]
    pub after: u32,
    #[serde(rename = "do")]
    pub action: Action,
}

fn once() -> u32 {
    1
}

/// Which calls match; every given field must match.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Calls {
    pub method: Option<String>,
    /// Part of the path: `/capture`.
    pub path: Option<String>,
    /// The whole path, with `{id}` for ids: `/v1/payment_intents`, `/v1/payment_intents/{id}`.
    pub route: Option<String>,
}

impl Calls {
    fn fit(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|given| given.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|given| path.contains(given.as_str()))
            && self.route.as_ref().is_none_or(|given| *given == crate::routes::pattern(path))
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Action {
    Answer(AnswerWith),
    Drop(DropConnection),
    Delay(Delay),
    Hang(Hang),
    Refuse(Refuse),
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerWith {
    pub status: u16,
    #[serde(default)]
    pub executed: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DropConnection {
    pub drop: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum When {
    Before,
    After,
    Late,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Delay {
    pub delay_ms: u64,
    #[serde(default)]
    pub executed: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hang {
    pub hang: HangWhen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum HangWhen {
    Before,
    After,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refuse {
    pub refuse: Refused,
}

/// An error in Stripe's words.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Refused {
    pub status: u16,
    #[serde(rename = "type")]
    pub kind: Option<ErrorType>,
    pub code: Option<String>,
    #[serde(alias = "decline_code")]
    pub decline_code: Option<String>,
    pub param: Option<String>,
    pub message: Option<String>,
    pub remembered: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ErrorType {
    #[serde(rename = "api_error")]
    Api,
    #[serde(rename = "card_error")]
    Card,
    #[serde(rename = "idempotency_error")]
    Idempotency,
    #[serde(rename = "invalid_request_error")]
    InvalidRequest,
}

impl Refused {
    fn mistake(&self) -> Option<&'static str> {
        match self.status {
            400 | 402 | 404 => None,
            401 | 403 if self.remembered == Some(true) => {
                Some("a 401 or a 403 is said before anything runs, so it isn't remembered")
            }
            401 | 403 => None,
            _ => Some("the status of a refusal must be 400, 401, 402, 403 or 404"),
        }
    }

    pub fn error(&self) -> ApiError {
        let kind = self.kind.unwrap_or(match self.status {
            402 => ErrorType::Card,
            _ => ErrorType::InvalidRequest,
        });
        let kind = match kind {
            ErrorType::Api => "api_error",
            ErrorType::Card => "card_error",
            ErrorType::Idempotency => "idempotency_error",
            ErrorType::InvalidRequest => "invalid_request_error",
        };
        let before = self.code.as_deref().is_some_and(|code| code.starts_with("parameter_"));
        let runs = !matches!(self.status, 401 | 403) && !before;
        let effect = if self.remembered.unwrap_or(runs) { Effect::Refused } else { Effect::NotExecuted };
        let message = self.message.clone().unwrap_or_else(|| "This call was refused, as ordered.".into());
        let mut error = ApiError::new(self.status, kind, effect, message);
        if let Some(code) = &self.code {
            error = error.code(code.clone());
        }
        error.0.detail.decline_code = self.decline_code.clone().map(Into::into);
        error.0.detail.param.clone_from(&self.param);
        error
    }
}

impl Fault {
    /// Why the fault can't be injected, if it can't.
    pub fn mistake(&self) -> Option<&'static str> {
        match &self.action {
            _ if self.count == 0 => Some("count must be at least 1"),
            Action::Answer(AnswerWith { status: 429 | 409, executed: true }) => {
                Some("a 429 or a 409 says that nothing was executed")
            }
            Action::Answer(AnswerWith { status: 429 | 409 | 500, .. }) => None,
            Action::Answer(_) => Some("status must be 429, 409 or 500"),
            Action::Refuse(Refuse { refuse }) => refuse.mistake(),
            Action::Drop(_) | Action::Delay(_) | Action::Hang(_) => None,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub fn order(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Faults that still apply to further calls.
    pub fn waiting(&self) -> &[Fault] {
        &self.0
    }

    /// The fault for this call: the first that matches and has let enough calls pass. Its count goes down by one.
    pub fn strike(&mut self, method: &str, path: &str) -> Option<Action> {
        let mut struck = None;
        for (index, fault) in self.0.iter_mut().enumerate().filter(|(_, fault)| fault.calls.fit(method, path)) {
            if fault.after == 0 {
                struck = Some(index);
                break;
            }
            fault.after -= 1;
        }
        let index = struck?;
        let fault = &mut self.0[index];
        let action = fault.action.clone();
        if !fault.lasting {
            fault.count -= 1;
        }
        if fault.count == 0 {
            self.0.remove(index);
        }
        Some(action)
    }
}

pub(crate) fn rate_limited() -> ApiError {
    let message = "Request rate limit exceeded. You can learn more about rate limits here \
                   https://stripe.com/docs/rate-limits.";
    ApiError::new(429, "invalid_request_error", Effect::NotExecuted, message).code("rate_limit")
}

/// A 500 that is Stripe's own fault and is stored.
pub(crate) fn broken() -> ApiError {
    let mut error = ApiError::internal();
    error.0.effect = Effect::Refused;
    error
}
