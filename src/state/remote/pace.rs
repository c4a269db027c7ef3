//! How many answers of a far store an apply waits for, one after another. Time is made: each answer takes a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::keeper::Keeper;
use super::memory::Memory;
use super::objects::{Condition, Locking, Object, ObjectError, Objects, Put};
use super::tests::{begin, first, keeper_of, put, take};
use crate::client::BoxFuture;
use crate::state::Document;

const ANSWER: Duration = Duration::from_secs(1);

/// A store that is far away.
struct Far(Memory);

impl Far {
    async fn soon<T>(work: BoxFuture<'_, T>) -> T {
        tokio::time::sleep(ANSWER).await;
        work.await
    }
}

impl Objects for Far {
    fn place(&self) -> String {
        self.0.place()
    }
    fn locking(&self) -> Locking {
        self.0.locking()
    }
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Object>, ObjectError>> {
        Box::pin(Self::soon(self.0.get(name)))
    }
    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>, condition: Condition) -> BoxFuture<'a, Result<Put, ObjectError>> {
        Box::pin(Self::soon(self.0.put(name, bytes, condition)))
    }
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, ObjectError>> {
        Box::pin(Self::soon(self.0.list(prefix)))
    }
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        Box::pin(Self::soon(self.0.delete(name)))
    }
}

/// Answers waited for since the last look.
struct Watch(Instant);

impl Watch {
    fn answers(&mut self) -> u64 {
        let waited = self.0.elapsed();
        self.0 = Instant::now();
        waited.as_secs()
    }
}

/// An apply as the driver does it: `(lock, read, first save, intents, last save, give back)`.
async fn applies(keeper: &Arc<Keeper>, document: Document) -> [u64; 6] {
    let mut watch = Watch(Instant::now());
    let mut waited = [0; 6];
    take(keeper, "ada", 0).await.unwrap();
    waited[0] = watch.answers();
    Arc::clone(keeper).look_ahead(&tokio::runtime::Handle::current());
    let found = keeper.load().await.unwrap();
    waited[1] = watch.answers();
    // Meanwhile the workspace is asked, and the plan is made.
    tokio::time::sleep(ANSWER * 8).await;
    watch.answers();
    if found.is_none() {
        keeper.save(&first(), "apply").await.unwrap();
        waited[2] = watch.answers();
    }
    keeper.waiting().push(begin(&found.unwrap_or_else(first)));
    keeper.flush_pending().await.unwrap();
    assert!(keeper.may_send().await.is_ok());
    waited[3] = watch.answers();
    // Steps are carried out; old versions are cleared away.
    tokio::time::sleep(ANSWER * 6).await;
    watch.answers();
    keeper.waiting().push(put("jobs.a", "x"));
    keeper.save(&document, "apply").await.unwrap();
    waited[4] = watch.answers();
    keeper.give_back().await;
    waited[5] = watch.answers();
    waited
}

#[tokio::test(start_paused = true)]
async fn an_apply_waits_for_few_answers_of_its_store_one_after_another() {
    let one = || keeper_of(Arc::new(Far(Memory::new(Locking::Tags))), 0);
    let keeper = Arc::new(one());
    let document = |serial: u64| {
        // Long text: it goes beside the rest.
        let text = format!("{serial} {}", "long ".repeat(2000));
        crate::state::fold(Document { serial, ..first() }, &[put("jobs.long", &text)])
    };
    assert_eq!(applies(&keeper, document(1)).await, [2, 2, 1, 1, 2, 1], "the first apply");
    // What is to be cleared away goes while the apply goes on: three versions are kept.
    for serial in 2..6 {
        assert_eq!(applies(&keeper, document(serial)).await, [2, 2, 0, 1, 2, 1], "serial {serial}");
    }
    let kept: Vec<u64> = keeper.history().await.unwrap().iter().map(|version| version.serial).collect();
    assert_eq!(kept, [5, 4, 3]);
}
