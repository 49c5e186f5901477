//! What happens around Stripe: payers, banks, the studio in its dashboard, and what a world observes.
//!
//! Nothing here is a call of the service, so there are no faults and no scheduling points. An impossible action is
//! refused and changes nothing.

use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;
use classpay_service::stripe::{Intent, Methods, StripeError};

use super::MemoryStripe;
use super::calls::at_least_one;
use super::events::Event;
use super::intents::{Authentication, PaysWith};
use super::returns::{Arrival, Complaint, DisputeStatus};
use super::state::{IntentView, Payment, Refusal, State};

/// How a dispute ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The money comes back to the studio.
    Won,
    /// The payer keeps it.
    Lost,
    /// Closes an inquiry: the bank asks no more.
    WarningClosed,
}

/// An impossible action is refused as Stripe would refuse it.
pub(super) type Happening = Result<(), StripeError>;

/// The studio's account and customers.
impl MemoryStripe {
    /// A customer that existed before this world began.
    pub fn add_customer(&self, account: &AccountId, customer: CustomerId) {
        let mut state = self.state();
        let at = state.account(account);
        let customers = &mut state.accounts[at].customers;
        if !customers.contains(&customer) {
            customers.push(customer);
        }
    }

    /// The studio disconnects its account: our calls are refused, and its payments go on.
    pub fn disconnect(&self, account: &AccountId) {
        let mut state = self.state();
        let at = state.account(account);
        let account = &mut state.accounts[at];
        (account.is_connected, account.was_disconnected) = (false, true);
    }

    /// Whether our calls for an account are answered.
    #[must_use]
    pub fn is_connected(&self, account: &AccountId) -> bool {
        self.state().connected(account).is_ok()
    }

    /// The studio connects its account again.
    pub fn reconnect(&self, account: &AccountId) {
        let mut state = self.state();
        let at = state.account(account);
        state.accounts[at].is_connected = true;
    }
}

/// The payer and their bank.
impl MemoryStripe {
    /// The payer confirms. A declined card is not an error here.
    ///
    /// # Errors
    /// The intent isn't waiting for a confirmation.
    pub fn confirm(&self, intent: &IntentId, with: PaysWith) -> Happening {
        self.happens(intent, |state, at| state.confirm(at, with))
    }

    /// The payer answers to 3-D Secure.
    pub fn authenticate(&self, intent: &IntentId, answer: Authentication) -> Happening {
        self.happens(intent, |state, at| state.authenticate(at, answer))
    }

    /// The bank pays a debit.
    pub fn settle_debit(&self, intent: &IntentId) -> Happening {
        self.happens(intent, State::settle_debit)
    }

    /// The bank refuses a debit.
    pub fn fail_debit(&self, intent: &IntentId) -> Happening {
        self.happens(intent, State::fail_debit)
    }

    /// The card's bank releases a hold early. When a hold's time is up, that happens automatically.
    pub fn expire(&self, intent: &IntentId) -> Happening {
        self.happens(intent, |state, at| state.run_out(at, state.now_ms()))
    }

    /// The payer's bank takes back the given amount or all, or opens an inquiry. Returns the dispute's id.
    ///
    /// # Errors
    /// Nothing was captured, less than the amount was captured, or it is disputed already.
    pub fn dispute(
        &self,
        intent: &IntentId,
        amount: Option<Money>,
        complaint: Complaint,
    ) -> Result<String, StripeError> {
        self.happens(intent, |state, at| state.dispute(at, amount.map(Money::units), complaint))
    }

    /// The bank has inquired, and now takes the money.
    ///
    /// # Errors
    /// It isn't an inquiry, it is closed already, or it doesn't exist.
    pub fn escalate(&self, dispute: &str) -> Happening {
        said(self.looked_at().escalate(dispute))
    }

    /// The bank decides a dispute.
    ///
    /// # Errors
    /// It is closed already, can't be closed like that, or doesn't exist.
    pub fn close_dispute(&self, dispute: &str, verdict: Verdict) -> Happening {
        let status = match verdict {
            Verdict::Won => DisputeStatus::Won,
            Verdict::Lost => DisputeStatus::Lost,
            Verdict::WarningClosed => DisputeStatus::WarningClosed,
        };
        said(self.looked_at().close_dispute(dispute, status))
    }

    /// The bank reports that a pending refund has arrived.
    ///
    /// # Errors
    /// It isn't pending, or doesn't exist.
    pub fn settle_refund(&self, refund: &str) -> Happening {
        said(self.looked_at().settle_refund(refund))
    }

