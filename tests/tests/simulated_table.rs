//! The table of the simulation against DynamoDB: the same transactions, drawn from a seed, to both.
//!
//! Invariant: the answer is the same, and so is every item and the index after it. What is drawn is the language that
//! the store speaks, no more.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem, Update};
use classpay_service::machine::Shipped;
use classpay_service::store::key::Key;
use classpay_service::store::{Attributes, Consistency, DueKey, Table, Written};
use classpay_tests::premises::Premises as _;
use classpay_tests::simulation::chance::Chance;
use classpay_tests::simulation::faults::Network;
use classpay_tests::simulation::table::MemoryTable;

const SEEDS: u64 = 3;
/// Transactions of each seed.
const CASES: usize = 400;

const PARTITIONS: [&str; 2] = ["C#1", "C#1#F#é"];
const SORT_KEYS: [&str; 3] = ["META", "ENR#2", "ENR#10"];
const NUMBERS: [&str; 3] = ["seats_left", "price_version", "#ttl"];
const TEXTS: [&str; 2] = ["order_state", "order_id"];
const FLAG: &str = "claim_done";
/// An attribute that has a text, a number or a flag, as it happens.
const MIXED: &str = "mixed";
const WORDS: [&str; 4] = ["A", "B", "a", "é"];
const SHARDS: [&str; 2] = ["WAIT#0", "WAIT#1"];
const COMPARISONS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];

/// An action while it is drawn: its values, and what its update needs to be there.
struct Draft<'c> {
    chance: &'c Chance,
    values: Vec<AttributeValue>,
    speaks_of_ttl: bool,
    needs: Vec<&'static str>,
}

impl<'c> Draft<'c> {
    fn new(chance: &'c Chance) -> Self {
        Self { chance, values: Vec::new(), speaks_of_ttl: false, needs: Vec::new() }
    }

