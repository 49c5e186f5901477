//! Lasting refusals by Stripe, until somebody corrects their cause: missing capabilities, deleted customers, and
//! refused kinds of calls.
//!
//! A refused call does nothing, and its key keeps the answer where Stripe keeps it. Our adapter reads the errors from
//! Stripe's own wording, so everything that the service reads from an error is present.

use classpay_domain::id::{AccountId, CustomerId};
use classpay_service::stripe::StripeError;
use serde_json::json;

use super::MemoryStripe;
use super::calls::Request;
use super::happenings::{Happening, said};
use super::intents::PaysWith;
use super::state::{Refusal, State};
use crate::faults::CallKind;

/// A capability of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// `card_payments`.
    Cards,
    /// `bacs_debit_payments`.
    BankDebits,
}

impl Capability {
    /// The capability that such a payment needs.
    pub(super) fn of(with: PaysWith) -> Self {
        match with {
            PaysWith::Card | PaysWith::DecliningCard | PaysWith::AskingCard => Self::Cards,
            PaysWith::BankDebit => Self::BankDebits,
        }
    }

    /// Stripe's name for the payment method.
    fn method(self) -> &'static str {
        match self {
            Self::Cards => "card",
            Self::BankDebits => "bacs_debit",
        }
    }
}

/// The number of calls and payers that were refused lastingly, by cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LastingRefusals {
    /// The customer was deleted.
    pub deleted_customer: u64,
    /// The account doesn't have the capability.
    pub not_activated: u64,
    /// Stripe refuses calls of this kind.
    pub by_kind: u64,
    /// The same, with a 402.
    pub declined: u64,
}

/// A kind of call that is refused.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    kind: CallKind,
    error: StripeError,
    is_kept: bool,
}

impl Refusal {
    /// An error at execution, in Stripe's wording; it is stored under the key.
    fn worded(status: u16, code: &str, param: &str, message: &str) -> Self {
        let kind = "invalid_request_error";
        let body = json!({"error": {"type": kind, "code": code, "param": param, "message": message}});
        Self { error: StripeError::from_answer(status, body.to_string().as_bytes()), is_kept: true }
    }
}

impl State {
    /// Checks that the account has this customer and that it wasn't deleted.
    pub fn living(&mut self, account: usize, customer: &CustomerId) -> Result<(), Refusal> {
        let account = &self.accounts[account];
        if account.customers.contains(customer) {
            return Ok(());
        }
        self.lasting_refusals.deleted_customer += u64::from(account.deleted.contains(customer));
        let message = format!("No such customer: '{}'", customer.as_str());
        Err(Refusal::worded(400, "resource_missing", "customer", &message))
    }

    /// Checks that the account accepts such payments. `param` is the parameter that names the method.
    pub fn activated(&mut self, account: usize, capability: Capability, param: &str) -> Result<(), Refusal> {
        if !self.accounts[account].lost.contains(&capability) {
            return Ok(());
        }
        self.lasting_refusals.not_activated += 1;
        let message = format!(
            "The payment method type provided: {} is invalid. Please ensure the provided type is activated in your \
             dashboard (https://dashboard.stripe.com/account/payments/settings) and your account is enabled for any \
             preview features that you are trying to use.",
            capability.method()
        );
        Err(Refusal::worded(400, "payment_intent_invalid_parameter", param, &message))
    }

    /// Checks that calls of this kind are answered.
    pub fn answers(&mut self, request: &Request) -> Result<(), Refusal> {
        let kind = request.kind();
        let Some(refused) = self.refused.iter().find(|refused| refused.kind == kind) else { return Ok(()) };
        self.lasting_refusals.by_kind += 1;
        self.lasting_refusals.declined += u64::from(matches!(refused.error, StripeError::Declined(_)));
        Err(Refusal { error: refused.error.clone(), is_kept: refused.is_kept })
    }
}

impl MemoryStripe {
    /// Stripe removes a capability from an account, or restores it.
    pub fn set_capability(&self, account: &AccountId, capability: Capability, is_active: bool) {
        let mut state = self.state();
        let at = state.account(account);
        let lost = &mut state.accounts[at].lost;
        lost.retain(|known| *known != capability);
        if !is_active {
            lost.push(capability);
        }
    }

    /// The customers of all accounts that weren't deleted.
    #[must_use]
    pub fn customers(&self) -> Vec<CustomerId> {
        self.state().accounts.iter().flat_map(|account| account.customers.iter().cloned()).collect()
    }

    /// The studio deletes a customer. Intents made for it before can still be paid.
    ///
    /// # Errors
    /// No account has a customer with that id, or it was deleted before.
    pub fn delete_customer(&self, customer: &CustomerId) -> Happening {
        let mut state = self.state();
        let of = state.accounts.iter().position(|account| account.customers.contains(customer));
        let at = said(of.ok_or_else(|| Refusal::missing(404)))?;
        let account = &mut state.accounts[at];
        account.customers.retain(|known| known != customer);
        account.deleted.push(customer.clone());
        state.tell_of_customer(at, customer, "customer.deleted");
        Ok(())
    }

    /// From now on Stripe refuses every changing call of a kind: with a 400, 402 or 404, which their keys store, or
    /// with a 401 or 403, which they don't.
    pub fn refuse(&self, kind: CallKind, status: u16, code: &str) {
        let body = json!({"error": {"type": "invalid_request_error", "code": code, "message": "Refused lastingly."}});
        let error = StripeError::from_answer(status, body.to_string().as_bytes());
        self.state().refused.push(Refused { kind, error, is_kept: !matches!(status, 401 | 403) });
    }

    /// Whether Stripe refuses a kind of call, or an account accepts no cards.
    #[must_use]
    pub fn refuses_payments(&self) -> bool {
        let state = self.state();
        let takes_cards = state.accounts.iter().all(|account| !account.lost.contains(&Capability::Cards));
        !state.refused.is_empty() || !takes_cards
    }

    /// Stripe answers all kinds of calls again.
    pub fn withdraw_refusals(&self) {
        self.state().refused.clear();
    }

    /// The lasting refusals so far.
    #[must_use]
    pub fn lasting_refusals(&self) -> LastingRefusals {
        self.state().lasting_refusals
    }
}
