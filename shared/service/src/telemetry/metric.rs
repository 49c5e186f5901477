//! What is measured: names, units, and by what each is told apart.
//!
//! Invariant: this is the one place that names a metric; the template's alarms and dashboard name no other.

/// Where the metrics are.
pub const NAMESPACE: &str = "classpay";
/// The deployment that a metric is of.
pub const SERVICE: &str = "Service";
/// The function that a metric is of.
pub const FUNCTION: &str = "Function";
/// The code of a refusal.
pub const CODE: &str = "Code";

/// How long a request took, with all its waiting.
pub const DURATION: &str = "DurationMs";
/// How long it waited for the table.
pub const DYNAMODB: &str = "DynamoDbMs";
/// How long it waited for Stripe.
pub const STRIPE: &str = "StripeMs";
/// The first request of a process.
pub const COLD_STARTS: &str = "ColdStarts";
/// Requests that were answered with 5xx, and scheduled runs that failed.
pub const FAILURES: &str = "Failures";
/// Requests that were refused or failed, by their codes.
pub const REFUSALS: &str = "Refusals";

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// An order was posted: its payment was taken.
    PaymentsCompleted,
    /// An order was given back: its payment came to nothing.
    PaymentsReleased,
    /// An authorisation was released because its order was refused.
    PaymentsRejected,
    /// A payment that no order takes was credited to the family.
    PaymentsUnallocated,
    /// An event of a payment that isn't this deployment's was left alone.
    EventsForeign,
    /// An event was given up: it has our marker and is of no payment that we know, or tells of a dispute that its charge
    /// doesn't show.
    EventsGivenUp,
    /// A call that Stripe refused for good, and that nothing else was done about.
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

/// What stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gauge {
    /// Orders on their way that a card pays.
    OrdersPending,
    /// Orders on their way that a bank debit pays: it takes days.
    BankDebitsPending,
    /// Orders that a person must look at.
    OrdersInReview,
    /// Refused payments that are not released yet.
    RejectionsOpen,
    /// Cards that are held for more than 15 minutes without an order.
    HoldsWithoutOrder,
    /// Payments that were received, and that neither an order nor a credit has come of.
    ReceivedWithoutOrder,
    /// The age of the oldest order, rejection or received payment that is not finished, bank debits apart.
    OldestOrderS,
    /// The age of the oldest order that a bank debit pays.
    OldestBankDebitS,
    /// Review records that nobody has looked at.
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
