//! The next step of an order, given what Stripe says about its intent.
//!
//! Invariant: Stripe's status is the commit record. Nothing is posted before it says `succeeded`, nothing is released
//! before it says `canceled`, and nothing is concluded from a lost reply.

use crate::fingerprint::Fingerprint;
use crate::id::{AccountId, IntentId, OrderId};
use crate::money::Money;

/// The longest time, in seconds, that a card is held without an order.
pub const HELD_AT_MOST_S: i64 = 24 * 60 * 60;

/// The id of the order that an intent pays. It is derived from the intent, so that concurrent calls find the same
/// order.
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
    /// A payment method is attached but not confirmed.
    RequiresConfirmation,
    /// The payer must act, for example with 3-D Secure.
    RequiresAction,
    /// A bank debit is under way.
    Processing,
    /// Authorised; the money is held.
    RequiresCapture,
    /// Captured; final.
    Succeeded,
    /// Cancelled; final.
    Canceled,
}

impl IntentStatus {
    /// Every status.
    pub const ALL: [IntentStatus; 7] = [
        Self::RequiresPaymentMethod,
        Self::RequiresConfirmation,
        Self::RequiresAction,
        Self::Processing,
        Self::RequiresCapture,
        Self::Succeeded,
        Self::Canceled,
    ];

    /// Stripe's name for the status.
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

    /// Parses Stripe's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// The state of an order. COMPLETED and CANCELLED are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderState {
    /// Everything is reserved, nothing is posted.
    Pending,
    /// Captured and posted.
    Completed,
    /// The payment is void and everything reserved is released.
    Cancelled,
}

/// What Stripe says about an order's intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntentFacts {
    /// Its status.
    pub status: IntentStatus,
    /// Its amount, in minor units: the most that can be captured.
    pub amount: Money,
    /// The amount captured, in minor units.
    pub received: Money,
}

/// How an order is paid. It decides how to read an intent that went back to an earlier status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PaidBy {
    /// A card: authorised, then captured by us. A card authorisation never returns to an earlier status.
    #[default]
    Card,
    /// A bank debit: under way for days, captured automatically, and it may fail.
    BankDebit,
}

/// The next step of a PENDING order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Capture exactly the order's total.
    Capture,
    /// Post the order's transactions and complete it.
    Complete,
    /// Release what the order reserved and cancel it.
    Release,
    /// Cancel the intent: its bank debit failed, or it holds less than the order's total, or, authorised after a failed
    /// debit, any other amount.
    Void,
    /// Nothing can be done now: the payer, the bank or Stripe must act first.
    Wait,
    /// Put the order up for review: what Stripe says can't be right.
    Review,
}

/// Decides the next step of a PENDING order whose total is `total`.
#[must_use]
pub fn next_step(paid_by: PaidBy, total: Money, intent: IntentFacts) -> Step {
    match (intent.status, paid_by) {
        // A payer whose bank debit failed may confirm again with a card: a new authorisation, perhaps of an amount that was
        // changed at Stripe in between. The payer is charged what was authorised, or nothing.
        (IntentStatus::RequiresCapture, PaidBy::BankDebit) if intent.amount != total => Step::Void,
        // An order is placed on a hold of its total, which can grow at Stripe.
        (IntentStatus::RequiresCapture, PaidBy::Card) if intent.amount < total => Step::Void,
        (IntentStatus::RequiresCapture, _) => Step::Capture,
        (IntentStatus::Succeeded, _) if intent.received == total => Step::Complete,
        // The captured amount is not the order's, so we don't guess.
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
    fn a_hold_of_less_is_voided_and_of_more_too_if_it_was_authorised_after_the_order() {
        for (paid_by, more) in [(PaidBy::Card, Step::Capture), (PaidBy::BankDebit, Step::Void)] {
            let step = |amount| next_step(paid_by, Money::minor(1000), facts(IntentStatus::RequiresCapture, amount, 0));
            assert_eq!([step(999), step(1000), step(1001)], [Step::Void, Step::Capture, more]);
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
