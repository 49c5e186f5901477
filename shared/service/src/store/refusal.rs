//! The refusal that an intent was rejected with, as its claim stores it: it answers a repeated call.
//!
//! It is its own record, not an answer: fields that a later version adds to answers change nothing that is stored. A
//! code that only a later version knows still means that the payment is void, as every code here does.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorCode};

/// See the module. It is stored as JSON text, which keeps the digits of `payment` as written.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredRefusal {
    code: String,
    messages: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<Box<RawValue>>,
}

impl From<&Error> for StoredRefusal {
    fn from(refusal: &Error) -> Self {
        Self {
            code: refusal.code.as_str().to_owned(),
            messages: refusal.messages.clone(),
            payment: refusal.payment.clone(),
        }
    }
}

impl From<StoredRefusal> for Error {
    fn from(stored: StoredRefusal) -> Self {
        let code = ErrorCode::parse(&stored.code).unwrap_or(ErrorCode::PaymentCancelled);
        Self { messages: stored.messages, payment: stored.payment, ..code.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replayed(stored: &str) -> Error {
        serde_json::from_str::<StoredRefusal>(stored).unwrap().into()
    }

    #[test]
    fn a_stored_refusal_is_replayed_digit_for_digit() {
        let payment = RawValue::from_string(r#"{"total":1029,"processingFeePercent":2.9000}"#.to_owned()).unwrap();
        let refusal = Error::from(ErrorCode::QuoteChanged).with_payment(payment).because("v7 is v8");
        let stored = serde_json::to_string(&StoredRefusal::from(&refusal)).unwrap();
        assert_eq!(replayed(&stored), refusal);
        assert!(stored.contains("2.9000"), "{stored}");
        assert!(!stored.contains("v7"), "the cause is not stored: {stored}");
    }

    #[test]
    fn what_another_version_has_stored_is_read() {
        let later = r#"{"code":"class_haunted","messages":["Boo."],"ghosts":3,"paymentReleased":true}"#;
        let read = replayed(later);
        assert_eq!((read.code, read.messages.join(" ").as_str()), (ErrorCode::PaymentCancelled, "Boo."));
        assert!(!read.payment_released, "whether it was released, the claim's own state says");
    }
}
