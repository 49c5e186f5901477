//! The HTTP status of each code: the one table, and the statuses that differ for a payment link's operations.

use ErrorCode::{
    AgeOutOfRange, AlreadyEnrolled, AmountTooLarge, AmountTooSmall, BadSignature, BasketEmpty, BasketTooLarge,
    ClassEnded, ClassFull, DuplicateItem, EnrolmentClosed, Forbidden, IdempotencyInProgress, IdempotencyKeyReused,
    Internal, LinkExpired, LinkPaidByOther, LinkRevoked, MalformedJson, NoEnabledPlan, NotFound, NotSupported,
    NothingToPay, PayloadTooLarge, PaymentAlreadyCaptured, PaymentAlreadyUsed, PaymentCancelled, PaymentInProgress,
    PaymentIntentMismatch, PaymentNotAuthorised, PaymentNotNeeded, PaymentProcessing, PaymentRequired, PlanNotInSeason,
    QuoteChanged, StripeMisconfigured, StripeRefused, TooManyAttempts, TrialAlreadyUsed, TrialFull, TrialNotAvailable,
    Unauthenticated, Unavailable, UnknownField, WrongType,
};

use crate::error::ErrorCode;

/// The two kinds of operations, which answer some codes with different statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A family's or staff's call with a token.
    Basket,
    /// A call through a payment link.
    Link,
}

impl Operation {
    /// The HTTP status that it answers a code with.
    #[must_use]
    pub const fn status(self, code: ErrorCode) -> u16 {
        match self {
            Self::Basket => status(code),
            Self::Link => link_status(code),
        }
    }
}

const fn status(code: ErrorCode) -> u16 {
    match code {
        MalformedJson | UnknownField | WrongType | BadSignature => 400,
        Unauthenticated => 401,
        Forbidden => 403,
        NotFound | PaymentIntentMismatch => 404,
        ClassFull
        | TrialFull
        | AlreadyEnrolled
        | TrialAlreadyUsed
        | QuoteChanged
        | PaymentNotAuthorised
        | PaymentProcessing
        | PaymentCancelled
        | PaymentAlreadyUsed
        | PaymentAlreadyCaptured
        | PaymentInProgress
        | IdempotencyInProgress => 409,
        LinkExpired | LinkRevoked => 410,
        PayloadTooLarge => 413,
        BasketEmpty | BasketTooLarge | DuplicateItem | PlanNotInSeason | TrialNotAvailable | ClassEnded
        | NoEnabledPlan | AmountTooLarge | AmountTooSmall | PaymentRequired | PaymentNotNeeded | NotSupported
        | EnrolmentClosed | AgeOutOfRange | NothingToPay | LinkPaidByOther | IdempotencyKeyReused => 422,
        TooManyAttempts => 429,
        Internal => 500,
        StripeMisconfigured | StripeRefused => 502,
        Unavailable => 503,
    }
}

/// A link has no basket to conflict with: what is a conflict for a checkout is an unusable intent here.
const fn link_status(code: ErrorCode) -> u16 {
    match code {
        QuoteChanged
        | PaymentNotAuthorised
        | PaymentProcessing
        | PaymentCancelled
        | PaymentAlreadyUsed
        | PaymentAlreadyCaptured
        | PaymentIntentMismatch => 422,
        other => status(other),
    }
}
