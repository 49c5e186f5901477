//! Compares the simulation's table with DynamoDB: the same transactions, drawn from a seed, go to both.
//!
//! Invariant: the answer is the same, and so are every item and the index after it. DynamoDB receives what the store's
//! own renderer makes of the writes.

use std::collections::HashMap;

use classpay_service::store::key::Key;
use classpay_service::store::{Attributes, Commit, Consistency, DueKey, Edit, Guard, Item, Name, Table, Value, Write};
use classpay_simulation::faults::Network;
use classpay_simulation::rng::Rng;
use classpay_simulation::table::MemoryTable;
use classpay_tests::backend::{Backend as _, Embedded};

/// The number of transactions for each seed.
const CASES: usize = 5_200;
/// After this many transactions everything that can be read is compared.
const BETWEEN_COMPARISONS: usize = 20;

const PARTITIONS: [&str; 2] = ["C#1", "C#1#F#é"];
const SORT_KEYS: [&str; 3] = ["META", "ENR#2", "ENR#10"];
/// `ttl` is a reserved word in DynamoDB.
const NUMBERS: [Name; 3] = ["seats_left", "price_version", "ttl"];
const TEXTS: [Name; 2] = ["order_state", "order_id"];
const FLAG: Name = "claim_done";
/// An attribute that has a text, a number or a flag, at random.
const MIXED: Name = "mixed";
const WORDS: [&str; 4] = ["A", "B", "a", "é"];
const SHARDS: [&str; 2] = ["WAIT#0", "WAIT#1"];

fn number(rng: &Rng) -> i64 {
    // Numbers of one and two digits, so that comparing them as texts would give other results.
    i64::try_from(rng.below(24)).expect("it is small") - 6
}

fn word(rng: &Rng) -> Value {
    (*rng.pick(&WORDS)).into()
}

fn due(rng: &Rng) -> Value {
    format!("{:012}", rng.below(5)).into()
}

/// A number or a word.
fn ordered(rng: &Rng) -> Value {
    if rng.one_in(2) { number(rng).into() } else { word(rng) }
}

fn anything(rng: &Rng) -> Value {
    if rng.one_in(3) { rng.one_in(2).into() } else { ordered(rng) }
}

fn comparison(rng: &Rng) -> Guard {
    let (name, value) = match rng.below(5) {
        0 => (MIXED, ordered(rng)),
        1 => (*rng.pick(&TEXTS), word(rng)),
        2 => {
            let (name, value) = (*rng.pick(&[FLAG, MIXED]), rng.one_in(2).into());
            return if rng.one_in(2) { Guard::Is(name, value) } else { Guard::IsNot(name, value) };
        }
        _ => (*rng.pick(&NUMBERS), number(rng).into()),
    };
    match rng.below(6) {
        0 => Guard::Is(name, value),
        1 => Guard::IsNot(name, value),
        2 => Guard::AtLeast(name, value),
        3 => Guard::AtMost(name, value),
        4 => Guard::Above(name, value),
        _ => Guard::Below(name, value),
    }
}

fn presence(rng: &Rng) -> Guard {
    let name = *rng.pick(&[NUMBERS[0], NUMBERS[2], TEXTS[1], FLAG, "gsi1pk"]);
    match rng.below(4) {
        0 => Guard::Exists,
        1 => Guard::Absent,
        2 => Guard::Present(name),
        _ => Guard::Missing(name),
    }
}

/// A guard with this many levels of nesting.
fn guard(rng: &Rng, depth: usize) -> Guard {
    if depth == 0 {
        return if rng.one_in(3) { presence(rng) } else { comparison(rng) };
    }
    let one = guard(rng, rng.below(depth));
    match rng.below(5) {
        0 => one,
        1 | 2 => one.and(guard(rng, depth - 1)),
        _ => one.or(guard(rng, depth - 1)),
    }
}

/// A write with a guard, or with none. A contradictory guard is fine: both tables evaluate it alike.
fn guarded(rng: &Rng, write: Write) -> Write {
    if rng.one_in(4) { write } else { write.when(guard(rng, rng.below(4))) }
}

fn item(rng: &Rng, key: &Key) -> Item {
    let mut item = Item::at(key);
    for name in NUMBERS {
        if !rng.one_in(4) {
            item = item.with(name, number(rng));
        }
    }
    for name in TEXTS {
        if !rng.one_in(4) {
            item = item.with(name, word(rng));
        }
    }
    if !rng.one_in(4) {
        item = item.with(FLAG, rng.one_in(2)).with(MIXED, anything(rng));
    }
    if rng.one_in(2) {
        item = item.with("gsi1pk", *rng.pick(&SHARDS)).with("gsi1sk", due(rng));
    }
    item
}

