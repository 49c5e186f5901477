//! What a failed call to Stripe proves, sorted by what the caller can do next.
//!
//! Invariant: [`StripeError::Unavailable`] means that Stripe provably did nothing. Any other unclear answer is
//! [`StripeError::OutcomeUnknown`]: read the intent before drawing conclusions.

use std::fmt::Display;

use serde::Deserialize;
use stripe_client_core::StripeClientErr;

use crate::telemetry::{self, Count};

/// Our own code for an answer that is too large to read.
const TOO_LARGE: &str = "answer_too_large";

/// Why a call to Stripe failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StripeError {
    /// The bank or Stripe declined (402). None of our calls contains a payer's card, so it is a refusal like any other.
    #[error("stripe declined: {0}")]
    Declined(Rejection),
    /// The request itself is permanently refused: a parameter, an id, something that the account may not do. The same
    /// call is refused again, under any key.
    #[error("stripe refused: {0}")]
    Refused(Rejection),
    /// The intent's state doesn't allow this call. Read the intent.
    #[error("stripe refused in this state: {0}")]
    WrongState(Rejection),
    /// The key was used with other parameters, or was refused before. A call that creates something continues with the
    /// next key. For a call that moves money it is a lost reply: read the intent.
    #[error("stripe has answered the key before: {0}")]
    IdempotencyConflict(Rejection),
    /// Bad credentials, or an account that is no longer connected (401, 403, `account_invalid`).
    #[error("stripe is misconfigured: {0}")]
    Misconfigured(Rejection),
    /// Nothing was done: no connection, too many requests, or a read that failed.
    #[error("stripe is unavailable, nothing was done")]
    Unavailable,
    /// It may have been done, and may still be done: a lost reply, a 5xx, an answer that can't be read.
    #[error("stripe's outcome is unknown")]
    OutcomeUnknown,
    /// As [`Self::OutcomeUnknown`], and the same key gets the same answer for a day, because Stripe stores a 5xx. Only
    /// another key can get further.
    #[error("stripe's outcome is unknown, and the key is spoilt")]
    KeyExhausted,
}

/// What Stripe says about a refusal. Its `Display` omits Stripe's message, which may contain personal data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rejection {
    /// The HTTP status; 0 if the refusal is ours: the call was not sent, or its answer is too large.
    pub status: u16,
    /// Stripe's code, or its type (`idempotency_error`) if it has none.
    pub code: Option<String>,
    /// The parameter that Stripe refuses: `customer`.
    pub param: Option<String>,
    /// The bank's decline code.
    pub decline_code: Option<String>,
    /// Stripe's sentence. For people only: never for a decision, never for a log.
    pub message: String,
}

impl Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.code.as_deref().unwrap_or("without a code"))?;
        self.param.as_ref().map_or(Ok(()), |param| write!(f, " ({param})"))
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorFields,
}

#[derive(Deserialize)]
struct ErrorFields {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
    decline_code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl Rejection {
    /// Reads an error answer; `None`: the body isn't Stripe's JSON, but a proxy's page for example.
    fn read(status: u16, body: &[u8]) -> Option<Self> {
        let ErrorBody { error } = serde_json::from_slice(body).ok()?;
        Some(Self {
            status,
            code: error.code.or(error.kind),
            param: error.param,
            decline_code: error.decline_code,
            message: error.message.unwrap_or_default(),
        })
    }

    /// Whether Stripe gave this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether Stripe names this parameter, or a part of it (`allowed_payment_method_types[1]`).
    #[must_use]
    pub fn names(&self, param: &str) -> bool {
        let rest = self.param.as_deref().and_then(|named| named.strip_prefix(param));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
    }
}

/// Whether an account is closed to us, or to this kind of call.
fn is_closed(why: &Rejection) -> bool {
    why.status == 403 || why.has_code("account_invalid")
}

fn note(why: &Rejection) {
    let (status, code, param) = (why.status, why.code.as_deref(), why.param.as_deref());
    tracing::error!(status, code, param, "stripe refused a call for good");
    telemetry::count(Count::StripeRefused);
}

impl StripeError {
    /// Classifies an answer that is no success.
    #[must_use]
    pub fn from_answer(status: u16, body: &[u8]) -> Self {
        match Rejection::read(status, body) {
            Some(rejection) => Self::of(rejection),
            // A page from a proxy between Stripe and us says nothing about the call, except by its status.
            None => match Self::of(Rejection { status, ..Rejection::default() }) {
                Self::Refused(_) => Self::OutcomeUnknown,
                sorted => sorted,
            },
        }
    }

