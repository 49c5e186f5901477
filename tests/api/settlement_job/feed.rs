//! Events that never arrive: the hourly read of Stripe's events.

use classpay_domain::id::AccountId;
use classpay_service::store::key;
use classpay_simulation::recover::by_schedule;
use classpay_simulation::studio::ACCOUNT;
use classpay_simulation::world::World;
use classpay_tests::studio::{COMPANY, OKAFOR, Studio, ballet_for_ada};
use classpay_tests::{COSTUMES, Item, Stack, assert_books_balance, binaries};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{at, events_are_not_listed, run_at, unfinished};

/// 2026-09-07T08:00:00Z, the start of the stacks' clocks.
const START_S: i64 = 1_788_768_000;
const HOUR_S: i64 = 60 * 60;

fn line(direction: &str, kind: &str, amount: i64) -> (String, String, i64) {
    (direction.to_owned(), kind.to_owned(), amount)
}

async fn feed(stack: &Stack, account: &str) -> Item {
    stack.table().get(&format!("ACCT#{account}"), "FEED").await.expect("the account's events are read")
}

/// Until when an account's events were read, and when they are read again, to the half minute: a stack's clock runs
/// during a run of the job.
async fn read_and_due(stack: &Stack, account: &str) -> (i64, i64) {
    let (read_s, due_s) = read_and_due_of(&feed(stack, account).await);
    (read_s - read_s.rem_euclid(30), due_s - due_s.rem_euclid(30))
}

fn read_and_due_of(feed: &Item) -> (i64, i64) {
    let read = feed["read_s"].as_n().unwrap().parse().unwrap();
    (read, feed["gsi1sk"].as_s().unwrap().parse().unwrap())
}

/// A purchased basket for which everything was read an hour later. Returns its intent.
async fn bought(stack: &Stack) -> String {
    let intent = stack.authorise(OKAFOR, &ballet_for_ada()).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &ballet_for_ada()).await.status, 200);
    run_at(stack, &at(7, "08:00")).await;
    intent
}

/// Every event of the account, oldest first.
async fn told(stack: &Stack) -> Vec<Value> {
    let mut told = Vec::new();
    for kind in ["payment_intent.*", "refund.*", "charge.*"] {
        told.extend(stack.events(kind).await);
    }
    told
}

#[tokio::test]
async fn a_refund_of_which_nothing_arrives_is_posted_within_the_hour_and_its_events_do_nothing_more() {
    let stack = Stack::start().await;
    let intent = bought(&stack).await;
    let before = stack.balance(OKAFOR).await;
    stack.move_clock(&at(7, "08:20")).await;
    stack.refund(&intent, Some(1000)).await;
    run_at(&stack, &at(7, "08:59")).await;
    assert_eq!(stack.went_back(OKAFOR).await, [], "an hour isn't over");
    run_at(&stack, &at(7, "09:01")).await;
    assert_eq!(stack.went_back(OKAFOR).await, [line("debit", "refund", 1000)]);
    assert_eq!(stack.balance(OKAFOR).await, before + 1000);
    assert_eq!(unfinished(&stack).await.len(), 0);
    assert_books_balance(&stack).await;

    let after = stack.table().picture().await;
    let late = told(&stack).await;
    assert!(late.iter().any(|event| event["type"] == "refund.created"));
    for event in late.iter().filter(|event| stack_follows(event)) {
        stack.deliver_at(event, START_S + HOUR_S).await;
    }
    stack.assert_unchanged_since(&after).await;
    // What was read is read again and recognised.
    run_at(&stack, &at(7, "10:02")).await;
    let changes = after.changes(&stack.table().picture().await);
    assert_eq!(changes, [format!("~ ACCT#{}/FEED gsi1sk read_s", stack.account())]);
}

fn stack_follows(event: &Value) -> bool {
    let kind = event["type"].as_str().expect("a type");
    classpay_service::settlement::event::topic::FOLLOWED_KINDS.contains(&kind)
}

#[tokio::test]
async fn a_link_of_which_nothing_arrives_is_paid_by_what_is_read() {
    let stack = Stack::start().await;
    let link = stack.link(None).await;
    let intent = stack.authorise_link(&link).await;
    // Before its session is handled for the first time.
    run_at(&stack, &at(7, "08:00")).await;
    assert_eq!(stack.intent_status(&intent).await, "succeeded");
    assert_eq!((stack.due(COSTUMES).await, stack.posted(OKAFOR).await.len()), (0, 1));
    assert_eq!(stack.link_status(&link).await, "paid");
    assert_books_balance(&stack).await;
}

