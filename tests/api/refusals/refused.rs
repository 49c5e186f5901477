//! A basket that can't be bought, sent to all three endpoints.
//!
//! A refusal is checked at Stripe and in the table, not only in the answer.

use classpay_service::error::ErrorCode;
use classpay_tests::{Answer, Api, Stack, without_request_id};
use serde_json::Value;

/// The refusals of a checkout that release its authorisation, as the contract lists them.
const RELEASING: &[ErrorCode] = &[
    ErrorCode::EnrolmentClosed,
    ErrorCode::AgeOutOfRange,
    ErrorCode::ClassFull,
    ErrorCode::TrialFull,
    ErrorCode::AlreadyEnrolled,
    ErrorCode::TrialAlreadyUsed,
    ErrorCode::QuoteChanged,
    ErrorCode::BasketTooLarge,
];

/// Checks that nothing has changed.
pub const NOTHING: [&str; 0] = [];

/// A caller who wants these items for a family.
pub struct Wish<'a> {
    pub stack: &'a Stack,
    pub caller: Api,
    pub family: &'a str,
    pub items: Value,
}

impl<'a> Wish<'a> {
    pub fn of_family(stack: &'a Stack, family: &'a str, items: Value) -> Self {
        Self { stack, caller: stack.family(family), family, items }
    }

    pub fn of_staff(stack: &'a Stack, family: &'a str, items: Value) -> Self {
        Self { stack, caller: stack.staff(), family, items }
    }

    /// Quote, payment session and checkout refuse it alike; the checkout releases its authorisation if the contract
    /// says so. Returns the sentences.
    pub async fn is_refused(&self, code: ErrorCode) -> Vec<String> {
        let before = self.stack.table().picture().await;
        let messages = self.caller.quote(self.family, &self.items).await.refusal(code);
        assert_eq!(self.caller.session(self.family, &self.items).await.refusal(code), messages);
        assert_eq!(before.changes(&self.stack.table().picture().await), NOTHING);
        assert_eq!(self.checkout_is_refused(code).await, messages);
        messages
    }

    /// Only the checkout refuses it, with an authorised intent of another amount. Returns the sentences.
    pub async fn checkout_is_refused(&self, code: ErrorCode) -> Vec<String> {
        let stack = self.stack;
        let intent = stack.authorise_amount(self.family, 12_345).await;
        let before = stack.table().picture().await;
        let answer = self.caller.checkout(self.family, Some(&intent), &self.items).await;
        let messages = answer.refusal(code);
        if RELEASING.contains(&code) {
            assert_released(stack, &intent, &answer).await;
            let pk = format!("PI#{}#{intent}", stack.account());
            let claimed = [format!("+ {pk}/CLAIM"), format!("~ {pk}/SESSION gsi1pk gsi1sk session_state")];
            assert_eq!(before.changes(&stack.table().picture().await), claimed);
        } else {
            assert_kept(stack, &intent, &answer).await;
            assert_eq!(before.changes(&stack.table().picture().await), NOTHING);
        }
        let after = stack.table().picture().await;
        let again = self.caller.checkout(self.family, Some(&intent), &self.items).await;
        assert_eq!(without_request_id(&again), without_request_id(&answer), "asked again it says the same");
        assert_eq!(after.changes(&stack.table().picture().await), NOTHING);
        messages
    }
}

/// The authorisation was released, and the answer says so.
pub async fn assert_released(stack: &Stack, intent: &str, answer: &Answer) {
    assert!(answer.says_released(), "{}", answer.text);
    assert_eq!(stack.intent_status(intent).await, "canceled");
    assert!(stack.captured().await.iter().all(|(captured, _)| captured != intent));
}

/// The authorisation stands, for another attempt, and the answer doesn't say otherwise.
pub async fn assert_kept(stack: &Stack, intent: &str, answer: &Answer) {
    assert!(!answer.says_released(), "{}", answer.text);
    assert_eq!(stack.intent_status(intent).await, "requires_capture");
}
