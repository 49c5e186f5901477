//! Every fault at every call. A payment's function runs once without faults, and its calls are counted. Then each
//! scenario runs in which one of these calls, or two of them, have one of the faults. However it recovers, nothing is
//! lost, doubled or left half done, and every client that could be served is.
//!
//! `SCENARIO=checkout/12:ReplyLost cargo test -p classpay-tests --test simulated every_fault` runs one scenario again, step by step,
//! in all its variants. `EVERY=1` runs the pairs of faults for all functions, with each way to recover, which takes
//! many minutes.
//!
//! Nothing is random. Each pair is run; in a plain run the ways to recover take turns.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use classpay_simulation::flows::Flow;
use classpay_simulation::forgetful::Forgotten;
use classpay_simulation::planned::{InjectedFault, Planned};
use classpay_simulation::scenario::{LateDelivery, Runs, Scenario, Scenarios, Trace};

/// The scenarios that a plain run covers with two faults.
const PAIRED: [Flow; 4] = [Flow::Checkout, Flow::ZeroDue, Flow::Rejected, Flow::Link];
/// The number of failures that are printed.
const MOST_SHOWN: usize = 20;

/// The scenarios that were run.
#[derive(Default)]
struct Tally {
    scenarios: usize,
    wrong: Vec<(Scenario, String)>,
    /// The guard that the table ignores.
    forgotten: Option<Forgotten>,
}

impl Tally {
    /// Runs a scenario.
    fn run(&mut self, scenario: &Scenario) -> Trace {
        let trace = catch_unwind(AssertUnwindSafe(|| scenario.run(self.forgotten)));
        let trace = trace.unwrap_or_else(|_| Trace { violation: Some("it panicked".to_owned()), ..Trace::default() });
        self.scenarios += 1;
        self.wrong.extend(trace.violation.clone().map(|violation| (scenario.clone(), violation)));
        trace
    }

    fn add(&mut self, other: Self) {
        self.scenarios += other.scenarios;
        self.wrong.extend(other.wrong);
    }

    fn assert_well(&self) {
        for (scenario, violation) in self.wrong.iter().take(MOST_SHOWN) {
            println!(
                "{violation}\n  again: SCENARIO={scenario} cargo test -p classpay-tests --test simulated every_fault"
            );
        }
        assert!(self.wrong.is_empty(), "{} of {} scenarios went wrong", self.wrong.len(), self.scenarios);
    }
}

/// Runs the scenarios that begin with each of these, on every core.
fn run_all(beginnings: &[(Flow, Planned)], run: impl Fn(&mut Tally, Flow, Planned) + Sync) -> Tally {
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = Tally::default();
                while let Some((flow, planned)) = beginnings.get(next.fetch_add(1, Relaxed)) {
                    run(&mut own, *flow, *planned);
                }
                all.lock().unwrap().add(own);
            });
        }
    });
    all.into_inner().unwrap()
}

/// One fault, with each way to recover and each time at which late calls land.
fn run_single(tally: &mut Tally, flow: Flow, planned: Planned) {
    for (_, recovery) in Scenario::RECOVERIES {
        let scenario = Scenario { recovery, ..Scenario::of(flow, vec![planned]) };
        if tally.run(&scenario).was_late {
            for late_delivery in [LateDelivery::After, LateDelivery::Last] {
                tally.run(&Scenario { late_delivery, ..scenario.clone() });
            }
        }
    }
}

/// Two faults: this one, and each other fault at each later call of this run and of the client's next ones. The ways to
/// recover and the late deliveries take turns, unless everything is requested.
fn run_pairs(tally: &mut Tally, flow: Flow, planned: Planned) {
    let first = Scenario { runs: Runs::Again, ..Scenario::of(flow, vec![planned]) };
    let calls = tally.run(&first);
    run_seconds(tally, &first, &calls);
    if calls.was_late {
        let first = Scenario { late_delivery: LateDelivery::Between, ..first };
        let calls = tally.run(&first);
        run_seconds(tally, &first, &calls);
    }
}

