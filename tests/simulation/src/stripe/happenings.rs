//! What happens around Stripe: payers, banks, the studio in its dashboard, and what a world observes.
//!
//! Nothing here is a call of the service, so there are no faults and no scheduling points. An impossible action is
//! refused and changes nothing.

use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;
use classpay_service::stripe::{Methods, StripeError};
use classpay_stripe_model::accounts::{self, Account};
use classpay_stripe_model::disputes;
use classpay_stripe_model::happenings::Happening;
use classpay_stripe_model::intents::{self, Cancel};
use classpay_stripe_model::means::Failure;
use classpay_stripe_model::params::Terms;
use classpay_stripe_model::refunds::{FailureReason, Wanted, charge_meant};
use classpay_stripe_model::{ApiError, Call, Customer, Dispute, Effect, PaymentIntent, Refund};

use super::MemoryStripe;
use super::calls::terms;
use super::convert;
use super::events::Event;
use super::state::IntentView;
use crate::faults::CallKind;

/// How a dispute ends.
pub use classpay_stripe_model::disputes::Outcome as Verdict;

/// The payer's payment method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaysWith {
    /// A card whose bank approves.
    Card,
    /// A card whose bank declines.
    DecliningCard,
    /// A British bank account, whose bank answers days later.
    BankDebit,
}

impl PaysWith {
    /// Stripe's test id.
    fn id(self) -> &'static str {
        match self {
            Self::Card => "pm_card_visa",
            Self::DecliningCard => "pm_card_chargeDeclined",
            Self::BankDebit => "pm_bacsDebit_success",
        }
    }
}

/// When a refund reaches the payer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It looks completed at once.
    AtOnce,
    /// The bank takes its time, so it is pending.
    Later,
}

/// The kind of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// It takes the money back.
    Dispute,
    /// It only asks.
    Inquiry,
}

/// A capability of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// `card_payments`.
    Cards,
    /// `bacs_debit_payments`.
    BankDebits,
}

/// The studio's account and customers, and what Stripe refuses lastingly.
impl MemoryStripe {
    fn set(&self, account: &AccountId, set: impl FnOnce(&mut Account)) {
        set(self.state().stripe.account_mut(account.as_str()));
    }

    /// The studio disconnects its account: our calls are refused, and its payments go on.
    pub fn disconnect(&self, account: &AccountId) {
        self.set(account, |account| account.disconnected = true);
        self.state().was_disconnected.insert(account.as_str().to_owned());
    }

    /// Whether our calls for an account are answered.
    #[must_use]
    pub fn is_connected(&self, account: &AccountId) -> bool {
        self.state().connected(account).is_ok()
    }

    /// The studio connects its account again.
    pub fn reconnect(&self, account: &AccountId) {
        self.set(account, |account| account.disconnected = false);
    }

    /// Stripe removes a capability from an account, or restores it.
    pub fn set_capability(&self, account: &AccountId, capability: Capability, is_active: bool) {
        let status = if is_active { accounts::Capability::Active } else { accounts::Capability::Inactive };
        self.set(account, |account| match capability {
            Capability::Cards => account.card_payments = status,
            Capability::BankDebits => account.bacs_debit_payments = status,
        });
    }

    /// The customers of all accounts that weren't deleted.
    #[must_use]
    pub fn customers(&self) -> Vec<CustomerId> {
        let state = self.state();
        let all = state.stripe.everywhere::<Customer>().into_iter();
        let living = all.filter(|(_, customer)| customer.deleted_at.is_none());
        living.map(|(_, customer)| CustomerId::parse(customer.id.as_str()).expect("it is an id")).collect()
    }

    /// The studio deletes a customer. Intents made for it before can still be paid.
    pub fn delete_customer(&self, customer: &CustomerId) -> Result<(), StripeError> {
        self.happens(customer.as_str(), Happening::DeleteCustomer {})
    }

    /// From now on Stripe refuses every changing call of a kind: with a 400, 402 or 404, which their keys store, or
    /// with a 401 or 403, which they don't.
    pub fn refuse(&self, kind: CallKind, status: u16, code: &str) {
        let effect = if matches!(status, 401 | 403) { Effect::NotExecuted } else { Effect::Refused };
        let error = ApiError::new(status, "invalid_request_error", effect, "Refused lastingly.").code(code.to_owned());
        self.state().refused.push((kind, error));
    }

