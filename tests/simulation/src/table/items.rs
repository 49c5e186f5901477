//! The items of a table, its index of what is due, and their state a few writes ago.
//!
//! Every change goes through [`Items::replace`] or [`Items::remove`], so that the index, the past and the list of
//! changes agree with the items.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use classpay_service::store::key::Key;
use classpay_service::store::{Attributes, DueKey, Value};

/// The most writes by which an eventually consistent read can lag.
pub(super) const PAST: usize = 32;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Items {
    partitions: BTreeMap<String, BTreeMap<String, Arc<Attributes>>>,
    /// By partition of the index, then by due time.
    due: BTreeMap<String, BTreeSet<(String, Arc<Key>)>>,
    /// The items replaced by the last writes, the newest at the end.
    past: VecDeque<Replaced>,
    writes: usize,
    changed: Vec<Arc<Key>>,
}

#[derive(Debug, Clone)]
struct Replaced {
    /// The number of the write.
    by: usize,
    key: Arc<Key>,
    item: Option<Arc<Attributes>>,
}

impl Items {
    /// An item in its present state.
    pub(super) fn get(&self, pk: &str, sk: &str) -> Option<&Arc<Attributes>> {
        assert!(!pk.is_empty() && !sk.is_empty(), "DynamoDB refuses an empty text in a key: `{pk}`, `{sk}`");
        self.partitions.get(pk).and_then(|partition| partition.get(sk))
    }

    /// An item as it was this many writes ago.
    pub(super) fn get_old(&self, key: &Key, age: usize) -> Option<&Arc<Attributes>> {
        let now = self.get(&key.pk, &key.sk);
        // The oldest of these writes that changed the item knows its state before all of them.
        let replaced = self.last(age).filter(|replaced| *replaced.key == *key).last();
        replaced.map_or(now, |replaced| replaced.item.as_ref())
    }

    /// The items of a partition after that sort key, in order.
    pub(super) fn partition<'a>(
        &'a self,
        pk: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a String, &'a Arc<Attributes>)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let partition = self.partitions.get(pk).into_iter();
        partition.flat_map(move |partition| partition.range::<str, _>((from, Bound::Unbounded)))
    }

    /// A partition as it was this many writes ago.
    pub(super) fn partition_old(&self, pk: &str, age: usize) -> Vec<&Arc<Attributes>> {
        let mut items: BTreeMap<&String, Option<&Arc<Attributes>>> =
            self.partition(pk, None).map(|(sk, item)| (sk, Some(item))).collect();
        for replaced in self.last(age).filter(|replaced| replaced.key.pk == pk) {
            items.insert(&replaced.key.sk, replaced.item.as_ref());
        }
        items.into_values().flatten().collect()
    }

    /// What was due, according to the index this many writes ago.
    pub(super) fn due(&self, shard: &str, until: &str, most: usize, age: usize) -> Vec<DueKey> {
        let answer = |due: &str, key: &Arc<Key>| DueKey { key: Key::clone(key), due: due.to_owned() };
        let now = self.due.get(shard).into_iter().flatten().take_while(|(due, _)| due.as_str() <= until);
        if age == 0 {
            return now.take(most).map(|(due, key)| answer(due, key)).collect();
        }
        let mut old: BTreeMap<&Arc<Key>, Option<&str>> = now.map(|(due, key)| (key, Some(due.as_str()))).collect();
        for replaced in self.last(age) {
            let place = replaced.item.as_deref().and_then(index_place);
            let due = place.filter(|(of, due)| *of == shard && *due <= until).map(|(_, due)| due);
            old.insert(&replaced.key, due);
        }
        let mut old: Vec<_> = old.into_iter().filter_map(|(key, due)| due.map(|due| (due, key))).collect();
        old.sort_unstable();
        old.into_iter().take(most).map(|(due, key)| answer(due, key)).collect()
    }

    /// All items, in the order of their keys.
    pub(super) fn all(&self) -> impl Iterator<Item = (Key, Arc<Attributes>)> {
        let of = |(pk, partition): (&String, &BTreeMap<String, Arc<Attributes>>)| {
            let pk = pk.clone();
            let items = partition.iter();
            items.map(move |(sk, item)| (Key { pk: pk.clone(), sk: sk.clone() }, Arc::clone(item))).collect::<Vec<_>>()
        };
        self.partitions.iter().flat_map(of)
    }

    /// The keys changed since the last call; a key may occur more than once.
    pub(super) fn take_changed(&mut self) -> Vec<Arc<Key>> {
        std::mem::take(&mut self.changed)
    }

    /// Begins a write; items replaced until the next one belong to it.
    pub(super) fn begin_write(&mut self) {
        self.writes += 1;
        while self.past.front().is_some_and(|oldest| oldest.by + PAST <= self.writes) {
            self.past.pop_front();
        }
    }

    /// Replaces an item, or adds it.
    pub(super) fn replace(&mut self, key: Key, item: Attributes) {
        let (key, item) = (Arc::new(key), Arc::new(item));
        let before = match self.partitions.get_mut(&key.pk) {
            Some(partition) => match partition.get_mut(&key.sk) {
                Some(place) => Some(std::mem::replace(place, Arc::clone(&item))),
                None => partition.insert(key.sk.clone(), Arc::clone(&item)),
            },
            None => {
                self.partitions.insert(key.pk.clone(), [(key.sk.clone(), Arc::clone(&item))].into());
                None
            }
        };
        self.index(&key, before.as_deref(), Some(&item));
        self.changed.push(Arc::clone(&key));
        self.past.push_back(Replaced { by: self.writes, key, item: before });
    }

    /// Removes an item, if it exists.
    pub(super) fn remove(&mut self, key: Key) {
        let Some(before) = self.partitions.get_mut(&key.pk).and_then(|partition| partition.remove(&key.sk)) else {
            return;
        };
        let key = Arc::new(key);
        self.index(&key, Some(&before), None);
        self.changed.push(Arc::clone(&key));
        self.past.push_back(Replaced { by: self.writes, key, item: Some(before) });
    }

    fn index(&mut self, key: &Arc<Key>, before: Option<&Attributes>, now: Option<&Attributes>) {
        let (before, now) = (before.and_then(index_place), now.and_then(index_place));
        if before == now {
            return;
        }
        if let Some((shard, due)) = before
            && let Some(entries) = self.due.get_mut(shard)
        {
            entries.remove(&(due.to_owned(), Arc::clone(key)));
        }
        if let Some((shard, due)) = now {
            self.due.entry(shard.to_owned()).or_default().insert((due.to_owned(), Arc::clone(key)));
        }
    }

    /// The items replaced by the last writes, the newest first.
    fn last(&self, writes: usize) -> impl Iterator<Item = &Replaced> {
        let is_of_them = move |replaced: &&Replaced| replaced.by + writes > self.writes;
        self.past.iter().rev().take_while(is_of_them)
    }
}

/// An item's position in the index, which is sparse: most items have none.
fn index_place(item: &Attributes) -> Option<(&str, &str)> {
    let text = |value: &Value| match value {
        Value::Text(text) if !text.is_empty() => (),
        other => panic!("DynamoDB refuses this as a key of the index: {other:?}"),
    };
    let (shard, due) = (item.get("gsi1pk"), item.get("gsi1sk"));
    shard.into_iter().chain(due).for_each(text);
    Some((shard?.as_text()?, due?.as_text()?))
}
