//! Stripe's test cards (`pm_card_visa`) and its test bank accounts for Bacs Direct Debit, by their ids.
//!
//! A card's behaviour depends on the card alone. A number is never accepted, so no real card can be used here. A debit
//! waits until the bank is said to answer, however long that is, because at Stripe it takes days; what it answers then
//! depends on the account alone.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fields::Address;

/// What a payment is paid with. It is stored as its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "&str", try_from = "String")]
pub enum Means {
    Card(&'static TestCard),
    BankAccount(&'static TestAccount),
}

impl From<Means> for &str {
    fn from(means: Means) -> Self {
        match means {
            Means::Card(card) => card.id,
            Means::BankAccount(account) => account.id,
        }
    }
}

impl TryFrom<String> for Means {
    type Error = String;

    fn try_from(id: String) -> Result<Self, String> {
        Self::of(&id).ok_or_else(|| format!("there is no test card or bank account {id}"))
    }
}

impl Means {
    /// The test card or bank account with this id.
    pub fn of(id: &str) -> Option<Self> {
        let card = CARDS.iter().find(|card| card.id == id).map(Self::Card);
        card.or_else(|| ACCOUNTS.iter().find(|account| account.id == id).map(Self::BankAccount))
    }

    /// Stripe's type of payment method.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Card(_) => "card",
            Self::BankAccount(_) => "bacs_debit",
        }
    }

    pub(crate) fn billing_details(self) -> Value {
        match self {
            Self::Card(_) => json!({
                "address": Address::default(), "email": null, "name": null, "phone": null, "tax_id": null,
            }),
            Self::BankAccount(_) => json!({
                "address": {
                    "city": "London", "country": "GB", "line1": "1 Ballet Lane", "line2": null,
                    "postal_code": "N1 1AA", "state": null,
                },
                "email": "payer@example.com", "name": "Jenny Rosen", "phone": null, "tax_id": null,
            }),
        }
    }
}

/// The issuer's answer when the card is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    Approves,
    Declines(Decline),
    /// The payer must authenticate first (3-D Secure); then the issuer approves.
    AsksPayer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decline {
    pub code: &'static str,
    pub decline_code: &'static str,
    pub message: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestCard {
    pub id: &'static str,
    pub brand: &'static str,
    pub last4: &'static str,
    pub country: &'static str,
    pub funding: &'static str,
    /// One for each number, as at Stripe.
    pub fingerprint: &'static str,
    pub issuer: Issuer,
    /// Whether the card can be saved to a customer: Stripe declines most of the declining cards then too.
    pub attachable: bool,
}

const fn decline(code: &'static str, decline_code: &'static str, message: &'static str) -> Decline {
    Decline { code, decline_code, message }
}

pub const AUTHENTICATION_REQUIRED: Decline = decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
);
const GENERIC: Decline = decline("card_declined", "generic_decline", "Your card was declined.");
const LOST: Decline = decline("card_declined", "lost_card", "Your card was declined.");
const STOLEN: Decline = decline("card_declined", "stolen_card", "Your card was declined.");
const NO_FUNDS: Decline = decline("card_declined", "insufficient_funds", "Your card has insufficient funds.");
const EXPIRED: Decline = decline("expired_card", "expired_card", "Your card has expired.");
const CVC: Decline = decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.");
const PROCESSING: Decline = decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
);

const fn card(
    id: &'static str,
    brand: &'static str,
    last4: &'static str,
    fingerprint: &'static str,
    issuer: Issuer,
) -> TestCard {
    let attachable = !matches!(issuer, Issuer::Declines(_));
    TestCard { id, brand, last4, country: "US", funding: "credit", fingerprint, issuer, attachable }
}

const fn declining(id: &'static str, last4: &'static str, fingerprint: &'static str, decline: Decline) -> TestCard {
    card(id, "visa", last4, fingerprint, Issuer::Declines(decline))
}

pub const PENDING_REFUND: &str = "pm_card_pendingRefund";

