//! A shared state in trouble: stores that refuse, runners that sleep, readers that come while somebody saves. Time is made.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::Remote;
use super::keeper::Keeper;
use super::memory::{Memory, Weather};
use super::objects::Locking;
use super::tests::{SORTS, begin, first, info, keeper, mix, names, put, settings, take, write};
use crate::model::Outside;
use crate::state::{Document, Flush, StateError, Store as _, Waiting};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A store that fails for requests of this sort until so many seconds have passed.
fn fails(store: &Memory, what: &'static str, name: &'static str, until: u64) -> Memory {
    let begun = Instant::now();
    store.under(Arc::new(move |_, asked: &str, of: &str| {
        let hit = asked == what && of.starts_with(name) && begun.elapsed() < seconds(until);
        if hit { Weather::Before } else { Weather::Fair }
    }))
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_written_ends_the_wait() {
    for sort in SORTS {
        let store = Memory::new(sort);
        let reader = keeper(&fails(&store, "put", "", 1_000_000), 0);
        let begun = Instant::now();
        let error = take(&reader, "ada", 600).await.unwrap_err();
        assert!(matches!(&error, StateError::Store { verb: "locked", .. }), "{error}");
        assert!(begun.elapsed() < seconds(20), "{:?}", begun.elapsed());
    }
}

/// The table of docs/guides/shared-state.md.
#[tokio::test(start_paused = true)]
async fn a_lease_that_nobody_renews_is_taken_over_when_the_guide_says() {
    for sort in SORTS {
        for (comes, behind, wait, after) in [
            (5_i64, 0, 0, None),
            (5, 0, 600, Some(55..=57)),
            (61, 0, 0, Some(20..=22)),
            (61, 0, 600, Some(20..=22)),
            (5, 3600, 600, Some(60..=62)),
            (500, 3600, 0, None),
        ] {
            let store = Memory::new(sort);
            // A keeper's clock begins with it.
            take(&keeper(&store, 0), "ada", 0).await.unwrap();
            tokio::time::sleep(seconds(comes.unsigned_abs())).await;
            let begun = Instant::now();
            let taken = take(&keeper(&store, comes - behind), "bob", wait).await;
            match after {
                None => {
                    assert!(matches!(taken, Err(StateError::Locked { .. })), "{sort:?} {comes} {behind} {wait}");
                    assert!(begun.elapsed() < seconds(1));
                }
                Some(after) => {
                    taken.unwrap().expect("it was ada's");
                    assert!(after.contains(&begun.elapsed().as_secs()), "{sort:?} {comes} {behind} {wait}: {:?}", begun.elapsed());
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_while_the_journal_cannot_be_written() {
    for sort in SORTS {
        let store = Memory::new(sort);
        let one = keeper(&store, 0);
        take(&one, "ada", 0).await.unwrap();
        one.load().await.unwrap();
        one.save(&first(), "apply").await.unwrap();
        one.lease.release(&*one.objects).await;

        let one = Arc::new(keeper(&fails(&store, "put", "journal/", 50), 0));
        take(&one, "ada", 0).await.unwrap();
        one.load().await.unwrap();
        let tasks = [tokio::spawn(Arc::clone(&one).go_on_renewing()), tokio::spawn(Arc::clone(&one).go_on_writing())];
        one.waiting().push(begin(&first()));
        let slow = Arc::clone(&one);
        let writing = tokio::spawn(async move { write(&slow, &[put("jobs.a", "x")]).await });
        tokio::time::sleep(seconds(5)).await;
        let next = keeper(&store, 0);
        assert!(matches!(take(&next, "bob", 40).await, Err(StateError::Locked { .. })), "{sort:?}: it was renewed");
        writing.await.unwrap().expect("it is tried again for as long as a lease stands");
        assert_eq!(names(&next.load().await.unwrap().unwrap()), ["jobs.a"]);
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_written_for_a_whole_term_ends_the_run() {
    let store = Memory::new(Locking::Tags);
    // After a while the credentials run out: nothing can be written any more, the lease neither.
    let begun = Instant::now();
    let sky =
        move |_: u64, what: &str, _: &str| if what == "put" && begun.elapsed() > seconds(5) { Weather::Before } else { Weather::Fair };
    let one = Arc::new(keeper(&store.under(Arc::new(sky)), 0));
    take(&one, "ada", 0).await.unwrap();
    one.load().await.unwrap();
    one.save(&first(), "apply").await.unwrap();
    tokio::time::sleep(seconds(6)).await;
    let task = tokio::spawn(Arc::clone(&one).go_on_renewing());
    let begun = Instant::now();
    let error = write(&one, &[begin(&first())]).await.unwrap_err();
    assert!(begun.elapsed() <= seconds(90), "{:?}", begun.elapsed());
    assert!(matches!(&error, StateError::Lost { why, .. } if why.contains("the connection was refused")), "{error}");
    assert!(one.lease.surely().unwrap().is_err(), "nothing more is sent");
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_save_is_tried_again() {
    for (sort, name) in SORTS.into_iter().flat_map(|sort| ["state", "versions/", "journal/"].map(|name| (sort, name))) {
        let store = Memory::new(sort);
        let one = Arc::new(keeper(&fails(&store, "put", name, 30), 0));
        take(&one, "ada", 0).await.unwrap();
        one.load().await.unwrap();
        let beating = tokio::spawn(Arc::clone(&one).go_on_renewing());
        for serial in 0..2 {
            let document = Document { serial, ..first() };
            one.save(&document, "apply").await.unwrap_or_else(|error| panic!("{sort:?} {name}: {error}"));
            assert_eq!(keeper(&store, 0).load().await.unwrap(), Some(document), "{sort:?} {name}");
        }
        let history: Vec<u64> = one.history().await.unwrap().iter().map(|version| version.serial).collect();
        assert_eq!(history, [1, 0], "{sort:?} {name}: that of the first save was made up for");
        beating.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_while_somebody_saves_sees_one_document_or_the_next() {
    for sort in SORTS {
        let store = Memory::new(sort);
        let one = keeper(&store, 0);
        take(&one, "ada", 0).await.unwrap();
        let reading: Vec<_> = (0..6)
            .map(|_| {
                let reader = keeper(&store, 0);
                tokio::spawn(async move {
                    let mut seen = 0;
                    for _ in 0..150 {
                        let serial = reader.load().await.unwrap().map_or(0, |document| document.serial);
                        assert!(serial >= seen, "{sort:?}: {serial} after {seen}");
                        seen = serial;
                    }
                    seen
                })
            })
            .collect();
        one.load().await.unwrap();
        let mut serial = 0;
        while reading.iter().any(|task| !task.is_finished()) {
            one.save(&Document { serial, ..first() }, "apply").await.unwrap();
            serial += 1;
            assert!(serial < 100_000, "they never end");
        }
        for task in reading {
            assert!(task.await.unwrap() > 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_slept_asks_before_it_goes_on() {
    for sort in SORTS {
        let store = Memory::new(sort);
        let sleeper = keeper(&store, 0);
        take(&sleeper, "ada", 0).await.unwrap();
        assert_eq!(sleeper.lease.surely(), Some(Ok(())));
        tokio::time::sleep(seconds(25)).await;
        assert_eq!(sleeper.lease.surely(), None, "it has to ask");
        sleeper.lease.ensure(&*sleeper.objects).await.expect("nobody came");
        tokio::time::sleep(seconds(3600)).await;
        sleeper.lease.ensure(&*sleeper.objects).await.expect("nobody came, however long it was");
        // Now somebody comes.
        let next = keeper(&store, 0);
        take(&next, "bob", 600).await.unwrap().expect("it was ada's");
        let why = sleeper.lease.ensure(&*sleeper.objects).await.unwrap_err();
        assert!(why.contains("bob took it over"), "{why}");
        assert!(sleeper.lease.surely().unwrap().is_err());
    }
}

/// Runners live on beside each other, each with its heartbeat; each is cut off from the store now and then. From the moment
/// that one was told that its record is durable, nobody who came before it is ever told so again.
#[test]
fn of_runners_that_live_side_by_side_the_last_to_take_over_is_the_only_one_that_writes() {
    for seed in 0..120u64 {
        let sort = SORTS[usize::try_from(seed % 2).unwrap()];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(side_by_side(seed, sort));
    }
}

async fn side_by_side(seed: u64, sort: Locking) {
    let store = Memory::new(sort);
    let maker = keeper(&store, 0);
    take(&maker, "maker", 0).await.unwrap();
    maker.load().await.unwrap();
    maker.save(&first(), "apply").await.unwrap();
    maker.lease.release(&*maker.objects).await;
    let told: Arc<Mutex<Vec<(u64, String)>>> = Arc::default();
    let runners: Vec<_> = (0..4).map(|number| tokio::spawn(runner(seed, number, store.clone(), Arc::clone(&told)))).collect();
    for task in runners {
        task.await.unwrap();
    }
    let told = std::mem::take(&mut *told.lock().unwrap());
    let mut order: Vec<u64> = told.iter().map(|(epoch, _)| *epoch).collect();
    order.dedup();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(order.len(), sorted.len(), "seed {seed}: two wrote in turns: {told:?}");
    let document = keeper(&store, 0).load().await.unwrap().unwrap();
    for (_, name) in &told {
        assert!(names(&document).contains(name), "seed {seed}: {name} was confirmed and is gone");
    }
}

async fn runner(seed: u64, number: u64, store: Memory, told: Arc<Mutex<Vec<(u64, String)>>>) {
    let dice = move |turn: u64, of: u64| mix(seed.wrapping_mul(7919) ^ number << 32 ^ turn) % of;
    let begun = Instant::now();
    let cut = store.under(Arc::new(move |request, _: &str, _: &str| {
        // Cut off for a minute and a half in every four, each at its own time; and now and then an answer is lost.
        let minute = (begun.elapsed().as_secs() + 60 * number + dice(0, 100)) % 240;
        match (minute < 90, dice(request, 15)) {
            (true, _) => Weather::Before,
            (false, 0) => Weather::After,
            _ => Weather::Fair,
        }
    }));
    for turn in 1..4u64 {
        let one: Arc<Keeper> = Arc::new(keeper(&cut, i64::try_from(dice(turn, 7200)).unwrap() - 3600));
        if take(&one, &format!("runner {number}"), 400).await.is_err() {
            continue;
        }
        let tasks = [tokio::spawn(Arc::clone(&one).go_on_renewing()), tokio::spawn(Arc::clone(&one).go_on_writing())];
        if let Ok(Some(document)) = one.load().await {
            let mut records = vec![begin(&document)];
            for step in 0..20u64 {
                let name = format!("jobs.r{number}t{turn}s{step}");
                records.push(put(&name, "x"));
                if write(&one, &std::mem::take(&mut records)).await.is_err() {
                    break;
                }
                told.lock().unwrap().push((number * 100 + turn, name));
                tokio::time::sleep(seconds(dice(turn * 1000 + step, 12))).await;
            }
        }
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        if dice(turn + 50, 2) == 0 {
            one.lease.release(&*one.objects).await;
        }
    }
}

#[test]
fn whoever_leaves_without_a_word_gives_the_lease_back() {
    let store = Memory::new(Locking::Tags);
    let outside = Outside { system: Outside::real().unwrap().system, variables: Arc::default(), folder: "/".into() };
    let open = || Remote::new(Arc::new(store.clone()), settings(), &outside).unwrap();
    let one = open();
    one.lock(&info("ada"), Waiting::NOT).unwrap();
    one.load().unwrap();
    one.save(&first(), "apply").unwrap();
    one.append(&[begin(&first()), put("jobs.a", "x")], Flush::Later).unwrap();
    let ended = std::thread::spawn(move || {
        let _one = one;
        std::panic::resume_unwind(Box::new("a defect"));
    });
    assert!(ended.join().is_err());
    assert_eq!(open().holder(), None);
    assert_eq!(names(&open().load().unwrap().unwrap()), ["jobs.a"], "and what it knew is on record");
}

#[test]
fn what_need_not_be_durable_at_once_is_so_within_a_second() {
    let store = Memory::new(Locking::Generations);
    let outside = Outside { system: Outside::real().unwrap().system, variables: Arc::default(), folder: "/".into() };
    let one = Remote::new(Arc::new(store.clone()), settings(), &outside).unwrap();
    one.lock(&info("ada"), Waiting::NOT).unwrap();
    one.load().unwrap();
    one.save(&first(), "apply").unwrap();
    let before = store.names().len();
    one.append(&[begin(&first()), put("jobs.a", "x")], Flush::Later).unwrap();
    let begun = std::time::Instant::now();
    // The caller does something else: nothing of it is needed.
    while store.names().len() == before {
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", store.names());
        std::thread::sleep(Duration::from_millis(10));
    }
    one.unlock();
}
