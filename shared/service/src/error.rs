//! Every way in which a call can fail: the codes, and the error itself.
//!
//! A refusal's words never depend on another family's records. `not_found` and `payment_intent_mismatch` have one
//! sentence each, so that "not yours" and "not there" can't be distinguished. [`Error::cause`] is for the log alone: it
//! is neither sent nor stored.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::clock::UnknownTimeZone;
use crate::store::StoreError;
use crate::stripe::StripeError;

/// How long a caller waits before asking again when a service that we need didn't answer.
const UNAVAILABLE_RETRY_S: u32 = 2;

macro_rules! error_codes {
    ($($name:ident = $text:literal, $kind:ident, $sentence:literal;)*) => {
        /// What went wrong, for programs. Its HTTP status is the edge's matter.
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

            /// What a caller can do about it.
            #[must_use]
            pub const fn kind(self) -> ErrorKind {
                match self { $(Self::$name => ErrorKind::$kind,)* }
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
    MalformedJson = "malformed_json", Refused, "The request is not valid JSON.";
    UnknownField = "unknown_field", Refused, "The request has a field that this operation doesn't know.";
    WrongType = "wrong_type", Refused, "A field is missing, or its value is not of the right type.";
    BadSignature = "bad_signature", Refused, "The request is not signed as Stripe signs its events.";
    Unauthenticated = "unauthenticated", Refused, "A valid bearer token is required.";
    Forbidden = "forbidden", Refused, "The bearer token does not allow this operation.";
    NotFound = "not_found", Refused, "There is no such thing.";
    PayloadTooLarge = "payload_too_large", Refused, "The request is larger than 64 KiB.";
    BasketEmpty = "basket_empty", Refused, "The basket has neither an enrolment nor a trial.";
    BasketTooLarge = "basket_too_large", Refused, "The basket is too large: split it into smaller ones.";
    DuplicateItem = "duplicate_item", Refused, "The same student is in the same class twice.";
    PlanNotInSeason = "plan_not_in_season", Refused, "The pricing plan is not one of the class's season.";
    TrialNotAvailable = "trial_not_available", Refused, "There is no trial of this class at that time.";
    ClassEnded = "class_ended", Refused, "The class has no lessons left.";
    NoEnabledPlan = "no_enabled_plan", Refused, "The season has no enabled pricing plan.";
    AmountTooLarge = "amount_too_large", Refused, "The amount is larger than can be charged.";
    AmountTooSmall = "amount_too_small", Refused, "The amount is smaller than can be charged.";
    PaymentRequired = "payment_required", Refused, "A payment is due now, and no payment intent was named.";
    PaymentNotNeeded = "payment_not_needed", Refused, "A payment intent was named, but nothing is due now.";
    NotSupported = "not_supported", Refused, "This is not supported yet.";
    EnrolmentClosed = "enrolment_closed", Refused, "Enrolment is closed.";
    AgeOutOfRange = "age_out_of_range", Refused, "The student's age is outside the class's range.";
    ClassFull = "class_full", Refused, "The class is full.";
    TrialFull = "trial_full", Refused, "The lesson has no trial place left.";
    AlreadyEnrolled = "already_enrolled", Refused, "The student is already enrolled in the class.";
    TrialAlreadyUsed = "trial_already_used", Refused, "The student has already had a trial of the class.";
    QuoteChanged = "quote_changed", Refused, "The price has changed since it was quoted.";
    PaymentNotAuthorised = "payment_not_authorised", Refused, "The payment has not been authorised yet.";
    PaymentProcessing = "payment_processing", Refused, "The payment is still being processed.";
    PaymentCancelled = "payment_cancelled", Refused, "The payment has been cancelled.";
    PaymentAlreadyUsed = "payment_already_used", Refused, "The payment belongs to another basket.";
    PaymentAlreadyCaptured = "payment_already_captured", Refused, "The payment has already been captured.";
    PaymentIntentMismatch = "payment_intent_mismatch", Refused, "There is no such payment intent for this family.";
    NothingToPay = "nothing_to_pay", Refused, "Nothing is due on this debit.";
    LinkPaidByOther = "link_paid_by_other", Refused, "What this link was for has been paid in another way.";
    LinkExpired = "link_expired", Refused, "The payment link has expired.";
    LinkRevoked = "link_revoked", Refused, "The payment link has been revoked.";
    PaymentInProgress = "payment_in_progress", Refused, "A payment through this link is in progress.";
    TooManyAttempts = "too_many_attempts", Refused, "Too many attempts through this payment link.";
    IdempotencyKeyReused = "idempotency_key_reused", Refused, "The idempotency key was used with another request.";
    IdempotencyInProgress = "idempotency_in_progress", Refused, "A request with this idempotency key is in progress.";
    StripeMisconfigured = "stripe_misconfigured", StripeRefuses, "The business's connection to Stripe does not work. It has to be set up again first.";
    StripeRefused = "stripe_refused", StripeRefuses, "Stripe does not accept this payment for the business. Its office has to be told.";
    Unavailable = "unavailable", Unavailable, "The service is not available at the moment. Please try again.";
    Internal = "internal", Internal, "Something went wrong on our side.";
}

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The call is refused because of the caller's input or state: the same call is refused again.
    Refused,
    /// Stripe refuses the business: the caller can do nothing until its office has fixed that.
    StripeRefuses,
    /// A service that we need didn't answer: the same call may succeed later.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl ErrorCode {
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

/// Why a call has failed.
#[derive(Debug, Clone)]
pub struct Error {
    /// What went wrong.
    pub code: ErrorCode,
    /// Sentences for a person.
    pub messages: Vec<String>,
    /// Whether the authorisation was released. Set only after Stripe said `canceled`.
    pub payment_released: bool,
    /// The new `payment` of a `quote_changed`, as JSON text, so that no amount or percentage becomes a float.
    pub payment: Option<Box<RawValue>>,
    /// After how many seconds a retry makes sense.
    pub retry_after_s: Option<u32>,
    /// The cause, for the log alone. It holds no secrets and no bodies.
    pub cause: Option<String>,
}

impl Error {
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
        }
    }

    /// The same answer for what doesn't exist and for what belongs to another.
    #[must_use]
    pub fn not_found() -> Self {
        ErrorCode::NotFound.into()
    }

    /// A fault of ours; the caller learns nothing but the request id, the log learns `cause`.
    #[must_use]
    pub fn internal(cause: impl Into<String>) -> Self {
        Self::from(ErrorCode::Internal).because(cause)
    }

    /// The same refusal, with a cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same refusal with `paymentReleased: true`. Only after Stripe reported `canceled`.
    #[must_use]
    pub fn released(mut self) -> Self {
        self.payment_released = true;
        self
    }

    /// The same refusal with the current price.
    #[must_use]
    pub fn with_payment(mut self, payment: Box<RawValue>) -> Self {
        self.payment = Some(payment);
        self
    }

    /// The same refusal, with the time after which a retry makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Whether the call is refused ([`ErrorKind::Refused`]). Once a call that takes money was sent, no other error is
    /// an answer, because the outcome is unknown.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self.code.kind(), ErrorKind::Refused)
    }

    /// Whether the same call may succeed later without anyone fixing anything.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self.code.kind() {
            ErrorKind::Unavailable => true,
            ErrorKind::Refused | ErrorKind::StripeRefuses | ErrorKind::Internal => false,
        }
    }
}