/// An edit of each attribute, at most one.
fn edit(rng: &Rng, key: Key) -> Write {
    let mut write = Write::edit(key);
    for name in NUMBERS {
        write = match rng.below(8) {
            0 | 1 => write.add(name, number(rng)),
            2 => write.clear(name),
            3 => write.set(name, number(rng)),
            4 => write.set_if_missing(name, number(rng)),
            5 => write.take(name, number(rng).abs()),
            _ => write,
        };
    }
    for name in TEXTS {
        write = match rng.below(6) {
            0 => write.set(name, word(rng)),
            1 => write.set_if_missing(name, word(rng)),
            2 => write.clear(name),
            _ => write,
        };
    }
    if rng.one_in(4) {
        write = write.set(MIXED, anything(rng));
    }
    match rng.below(6) {
        0 => write.leave_index(),
        1 => write.set("gsi1sk", due(rng)),
        2 => write.set("gsi1pk", *rng.pick(&SHARDS)).set("gsi1sk", due(rng)),
        _ => write,
    }
}

fn write(rng: &Rng, key: Key) -> Write {
    match rng.below(7) {
        0 => Write::edit(key).when(guard(rng, rng.below(4))),
        1 => guarded(rng, Write::delete(key)),
        2 => Write::create(item(rng, &key)),
        3 => guarded(rng, Write::put(item(rng, &key))),
        _ => {
            let write = edit(rng, key);
            let writes = |edit: &Edit| !matches!(edit, Edit::Clear(_));
            match write.action() {
                // Nothing relies on the result of edits that only clear attributes of a missing item.
                classpay_service::store::Action::Edit(edits) if !edits.iter().any(writes) => {
                    guarded(rng, write.when(Guard::Exists))
                }
                _ => guarded(rng, write),
            }
        }
    }
}

fn keys() -> Vec<Key> {
    let of = |pk: &'static str| SORT_KEYS.map(|sk| Key { pk: pk.to_owned(), sk: sk.to_owned() });
    PARTITIONS.into_iter().flat_map(of).collect()
}

/// A transaction on some of the keys.
fn transaction(rng: &Rng) -> Vec<Write> {
    let mut keys = keys();
    let mut draw = |_| write(rng, keys.remove(rng.below(keys.len())));
    (0..1 + rng.below(3)).map(&mut draw).collect()
}

/// Everything that the store can read of a table.
#[derive(Debug, PartialEq)]
struct Everything {
    items: Vec<Attributes>,
    batch: HashMap<Key, Attributes>,
    due: Vec<DueKey>,
}

async fn everything(table: &impl Table) -> Everything {
    let (mut items, mut due) = (Vec::new(), Vec::new());
    for pk in PARTITIONS {
        items.extend(table.query(pk, Consistency::Strong).await.expect("it is answered"));
    }
    for shard in SHARDS {
        let mut found = table.due(shard, "000000000003", 9).await.expect("it is answered");
        // DynamoDB doesn't specify the order of index entries with the same time.
        found.sort_by(|one, other| (&one.due, &one.key).cmp(&(&other.due, &other.key)));
        due.extend(found);
    }
    let batch = table.get_all(keys(), Consistency::Eventual).await.expect("it is answered");
    Everything { items, batch, due }
}

/// Runs a seed's transactions on both tables, and compares answers and items.
async fn agree(seed: u64) {
    let (dynamodb, _) = Embedded::open().await;
    let memory = MemoryTable::new(Network::reliable());
    let rng = Rng::of(seed);
    let (mut done, mut failed) = (0, 0);
    for case in 0..CASES {
        let writes = transaction(&rng);
        let written = memory.transact(writes.clone()).await;
        assert_eq!(dynamodb.transact(writes.clone()).await, written, "seed {seed}, case {case}: {writes:#?}");
        if written == Ok(Commit::Done) {
            done += 1;
            let touched: Vec<_> = writes.iter().map(|write| write.key().clone()).collect();
            let theirs = dynamodb.get_all(touched.clone(), Consistency::Strong).await;
            let ours = memory.get_all(touched, Consistency::Strong).await;
            assert_eq!(theirs, ours, "seed {seed}, case {case}: {writes:#?}");
        } else {
            failed += 1;
            assert!(memory.changed().is_empty(), "seed {seed}, case {case}: {writes:#?}");
        }
        drop(memory.changed());
        if case % BETWEEN_COMPARISONS == 0 {
            assert_eq!(everything(&dynamodb).await, everything(&memory).await, "seed {seed}, up to case {case}");
        }
    }
    let (key, count) = (&keys()[0], vec![Edit::Add("tries", 1), Edit::Set("ttl", 7.into())]);
    assert_eq!(dynamodb.edit(key, count.clone()).await, memory.edit(key, count).await, "seed {seed}");
    println!("seed {seed}: {done} transactions were written, {failed} failed");
    assert!(done > CASES / 10 && failed > CASES / 10, "seed {seed}: {done} were written, {failed} failed");
}

macro_rules! seeds {
    ($($test:ident = $seed:literal)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            agree($seed).await;
        }
    )* };
}

seeds! {
    writes_mean_the_same_to_both_first = 0
    writes_mean_the_same_to_both_second = 1
    writes_mean_the_same_to_both_third = 2
    writes_mean_the_same_to_both_fourth = 3
}
