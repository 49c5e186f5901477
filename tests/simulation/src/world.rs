//! A world: a few families, a small studio, Stripe, and the faults between them.
//!
//! Read in this order: this module (what exists and what can happen), [`super::purchases`] (what families want),
//! [`super::run`] (a world from its seed to its end), [`super::invariants`].
//!
//! The invariants are checked after every step. A violation ends the world.

use std::cell::{LazyCell, OnceCell};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use classpay_domain::order::IntentStatus;
use classpay_import::{Extent, Removals};
use classpay_service::clock::Clock;
use classpay_service::context::Context;
use classpay_service::ids::Ids;
use classpay_service::store::key::Key;
use classpay_service::stripe::Secret;

use super::calls::{self, Answer, Hands};
use super::coverage::Coverage;
use super::executor::{self, Executor, TaskId};
use super::faults::{Network, WorldFaults};
use super::invariants;
use super::model::{Model, Place};
use super::outside::Surroundings;
use super::purchases::{Call, Purchase};
use super::random::RandomFaults;
use super::returns::Returns;
use super::rng::Rng;
use super::stripe::{Event, MemoryStripe};
use super::studio::{self, BEGIN_MS};
use super::table::MemoryTable;
use super::tenancy::is_of_other_studio;

/// A violation, as a sentence that begins with the invariant's number.
pub type Violation = String;

/// What a task did, and its answer.
#[derive(Debug)]
pub struct Done {
    /// The action.
    pub what: Doing,
    /// The answer, if the action has one.
    pub answer: Option<Answer>,
}

/// The action of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// A purchase's session, or its link, is opened.
    Opening(usize),
    /// The call with that number: checks a purchase out, or processes its link.
    Paying(usize),
    /// The call with that number: uses an intent for another basket than its own, or for another family.
    Misusing(usize),
    /// Another studio's family uses an intent that isn't that studio's.
    Trespassing,
    /// An event of Stripe's is delivered.
    Delivering,
    /// The settlement job runs.
    Scheduled,
    /// A link is revoked.
    Revoking,
    /// The studio changes a price, or its account.
    Repricing,
    /// The studio changes its currency.
    Rebilling,
}

/// The clock and the counter of ids, which live as long as the thread.
struct Time {
    now_ms: &'static AtomicI64,
    ids: &'static AtomicU64,
}

/// The state with which every world of a thread begins.
struct Prepared {
    table: MemoryTable,
    model: Model,
    links: Vec<Arc<str>>,
    ids: u64,
}

thread_local! {
    static TIME: LazyCell<Time> = LazyCell::new(|| Time {
        now_ms: Box::leak(Box::default()),
        ids: Box::leak(Box::default()),
    });
    static PREPARED: OnceCell<Prepared> = const { OnceCell::new() };
}

fn hands(table: &MemoryTable, stripe: &MemoryStripe) -> Hands {
    let (now_ms, ids) = TIME.with(|time| (time.now_ms, time.ids));
    let clock = Clock::manual(now_ms);
    let secret = Secret::new(studio::WEBHOOK_SECRET.to_owned());
    let url = "https://pay.example/".to_owned();
    let ids = Ids::counting(clock, ids);
    Arc::new(Context::assembled(studio::DEPLOYMENT.to_owned(), table.clone(), stripe.clone(), clock, ids, secret, url))
}

fn prepare() -> Prepared {
    let (now_ms, ids) = TIME.with(|time| (time.now_ms, time.ids));
    now_ms.store(BEGIN_MS, Relaxed);
    let table = MemoryTable::new(Network::reliable());
    let stripe = MemoryStripe::new(Network::reliable(), Arc::new(AtomicI64::new(BEGIN_MS)));
    let ctx = hands(&table, &stripe);
    for catalogue in [studio::catalogue(5_000), studio::other_catalogue()] {
        executor::run(studio::load(&ctx.store, &catalogue, Extent::Whole(Removals::Any)))
            .expect("an empty table takes a studio");
    }
    let wanted = [("trn_1", None), ("trn_1", None), ("trn_2", Some("2026-09-07 11:00:00"))];
    let links = wanted.map(|(debit, expires_at)| {
        let made = executor::run(calls::make_link(ctx.clone(), debit, expires_at));
        let body: serde_json::Value = serde_json::from_str(&made.body.expect("a link is made")).expect("JSON");
        body["paymentLink"]["id"].as_str().expect("a link has an id").into()
    });
    // Reads the account's past, which is empty in a world.
    executor::run(calls::run_schedule(ctx)).expect("nothing goes wrong yet");
    let mut model = Model::default();
    for (key, item) in table.items().into_iter().filter(|(key, _)| !is_of_other_studio(key)) {
        model.take_in(&key, &item).expect("nothing was there before");
    }
    Prepared { table, model, links: links.into(), ids: ids.load(Relaxed) }
}