    /// A refund fails, even one that had looked completed.
    ///
    /// # Errors
    /// It has failed before, or doesn't exist.
    pub fn fail_refund(&self, refund: &str) -> Happening {
        said(self.looked_at().fail_refund(refund))
    }
}

/// The studio in its dashboard, or an intruder with its password.
impl MemoryStripe {
    /// It captures the given amount, or all that is held.
    ///
    /// # Errors
    /// Nothing is held, or less than the amount.
    pub fn capture_in_dashboard(&self, intent: &IntentId, amount: Option<Money>) -> Happening {
        self.happens(intent, |state, at| {
            amount.map_or(Ok(()), |amount| at_least_one(amount.units()))?;
            state.capture(at, amount.map(Money::units))
        })
    }

    /// It cancels.
    ///
    /// # Errors
    /// It is too late to cancel.
    pub fn cancel_in_dashboard(&self, intent: &IntentId) -> Happening {
        self.happens(intent, State::cancel)
    }

    /// It changes the amount before the payer has confirmed.
    ///
    /// # Errors
    /// The payer has confirmed, or Stripe doesn't charge such an amount.
    pub fn edit_amount(&self, intent: &IntentId, amount: Money) -> Happening {
        self.happens(intent, |state, at| state.edit_amount(at, amount.units()))
    }

    /// It changes or removes an entry of the metadata.
    pub fn edit_metadata(&self, intent: &IntentId, name: &str, value: Option<&str>) -> Happening {
        self.happens(intent, |state, at| {
            let metadata = &mut state.payments[at].metadata;
            match value {
                Some(value) => metadata.insert(name.to_owned(), value.to_owned()),
                None => metadata.remove(name),
            };
            Ok(())
        })
    }

    /// It creates another intent for the same customer and copies the metadata, so that it looks like ours. Returns its
    /// id.
    ///
    /// # Errors
    /// There is no such intent, its customer was deleted, or Stripe doesn't charge such an amount.
    pub fn copy_intent(&self, intent: &IntentId, (amount, currency): (Money, &str)) -> Result<IntentId, StripeError> {
        self.happens(intent, |state, at| {
            let Payment { account, customer, metadata, .. } = state.payments[at].clone();
            let made = state.create(account, (amount.units(), currency), &customer, Methods::Card, &metadata)?;
            state.payments[made].is_studios = true;
            Ok(state.payments[made].intent.id.clone())
        })
    }

    /// It refunds the given amount, or the rest. Returns the refund's id.
    ///
    /// # Errors
    /// Nothing was captured, less is left, or it is disputed.
    pub fn refund(&self, intent: &IntentId, amount: Option<Money>, arrival: Arrival) -> Result<String, StripeError> {
        self.happens(intent, |state, at| state.refund(at, amount.map(Money::units), arrival))
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

    /// The events since the last call, in the order in which they happened.
    #[must_use]
    pub fn take_events(&self) -> Vec<Event> {
        let mut state = self.looked_at();
        std::mem::take(&mut state.events)
    }

    /// From now on there are also events of types that our webhook doesn't subscribe to.
    pub fn tell_everything(&self) {
        self.state().tells_everything = true;
    }

    /// Reports every change of an intent's status or money at that instant. Stripe is locked meanwhile, so the watcher
    /// must not call it.
    pub fn watch(&self, watcher: impl FnMut(&IntentView<'_>) + Send + 'static) {
        self.state().watcher = Some(Box::new(watcher));
    }

    /// Shows every intent, in the order of creation.
    pub fn for_each(&self, mut show: impl FnMut(&IntentView<'_>)) {
        let state = self.looked_at();
        (0..state.payments.len()).for_each(|at| show(&state.view(at)));
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
        state.place(intent).map(|at| look(&state.view(at)))
    }

    /// The whole intent, as a call would return it now.
    #[must_use]
    pub fn intent(&self, intent: &IntentId) -> Option<Intent> {
        let state = self.looked_at();
        state.place(intent).map(|at| state.payments[at].intent.clone())
    }

    fn happens<A>(
        &self,
        intent: &IntentId,
        what: impl FnOnce(&mut State, usize) -> Result<A, Refusal>,
    ) -> Result<A, StripeError> {
        let mut state = self.looked_at();
        let at = said(state.place(intent).ok_or_else(|| Refusal::missing(404)))?;
        said(what(&mut state, at))
    }
}

pub(super) fn said<A>(result: Result<A, Refusal>) -> Result<A, StripeError> {
    result.map_err(|refusal| refusal.error)
}
