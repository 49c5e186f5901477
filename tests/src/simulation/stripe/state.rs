//! What this Stripe knows: accounts with their customers and keys, intents with their last charge.
//!
//! Invariant: only `requires_capture` holds something capturable, only `succeeded` has received something, and both
//! `succeeded` and `canceled` are final. A hold that has run out is found cancelled by whoever looks next.

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

/// As many refunds as Stripe shows on an expanded charge.
const SHOWN_REFUNDS: usize = 10;

/// Told of an intent whenever its status or its money has changed, at that very instant.
pub(super) type Watcher = Box<dyn FnMut(&Glance<'_>) + Send>;

/// What an intent looks like to somebody who checks the books: no call, no fault, no copy.
#[derive(Debug, Clone, Copy)]
pub struct Glance<'a> {
    /// Whose.
    pub account: &'a AccountId,
    /// Which.
    pub intent: &'a IntentId,
    /// Who is to pay.
    pub customer: &'a CustomerId,
    /// Whether its account is connected to us.
    pub is_connected: bool,
    /// Whether it was ever disconnected.
    pub was_disconnected: bool,
    /// Whether the studio has made it itself, in its dashboard.
    pub is_studios: bool,
    /// In which currency it charges.
    pub currency: &'a str,
    /// As it was made, or as the studio has edited it.
    pub metadata: &'a BTreeMap<String, String>,
    /// How far it is.
    pub status: IntentStatus,
    /// What it charges.
    pub amount: Money,
    /// What was taken.
    pub received: Money,
    /// What of it was given back, and hasn't come back. A hold that was let go was never taken.
    pub refunded: Money,
    /// What of it the payer's bank has taken back, and hasn't returned.
    pub disputed: Money,
    /// When the last charge was made, in seconds since 1970.
    pub charged_s: Option<i64>,
    /// When its status or its money last changed, in milliseconds since 1970.
    pub changed_ms: i64,
}

/// Why nothing was done, and whether the answer is remembered under the key.
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

    /// 400 for a parameter, before anything was executed: the key stays free.
    pub fn unread(code: &str, message: &str) -> Self {
        Self::of(400, code, message, false)
    }

    /// 400 at execution: remembered. An error without a code is known by its type.
    pub fn refused(message: &str) -> Self {
        Self::of(400, "invalid_request_error", message, true)
    }

    /// 400 at execution, with a code: remembered.
    pub fn coded(code: &str, message: &str) -> Self {
        Self::of(400, code, message, true)
    }

    /// Nothing of that name: 404 where the path names it, 400 where a parameter does.
    pub fn missing(status: u16) -> Self {
        Self::of(status, "resource_missing", "no such object", true)
    }

    /// Not in this status.
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
    /// Customers that it had.
    pub deleted: Vec<CustomerId>,
    /// What it can't be paid with.
    pub lost: Vec<Capability>,
    pub keys: HashMap<String, Remembered>,
}

/// What became of the last charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The card's bank holds it, or held it.
    Held,
    /// The bank has been asked for a debit.
    Pending,
    /// The money was taken.
    Taken,
    /// Declined.
    Failed,
}

