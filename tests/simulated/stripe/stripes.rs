//! Two Stripes side by side: everything happens to both and is compared.
//!
//! The first of a pair is the stand-in's, the second the simulation's. A name that only one of them knows means
//! nothing.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use classpay_domain::id::{AccountId, CustomerId, IntentId};
use classpay_domain::money::Money;
use classpay_domain::order::IntentStatus;
use classpay_service::stripe::{
    Charge, Intent, Methods, NewIntent, PaymentMethod, Payments, Refund, Rejection, SavedCards, Secret, Stripe,
    StripeError,
};
use classpay_simulation::faults::{CallKind, Fault, Faults, Network};
use classpay_simulation::stripe::{Authentication, MemoryStripe, PaysWith};
use serde_json::{Value, json};

use super::http::Http;

/// 2026-09-07, in milliseconds.
const START_MS: i64 = 1_788_768_000_000;

/// The faults of the next calls.
#[derive(Debug, Default)]
struct Said(Fault);

impl Faults for Said {
    fn next(&mut self, _call: CallKind) -> Fault {
        self.0
    }
}

pub type Pair<A> = [A; 2];
pub type Answered<A> = Pair<Result<A, StripeError>>;

/// Both Stripes.
pub struct Stripes {
    pub http: Http,
    pub real: Stripe,
    pub memory: MemoryStripe,
    clock: Arc<AtomicI64>,
    faults: Arc<Mutex<Said>>,
    fault: Fault,
    pub account: AccountId,
    customers: Vec<Pair<CustomerId>>,
    pub intents: Vec<Pair<IntentId>>,
    /// Including those of earlier accounts.
    pub all_intents: Vec<Pair<IntentId>>,
    pub refunds: Vec<Pair<String>>,
    pub disputes: Vec<Pair<String>>,
    secrets: Vec<Pair<Secret>>,
    pub note: String,
    seen: BTreeMap<String, usize>,
}

