//! The table itself: transactions, stale or torn reads, and faults.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use classpay_service::store::{Guard, Item, Value};

use super::*;
use crate::executor::{Executor, run};
use crate::faults::{Faults, NoFaults, OneFault};
use crate::rng::Rng;

fn key(sk: &str) -> Key {
    Key { pk: "P".to_owned(), sk: sk.to_owned() }
}

fn create(sk: &str, more: &[(&str, Value)]) -> Write {
    let item = Item::at(&key(sk));
    Write::create(more.iter().fold(item, |item, (name, value)| item.with(name, value.clone())))
}

fn add(sk: &str, more: i64) -> Write {
    Write::edit(key(sk)).add("total", more)
}

fn exists(sk: &str) -> Write {
    Write::edit(key(sk)).when(Guard::Exists)
}

fn write(table: &MemoryTable, writes: Vec<Write>) -> Result<Commit, StoreError> {
    run(table.transact(writes))
}

fn total(item: Option<&Attributes>) -> Option<i64> {
    item.and_then(|item| item.get("total")).and_then(Value::as_number)
}

fn total_of(table: &MemoryTable, sk: &str) -> Option<i64> {
    total(table.item(&key(sk)).as_deref())
}

fn faulty<F: Faults + 'static>(faults: F) -> MemoryTable {
    MemoryTable::new(Network::with(&Arc::new(Mutex::new(faults))))
}

