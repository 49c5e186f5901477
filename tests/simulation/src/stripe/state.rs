//! Stripe's state: accounts with their customers and keys, and intents with their last charge.
//!
//! Only `requires_capture` has a capturable amount, only `succeeded` has a received amount, and both `succeeded` and
//! `canceled` are final. The next access to an expired hold finds it cancelled.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;
use classpay_service::stripe::{Charge, Intent, Refund, Rejection, StripeError};

use super::calls::{Late, Remembered};
use super::events::Event;
use super::lasting::{Capability, LastingRefusals, Refused};
use super::returns::Dispute;

/// The number of refunds that Stripe shows on an expanded charge.
const SHOWN_REFUNDS: usize = 10;

/// Called whenever an intent's status or money changes, at that instant.
pub(super) type Watcher = Box<dyn FnMut(&IntentView<'_>) + Send>;

/// An intent as the checks see it: no call, no fault, no copy.
#[derive(Debug, Clone, Copy)]
pub struct IntentView<'a> {
    /// Its account.
    pub account: &'a AccountId,
    /// Its id.
    pub intent: &'a IntentId,
    /// Its customer.
    pub customer: &'a CustomerId,
    /// Whether its account is connected to us.
    pub is_connected: bool,
    /// Whether its account was ever disconnected.
    pub was_disconnected: bool,
    /// Whether the studio created it in its dashboard.
    pub is_studios: bool,
    /// Its currency.
    pub currency: &'a str,
    /// Its metadata, as created or as edited by the studio.
    pub metadata: &'a BTreeMap<String, String>,
    /// Its status.
    pub status: IntentStatus,
    /// Its amount.
    pub amount: Money,
    /// The amount captured.
    pub received: Money,
    /// The amount refunded, without failed refunds. A released hold was never captured.
    pub refunded: Money,
    /// The amount that the payer's bank has taken back and not returned.
    pub disputed: Money,
    /// When the last charge was made, in seconds since 1970.
    pub charged_s: Option<i64>,
    /// When its status or money last changed, in milliseconds since 1970.
    pub changed_ms: i64,
}

/// Why nothing was done, and whether the answer is stored under the key.
#[derive(Debug)]
pub(super) struct Refusal {
    pub error: StripeError,
    pub is_kept: bool,
}

impl Refusal {
    fn of(status: u16, code: &str, message: &str, is_kept: bool) -> Self {
        let (code, message) = (Some(code.to_owned()), message.to_owned());
        let error = StripeError::of(Rejection { status, code, message, ..Rejection::default() });
        Self { error, is_kept }
    }

    /// 400 for a parameter, before execution: the key stays free.
    pub fn unread(code: &str, message: &str) -> Self {
        Self::of(400, code, message, false)
    }

    /// 400 at execution: stored. An error without a code is identified by its type.
    pub fn refused(message: &str) -> Self {
        Self::of(400, "invalid_request_error", message, true)
    }

    /// 400 at execution, with a code: stored.
    pub fn coded(code: &str, message: &str) -> Self {
        Self::of(400, code, message, true)
    }

    /// No such object: 404 if the path names it, 400 if a parameter does.
    pub fn missing(status: u16) -> Self {
        Self::of(status, "resource_missing", "no such object", true)
    }

    /// The intent's status doesn't allow it.
    pub fn unexpected(status: IntentStatus) -> Self {
        Self::of(400, "payment_intent_unexpected_state", status.as_str(), true)
    }
}

/// A studio's account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub id: AccountId,
    pub is_connected: bool,
    pub was_disconnected: bool,
    pub customers: Vec<CustomerId>,
    /// Deleted customers.
    pub deleted: Vec<CustomerId>,
    /// The capabilities that it lacks.
    pub lost: Vec<Capability>,
    pub keys: HashMap<String, Remembered>,
}

/// The status of the last charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The card's bank holds the amount, or held it.
    Held,
    /// The bank has been asked for a debit.
    Pending,
    /// The money was captured.
    Taken,
    /// Declined.
    Failed,
}

