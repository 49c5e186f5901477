//! Stripe's test bank accounts for Bacs Direct Debit, by their ids.
//!
//! A debit waits until `/_control/` settles or fails it, however long that is, because at Stripe it takes days. The
//! result of settling depends on the account alone.

use serde::{Deserialize, Serialize};

/// Stripe's test sort code, the same for all accounts.
pub(crate) const SORT_CODE: &str = "108800";

/// Why a bank refuses, as Stripe's `failure_code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failure {
    AccountClosed,
    BankOwnershipChanged,
    DebitNotAuthorized,
    GenericCouldNotProcess,
    InsufficientFunds,
    InvalidAccountNumber,
}

impl Failure {
    pub fn code(self) -> &'static str {
        match self {
            Self::AccountClosed => "account_closed",
            Self::BankOwnershipChanged => "bank_ownership_changed",
            Self::DebitNotAuthorized => "debit_not_authorized",
            Self::GenericCouldNotProcess => "generic_could_not_process",
            Self::InsufficientFunds => "insufficient_funds",
            Self::InvalidAccountNumber => "invalid_account_number",
        }
    }

    pub fn message(self) -> &'static str {
        match self {
            Self::AccountClosed => "The customer's bank account has been closed.",
            Self::BankOwnershipChanged => "The customer's bank account has been transferred to another bank.",
            Self::DebitNotAuthorized => "The customer has notified their bank that this payment was unauthorized.",
            Self::GenericCouldNotProcess => "This payment could not be processed.",
            Self::InsufficientFunds => "The customer's account has insufficient funds to cover this payment.",
            Self::InvalidAccountNumber => "The customer's bank account number isn't valid.",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TestAccount {
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

pub(crate) fn by_id(id: &str) -> Option<&'static TestAccount> {
    ACCOUNTS.iter().find(|account| account.id == id)
}

pub(crate) fn by_fingerprint(fingerprint: &str) -> Option<&'static TestAccount> {
    ACCOUNTS.iter().find(|account| account.fingerprint == fingerprint)
}
