//! Which operation refuses with which codes: the one table from which the API description is generated.
//!
//! Invariant: every code that an operation answers is in its row. The tests look up every refusal that they receive, so
//! a missing code fails.

use ErrorCode::{
    AgeOutOfRange, AlreadyEnrolled, AmountTooLarge, AmountTooSmall, BadSignature, BasketEmpty, BasketTooLarge,
    ClassEnded, ClassFull, DuplicateItem, EnrolmentClosed, Forbidden, IdempotencyInProgress, IdempotencyKeyReused,
    Internal, LinkExpired, LinkPaidByOther, LinkRevoked, MalformedJson, NoEnabledPlan, NotFound, NotSupported,
    NothingToPay, PayloadTooLarge, PaymentAlreadyCaptured, PaymentAlreadyUsed, PaymentCancelled, PaymentInProgress,
    PaymentIntentMismatch, PaymentNotAuthorised, PaymentNotNeeded, PaymentProcessing, PaymentRequired, PlanNotInSeason,
    QuoteChanged, StripeMisconfigured, StripeRefused, TooManyAttempts, TrialAlreadyUsed, TrialFull, TrialNotAvailable,
    Unauthenticated, Unavailable, UnknownField, WrongType,
};

use super::error::Operation;
use crate::error::ErrorCode;

/// An operation of the API: one function each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// What a basket costs.
    Quote,
    /// Books a basket.
    Checkout,
    /// Opens the payment of a basket.
    PaymentSession,
    /// Creates a payment link.
    CreateLink,
    /// The links of a debit.
    ListLinks,
    /// Opens a payment link.
    RetrieveLink,
    /// Revokes a payment link.
    RevokeLink,
    /// Takes a payment link's payment.
    ProcessLink,
    /// Receives Stripe's events.
    StripeWebhook,
}

/// The codes of every operation.
const ALWAYS: &[ErrorCode] = &[Unavailable, Internal];
/// The codes that refuse a token.
const TOKEN: &[ErrorCode] = &[Unauthenticated, Forbidden];
/// The codes that refuse a JSON text.
const JSON: &[ErrorCode] = &[MalformedJson, UnknownField, WrongType, PayloadTooLarge];
/// The codes that refuse a basket before a payment is involved.
const BASKET: &[ErrorCode] = &[
    NotFound,
    BasketEmpty,
    BasketTooLarge,
    DuplicateItem,
    AlreadyEnrolled,
    EnrolmentClosed,
    ClassEnded,
    AgeOutOfRange,
    ClassFull,
    NoEnabledPlan,
    PlanNotInSeason,
    TrialNotAvailable,
    TrialAlreadyUsed,
    TrialFull,
    AmountTooLarge,
];
/// The codes that refuse the payment of a basket.
const PAYMENT: &[ErrorCode] = &[
    PaymentRequired,
    PaymentNotNeeded,
    QuoteChanged,
    PaymentNotAuthorised,
    PaymentProcessing,
    PaymentCancelled,
    PaymentAlreadyUsed,
    PaymentAlreadyCaptured,
    PaymentIntentMismatch,
    IdempotencyKeyReused,
    IdempotencyInProgress,
    StripeMisconfigured,
    StripeRefused,
];
/// The codes that refuse a payer's call with a link.
const LINK: &[ErrorCode] = &[
    NotFound,
    LinkExpired,
    LinkRevoked,
    LinkPaidByOther,
    AmountTooSmall,
    AmountTooLarge,
    StripeMisconfigured,
    StripeRefused,
];

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Quote,
        Self::Checkout,
        Self::PaymentSession,
        Self::CreateLink,
        Self::ListLinks,
        Self::RetrieveLink,
        Self::RevokeLink,
        Self::ProcessLink,
        Self::StripeWebhook,
    ];

    /// The function that answers it.
    #[must_use]
    pub const fn function(self) -> &'static str {
        match self {
            Self::Quote => "get-quote",
            Self::Checkout => "basket-checkout",
            Self::PaymentSession => "create-payment-session",
            Self::CreateLink => "create-payment-link",
            Self::ListLinks => "list-payment-links",
            Self::RetrieveLink => "retrieve-payment-link",
            Self::RevokeLink => "revoke-payment-link",
            Self::ProcessLink => "process-payment-link",
            Self::StripeWebhook => "stripe-webhook",
        }
    }

    /// The codes of its refusals, in the order of the contract.
    #[must_use]
    pub fn refusals(self) -> Vec<ErrorCode> {
        let groups: &[&[ErrorCode]] = match self {
            Self::Quote => &[TOKEN, JSON, BASKET],
            Self::Checkout => &[TOKEN, JSON, BASKET, PAYMENT],
            Self::PaymentSession => &[
                TOKEN,
                JSON,
                BASKET,
                &[AmountTooSmall, NotSupported, PaymentNotNeeded, QuoteChanged, StripeMisconfigured, StripeRefused],
            ],
            Self::CreateLink => &[TOKEN, JSON, &[NotFound, NothingToPay]],
            Self::ListLinks => &[TOKEN, &[MalformedJson, WrongType, NotFound]],
            Self::RetrieveLink => &[LINK],
            Self::RevokeLink => &[TOKEN, &[NotFound, PaymentInProgress, StripeMisconfigured, StripeRefused]],
            Self::ProcessLink => &[
                JSON,
                LINK,
                &[
                    QuoteChanged,
                    PaymentNotAuthorised,
                    PaymentCancelled,
                    PaymentAlreadyCaptured,
                    PaymentIntentMismatch,
                    TooManyAttempts,
                ],
            ],
            Self::StripeWebhook => &[&[BadSignature, MalformedJson, WrongType]],
        };
        let can = |code: &ErrorCode| ALWAYS.contains(code) || groups.iter().any(|group| group.contains(code));
        ErrorCode::ALL.iter().copied().filter(can).collect()
    }

    /// The HTTP status that it answers a code with.
    #[must_use]
    pub const fn status_of(self, code: ErrorCode) -> u16 {
        self.operation().status(code)
    }

    /// Which statuses it answers with: staff's calls about links are calls with a token.
    const fn operation(self) -> Operation {
        match self {
            Self::RetrieveLink | Self::ProcessLink => Operation::Link,
            Self::Quote
            | Self::Checkout
            | Self::PaymentSession
            | Self::CreateLink
            | Self::ListLinks
            | Self::RevokeLink
            | Self::StripeWebhook => Operation::Basket,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_some_operation_s() {
        for code in ErrorCode::ALL {
            assert!(Endpoint::ALL.iter().any(|endpoint| endpoint.refusals().contains(code)), "{code}");
        }
    }
}