/// A world.
#[derive(Debug)]
pub struct World {
    /// The functions' dependencies.
    pub ctx: Hands,
    /// The table.
    pub table: MemoryTable,
    /// Stripe.
    pub stripe: MemoryStripe,
    /// The faults.
    pub faults: Arc<Mutex<dyn WorldFaults>>,
    /// The random generator.
    pub rng: Rng,
    /// The running tasks.
    pub executor: Executor<Done>,
    /// The action of each running task.
    pub running: Vec<(TaskId, Doing)>,
    /// The families' purchases.
    pub purchases: Vec<Purchase>,
    /// The calls that pay for them.
    pub calls: Vec<Call>,
    /// Links: two for one debit, and one that expires after three hours.
    pub links: Vec<Arc<str>>,
    /// The reversals.
    pub returns: Returns,
    /// Events that were not delivered, with the number of deliveries of each.
    pub outbox: Vec<(Event, u32)>,
    /// Changes from outside.
    pub outside: Surroundings,
    /// Intents that somebody has edited at Stripe.
    pub interfered: Arc<Mutex<BTreeSet<String>>>,
    /// The cases that were seen.
    pub coverage: Coverage,
    model: Model,
    stripe_ms: Arc<AtomicI64>,
    now_ms: &'static AtomicI64,
    unrecorded: Arc<Mutex<Option<String>>>,
}

impl World {
    /// A new world in which everything is drawn.
    ///
    /// # Panics
    /// If the studio can't be prepared.
    #[must_use]
    pub fn begin(seed: u64) -> Self {
        let rng = Rng::of(seed);
        let faults = Arc::new(Mutex::new(RandomFaults::draw(&rng)));
        Self::begin_with(rng, faults)
    }