/// An intent, with fields that its answers don't show.
#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub account: usize,
    /// The object as answered.
    pub intent: Intent,
    pub customer: CustomerId,
    pub metadata: BTreeMap<String, String>,
    /// Whether the studio created it in its dashboard.
    pub is_studios: bool,
    /// Whether it may be paid by bank debit.
    pub takes_debits: bool,
    pub created_s: i64,
    pub capturable: i64,
    pub held_until_s: Option<i64>,
    pub standing: Standing,
    /// The intent's amount when the charge was made.
    pub charge_metadata: BTreeMap<String, String>,
    /// Refunds of the last charge, oldest first.
    pub refunds: Vec<Refund>,
    /// Disputes of the last charge.
    pub disputes: Vec<Dispute>,
    pub changed_ms: i64,
    is_changed: bool,
}

impl Payment {
    pub fn new(account: usize, intent: Intent, customer: CustomerId, created_s: i64) -> Self {
        Self {
            account,
            intent,
            customer,
            metadata: BTreeMap::new(),
            is_studios: false,
            takes_debits: false,
            created_s,
            capturable: 0,
            held_until_s: None,
            standing: Standing::Failed,
            charge_metadata: BTreeMap::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
            changed_ms: 0,
            is_changed: false,
        }
    }

    /// The last charge.
    ///
    /// # Errors
    /// There is no charge.
    pub fn charge(&mut self) -> Result<&mut Charge, Refusal> {
        self.intent.charge.as_mut().ok_or_else(|| Refusal::refused("nothing was charged"))
    }

    /// The amount actually captured, and the part of it that was refunded.
    pub fn money(&self) -> (i64, i64) {
        match (&self.intent.charge, self.standing) {
            (Some(charge), Standing::Taken) => {
                let taken = charge.amount_captured.units();
                (taken, charge.amount_refunded.units() - (charge.amount.units() - taken))
            }
            _ => (0, 0),
        }
    }

    /// Whether the payer's bank has the charge's money, or may keep it.
    pub fn is_disputed(&self) -> bool {
        self.disputes.iter().any(|dispute| dispute.status.keeps())
    }

    /// Whether the bank has an open inquiry, or the money.
    pub fn is_questioned(&self) -> bool {
        self.disputes.iter().any(|dispute| dispute.status.stands())
    }

    /// Adds a refund, or a released amount, to the charge: at Stripe both are refunds.
    pub fn give_back(&mut self, refund: Refund) -> Result<(), Refusal> {
        self.count_back(refund.amount.units())?;
        self.refunds.push(refund);
        self.show_refunds()
    }

    /// Adds to the refunded amount; a failed refund subtracts.
    pub fn count_back(&mut self, amount: i64) -> Result<(), Refusal> {
        let charge = self.charge()?;
        charge.amount_refunded = Money::minor(charge.amount_refunded.units() + amount);
        charge.refunded = charge.amount_refunded == charge.amount;
        Ok(())
    }

    /// Lists the refunds on the charge as Stripe does.
    pub fn show_refunds(&mut self) -> Result<(), Refusal> {
        let shown = self.refunds.iter().rev().take(SHOWN_REFUNDS).cloned().collect();
        self.charge()?.refunds = shown;
        Ok(())
    }
}

/// The whole state.
pub(super) struct State {
    clock: Arc<AtomicI64>,
    pub accounts: Vec<Account>,
    pub payments: Vec<Payment>,
    pub late: Vec<Late>,
    pub refused: Vec<Refused>,
    pub lasting_refusals: LastingRefusals,
    /// Events that the world hasn't taken yet.
    pub events: Vec<Event>,
    /// All events, as sent.
    pub told: Vec<Event>,
    /// Whether there are events of types that our webhook doesn't subscribe to.
    pub tells_everything: bool,
    pub watcher: Option<Watcher>,
    changed: Vec<usize>,
    minted: u64,
    /// No hold expires before this time.
    pub soonest_end_s: i64,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("payments", &self.payments).field("late", &self.late).finish_non_exhaustive()
    }
}

impl State {
    pub fn new(clock: Arc<AtomicI64>) -> Self {
        Self {
            clock,
            accounts: Vec::new(),
            payments: Vec::new(),
            late: Vec::new(),
            refused: Vec::new(),
            lasting_refusals: LastingRefusals::default(),
            events: Vec::new(),
            told: Vec::new(),
            tells_everything: false,
            watcher: None,
            changed: Vec::new(),
            minted: 0,
            soonest_end_s: i64::MAX,
        }
    }

