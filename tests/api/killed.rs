//! Functions are killed at any moment, under load: families buy and pay links, Stripe's events arrive, the settlement
//! job runs, and now and then a process dies in the middle of its work. Afterwards nothing is half done.
//!
//! The assertions hold for any interleaving of processes and clients. The seed only says which process is killed when,
//! and which client leaves. `SEED=… cargo test -p classpay-tests --test api killed` repeats a run.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use classpay_simulation::rng::Rng;
use classpay_tests::{Answer, Crowd, Member, Stack, Webhooks, assert_books_balance, kill};
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::watch;

/// The functions whose processes are killed.
const FUNCTIONS: [&str; 6] = [
    "create-payment-session",
    "basket-checkout",
    "retrieve-payment-link",
    "process-payment-link",
    "stripe-webhook",
    "settle-payments",
];
/// The stack's message when a process was killed while it had an event.
const HIT: &str = "died with an event: signal: 9";
/// How many processes are killed.
const KILLS: u32 = 64;
/// The number of concurrent clients.
const CLIENTS: usize = 8;
/// The number of families that each client plays, one after another.
const FAMILIES_EACH: usize = 4;
/// The longest time between two kills.
const PAUSE_MS: usize = 90;
/// One in this many clients leaves after confirming the payment, if the answer isn't a success.
const ONE_LEAVES_OF: usize = 3;
/// The most attempts of a client. A client that needs more was never served.
const ASKED: u32 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_killed_in_the_middle_leaves_nothing_half_done() {
    let seed = std::env::var_os("SEED").and_then(|seed| seed.to_str()?.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| RandomState::new().hash_one(0) % 1_000_000);
    println!("SEED={seed}");
    let crowd = Crowd::start(CLIENTS * FAMILIES_EACH, Webhooks::Delivered).await;
    let (stack, kills) = (&crowd.stack, &watch::Sender::new(0));
    let clients = crowd.members().chunks(FAMILIES_EACH).enumerate().map(|(n, families)| {
        let rng = Rng::of(seed.wrapping_add(1 + n as u64));
        async move {
            let mut payments = Vec::new();
            for family in families {
                payments.push(buy(stack, family, &rng).await);
                payments.push(pay(stack, family, &rng).await);
            }
            // Repeats the same calls, so that there are processes to kill until enough have been killed.
            for (family, bought) in families.iter().zip(payments.iter().step_by(2)).cycle() {
                if *kills.borrow() == KILLS {
                    break;
                }
                let again = stack.check_out(&family.family, &bought.intent, &family.basket()).await;
                assert!(matches!(again.status, 200 | 202 | 500), "{}: {}", bought.intent, again.text);
            }
            payments
        }
    });
    let (payments, (), ()) =
        tokio::join!(join_all(clients), kill_now_and_then(stack, seed, kills), keep_the_schedule(stack, kills));
    let logged = stack.logged();
    let hit = |function| logged.lines().filter(|line| line.starts_with(&format!("{function}: {HIT}"))).count();
    let hits = FUNCTIONS.map(|function| (function, hit(function)));
    let in_the_middle: usize = hits.iter().map(|(_, hits)| hits).sum();
    println!("{KILLS} processes were killed, {in_the_middle} of them in the middle of an invocation: {hits:?}");
    assert!(in_the_middle > 0, "no process was killed in the middle of an invocation");
    settle(stack).await;
    assert_nothing_is_half_done(stack, &payments.concat()).await;
}

/// What a client knows about a payment that it has confirmed.
#[derive(Debug, Clone)]
struct Payment {
    intent: String,
    /// The final answer; `None` if the client left.
    answer: Option<Answer>,
}