/// An intent, with what its answers don't show.
#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub account: usize,
    /// As it is answered.
    pub intent: Intent,
    pub customer: CustomerId,
    pub metadata: BTreeMap<String, String>,
    /// Whether the studio has made it in its dashboard.
    pub is_studios: bool,
    /// Whether a bank debit may pay it.
    pub takes_debits: bool,
    pub created_s: i64,
    pub capturable: i64,
    pub held_until_s: Option<i64>,
    pub standing: Standing,
    /// The intent's when the charge was made.
    pub charge_metadata: BTreeMap<String, String>,
    /// Of the last charge, oldest first.
    pub refunds: Vec<Refund>,
    /// Of the last charge.
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
    /// There is none.
    pub fn charge(&mut self) -> Result<&mut Charge, Refusal> {
        self.intent.charge.as_mut().ok_or_else(|| Refusal::refused("nothing was charged"))
    }

    /// What was really taken, and what of it was given back.
    pub fn money(&self) -> (i64, i64) {
        match (&self.intent.charge, self.standing) {
            (Some(charge), Standing::Taken) => {
                let taken = charge.amount_captured.units();
                (taken, charge.amount_refunded.units() - (charge.amount.units() - taken))
            }
            _ => (0, 0),
        }
    }

    /// Whether the charge's money is with the payer's bank, or may stay there.
    pub fn is_disputed(&self) -> bool {
        self.disputes.iter().any(|dispute| dispute.status.keeps())
    }

    /// Whether the bank has an open question, or the money.
    pub fn is_questioned(&self) -> bool {
        self.disputes.iter().any(|dispute| dispute.status.stands())
    }

    /// Adds a refund to the charge, or what was held and is let go: at Stripe that is a refund too.
    pub fn give_back(&mut self, refund: Refund) -> Result<(), Refusal> {
        self.count_back(refund.amount.units())?;
        self.refunds.push(refund);
        self.show_refunds()
    }

    /// Counts back what was given back; less than nothing where a refund has failed.
    pub fn count_back(&mut self, amount: i64) -> Result<(), Refusal> {
        let charge = self.charge()?;
        charge.amount_refunded = Money::minor(charge.amount_refunded.units() + amount);
        charge.refunded = charge.amount_refunded == charge.amount;
        Ok(())
    }

    /// Shows the refunds on the charge as Stripe does.
    pub fn show_refunds(&mut self) -> Result<(), Refusal> {
        let shown = self.refunds.iter().rev().take(SHOWN_REFUNDS).cloned().collect();
        self.charge()?.refunds = shown;
        Ok(())
    }
}

/// All of it.
pub(super) struct State {
    clock: Arc<AtomicI64>,
    pub accounts: Vec<Account>,
    pub payments: Vec<Payment>,
    pub late: Vec<Late>,
    pub refused: Vec<Refused>,
    pub lasting_refusals: LastingRefusals,
    /// Those that the world hasn't taken yet.
    pub events: Vec<Event>,
    /// All of them, as they were told.
    pub told: Vec<Event>,
    /// Whether there are events of what no webhook of ours follows, too.
    pub tells_everything: bool,
    pub watcher: Option<Watcher>,
    changed: Vec<usize>,
    minted: u64,
    /// No hold runs out before that.
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

    /// Another one with the same accounts, intents and past. Nothing is on its way to it, untold or changed.
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

    /// The account's place. Every account exists.
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

    /// The account's place, for a call of ours.
    ///
    /// # Errors
    /// The studio has disconnected it.
    pub fn connected(&mut self, id: &AccountId) -> Result<usize, StripeError> {
        let at = self.account(id);
        if self.accounts[at].is_connected {
            return Ok(at);
        }
        let (code, message) = (Some("account_invalid".to_owned()), "not connected".to_owned());
        Err(StripeError::Misconfigured(Rejection { status: 403, code, message, ..Rejection::default() }))
    }

    /// The id of the intent that is made next: it says the intent's place.
    pub fn next_intent(&self) -> String {
        format!("pi_{}", self.payments.len() + 1)
    }

    /// The place of an intent.
    pub fn place(&self, id: &IntentId) -> Option<usize> {
        let at = id.as_str().strip_prefix("pi_")?.parse::<usize>().ok()?.checked_sub(1)?;
        self.payments.get(at).filter(|payment| payment.intent.id == *id).map(|_| at)
    }

    /// The place of an intent of this account: no account reaches into another.
    ///
    /// # Errors
    /// It has none of that id.
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
            watcher(&self.glance(at));
            self.watcher = Some(watcher);
        }
    }

    /// The intents that have changed since this was last asked.
    pub fn take_changed(&mut self) -> Vec<usize> {
        let changed = std::mem::take(&mut self.changed);
        for &at in &changed {
            self.payments[at].is_changed = false;
        }
        changed
    }

    pub fn glance(&self, at: usize) -> Glance<'_> {
        let payment = &self.payments[at];
        let (_, refunded) = payment.money();
        let withheld = payment.disputes.iter().filter(|dispute| dispute.status.keeps());
        Glance {
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
