use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

mod again;
mod begun;

use super::{ApplyError, Event, Outcome, Report, Session, apply};
use crate::client::{BoxFuture, Client, Options, Request, RequestBody, Response, Transport, TransportError};
use crate::kinds::{Call, Identity, Kind, Lifetime, Natural, Registry, Repeat, Request as KindRequest, Unique};
use crate::model::{Address, Deferred, Map, Outside, Path, Reference, Value, json};
use crate::plan::{Action, Plan, Step};
use crate::state::{Document, Entry, Flush, LockInfo, Note, Record, StateError, Status, Store, Version, Waiting, WorkspaceIdentity, fold};

static JOBS: Kind = Kind {
    name: "jobs",
    singular: "job",
    create: Some(KindRequest::bare("jobs.jobs.create")),
    delete: Some(KindRequest::bare("jobs.jobs.delete")),
    identity: Identity::Assigned("job_id"),
    natural: Natural { fields: &["name"], unique: Unique::No },
    ..Kind::PLAIN
};

static CONF: Kind =
    Kind { name: "conf", singular: "setting", identity: Identity::Single("workspace"), lifetime: Lifetime::Setting, ..Kind::PLAIN };

type Answer = dyn Fn(&Request) -> (u16, String) + Send + Sync;

/// A workspace of one function; what it was asked is in the log it shares with the store.
struct Scripted {
    answer: Box<Answer>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Transport for Scripted {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let body = if let RequestBody::Json(body) = &request.body { body.as_str() } else { "" };
            self.log.lock().unwrap().push(format!("{} {body}", request.path.rsplit('/').next().unwrap()));
            if body.contains("slow") {
                std::future::pending::<()>().await;
            }
            tokio::task::yield_now().await;
            let (status, body) = (self.answer)(&request);
            let headers = vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("date".to_owned(), "Sat, 21 Nov 2026 08:00:00 GMT".to_owned()),
                ("x-request-id".to_owned(), "r-1".to_owned()),
            ];
            Ok(Response { status, headers, body: body.into_bytes() })
        })
    }

    fn host(&self) -> &'static str {
        "test"
    }
}

/// A state in memory that counts flushes and fails when told.
#[derive(Default)]
struct Memory {
    log: Arc<Mutex<Vec<String>>>,
    document: Mutex<Option<Document>>,
    journal: Mutex<Vec<Record>>,
    flushes: AtomicU64,
    full_after: Option<usize>,
}

impl Store for Memory {
    fn place(&self) -> String {
        "memory".to_owned()
    }
    fn load(&self) -> Result<Option<Document>, StateError> {
        Ok(self.document.lock().unwrap().clone().map(|d| fold(d, &self.journal.lock().unwrap())))
    }
    fn lock(&self, _: &LockInfo, _: Waiting<'_>) -> Result<Option<LockInfo>, StateError> {
        Ok(None)
    }
    fn unlock(&self) {}
    fn holder(&self) -> Option<LockInfo> {
        None
    }
    fn append(&self, records: &[Record], flush: Flush) -> Result<(), StateError> {
        let mut journal = self.journal.lock().unwrap();
        if self.full_after.is_some_and(|n| journal.len() + records.len() > n) {
            return Err(StateError::Io { place: self.place(), verb: "written", why: "no space".to_owned() });
        }
        self.flushes.fetch_add(u64::from(flush == Flush::Now), Ordering::Relaxed);
        for record in records {
            self.log.lock().unwrap().push(match record {
                Record::Begin { .. } => "begin".to_owned(),
                Record::Intent { address, .. } => format!("intent {address}"),
                Record::Withdrawn { address } => format!("withdrawn {address}"),
                Record::Put { address, entry } => format!("put {address} {} {:?} deposed {:?}", entry.id, entry.status, entry.deposed),
                Record::Removed { address } => format!("removed {address}"),
                Record::Moved { moves } => moves.iter().map(|(a, b)| format!("moved {a} {b}")).collect::<Vec<_>>().join(" "),
                Record::End => "end".to_owned(),
            });
        }
        journal.extend(records.iter().cloned());
        Ok(())
    }
    fn save(&self, document: &Document, by: &str) -> Result<(), StateError> {
        self.log.lock().unwrap().push(format!("saved {} by {by}", document.serial));
        *self.document.lock().unwrap() = Some(document.clone());
        self.journal.lock().unwrap().clear();
        Ok(())
    }
    fn annotate(&self, _: Note) {}
    fn kept(&self, _: u64) -> Result<Option<Document>, StateError> {
        Ok(None)
    }
    fn history(&self) -> Result<Vec<Version>, StateError> {
        Ok(vec![])
    }
}

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn entry(kind: &str, id: &str, applied: Value) -> Entry {
    Entry {
        kind: kind.to_owned(),
        id: id.to_owned(),
        status: Status::Ok,
        applied,
        former: None,
        etag: None,
        protected: false,
        adopted: false,
        dependencies: vec![],
        tag: None,
        deposed: vec![],
        made_by: None,
    }
}

