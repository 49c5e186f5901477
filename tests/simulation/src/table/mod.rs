//! The table of the simulation: in memory, with writes that faults lose or delay.
//!
//! Invariant: it evaluates writes as DynamoDB does; `tests/simulated_table.rs` compares the two. It knows nothing of
//! our items.

mod evaluate;
mod items;
#[cfg(test)]
mod tests;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use classpay_service::store::key::Key;
use classpay_service::store::{Attributes, Commit, Consistency, DueKey, Edit, StoreError, Table, Write};

use self::items::Items;
use super::executor::pause;
use super::faults::{CallKind, Fault, Network};
use super::forgetful::Forgotten;

/// A table in memory. Its clones share their items.
#[derive(Debug, Clone)]
pub struct MemoryTable {
    network: Network,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    items: Items,
    /// Writes that haven't arrived.
    late: Vec<Late>,
    /// The items whose conditions made transactions fail.
    lost: Vec<Key>,
    /// The partitions that calls have named.
    named: Vec<String>,
    forgotten: Option<Forgotten>,
}

/// A write that hasn't arrived.
#[derive(Debug)]
enum Late {
    Transaction(Vec<Write>),
    Edit(Key, Vec<Edit>),
}

impl State {
    /// Whether all guards held; the first that didn't is recorded.
    fn transact(&mut self, writes: Vec<Write>) -> bool {
        let writes = match self.forgotten {
            Some(forgotten) => forgotten.strip(writes),
            None => writes,
        };
        write::transact(&mut self.items, writes).map_err(|lost| self.lost.push(lost)).is_ok()
    }
}

impl MemoryTable {
    /// An empty table.
    #[must_use]
    pub fn new(network: Network) -> Self {
        Self { network, state: Arc::default() }
    }

    /// A copy with the same items, for a world that continues from a prepared one. It has no writes on their way and no
    /// changes.
    #[must_use]
    pub fn copy(&self, network: Network) -> Self {
        let mut items = self.state().items.clone();
        drop(items.take_changed());
        Self { network, state: Arc::new(Mutex::new(State { items, ..State::default() })) }
    }

    /// Ignores a guard from now on.
    pub fn forget(&self, forgotten: Forgotten) {
        self.state().forgotten = Some(forgotten);
    }

    /// The number of writes still on their way.
    #[must_use]
    pub fn late_writes(&self) -> usize {
        self.state().late.len()
    }

    /// A lost write arrives now, and its conditions are evaluated now. Returns whether it was written.
    ///
    /// # Panics
    /// If there is no such write.
    pub fn land_late(&self, which: usize) -> bool {
        let mut state = self.state();
        match state.late.remove(which) {
            Late::Transaction(writes) => state.transact(writes),
            Late::Edit(key, edits) => {
                write::edit(&mut state.items, &key, &edits);
                true
            }
        }
    }

    /// An item in its present state, seen from outside the simulation.
    #[must_use]
    pub fn item(&self, key: &Key) -> Option<Arc<Attributes>> {
        self.state().items.get(&key.pk, &key.sk).cloned()
    }

    /// All items, in the order of their keys.
    #[must_use]
    pub fn items(&self) -> Vec<(Key, Arc<Attributes>)> {
        self.state().items.all().collect()
    }

    /// A partition, in the order of its sort keys.
    #[must_use]
    pub fn partition(&self, pk: &str) -> Vec<Arc<Attributes>> {
        self.state().items.partition(pk, None).map(|(_, item)| Arc::clone(item)).collect()
    }

    /// The keys written since the last call. A key occurs as often as it was written.
    #[must_use]
    pub fn changed(&self) -> Vec<Arc<Key>> {
        self.state().items.take_changed()
    }

    /// The items whose conditions made transactions fail since the last call: the first of each transaction.
    #[must_use]
    pub fn lost(&self) -> Vec<Key> {
        std::mem::take(&mut self.state().lost)
    }

    /// The partitions that calls have read or written, or tried to, since the last call.
    #[must_use]
    pub fn named(&self) -> Vec<String> {
        std::mem::take(&mut self.state().named)
    }

    fn name<'a>(&self, partitions: impl IntoIterator<Item = &'a str>) {
        self.state().named.extend(partitions.into_iter().map(str::to_owned));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a world ends with the first panic")
    }

    /// How stale this read may be.
    fn age(&self, call: CallKind, consistency: Consistency) -> usize {
        match consistency {
            Consistency::Strong => 0,
            Consistency::Eventual => self.network.age(call),
        }
    }

    /// Reads item by item from after `last`, until a scheduling point is drawn: the number of items until then.
    fn read_on(&self, pk: &str, last: &mut Option<String>, found: &mut Vec<Attributes>) -> u32 {
        let state = self.state();
        let mut sk_read = None;
        let mut points = 0;
        for (sk, item) in state.items.partition(pk, last.as_deref()) {
            found.push(Attributes::clone(item));
            points = self.network.delay(CallKind::Query);
            if points > 0 {
                sk_read = Some(sk.clone());
                break;
            }
        }
        *last = sk_read;
        points
    }
}

