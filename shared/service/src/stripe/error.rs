//! What a failed call to Stripe proves, sorted by what the caller can do next.
//!
//! Invariant: [`StripeError::Unavailable`] is said only when Stripe provably did nothing. Whatever else is not a
//! clear answer is [`StripeError::OutcomeUnknown`]: read the intent, and conclude nothing before.

use std::fmt::Display;

use serde::Deserialize;
use stripe_client_core::StripeClientErr;

/// Our own code for an answer that is not read to its end.
const TOO_LARGE: &str = "answer_too_large";

/// Why a call to Stripe failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StripeError {
    /// The bank or Stripe said no to this payment (402). Another card may work.
    #[error("stripe declined: {0}")]
    Declined(Rejection),
    /// The request itself was refused: a state, a parameter, an id. The same call will be refused again.
    #[error("stripe rejected: {0}")]
    Rejected(Rejection),
    /// Bad credentials, or an account that is no longer connected (401, 403, `account_invalid`).
    #[error("stripe is misconfigured: {0}")]
    Misconfigured(Rejection),
    /// Nothing was done: no connection, too many requests, or a read that failed.
    #[error("stripe is unavailable, nothing was done")]
    Unavailable,
    /// It may have been done, and may still be done: a lost reply, a 5xx, an answer that can't be read.
    #[error("stripe's outcome is unknown")]
    OutcomeUnknown,
    /// As [`Self::OutcomeUnknown`], and the same key will be answered so for a day: Stripe has answered with a 5xx, which
    /// it stores. Only another key can get further.
    #[error("stripe's outcome is unknown, and the key is spoilt")]
    KeySpoilt,
}

/// What Stripe says about a refusal. Its `Display` leaves out Stripe's message, which may name things.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rejection {
    /// The HTTP status; 0 if the refusal is ours: it was never sent, or its answer is too large.
    pub status: u16,
    /// Stripe's code; for an error without one its type (`idempotency_error`).
    pub code: Option<String>,
    /// The bank's reason.
    pub decline_code: Option<String>,
    /// Stripe's sentence. For people, never for a decision, and never for a log.
    pub message: String,
}

impl Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.code.as_deref().unwrap_or("without a code"))
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
    decline_code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl Rejection {
    /// Reads an error answer. A body that isn't Stripe's JSON (a proxy's page) keeps its status.
    fn read(status: u16, body: &[u8]) -> Self {
        let Ok(ErrorBody { error }) = serde_json::from_slice(body) else {
            return Self { status, ..Self::default() };
        };
        Self {
            status,
            code: error.code.or(error.kind),
            decline_code: error.decline_code,
            message: error.message.unwrap_or_default(),
        }
    }

    /// Whether Stripe gave this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl StripeError {
    /// Sorts an answer that is no success.
    #[must_use]
    pub fn from_answer(status: u16, body: &[u8]) -> Self {
        let rejection = Rejection::read(status, body);
        match status {
            402 => Self::Declined(rejection),
            401 | 403 => Self::Misconfigured(rejection),
            429 => Self::Unavailable,
            409 if rejection.has_code("lock_timeout") => Self::Unavailable,
            // Another request with this very key is on its way: *this* one did nothing, that one may.
            409 if rejection.has_code("idempotency_key_in_use") => Self::OutcomeUnknown,
            // 408 and 424 are a lost reply and a dependency's failure, whatever their first digit says.
            408 | 424 => Self::OutcomeUnknown,
            400..=499 if rejection.has_code("account_invalid") => Self::Misconfigured(rejection),
            400..=499 => Self::Rejected(rejection),
            500..=599 => Self::KeySpoilt,
            _ => Self::OutcomeUnknown,
        }
    }

    /// A call that our own code got wrong and that was not sent.
    pub(crate) fn refused_unsent(why: &'static str) -> Self {
        tracing::error!(why, "a call to stripe was not sent");
        Self::Rejected(Rejection {
            status: 0,
            code: Some("refused_unsent".to_owned()),
            decline_code: None,
            message: why.to_owned(),
        })
    }

    /// A read whose answer is too large to be read: the same call will be answered with as much again.
    pub(crate) fn too_large() -> Self {
        Self::Rejected(Rejection { code: Some(TOO_LARGE.to_owned()), ..Rejection::default() })
    }

    /// Whether a smaller page may be read where this one can't.
    pub(crate) fn is_too_large(&self) -> bool {
        match self {
            Self::Rejected(rejection) => rejection.status == 0 && rejection.has_code(TOO_LARGE),
            Self::Declined(_) | Self::Misconfigured(_) | Self::Unavailable | Self::OutcomeUnknown | Self::KeySpoilt => {
                false
            }
        }
    }

    /// Whether the same call with the same key may be made again later and may then succeed.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unavailable | Self::OutcomeUnknown => true,
            Self::Declined(_) | Self::Rejected(_) | Self::Misconfigured(_) | Self::KeySpoilt => false,
        }
    }

    /// Whether Stripe has no such object.
    #[must_use]
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Self::Rejected(rejection) => rejection.status == 404 && rejection.has_code("resource_missing"),
            Self::Declined(_) | Self::Misconfigured(_) | Self::Unavailable | Self::OutcomeUnknown | Self::KeySpoilt => {
                false
            }
        }
    }
}

/// An answer of 2xx that we can't read: it was done, but we don't know what.
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
        assert!(matches!(answer(400, "payment_intent_unexpected_state"), StripeError::Rejected(_)));
        assert!(matches!(answer(401, ""), StripeError::Misconfigured(_)));
        assert!(matches!(answer(403, "account_invalid"), StripeError::Misconfigured(_)));
        assert!(matches!(answer(400, "account_invalid"), StripeError::Misconfigured(_)));
        assert_eq!(answer(429, "rate_limit"), StripeError::Unavailable);
        assert_eq!(answer(409, "lock_timeout"), StripeError::Unavailable);
        for (status, code) in [(409, "idempotency_key_in_use"), (424, ""), (302, "")] {
            assert_eq!(answer(status, code), StripeError::OutcomeUnknown, "{status}");
        }
        for status in [500, 502, 503, 599] {
            assert_eq!(answer(status, ""), StripeError::KeySpoilt, "{status}");
        }
    }

    #[test]
    fn a_page_of_a_proxy_keeps_its_status() {
        let StripeError::Rejected(rejection) = StripeError::from_answer(404, b"<html>") else { panic!("rejected") };
        assert_eq!(rejection, Rejection { status: 404, ..Rejection::default() });
        assert!(!StripeError::Rejected(rejection).is_missing(), "a proxy's 404 says nothing about an intent");
    }

    #[test]
    fn an_error_without_a_code_is_named_by_its_type() {
        let body = br#"{"error":{"type":"idempotency_error","message":"Keys for idempotent requests"}}"#;
        let StripeError::Rejected(rejection) = StripeError::from_answer(400, body) else { panic!("rejected") };
        assert!(rejection.has_code("idempotency_error"));
    }

    #[test]
    fn what_goes_to_the_log_has_no_message_of_stripe_s() {
        let error = StripeError::from_answer(401, br#"{"error":{"message":"Invalid API Key: sk_l***"}}"#);
        assert_eq!(error.to_string(), "stripe is misconfigured: 401 without a code");
    }
}