fn step(at: &str, action: Action, after: &[&str], calls: Vec<Call>, entry: Option<Entry>) -> Step {
    Step {
        address: address(at),
        kind: address(at).kind,
        action,
        because: None,
        id: None,
        name: at.to_owned(),
        link: None,
        moved_from: None,
        changes: vec![],
        forces: vec![],
        loses: None,
        unmanaged: vec![],
        calls,
        delete_calls: vec![],
        after: after.iter().map(|a| address(a)).collect(),
        blocks: vec![],
        notes: vec![],
        entry,
        desired: None,
        live: None,
        wait: false,
        seen: None,
    }
}

fn body(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

fn call(op: &'static str, json: &str) -> Call {
    let repeat = if op.ends_with("create") { Repeat::AfterLookup } else { Repeat::Safe };
    Call { op, path: Map::new(), query: Map::new(), body: Some(body(json)), why: op.rsplit('.').next().unwrap(), repeat }
}

fn create(at: &str, after: &[&str]) -> Step {
    let json = format!(r#"{{"name":"{at}"}}"#);
    let made = Some(entry("jobs", "", body(&json)));
    Step { desired: Some(body(&json)), ..step(at, Action::Create, after, vec![call("jobs.jobs.create", &json)], made) }
}

fn document(resources: Vec<(&str, Entry)>) -> Document {
    Document {
        lineage: "l".to_owned(),
        serial: 4,
        project: "p".to_owned(),
        environment: "dev".to_owned(),
        workspace: None,
        commit: None,
        pinned: None,
        resources: resources.into_iter().map(|(a, e)| (address(a), e)).collect(),
        open_intents: BTreeMap::new(),
    }
}

/// A workspace that gives jobs ids from 100 and does everything else; refuses bodies that name `bad`.
fn jobs() -> Box<Answer> {
    let next = AtomicU64::new(100);
    Box::new(move |request| {
        let RequestBody::Json(body) = &request.body else { panic!() };
        if body.contains("bad") {
            return (400, r#"{"error_code":"INVALID_PARAMETER_VALUE","message":"bad is bad"}"#.to_owned());
        }
        if body.contains("gone") {
            return (404, r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"gone"}"#.to_owned());
        }
        if request.path.ends_with("create") {
            (200, format!(r#"{{"job_id":{}}}"#, next.fetch_add(1, Ordering::Relaxed)))
        } else {
            (200, "{}".to_owned())
        }
    })
}

struct Ran {
    report: Result<Report, ApplyError>,
    log: Vec<String>,
    events: Vec<String>,
    store: Memory,
}

impl Ran {
    fn report(&self) -> &Report {
        self.report.as_ref().expect("it ran")
    }

    /// `address: done|failed: message|skipped: because` of each result.
    fn outcomes(&self) -> Vec<String> {
        let text = |outcome: &Outcome| match outcome {
            Outcome::Done => "done".to_owned(),
            Outcome::Failed(failure) => format!("failed: {}", failure.message),
            Outcome::Skipped { because } => format!("skipped: {because}"),
        };
        self.report().results.iter().map(|r| format!("{}: {}", r.address, text(&r.outcome))).collect()
    }
}

async fn run_with(
    mut steps: Vec<Step>,
    state: Document,
    answer: Box<Answer>,
    store: Memory,
    parallelism: usize,
    stop_on: Option<(&str, u8)>,
) -> Ran {
    steps.sort_by(|a, b| a.address.cmp(&b.address));
    let plan = Plan {
        environment: "dev".to_owned(),
        project: "p".to_owned(),
        workspace: WorkspaceIdentity { host: "test".to_owned(), id: "1".to_owned() },
        lineage: state.lineage.clone(),
        serial: state.serial,
        state_place: store.place(),
        destroy: false,
        steps,
        blocks: vec![],
        warnings: vec![],
        requests: 0,
        refreshed: true,
        left_out: 0,
        lifted: BTreeSet::new(),
        pinning: crate::plan::Pinning::Stays,
    };
    let outside = Outside::real().unwrap();
    let log = Arc::clone(&store.log);
    let client = Client::new(Arc::new(Scripted { answer, log: Arc::clone(&log) }), None, &outside, Options::default());
    let (events, stop) = (Mutex::new(vec![]), Arc::new(AtomicU8::new(0)));
    let registry = Registry::standard();
    let registry = [&JOBS, &CONF].into_iter().filter(|k| registry.get(k.name).is_none()).fold(registry.clone(), Registry::with);
    let report = apply(
        &plan,
        Session {
            client: &client,
            store: &store,
            state,
            registry: &registry,
            outside: &outside,
            parallelism,
            caller: "ada".to_owned(),
            commit: Some("c0ffee".to_owned()),
            operation: if plan.destroy { "destroy" } else { "apply" },
            stop: Arc::clone(&stop),
            events: &|event| {
                let text = match event {
                    Event::Started { address, .. } => format!("started {address}"),
                    Event::Waiting { address, state } => format!("waiting {address} {state}"),
                    Event::Ended(result) => format!("ended {}", result.address),
                };
                if let Some((_, level)) = stop_on.filter(|(on, _)| *on == text) {
                    stop.store(level, Ordering::Relaxed);
                }
                events.lock().unwrap().push(text);
            },
        },
    )
    .await;
    let log = log.lock().unwrap().clone();
    Ran { report, log, events: events.into_inner().unwrap(), store }
}

async fn run(steps: Vec<Step>, state: Document, parallelism: usize) -> Ran {
    run_with(steps, state, jobs(), Memory::default(), parallelism, None).await
}

#[tokio::test]
async fn a_ready_set_has_its_intents_on_record_before_any_of_its_creates() {
    let ran = run(vec![create("jobs.a", &[]), create("jobs.b", &[]), create("jobs.c", &["jobs.a"])], document(vec![]), 1).await;
    assert_eq!(ran.outcomes(), ["jobs.a: done", "jobs.b: done", "jobs.c: done"]);
    assert_eq!(
        ran.log,
        [
            "begin",
            "intent jobs.a",
            "intent jobs.b",
            r#"create {"name":"jobs.a"}"#,
            "put jobs.a 100 Ok deposed []",
            "intent jobs.c",
            r#"create {"name":"jobs.b"}"#,
            "put jobs.b 101 Ok deposed []",
            r#"create {"name":"jobs.c"}"#,
            "put jobs.c 102 Ok deposed []",
            "end",
            "saved 5 by apply",
        ]
    );
    assert_eq!(ran.events, ["started jobs.a", "ended jobs.a", "started jobs.b", "ended jobs.b", "started jobs.c", "ended jobs.c"]);
    let state = &ran.report().state;
    assert_eq!((state.serial, state.commit.as_deref(), state.open_intents.len()), (5, Some("c0ffee"), 0));
    assert_eq!(state.workspace, Some(WorkspaceIdentity { host: "test".to_owned(), id: "1".to_owned() }));
    assert_eq!(state.resources[&address("jobs.c")].id, "102");
    assert_eq!(ran.report().requests, 3);
    assert_eq!(ran.report().results[2].id.as_deref(), Some("102"));
}

#[tokio::test]
async fn a_failure_stops_only_what_needs_it_and_says_what_happened() {
    let ran = run(
        vec![create("jobs.bad", &[]), create("jobs.c", &["jobs.bad"]), create("jobs.d", &["jobs.c"]), create("jobs.e", &[])],
        document(vec![]),
        4,
    )
    .await;
    assert_eq!(
        ran.outcomes(),
        [
            "jobs.bad: failed: jobs.bad: create failed: 400 INVALID_PARAMETER_VALUE: bad is bad",
            "jobs.c: skipped: needs jobs.bad",
            "jobs.d: skipped: needs jobs.bad",
            "jobs.e: done"
        ]
    );
    assert!(ran.log.contains(&"withdrawn jobs.bad".to_owned()));
    let Outcome::Failed(failure) = &ran.report().results[0].outcome else { panic!() };
    assert!(failure.help[0].contains("r-1") && failure.help.iter().any(|h| h.starts_with("apply again")), "{:?}", failure.help);
    let state = &ran.report().state;
    assert_eq!((state.resources.len(), state.open_intents.len()), (1, 0));
}

#[tokio::test]
async fn an_update_cut_in_the_middle_keeps_what_was_owned_before() {
    let old = entry("jobs", "7", body(r#"{"name":"a","tags":{"x":"1"},"max_concurrent_runs":2}"#));
    let new = entry("jobs", "7", body(r#"{"name":"b"}"#));
    let calls = vec![call("jobs.jobs.update", r#"{"job_id":7}"#), call("jobs.jobs.update", r#"{"job_id":7,"why":"bad"}"#)];
    let update = Step { id: Some("7".to_owned()), ..step("jobs.a", Action::Update, &[], calls, Some(new)) };
    let ran = run(vec![update], document(vec![("jobs.a", old)]), 4).await;
    let left = &ran.report().state.resources[&address("jobs.a")];
    assert_eq!(left.status, Status::Incomplete);
    assert_eq!(left.applied, body(r#"{"name":"b","tags":{"x":"1"},"max_concurrent_runs":2}"#));
}

#[tokio::test]
async fn what_is_gone_already_is_deleted() {
    let delete = |at, id: &str| step(at, Action::Delete, &[], vec![call("jobs.jobs.delete", &format!(r#"{{"job_id":"{id}"}}"#))], None);
    let state = document(vec![("jobs.a", entry("jobs", "gone", Value::Null)), ("jobs.b", entry("jobs", "bad", Value::Null))]);
    let ran = run(vec![delete("jobs.a", "gone"), delete("jobs.b", "bad")], state, 1).await;
    assert_eq!(ran.outcomes(), ["jobs.a: done", "jobs.b: failed: jobs.b: delete failed: 400 INVALID_PARAMETER_VALUE: bad is bad"]);
    assert_eq!(ran.report().state.resources.keys().map(ToString::to_string).collect::<Vec<_>>(), ["jobs.b"]);
}

#[tokio::test]
async fn a_replacement_puts_its_intent_on_record_once_the_old_object_is_gone() {
    let mut replace = create("jobs.a", &[]);
    replace.action = Action::Replace;
    replace.id = Some("7".to_owned());
    replace.delete_calls = vec![call("jobs.jobs.delete", r#"{"job_id":7}"#)];
    let ran = run(vec![replace], document(vec![("jobs.a", entry("jobs", "7", Value::Null))]), 4).await;
    assert_eq!(
        ran.log[1..6],
        [r#"delete {"job_id":7}"#, "removed jobs.a", "intent jobs.a", r#"create {"name":"jobs.a"}"#, "put jobs.a 100 Ok deposed []"]
    );
}

#[tokio::test]
async fn the_new_one_first_keeps_the_old_id_until_it_is_deleted() {
    let replace = |old: &str| {
        let mut replace = create("jobs.a", &[]);
        replace.action = Action::ReplaceNewFirst;
        replace.id = Some(old.to_owned());
        replace.delete_calls = vec![call("jobs.jobs.delete", &format!(r#"{{"job_id":"{old}"}}"#))];
        replace
    };
    let ran = run(vec![replace("7")], document(vec![("jobs.a", entry("jobs", "7", Value::Null))]), 4).await;
    assert_eq!(
        ran.log[1..6],
        [
            "intent jobs.a",
            r#"create {"name":"jobs.a"}"#,
            "put jobs.a 100 Incomplete deposed [\"7\"]",
            r#"delete {"job_id":7}"#,
            "put jobs.a 100 Ok deposed []"
        ]
    );
    let ran = run(vec![replace("bad")], document(vec![("jobs.a", entry("jobs", "bad", Value::Null))]), 4).await;
    let left = &ran.report().state.resources[&address("jobs.a")];
    assert_eq!((left.id.as_str(), left.status, left.deposed.as_slice()), ("100", Status::Incomplete, &["bad".to_owned()][..]));
}

#[tokio::test]
async fn what_a_setting_held_is_on_record_before_it_is_touched() {
    let mut first = entry("conf", "workspace", body(r#"{"x":"true"}"#));
    first.former = Some(body(r#"{"x":"false"}"#));
    let update = step("conf.main", Action::Update, &[], vec![call("settings.workspace_conf.set_status", r#"{"x":"true"}"#)], Some(first));
    let ran = run(vec![update], document(vec![]), 4).await;
    assert_eq!(
        ran.log[1..4],
        ["put conf.main workspace Incomplete deposed []", r#"workspace-conf {"x":"true"}"#, "put conf.main workspace Ok deposed []"]
    );
    assert_eq!(ran.store.flushes.load(Ordering::Relaxed), 1);
    // Put back and forgotten: an update without an entry.
    let back = step("conf.main", Action::Update, &[], vec![call("settings.workspace_conf.set_status", r#"{"x":"false"}"#)], None);
    let ran = run(vec![back], ran.report().state.clone(), 4).await;
    assert!(ran.report().state.resources.is_empty());
}

#[tokio::test]
async fn moves_adoptions_and_forgetting_send_nothing() {
    let state = document(vec![
        ("jobs.a", entry("jobs", "1", Value::Null)),
        ("jobs.b", entry("jobs", "2", Value::Null)),
        ("jobs.c", entry("jobs", "3", Value::Null)),
    ]);
    let moved = |from: &str, to: &str, id: &str| Step {
        moved_from: Some(address(from)),
        id: Some(id.to_owned()),
        ..step(to, Action::Move, &[], vec![], Some(entry("jobs", id, Value::Null)))
    };
    let adopt = Step {
        id: Some("9".to_owned()),
        ..step("jobs.d", Action::Adopt, &[], vec![], Some(Entry { adopted: true, ..entry("jobs", "9", Value::Null) }))
    };
    let ran = run(
        vec![moved("jobs.a", "jobs.b", "1"), moved("jobs.b", "jobs.a", "2"), step("jobs.c", Action::Forget, &[], vec![], None), adopt],
        state,
        2,
    )
    .await;
    assert_eq!(ran.report().requests, 0);
    let ids: Vec<String> = ran.report().state.resources.iter().map(|(a, e)| format!("{a}={}", e.id)).collect();
    assert_eq!(ids, ["jobs.a=2", "jobs.b=1", "jobs.d=9"]);
    assert_eq!(ran.log[1], "moved jobs.b jobs.a moved jobs.a jobs.b");
}

#[tokio::test]
async fn a_plan_that_changes_nothing_writes_nothing() {
    let there = entry("jobs", "1", Value::Null);
    let none = Step { id: Some("1".to_owned()), ..step("jobs.a", Action::None, &[], vec![], Some(there.clone())) };
    let ran = run(vec![none.clone()], document(vec![("jobs.a", there.clone())]), 2).await;
    assert_eq!((ran.log, ran.report.unwrap().state.serial), (vec![], 4));
    // The same object, but the state does not know yet that it is wanted so.
    let ran = run(vec![none], document(vec![("jobs.a", Entry { applied: Value::Bool(true), ..there })]), 2).await;
    assert_eq!(ran.log, ["begin", "put jobs.a 1 Ok deposed []", "end", "saved 5 by apply"]);
    assert!(ran.report().results.is_empty() && ran.events.is_empty());
}

#[tokio::test]
async fn stopping_once_finishes_what_is_in_flight_and_saves() {
    let steps = vec![create("jobs.a", &[]), create("jobs.b", &[]), create("jobs.c", &["jobs.a"])];
    let ran = run_with(steps, document(vec![]), jobs(), Memory::default(), 1, Some(("started jobs.a", 1))).await;
    assert_eq!(ran.outcomes(), ["jobs.a: done", "jobs.b: skipped: interrupted", "jobs.c: skipped: interrupted"]);
    assert!(ran.report().interrupted);
    assert!(ran.log.contains(&"withdrawn jobs.b".to_owned()) && ran.log.ends_with(&["saved 5 by apply".to_owned()]), "{:?}", ran.log);
    assert!(ran.report().state.open_intents.is_empty());
}

#[tokio::test]
async fn stopping_twice_leaves_the_intent_of_what_was_in_flight_open() {
    let ran = run_with(
        vec![create("jobs.slow", &[]), create("jobs.t", &[])],
        document(vec![]),
        jobs(),
        Memory::default(),
        1,
        Some(("started jobs.slow", 2)),
    )
    .await;
    assert!(ran.outcomes()[0].starts_with("jobs.slow: failed: jobs.slow was stopped"), "{:?}", ran.outcomes());
    assert_eq!(ran.outcomes()[1], "jobs.t: skipped: interrupted");
    assert_eq!(ran.report().state.open_intents.keys().collect::<Vec<_>>(), [&address("jobs.slow")], "{:?}", ran.log);
}

#[tokio::test]
async fn nothing_is_created_when_its_intent_cannot_be_put_on_record() {
    let store = Memory { full_after: Some(1), ..Memory::default() };
    let ran = run_with(vec![create("jobs.a", &[]), create("jobs.b", &["jobs.a"])], document(vec![]), jobs(), store, 4, None).await;
    assert!(ran.outcomes()[0].contains("the journal cannot be written"), "{:?}", ran.outcomes());
    assert_eq!(ran.report().requests, 0);
    // The intent is on record, its result is not: the step fails, but the end of the run saves what is known.
    let store = Memory { full_after: Some(2), ..Memory::default() };
    let ran = run_with(vec![create("jobs.a", &[]), create("jobs.b", &["jobs.a"])], document(vec![]), jobs(), store, 4, None).await;
    assert!(ran.outcomes()[0].contains("could not be put on record"), "{:?}", ran.outcomes());
    assert_eq!(ran.outcomes()[1], "jobs.b: skipped: the journal cannot be written");
    assert_eq!(ran.report().state.resources[&address("jobs.a")].id, "100");
}

#[tokio::test]
async fn a_blocked_or_stale_plan_sends_nothing() {
    let mut blocked = create("jobs.a", &[]);
    blocked.blocks.push(crate::plan::Block { guard: "exists", reason: String::new(), remedy: vec![] });
    let ran = run(vec![blocked], document(vec![]), 1).await;
    assert!(matches!(ran.report, Err(ApplyError::Blocked)) && ran.log.is_empty());
}

#[tokio::test]
async fn ids_of_earlier_steps_are_filled_in_with_the_type_of_the_field() {
    let reference = |path: &str| {
        let reference = Reference { address: address("jobs.a"), path: path.parse::<Path>().unwrap() };
        Value::Unknown(Arc::new(Deferred::of(reference)))
    };
    let task = |value: Value| {
        Value::map([(
            "tasks",
            Value::List(vec![Value::map([("task_key", "t".into()), ("run_job_task", Value::map([("job_id", value)]))])]),
        )])
    };
    let mut second = create("jobs.b", &["jobs.a"]);
    second.calls[0].body =
        Some(Value::map([("description", reference("id")), ("tasks", task(reference("id")).get("tasks").unwrap().clone())]));
    second.entry = Some(entry("jobs", "", task(reference("id"))));
    second.desired = Some(task(reference("id")));
    let ran = run(vec![create("jobs.a", &[]), second], document(vec![]), 4).await;
    assert_eq!(ran.outcomes(), ["jobs.a: done", "jobs.b: done"]);
    let sent = r#"create {"description":"100","tasks":[{"task_key":"t","run_job_task":{"job_id":100}}]}"#;
    assert!(ran.log.contains(&sent.to_owned()), "{:?}", ran.log);
    assert_eq!(ran.report().state.resources[&address("jobs.b")].applied, task(Value::Int(100)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_creates_are_one_flush() {
    let steps: Vec<Step> = (0..2000).map(|n| create(&format!("jobs.j{n:04}"), &[])).collect();
    let ran = run(steps, document(vec![]), 64).await;
    assert_eq!(ran.report().results.iter().filter(|r| r.outcome == Outcome::Done).count(), 2000);
    assert_eq!(ran.report().state.resources.len(), 2000);
    assert_eq!(ran.store.flushes.load(Ordering::Relaxed), 1);
}