/// With the code's own sentence.
impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.sentence())
    }
}

/// Only for errors *before* any change was sent. Once money may have moved, no Stripe error may become a refusal: the
/// intent is read and the settlement decides.
impl From<StripeError> for Error {
    fn from(error: StripeError) -> Self {
        error.note_if_refused();
        let code = match error {
            StripeError::Misconfigured(_) => ErrorCode::StripeMisconfigured,
            StripeError::Refused(_) | StripeError::Declined(_) => ErrorCode::StripeRefused,
            // The next call reads the intent again, or uses the next key.
            StripeError::WrongState(_)
            | StripeError::IdempotencyConflict(_)
            | StripeError::Unavailable
            | StripeError::OutcomeUnknown
            | StripeError::KeyExhausted => ErrorCode::Unavailable,
        };
        Self::from(code).because(error.to_string())
    }
}

/// Only for a read or a write that failed before any change was sent.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable => Self::from(ErrorCode::Unavailable).because(error.to_string()),
            StoreError::Corrupt(_) | StoreError::Refused | StoreError::Unwritable => Self::internal(error.to_string()),
        }
    }
}

/// The import refuses an unknown time zone, so a stored one is a fault of ours.
impl From<UnknownTimeZone> for Error {
    fn from(error: UnknownTimeZone) -> Self {
        Self::internal(error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())
    }
}

impl std::error::Error for Error {}

/// Two errors are equal if they give the caller the same answer; the cause is not part of it.
impl PartialEq for Error {
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
    fn every_code_has_a_sentence_and_a_name_of_its_own() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(*code));
            assert!(code.sentence().ends_with('.'), "{code}");
        }
        assert_eq!(ErrorCode::parse("teapot"), None);
    }

    #[test]
    fn stripe_down_is_to_be_tried_again_and_what_it_refuses_is_not() {
        let down = Error::from(StripeError::Unavailable);
        assert_eq!((down.retryable(), down.retry_after_s), (true, Some(UNAVAILABLE_RETRY_S)));
        let disconnected = StripeError::from_answer(401, b"");
        assert_eq!(Error::from(disconnected).code, ErrorCode::StripeMisconfigured);
        let declined = Error::from(StripeError::from_answer(402, br#"{"error":{"code":"card_declined"}}"#));
        assert_eq!((declined.code.kind(), declined.retry_after_s), (ErrorKind::StripeRefuses, None));
        let refused = Error::from(StripeError::from_answer(400, br#"{"error":{"code":"amount_too_small"}}"#));
        assert_eq!((refused.retryable(), refused.retry_after_s), (false, None));
        assert_eq!(refused.cause.as_deref(), Some("stripe refused: 400 amount_too_small"));
    }
}
