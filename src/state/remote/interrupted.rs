//! A shared state whose store is slow, and whose writers are stopped in the middle. Time is made.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::keeper::Keeper;
use super::memory::{Memory, Weather};
use super::objects::{Condition, Locking, Object, ObjectError, Objects, Put};
use super::tests::{SORTS, begin, first, keeper, keeper_of, names, put, take, write};
use crate::client::BoxFuture;
use crate::model::Value;
use crate::state::{Document, Record, StateError};

/// How long each part of a request takes, by what is done (`put`, `delete`) and the name: before it is carried out, and
/// from then to its answer.
type Pace = fn(&str, &str) -> [u64; 2];

/// A store that takes its time where something changes.
struct Slow(Memory, Pace);

impl Slow {
    async fn soon<'a, T>(&'a self, what: &'a str, name: &'a str, work: BoxFuture<'a, T>) -> T {
        let [before, after] = (self.1)(what, name);
        tokio::time::sleep(Duration::from_secs(before)).await;
        let done = work.await;
        tokio::time::sleep(Duration::from_secs(after)).await;
        done
    }
}

impl Objects for Slow {
    fn place(&self) -> String {
        self.0.place()
    }
    fn locking(&self) -> Locking {
        self.0.locking()
    }
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Object>, ObjectError>> {
        self.0.get(name)
    }
    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>, condition: Condition) -> BoxFuture<'a, Result<Put, ObjectError>> {
        Box::pin(self.soon("put", name, self.0.put(name, bytes, condition)))
    }
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, ObjectError>> {
        self.0.list(prefix)
    }
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        Box::pin(self.soon("delete", name, self.0.delete(name)))
    }
}

fn slow(store: &Memory, pace: Pace) -> Keeper {
    keeper_of(Arc::new(Slow(store.clone(), pace)), 0)
}

/// A store with a first document; nobody holds its lease.
async fn begun(sort: Locking) -> Memory {
    let store = Memory::new(sort);
    let one = keeper(&store, 0);
    take(&one, "ada", 0).await.unwrap();
    one.load().await.unwrap();
    one.save(&first(), "apply").await.unwrap();
    one.give_back().await;
    store
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_as_old_as_its_asking_however_late_the_answer() {
    // A third of the term is twenty seconds: whoever came meanwhile, with a clock ahead, may have watched it that long. The
    // answer comes late, or not at all: then it is found at the next look.
    for (sort, weather) in SORTS.into_iter().flat_map(|sort| [Weather::Fair, Weather::After].map(|weather| (sort, weather))) {
        let store = Memory::new(sort).under(Arc::new(move |_, what: &str, _: &str| if what == "put" { weather } else { Weather::Fair }));
        let one = slow(&store, |what, name| if what == "put" && name.starts_with("lease") { [0, 25] } else { [0, 0] });
        take(&one, "ada", 0).await.unwrap();
        assert_eq!(one.lease.surely(), None, "{sort:?} {weather:?}: the store has to be asked");
    }
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_is_stopped_in_the_middle_loses_no_record_and_can_go_on() {
    // Stopped before the segment arrived, and before its answer did.
    for (sort, pace) in SORTS.into_iter().flat_map(|sort| [[5, 0], [0, 5]].map(|pace| (sort, pace))) {
        let store = begun(sort).await;
        let pace: Pace = if pace[0] > 0 {
            |what, name| if what == "put" && name.ends_with("00000002.log") { [5, 0] } else { [0, 0] }
        } else {
            |what, name| if what == "put" && name.ends_with("00000002.log") { [0, 5] } else { [0, 0] }
        };
        let one = slow(&store, pace);
        take(&one, "ada", 0).await.unwrap();
        one.load().await.unwrap();
        write(&one, &[begin(&first())]).await.unwrap();
        let stopped = tokio::time::timeout(Duration::from_secs(1), write(&one, &[put("jobs.a", "x")])).await;
        assert!(stopped.is_err(), "{sort:?}: it was not in the middle");
        one.flush_pending().await.expect("it is its own");
        write(&one, &[put("jobs.b", "x")]).await.unwrap();
        one.give_back().await;
        assert_eq!(names(&keeper(&store, 0).load().await.unwrap().unwrap()), ["jobs.a", "jobs.b"], "{sort:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_cannot_be_written_end_the_run() {
    let store = begun(Locking::Tags).await;
    let one = keeper(&store, 0);
    take(&one, "ada", 0).await.unwrap();
    one.load().await.unwrap();
    write(&one, &[begin(&first())]).await.unwrap();
    let Record::Put { address, mut entry } = put("jobs.a", "x") else { panic!("it is one") };
    entry.applied = Value::map([("share", Value::Float(f64::NAN))]);
    // Nobody waits for the answer of what need not be durable at once.
    let _ = write(&one, &[Record::Put { address, entry }]).await;
    let error = write(&one, &[put("jobs.b", "x")]).await.unwrap_err();
    assert!(matches!(&error, StateError::Lost { why, .. } if why.contains("cannot hold")), "{error}");
    assert!(one.lease.surely().unwrap().is_err(), "nothing more is sent");
}

#[tokio::test(start_paused = true)]
async fn the_next_runner_comes_once_nothing_is_deleted_any_more() {
    let store = Memory::new(Locking::Tags);
    let one = keeper(&store, 0);
    take(&one, "ada", 0).await.unwrap();
    one.load().await.unwrap();
    let document = |serial: u64| {
        let text = format!("{serial} {}", "long ".repeat(2000));
        let before = Document { serial, ..first() };
        crate::state::fold(before.clone(), &[begin(&before), put("jobs.long", &text)])
    };
    for serial in 0..3 {
        one.save(&document(serial), "apply").await.unwrap();
    }
    one.give_back().await;
    let blobs = || store.names().into_iter().filter(|name| name.starts_with("blobs/")).collect::<BTreeSet<_>>();
    assert_eq!(blobs().len(), 3);

    let one = Arc::new(slow(&store, |what, name| if what == "delete" && name.starts_with("blobs/") { [5, 0] } else { [0, 0] }));
    take(&one, "ada", 0).await.unwrap();
    let found = one.load().await.unwrap().unwrap();
    write(&one, &[begin(&found)]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(blobs().len(), 3, "what is to be cleared away is on its way");
    let leaving = tokio::spawn(async move { one.give_back().await });
    let next = keeper(&store, 0);
    take(&next, "bob", 60).await.unwrap();
    let there = blobs();
    leaving.await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(blobs(), there, "nothing was taken from under the next one");
    assert_eq!(there.len(), 2);
}