/// Calls until the answer is final. `None` if the client has left.
async fn ask(rng: Option<&Rng>, call: impl AsyncFn() -> Answer) -> Option<Answer> {
    for _ in 0..ASKED {
        let answer = call().await;
        let is_underway = answer.text.contains(r#""status":"processing""#);
        match answer.status {
            200 if !is_underway => return Some(answer),
            200 | 202 | 500 | 503 => {}
            // A link accepts a limited number of calls per hour.
            429 => return None,
            _ => return Some(answer),
        }
        if rng.is_some_and(|rng| rng.one_in(ONE_LEAVES_OF)) {
            return None;
        }
    }
    panic!("asked {ASKED} times");
}

/// A family buys.
async fn buy(stack: &Stack, member: &Member, rng: &Rng) -> Payment {
    let (family, basket) = (&member.family, member.basket());
    let session = ask(None, async || stack.family(family).session(family, &basket).await).await.unwrap();
    let intent = classpay_tests::intent_id(&session);
    stack.confirm(&intent).await;
    let answer = ask(Some(rng), async || stack.check_out(family, &intent, &basket).await).await;
    Payment { intent, answer }
}

/// A family pays its link.
async fn pay(stack: &Stack, member: &Member, rng: &Rng) -> Payment {
    let opened = ask(None, async || stack.open_link(&member.link).await).await.unwrap();
    let intent = Stack::shown_intent(&opened)["id"].as_str().unwrap().to_owned();
    stack.confirm(&intent).await;
    let answer = ask(Some(rng), async || stack.process_link(&member.link, Some(&intent)).await).await;
    Payment { intent, answer }
}

/// Kills processes, one at a time, until enough have been killed.
async fn kill_now_and_then(stack: &Stack, seed: u64, kills: &watch::Sender<u32>) {
    let rng = Rng::of(seed);
    while *kills.borrow() < KILLS {
        // The moment is left to chance; nothing waits for it.
        tokio::time::sleep(Duration::from_millis(rng.below(PAUSE_MS) as u64)).await;
        let processes: Vec<u32> = FUNCTIONS.iter().flat_map(|function| stack.processes_of(function)).collect();
        if !processes.is_empty() && kill(*rng.pick(&processes)) {
            kills.send_modify(|kills| *kills += 1);
        }
    }
}

/// After every kill the settlement job runs, concurrently with the clients. A run may be killed.
async fn keep_the_schedule(stack: &Stack, kills: &watch::Sender<u32>) {
    let mut kills = kills.subscribe();
    while *kills.borrow_and_update() < KILLS {
        let run = stack.caller(None).post("/_local/run/settle-payments", &json!({})).await;
        assert!(matches!(run.status, 200 | 500), "{}", run.text);
        kills.changed().await.unwrap();
    }
}

/// No more kills: within a day the settlement job finishes what is left, and all of Stripe's events have arrived.
async fn settle(stack: &Stack) {
    for now in ["2026-09-07T08:06:30Z", "2026-09-07T09:10:00Z", "2026-09-08T09:20:00Z", "2026-09-08T10:30:00Z"] {
        stack.move_clock(now).await;
        while stack.run_schedule().await["visited"] != 0 {}
        let flushed = stack.stripe().post("/_control/webhooks/flush", &json!({"all": true})).await;
        assert_eq!(flushed.status, 200, "{}", flushed.text);
    }
}

/// Every confirmed payment is captured once, for a completed order, and no other money moved. Every client's answer was
/// true.
async fn assert_nothing_is_half_done(stack: &Stack, payments: &[Payment]) {
    let mut captured: BTreeMap<String, u32> = BTreeMap::new();
    for (intent, _) in stack.captured().await {
        *captured.entry(intent).or_default() += 1;
    }
    let intents = stack.intents().await;
    for intent in &intents {
        let (id, status) = (intent["id"].as_str().unwrap(), intent["status"].as_str().unwrap());
        let order = completed_order(stack, id).await;
        match status {
            "succeeded" => assert!(captured.get(id) == Some(&1) && order.is_some(), "{id}: {order:?}"),
            "canceled" => assert!(!captured.contains_key(id) && order.is_none(), "{id}: {order:?}"),
            _ => panic!("{id} is {status} in the end"),
        }
    }
    for Payment { intent, answer } in payments {
        assert_eq!(captured.get(intent), Some(&1), "{intent}: {answer:?}");
        if let Some(answer) = answer {
            assert_eq!(answer.status, 200, "{intent}: {}", answer.text);
            assert_eq!(named_order(answer), completed_order(stack, intent).await, "{intent}");
        }
    }
    let left = payments.iter().filter(|payment| payment.answer.is_none()).count();
    println!("{} payments, {left} of them by clients who left; {} intents", payments.len(), intents.len());
    assert_books_balance(stack).await;
}

/// The order that an answer reports as paid.
fn named_order(answer: &Answer) -> Option<String> {
    let body = answer.json();
    let credit = body.get("creditAggregateTransaction").unwrap_or(&body[0]);
    credit["transaction"]["orderId"].as_str().map(str::to_owned)
}

/// The completed order of an intent.
async fn completed_order(stack: &Stack, intent: &str) -> Option<String> {
    let claim = stack.table().get(&format!("PI#{}#{intent}", stack.account()), "CLAIM").await?;
    let order = claim.get("order_id")?.as_s().unwrap().clone();
    let record = stack.table().get(&format!("ORD#{order}"), "META").await?;
    (record["order_state"].as_s().unwrap() == "COMPLETED").then_some(order)
}