#[test]
fn a_transaction_is_written_or_not_at_all() {
    let table = MemoryTable::new(Network::reliable());
    assert_eq!(write(&table, vec![add("a", 1), create("b", &[])]), Ok(Commit::Done));
    assert_eq!(table.changed().len(), 2);
    let before = table.items();
    for lost in [vec![create("c", &[]), add("a", 1), create("b", &[])], vec![exists("c"), add("a", 1)]] {
        assert_eq!(write(&table, lost), Ok(Commit::ConditionFailed));
        assert_eq!(table.items(), before);
        assert!(table.changed().is_empty());
    }
    assert_eq!(write(&table, vec![exists("b"), add("a", 1)]), Ok(Commit::Done));
    assert_eq!(table.changed().iter().map(|key| key.sk.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(total_of(&table, "a"), Some(2));
}

#[test]
fn conditions_are_judged_by_the_state_before() {
    let table = MemoryTable::new(Network::reliable());
    assert_eq!(write(&table, vec![create("a", &[]), exists("b")]), Ok(Commit::ConditionFailed));
    assert_eq!(write(&table, vec![create("b", &[]), exists("a")]), Ok(Commit::ConditionFailed));
    assert!(table.items().is_empty());
}

#[test]
#[should_panic(expected = "DynamoDB refuses two actions on one item")]
fn two_actions_on_one_item_are_refused() {
    assert!(write(&MemoryTable::new(Network::reliable()), vec![add("a", 1), exists("b"), add("a", 1)]).is_ok());
}

#[test]
#[should_panic(expected = "DynamoDB refuses more than 100 actions")]
fn more_than_a_hundred_actions_are_refused() {
    assert!(write(&MemoryTable::new(Network::reliable()), (0..101).map(|n| add(&n.to_string(), 1)).collect()).is_ok());
}

#[test]
#[should_panic(expected = "DynamoDB refuses a check without a condition")]
fn a_check_of_nothing_is_refused() {
    assert!(write(&MemoryTable::new(Network::reliable()), vec![Write::edit(key("a"))]).is_ok());
}

#[test]
#[should_panic(expected = "DynamoDB refuses an empty text in a key")]
fn an_empty_key_is_refused() {
    assert!(write(&MemoryTable::new(Network::reliable()), vec![add("", 1)]).is_ok());
}

#[test]
#[should_panic(expected = "DynamoDB refuses this as a key of the index")]
fn an_empty_key_of_the_index_is_refused() {
    assert!(write(&MemoryTable::new(Network::reliable()), vec![create("a", &[("gsi1sk", "".into())])]).is_ok());
}

#[test]
fn reads_find_what_is_there_in_its_order() {
    let table = MemoryTable::new(Network::reliable());
    assert_eq!(write(&table, vec![add("b", 2), add("a", 1), add("c", 3)]), Ok(Commit::Done));
    assert_eq!(total(run(table.get(&key("b"))).expect("it is answered").as_ref()), Some(2));
    assert_eq!(run(table.get(&key("d"))), Ok(None));
    let all = run(table.query("P", Consistency::Strong)).expect("it is answered");
    assert_eq!(all.iter().map(|item| total(Some(item))).collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
    assert_eq!(run(table.query("Q", Consistency::Strong)), Ok(Vec::new()));
    let some = run(table.get_all(vec![key("c"), key("d"), key("c")], Consistency::Strong)).expect("it is answered");
    assert_eq!(some.into_keys().collect::<Vec<_>>(), [key("c")]);
}

#[test]
fn the_index_has_what_is_due_in_its_order() {
    let table = MemoryTable::new(Network::reliable());
    let due = |shard: &str, at: &str| [("gsi1pk", shard.into()), ("gsi1sk", at.into())];
    let actions = vec![
        create("late", &due("S", "9")),
        create("soon", &due("S", "2")),
        create("now", &due("S", "1")),
        create("other", &due("T", "1")),
        create("none", &[]),
    ];
    assert_eq!(write(&table, actions), Ok(Commit::Done));
    let found = |until: &str, most| {
        let due = run(table.due("S", until, most)).expect("it is answered");
        due.into_iter().map(|due| format!("{}@{}", due.key.sk, due.due)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found("2", 9), "now@1 soon@2");
    assert_eq!(found("2", 1), "now@1");
    let out = Write::edit(key("now")).leave_index();
    assert_eq!(write(&table, vec![out]), Ok(Commit::Done));
    assert_eq!(found("9", 9), "soon@2 late@9");
}

/// Reads that may be stale lag by exactly this many writes.
#[derive(Debug, Default)]
struct Old(Arc<AtomicUsize>);

impl Faults for Old {
    fn age(&mut self, _call: CallKind) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn an_eventual_read_can_be_old_and_a_strong_one_never() {
    let age = Arc::new(AtomicUsize::new(0));
    let table = faulty(Old(age.clone()));
    let due = [("gsi1pk", "S".into()), ("gsi1sk", "1".into()), ("total", 0.into())];
    assert_eq!(write(&table, vec![create("a", &due)]), Ok(Commit::Done));
    assert_eq!(write(&table, vec![add("a", 1)]), Ok(Commit::Done));
    let later = add("a", 1).set("gsi1sk", "S");
    assert_eq!(write(&table, vec![later, add("b", 1)]), Ok(Commit::Done));
    let mut seen = Vec::new();
    for writes in 0..4 {
        age.store(writes, Ordering::Relaxed);
        let all = run(table.query("P", Consistency::Eventual)).expect("it is answered");
        let totals: Vec<_> = all.iter().map(|item| total(Some(item)).map(|total| total.to_string())).collect();
        let batch = run(table.get_all(vec![key("a"), key("b")], Consistency::Eventual)).expect("it is answered");
        assert_eq!(batch.len(), all.len());
        assert_eq!(total(batch.get(&key("a"))), total(all.first()), "{writes}");
        let due = run(table.due("S", "Z", 9)).expect("it is answered");
        seen.push((totals.into_iter().flatten().collect::<Vec<_>>().join(" "), due.first().map(|d| d.due.clone())));
        assert_eq!(run(table.query("P", Consistency::Strong)).expect("it is answered").len(), 2);
    }
    let (due, moved) = (Some("1".to_owned()), Some("S".to_owned()));
    let was = |totals: &str, due: &Option<String>| (totals.to_owned(), due.clone());
    assert_eq!(seen, [was("2 1", &moved), was("1", &due), was("0", &due), was("", &None)]);
}

/// Every item is read later than the one before: at 0, 1, 2 … scheduling points.
#[derive(Debug, Default)]
struct Slow(AtomicU32);

impl Faults for Slow {
    fn delay(&mut self, call: CallKind) -> u32 {
        if call == CallKind::Transact { 0 } else { self.0.fetch_add(1, Ordering::Relaxed) }
    }
}

#[test]
fn a_batch_and_a_query_can_see_a_transaction_in_half() {
    let mut torn = [0, 0];
    for seed in 0..200 {
        for (which, torn) in torn.iter_mut().enumerate() {
            let table = MemoryTable::new(Network::reliable());
            assert_eq!(write(&table, vec![add("a", 1), add("b", 1)]), Ok(Commit::Done));
            let table = table.copy(Network::with(&Arc::new(Mutex::new(Slow::default()))));
            let mut executor = Executor::new(Rng::of(seed));
            let (writer, reader) = (table.clone(), table);
            executor.spawn(async move {
                assert_eq!(writer.transact(vec![add("a", 1), add("b", 1)]).await, Ok(Commit::Done));
                false
            });
            executor.spawn(async move {
                let (found, strong) = (vec![key("a"), key("b")], Consistency::Strong);
                let found: Vec<_> = match which {
                    0 => reader.get_all(found, strong).await.expect("it is answered").into_values().collect(),
                    _ => reader.query("P", strong).await.expect("it is answered"),
                };
                found.len() == 2 && total(found.first()) != total(found.last())
            });
            while let Some(step) = executor.step() {
                *torn += u32::from(step.answer == Some(true));
            }
        }
    }
    assert!(torn.iter().all(|times| *times > 0), "{torn:?}");
}

#[test]
fn each_fault_leaves_of_a_write_what_it_says() {
    let cases = [
        (Fault::None, Ok(Commit::Done), Some(1)),
        (Fault::NotSent, Err(StoreError::Unavailable), None),
        (Fault::Refused, Ok(Commit::Contended), None),
        (Fault::RequestLost, Ok(Commit::Unknown), None),
        (Fault::ReplyLost, Ok(Commit::Unknown), Some(1)),
        (Fault::Late, Ok(Commit::Unknown), None),
        (Fault::Stored500, Ok(Commit::Unknown), None),
    ];
    for (fault, answer, total) in cases {
        let table = faulty(OneFault::at(0, fault));
        assert_eq!(write(&table, vec![add("a", 1)]), answer, "{fault:?}");
        assert_eq!(total_of(&table, "a"), total, "{fault:?}");
        let counter = faulty(OneFault::at(0, fault));
        let counted = run(counter.edit(&key("a"), vec![Edit::Add("total", 1)]));
        assert_eq!(counted.is_ok(), fault == Fault::None, "{fault:?}");
        assert_eq!(total_of(&counter, "a"), total, "{fault:?}");
        let read = run(faulty(OneFault::at(0, fault)).get(&key("a")));
        assert_eq!(read.is_ok(), fault == Fault::None, "{fault:?}");
    }
}

#[test]
fn a_late_write_is_judged_when_it_lands() {
    let table = faulty(OneFault::at(0, Fault::Late));
    assert_eq!(write(&table, vec![create("a", &[]), add("b", 1)]), Ok(Commit::Unknown));
    assert_eq!(table.late_writes(), 1);
    let copy = table.copy(Network::with(&Arc::new(Mutex::new(NoFaults))));
    assert_eq!(copy.late_writes(), 0);
    assert!(table.land_late(0));
    assert_eq!((table.late_writes(), total_of(&table, "b")), (0, Some(1)));
    assert!(copy.items().is_empty());

    let table = faulty(OneFault::at(0, Fault::Late));
    assert_eq!(write(&table, vec![create("a", &[]), add("b", 1)]), Ok(Commit::Unknown));
    assert_eq!(write(&table, vec![create("a", &[])]), Ok(Commit::Done));
    assert!(!table.land_late(0));
    assert_eq!((table.late_writes(), total_of(&table, "b")), (0, None));
}
