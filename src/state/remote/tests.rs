//! The rules of a shared state, on stores of either sort, in all weathers. Time is made: nothing here waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::keeper::Keeper;
use super::lease::Patience;
use super::memory::{Memory, Weather};
use super::objects::{Condition, Locking, ObjectError, Objects, Put};
use super::{Remote, Settings, probe};
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
    keeper_of(Arc::new(objects.clone()), ahead)
}

pub(super) fn keeper_of(objects: Arc<dyn Objects>, ahead: i64) -> Keeper {
    Keeper::new(objects, settings(), &outside(ahead))
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
        called: None,
        before: None,
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

#[tokio::test(start_paused = true)]
async fn who_was_unlocked_by_hand_is_stopped_before_it_renews_its_lease() {
    for first_apply in [false, true] {
        let store = Memory::new(Locking::Tags);
        let holder = keeper(&store, 0);
        take(&holder, "ada", 0).await.unwrap();
        holder.load().await.unwrap();
        if !first_apply {
            holder.save(&first(), "apply").await.unwrap();
            write(&holder, &[put("jobs.a", "x")]).await.unwrap();
        }
        let other = keeper(&store, 0);
        let id = other.lease.holder(&*other.objects).await.unwrap().unwrap().id.unwrap();
        assert!(other.free(&id, "bob").await.unwrap().is_some());
        // It is still sure of its lease.
        holder.lease.standing().unwrap();
        take(&other, "bob", 0).await.unwrap();
        other.load().await.unwrap();
        let error = write(&holder, &[put("jobs.b", "y")]).await.unwrap_err();
        assert!(error.to_string().contains("somebody else went on with the journal"), "{error}");
        write(&other, &[put("jobs.c", "z")]).await.expect("whoever came after goes on");
    }
}

/// Runners come and go, die at any moment, and lose any answer: what was confirmed is never lost, what a runner that lost
/// its lease sends is never taken, and nobody mistakes their own write for another's.
#[test]
fn in_any_weather_what_was_confirmed_stays() {
    for seed in 0..300u64 {
        let sort = SORTS[usize::try_from(seed % 2).unwrap()];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let fair = Memory::new(sort);
        let sky = move |number: u64, _: &str, _: &str| match mix(seed.wrapping_mul(1_000_003) ^ number) % 12 {
            0 => Weather::Before,
            1 => Weather::After,
            _ => Weather::Fair,
        };
        let foul = fair.under(Arc::new(sky));
        runtime.block_on(storm(seed, Arc::new(fair), Arc::new(foul)));
    }
}

pub(super) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

async fn storm(seed: u64, fair: Arc<dyn Objects>, foul: Arc<dyn Objects>) {
    let mut confirmed: Vec<String> = vec![];
    for runner in 0..6u64 {
        let keeper = keeper_of(Arc::clone(&foul), i64::try_from(mix(seed + runner) % 7200).unwrap() - 3600);
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
            assert!(names(&document).contains(name), "seed {seed}: {name} was confirmed and is gone");
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
            done = crate::state::fold(document.clone(), &records);
        }
        if mix(seed ^ runner << 16).is_multiple_of(2) && keeper.lease.standing().is_ok() && done.serial > document.serial {
            // Saved or not: what was confirmed stays either way.
            let _ = keeper.save(&done, "apply").await;
            keeper.lease.release(&*keeper.objects).await;
        }
    }
    let last = keeper_of(fair, 0);
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
    store.put("state.json", yesterday.bytes, Condition::Absent).await.unwrap();
    let error = keeper(&store, 0).load().await.unwrap_err().to_string();
    assert!(error.contains("an older one was put in its place"), "{error}");
}

/// The same kind of store in files of an embedded workspace, or of a volume in it.
fn files(sort: super::files::Sort, workspace: &crate::local::LocalWorkspace) -> Arc<super::files::Files> {
    let workspace = workspace.clone();
    let folder = if sort == super::files::Sort::Volume { "/Volumes/main/default/state" } else { "/Shared/brickform" };
    let options = crate::client::Options { first_wait_millis: 1, retry_seconds: 5, ..crate::client::Options::default() };
    let outside = outside(0);
    let connect = move || Ok(crate::client::Client::new(Arc::new(workspace.clone()), None, &outside, options));
    Arc::new(super::files::Files::new(sort, folder, "prod", Box::new(connect)))
}

