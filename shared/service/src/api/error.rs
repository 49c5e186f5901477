//! Every way a request can be refused: the one table of codes, and the refusal itself.
//!
//! Invariant: a refusal never says why in words of ours that depend on another's records. `not_found` and
//! `payment_intent_mismatch` have one sentence each, so that "not yours" can't be told from "not there". And
//! [`ApiError::cause`] is for the log alone: it is neither sent nor stored.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::stripe::StripeError;

/// How long a caller waits before asking again when a service that we need didn't answer.
const UNAVAILABLE_RETRY_S: u32 = 2;

macro_rules! error_codes {
    ($($name:ident = $text:literal, $status:literal, $sentence:literal;)*) => {
        /// What went wrong, for programs. The table below is the only place that knows a code's status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $sentence] $name,)*
        }

        impl ErrorCode {
            /// All of them, in the order of the contract.
            pub const ALL: &[ErrorCode] = &[$(Self::$name,)*];

            /// The code on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// What it says to a person when there is nothing better to say.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

error_codes! {
    MalformedJson = "malformed_json", 400, "The request is not valid JSON.";
    UnknownField = "unknown_field", 400, "The request has a field that this operation doesn't know.";
    WrongType = "wrong_type", 400, "A field is missing, or its value is not of the right type.";
    BadSignature = "bad_signature", 400, "The request is not signed as Stripe signs its events.";
    Unauthenticated = "unauthenticated", 401, "A valid bearer token is required.";
    Forbidden = "forbidden", 403, "The bearer token does not allow this operation.";
    NotFound = "not_found", 404, "There is no such thing.";
    PayloadTooLarge = "payload_too_large", 413, "The request is larger than 64 KiB.";
    BasketEmpty = "basket_empty", 422, "The basket has neither an enrolment nor a trial.";
    BasketTooLarge = "basket_too_large", 422, "The basket is too large: split it into smaller ones.";
    DuplicateItem = "duplicate_item", 422, "The same student is in the same class twice.";
    PlanNotInSeason = "plan_not_in_season", 422, "The pricing plan is not one of the class's season.";
    TrialNotAvailable = "trial_not_available", 422, "There is no trial of this class at that time.";
    ClassEnded = "class_ended", 422, "The class has no lessons left.";
    NoEnabledPlan = "no_enabled_plan", 422, "The season has no enabled pricing plan.";
    AmountTooLarge = "amount_too_large", 422, "The amount is larger than can be charged.";
    AmountTooSmall = "amount_too_small", 422, "The amount is smaller than can be charged.";
    PaymentRequired = "payment_required", 422, "A payment is due now, and no payment intent was named.";
    PaymentNotNeeded = "payment_not_needed", 422, "A payment intent was named, but nothing is due now.";
    NotSupported = "not_supported", 422, "This is not supported yet.";
    EnrolmentClosed = "enrolment_closed", 422, "Enrolment is closed.";
    AgeOutOfRange = "age_out_of_range", 422, "The student's age is outside the class's range.";
    ClassFull = "class_full", 409, "The class is full.";
    TrialFull = "trial_full", 409, "The lesson has no trial place left.";
    AlreadyEnrolled = "already_enrolled", 409, "The student is already enrolled in the class.";
    TrialAlreadyUsed = "trial_already_used", 409, "The student has already had a trial of the class.";
    QuoteChanged = "quote_changed", 409, "The price has changed since it was quoted.";
    PaymentNotAuthorised = "payment_not_authorised", 409, "The payment has not been authorised yet.";
    PaymentProcessing = "payment_processing", 409, "The payment is still being processed.";
    PaymentCancelled = "payment_cancelled", 409, "The payment has been cancelled.";
    PaymentAlreadyUsed = "payment_already_used", 409, "The payment belongs to another basket.";
    PaymentAlreadyCaptured = "payment_already_captured", 409, "The payment has already been captured.";
    PaymentIntentMismatch = "payment_intent_mismatch", 404, "There is no such payment intent for this family.";
    NothingToPay = "nothing_to_pay", 422, "Nothing is due on this debit.";
    LinkPaidByOther = "link_paid_by_other", 422, "What this link was for has been paid in another way.";
    LinkExpired = "link_expired", 410, "The payment link has expired.";
    LinkRevoked = "link_revoked", 410, "The payment link has been revoked.";
    PaymentInProgress = "payment_in_progress", 409, "A payment through this link is in progress.";
    TooManyAttempts = "too_many_attempts", 429, "Too many attempts through this payment link.";
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The idempotency key was used with another request.";
    IdempotencyInProgress = "idempotency_in_progress", 409, "A request with this idempotency key is in progress.";
    StripeMisconfigured = "stripe_misconfigured", 502, "The business's connection to Stripe does not work. It has to be set up again first.";
    StripeRefused = "stripe_refused", 502, "Stripe does not accept this payment for the business. Its office has to be told.";
    Unavailable = "unavailable", 503, "The service is not available at the moment. Please try again.";
    Internal = "internal", 500, "Something went wrong on our side.";
}

impl ErrorCode {
    /// The HTTP status it is answered with by the operations of a payment link. There is no basket that a caller could
    /// be in conflict with: what a checkout calls a conflict is an intent that can't be used here.
    #[must_use]
    pub const fn link_status(self) -> u16 {
        match self {
            Self::QuoteChanged
            | Self::PaymentNotAuthorised
            | Self::PaymentProcessing
            | Self::PaymentCancelled
            | Self::PaymentAlreadyUsed
            | Self::PaymentAlreadyCaptured
            | Self::PaymentIntentMismatch => 422,
            other => other.status(),
        }
    }

    /// Reads a code as it is written on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads a code of a refusal that was stored: one that only a later version knows tells that the payment is void, as all
/// of them do.
fn stored_code<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ErrorCode, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    Ok(ErrorCode::parse(&text).unwrap_or(ErrorCode::PaymentCancelled))
}

/// A refusal. Its serde form, without a request id, is what a rejected claim stores and a repetition answers.
/// Store it as JSON *text* (`serde_json::to_string`): the digits of [`payment`](Self::payment) are kept as
/// written, which a binary or a tree form of it can't do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    /// What went wrong.
    #[serde(deserialize_with = "stored_code")]
    pub code: ErrorCode,
    /// The same in words, for a person.
    pub messages: Vec<String>,
    /// Whether the authorisation was released. Set only after Stripe said `canceled`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub payment_released: bool,
    /// The new `payment` of a `quote_changed`, as JSON text, so that no amount or percentage becomes a float.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Box<RawValue>>,
    /// After how many seconds asking again makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// Why, for whoever reads the log. No secrets, no bodies.
    #[serde(skip)]
    pub cause: Option<String>,
    /// Which operation answers it.
    #[serde(skip)]
    pub operation: Operation,
}

/// The two kinds of operations that give one code different statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operation {
    /// A family's or staff's call with a token.
    #[default]
    Basket,
    /// A call by a payment link.
    Link,
}