    /// A new world with these faults.
    ///
    /// # Panics
    /// If the studio can't be prepared.
    #[must_use]
    pub fn begin_with<W: WorldFaults + 'static>(rng: Rng, faults: Arc<Mutex<W>>) -> Self {
        let network = Network::with(&faults);
        let stripe_ms = Arc::new(AtomicI64::new(BEGIN_MS));
        let (table, model, links, ids) = PREPARED.with(|prepared| {
            let Prepared { table, model, links, ids } = prepared.get_or_init(prepare);
            (table.copy(network.clone()), model.clone(), links.clone(), *ids)
        });
        let stripe = MemoryStripe::new(network, stripe_ms.clone());
        let now_ms = TIME.with(|time| {
            time.now_ms.store(BEGIN_MS, Relaxed);
            time.ids.store(ids, Relaxed);
            time.now_ms
        });
        let world = Self {
            ctx: hands(&table, &stripe),
            executor: Executor::new(rng.clone()),
            table,
            stripe,
            faults,
            rng,
            running: Vec::new(),
            purchases: Vec::new(),
            calls: Vec::new(),
            links,
            returns: Returns::default(),
            outbox: Vec::new(),
            outside: Surroundings::calm(),
            interfered: Arc::default(),
            coverage: Coverage::default(),
            model,
            stripe_ms,
            now_ms,
            unrecorded: Arc::default(),
        };
        world.watch_captures();
        world
    }

    /// 3: every capture by us is recorded at that instant.
    fn watch_captures(&self) {
        let (table, found, interfered) = (self.table.clone(), self.unrecorded.clone(), self.interfered.clone());
        let mut held = BTreeSet::new();
        self.stripe.watch(move |view| {
            let intent = view.intent.as_str();
            if view.is_studios {
                return;
            }
            match view.status {
                IntentStatus::RequiresCapture => {
                    held.insert(intent.to_owned());
                }
                IntentStatus::Succeeded if held.remove(intent) => {
                    let order = classpay_domain::order::order_of_intent(view.account, view.intent);
                    let is_recorded =
                        table.item(&classpay_service::store::key::order(&order)).is_some_and(|o| !o.is_empty());
                    let is_ours = !lock(&interfered).contains(intent);
                    if is_ours && !is_recorded {
                        *lock(&found) = Some(format!("3: {intent} was captured without a record of it"));
                    }
                }
                _ => {}
            }
        });
    }

    /// Moves the functions to new processes, which remember nothing.
    pub fn restart(&mut self) {
        self.ctx = hands(&self.table, &self.stripe);
    }

    /// Prints what happens, for running one world alone.
    pub fn note(&self, what: impl FnOnce() -> String) {
        if tracing::enabled!(tracing::Level::DEBUG) {
            tracing::debug!(at_s = (self.now_ms() - BEGIN_MS) / 1000, "{}", what());
        }
    }

    /// The time, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now_ms.load(Relaxed)
    }

    /// Lets time pass.
    pub fn pass_s(&self, seconds: i64) {
        let now_ms = self.now_ms() + seconds * 1000;
        self.now_ms.store(now_ms, Relaxed);
        self.stripe_ms.store(now_ms, Relaxed);
    }

    /// Starts a task.
    pub fn spawn(&mut self, doing: Doing, future: impl Future<Output = Option<Answer>> + 'static) {
        let task = self.executor.spawn(async move { Done { what: doing, answer: future.await } });
        self.running.push((task, doing));
        self.note(|| format!("{task:?} begins: {doing:?}"));
    }

    /// Lets one task run; returns its answer if it has ended.
    pub fn step(&mut self) -> Result<Option<Done>, Violation> {
        let Some(step) = self.executor.step() else { return Ok(None) };
        self.stays_at_home(step.task)?;
        if let Some(Done { what: Doing::Trespassing, answer: Some(answer) }) = &step.answer
            && !matches!(answer.status, 404 | 503)
        {
            return Err(format!("13: another studio's call was answered {answer:?}"));
        }
        if let Some(done) = &step.answer {
            let told = |answer: &Answer| (answer.status, answer.code, answer.released);
            self.note(|| format!("{:?} ends: {:?} {:?}", step.task, done.what, done.answer.as_ref().map(told)));
            self.running.retain(|(task, _)| *task != step.task);
        }
        self.check()?;
        Ok(step.answer)
    }

    /// Kills a drawn task where it is.
    pub fn kill_one(&mut self) -> Result<(), Violation> {
        if self.running.is_empty() {
            return Ok(());
        }
        let (task, doing) = self.running.swap_remove(self.rng.below(self.running.len()));
        self.executor.kill(task);
        self.note(|| format!("{task:?} is killed"));
        self.coverage.kills += 1;
        if let Doing::Paying(call) = doing
            && let Some(intent) = &self.calls[call].intent
            && invariants::taken(&self.stripe, intent).is_some_and(|taken| taken.status == IntentStatus::Succeeded)
            && self.model.orders.values().any(|o| o.intent.as_ref() == Some(intent) && o.state == "PENDING")
        {
            self.coverage.killed_after_capture += 1;
        }
        self.check()
    }

    /// A lost call arrives now.
    pub fn land_one(&mut self) -> Result<(), Violation> {
        let (writes, calls) = (self.table.late_writes(), self.stripe.late_calls());
        if writes + calls == 0 {
            return Ok(());
        }
        let which = self.rng.below(writes + calls);
        let landed = if which < writes { self.table.land_late(which) } else { self.stripe.land_late(which - writes) };
        self.note(|| format!("something lands late: {landed}"));
        if landed {
            self.coverage.landed_late += 1;
        }
        self.check()
    }

    /// Whether any call is still on its way.
    #[must_use]
    pub fn has_late(&self) -> bool {
        self.table.late_writes() + self.stripe.late_calls() > 0
    }

    /// The contents of the table.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Whether somebody has edited an intent at Stripe.
    #[must_use]
    pub fn is_interfered(&self, intent: &str) -> bool {
        lock(&self.interfered).contains(intent)
    }

    /// Reads the changes and checks the invariants.
    pub fn check(&mut self) -> Result<(), Violation> {
        self.outbox.extend(self.stripe.take_events().into_iter().map(|event| (event, 0)));
        if let Some(unrecorded) = lock(&self.unrecorded).take() {
            return Err(unrecorded);
        }
        let mut has_changed = self.stripe.for_each_changed(|_| {});
        for key in self.table.lost() {
            self.coverage.see_lost(&key);
        }
        let mut keys: Vec<Arc<Key>> = self.table.changed();
        keys.sort();
        keys.dedup();
        for key in keys {
            has_changed = true;
            if is_of_other_studio(&key) {
                return Err(format!("13: {key:?} of the other studio has changed"));
            }
            if let Some(item) = self.table.item(&key) {
                let was_marked = self.model.trials.get(&*key).is_some_and(Place::is_marked);
                self.coverage.trial_kept += u64::from(was_marked && !item.contains_key("ending_order"));
                self.coverage.see(&key, &item);
                self.model.take_in(&key, &item)?;
            }
        }
        if has_changed { invariants::at_every_instant(&self.model, &self.stripe) } else { Ok(()) }
    }
}

/// A panic has already been reported where it happened.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