#[async_trait]
impl Table for MemoryTable {
    async fn get(&self, key: &Key) -> Result<Option<Attributes>, StoreError> {
        self.name([key.pk.as_str()]);
        let read = |fault| {
            is_read(fault)?;
            Ok(self.state().items.get(&key.pk, &key.sk).map(|item| Attributes::clone(item)))
        };
        self.network.call(CallKind::Get, read).await
    }

    async fn get_all(
        &self,
        mut keys: Vec<Key>,
        consistency: Consistency,
    ) -> Result<HashMap<Key, Attributes>, StoreError> {
        keys.sort();
        keys.dedup();
        self.name(keys.iter().map(|key| key.pk.as_str()));
        is_read(self.network.arrive(CallKind::Batch).await)?;
        // Each item is read at a time of its own, so a transaction can be seen half done.
        let mut keys: Vec<_> = keys.into_iter().map(|key| (self.network.delay(CallKind::Batch), key)).collect();
        keys.sort_by_key(|(points, _)| *points);
        let (mut found, mut passed) = (HashMap::with_capacity(keys.len()), 0);
        for (points, key) in keys {
            for _ in passed..points {
                pause().await;
            }
            passed = points;
            let age = self.age(CallKind::Batch, consistency);
            let item = self.state().items.get_old(&key, age).map(|item| Attributes::clone(item));
            if let Some(item) = item {
                found.insert(key, item);
            }
        }
        pause().await;
        Ok(found)
    }

    async fn query(&self, pk: &str, consistency: Consistency) -> Result<Vec<Attributes>, StoreError> {
        assert!(!pk.is_empty(), "DynamoDB refuses an empty text in a key");
        self.name([pk]);
        is_read(self.network.arrive(CallKind::Query).await)?;
        let age = self.age(CallKind::Query, consistency);
        let mut found = Vec::new();
        if age > 0 {
            found.extend(self.state().items.partition_old(pk, age).into_iter().map(|item| Attributes::clone(item)));
        } else {
            let mut last = None;
            loop {
                for _ in 0..self.read_on(pk, &mut last, &mut found) {
                    pause().await;
                }
                if last.is_none() {
                    break;
                }
            }
        }
        pause().await;
        Ok(found)
    }

    async fn due(&self, shard: &str, until: &str, most: usize) -> Result<Vec<DueKey>, StoreError> {
        let read = |fault| {
            is_read(fault)?;
            let age = self.network.age(CallKind::Due);
            Ok(self.state().items.due(shard, until, most, age))
        };
        self.network.call(CallKind::Due, read).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Commit, StoreError> {
        self.name(writes.iter().map(|write| write.key().pk.as_str()));
        let write = |fault| {
            let mut state = self.state();
            match fault {
                Fault::None => Ok(if state.transact(writes) { Commit::Done } else { Commit::ConditionFailed }),
                Fault::NotSent => Err(StoreError::Unavailable),
                Fault::Refused => Ok(Commit::Contended),
                Fault::RequestLost | Fault::Stored500 => Ok(Commit::Unknown),
                Fault::ReplyLost | Fault::Stored500Done => {
                    state.transact(writes);
                    Ok(Commit::Unknown)
                }
                Fault::Late => {
                    state.late.push(Late::Transaction(writes));
                    Ok(Commit::Unknown)
                }
            }
        };
        self.network.call(CallKind::Transact, write).await
    }

    async fn edit(&self, key: &Key, edits: Vec<Edit>) -> Result<Attributes, StoreError> {
        let write = |fault| {
            let mut state = self.state();
            match fault {
                Fault::None => return Ok(write::edit(&mut state.items, key, &edits)),
                Fault::ReplyLost | Fault::Stored500Done => drop(write::edit(&mut state.items, key, &edits)),
                Fault::Late => state.late.push(Late::Edit(key.clone(), edits)),
                Fault::NotSent | Fault::Refused | Fault::RequestLost | Fault::Stored500 => {}
            }
            Err(StoreError::Unavailable)
        };
        self.network.call(CallKind::Update, write).await
    }
}

/// A read that is lost in either direction is simply not answered.
fn is_read(fault: Fault) -> Result<(), StoreError> {
    match fault {
        Fault::None => Ok(()),
        Fault::NotSent
        | Fault::Refused
        | Fault::RequestLost
        | Fault::ReplyLost
        | Fault::Late
        | Fault::Stored500
        | Fault::Stored500Done => Err(StoreError::Unavailable),
    }
}