fn run_seconds(tally: &mut Tally, first: &Scenario, trace: &Trace) {
    let begin = first.plan[0].at + 1;
    let seconds = trace.calls.iter().enumerate().skip(begin);
    let seconds =
        seconds.flat_map(|(at, call)| InjectedFault::that_differ(*call).iter().map(move |injected| (at, *injected)));
    let of_each = if wishes_everything() { Scenario::RECOVERIES.len() } else { 1 };
    for (turn, (at, injected)) in seconds.enumerate() {
        for (_, recovery) in Scenario::RECOVERIES.into_iter().cycle().skip((begin + turn) % 3).take(of_each) {
            let scenario = Scenario { plan: vec![first.plan[0], Planned { at, injected }], recovery, ..first.clone() };
            let is_late = tally.run(&scenario).was_late;
            if is_late && scenario.late_delivery == LateDelivery::Before {
                let late_delivery = [LateDelivery::After, LateDelivery::Last][turn % 2];
                tally.run(&Scenario { late_delivery, ..scenario });
            }
        }
    }
}

/// The calls of a function without faults. There are enough for its scenarios to be meaningful.
fn calls(flow: Flow, least: usize) -> Trace {
    let trace = Scenario::of(flow, Vec::new()).run(None);
    assert_eq!(trace.violation, None, "{}", flow.name());
    assert!(trace.calls.len() >= least, "{} makes only {} calls: {:?}", flow.name(), trace.calls.len(), trace.calls);
    trace
}

/// The scenario that a developer wants to run again. It runs alone.
fn wish() -> Option<String> {
    std::env::var_os("SCENARIO").map(|text| text.into_string().unwrap())
}

fn wishes_everything() -> bool {
    std::env::var_os("EVERY").is_some()
}

#[test]
fn every_single_fault_is_recovered() {
    if let Some(wish) = wish() {
        tracing_subscriber::fmt().without_time().with_max_level(tracing::Level::DEBUG).with_test_writer().init();
        let Scenarios(scenarios) = wish.parse().unwrap();
        let mut tally = Tally::default();
        for scenario in scenarios {
            println!("{scenario}");
            tally.run(&scenario);
        }
        return tally.assert_well();
    }
    let mut tally = Tally::default();
    for (name, flow, least) in Flow::ALL {
        let (began, points) = (Instant::now(), calls(flow, least).calls.len());
        let each = (0..points).flat_map(|at| InjectedFault::ALL.map(|injected| (flow, Planned { at, injected })));
        let found = run_all(&each.collect::<Vec<_>>(), run_single);
        println!("{name}: {points} calls, {} scenarios in {:?}", found.scenarios, began.elapsed());
        tally.add(found);
    }
    tally.assert_well();
}

#[test]
fn every_pair_of_faults_is_recovered() {
    if wish().is_some() {
        return;
    }
    let mut tally = Tally::default();
    let paired = |flow| wishes_everything() || PAIRED.contains(&flow);
    for (name, flow, least) in Flow::ALL.into_iter().filter(|(_, flow, _)| paired(*flow)) {
        let (began, points) = (Instant::now(), calls(flow, least).calls);
        let each = points.iter().enumerate();
        let each =
            each.flat_map(|(at, call)| InjectedFault::that_differ(*call).iter().map(move |injected| (at, *injected)));
        let each: Vec<_> = each.map(|(at, injected)| (flow, Planned { at, injected })).collect();
        let found = run_all(&each, run_pairs);
        println!(
            "{name}: {} calls, {} scenarios of two faults in {:?}",
            points.len(),
            found.scenarios,
            began.elapsed()
        );
        tally.add(found);
    }
    tally.assert_well();
}

/// The first scenario that shows that a guard is missing.
fn first_wrong(flow: Flow, forgotten: Forgotten) -> Option<(Scenario, String)> {
    let mut tally = Tally { forgotten: Some(forgotten), ..Tally::default() };
    let without = tally.run(&Scenario::of(flow, Vec::new()));
    let each = (0..without.calls.len()).flat_map(|at| InjectedFault::ALL.map(|injected| Planned { at, injected }));
    for planned in each {
        if !tally.wrong.is_empty() {
            break;
        }
        run_single(&mut tally, flow, planned);
    }
    tally.wrong.into_iter().next()
}

#[test]
fn a_guard_that_the_table_forgets_is_missed() {
    if wish().is_some() {
        return;
    }
    // The other guards matter only with a concurrent call.
    let (scenario, violation) = first_wrong(Flow::Link, Forgotten::FINISH).expect("in no scenario");
    println!("{scenario}: {violation:.100}");
}
