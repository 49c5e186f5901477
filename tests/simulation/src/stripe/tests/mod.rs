//! What a world adds to the model: faults, keys as the port shows them, refusals, the watcher. What Stripe does is
//! tested over HTTP, by the scenarios of `infra/stripe/http`.

mod events;
mod keys;
mod lasting;
mod lost;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;
use classpay_service::stripe::payments::Payments;
use classpay_service::stripe::{Intent, Methods, NewIntent, StripeError};

use super::{MemoryStripe, PaysWith};
use crate::executor::run;
use crate::faults::{Fault, Network, OneFault};

/// 2026-09-07, in milliseconds.
const START_MS: i64 = 1_788_768_000_123;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const AMOUNT: i64 = 1029;

/// A studio at Stripe, with one customer.
struct Desk {
    stripe: MemoryStripe,
    clock: Arc<AtomicI64>,
    account: AccountId,
    customer: CustomerId,
}

impl Desk {
    fn open() -> Self {
        Self::behind(Network::reliable())
    }

    /// The call with that number has this fault. The first makes the customer, with the number zero.
    fn with(at: usize, fault: Fault) -> Self {
        Self::behind(Network::with(&Arc::new(Mutex::new(OneFault::at(at, fault)))))
    }

    fn behind(network: Network) -> Self {
        let clock = Arc::new(AtomicI64::new(START_MS));
        let stripe = MemoryStripe::new(network, Arc::clone(&clock));
        let account = AccountId::parse("acct_studio").unwrap();
        let customer = run(stripe.create_customer(&account, "Jo", &BTreeMap::new(), "jo")).unwrap();
        Self { stripe, clock, account, customer }
    }

    fn pass_ms(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    fn create(&self, key: &str) -> Result<Intent, StripeError> {
        let new = NewIntent {
            amount: Money::minor(AMOUNT),
            currency: "gbp",
            customer: self.customer.clone(),
            methods: Methods::CardOrBankDebit,
            metadata: BTreeMap::from([("classpay".to_owned(), "1".to_owned())]),
        };
        run(self.stripe.create_intent(&self.account, &new, key))
    }

    fn capture(&self, intent: &IntentId, amount: i64, key: &str) -> Result<Intent, StripeError> {
        run(self.stripe.capture_intent(&self.account, intent, Money::minor(amount), key))
    }

    fn cancel(&self, intent: &IntentId, key: &str) -> Result<Intent, StripeError> {
        run(self.stripe.cancel_intent(&self.account, intent, key))
    }

    fn load(&self, intent: &IntentId) -> Intent {
        run(self.stripe.load_intent(&self.account, intent)).unwrap().expect("it was made")
    }

    fn status(&self, intent: &IntentId) -> IntentStatus {
        self.load(intent).status
    }

    /// A new intent that the payer has confirmed.
    fn confirmed(&self, with: PaysWith) -> IntentId {
        let made = self.create("mk").unwrap();
        self.stripe.confirm(&made.id, with).unwrap();
        made.id
    }

    /// A new intent that is paid by card.
    fn paid(&self) -> IntentId {
        let intent = self.confirmed(PaysWith::Card);
        self.capture(&intent, AMOUNT, "cap").unwrap();
        intent
    }
}

#[track_caller]
fn assert_rejected<A: std::fmt::Debug>(result: Result<A, StripeError>, status: u16, code: &str) {
    let error = result.expect_err("it is refused");
    let (StripeError::Refused(why) | StripeError::WrongState(why) | StripeError::IdempotencyConflict(why)) = &error
    else {
        panic!("{error:?} is no rejection")
    };
    let (found, said) = (why.status, why.code.clone().expect("a code"));
    assert_eq!((found, said.as_str()), (status, code));
}

#[track_caller]
fn assert_unexpected_state<A: std::fmt::Debug>(result: Result<A, StripeError>) {
    assert_rejected(result, 400, "payment_intent_unexpected_state");
}
