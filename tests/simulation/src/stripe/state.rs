//! What a world keeps beside the model: keys, requests on their way, and the intents in the order in which they were
//! made.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;
use classpay_service::stripe::{Rejection, StripeError};
use classpay_stripe_model::ids::Ids;
use classpay_stripe_model::keys::Keys;
use classpay_stripe_model::{self as model, ApiError, Call, Charge, Dispute, Origin, PaymentIntent, Touched};

use super::calls::{Answer, LastingRefusals, Late, Request};
use super::events::{Event, is_followed};
use crate::faults::CallKind;

/// Every Stripe has the same ids, so that a world can be replayed.
const SEED: u64 = 1;

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
}

/// An intent's names in our types.
#[derive(Debug, Clone)]
struct Known {
    account: AccountId,
    intent: IntentId,
    customer: CustomerId,
    is_studios: bool,
    is_changed: bool,
}

/// The whole state.
pub(super) struct State {
    clock: Arc<AtomicI64>,
    pub stripe: model::State,
    pub keys: Keys<Request, Result<Answer, StripeError>>,
    pub late: Vec<Late>,
    /// The kinds of calls that are refused lastingly, with the error.
    pub refused: Vec<(CallKind, ApiError)>,
    pub lasting_refusals: LastingRefusals,
    /// Events that the world hasn't taken yet.
    pub events: Vec<Event>,
    /// All events of types that our webhook subscribes to. No others are listed either.
    pub followed: HashMap<String, Event>,
    /// The accounts that were ever disconnected.
    pub was_disconnected: BTreeSet<String>,
    pub watcher: Option<Watcher>,
    intents: Vec<Known>,
    places: HashMap<String, usize>,
    changed: Vec<usize>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("stripe", &self.stripe).field("late", &self.late).finish_non_exhaustive()
    }
}

impl State {
    pub fn new(clock: Arc<AtomicI64>) -> Self {
        Self {
            clock,
            stripe: model::State::new(Ids::seeded(SEED)),
            keys: Keys::default(),
            late: Vec::new(),
            refused: Vec::new(),
            lasting_refusals: LastingRefusals::default(),
            events: Vec::new(),
            followed: HashMap::new(),
            was_disconnected: BTreeSet::new(),
            watcher: None,
            intents: Vec::new(),
            places: HashMap::new(),
            changed: Vec::new(),
        }
    }

    pub fn now_s(&self) -> i64 {
        self.clock.load(Ordering::Relaxed).div_euclid(1000)
    }

    /// Ends every hold whose time has come.
    pub fn pass_time(&mut self) {
        let touched = self.stripe.pass_time(self.now_s());
        self.note_changes(touched);
    }

    /// Runs a call of the model, and tells the watcher of what has changed.
    pub fn call<A>(
        &mut self,
        account: &str,
        run: impl FnOnce(&mut Call<'_>) -> Result<A, ApiError>,
    ) -> Result<A, ApiError> {
        let now_s = self.now_s();
        let (result, touched) = self.stripe.call(account, now_s, Origin::default(), run);
        self.note_changes(touched);
        result
    }

    fn note_changes(&mut self, touched: Touched) {
        for recorded in touched.events.into_iter().filter(|event| is_followed(event)) {
            let (id, event) = (recorded.id.clone(), Event::of(recorded));
            self.events.push(event.clone());
            self.followed.insert(id, event);
        }
        for touched in touched.intents {
            let at = self.place(&touched.id).unwrap_or_else(|| self.add_intent(&touched.account, &touched.id));
            if !self.intents[at].is_changed {
                self.intents[at].is_changed = true;
                self.changed.push(at);
            }
            if let Some(mut watcher) = self.watcher.take() {
                watcher(&self.view(at));
                self.watcher = Some(watcher);
            }
        }
    }

    fn add_intent(&mut self, account: &str, id: &str) -> usize {
        let intent = self.stripe.get::<PaymentIntent>(account, id).expect("it was just made");
        let customer = intent.customer.as_deref().unwrap_or_default();
        self.intents.push(Known {
            account: AccountId::parse(account).expect("we call accounts by their ids"),
            intent: IntentId::parse(id).expect("the model's ids are ids"),
            customer: CustomerId::parse(customer).expect("each of our intents has a customer"),
            is_studios: false,
            is_changed: false,
        });
        self.places.insert(id.to_owned(), self.intents.len() - 1);
        self.intents.len() - 1
    }

    /// # Errors
    /// The studio has disconnected the account.
    pub fn connected(&self, account: &AccountId) -> Result<(), StripeError> {
        if !self.stripe.account(account.as_str()).disconnected {
            return Ok(());
        }
        let (code, message) = (Some("account_invalid".to_owned()), "not connected".to_owned());
        Err(StripeError::Misconfigured(Rejection { status: 403, code, message, ..Rejection::default() }))
    }

    /// The index of an intent.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    pub fn mark_as_the_studios(&mut self, id: &str) {
        let at = self.place(id).expect("it was just made");
        self.intents[at].is_studios = true;
    }

    /// The number of intents.
    pub fn intents(&self) -> usize {
        self.intents.len()
    }

    /// The intents that have changed since the last call.
    pub fn take_changed(&mut self) -> Vec<usize> {
        let changed = std::mem::take(&mut self.changed);
        changed.iter().for_each(|&at| self.intents[at].is_changed = false);
        changed
    }

    pub fn view(&self, at: usize) -> IntentView<'_> {
        let Known { account, intent, customer, is_studios, .. } = &self.intents[at];
        let name = account.as_str();
        let found = self.stripe.get::<PaymentIntent>(name, intent.as_str()).expect("an intent is never removed");
        let charge = found.latest_charge.as_deref().and_then(|id| self.stripe.get::<Charge>(name, id));
        let (_, refunded) = charge.map_or((0, 0), |charge| charge.money());
        let disputes = self.stripe.all::<Dispute>(name).iter();
        let withheld = disputes.filter(|dispute| dispute.payment_intent == found.id && dispute.status.keeps());
        IntentView {
            account,
            intent,
            customer,
            is_connected: !self.stripe.account(name).disconnected,
            was_disconnected: self.was_disconnected.contains(name),
            is_studios: *is_studios,
            currency: &found.currency,
            metadata: &found.metadata,
            status: found.status,
            amount: Money::minor(found.amount),
            received: Money::minor(found.amount_received),
            refunded: Money::minor(refunded),
            disputed: Money::minor(withheld.map(|dispute| dispute.amount).sum()),
        }
    }
}
