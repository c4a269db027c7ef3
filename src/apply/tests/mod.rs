//! A scripted workspace and a state in memory: steps made by hand, carried out, and what was recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

mod again;
mod begun;
mod far;
mod runs;
mod steps;

use super::{ApplyError, Event, Outcome, Report, Session, apply};
use crate::client::{BoxFuture, Client, Options, Request, RequestBody, Response, Transport, TransportError};
use crate::kinds::{Call, Identity, Kind, Lifetime, Natural, Registry, Repeat, Request as KindRequest, Unique};
use crate::model::{Address, Deferred, Map, Outside, Path, Reference, Value, json};
use crate::plan::{Action, Plan, Step};
use crate::state::{
    Appending, Document, Entry, Flush, LockInfo, Note, Record, StateError, Status, Store, Version, Waiting, WorkspaceIdentity, fold,
};

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
    far: Option<Far>,
}

/// What becomes of records that are on their way for a while.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Far {
    Writes,
    Fails,
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
    fn begin_append(&self, records: &[Record]) -> Appending {
        let Some(far) = self.far else { return Appending::Done(self.append(records, Flush::Now)) };
        let before = self.log.lock().unwrap().len();
        self.append(records, Flush::Now).unwrap();
        let (log, place) = (Arc::clone(&self.log), self.place());
        Appending::UnderWay(Box::pin(async move {
            let written = log.lock().unwrap()[before..].to_vec();
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            if far == Far::Fails {
                return Err(StateError::Lost { place, why: "somebody took it".to_owned() });
            }
            log.lock().unwrap().extend(written.iter().map(|line| format!("durable {line}")));
            Ok(())
        }))
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
        called: None,
        before: None,
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
        kept: vec![],
        forces: vec![],
        loses: None,
        unmanaged: vec![],
        uncompared: vec![],
        goes: std::collections::BTreeMap::new(),
        calls,
        delete_calls: vec![],
        after: after.iter().map(|a| address(a)).collect(),
        delete_after: vec![],
        halves: crate::plan::Halves::Together,
        blocks: vec![],
        templated: vec![],
        notes: vec![],
        takes: vec![],
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
        known_commit: None,
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
            Outcome::Halfway { done, because } => format!("{done:?} only: {because}"),
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
        looked_ahead: None,
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
