//! The objects of the workspace: held in memory, written through to an embedded database.
//!
//! One request is one [`Transaction`]: it sees its own writes, is undone whole if the request fails, and becomes one
//! [`Batch`] for the database. Memory is the truth for reads; the database is the truth after a restart.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::model::Value;

/// An object's place: its collection (`jobs`) and its id in it.
pub type Key = (String, String);

/// What one request changed: the new value of each object (none: gone), and counters.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Objects.
    pub objects: BTreeMap<Key, Option<Arc<Value>>>,
    /// Counters.
    pub counters: BTreeMap<String, u64>,
}

impl Batch {
    /// Whether it changes anything.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.counters.is_empty()
    }
}

/// What stood somewhere before a request, in the order it was overwritten.
type Former = Vec<(Key, Option<Arc<Value>>)>;

/// All objects, in memory.
#[derive(Debug, Default, Clone)]
pub struct Store {
    objects: BTreeMap<String, BTreeMap<String, Arc<Value>>>,
    counters: BTreeMap<String, u64>,
    /// What the latest requests overwrote, newest last, for stale reads.
    recent: VecDeque<Former>,
}

impl Store {
    /// Takes in an object read from the database.
    pub fn load(&mut self, collection: &str, id: &str, value: Value) {
        self.objects.entry(collection.to_owned()).or_default().insert(id.to_owned(), Arc::new(value));
    }

    /// Takes in a counter read from the database.
    pub fn load_counter(&mut self, name: &str, value: u64) {
        self.counters.insert(name.to_owned(), value);
    }

    /// Begins a request.
    pub fn begin(&mut self) -> Transaction<'_> {
        Transaction { store: self, former: Vec::new(), counters: BTreeMap::new() }
    }

    /// Everything, sorted: collection, id, value.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str, &Arc<Value>)> {
        self.objects.iter().flat_map(|(c, of)| of.iter().map(move |(id, value)| (c.as_str(), id.as_str(), value)))
    }

    /// Empties it. Counters stay, so that an id is never given out twice.
    pub fn clear(&mut self) {
        self.objects.clear();
        self.recent.clear();
    }

    /// Runs a read as the workspace was before the latest `lag` requests.
    pub fn lagging<T>(&mut self, lag: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        let mut undone = Vec::new();
        for former in self.recent.iter().rev().take(lag).cloned().collect::<Vec<_>>() {
            for (key, value) in former.into_iter().rev() {
                let now = self.put(&key, value);
                undone.push((key, now));
            }
        }
        let result = read(self);
        for (key, value) in undone.into_iter().rev() {
            self.put(&key, value);
        }
        result
    }

    /// Remembers what a request overwrote, for the next `lag` requests.
    fn remember(&mut self, former: Former, lag: usize) {
        if lag == 0 {
            return;
        }
        self.recent.push_back(former);
        while self.recent.len() > lag {
            self.recent.pop_front();
        }
    }

    fn put(&mut self, (collection, id): &Key, value: Option<Arc<Value>>) -> Option<Arc<Value>> {
        let of = self.objects.entry(collection.clone()).or_default();
        match value {
            Some(value) => of.insert(id.clone(), value),
            None => of.remove(id),
        }
    }
}

/// One request's view of the store.
pub struct Transaction<'a> {
    store: &'a mut Store,
    former: Former,
    counters: BTreeMap<String, u64>,
}

