//! Every single fault at every call to the table and to Stripe, for a basket and for a payment link: the shipped
//! binaries, the embedded DynamoDB and the stand-in. Whatever fails, a client that calls again is served, the
//! settlement job finishes what is abandoned, and the ledger balances.
//!
//! Each call of the API runs once without faults, and its calls are counted by their receivers. Then it runs once for
//! each of these calls and each fault that the call can have, with a family of its own. A failure names the call and
//! the fault; `SCENARIO='…' cargo test -p classpay-tests --test api table_faults` runs only the scenarios that begin with that
//! text.
//!
//! Read in this order: this module, [`flows`] (the calls of the API), [`faults`] (their faults), [`scenario`] (one
//! scenario).
//!
//! No scenario waits for a time to pass; a late call lands at another call, or on request.

mod faults;
mod flows;
mod scenario;

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::future::join_all;

use classpay_tests::{CallKind, Crowd, Point, Stack, Webhooks, assert_books_balance};

use faults::{LateDelivery, faults};
use flows::Flow;
use scenario::{Client, Process, Scenario};

/// More families than any call of the API has scenarios.
const FAMILIES: usize = 150;

#[tokio::test]
async fn a_basket_is_paid_whatever_fails() {
    let wrong = tokio::join!(run_flow(Flow::Session), run_flow(Flow::Checkout));
    assert_served(&[wrong.0, wrong.1]);
}

#[tokio::test]
async fn a_link_is_paid_whatever_fails() {
    let flows = [Flow::Open, Flow::Pay, Flow::Reopen, Flow::Event];
    assert_served(&join_all(flows.map(run_flow)).await);
}

fn assert_served(wrong: &[Vec<String>]) {
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{} scenarios went wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Runs all scenarios of a call, on a stack of its own. Returns the failures.
async fn run_flow(flow: Flow) -> Vec<String> {
    let wanted = std::env::var_os("SCENARIO").map(|wanted| wanted.to_string_lossy().into_owned());
    if wanted.as_ref().is_some_and(|wanted| !wanted.starts_with(&format!("{flow:?},"))) {
        return Vec::new();
    }
    let began = Instant::now();
    let mut crowd = Crowd::start(FAMILIES, Webhooks::Held).await;
    let points = points(&mut crowd, flow).await;
    let mut scenarios = scenarios(flow, &points);
    scenarios.retain(|scenario| wanted.as_ref().is_none_or(|wanted| scenario.to_string().starts_with(wanted)));

    let (mut ends, mut wrong) = (Vec::new(), Vec::new());
    for scenario in &scenarios {
        let member = crowd.newcomer();
        match scenario.run(&crowd.stack, &member).await {
            Ok(end) => ends.push((scenario, end)),
            Err(why) => wrong.push(scenario.went_wrong(&why)),
        }
    }
    settle(&crowd.stack).await;
    let mut captured: BTreeMap<String, u32> = BTreeMap::new();
    for (intent, _) in crowd.stack.captured().await {
        *captured.entry(intent).or_default() += 1;
    }
    let mistakes = ends.iter().filter_map(|(scenario, end)| Some(scenario.went_wrong(&end.mistake(&captured)?)));
    wrong.extend(mistakes);
    println!("{flow:?}: {} calls, {} scenarios, {:?}", points.len(), scenarios.len(), began.elapsed());
    assert_books_balance(&crowd.stack).await;
    wrong
}

fn scenarios(flow: Flow, points: &[(Point, Process)]) -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for (point, process) in points {
        for fault in faults(&point.kind) {
            for client in Client::worth_running(flow, &point.kind, &fault) {
                scenarios.push(Scenario {
                    flow,
                    point: point.clone(),
                    process: *process,
                    fault: fault.clone(),
                    client,
                });
            }
        }
    }
    // What must land at the very end must not land earlier.
    scenarios.sort_by_key(|scenario| scenario.fault.late_delivery == LateDelivery::Last);
    scenarios
}

/// The calls to the table and to Stripe: those of a process that has served before, and those that only a new one
/// makes.
async fn points(crowd: &mut Crowd, flow: Flow) -> Vec<(Point, Process)> {
    let mut counted = Vec::new();
    for process in [Process::New, Process::Used] {
        let member = crowd.newcomer();
        let stack = &crowd.stack;
        let start = flow.prepare(stack, &member).await;
        process.make(stack, flow);
        stack.forget_calls().await;
        let answer = flow.act(stack, &member, &start).await;
        assert_eq!(answer.status, 200, "unharmed: {}", answer.text);
        counted.push(stack.calls_of(flow.function()).await);
        print!("{flow:?}, {process:?}:\n{}", stack.call_order().await);
        flow.go_on(stack, &member, &start, &answer).await.expect("unharmed");
    }
    let (new, used) = (&counted[0], &counted[1]);
    let of = |(kind, count): (&CallKind, &u64)| {
        let kind = kind.clone();
        (0..*count).map(move |number| Point { kind: kind.clone(), number }).collect::<Vec<_>>()
    };
    let more = new.iter().filter(|(kind, count)| used.get(kind) != Some(count));
    let only_new = more.flat_map(of).map(|point| (point, Process::New));
    used.iter().flat_map(of).map(|point| (point, Process::Used)).chain(only_new).collect()
}

/// The settlement job finishes what is left within a day; then calls that are still on their way arrive.
async fn settle(stack: &Stack) {
    for now in ["2026-09-07T08:06:30Z", "2026-09-07T08:16:30Z", "2026-09-07T09:10:00Z", "2026-09-08T09:20:00Z"] {
        run_schedule(stack, now).await;
    }
    stack.let_land().await;
    run_schedule(stack, "2026-09-08T10:30:00Z").await;
}

async fn run_schedule(stack: &Stack, now: &str) {
    stack.move_clock(now).await;
    while stack.run_schedule().await["visited"] != 0 {}
}
