//! Why something needs review, and the name of its record.
//!
//! Invariant: nothing is put up for review for a reason that isn't listed here. The runbook says how each ends, and an
//! operator's test drives each to that end.

use std::fmt;

use classpay_domain::id::{AccountId, IntentId, OrderId};
use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;

/// Why something needs review.
#[derive(Debug, Clone, Copy)]
pub enum ReviewReason<'a> {
    /// The payment of a pending order is not what the order says: another amount, or money of another currency.
    PaymentDiffers(&'a OrderId, IntentStatus),
    /// The authorisation of a pending order is gone, and nothing was captured.
    AuthorisationGone(&'a OrderId, IntentStatus),
    /// The table permanently refuses what a pending order posts.
    OrderUnpostable(&'a OrderId),
    /// A pending order's payment is cancelled, and the table permanently refuses the write that gives its places back.
    OrderUnreleasable(&'a OrderId),
    /// The order, rejection or session is unfinished, and its intent is out of our reach.
    IntentLost(&'a OrderId, &'a IntentId, &'a AccountId),
    /// A basket's intent was captured before anything was booked for it.
    PaymentUnbooked(&'a OrderId, &'a IntentId),
    /// That payment was credited to the family, and belongs to no order.
    PaymentCredited(&'a OrderId, &'a IntentId),
    /// That payment, or a link's, is captured, and its credit to the family is permanently refused or depends on
    /// something unreadable.
    CreditUnpostable(&'a OrderId, &'a IntentId),
    /// A payment without an order was captured in a currency other than the family's: this amount, in that currency.
    CurrencyDiffers(&'a OrderId, Money, &'a str),
    /// An order was given up, or a basket refused, more than a day ago, and Stripe doesn't cancel the hold.
    NotReleased(&'a OrderId, IntentStatus),
    /// A person has ended the order with a stated amount, and Stripe reports that it received this amount instead.
    ResolutionDiffers(&'a OrderId, Money),
    /// The table permanently refuses the order, so its payment is released.
    OrderUnwritable(&'a OrderId),
    /// A session's or a link's intent was let go because it is on an account that the studio has left.
    IntentLetGo(&'a OrderId, &'a IntentId, &'a AccountId),
    /// Sessions or links of this account are out of our reach, and we don't know whether they were paid. The one that
    /// was found has been so since then, in seconds since 1970.
    AccountLost(&'a AccountId, i64),
    /// A payment that isn't in the ledger was given back, and this refund has failed.
    RefundFailed {
        /// Stripe's refund.
        refund: &'a str,
        /// The intent that it is about.
        intent: &'a IntentId,
    },
    /// An event reports a dispute that can't be posted: its charge doesn't show it, it is in another currency, or its
    /// payment isn't in the ledger.
    DisputeNotShown {
        /// Stripe's dispute.
        dispute: &'a str,
        /// The intent of the disputed charge.
        intent: &'a str,
        /// The event's kind.
        reported_by: &'a str,
    },
    /// An event reports a refund or a dispute that can't be posted: Stripe refuses to show its intent, or the table to
    /// store it.
    ReversalUnposted {
        /// The intent that it is about.
        intent: &'a IntentId,
        /// The event's kind.
        reported_by: &'a str,
        /// When the event came, in seconds since 1970.
        reported_s: i64,
    },
}

impl ReviewReason<'_> {
    /// The name of [`Self::IntentLost`].
    pub const INTENT_LOST: &'static str = "intent_lost";

    /// Whether a reason of this name is about a received payment that can't be credited here. It ends when a person has
    /// given it back or entered it elsewhere.
    #[must_use]
    pub fn is_uncredited(name: &str) -> bool {
        matches!(name, "currency_differs" | "credit_unpostable")
    }

    /// Each reason's name, as [`Self::name`] gives it.
    pub const NAMES: [&'static str; 17] = [
        "payment_differs",
        "authorisation_gone",
        "order_unpostable",
        "order_unreleasable",
        Self::INTENT_LOST,
        "payment_unbooked",
        "payment_credited",
        "credit_unpostable",
        "currency_differs",
        "not_released",
        "resolution_differs",
        "order_unwritable",
        "intent_let_go",
        "account_lost",
        "refund_failed",
        "dispute_not_shown",
        "reversal_unposted",
    ];

    /// The reason's name in the record and in the runbook.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let at = match self {
            Self::PaymentDiffers(..) => 0,
            Self::AuthorisationGone(..) => 1,
            Self::OrderUnpostable(_) => 2,
            Self::OrderUnreleasable(_) => 3,
            Self::IntentLost(..) => 4,
            Self::PaymentUnbooked(..) => 5,
            Self::PaymentCredited(..) => 6,
            Self::CreditUnpostable(..) => 7,
            Self::CurrencyDiffers(..) => 8,
            Self::NotReleased(..) => 9,
            Self::ResolutionDiffers(..) => 10,
            Self::OrderUnwritable(_) => 11,
            Self::IntentLetGo(..) => 12,
            Self::AccountLost(..) => 13,
            Self::RefundFailed { .. } => 14,
            Self::DisputeNotShown { .. } => 15,
            Self::ReversalUnposted { .. } => 16,
        };
        Self::NAMES[at]
    }

    /// The record's name within its company: the same reason and subject twice is one record.
    #[must_use]
    pub fn record(&self) -> String {
        match self {
            Self::PaymentDiffers(order, _)
            | Self::AuthorisationGone(order, _)
            | Self::OrderUnpostable(order)
            | Self::OrderUnreleasable(order)
            | Self::IntentLost(order, ..)
            | Self::PaymentUnbooked(order, _)
            | Self::PaymentCredited(order, _)
            | Self::CreditUnpostable(order, _)
            | Self::CurrencyDiffers(order, ..)
            | Self::NotReleased(order, _)
            | Self::ResolutionDiffers(order, _)
            | Self::OrderUnwritable(order) => order.to_string(),
            Self::IntentLetGo(order, ..) => format!("left-{order}"),
            Self::AccountLost(account, _) => format!("lost-{account}"),
            Self::RefundFailed { refund: id, .. } | Self::DisputeNotShown { dispute: id, .. } => (*id).to_owned(),
            Self::ReversalUnposted { intent, .. } => format!("unposted-{intent}"),
        }
    }
}

/// The sentence that the person reads.
impl fmt::Display for ReviewReason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PaymentDiffers(order, status) => write!(
                f,
                "order {order} is pending and its intent is {}, with another amount or currency than the order's",
                status.as_str()
            ),
            Self::AuthorisationGone(order, status) => {
                write!(f, "order {order} is pending and its intent is {}: nothing is held any more", status.as_str())
            }
            Self::OrderUnpostable(order) => write!(f, "order {order} is pending, and the table refuses what it posts"),
            Self::OrderUnreleasable(order) => {
                write!(f, "order {order} is pending, its payment is cancelled, and the table refuses what releases it")
            }
            Self::IntentLost(order, intent, account) => write!(
                f,
                "the payment of {order} is unfinished, and {account} gives no answer about {intent}: the studio has left or \
                 disconnected it, it has no such intent, or Stripe refuses to show it"
            ),
            Self::PaymentUnbooked(_, intent) => write!(f, "intent {intent} was captured before its basket was booked"),
            Self::PaymentCredited(_, intent) => {
                write!(f, "intent {intent} was captured, and nothing was booked for it: the family has the credit")
            }
            Self::CreditUnpostable(_, intent) => write!(
                f,
                "intent {intent} was captured, nothing was booked for it, and the family can't be credited: a document \
                 that this needs can't be read, or the table refuses the credit"
            ),
            Self::CurrencyDiffers(order, received, currency) => write!(
                f,
                "the payment of {order} was captured as {received} {currency}, which is not the family's currency: \
                 nothing is credited"
            ),
            Self::NotReleased(order, status) => write!(
                f,
                "order {order} was given up or refused more than a day ago, and its intent is still {}: Stripe \
                 doesn't cancel it",
                status.as_str()
            ),
            Self::ResolutionDiffers(order, received) => write!(
                f,
                "order {order} was resolved by what was said to be received, and Stripe has received {received}"
            ),
            Self::OrderUnwritable(order) => {
                write!(f, "order {order} can't be written, and its payment was released")
            }
            Self::IntentLetGo(_, intent, account) => write!(
                f,
                "intent {intent} was let go: {account} gives no answer about it. Whether it was paid is to be seen in \
                 that account only"
            ),
            Self::AccountLost(account, _) => write!(
                f,
                "{account} gives no answer about payments of ours that may have been made: the studio has left or \
                 disconnected it, or Stripe refuses to show them. They can be seen in that account only"
            ),
            Self::RefundFailed { refund, intent } => write!(
                f,
                "refund {refund} of {intent} has failed: the studio has that money again, and it is not in the ledger"
            ),
            Self::DisputeNotShown { dispute, intent, reported_by } => {
                write!(
                    f,
                    "{reported_by} reports dispute {dispute} of {intent}, which can't be posted: its charge doesn't show it in its \
                     currency, or its payment isn't in the ledger"
                )
            }
            Self::ReversalUnposted { intent, reported_by, .. } => write!(
                f,
                "what {reported_by} reports about {intent} isn't in the ledger: Stripe refuses to show the payment, or the table to \
                 store the entry. It is posted once that is put right"
            ),
        }
    }
}