    /// Classifies a rejection.
    #[must_use]
    pub fn of(rejection: Rejection) -> Self {
        match rejection.status {
            402 => Self::Declined(rejection),
            401 | 403 => Self::Misconfigured(rejection),
            429 => Self::Unavailable,
            409 if rejection.has_code("lock_timeout") => Self::Unavailable,
            // 409: another request is in progress, perhaps with this very key: *this* one did nothing, that one may.
            // 408 and 424 are a lost reply and a dependency's failure, although they are 4xx.
            408 | 409 | 424 => Self::OutcomeUnknown,
            400..=499 if rejection.has_code("account_invalid") => Self::Misconfigured(rejection),
            400..=499 if rejection.has_code("idempotency_error") => Self::IdempotencyConflict(rejection),
            400..=499 if rejection.has_code("payment_intent_unexpected_state") => Self::WrongState(rejection),
            400..=499 => Self::Refused(rejection),
            500..=599 => Self::KeyExhausted,
            _ => Self::OutcomeUnknown,
        }
    }

    /// A malformed call of our own, which was not sent.
    pub(crate) fn refused_unsent(why: &'static str) -> Self {
        tracing::error!(why, "a call to stripe was not sent");
        let (code, message) = (Some("refused_unsent".to_owned()), why.to_owned());
        Self::Refused(Rejection { code, message, ..Rejection::default() })
    }

    /// A read whose answer is too large: the same call would get the same answer.
    pub(crate) fn too_large() -> Self {
        Self::Refused(Rejection { code: Some(TOO_LARGE.to_owned()), ..Rejection::default() })
    }

    /// Whether a smaller page may be readable.
    pub(crate) fn is_too_large(&self) -> bool {
        self.refusal().is_some_and(|why| why.status == 0 && why.has_code(TOO_LARGE))
    }

    /// The same error, replayed from what Stripe stored under the key. What was refused then may be allowed now, and
    /// only another key finds out.
    #[must_use]
    pub fn replayed(self) -> Self {
        match self {
            Self::Refused(rejection) | Self::Declined(rejection) => Self::IdempotencyConflict(rejection),
            Self::WrongState(_)
            | Self::IdempotencyConflict(_)
            | Self::Misconfigured(_)
            | Self::Unavailable
            | Self::OutcomeUnknown
            | Self::KeyExhausted => self,
        }
    }

    /// Whether the same call with the same key may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unavailable | Self::OutcomeUnknown => true,
            Self::Declined(_)
            | Self::Refused(_)
            | Self::WrongState(_)
            | Self::IdempotencyConflict(_)
            | Self::Misconfigured(_)
            | Self::KeyExhausted => false,
        }
    }

    /// The refusal, if Stripe refuses permanently.
    #[must_use]
    pub fn refusal(&self) -> Option<&Rejection> {
        match self {
            Self::Refused(rejection) | Self::Declined(rejection) => Some(rejection),
            Self::WrongState(_)
            | Self::IdempotencyConflict(_)
            | Self::Misconfigured(_)
            | Self::Unavailable
            | Self::OutcomeUnknown
            | Self::KeyExhausted => None,
        }
    }

    /// Counts and logs a permanent refusal that the caller can do nothing about. It needs a person, because the same
    /// call will always be refused.
    pub fn note_if_refused(&self) {
        self.refusal().into_iter().for_each(note);
    }

    /// The same for a forbidden call on an object that we can still read.
    pub(crate) fn note_if_forbidden(&self) {
        match self {
            Self::Misconfigured(why) if is_closed(why) => note(why),
            _ => {}
        }
    }

    /// Whether the key is used up, so that only another can get further: Stripe has stored a 5xx under it, or other
    /// parameters.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        match self {
            Self::KeyExhausted | Self::IdempotencyConflict(_) => true,
            Self::Declined(_)
            | Self::Refused(_)
            | Self::WrongState(_)
            | Self::Misconfigured(_)
            | Self::Unavailable
            | Self::OutcomeUnknown => false,
        }
    }

    /// Whether the object in the path doesn't exist at Stripe.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.refusal().is_some_and(|why| why.status == 404 && why.has_code("resource_missing"))
    }

    /// The error for an object that doesn't exist: a read answers `None`, which is a refusal for a caller that needs
    /// the object.
    #[must_use]
    pub fn missing() -> Self {
        Self::of(Rejection { status: 404, code: Some("resource_missing".to_owned()), ..Rejection::default() })
    }

    /// Whether Stripe permanently refuses to show the object: its account is closed to us, or has no such object, or
    /// the call is refused. A rejected key of ours (401) doesn't count, because it can be corrected.
    #[must_use]
    pub(crate) fn tells_nothing(&self) -> bool {
        self.refusal().is_some() || matches!(self, Self::Misconfigured(why) if is_closed(why))
    }

    /// Whether Stripe refuses the payment method types.
    #[must_use]
    pub fn refuses_methods(&self) -> bool {
        let named = |why: &Rejection| why.names("allowed_payment_method_types") || why.names("payment_method_types");
        self.refusal().is_some_and(named)
    }

    /// Whether the customer in the call doesn't exist at Stripe, or no longer does.
    #[must_use]
    pub fn lacks_customer(&self) -> bool {
        self.refusal().is_some_and(|why| why.has_code("resource_missing") && why.names("customer"))
    }
}