    /// Whether Stripe refuses a kind of call, or an account accepts no cards.
    #[must_use]
    pub fn refuses_payments(&self) -> bool {
        let state = self.state();
        !state.refused.is_empty() || state.stripe.accounts().values().any(|account| !account.takes("card"))
    }

    /// Stripe answers all kinds of calls again.
    pub fn withdraw_refusals(&self) {
        self.state().refused.clear();
    }

    /// The lasting refusals so far.
    #[must_use]
    pub fn lasting_refusals(&self) -> super::LastingRefusals {
        self.state().lasting_refusals
    }
}

/// The payer and their bank.
impl MemoryStripe {
    /// The payer confirms. A declined card is not an error here.
    pub fn confirm(&self, intent: &IntentId, with: PaysWith) -> Result<(), StripeError> {
        let what = Happening::Confirm { method: with.id().to_owned() };
        self.change(intent.as_str(), |call| match what.happen(call, intent.as_str()) {
            Err(error) if error.0.effect == Effect::Changed => Ok(()),
            result => result.map(drop),
        })
    }

    /// The bank pays a debit.
    pub fn settle_debit(&self, intent: &IntentId) -> Result<(), StripeError> {
        self.happens(intent.as_str(), Happening::SettleDebit {})
    }

    /// The bank refuses a debit.
    pub fn fail_debit(&self, intent: &IntentId) -> Result<(), StripeError> {
        self.happens(intent.as_str(), Happening::FailDebit { code: Failure::InsufficientFunds })
    }

    /// The card's bank releases a hold early. When a hold's time is up, that happens automatically.
    pub fn expire(&self, intent: &IntentId) -> Result<(), StripeError> {
        self.happens(intent.as_str(), Happening::Expire {})
    }

    /// The payer's bank takes back the given amount or all, or opens an inquiry. Returns the dispute's id.
    pub fn dispute(
        &self,
        intent: &IntentId,
        amount: Option<Money>,
        complaint: Complaint,
    ) -> Result<String, StripeError> {
        let (amount, inquiry) = (amount.map(Money::units), complaint == Complaint::Inquiry);
        let complaint = disputes::Complaint { amount, inquiry, ..disputes::Complaint::default() };
        self.change(intent.as_str(), |call| {
            let charge = charge_meant(call, None, Some(intent.as_str()))?;
            Ok(Dispute::open(call, charge, complaint)?.id)
        })
    }

    /// The bank has inquired, and now takes the money.
    pub fn escalate(&self, dispute: &str) -> Result<(), StripeError> {
        self.happens(dispute, Happening::Escalate {})
    }

    /// The bank decides a dispute.
    pub fn close_dispute(&self, dispute: &str, verdict: Verdict) -> Result<(), StripeError> {
        self.happens(dispute, Happening::Close { outcome: verdict })
    }

    /// The bank reports that a pending refund has arrived.
    pub fn settle_refund(&self, refund: &str) -> Result<(), StripeError> {
        self.happens(refund, Happening::RefundArrives {})
    }

    /// A refund fails, even one that had looked completed.
    pub fn fail_refund(&self, refund: &str) -> Result<(), StripeError> {
        self.happens(refund, Happening::RefundFails { reason: FailureReason::Unknown })
    }
}

/// The studio in its dashboard, or an intruder with its password.
impl MemoryStripe {
    /// It captures the given amount, or all that is held.
    pub fn capture_in_dashboard(&self, intent: &IntentId, amount: Option<Money>) -> Result<(), StripeError> {
        self.happens(intent.as_str(), Happening::Capture { amount: amount.map(Money::units) })
    }

    /// It cancels.
    pub fn cancel_in_dashboard(&self, intent: &IntentId) -> Result<(), StripeError> {
        self.change(intent.as_str(), |call| intents::cancel(call, intent.as_str(), Cancel::default()).map(drop))
    }