impl ApiError {
    /// A refusal with one sentence of its own.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let retry_after_s = (code == ErrorCode::Unavailable).then_some(UNAVAILABLE_RETRY_S);
        Self {
            code,
            messages: vec![message.into()],
            payment_released: false,
            payment: None,
            retry_after_s,
            cause: None,
            operation: Operation::Basket,
        }
    }

    /// The one answer for what isn't there and for what is another's.
    #[must_use]
    pub fn not_found() -> Self {
        ErrorCode::NotFound.into()
    }

    /// A fault of ours; the caller learns nothing but the request id, the log learns `cause`.
    #[must_use]
    pub fn internal(cause: impl Into<String>) -> Self {
        Self::from(ErrorCode::Internal).because(cause)
    }

    /// The same refusal, with what the log should say about it.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same refusal with `paymentReleased: true`. Only after Stripe has said `canceled`.
    #[must_use]
    pub fn released(mut self) -> Self {
        self.payment_released = true;
        self
    }

    /// The same refusal with the price as it is now.
    #[must_use]
    pub fn with_payment(mut self, payment: Box<RawValue>) -> Self {
        self.payment = Some(payment);
        self
    }

    /// The same refusal as a payment link's operation answers it.
    #[must_use]
    pub fn by_link(mut self) -> Self {
        self.operation = Operation::Link;
        self
    }

    /// The same refusal, with the time after which another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The HTTP status it is answered with.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.operation {
            Operation::Basket => self.code.status(),
            Operation::Link => self.code.link_status(),
        }
    }
}

