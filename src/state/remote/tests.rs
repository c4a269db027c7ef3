//! The rules of a shared state, on stores of either sort, in all weathers. Time is made: nothing here waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::lease::Patience;
use super::memory::{Memory, Weather};
use super::objects::{Locking, Objects};
use super::{Keeper, Lease, Remote, Settings, probe};
use crate::model::{Address, CommandOutput, Outside, System, Value};
use crate::state::{Document, Entry, Flush, LockInfo, Record, StateError, Status, Store, Waiting, WorkspaceIdentity, new_document};

/// A clock that goes with the runtime's, which stands still until everything waits; some run ahead or behind.
struct Clock {
    begun: tokio::time::Instant,
    ahead: i64,
}

impl System for Clock {
    fn now(&self) -> jiff::Timestamp {
        let passed = i64::try_from(self.begun.elapsed().as_millis()).unwrap();
        jiff::Timestamp::from_millisecond(1_700_000_000_000 + passed + self.ahead * 1000).unwrap()
    }

    fn run(&self, _: &str, _: &[&str], _: &std::path::Path) -> std::io::Result<CommandOutput> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

pub(super) fn outside(ahead: i64) -> Outside {
    let clock = Clock { begun: tokio::time::Instant::now(), ahead };
    Outside { variables: Arc::default(), folder: "/".into(), system: Arc::new(clock) }
}

pub(super) fn settings() -> Settings {
    Settings { project: "p".to_owned(), environment: "prod".to_owned(), lease_seconds: 60, versions: 3 }
}

pub(super) fn keeper(objects: &Memory, ahead: i64) -> Keeper {
    let outside = outside(ahead);
    Keeper {
        lease: Lease::new(&outside, 60),
        objects: Arc::new(objects.clone()),
        settings: settings(),
        outside,
        position: tokio::sync::Mutex::default(),
        pending: std::sync::Mutex::default(),
        fenced: std::sync::atomic::AtomicBool::new(false),
        note: std::sync::Mutex::default(),
    }
}

pub(super) fn info(name: &str) -> LockInfo {
    LockInfo { holder: name.to_owned(), operation: "apply".to_owned(), since: "2026-01-01T00:00:00Z".to_owned(), ..LockInfo::default() }
}

pub(super) async fn take(keeper: &Keeper, name: &str, wait: u64) -> Result<Option<LockInfo>, StateError> {
    keeper.take(&info(name), Patience { wait: Duration::from_secs(wait), say: &|_| {} }).await
}

pub(super) fn put(name: &str, text: &str) -> Record {
    let address: Address = name.parse().unwrap();
    let entry = Entry {
        kind: "jobs".to_owned(),
        id: "1".to_owned(),
        status: Status::Ok,
        applied: Value::map([("name", Value::from(text))]),
        former: None,
        etag: None,
        protected: false,
        adopted: false,
        dependencies: vec![],
        tag: None,
        deposed: vec![],
        made_by: None,
    };
    Record::Put { address, entry: Box::new(entry) }
}

pub(super) fn begin(document: &Document) -> Record {
    Record::Begin {
        lineage: document.lineage.clone(),
        serial: document.serial,
        workspace: WorkspaceIdentity { host: "h".to_owned(), id: "1".to_owned() },
        commit: None,
        pinned: None,
        note: None,
    }
}

pub(super) fn first() -> Document {
    Document { lineage: "l".to_owned(), ..new_document("p", "prod") }
}

pub(super) fn names(document: &Document) -> Vec<String> {
    document.resources.keys().map(ToString::to_string).collect()
}

pub(super) async fn write(keeper: &Keeper, records: &[Record]) -> Result<(), StateError> {
    keeper.waiting().extend_from_slice(records);
    keeper.flush_pending().await
}

pub(super) const SORTS: [Locking; 2] = [Locking::Tags, Locking::Generations];

#[tokio::test(start_paused = true)]
async fn what_was_recorded_is_there_for_the_next_who_looks() {
    for sort in SORTS {
        let store = Memory::new(sort);
        let one = keeper(&store, 0);
        take(&one, "ada", 0).await.unwrap();
        assert_eq!(one.load().await.unwrap(), None);
        one.save(&first(), "apply").await.unwrap();
        write(&one, &[begin(&first())]).await.unwrap();
        write(&one, &[put("jobs.a", "x"), put("jobs.b", &"long ".repeat(2000))]).await.unwrap();
        let seen = keeper(&store, 0).load().await.unwrap().unwrap();
        assert_eq!((seen.serial, names(&seen)), (1, vec!["jobs.a".to_owned(), "jobs.b".to_owned()]), "a plan sees the journal of an apply");
        one.save(&seen, "apply").await.unwrap();
        assert_eq!(keeper(&store, 0).load().await.unwrap().unwrap(), seen);
        assert_eq!(store.names().iter().filter(|n| n.starts_with("blobs/")).count(), 1);
        for serial in 2..6 {
            one.save(&Document { serial, ..first() }, "state rm").await.unwrap();
        }
        let history: Vec<u64> = one.history().await.unwrap().iter().map(|v| v.serial).collect();
        assert_eq!(history, [5, 4, 3], "three are kept");
        assert!(!store.names().iter().any(|n| n.starts_with("blobs/") || n.starts_with("journal/00000000")), "{:?}", store.names());
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_one_gets_the_lease_and_the_others_learn_who() {
    for sort in SORTS {
        let store = Memory::new(sort);
        let runners: Vec<_> = (0..32).map(|n| (format!("runner {n}"), Arc::new(keeper(&store, n)))).collect();
        let tasks: Vec<_> =
            runners.iter().cloned().map(|(name, keeper)| tokio::spawn(async move { take(&keeper, &name, 0).await })).collect();
        let mut won = vec![];
        let mut told = BTreeMap::<String, usize>::new();
        for ((name, _), task) in runners.iter().zip(tasks) {
            match task.await.unwrap() {
                Ok(over) => won.push((name.clone(), over)),
                Err(StateError::Locked { holder, lease: Some(_), .. }) => *told.entry(holder).or_default() += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(won.len(), 1, "{won:?}");
        assert_eq!(told.values().sum::<usize>(), 31);
        assert!(told.keys().all(|holder| holder.starts_with(&won[0].0)), "{told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_died_is_taken_over_from_and_what_it_wrote_is_kept() {
    // Whatever the clocks say: the next one's is right, an hour ahead, an hour behind.
    for (sort, ahead) in SORTS.into_iter().flat_map(|sort| [0, 3600, -3600].map(|ahead| (sort, ahead))) {
        let store = Memory::new(sort);
        let dead = keeper(&store, 0);
        take(&dead, "ada", 0).await.unwrap();
        dead.load().await.unwrap();
        dead.save(&first(), "apply").await.unwrap();
        write(&dead, &[begin(&first()), put("jobs.a", "x")]).await.unwrap();
        dead.lease.renew(&*dead.objects).await;

        let next = keeper(&store, ahead);
        let begun = tokio::time::Instant::now();
        let over = take(&next, "bob", 600).await.unwrap().expect("it was ada's");
        assert!(over.to_string().starts_with("ada"), "{over}");
        let waited = begun.elapsed().as_secs();
        assert!((20..=70).contains(&waited), "{sort:?} {ahead}: {waited}");
        let document = next.load().await.unwrap().unwrap();
        assert_eq!(names(&document), ["jobs.a"]);
        write(&next, &[begin(&document)]).await.unwrap();

        // It was only asleep: it is told at its next word, and nothing of it arrives.
        for attempt in [write(&dead, &[put("jobs.late", "x")]).await, dead.save(&first(), "apply").await] {
            assert!(matches!(attempt, Err(StateError::Lost { .. })), "{attempt:?}");
        }
        assert_eq!(names(&keeper(&store, 0).load().await.unwrap().unwrap()), ["jobs.a"]);
        write(&next, &[put("jobs.b", "x")]).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_renewed_is_waited_for_and_never_taken() {
    for (sort, ahead) in SORTS.into_iter().flat_map(|sort| [0, 86_400, -86_400].map(|ahead| (sort, ahead))) {
        let store = Memory::new(sort);
        let holder = Arc::new(keeper(&store, 0));
        take(&holder, "ada", 0).await.unwrap();
        let beating = Arc::clone(&holder);
        let task = tokio::spawn(async move {
            for _ in 0..40 {
                tokio::time::sleep(beating.lease.period()).await;
                beating.lease.renew(&*beating.objects).await;
            }
            beating.lease.standing().expect("nobody took it");
            beating.lease.release(&*beating.objects).await;
        });
        let next = keeper(&store, ahead);
        assert!(matches!(take(&next, "bob", 120).await, Err(StateError::Locked { .. })), "{sort:?} {ahead}");
        assert_eq!(take(&next, "bob", 3600).await.unwrap(), None, "given back, not taken over");
        task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_unlocked_by_hand_writes_nothing_more() {
    let store = Memory::new(Locking::Tags);
    let holder = keeper(&store, 0);
    take(&holder, "ada", 0).await.unwrap();
    holder.load().await.unwrap();
    holder.save(&first(), "apply").await.unwrap();
    let other = keeper(&store, 0);
    let id = other.lease.holder(&*other.objects).await.unwrap().unwrap().id.unwrap();
    assert!(other.lease.free(&*other.objects, "wrong", "bob").await.unwrap().is_none());
    assert!(other.lease.free(&*other.objects, &id, "bob").await.unwrap().unwrap().to_string().starts_with("ada"));
    holder.lease.renew(&*holder.objects).await;
    let error = write(&holder, &[put("jobs.a", "x")]).await.unwrap_err();
    assert!(error.to_string().contains("bob unlocked it"), "{error}");
    take(&other, "bob", 0).await.unwrap();
}

/// Runners come and go, die at any moment, and lose any answer: what was confirmed is never lost, what a runner that lost
/// its lease sends is never taken, and nobody mistakes their own write for another's.
#[test]
fn in_any_weather_what_was_confirmed_stays() {
    for seed in 0..300u64 {
        let sort = SORTS[usize::try_from(seed % 2).unwrap()];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(storm(seed, sort));
    }
}

pub(super) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

async fn storm(seed: u64, sort: Locking) {
    let fair = Memory::new(sort);
    let sky = move |number: u64, _: &str, _: &str| match mix(seed.wrapping_mul(1_000_003) ^ number) % 12 {
        0 => Weather::Before,
        1 => Weather::After,
        _ => Weather::Fair,
    };
    let store = fair.under(Arc::new(sky));
    let mut confirmed: Vec<String> = vec![];
    for runner in 0..6u64 {
        let keeper = keeper(&store, i64::try_from(mix(seed + runner) % 7200).unwrap() - 3600);
        let mut tries = 0;
        while take(&keeper, &format!("runner {runner}"), 600).await.is_err() {
            tries += 1;
            assert!(tries < 50, "seed {seed}: nobody gets in any more");
        }
        let document = match keeper.load().await {
            Ok(found) => found,
            Err(StateError::Store { .. }) => continue,
            Err(other) => panic!("seed {seed}: {other}"),
        };
        let document = match document {
            Some(document) => document,
            None => match keeper.save(&first(), "apply").await {
                Ok(()) => first(),
                Err(_) => continue,
            },
        };
        for name in &confirmed {
            assert!(names(&document).contains(name), "seed {seed}: {name} was confirmed and is gone; {:?}", store.names());
        }
        let mut done = document.clone();
        let mut records = vec![begin(&document)];
        for step in 0..mix(seed ^ runner << 8) % 5 {
            let name = format!("jobs.r{runner}s{step}");
            records.push(put(&name, "x"));
            if write(&keeper, &records[records.len() - 1 - usize::from(step == 0)..]).await.is_err() {
                break;
            }
            confirmed.push(name);
            done = super::fold(document.clone(), &records);
        }
        if mix(seed ^ runner << 16).is_multiple_of(2) && keeper.lease.standing().is_ok() && done.serial > document.serial {
            // Saved or not: what was confirmed stays either way.
            let _ = keeper.save(&done, "apply").await;
            keeper.lease.release(&*keeper.objects).await;
        }
    }
    let last = keeper(&fair, 0);
    let document = last.load().await.unwrap();
    for name in &confirmed {
        assert!(document.as_ref().is_some_and(|d| names(d).contains(name)), "seed {seed}: {name} is gone at the end");
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_went_missing_or_was_put_back_is_an_error() {
    let store = Memory::new(Locking::Tags);
    let one = keeper(&store, 0);
    take(&one, "ada", 0).await.unwrap();
    one.load().await.unwrap();
    one.save(&first(), "apply").await.unwrap();
    let yesterday = store.get("state.json").await.unwrap().unwrap();
    one.save(&Document { serial: 1, ..first() }, "apply").await.unwrap();
    store.delete("state.json").await.unwrap();
    let error = keeper(&store, 0).load().await.unwrap_err().to_string();
    assert!(error.contains("the document itself is missing"), "{error}");
    store.put("state.json", yesterday.bytes, super::Condition::Absent).await.unwrap();
    let error = keeper(&store, 0).load().await.unwrap_err().to_string();
    assert!(error.contains("an older one was put in its place"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_breaks_its_word_is_found_out() {
    let good = probe(&Memory::new(Locking::Tags), "x").await;
    assert_eq!(good.iter().filter(|p| p.trouble.is_none()).count(), 7, "{good:?}");
    let bad = probe(&memory_that_overwrites(), "x").await;
    let troubles: Vec<&str> = bad.iter().filter(|p| p.trouble.is_some()).map(|p| p.what).collect();
    assert_eq!(troubles, ["creates an object only once", "replaces no other version"]);
}

/// A store that takes any write.
fn memory_that_overwrites() -> impl Objects {
    struct Careless(Memory);
    impl Objects for Careless {
        fn place(&self) -> String {
            self.0.place()
        }
        fn locking(&self) -> Locking {
            Locking::Tags
        }
        fn get<'a>(&'a self, name: &'a str) -> crate::client::BoxFuture<'a, Result<Option<super::objects::Object>, super::ObjectError>> {
            self.0.get(name)
        }
        fn put<'a>(
            &'a self,
            name: &'a str,
            bytes: Vec<u8>,
            _: super::Condition,
        ) -> crate::client::BoxFuture<'a, Result<super::Put, super::ObjectError>> {
            Box::pin(async move {
                self.0.delete(name).await?;
                self.0.put(name, bytes, super::Condition::Absent).await
            })
        }
        fn list<'a>(&'a self, prefix: &'a str) -> crate::client::BoxFuture<'a, Result<Vec<String>, super::ObjectError>> {
            self.0.list(prefix)
        }
        fn delete<'a>(&'a self, name: &'a str) -> crate::client::BoxFuture<'a, Result<(), super::ObjectError>> {
            self.0.delete(name)
        }
    }
    Careless(Memory::new(Locking::Tags))
}

#[test]
fn the_blocking_side_locks_writes_and_gives_back() {
    let store = Memory::new(Locking::Tags);
    let outside = Outside { system: Outside::real().unwrap().system, variables: Arc::default(), folder: "/".into() };
    let open = |objects: &Memory| Remote::new(Arc::new(objects.clone()), settings(), &outside).unwrap();
    let one = open(&store);
    assert_eq!(one.lock(&info("ada"), Waiting::NOT).unwrap(), None);
    let error = open(&store).lock(&info("bob"), Waiting::NOT).unwrap_err();
    assert!(error.to_string().contains("ada"), "{error}");
    assert_eq!(one.load().unwrap(), None);
    one.save(&first(), "apply").unwrap();
    one.append(&[begin(&first())], Flush::Later).unwrap();
    one.append(&[put("jobs.a", "x")], Flush::Later).unwrap();
    one.unlock();
    assert_eq!(open(&store).holder(), None);
    let document = open(&store).load().unwrap().unwrap();
    assert_eq!(names(&document), ["jobs.a"], "what need not be durable at once is so when the lock is given back");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async { assert_eq!(names(&open(&store).load().unwrap().unwrap()), ["jobs.a"], "also from within a runtime") });
}