async fn workspace(options: crate::local::LocalOptions) -> crate::local::LocalWorkspace {
    use crate::client::{Client, Options};
    let fair = crate::local::LocalWorkspace::in_memory(crate::local::LocalOptions::default()).unwrap();
    let client = Client::new(Arc::new(fair.clone()), None, &outside(0), Options::default());
    let members = [("catalog_name", "main"), ("schema_name", "default"), ("name", "state"), ("volume_type", "MANAGED")];
    let call = crate::kinds::Call {
        op: "catalog.volumes.create",
        path: crate::model::Map::new(),
        query: crate::model::Map::new(),
        body: Some(Value::map(members.map(|(name, value)| (name, Value::from(value))))),
        why: "create",
        repeat: crate::kinds::Repeat::Safe,
    };
    client.call(&call).await.unwrap();
    fair.with(options).unwrap()
}

const PLACES: [super::files::Sort; 2] = [super::files::Sort::Workspace, super::files::Sort::Volume];

#[tokio::test]
async fn files_of_a_workspace_and_of_a_volume_keep_their_word() {
    use crate::local::LocalOptions;
    let rivals = ["", "files-parents-made", "paths-as-asked", "omit-zeros"];
    for (sort, rival) in PLACES.into_iter().flat_map(|sort| rivals.map(|rival| (sort, rival))) {
        let rivals = if rival.is_empty() { vec![] } else { vec![rival.to_owned()] };
        let store = files(sort, &workspace(LocalOptions { rivals, ..LocalOptions::default() }).await);
        let tried = probe(&*store, "x").await;
        assert!(tried.len() == 5 && tried.iter().all(|p| p.trouble.is_none()), "{sort:?} {rival}: {tried:?}");
        for (name, bytes) in
            [("state/1.json", &b"{}"[..]), ("journal/1/1.log", b"# Databricks notebook source"), ("blobs/a", &[0, 159, 146])]
        {
            let objects: &dyn Objects = &*store;
            assert!(matches!(objects.put(name, bytes.to_vec(), Condition::Absent).await, Ok(Put::Done(_))), "{name}");
            assert_eq!(objects.put(name, b"other".to_vec(), Condition::Absent).await, Ok(Put::Refused), "{name}");
            assert_eq!(objects.get(name).await.unwrap().unwrap().bytes, bytes, "{sort:?} {rival} {name}");
        }
        let objects: &dyn Objects = &*store;
        assert_eq!(objects.list("").await.unwrap(), ["blobs/a", "journal/1/1.log", "state/1.json"]);
        assert_eq!(objects.list("journal/").await.unwrap(), ["journal/1/1.log"]);
        assert_eq!((objects.get("state/2.json").await.unwrap(), objects.list("nothing/").await.unwrap()), (None, vec![]));
        for name in ["journal/1/1.log", "journal/1/1.log", "never"] {
            objects.delete(name).await.unwrap();
        }
        assert_eq!(objects.list("").await.unwrap(), ["blobs/a", "state/1.json"]);
    }
}

/// A store in bad weather.
struct Foul {
    inner: Arc<dyn Objects>,
    seed: u64,
    asked: std::sync::atomic::AtomicU64,
}

impl Foul {
    async fn through<T>(&self, work: impl Future<Output = Result<T, ObjectError>>) -> Result<T, ObjectError> {
        let number = self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match mix(self.seed.wrapping_mul(1_000_003) ^ number) % 12 {
            0 => Err(ObjectError::new("the connection was refused")),
            1 => {
                let _ = work.await;
                Err(ObjectError::new("the connection was cut"))
            }
            _ => work.await,
        }
    }
}

type Answer<'a, T> = crate::client::BoxFuture<'a, Result<T, ObjectError>>;

impl Objects for Foul {
    fn place(&self) -> String {
        self.inner.place()
    }
    fn locking(&self) -> Locking {
        self.inner.locking()
    }
    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<super::objects::Object>> {
        Box::pin(self.through(self.inner.get(name)))
    }
    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>, condition: Condition) -> Answer<'a, Put> {
        Box::pin(self.through(self.inner.put(name, bytes, condition)))
    }
    fn list<'a>(&'a self, prefix: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(self.through(self.inner.list(prefix)))
    }
    fn delete<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        Box::pin(self.through(self.inner.delete(name)))
    }
}

/// The storms above over the workspace's own API.
#[test]
fn in_any_weather_files_keep_what_was_confirmed() {
    for seed in 0..8u64 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let sort = PLACES[usize::try_from(seed % 2).unwrap()];
            let fair = workspace(crate::local::LocalOptions::default()).await;
            let foul = Foul { inner: files(sort, &fair), seed, asked: std::sync::atomic::AtomicU64::default() };
            storm(seed, files(sort, &fair), Arc::new(foul)).await;
        });
    }
}