/// With the code's own sentence.
impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.sentence())
    }
}

/// For the time *before* anything was sent that changes something. Once money may have been touched, no error of
/// Stripe's may be turned into a refusal: the intent is read and `settle` decides.
impl From<StripeError> for ApiError {
    fn from(error: StripeError) -> Self {
        error.note_if_refused();
        let code = match error {
            StripeError::Misconfigured(_) => ErrorCode::StripeMisconfigured,
            StripeError::Refused(_) | StripeError::Declined(_) => ErrorCode::StripeRefused,
            // The next call reads what the intent is now, or takes the next key.
            StripeError::WrongState(_)
            | StripeError::IdempotencyConflict(_)
            | StripeError::Unavailable
            | StripeError::OutcomeUnknown
            | StripeError::KeySpoilt => ErrorCode::Unavailable,
        };
        Self::from(code).because(error.to_string())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())
    }
}

impl std::error::Error for ApiError {}

/// The same answer to the caller; the cause is not part of it.
impl PartialEq for ApiError {
    fn eq(&self, other: &Self) -> bool {
        let payment = |error: &Self| error.payment.as_ref().map(|raw| raw.get().to_owned());
        (self.code, &self.messages, self.payment_released, self.retry_after_s)
            == (other.code, &other.messages, other.payment_released, other.retry_after_s)
            && payment(self) == payment(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_a_sentence_and_a_name_of_its_own() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(*code));
            assert!((400..=503).contains(&code.status()), "{code}");
            assert!(code.sentence().ends_with('.'), "{code}");
        }
        assert_eq!(ErrorCode::parse("teapot"), None);
    }

    #[test]
    fn a_stored_refusal_is_replayed_digit_for_digit() {
        let payment = RawValue::from_string(r#"{"total":1029,"processingFeePercent":2.9000}"#.to_owned()).unwrap();
        let refusal = ApiError::from(ErrorCode::QuoteChanged).released().with_payment(payment).because("v7 is v8");
        let stored = serde_json::to_string(&refusal).unwrap();
        let replayed: ApiError = serde_json::from_str(&stored).unwrap();
        assert_eq!(replayed, refusal);
        assert!(stored.contains("2.9000"), "{stored}");
        assert!(!stored.contains("v7"), "the cause is not stored: {stored}");
    }

    #[test]
    fn stripe_down_is_503_with_a_time_to_wait_and_bad_credentials_are_502() {
        let down = ApiError::from(StripeError::Unavailable);
        assert_eq!((down.status(), down.retry_after_s), (503, Some(UNAVAILABLE_RETRY_S)));
        let disconnected = StripeError::from_answer(401, b"");
        assert_eq!(ApiError::from(disconnected).code, ErrorCode::StripeMisconfigured);
        let declined = ApiError::from(StripeError::from_answer(402, br#"{"error":{"code":"card_declined"}}"#));
        assert_eq!((declined.status(), declined.retry_after_s), (502, None));
        let refused = ApiError::from(StripeError::from_answer(400, br#"{"error":{"code":"amount_too_small"}}"#));
        assert_eq!((refused.status(), refused.retry_after_s), (502, None));
        assert_eq!(refused.cause.as_deref(), Some("stripe refused: 400 amount_too_small"));
    }
}
