//! What happens next to an order, given what Stripe says about its intent.
//!
//! Invariant: Stripe's status is the commit record. Nothing is posted before it says `succeeded`, nothing is
//! released before it says `canceled`, and nothing at all is concluded from a lost reply.

use crate::fingerprint::Fingerprint;
use crate::id::{AccountId, IntentId, OrderId};
use crate::money::Money;

/// A card is held for so long at most without an order, in seconds.
pub const HELD_AT_MOST_S: i64 = 24 * 60 * 60;

/// The id of the order that an intent pays, so that whoever comes second finds the same order.
#[must_use]
pub fn order_of_intent(account: &AccountId, intent: &IntentId) -> OrderId {
    let mut fingerprint = Fingerprint::new("order");
    fingerprint.text(account.as_str()).text(intent.as_str());
    OrderId::from_bits(fingerprint.finish_bits())
}

/// The status of a Stripe PaymentIntent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntentStatus {
    /// No payment method, or the last one was declined.
    RequiresPaymentMethod,
    /// A payment method, not yet confirmed.
    RequiresConfirmation,
    /// The payer must do something: 3-D Secure.
    RequiresAction,
    /// A bank debit on its way.
    Processing,
    /// Authorised; the money is held.
    RequiresCapture,
    /// Captured. Final.
    Succeeded,
    /// Void. Final.
    Canceled,
}

impl IntentStatus {
    /// All of them.
    pub const ALL: [IntentStatus; 7] = [
        Self::RequiresPaymentMethod,
        Self::RequiresConfirmation,
        Self::RequiresAction,
        Self::Processing,
        Self::RequiresCapture,
        Self::Succeeded,
        Self::Canceled,
    ];

    /// Stripe's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }

    /// Reads Stripe's word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Where an order stands. COMPLETED and CANCELLED are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderState {
    /// Everything is reserved, nothing is posted.
    Pending,
    /// Captured and posted.
    Completed,
    /// Void, and everything given back.
    Cancelled,
}

/// What is known about the intent of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntentFacts {
    /// Its status.
    pub status: IntentStatus,
    /// What it is for: the most that can be captured, in minor units.
    pub amount: Money,
    /// What has been captured, in minor units.
    pub received: Money,
}

/// How an order is paid. It decides what a step back of its intent means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PaidBy {
    /// A card: authorised, then captured by us. It can't go back.
    #[default]
    Card,
    /// A bank debit: on its way for days, captured by itself, and it may fail.
    BankDebit,
}

/// What to do next with a PENDING order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Capture exactly the order's total.
    Capture,
    /// Post the order's transactions and finish it.
    Complete,
    /// Give back what the order reserved and finish it.
    Release,
    /// Cancel the intent: its bank debit has failed, or it holds less than the order's total.
    Void,
    /// Nothing can be done now: somebody else's move.
    Wait,
    /// A person must look: what Stripe says can't be.
    Review,
}

/// The next step of a PENDING order whose total is `total`.
#[must_use]
pub fn next_step(paid_by: PaidBy, total: Money, intent: IntentFacts) -> Step {
    match (intent.status, paid_by) {
        // A payer whose bank debit failed may confirm anew with a card: that is an authorisation like any other. The
        // amount may have been changed in between; less than the total can never be captured as the total.
        (IntentStatus::RequiresCapture, _) if intent.amount < total => Step::Void,
        (IntentStatus::RequiresCapture, _) => Step::Capture,
        (IntentStatus::Succeeded, _) if intent.received == total => Step::Complete,
        // Another amount was captured than the order's: no guess.
        (IntentStatus::Succeeded, _) => Step::Review,
        (IntentStatus::Canceled, _) => Step::Release,
        (IntentStatus::Processing, _) => Step::Wait,
        // An order is placed on an authorised card, and a card can't go back from there; a bank debit can.
        (
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction,
            PaidBy::Card,
        ) => Step::Review,
        (
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction,
            PaidBy::BankDebit,
        ) => Step::Void,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(status: IntentStatus, amount: i64, received: i64) -> IntentFacts {
        IntentFacts { status, amount: Money::minor(amount), received: Money::minor(received) }
    }

    #[test]
    fn nothing_is_posted_before_succeeded_and_nothing_released_before_canceled() {
        let total = Money::minor(1000);
        let cases = IntentStatus::ALL.into_iter().flat_map(|s| [PaidBy::Card, PaidBy::BankDebit].map(|by| (s, by)));
        for (status, paid_by) in cases {
            for received in [0, 999, 1000] {
                let facts = IntentFacts { status, amount: total, received: Money::minor(received) };
                let step = next_step(paid_by, total, facts);
                if step == Step::Complete {
                    assert_eq!((status, received), (IntentStatus::Succeeded, 1000));
                }
                if step == Step::Release {
                    assert_eq!(status, IntentStatus::Canceled);
                }
                if step == Step::Capture {
                    assert_eq!(status, IntentStatus::RequiresCapture);
                }
            }
        }
    }

    #[test]
    fn an_amount_that_is_not_the_order_s_is_for_a_person() {
        let facts = facts(IntentStatus::Succeeded, 1000, 999);
        assert_eq!(next_step(PaidBy::Card, Money::minor(1000), facts), Step::Review);
    }

    #[test]
    fn what_holds_less_than_the_order_s_total_is_voided_and_what_holds_more_is_captured() {
        for paid_by in [PaidBy::Card, PaidBy::BankDebit] {
            let step = |amount| next_step(paid_by, Money::minor(1000), facts(IntentStatus::RequiresCapture, amount, 0));
            assert_eq!([step(999), step(1000), step(1001)], [Step::Void, Step::Capture, Step::Capture]);
        }
    }

    #[test]
    fn a_bank_debit_that_failed_is_voided_and_a_card_that_steps_back_is_for_a_person() {
        let facts = facts(IntentStatus::RequiresPaymentMethod, 1000, 0);
        assert_eq!(next_step(PaidBy::BankDebit, Money::minor(1000), facts), Step::Void);
        assert_eq!(next_step(PaidBy::Card, Money::minor(1000), facts), Step::Review);
    }

    #[test]
    fn stripe_s_words_are_read_as_they_are_written() {
        for status in IntentStatus::ALL {
            assert_eq!(IntentStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(IntentStatus::parse("cancelled"), None);
    }
}