#[tokio::test]
async fn while_stripe_does_not_list_its_events_nothing_moves_and_it_is_asked_again_soon() {
    let stack = Stack::start().await;
    let intent = bought(&stack).await;
    stack.refund(&intent, Some(1000)).await;
    let (read_s, due_s) = read_and_due(&stack, stack.account()).await;
    assert_eq!((read_s, due_s), (START_S + 30, START_S + 30 + HOUR_S));
    events_are_not_listed(&stack, &json!({"status": 500})).await;
    run_at(&stack, &at(7, "09:01")).await;
    let minute = START_S + HOUR_S + 90;
    assert_eq!(read_and_due(&stack, stack.account()).await, (read_s, minute + 5 * 60));
    assert_eq!(stack.went_back(OKAFOR).await, []);
    stack.withdraw_faults().await;
    run_at(&stack, &at(7, "09:07")).await;
    assert_eq!(stack.went_back(OKAFOR).await, [line("debit", "refund", 1000)]);
    assert_eq!(read_and_due(&stack, stack.account()).await, (minute + 6 * 60, minute + 6 * 60 + HOUR_S));
}

#[tokio::test]
async fn weeks_without_a_schedule_are_caught_up_with_in_one_run() {
    let stack = Stack::start().await;
    let intent = bought(&stack).await;
    stack.move_clock("2026-09-10T12:00:00Z").await;
    stack.refund(&intent, Some(1000)).await;
    run_at(&stack, "2026-09-28T08:00:00Z").await;
    assert_eq!(stack.went_back(OKAFOR).await, [line("debit", "refund", 1000)]);
    let now_s = START_S + 21 * 24 * HOUR_S;
    assert_eq!(read_and_due(&stack, stack.account()).await, (now_s, now_s + HOUR_S));
}

#[tokio::test]
async fn another_studio_s_account_is_read_for_itself_and_nothing_of_the_one_reaches_the_other() {
    let stack = Stack::start().await;
    let other = Studio::elsewhere().text().replace(stack.account(), "acct_elsewhere");
    let company = COMPANY.replace("_01J9ZDEMW5", "_01J9ZE15EW");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), other).unwrap();
    let mut import = Command::new(binaries().join("classpay-local"));
    import.arg("import").arg(file.path()).args(["--table", &stack.table().name]);
    import.args(["--dynamodb-url", stack.dynamodb_url()]);
    assert!(import.output().await.unwrap().status.success());
    assert_eq!(feed(&stack, "acct_elsewhere").await["cid"].as_s().unwrap(), &company);

    let intent = bought(&stack).await;
    stack.refund(&intent, Some(1000)).await;
    let of_other = |items: Vec<Item>| -> Vec<Item> {
        let is_other = |item: &Item| {
            let pk = item["pk"].as_s().unwrap();
            pk.contains(&company) || pk.contains("acct_elsewhere") && !pk.starts_with("ACCT#")
        };
        items.into_iter().filter(is_other).collect()
    };
    let before = of_other(stack.table().everything().await);
    run_at(&stack, &at(7, "09:01")).await;
    assert_eq!(stack.went_back(OKAFOR).await, [line("debit", "refund", 1000)]);
    let after = of_other(stack.table().everything().await);
    assert!(before.len() == after.len() && after.iter().all(|item| before.contains(item)));
    let minute = START_S + HOUR_S + 90;
    assert_eq!(read_and_due(&stack, "acct_elsewhere").await, (minute, minute + HOUR_S));
}

#[test]
fn an_account_that_is_disconnected_is_asked_again_each_hour_until_it_is_back() {
    let mut world = World::begin(16);
    world.faults.lock().unwrap().end();
    let account = AccountId::parse(ACCOUNT).unwrap();
    let state = |world: &World| {
        let feed = world.table.item(&key::feed(&account)).expect("the account's events are read");
        (feed["read_s"].as_number().unwrap(), feed["gsi1sk"].as_text().unwrap().parse::<i64>().unwrap())
    };
    let (read_s, due_s) = state(&world);
    assert_eq!(due_s, read_s + HOUR_S);
    world.stripe.disconnect(&account);
    for hours in 1..=3 {
        by_schedule(&mut world, HOUR_S).unwrap();
        assert_eq!(state(&world), (read_s, due_s + hours * HOUR_S));
    }
    world.stripe.reconnect(&account);
    by_schedule(&mut world, HOUR_S).unwrap();
    assert_eq!(state(&world), (read_s + 4 * HOUR_S, due_s + 4 * HOUR_S));
}
