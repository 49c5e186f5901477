//! The simulation: many worlds, each from its seed.
//!
//! `SEEDS=1000000 cargo test --profile fast -p classpay-tests --test simulated simulation` runs more of them (with `FROM=500000`
//! the second half), and `SEED=7` runs one. `OUTSIDE=AccountChanged` makes each world meet that change from
//! `simulation::outside`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::Builder;

use classpay_simulation::coverage::Coverage;
use classpay_simulation::forgetful::Forgotten;
use classpay_simulation::outside::{Choice, Outside, PLAIN};
use classpay_simulation::run::run;

/// The number of worlds in a plain run.
const SEEDS: u64 = 20_000;
/// The name of threads whose panics are expected, and not printed.
const EXPECTED: &str = "worlds with a panic";

#[expect(clippy::disallowed_methods, reason = "the developer says how many")]
fn wish(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[expect(clippy::disallowed_methods, reason = "a run may choose")]
fn wanted() -> Option<String> {
    std::env::var("OUTSIDE").ok()
}

/// The changes from outside: a plain run's, or with `OUTSIDE=AccountChanged` (or `OUTSIDE=all`) these in each world,
/// and then no lasting refusal may be answered as a passing one.
fn chosen() -> Choice {
    static ALL: [Outside; 8] = Outside::ALL;
    let Some(name) = wanted() else { return PLAIN };
    let of = |drawn| Choice { drawn, one_in: 1, forbids_vain_retries: true };
    if name == "all" {
        return of(&ALL);
    }
    let at = ALL.iter().position(|outside| format!("{outside:?}") == name).unwrap();
    of(&ALL[at..=at])
}

/// Runs the worlds of these seeds on every core. Returns the cases that they came across, and the first violation.
fn run_all(
    seeds: std::ops::Range<u64>,
    choice: &Choice,
    forgotten: Option<Forgotten>,
) -> (Coverage, Option<(u64, String)>) {
    let next = AtomicU64::new(seeds.start);
    let found: Mutex<(Coverage, Option<(u64, String)>)> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let thread = Builder::new().name(if forgotten.is_some() { EXPECTED } else { "worlds" }.to_owned());
            let worlds = thread.spawn_scoped(scope, || {
                let mut coverage = Coverage::default();
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= seeds.end || found.lock().unwrap().1.is_some() {
                        break;
                    }
                    let report = std::panic::catch_unwind(|| run(seed, choice, forgotten));
                    let violation = match report {
                        Ok(report) => {
                            coverage.add(&report.coverage);
                            report.violation
                        }
                        Err(_) => Some("it panicked".to_owned()),
                    };
                    if let Some(violation) = violation {
                        let mut found = found.lock().unwrap();
                        if found.1.as_ref().is_none_or(|(first, _)| seed < *first) {
                            found.1 = Some((seed, violation));
                        }
                    }
                }
                found.lock().unwrap().0.add(&coverage);
            });
            worlds.unwrap();
        }
    });
    found.into_inner().unwrap()
}

/// The first seed whose world shows that a guard is missing.
fn first_violation(most: u64, forgotten: Forgotten) -> Option<(u64, String)> {
    run_all(0..most, &PLAIN, Some(forgotten)).1
}

#[test]
fn every_guard_is_missed_when_the_table_forgets_it() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(EXPECTED) {
            usual(panic);
        }
    }));
    let most = wish("SEEDS").unwrap_or(SEEDS);
    let found: Vec<_> =
        Forgotten::ALL.into_iter().map(|forgotten| (forgotten.what, first_violation(most, forgotten))).collect();
    for (name, violation) in &found {
        match violation {
            Some((seed, violation)) => {
                println!("{seed:>8}  {name}: {}", violation.chars().take(120).collect::<String>())
            }
            None => println!("   never  {name}"),
        }
    }
    let missed: Vec<_> = found.iter().filter(|(_, violation)| violation.is_none()).map(|(name, _)| *name).collect();
    assert!(missed.is_empty(), "not found in {most} worlds: {missed:#?}");
}

#[test]
fn no_world_loses_doubles_or_invents_money_or_places() {
    let seeds = match wish("SEED") {
        Some(seed) => seed..seed + 1,
        None => wish("FROM").unwrap_or(0)..wish("SEEDS").unwrap_or(SEEDS),
    };
    if wish("SEED").is_some() {
        // A single world prints everything.
        tracing_subscriber::fmt().without_time().with_max_level(tracing::Level::DEBUG).with_test_writer().init();
    }
    let choice = chosen();
    let is_whole = seeds.end - seeds.start >= SEEDS;
    let began = std::time::Instant::now();
    let (coverage, violation) = run_all(seeds.clone(), &choice, None);
    println!("{} worlds in {:?}", seeds.end - seeds.start, began.elapsed());
    for (what, count) in coverage.all() {
        println!("{count:>10}  {what}");
    }
    if let Some((seed, violation)) = violation {
        let from_outside =
            if choice == PLAIN { String::new() } else { format!("OUTSIDE={} ", wanted().unwrap_or_default()) };
        panic!(
            "{violation}\nagain: {from_outside}SEED={seed} cargo test -p classpay-tests --test simulated simulation"
        );
    }
    let unmet = coverage.all().into_iter().filter(|(_, count)| *count == 0);
    let unmet: Vec<_> = unmet.map(|(what, _)| what).collect();
    assert!(!is_whole || unmet.is_empty(), "never met: {unmet:#?}");
}