/// A 2xx answer that we can't read: something was done, but we don't know what.
impl StripeClientErr for StripeError {
    fn deserialize_err(_: impl Display) -> Self {
        tracing::error!("stripe's answer can't be read");
        Self::OutcomeUnknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &str) -> StripeError {
        let body = format!(r#"{{"error":{{"type":"t","code":"{code}","message":"m"}}}}"#);
        StripeError::from_answer(status, body.as_bytes())
    }

    #[test]
    fn an_answer_is_sorted_by_what_can_be_done_next() {
        assert!(matches!(answer(402, "card_declined"), StripeError::Declined(_)));
        assert!(matches!(answer(400, "parameter_invalid_integer"), StripeError::Refused(_)));
        assert!(matches!(answer(400, "payment_intent_unexpected_state"), StripeError::WrongState(_)));
        assert!(matches!(answer(400, "idempotency_error"), StripeError::IdempotencyConflict(_)));
        assert!(matches!(answer(401, ""), StripeError::Misconfigured(_)));
        assert!(matches!(answer(403, "account_invalid"), StripeError::Misconfigured(_)));
        assert!(matches!(answer(400, "account_invalid"), StripeError::Misconfigured(_)));
        assert_eq!(answer(429, "rate_limit"), StripeError::Unavailable);
        assert_eq!(answer(409, "lock_timeout"), StripeError::Unavailable);
        for (status, code) in [(409, "idempotency_key_in_use"), (409, ""), (424, ""), (302, "")] {
            assert_eq!(answer(status, code), StripeError::OutcomeUnknown, "{status}");
        }
        for status in [500, 502, 503, 599] {
            assert_eq!(answer(status, ""), StripeError::KeyExhausted, "{status}");
        }
    }

    #[test]
    fn a_page_of_a_proxy_says_nothing() {
        assert_eq!(StripeError::from_answer(404, b"<html>"), StripeError::OutcomeUnknown);
    }

    #[test]
    fn an_error_without_a_code_is_named_by_its_type() {
        let body = br#"{"error":{"type":"idempotency_error","message":"Keys for idempotent requests"}}"#;
        assert!(matches!(StripeError::from_answer(400, body), StripeError::IdempotencyConflict(_)));
    }

    #[test]
    fn a_customer_that_is_gone_is_told_from_an_intent_that_is() {
        let body = |param| format!(r#"{{"error":{{"code":"resource_missing","param":"{param}"}}}}"#);
        let [customer, intent] = ["customer", "intent"].map(|p| StripeError::from_answer(404, body(p).as_bytes()));
        assert!(customer.lacks_customer() && !intent.lacks_customer() && intent.is_missing());
        assert_eq!(customer.to_string(), "stripe refused: 404 resource_missing (customer)");
    }

    #[test]
    fn what_goes_to_the_log_has_no_message_of_stripe_s() {
        let error = StripeError::from_answer(401, br#"{"error":{"message":"Invalid API Key: sk_l***"}}"#);
        assert_eq!(error.to_string(), "stripe is misconfigured: 401 without a code");
    }
}