const CARDS: &[TestCard] = &[
    card("pm_card_visa", "visa", "4242", "fpVisa4242", Issuer::Approves),
    TestCard { funding: "debit", ..card("pm_card_visa_debit", "visa", "5556", "fpVisaDebit5556", Issuer::Approves) },
    TestCard { country: "GB", ..card("pm_card_gb", "visa", "0000", "fpVisaGb0000", Issuer::Approves) },
    card("pm_card_mastercard", "mastercard", "4444", "fpMastercard4444", Issuer::Approves),
    card("pm_card_amex", "amex", "0005", "fpAmex0005", Issuer::Approves),
    declining("pm_card_chargeDeclined", "0002", "fpDeclined0002", GENERIC),
    declining("pm_card_chargeDeclinedInsufficientFunds", "9995", "fpInsufficientFunds9995", NO_FUNDS),
    declining("pm_card_chargeDeclinedLostCard", "9987", "fpLostCard9987", LOST),
    declining("pm_card_chargeDeclinedStolenCard", "9979", "fpStolenCard9979", STOLEN),
    declining("pm_card_chargeDeclinedExpiredCard", "0069", "fpExpiredCard0069", EXPIRED),
    declining("pm_card_chargeDeclinedIncorrectCvc", "0127", "fpIncorrectCvc0127", CVC),
    declining("pm_card_chargeDeclinedProcessingError", "0119", "fpProcessingError0119", PROCESSING),
    // Can be saved, and is declined when it is charged.
    TestCard { attachable: true, ..declining("pm_card_chargeCustomerFail", "0341", "fpCustomerFail0341", GENERIC) },
    // Its refunds stay pending until the bank answers: `/_control/refunds/{id}/succeed` or `fail`.
    card(PENDING_REFUND, "visa", "7726", "fpPendingRefund7726", Issuer::Approves),
    // Its refunds look completed; `/_control/refunds/{id}/fail` makes them fail later.
    card("pm_card_refundFail", "visa", "5126", "fpRefundFail5126", Issuer::Approves),
    card("pm_card_authenticationRequired", "visa", "3184", "fpAuthenticationRequired3184", Issuer::AsksPayer),
];

/// Stripe's test sort code, the same for all accounts.
pub const SORT_CODE: &str = "108800";

/// Why a bank refuses, as Stripe's `failure_code`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    AccountClosed,
    BankOwnershipChanged,
    DebitNotAuthorized,
    GenericCouldNotProcess,
    #[default]
    InsufficientFunds,
    InvalidAccountNumber,
}

impl Failure {
    /// Stripe's code and sentence.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::AccountClosed => ("account_closed", "The customer's bank account has been closed."),
            Self::BankOwnershipChanged => {
                ("bank_ownership_changed", "The customer's bank account has been transferred to another bank.")
            }
            Self::DebitNotAuthorized => {
                ("debit_not_authorized", "The customer has notified their bank that this payment was unauthorized.")
            }
            Self::GenericCouldNotProcess => ("generic_could_not_process", "This payment could not be processed."),
            Self::InsufficientFunds => {
                ("insufficient_funds", "The customer's account has insufficient funds to cover this payment.")
            }
            Self::InvalidAccountNumber => ("invalid_account_number", "The customer's bank account number isn't valid."),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestAccount {
    pub id: &'static str,
    pub last4: &'static str,
    pub fingerprint: &'static str,
    /// The bank's answer when the debit is settled.
    pub refuses: Option<Failure>,
}

const fn account(
    id: &'static str,
    last4: &'static str,
    fingerprint: &'static str,
    refuses: Option<Failure>,
) -> TestAccount {
    TestAccount { id, last4, fingerprint, refuses }
}

const ACCOUNTS: &[TestAccount] = &[
    account("pm_bacsDebit_success", "2345", "fpBacs00012345", None),
    account("pm_bacsDebit_successDelayed", "2345", "fpBacs90012345", None),
    account("pm_bacsDebit_debitNotAuthorized", "3335", "fpBacs33333335", Some(Failure::DebitNotAuthorized)),
    account("pm_bacsDebit_debitNotAuthorizedDelayed", "3335", "fpBacs93333335", Some(Failure::DebitNotAuthorized)),
    account("pm_bacsDebit_insufficientFunds", "2227", "fpBacs22222227", Some(Failure::InsufficientFunds)),
    account("pm_bacsDebit_insufficientFundsDelayed", "2227", "fpBacs92222227", Some(Failure::InsufficientFunds)),
];