    /// A copy with the same accounts, intents and past. It has no requests on their way, no new events and no changes.
    pub fn copy(&self, clock: Arc<AtomicI64>) -> Self {
        let mut copy = Self::new(clock);
        copy.accounts.clone_from(&self.accounts);
        copy.payments.clone_from(&self.payments);
        copy.told.clone_from(&self.told);
        copy.payments.iter_mut().for_each(|payment| payment.is_changed = false);
        (copy.minted, copy.soonest_end_s) = (self.minted, self.soonest_end_s);
        copy.tells_everything = self.tells_everything;
        copy
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    pub fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// An id that no other object has.
    pub fn new_id(&mut self, prefix: &str) -> String {
        self.minted += 1;
        format!("{prefix}_{}", self.minted)
    }

    /// The account's index. Every account exists.
    pub fn account(&mut self, id: &AccountId) -> usize {
        if let Some(at) = self.accounts.iter().position(|account| account.id == *id) {
            return at;
        }
        let id = id.clone();
        let (customers, deleted, lost) = (Vec::new(), Vec::new(), Vec::new());
        let keys = HashMap::new();
        let new = Account { id, is_connected: true, was_disconnected: false, customers, deleted, lost, keys };
        self.accounts.push(new);
        self.accounts.len() - 1
    }

    /// The account's index, for a call of ours.
    ///
    /// # Errors
    /// The studio has disconnected the account.
    pub fn connected(&mut self, id: &AccountId) -> Result<usize, StripeError> {
        let at = self.account(id);
        if self.accounts[at].is_connected {
            return Ok(at);
        }
        let (code, message) = (Some("account_invalid".to_owned()), "not connected".to_owned());
        Err(StripeError::Misconfigured(Rejection { status: 403, code, message, ..Rejection::default() }))
    }

    /// The id of the next intent, which contains the intent's index.
    pub fn next_intent(&self) -> String {
        format!("pi_{}", self.payments.len() + 1)
    }

    /// The index of an intent.
    pub fn place(&self, id: &IntentId) -> Option<usize> {
        let at = id.as_str().strip_prefix("pi_")?.parse::<usize>().ok()?.checked_sub(1)?;
        self.payments.get(at).filter(|payment| payment.intent.id == *id).map(|_| at)
    }

    /// The index of an intent of this account; other accounts' intents are not found.
    ///
    /// # Errors
    /// The account has no intent with that id.
    pub fn place_on(&self, account: usize, id: &IntentId) -> Result<usize, Refusal> {
        let found = self.place(id).filter(|&at| self.payments[at].account == account);
        found.ok_or_else(|| Refusal::missing(404))
    }

    /// An intent's status or money has changed.
    pub fn has_changed(&mut self, at: usize, changed_ms: i64) {
        let payment = &mut self.payments[at];
        payment.changed_ms = changed_ms;
        if !payment.is_changed {
            payment.is_changed = true;
            self.changed.push(at);
        }
        if let Some(mut watcher) = self.watcher.take() {
            watcher(&self.view(at));
            self.watcher = Some(watcher);
        }
    }

    /// The intents that have changed since the last call.
    pub fn take_changed(&mut self) -> Vec<usize> {
        let changed = std::mem::take(&mut self.changed);
        for &at in &changed {
            self.payments[at].is_changed = false;
        }
        changed
    }

    pub fn view(&self, at: usize) -> IntentView<'_> {
        let payment = &self.payments[at];
        let (_, refunded) = payment.money();
        let withheld = payment.disputes.iter().filter(|dispute| dispute.status.keeps());
        IntentView {
            account: &self.accounts[payment.account].id,
            intent: &payment.intent.id,
            customer: &payment.customer,
            is_connected: self.accounts[payment.account].is_connected,
            was_disconnected: self.accounts[payment.account].was_disconnected,
            is_studios: payment.is_studios,
            currency: &payment.intent.currency,
            metadata: &payment.metadata,
            status: payment.intent.status,
            amount: payment.intent.amount,
            received: payment.intent.amount_received,
            refunded: Money::minor(refunded),
            disputed: Money::minor(withheld.map(|dispute| dispute.amount).sum()),
            charged_s: payment.intent.charge.as_ref().map(|charge| charge.created_s),
            changed_ms: payment.changed_ms,
        }
    }
}
