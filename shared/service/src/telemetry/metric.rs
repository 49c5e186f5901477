//! The metrics: names, units and dimensions.
//!
//! Invariant: only this file names a metric, and the template's alarms and dashboard name no other.

/// The namespace of the metrics.
pub const NAMESPACE: &str = "classpay";
/// The dimension for the deployment.
pub const SERVICE: &str = "Service";
/// The dimension for the function.
pub const FUNCTION: &str = "Function";
/// The dimension for the code of a refusal.
pub const CODE: &str = "Code";

/// How long a request took, including its waiting.
pub const DURATION: &str = "DurationMs";
/// How long it waited for the table.
pub const DYNAMODB: &str = "DynamoDbMs";
/// How long it waited for Stripe.
pub const STRIPE: &str = "StripeMs";
/// The first request of a process.
pub const COLD_STARTS: &str = "ColdStarts";
/// Requests that were answered with 5xx, and scheduled runs that failed.
pub const FAILURES: &str = "Failures";
/// Requests that were refused or failed, by code.
pub const REFUSALS: &str = "Refusals";

/// Events that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// An order was posted: its payment was taken.
    PaymentsCompleted,
    /// An order was given back: its payment ended without a capture.
    PaymentsReleased,
    /// An authorisation was released because its order was refused.
    PaymentsRejected,
    /// A payment that no order takes was credited to the family.
    PaymentsUnallocated,
    /// An event about another deployment's payment was ignored.
    EventsForeign,
    /// An event was given up: it has our marker but concerns no known payment, or reports a dispute that its charge
    /// doesn't show.
    EventsGivenUp,
    /// A call that Stripe permanently refused, and that nothing else was done about.
    StripeRefused,
}

impl Count {
    /// The metric's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaymentsCompleted => "PaymentsCompleted",
            Self::PaymentsReleased => "PaymentsReleased",
            Self::PaymentsRejected => "PaymentsRejected",
            Self::PaymentsUnallocated => "PaymentsUnallocated",
            Self::EventsForeign => "EventsForeign",
            Self::EventsGivenUp => "EventsGivenUp",
            Self::StripeRefused => "StripeRefused",
        }
    }
}

/// States that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gauge {
    /// Unfinished orders paid by card.
    OrdersPending,
    /// Unfinished orders paid by bank debit, which takes days.
    BankDebitsPending,
    /// Orders that need review.
    OrdersInReview,
    /// Rejected payments that are not released yet.
    RejectionsOpen,
    /// Cards held for more than 15 minutes without an order.
    HoldsWithoutOrder,
    /// Payments that were received without an order or a credit.
    ReceivedWithoutOrder,
    /// The age of the oldest unfinished order, rejection or received payment, bank debits excluded.
    OldestOrderS,
    /// The age of the oldest unfinished order paid by bank debit.
    OldestBankDebitS,
    /// Unseen review records.
    ReviewsOpen,
}

impl Gauge {
    /// The metric's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrdersPending => "OrdersPending",
            Self::BankDebitsPending => "BankDebitsPending",
            Self::OrdersInReview => "OrdersInReview",
            Self::RejectionsOpen => "RejectionsOpen",
            Self::HoldsWithoutOrder => "HoldsWithoutOrder",
            Self::ReceivedWithoutOrder => "ReceivedWithoutOrder",
            Self::OldestOrderS => "OldestOrderS",
            Self::OldestBankDebitS => "OldestBankDebitS",
            Self::ReviewsOpen => "ReviewsOpen",
        }
    }

    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::OrdersPending
            | Self::BankDebitsPending
            | Self::OrdersInReview
            | Self::RejectionsOpen
            | Self::HoldsWithoutOrder
            | Self::ReceivedWithoutOrder
            | Self::ReviewsOpen => "Count",
            Self::OldestOrderS | Self::OldestBankDebitS => "Seconds",
        }
    }
}