    /// A placeholder for a value; a value that is there already has one.
    fn value(&mut self, value: AttributeValue) -> String {
        let known = self.values.iter().position(|known| *known == value);
        let at = known.unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        });
        format!(":v{at}")
    }

    fn attribute(&mut self, name: &'static str) -> &'static str {
        self.speaks_of_ttl |= name == "#ttl";
        name
    }

    fn number(&mut self) -> AttributeValue {
        let drawn = i64::try_from(self.chance.below(24)).expect("it is small");
        // Numbers of one and two digits, so that comparing them as texts would show.
        AttributeValue::N((drawn - 6).to_string())
    }

    fn word(&mut self) -> AttributeValue {
        text(*self.chance.pick(&WORDS))
    }

    fn anything(&mut self) -> AttributeValue {
        match self.chance.below(3) {
            0 => self.number(),
            1 => self.word(),
            _ => AttributeValue::Bool(self.chance.one_in(2)),
        }
    }

    fn comparison(&mut self) -> String {
        let how = *self.chance.pick(&COMPARISONS);
        let (left, right) = match self.chance.below(6) {
            0 => (NUMBERS[0], self.attribute(self.chance.pick::<&str>(&NUMBERS[1..])).to_owned()),
            1 => (TEXTS[0], TEXTS[1].to_owned()),
            2 => {
                let flag = AttributeValue::Bool(self.chance.one_in(2));
                let how = *self.chance.pick(&COMPARISONS[..2]);
                return format!("{FLAG} {how} {}", self.value(flag));
            }
            3 => {
                let value = if self.chance.one_in(2) { self.number() } else { self.word() };
                (MIXED, self.value(value))
            }
            4 => {
                let value = self.word();
                (*self.chance.pick(&TEXTS), self.value(value))
            }
            _ => {
                let value = self.number();
                (self.attribute(self.chance.pick::<&str>(&NUMBERS)), self.value(value))
            }
        };
        if self.chance.one_in(8) && right.starts_with(':') {
            return format!("{right} {how} {left}");
        }
        format!("{left} {how} {right}")
    }

    fn presence(&mut self) -> String {
        const ANY: [&str; 6] = ["pk", NUMBERS[0], NUMBERS[2], TEXTS[1], FLAG, "gsi1pk"];
        let attribute = self.attribute(self.chance.pick::<&str>(&ANY));
        let function = *self.chance.pick(&["attribute_exists", "attribute_not_exists"]);
        format!("{function}({attribute})")
    }

    /// A condition so many levels deep. Parentheses only where they are not the second around one thing.
    fn condition(&mut self, depth: usize) -> String {
        if depth == 0 {
            return if self.chance.one_in(3) { self.presence() } else { self.comparison() };
        }
        let one = self.condition(depth - 1);
        match self.chance.below(6) {
            0 => one,
            1 => format!("NOT {}", bracketed(&one)),
            2 | 3 => format!("{one} AND {}", self.condition(depth - 1)),
            4 => format!("{one} OR {}", self.condition(depth - 1)),
            _ => format!("{} AND {}", bracketed(&one), bracketed(&self.condition(depth - 1))),
        }
    }

    /// An update, each attribute once at most.
    fn update(&mut self) -> String {
        let (mut set, mut add, mut remove) = (Vec::new(), Vec::new(), Vec::new());
        for name in NUMBERS {
            let target = name;
            match self.chance.below(8) {
                0 => add.push(format!("{} {}", self.attribute(target), self.number_value())),
                1 => remove.push(self.attribute(target).to_owned()),
                2 | 3 => {
                    let sum = self.sum();
                    set.push(format!("{} = {sum}", self.attribute(target)));
                }
                _ => {}
            }
        }
        match self.chance.below(6) {
            0 => {
                self.needs.push(TEXTS[1]);
                set.push(format!("{} = {}", TEXTS[0], TEXTS[1]));
            }
            1 => {
                let word = self.word();
                set.push(format!("{} = if_not_exists({}, {})", TEXTS[0], TEXTS[0], self.value(word)));
            }
            2 => remove.push(TEXTS[0].to_owned()),
            _ => {}
        }
        if self.chance.one_in(4) {
            let value = self.anything();
            set.push(format!("{MIXED} = {}", self.value(value)));
        }
        match self.chance.below(6) {
            0 => remove.push("gsi1pk, gsi1sk".to_owned()),
            1 => set.push(format!("gsi1sk = {}", self.due())),
            2 => {
                let shard = text(*self.chance.pick(&SHARDS));
                set.push(format!("gsi1pk = {}, gsi1sk = {}", self.value(shard), self.due()));
            }
            _ => {}
        }
        if set.is_empty() && add.is_empty() {
            // What an update that only removes does where nothing is, nobody relies on.
            self.needs.push("pk");
        }
        if set.is_empty() && add.is_empty() && remove.is_empty() {
            let word = self.word();
            set.push(format!("{} = {}", TEXTS[1], self.value(word)));
        }
        let mut sections = [("SET", set), ("ADD", add), ("REMOVE", remove)];
        sections.rotate_left(self.chance.below(3));
        let sections = sections.iter().filter(|(_, changes)| !changes.is_empty());
        sections.map(|(section, changes)| format!("{section} {}", changes.join(", "))).collect::<Vec<_>>().join(" ")
    }

    fn number_value(&mut self) -> String {
        let number = self.number();
        self.value(number)
    }

    fn sum(&mut self) -> String {
        let term = |draft: &mut Self| match draft.chance.below(4) {
            0 => {
                let name = *draft.chance.pick(&NUMBERS);
                draft.needs.push(name);
                draft.attribute(name).to_owned()
            }
            1 => {
                let name = *draft.chance.pick(&NUMBERS);
                format!("if_not_exists({}, {})", draft.attribute(name), draft.number_value())
            }
            _ => draft.number_value(),
        };
        let first = term(self);
        match self.chance.below(3) {
            0 => first,
            1 => format!("{first} + {}", term(self)),
            _ => format!("{first} - {}", term(self)),
        }
    }

    fn due(&mut self) -> String {
        let due = text(format!("{:012}", self.chance.below(5)));
        self.value(due)
    }

    /// The condition, and before it what the update needs.
    fn guard(&mut self) -> Option<String> {
        let mut needs = std::mem::take(&mut self.needs);
        needs.sort_unstable();
        needs.dedup();
        let needed: Vec<_> = needs.iter().map(|name| format!("attribute_exists({})", self.attribute(name))).collect();
        let condition = if self.chance.one_in(4) { None } else { Some(self.condition(self.chance.below(3))) };
        match (needed.is_empty(), condition) {
            (true, condition) => condition,
            (false, None) => Some(needed.join(" AND ")),
            (false, Some(condition)) => Some(format!("{} AND ({condition})", needed.join(" AND "))),
        }
    }

    fn values(&self) -> Option<Attributes> {
        let named = |(at, value): (usize, &AttributeValue)| (format!(":v{at}"), value.clone());
        Some(self.values.iter().enumerate().map(named).collect()).filter(|values: &Attributes| !values.is_empty())
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        self.speaks_of_ttl.then(|| [("#ttl".to_owned(), "ttl".to_owned())].into())
    }

    fn action(mut self, key: &Key) -> TransactWriteItem {
        let action = TransactWriteItem::builder();
        match self.chance.below(6) {
            0 => {
                let condition = self.condition(self.chance.below(3));
                let check = ConditionCheck::builder().table_name("classpay").set_key(Some(key_attributes(key)));
                let check = check.condition_expression(condition).set_expression_attribute_values(self.values());
                let check = check.set_expression_attribute_names(self.names());
                action.condition_check(check.build().expect("it is complete")).build()
            }
            1 | 2 => {
                let item = self.item(key);
                let condition = self.guard();
                let put = Put::builder().table_name("classpay").set_item(Some(item));
                let put = put.set_condition_expression(condition).set_expression_attribute_values(self.values());
                let put = put.set_expression_attribute_names(self.names());
                action.put(put.build().expect("it is complete")).build()
            }
            _ => {
                let update = Update::builder().table_name("classpay").set_key(Some(key_attributes(key)));
                let update = update.update_expression(self.update());
                let update = update.set_condition_expression(self.guard());
                let update = update.set_expression_attribute_values(self.values());
                let update = update.set_expression_attribute_names(self.names());
                action.update(update.build().expect("it is complete")).build()
            }
        }
    }

    fn item(&mut self, key: &Key) -> Attributes {
        let mut item = key_attributes(key);
        for name in ["seats_left", "price_version", "ttl"] {
            if !self.chance.one_in(4) {
                item.insert(name.to_owned(), self.number());
            }
        }
        for name in TEXTS {
            if !self.chance.one_in(4) {
                item.insert(name.to_owned(), self.word());
            }
        }
        if !self.chance.one_in(4) {
            item.insert(FLAG.to_owned(), AttributeValue::Bool(self.chance.one_in(2)));
            item.insert(MIXED.to_owned(), self.anything());
        }
        if self.chance.one_in(2) {
            item.insert("gsi1pk".to_owned(), text(*self.chance.pick(&SHARDS)));
            item.insert("gsi1sk".to_owned(), text(format!("{:012}", self.chance.below(5))));
        }
        item
    }
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn bracketed(condition: &str) -> String {
    if condition.starts_with('(') || condition.starts_with("NOT") {
        condition.to_owned()
    } else {
        format!("({condition})")
    }
}

fn key_attributes(key: &Key) -> Attributes {
    [("pk".to_owned(), text(&key.pk)), ("sk".to_owned(), text(&key.sk))].into()
}

fn keys() -> Vec<Key> {
    let of = |pk: &'static str| SORT_KEYS.map(|sk| Key { pk: pk.to_owned(), sk: sk.to_owned() });
    PARTITIONS.into_iter().flat_map(of).collect()
}

/// A transaction on some of the keys.
fn transaction(chance: &Chance) -> Vec<TransactWriteItem> {
    let mut keys = keys();
    let actions = 1 + chance.below(3);
    let mut draw = |_| {
        let key = keys.remove(chance.below(keys.len()));
        Draft::new(chance).action(&key)
    };
    (0..actions).map(&mut draw).collect()
}

/// All that the store can read of a table.
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
        // In what order the index has what is due at one time, DynamoDB doesn't say.
        found.sort_by(|one, other| (&one.due, &one.key).cmp(&(&other.due, &other.key)));
        due.extend(found);
    }
    let batch = table.get_all(keys(), Consistency::Eventual).await.expect("it is answered");
    Everything { items, batch, due }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_mean_the_same_to_both() {
    let (mut done, mut lost) = (0, 0);
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let (dynamodb, _) = Shipped::open().await;
        let memory = MemoryTable::new(Network::reliable());
        let chance = Chance::of(seed);
        for case in 0..CASES {
            let actions = transaction(&chance);
            let written = memory.transact(actions.clone()).await;
            assert_eq!(dynamodb.transact(actions.clone()).await, written, "seed {seed}, case {case}: {actions:#?}");
            match written.expect("no call is lost") {
                Written::Lost => {
                    // DynamoDB has written nothing: if this table has, the next comparison of everything shows it.
                    lost += 1;
                    assert!(memory.changed().is_empty(), "seed {seed}, case {case}: {actions:#?}");
                }
                _ => {
                    done += 1;
                    drop(memory.changed());
                    let (theirs, ours) = (everything(&dynamodb).await, everything(&memory).await);
                    assert_eq!(theirs, ours, "seed {seed}, case {case}: {actions:#?}");
                }
            }
        }
        let key = key_attributes(&keys()[0]);
        let count = Update::builder().table_name("classpay").set_key(Some(key)).update_expression("ADD tries :one");
        let count = count.expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        let count = count.build().expect("it is complete");
        assert_eq!(dynamodb.update(count.clone()).await, memory.update(count).await, "seed {seed}");
    }
    println!("{done} were written, {lost} lost");
    assert!(done > 300 && lost > 300, "{done} were written, {lost} lost");
}