impl Transaction<'_> {
    /// An object.
    pub fn get(&self, collection: &str, id: &str) -> Option<Arc<Value>> {
        self.store.objects.get(collection)?.get(id).cloned()
    }

    /// Whether there is one.
    pub fn has(&self, collection: &str, id: &str) -> bool {
        self.store.objects.get(collection).is_some_and(|of| of.contains_key(id))
    }

    /// All objects of a collection, by id.
    pub fn all(&self, collection: &str) -> impl Iterator<Item = (&str, &Arc<Value>)> {
        self.store.objects.get(collection).into_iter().flatten().map(|(id, value)| (id.as_str(), value))
    }

    /// The objects of a collection whose id begins so, by id.
    pub fn below(&self, collection: &str, prefix: &str) -> Vec<(String, Arc<Value>)> {
        self.store.objects.get(collection).map_or_else(Vec::new, |of| {
            of.range(prefix.to_owned()..)
                .take_while(|(id, _)| id.starts_with(prefix))
                .map(|(id, value)| (id.clone(), Arc::clone(value)))
                .collect()
        })
    }

    /// Writes an object.
    pub fn put(&mut self, collection: &str, id: &str, value: Value) {
        self.change(collection, id, Some(Arc::new(value)));
    }

    /// Removes an object; it may be absent.
    pub fn remove(&mut self, collection: &str, id: &str) {
        if self.has(collection, id) {
            self.change(collection, id, None);
        }
    }

    /// The next number of a counter, from 1.
    pub fn next(&mut self, counter: &str) -> u64 {
        let n = self.store.counters.get(counter).copied().unwrap_or(0) + 1;
        self.store.counters.insert(counter.to_owned(), n);
        self.counters.insert(counter.to_owned(), n);
        n
    }

    fn change(&mut self, collection: &str, id: &str, value: Option<Arc<Value>>) {
        let key = (collection.to_owned(), id.to_owned());
        let former = self.store.put(&key, value);
        self.former.push((key, former));
    }

    /// Keeps the changes; gives what the database must write. `lag`: for how many requests stale reads look back.
    pub fn commit(self, lag: usize) -> Batch {
        let objects = self.former.iter().map(|(key, _)| (key.clone(), self.get(&key.0, &key.1))).collect();
        self.store.remember(self.former, lag);
        Batch { objects, counters: self.counters }
    }

    /// Undoes the changes. Numbers given out are not given out again.
    pub fn roll_back(self, lag: usize) -> Batch {
        for (key, value) in self.former.into_iter().rev() {
            self.store.put(&key, value);
        }
        self.store.remember(Vec::new(), lag);
        Batch { objects: BTreeMap::new(), counters: self.counters }
    }
}

#[cfg(test)]
mod tests {
    use super::Store;
    use crate::model::Value;

    #[test]
    fn a_failed_request_leaves_nothing() {
        let mut store = Store::default();
        let mut first = store.begin();
        first.put("jobs", "1", Value::from(1_i64));
        first.commit(0);
        let mut second = store.begin();
        second.put("jobs", "1", Value::from(2_i64));
        second.put("jobs", "2", Value::from(2_i64));
        second.remove("jobs", "1");
        assert!(!second.has("jobs", "1"));
        let batch = second.roll_back(0);
        assert!(batch.is_empty());
        let third = store.begin();
        assert_eq!(third.get("jobs", "1").as_deref(), Some(&Value::from(1_i64)));
        assert!(!third.has("jobs", "2"));
    }

    #[test]
    fn numbers_are_never_given_twice() {
        let mut store = Store::default();
        let mut transaction = store.begin();
        assert_eq!(transaction.next("jobs"), 1);
        assert_eq!(transaction.roll_back(0).counters["jobs"], 1);
        store.clear();
        assert_eq!(store.begin().next("jobs"), 2);
    }

    #[test]
    fn lagging_reads_see_the_past_and_change_nothing() {
        let mut store = Store::default();
        for n in 1..=3_i64 {
            let mut transaction = store.begin();
            transaction.put("t", "a", Value::from(n));
            transaction.commit(2);
        }
        let seen = |store: &mut Store, lag| store.lagging(lag, |s| s.begin().get("t", "a").and_then(|v| v.as_i64()));
        assert_eq!(seen(&mut store, 2), Some(1));
        assert_eq!(seen(&mut store, 1), Some(2));
        assert_eq!(seen(&mut store, 0), Some(3));
    }
}