    /// It changes the amount before the payer has confirmed.
    pub fn edit_amount(&self, intent: &IntentId, amount: Money) -> Result<(), StripeError> {
        let terms = Terms { amount: Some(amount.units()), ..Terms::default() };
        self.change(intent.as_str(), |call| intents::update(call, intent.as_str(), terms).map(drop))
    }

    /// It creates another intent for the same customer and copies the metadata, so that it looks like ours. Returns its
    /// id.
    pub fn copy_intent(&self, intent: &IntentId, (amount, currency): (Money, &str)) -> Result<IntentId, StripeError> {
        let made = self.change(intent.as_str(), |call| {
            let intent: PaymentIntent = call.get(intent.as_str())?;
            let customer = intent.customer.as_deref().unwrap_or_default();
            let terms = terms((amount.units(), currency), customer, Methods::Card, &intent.metadata);
            Ok(intents::create(call, terms)?.id)
        })?;
        self.state().mark_as_the_studios(&made);
        Ok(IntentId::parse(made).expect("the model's ids are ids"))
    }

    /// It refunds the given amount, or the rest. Returns the refund's id.
    pub fn refund(&self, intent: &IntentId, amount: Option<Money>, arrival: Arrival) -> Result<String, StripeError> {
        let (amount, pending) = (amount.map(Money::units), arrival == Arrival::Later);
        let wanted = Wanted { amount, pending, ..Wanted::default() };
        self.change(intent.as_str(), |call| {
            let charge = charge_meant(call, None, Some(intent.as_str()))?;
            Ok(Refund::make(call, charge, wanted)?.id)
        })
    }
}

/// What a world observes and decides.
impl MemoryStripe {
    /// The number of requests still on their way, whose senders have given up.
    #[must_use]
    pub fn late_calls(&self) -> usize {
        self.state().late.len()
    }

    /// A late request arrives, with its key; requests are counted from the oldest. Returns whether it was done, now or
    /// before.
    ///
    /// # Panics
    /// If there is no such request.
    pub fn land_late(&self, which: usize) -> bool {
        let mut state = self.state();
        let late = state.late.remove(which);
        state.land(late)
    }

    /// The events since the last call of the types that our webhook subscribes to, in the order in which they happened.
    #[must_use]
    pub fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.looked_at().events)
    }

    /// Reports every change of an intent's status or money at that instant. Stripe is locked meanwhile, so the watcher
    /// must not call it.
    pub fn watch(&self, watcher: impl FnMut(&IntentView<'_>) + Send + 'static) {
        self.state().watcher = Some(Box::new(watcher));
    }

    /// Shows every intent, in the order of creation.
    pub fn for_each(&self, mut show: impl FnMut(&IntentView<'_>)) {
        let state = self.looked_at();
        (0..state.intents()).for_each(|at| show(&state.view(at)));
    }

    /// Shows every intent that has changed since the last call. Returns whether there was one.
    pub fn for_each_changed(&self, mut show: impl FnMut(&IntentView<'_>)) -> bool {
        let mut state = self.looked_at();
        let changed = state.take_changed();
        changed.iter().for_each(|&at| show(&state.view(at)));
        !changed.is_empty()
    }

    /// Shows one intent.
    pub fn inspect<A>(&self, intent: &IntentId, look: impl FnOnce(&IntentView<'_>) -> A) -> Option<A> {
        let state = self.looked_at();
        state.place(intent.as_str()).map(|at| look(&state.view(at)))
    }

    fn happens(&self, id: &str, what: Happening) -> Result<(), StripeError> {
        self.change(id, |call| what.happen(call, id).map(drop))
    }

    /// Something happens to an object, whichever account it is of.
    fn change<A>(&self, id: &str, change: impl FnOnce(&mut Call<'_>) -> Result<A, ApiError>) -> Result<A, StripeError> {
        let mut state = self.state();
        let Some(account) = state.stripe.account_of(id).map(str::to_owned) else {
            return Err(convert::error(ApiError::no_such("object", id, "id")));
        };
        state.call(&account, change).map_err(|error| {
            state.lasting_refusals.note(&error);
            convert::error(error)
        })
    }
}