#[tokio::test(start_paused = true)]
async fn bad_states_are_told_apart_and_mended() {
    for sort in SORTS {
        let store = Memory::new(sort);
        let one = keeper(&store, 0);
        take(&one, "ada", 0).await.unwrap();
        one.load().await.unwrap();
        one.save(&first(), "apply").await.unwrap();
        write(&one, &[begin(&first()), put("jobs.a", "x")]).await.unwrap();
        write(&one, &[put("jobs.b", "x")]).await.unwrap();
        // A segment is gone: what comes before it can be read, and one of the versions takes its place.
        store.delete("journal/00000000/00000001.log").await.unwrap();
        let error = keeper(&store, 0).load().await.unwrap_err();
        assert!(error.to_string().contains("its journal lacks journal/00000000/00000001.log"), "{error}");
        assert!(error.help().concat().contains("state push --serial N"), "{error}");
        let next = keeper(&store, 0);
        one.lease.release(&*one.objects).await;
        take(&next, "bob", 0).await.unwrap();
        let remains = next.remains().await.unwrap();
        assert_eq!((remains.records.len(), remains.troubles.len()), (0, 1), "{remains:?}");
        let back = remains.next(next.version(0).await.unwrap().unwrap());
        next.replace(&back, "state push").await.unwrap();
        assert_eq!(keeper(&store, 0).load().await.unwrap(), Some(back.clone()));
        // Deleted: an error, and the version goes back.
        for name in store.names().into_iter().filter(|name| name.starts_with("state")) {
            store.delete(&name).await.unwrap();
        }
        assert!(keeper(&store, 0).load().await.unwrap_err().to_string().contains("the document itself is missing"));
        let again = next.remains().await.unwrap().next(back);
        next.replace(&again, "state push").await.unwrap();
        assert_eq!(keeper(&store, 0).load().await.unwrap(), Some(again.clone()));
        // Edited by hand.
        let name = store.names().into_iter().rfind(|name| name.starts_with("state")).unwrap();
        let text = String::from_utf8(store.get(&name).await.unwrap().unwrap().bytes).unwrap();
        store.delete(&name).await.unwrap();
        let edited = text.replace("\"lineage\": \"l\"", "\"lineage\": \"m\"");
        store.put(&name, edited.into_bytes(), Condition::Absent).await.unwrap();
        assert!(matches!(keeper(&store, 0).load().await, Err(StateError::Edited { .. })));
        // Moved.
        let moved = crate::state::Moved { to: "s3://x/y".to_owned(), by: "ada".to_owned(), at: "2026".to_owned() };
        store.put(super::mend::MOVED, serde_json::to_vec(&moved).unwrap(), Condition::Absent).await.unwrap();
        assert!(keeper(&store, 0).load().await.unwrap_err().to_string().contains("is at s3://x/y now"));
    }
}

#[tokio::test(start_paused = true)]
async fn open_and_sealed_are_told_apart() {
    let store = Memory::new(Locking::Tags);
    let key = crate::model::StateKey::new(b"k1");
    let sealed = |key: &crate::model::StateKey| keeper_of(Arc::new(super::Sealed::new(Arc::new(store.clone()), key)), 0);
    let open = || keeper_of(Arc::new(super::Open(Arc::new(store.clone()))), 0);
    let one = sealed(&key);
    take(&one, "ada", 0).await.unwrap();
    one.load().await.unwrap();
    one.save(&first(), "apply").await.unwrap();
    let error = open().load().await.unwrap_err();
    assert!(error.to_string().contains("is sealed, but") && error.help().concat().contains("encrypt: true"), "{error}");
    let error = sealed(&crate::model::StateKey::new(b"k2")).load().await.unwrap_err();
    assert!(error.to_string().contains("cannot be opened with this key"), "{error}");
    assert_eq!(sealed(&key).load().await.unwrap(), Some(first()));
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
        fn get<'a>(&'a self, name: &'a str) -> crate::client::BoxFuture<'a, Result<Option<super::objects::Object>, ObjectError>> {
            self.0.get(name)
        }
        fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>, _: Condition) -> crate::client::BoxFuture<'a, Result<Put, ObjectError>> {
            Box::pin(async move {
                let condition = self.0.get(name).await?.map_or(Condition::Absent, |there| Condition::Same(there.tag));
                self.0.put(name, bytes, condition).await
            })
        }
        fn list<'a>(&'a self, prefix: &'a str) -> crate::client::BoxFuture<'a, Result<Vec<String>, ObjectError>> {
            self.0.list(prefix)
        }
        fn delete<'a>(&'a self, name: &'a str) -> crate::client::BoxFuture<'a, Result<(), ObjectError>> {
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
