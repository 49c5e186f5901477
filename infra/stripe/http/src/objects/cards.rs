//! Stripe's test cards, by their ids (`pm_card_visa`).
//!
//! A card's behaviour depends on the card alone. A number is never accepted, so no real card can be used here.

/// The issuer's answer when the card is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Issuer {
    Approves,
    Declines(Decline),
    /// The payer must authenticate first (3-D Secure); then the issuer approves.
    AsksPayer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decline {
    pub code: &'static str,
    pub decline_code: &'static str,
    pub message: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TestCard {
    pub id: &'static str,
    pub brand: &'static str,
    pub last4: &'static str,
    pub country: &'static str,
    pub funding: &'static str,
    /// One for each number, as at Stripe. It identifies a stored payment method.
    pub fingerprint: &'static str,
    pub issuer: Issuer,
    /// Whether the card can be saved to a customer: Stripe declines most of the declining cards then too.
    pub attachable: bool,
}

const fn declines(code: &'static str, decline_code: &'static str, message: &'static str) -> Issuer {
    Issuer::Declines(Decline { code, decline_code, message })
}

const DECLINED: &str = "Your card was declined.";

pub(crate) const AUTHENTICATION_REQUIRED: Decline = Decline {
    code: "authentication_required",
    decline_code: "authentication_required",
    message: "Your card was declined. This transaction requires authentication.",
};

const fn card(
    id: &'static str,
    brand: &'static str,
    last4: &'static str,
    fingerprint: &'static str,
    issuer: Issuer,
) -> TestCard {
    let attachable = !matches!(issuer, Issuer::Declines(_));
    let (country, funding) = ("US", "credit");
    TestCard { id, brand, last4, country, funding, fingerprint, issuer, attachable }
}

pub(crate) const PENDING_REFUND: &str = "pm_card_pendingRefund";

const CARDS: &[TestCard] = &[
    card("pm_card_visa", "visa", "4242", "fpVisa4242", Issuer::Approves),
    TestCard { funding: "debit", ..card("pm_card_visa_debit", "visa", "5556", "fpVisaDebit5556", Issuer::Approves) },
    TestCard { country: "GB", ..card("pm_card_gb", "visa", "0000", "fpVisaGb0000", Issuer::Approves) },
    card("pm_card_mastercard", "mastercard", "4444", "fpMastercard4444", Issuer::Approves),
    card("pm_card_amex", "amex", "0005", "fpAmex0005", Issuer::Approves),
    card(
        "pm_card_chargeDeclined",
        "visa",
        "0002",
        "fpDeclined0002",
        declines("card_declined", "generic_decline", DECLINED),
    ),
    card(
        "pm_card_chargeDeclinedInsufficientFunds",
        "visa",
        "9995",
        "fpInsufficientFunds9995",
        declines("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    ),
    card(
        "pm_card_chargeDeclinedLostCard",
        "visa",
        "9987",
        "fpLostCard9987",
        declines("card_declined", "lost_card", DECLINED),
    ),
    card(
        "pm_card_chargeDeclinedStolenCard",
        "visa",
        "9979",
        "fpStolenCard9979",
        declines("card_declined", "stolen_card", DECLINED),
    ),
    card(
        "pm_card_chargeDeclinedExpiredCard",
        "visa",
        "0069",
        "fpExpiredCard0069",
        declines("expired_card", "expired_card", "Your card has expired."),
    ),
    card(
        "pm_card_chargeDeclinedIncorrectCvc",
        "visa",
        "0127",
        "fpIncorrectCvc0127",
        declines("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
    ),
    card(
        "pm_card_chargeDeclinedProcessingError",
        "visa",
        "0119",
        "fpProcessingError0119",
        declines(
            "processing_error",
            "processing_error",
            "An error occurred while processing your card. Try again in a little bit.",
        ),
    ),
    // Can be saved, and is declined when it is charged.
    TestCard {
        attachable: true,
        ..card(
            "pm_card_chargeCustomerFail",
            "visa",
            "0341",
            "fpCustomerFail0341",
            declines("card_declined", "generic_decline", DECLINED),
        )
    },
    // Its refunds stay pending until the bank answers: `/_control/refunds/{id}/succeed` or `fail`.
    card(PENDING_REFUND, "visa", "7726", "fpPendingRefund7726", Issuer::Approves),
    // Its refunds look completed; `/_control/refunds/{id}/fail` makes them fail later.
    card("pm_card_refundFail", "visa", "5126", "fpRefundFail5126", Issuer::Approves),
    card("pm_card_authenticationRequired", "visa", "3184", "fpAuthenticationRequired3184", Issuer::AsksPayer),
];

pub(crate) fn by_id(id: &str) -> Option<&'static TestCard> {
    CARDS.iter().find(|card| card.id == id)
}

pub(crate) fn by_fingerprint(fingerprint: &str) -> Option<&'static TestCard> {
    CARDS.iter().find(|card| card.fingerprint == fingerprint)
}
