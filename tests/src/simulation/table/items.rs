//! The items of a table, its index of what is due, and how they were a few writes ago.
//!
//! Invariant: every change goes through [`Items::replace`] or [`Items::remove`], so that index, past and list of changes agree with the items.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use classpay_service::store::key::Key;
use classpay_service::store::{Attributes, DueKey, Value};

/// So many writes back an eventual read can be.
pub(super) const PAST: usize = 32;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Items {
    partitions: BTreeMap<String, BTreeMap<String, Arc<Attributes>>>,
    /// By partition of the index; in it by due time.
    due: BTreeMap<String, BTreeSet<(String, Arc<Key>)>>,
    /// What was replaced by the last writes, the newest at the end.
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
    /// An item as it stands.
    pub(super) fn get(&self, pk: &str, sk: &str) -> Option<&Arc<Attributes>> {
        assert!(!pk.is_empty() && !sk.is_empty(), "DynamoDB refuses an empty text in a key: `{pk}`, `{sk}`");
        self.partitions.get(pk).and_then(|partition| partition.get(sk))
    }

    /// An item as it stood so many writes ago.
    pub(super) fn get_old(&self, key: &Key, age: usize) -> Option<&Arc<Attributes>> {
        let now = self.get(&key.pk, &key.sk);
        // The oldest of them that changed it knows how it was before them all.
        let replaced = self.last(age).filter(|replaced| *replaced.key == *key).last();
        replaced.map_or(now, |replaced| replaced.item.as_ref())
    }

    /// The items of a partition, from after that sort key, in order.
    pub(super) fn partition<'a>(
        &'a self,
        pk: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a String, &'a Arc<Attributes>)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let partition = self.partitions.get(pk).into_iter();
        partition.flat_map(move |partition| partition.range::<str, _>((from, Bound::Unbounded)))
    }

    /// A partition as it stood so many writes ago.
    pub(super) fn partition_old(&self, pk: &str, age: usize) -> Vec<&Arc<Attributes>> {
        let mut items: BTreeMap<&String, Option<&Arc<Attributes>>> =
            self.partition(pk, None).map(|(sk, item)| (sk, Some(item))).collect();
        for replaced in self.last(age).filter(|replaced| replaced.key.pk == pk) {
            items.insert(&replaced.key.sk, replaced.item.as_ref());
        }
        items.into_values().flatten().collect()
    }

    /// What was due, as the index stood so many writes ago.
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

    /// Everything, in the order of the keys.
    pub(super) fn all(&self) -> impl Iterator<Item = (Key, Arc<Attributes>)> {
        let of = |(pk, partition): (&String, &BTreeMap<String, Arc<Attributes>>)| {
            let pk = pk.clone();
            let items = partition.iter();
            items.map(move |(sk, item)| (Key { pk: pk.clone(), sk: sk.clone() }, Arc::clone(item))).collect::<Vec<_>>()
        };
        self.partitions.iter().flat_map(of)
    }

    /// What was changed since this was last asked; a key may be there more than once.
    pub(super) fn take_changed(&mut self) -> Vec<Arc<Key>> {
        std::mem::take(&mut self.changed)
    }

    /// Begins a write; what is replaced until the next one belongs to it.
    pub(super) fn begin_write(&mut self) {
        self.writes += 1;
        while self.past.front().is_some_and(|oldest| oldest.by + PAST <= self.writes) {
            self.past.pop_front();
        }
    }

    /// Puts an item in the place of what was there.
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

    /// Takes an item out, if it is there.
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

    /// What the last so many writes replaced, the newest first.
    fn last(&self, writes: usize) -> impl Iterator<Item = &Replaced> {
        let is_of_them = move |replaced: &&Replaced| replaced.by + writes > self.writes;
        self.past.iter().rev().take_while(is_of_them)
    }
}

/// Where an item stands in the index; it is sparse, so most don't.
fn index_place(item: &Attributes) -> Option<(&str, &str)> {
    let text = |value: &Value| match value {
        Value::Text(text) if !text.is_empty() => (),
        other => panic!("DynamoDB refuses this as a key of the index: {other:?}"),
    };
    let (shard, due) = (item.get("gsi1pk"), item.get("gsi1sk"));
    shard.into_iter().chain(due).for_each(text);
    Some((shard?.as_text()?, due?.as_text()?))
}
