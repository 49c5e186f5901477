//! Faults to order: what the next calls of a kind shall suffer.
//!
//! What each one does, which is what a real network and a real Stripe can do:
//! - 429 and 409: nothing is executed, nothing is remembered under the idempotency key.
//! - 500: nothing is executed, and the 500 is remembered and replayed. With `executed` the change
//!   is made and the 500 is remembered all the same. A key that has an answer already replays it.
//! - drop before: the connection closes, nothing is executed. Drop after: it is executed (and
//!   remembered), and the connection closes without an answer. Drop late: the connection closes, and
//!   it is executed when it is told to land (`POST /_control/faults/land`).
//! - refuse: Stripe refuses the call for good, with this status, code and parameter. Nothing is executed or remembered.
//! - delay: executed late, also if the caller has given up meanwhile. With `executed` it is
//!   executed at once and answered late. The idempotency key is in use until the answer.
//!
//! Invariant: a fault strikes exactly `count` calls, after it has let `after` of them pass, in the
//! order of arrival.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{ApiError, Effect};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(rename = "match", default)]
    pub calls: Calls,
    #[serde(default = "once")]
    pub count: u32,
    /// So many calls that fit go unharmed first.
    #[serde(default)]
    pub after: u32,
    #[serde(rename = "do")]
    pub action: Action,
}

fn once() -> u32 {
    1
}

/// Which calls: all that is given must fit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Calls {
    pub method: Option<String>,
    /// A part of the path: `/capture`.
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
    Refuse(Refuse),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refuse {
    pub refuse: Refusal,
}

/// A refusal that stands, in Stripe's words.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    pub status: u16,
    pub code: Option<String>,
    pub param: Option<String>,
    #[serde(default)]
    pub message: String,
}

impl Refusal {
    /// As Stripe writes it.
    pub fn body(&self) -> Value {
        let mut error = json!({"type": "invalid_request_error", "message": self.message});
        for (name, value) in [("code", &self.code), ("param", &self.param)] {
            if let Some(value) = value {
                error[name] = value.as_str().into();
            }
        }
        json!({ "error": error })
    }
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

impl Fault {
    /// Why it can't be ordered, if it can't.
    pub fn mistake(&self) -> Option<&'static str> {
        match &self.action {
            _ if self.count == 0 => Some("count must be at least 1"),
            Action::Answer(AnswerWith { status: 429 | 409, executed: true }) => {
                Some("a 429 or a 409 says that nothing was executed")
            }
            Action::Answer(AnswerWith { status: 429 | 409 | 500, .. }) => None,
            Action::Answer(_) => Some("status must be 429, 409 or 500"),
            Action::Refuse(Refuse { refuse: Refusal { status: 400..=499, .. } }) => None,
            Action::Refuse(_) => Some("a refusal's status is 4xx"),
            Action::Drop(_) | Action::Delay(_) => None,
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

    /// Those that have calls left to strike.
    pub fn waiting(&self) -> &[Fault] {
        &self.0
    }

    /// What this call suffers. The first ordered fault that fits, and has let pass what it was to let
    /// pass, strikes, once less.
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
        fault.count -= 1;
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

/// A 500 that is Stripe's own fault, and remembered.
pub(crate) fn broken() -> ApiError {
    let mut error = ApiError::internal();
    error.0.effect = Effect::Refused;
    error
}
