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
//! Calls are counted in the order of arrival.

use std::borrow::Cow;

use classpay_stripe_model::{ApiError, Effect};
use serde::{Deserialize, Serialize};

use crate::fault_queue::FaultQueue;

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
    pub fn fit(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|given| given.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|given| path.contains(given.as_str()))
            && self.route.as_ref().is_none_or(|given| *given == crate::routes::pattern(path))
    }
}

/// It says by its field what it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Action {
    Answer {
        status: u16,
        #[serde(default)]
        executed: bool,
    },
    Drop {
        drop: When,
    },
    Delay {
        #[serde(rename = "delayMs")]
        delay_ms: u64,
        #[serde(default)]
        executed: bool,
    },
    Hang {
        hang: When,
    },
    Refuse {
        refuse: Refused,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum When {
    Before,
    After,
    Late,
}

/// An error in Stripe's words.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Refused {
    pub status: u16,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub code: Option<String>,
    #[serde(alias = "decline_code")]
    pub decline_code: Option<String>,
    pub param: Option<String>,
    pub message: Option<String>,
    pub remembered: Option<bool>,
}

/// Stripe's types of errors.
const TYPES: [&str; 4] = ["api_error", "card_error", "idempotency_error", "invalid_request_error"];

impl Refused {
    fn mistake(&self) -> Option<&'static str> {
        if self.kind.as_deref().is_some_and(|kind| !TYPES.contains(&kind)) {
            return Some("the type is none of Stripe's");
        }
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
        let usual = if self.status == 402 { "card_error" } else { "invalid_request_error" };
        let kind = self.kind.clone().map_or(usual.into(), Cow::Owned);
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

/// Why a fault can't be injected, if it can't.
pub(crate) fn mistake(_: &Calls, action: &Action) -> Option<&'static str> {
    match action {
        Action::Answer { status: 429 | 409, executed: true } => Some("a 429 or a 409 says that nothing was executed"),
        Action::Answer { status: 429 | 409 | 500, .. } => None,
        Action::Answer { .. } => Some("status must be 429, 409 or 500"),
        Action::Refuse { refuse } => refuse.mistake(),
        Action::Hang { hang: When::Late } => Some("a call that hangs is executed before or after, or not at all"),
        Action::Drop { .. } | Action::Delay { .. } | Action::Hang { .. } => None,
    }
}

/// The faults of calls.
pub(crate) type Faults = FaultQueue<Calls, Action>;

pub(crate) fn rate_limited() -> ApiError {
    let message = "Request rate limit exceeded. You can learn more about rate limits here \
                   https://stripe.com/docs/rate-limits.";
    ApiError::new(429, "invalid_request_error", Effect::NotExecuted, message).code("rate_limit")
}