impl Stripes {
    /// Both Stripes, without an account.
    pub async fn start() -> Self {
        let clock = Arc::new(AtomicI64::new(START_MS));
        let (http, real) = Http::start(&clock).await;
        let faults = Arc::new(Mutex::new(Said::default()));
        let memory = MemoryStripe::new(Network::with(&faults), Arc::clone(&clock));
        memory.tell_everything();
        Self {
            http,
            real,
            memory,
            clock,
            faults,
            fault: Fault::None,
            account: AccountId::parse("acct_none").expect("an id"),
            customers: Vec::new(),
            intents: Vec::new(),
            all_intents: Vec::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
            secrets: Vec::new(),
            note: String::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Continues with another account, with one customer.
    pub async fn begin(&mut self, seed: u64) {
        self.account = AccountId::parse(format!("acct_{seed}")).expect("an id");
        self.all_intents.append(&mut self.intents);
        self.customers.clear();
        self.refunds.clear();
        self.disputes.clear();
        self.secrets.clear();
        self.note = format!("seed {seed}, at the beginning");
        drop(self.memory.take_events());
        self.create_customer("Jo", "first").await;
    }

    /// The message when they differ.
    pub fn note(&mut self, note: String) {
        self.note = note;
    }

    /// The number of calls by kind and result.
    pub fn seen(&self) -> &BTreeMap<String, usize> {
        &self.seen
    }

    pub fn intents(&self) -> usize {
        self.intents.len()
    }

    pub fn customers(&self) -> usize {
        self.customers.len()
    }

    pub fn refunds(&self) -> usize {
        self.refunds.len()
    }

    pub fn disputes(&self) -> usize {
        self.disputes.len()
    }

    /// The status of an intent, at the simulation's Stripe.
    pub fn status(&self, which: usize) -> IntentStatus {
        self.memory.inspect(&self.intent(which)[1], |view| view.status).expect("it was made")
    }

    pub fn pass_s(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// The next call of the service has this fault.
    pub fn suffer(&mut self, fault: Fault) {
        self.fault = fault;
    }

    /// From now on both refuse every call of a kind, until that is withdrawn.
    pub async fn refuse(&mut self, kind: CallKind, status: u16, code: &str) {
        self.http.refuse(kind, (status, code)).await;
        self.memory.refuse(kind, status, code);
    }

    /// Both answer all kinds of calls again.
    pub async fn withdraw_refusals(&mut self) {
        self.http.withdraw().await;
        self.memory.withdraw_refusals();
    }

    async fn faults_begin(&mut self) {
        self.http.order(self.fault).await;
        self.faults.lock().expect("no panic").0 = self.fault;
    }

    async fn faults_end(&mut self) {
        if self.fault != Fault::None {
            self.http.withdraw().await;
        }
        self.fault = Fault::None;
        self.faults.lock().expect("no panic").0 = Fault::None;
    }

    /// A customer of both, or one that doesn't exist.
    pub fn customer(&self, which: usize) -> Pair<CustomerId> {
        let nobody = || ["cus_nobody"; 2].map(|id| CustomerId::parse(id).expect("an id"));
        self.customers.get(which).cloned().unwrap_or_else(nobody)
    }

    /// The stand-in's name for a customer of the simulation's.
    pub fn customer_of_both(&self, memory: &CustomerId) -> CustomerId {
        let [real, _] = self.customers.iter().find(|pair| pair[1] == *memory).expect("both have it");
        real.clone()
    }

    /// An intent of both, or one that doesn't exist.
    pub fn intent(&self, which: usize) -> Pair<IntentId> {
        let nothing = || ["pi_nothing"; 2].map(|id| IntentId::parse(id).expect("an id"));
        self.intents.get(which).cloned().unwrap_or_else(nothing)
    }

    /// Checks that both have answered alike. Returns the answer, if it is a success.
    #[track_caller]
    pub fn same<A: Debug + PartialEq>(&mut self, what: &str, answers: Answered<A>) -> Option<A> {
        let [real, memory] = answers.map(|answer| answer.map_err(|error| words(&error)));
        assert_eq!(memory, real, "{what}, {}: the simulation, and the stand-in", self.note);
        self.count(format!("{what}: {}", real.as_ref().err().map_or("done", String::as_str)));
        real.ok()
    }

    pub fn count(&mut self, what: String) {
        *self.seen.entry(what).or_default() += 1;
    }

    /// The stand-in's id of an intent's last charge.
    pub async fn charge(&self, real: &IntentId) -> Option<String> {
        let found = Payments::load_intent(&self.real, &self.account, real).await.expect("no fault strikes");
        found.and_then(|intent| intent.charge).map(|charge| charge.id)
    }

    /// The same without the ids, and with the intent's index.
    fn known(&self, side: usize, intent: Intent) -> (Option<usize>, Intent) {
        let place = self.intents.iter().position(|pair| pair[side] == intent.id);
        (place, without_ids(intent))
    }

    /// If neither is known, they mean the same.
    pub fn learn(&mut self, ids: Pair<IntentId>) {
        if !self.intents.iter().any(|pair| pair[0] == ids[0] || pair[1] == ids[1]) {
            self.intents.push(ids);
        }
    }

    #[track_caller]
    fn same_intent(&mut self, what: &str, answers: Answered<Intent>) {
        if let [Ok(real), Ok(memory)] = &answers {
            self.learn([real.id.clone(), memory.id.clone()]);
        }
        let [real, memory] = answers;
        let answers = [real.map(|intent| self.known(0, intent)), memory.map(|intent| self.known(1, intent))];
        if let Some((place, _)) = self.same(what, answers) {
            assert!(place.is_some(), "{what}, {}: they mean different intents", self.note);
        }
    }

    pub async fn create_intent(
        &mut self,
        (amount, currency): (Money, &str),
        customer: usize,
        methods: Methods,
        key: &str,
    ) {
        let customers = self.customer(customer);
        let metadata = BTreeMap::from([("classpay".to_owned(), "1".to_owned())]);
        let [real, memory] = customers.map(|customer| {
            let metadata = metadata.clone();
            NewIntent { amount, currency, customer, methods, metadata }
        });
        self.faults_begin().await;
        let answers = [
            Payments::create_intent(&self.real, &self.account, &real, key).await,
            self.memory.create_intent(&self.account, &memory, key).await,
        ];
        self.faults_end().await;
        self.same_intent("create", answers);
    }

    pub async fn capture(&mut self, which: usize, amount: Money, key: &str) {
        let [real, memory] = self.intent(which);
        self.faults_begin().await;
        let answers = [
            Payments::capture_intent(&self.real, &self.account, &real, amount, key).await,
            self.memory.capture_intent(&self.account, &memory, amount, key).await,
        ];
        self.faults_end().await;
        self.same_intent("capture", answers);
        self.load(which).await;
    }

    pub async fn cancel(&mut self, which: usize, key: &str) {
        let [real, memory] = self.intent(which);
        self.faults_begin().await;
        let answers = [
            Payments::cancel_intent(&self.real, &self.account, &real, key).await,
            self.memory.cancel_intent(&self.account, &memory, key).await,
        ];
        self.faults_end().await;
        self.same_intent("cancel", answers);
        self.load(which).await;
    }

    pub async fn load(&mut self, which: usize) {
        let [real, memory] = self.intent(which);
        self.faults_begin().await;
        let answers = [
            Payments::load_intent(&self.real, &self.account, &real).await,
            self.memory.load_intent(&self.account, &memory).await,
        ];
        self.faults_end().await;
        let answers = answers.map(|answer| answer.map(|found| found.map(without_ids)));
        self.same("load", answers);
    }

    pub async fn create_customer(&mut self, name: &str, key: &str) {
        let about = BTreeMap::from([("classpay".to_owned(), "1".to_owned())]);
        self.faults_begin().await;
        let answers = [
            Payments::create_customer(&self.real, &self.account, name, &about, key).await,
            self.memory.create_customer(&self.account, name, &about, key).await,
        ];
        self.faults_end().await;
        if let [Ok(real), Ok(memory)] = &answers {
            self.customers.push([real.clone(), memory.clone()]);
            let again = |side: usize, id: &CustomerId| self.customers.iter().position(|pair| pair[side] == *id);
            assert_eq!(again(0, real), again(1, memory), "{}: they mean different customers", self.note);
        }
        self.same("customer", answers.map(|answer| answer.map(|_| ())));
    }

    pub async fn create_customer_session(&mut self, customer: usize, cards: SavedCards, key: &str) {
        let [real, memory] = self.customer(customer);
        self.faults_begin().await;
        let answers = [
            Payments::create_customer_session(&self.real, &self.account, &real, cards, key).await,
            self.memory.create_customer_session(&self.account, &memory, cards, key).await,
        ];
        self.faults_end().await;
        self.same_secret("customer's session", answers.map(|answer| answer.map(|session| session.client_secret)));
    }

    pub async fn create_ephemeral_key(&mut self, customer: usize, key: &str) {
        let [real, memory] = self.customer(customer);
        self.faults_begin().await;
        let answers = [
            Payments::create_ephemeral_key(&self.real, &self.account, &real, key).await,
            self.memory.create_ephemeral_key(&self.account, &memory, key).await,
        ];
        self.faults_end().await;
        self.same_secret("ephemeral key", answers.map(|answer| answer.map(|key| key.secret)));
    }

    /// If one has returned a secret before, so has the other.
    #[track_caller]
    fn same_secret(&mut self, what: &str, answers: Answered<Secret>) {
        if let [Ok(real), Ok(memory)] = &answers {
            self.secrets.push([real.clone(), memory.clone()]);
            let again = |side: usize, secret: &Secret| self.secrets.iter().position(|pair| pair[side] == *secret);
            assert_eq!(again(0, real), again(1, memory), "{}: one of them is a replay", self.note);
        }
        self.same(what, answers.map(|answer| answer.map(|_| ())));
    }

    /// Makes something happen to an intent.
    async fn happens(&mut self, which: usize, what: &str, body: &Value, memory: Result<(), StripeError>) {
        let [real, _] = self.intent(which);
        let happened = self.http.happens(&format!("payment_intents/{}/{what}", real.as_str()), body).await;
        // A declined card counts as having happened.
        let happened = match happened {
            Err(StripeError::Declined(_)) => Ok(()),
            happened => happened.map(|_| ()),
        };
        self.same(what, [happened, memory]);
        self.load(which).await;
    }

    pub async fn confirm(&mut self, which: usize, with: PaysWith) {
        let method = match with {
            PaysWith::Card => "pm_card_visa",
            PaysWith::DecliningCard => "pm_card_chargeDeclined",
            PaysWith::AskingCard => "pm_card_authenticationRequired",
            PaysWith::BankDebit => "pm_bacsDebit_success",
        };
        let memory = self.memory.confirm(&self.intent(which)[1], with);
        self.happens(which, "confirm", &json!({"paymentMethod": method}), memory).await;
    }

    pub async fn authenticate(&mut self, which: usize, answer: Authentication) {
        let outcome = match answer {
            Authentication::Passes => "succeed",
            Authentication::Fails => "fail",
        };
        let memory = self.memory.authenticate(&self.intent(which)[1], answer);
        self.happens(which, "authenticate", &json!({"outcome": outcome}), memory).await;
    }

    pub async fn settle_debit(&mut self, which: usize) {
        let memory = self.memory.settle_debit(&self.intent(which)[1]);
        self.happens(which, "settle", &json!({}), memory).await;
    }

    pub async fn fail_debit(&mut self, which: usize) {
        let memory = self.memory.fail_debit(&self.intent(which)[1]);
        self.happens(which, "fail", &json!({}), memory).await;
    }

    pub async fn expire(&mut self, which: usize) {
        let memory = self.memory.expire(&self.intent(which)[1]);
        self.happens(which, "expire", &json!({}), memory).await;
    }
}

/// An error without Stripe's message.
fn words(error: &StripeError) -> String {
    let coded = |kind: &str, rejection: &Rejection| {
        format!("{kind} {} {}", rejection.status, rejection.code.as_deref().unwrap_or("without a code"))
    };
    match error {
        StripeError::Declined(rejection) => coded("declined", rejection),
        StripeError::Refused(rejection) => coded("refused", rejection),
        StripeError::WrongState(rejection) => coded("in this state", rejection),
        StripeError::IdempotencyConflict(rejection) => coded("key conflict", rejection),
        StripeError::Misconfigured(rejection) => coded("misconfigured", rejection),
        StripeError::Unavailable => "unavailable".to_owned(),
        StripeError::OutcomeUnknown => "unknown".to_owned(),
        StripeError::KeyExhausted => "spoilt".to_owned(),
    }
}

fn without_ids(intent: Intent) -> Intent {
    let refund = |refund: Refund| Refund { id: String::new(), ..refund };
    let charge = |charge: Charge| Charge {
        id: charge.id.split('_').take(1).collect(),
        refunds: charge.refunds.into_iter().map(refund).collect(),
        ..charge
    };
    Intent {
        id: IntentId::parse("pi_").expect("an id"),
        client_secret: Secret::new(""),
        payment_method: intent.payment_method.map(|method| PaymentMethod { id: String::new(), ..method }),
        charge: intent.charge.map(charge),
        ..intent
    }
}
