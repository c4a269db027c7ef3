//! A small world for tests: a project on disk, the embedded workspace in memory, a state, and the whole way through the
//! library: load, lookups, resolve, refresh, plan, apply. Requests are recorded, and may be struck.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path as FilePath;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use brickform::apply::{self, ApplyError, Outcome, Report};
use brickform::client::{ApiError, BoxFuture, Client, Options, Request, RequestBody, Response, Transport, TransportError};
use brickform::diagnostic::Diagnostic;
use brickform::kinds::Registry;
use brickform::local::{LocalOptions, LocalWorkspace};
use brickform::model::{CommandOutput, Outside, Path, StateKey, System, Value, json};
use brickform::plan::{self, Plan};
use brickform::project::{self, Ask};
use brickform::refresh;
use brickform::report;
use brickform::state::{self, Document, Local, StateError, Store, WorkspaceIdentity};

/// The name of the environment.
pub const ENVIRONMENT: &str = "test";

/// What was asked of the workspace, and what it answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// As it went over the wire.
    pub request: Request,
    /// The body, if it was JSON.
    pub body: Option<Value>,
    /// The status; none where the connection was cut.
    pub status: Option<u16>,
}

impl Sent {
    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        self.request.method != "GET"
    }

    /// `POST /api/2.2/jobs/create {"name":"x"}`.
    pub fn line(&self) -> String {
        let mut line = self.request.to_string();
        for (i, (name, value)) in self.request.query.iter().enumerate() {
            let _ = write!(line, "{}{name}={value}", if i == 0 { '?' } else { '&' });
        }
        if let Some(body) = &self.body {
            let _ = write!(line, " {}", json::write(body).expect("it was JSON"));
        }
        line
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// The connection is cut before the request arrives.
    CutBefore,
    /// The request takes effect, its answer is lost.
    CutAfter,
    /// 500 instead of the effect.
    FailBefore,
    /// 500 after the effect.
    FailAfter,
    /// The process ends before the request is sent.
    CrashBefore,
    /// The process ends before the answer is read.
    CrashAfter,
    /// From this request on nothing gets through.
    Down,
}

impl Strike {
    /// Whether the request has taken effect by then.
    pub fn is_after(self) -> bool {
        matches!(self, Self::CutAfter | Self::FailAfter | Self::CrashAfter)
    }
}

/// All strikes.
pub const STRIKES: &[Strike] =
    &[Strike::CutBefore, Strike::CutAfter, Strike::FailBefore, Strike::FailAfter, Strike::CrashBefore, Strike::CrashAfter, Strike::Down];

/// The line to the workspace.
pub struct Wire {
    workspace: LocalWorkspace,
    log: Mutex<Vec<Sent>>,
    count: AtomicU64,
    strike: Option<(u64, Strike)>,
    crashed: tokio::sync::Notify,
}

impl Wire {
    fn new(workspace: &LocalWorkspace, strike: Option<(u64, Strike)>) -> Arc<Self> {
        let (log, count) = (Mutex::default(), AtomicU64::new(0));
        Arc::new(Self { workspace: workspace.clone(), log, count, strike, crashed: tokio::sync::Notify::new() })
    }

    fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.log.lock().expect("no test panics while it writes"))
    }

    async fn crash(&self) -> ! {
        self.crashed.notify_one();
        std::future::pending().await
    }

    async fn pass(&self, request: Request) -> Result<Response, TransportError> {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        let body = match &request.body {
            RequestBody::Json(text) => Some(json::parse(text.as_bytes()).expect("requests are JSON")),
            _ => None,
        };
        let struck = match self.strike {
            Some((from, Strike::Down)) if number >= from => Some(Strike::Down),
            Some((at, strike)) if number == at => Some(strike),
            _ => None,
        };
        let cut = |sent| TransportError { message: "the connection was cut".to_owned(), may_have_been_sent: sent };
        let failed = Response {
            status: 500,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: br#"{"error_code":"INTERNAL_ERROR","message":"struck"}"#.to_vec(),
        };
        match struck {
            Some(Strike::CutBefore) => return Err(cut(true)),
            Some(Strike::Down) => return Err(cut(false)),
            Some(Strike::FailBefore) => return Ok(failed),
            Some(Strike::CrashBefore) => self.crash().await,
            Some(Strike::CutAfter | Strike::FailAfter | Strike::CrashAfter) | None => {}
        }
        let answer = self.workspace.handle(request.clone()).await;
        let status = answer.as_ref().ok().map(|a| a.status);
        self.log.lock().expect("no test panics while it writes").push(Sent { request, body, status });
        match struck {
            Some(Strike::CutAfter) => Err(cut(true)),
            Some(Strike::FailAfter) => Ok(failed),
            Some(Strike::CrashAfter) => self.crash().await,
            _ => answer,
        }
    }
}

/// A transport that may be shared (the trait is implemented for the wire behind it).
struct Line(Arc<Wire>);

impl Transport for Line {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.0.pass(request))
    }

    fn host(&self) -> &'static str {
        "local"
    }
}

/// A clock that goes on by a millisecond each time it is looked at.
pub struct Clock(AtomicI64);

impl Clock {
    /// So many milliseconds later.
    pub fn pass(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }

    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_790_000_000_000)))
    }
}

impl System for Clock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0.fetch_add(1, Ordering::SeqCst)).expect("a time")
    }

    fn run(&self, program: &str, _: &[&str], _: &FilePath) -> std::io::Result<CommandOutput> {
        Err(std::io::Error::new(std::io::ErrorKind::NotFound, program.to_owned()))
    }
}

/// Why a run did not get to its end.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("{}", report::diagnostics::text(.0, false, 120))]
    Diagnostics(Vec<Diagnostic>),
    #[error(transparent)]
    Api(ApiError),
    #[error(transparent)]
    State(StateError),
    #[error(transparent)]
    Apply(ApplyError),
    #[error("crashed")]
    Crashed,
}

/// A run.
#[derive(Debug)]
pub struct Ran {
    /// The plan, if it got so far.
    pub plan: Option<Plan>,
    /// What was asked until the plan stood.
    pub planning: Vec<Sent>,
    /// What was asked while it was carried out.
    pub applying: Vec<Sent>,
    /// The report, if there was something to do.
    pub report: Option<Report>,
    /// What went wrong.
    pub trouble: Option<Trouble>,
}

impl Ran {
    /// Whether everything was done.
    pub fn is_done(&self) -> bool {
        self.trouble.is_none() && self.report.iter().flat_map(|r| &r.results).all(|r| r.outcome == Outcome::Done)
    }

    /// Whether there was nothing to do.
    pub fn is_empty(&self) -> bool {
        self.trouble.is_none() && self.plan.as_ref().is_some_and(Plan::is_empty)
    }

    /// The writes, a line each.
    pub fn writes(&self) -> Vec<String> {
        self.applying.iter().filter(|s| s.is_write()).map(Sent::line).collect()
    }

    /// What a person would see of it, for messages of tests.
    pub fn told(&self) -> String {
        let look = report::text::Look {
            colour: false,
            width: 120,
            unmanaged: true,
            requests: true,
            drift: false,
            saved: false,
            millis: None,
            sorts: None,
            given: report::answers::Given::Nothing,
        };
        let plan = self.plan.as_ref().map(|p| report::text::plan(p, &look)).unwrap_or_default();
        let results =
            self.report.iter().flat_map(|r| &r.results).map(|r| format!("{}: {:?}", r.address, r.outcome)).collect::<Vec<_>>().join("\n");
        let sent = self.applying.iter().map(|s| format!("{} -> {:?}", s.line(), s.status)).collect::<Vec<_>>().join("\n");
        let trouble = self.trouble.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{plan}\n{results}\n{sent}\n{trouble}")
    }
}

/// A world.
pub struct World {
    folder: tempfile::TempDir,
    /// Its clock; none where another one was given.
    clock: Option<Arc<Clock>>,
    /// The workspace.
    pub workspace: LocalWorkspace,
    /// Clock and secrets.
    pub outside: Outside,
    /// Everything that was ever printed, stored or raised in it: no secret may be in it.
    pub told: Mutex<String>,
    /// The wish of whoever watches a run that it should end: 0 go on, 1 finish what is in flight, 2 now.
    pub stop: Arc<AtomicU8>,
}

impl World {
    /// An empty project and an empty workspace with these rival habits.
    pub fn new(rivals: &[&str]) -> Self {
        let clock = Clock::new();
        Self { clock: Some(Arc::clone(&clock)), ..Self::with(rivals, 0, clock) }
    }

    /// A world whose workspace takes so many milliseconds for what takes time, and its clock.
    pub fn slow(rivals: &[&str], settle_ms: u64) -> (Self, Arc<Clock>) {
        let clock = Clock::new();
        let mut world = Self { clock: Some(Arc::clone(&clock)), ..Self::with(rivals, 0, Arc::<Clock>::clone(&clock)) };
        let options = LocalOptions {
            rivals: rivals.iter().map(ToString::to_string).collect(),
            workspace_id: Some(1234),
            settle_ms: Some(settle_ms),
            outside: Some(world.outside.clone()),
            ..LocalOptions::default()
        };
        world.workspace = LocalWorkspace::in_memory(options).expect("a workspace");
        (world, clock)
    }

    /// One with reads that lag behind by so many requests, and another clock.
    pub fn with(rivals: &[&str], stale_reads: u32, system: Arc<dyn System>) -> Self {
        let folder = in_memory();
        let outside = Outside {
            variables: Arc::new(BTreeMap::from([("LAWS_SECRET".to_owned(), PLANTED.to_owned())])),
            folder: folder.path().to_owned(),
            system,
        };
        let options = LocalOptions {
            rivals: rivals.iter().map(ToString::to_string).collect(),
            workspace_id: Some(1234),
            settle_ms: Some(0),
            stale_reads,
            outside: Some(outside.clone()),
            ..LocalOptions::default()
        };
        let workspace = LocalWorkspace::in_memory(options).expect("a workspace");
        let world = Self { folder, clock: None, workspace, outside, told: Mutex::default(), stop: Arc::default() };
        world.write("conf/project.yaml", "name: laws\n");
        world.write("environments/test.yaml", "workspace: local\nstate: { key: { env: LAWS_SECRET } }\n");
        world
    }

    /// Another world as this one is now: its files, its state, its workspace, its time. What was told in this one is not told
    /// in it.
    pub fn copy(&self) -> Self {
        let clock = self.clock.as_ref().expect("its clock can be copied");
        let clock = Arc::new(Clock(AtomicI64::new(clock.0.load(Ordering::SeqCst))));
        let folder = in_memory();
        copy_all(self.folder.path(), folder.path());
        let system = Arc::<Clock>::clone(&clock);
        let outside = Outside { folder: folder.path().to_owned(), system, ..self.outside.clone() };
        let workspace = self.workspace.copy(outside.clone()).expect("a workspace");
        Self { folder, clock: Some(clock), workspace, outside, told: Mutex::default(), stop: Arc::default() }
    }

    /// Writes a file of the project.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// How its project is loaded.
    pub fn ask(&self) -> Ask {
        Ask { folder: Some(self.folder.path().to_owned()), environment: Some(ENVIRONMENT.to_owned()), ..Ask::default() }
    }

    /// Where the state is.
    pub fn store(&self) -> Local {
        let file = Local::default_file(self.folder.path(), ENVIRONMENT);
        Local::at(&file, "laws", ENVIRONMENT, &self.outside)
    }

    /// The bytes of everything that Brickform keeps.
    pub fn kept(&self) -> String {
        let mut all = String::new();
        let mut open = vec![self.folder.path().join(".brickform")];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(std::fs::read_dir(&path).expect("a folder").map(|e| e.expect("an entry").path()));
            } else if let Ok(bytes) = std::fs::read(&path) {
                all.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
        all
    }

    /// Sends one request by hand.
    pub async fn by_hand(&self, line: &str) {
        let answer = self.workspace.handle(request(line)).await.expect("an answer");
        assert!(answer.status < 300, "{line}: {}", String::from_utf8_lossy(&answer.body));
    }

    /// Plans and, unless it is blocked, applies.
    pub async fn run(&self, options: &plan::Options) -> Ran {
        self.run_struck(options, None).await
    }

    /// The same with one request struck, counted from 0.
    pub async fn run_struck(&self, options: &plan::Options, strike: Option<(u64, Strike)>) -> Ran {
        let wire = Wire::new(&self.workspace, strike);
        let mut ran = Ran { plan: None, planning: vec![], applying: vec![], report: None, trouble: None };
        let trouble = tokio::select! {
            trouble = self.both(&wire, options, &mut ran) => trouble.err(),
            () = wire.crashed.notified() => Some(Trouble::Crashed),
        };
        ran.trouble = trouble;
        let rest = wire.take();
        if ran.plan.is_some() {
            ran.applying = rest;
        } else {
            ran.planning = rest;
        }
        self.remember(&ran);
        ran
    }

    async fn both(&self, wire: &Arc<Wire>, options: &plan::Options, ran: &mut Ran) -> Result<(), Trouble> {
        let limits = Options { parallelism: 1, timeout_seconds: 5, retry_seconds: 1, first_wait_millis: 1 };
        let client = Client::new(Arc::new(Line(Arc::clone(wire))), None, &self.outside, limits);
        self.through(&client, &self.store(), 1, options, ran, || wire.take()).await
    }

    /// The whole way, from files to state. `taken` gives what was sent since it was last asked.
    ///
    /// # Errors
    /// Whatever ended it.
    pub async fn through(
        &self,
        client: &Client,
        store: &dyn Store,
        parallelism: usize,
        options: &plan::Options,
        ran: &mut Ran,
        taken: impl Fn() -> Vec<Sent>,
    ) -> Result<(), Trouble> {
        let ask = self.ask();
        let project = project::load(&self.outside, &ask, &Registry::standard()).map_err(|f| Trouble::Diagnostics(f.diagnostics))?;
        let registry = project.registry().clone();
        let (id, caller) = client.whoami().await.map_err(Trouble::Api)?;
        let document = store.load().map_err(Trouble::State)?.unwrap_or_else(|| Document {
            lineage: "7d3f6a52-0000-4000-8000-000000000000".to_owned(),
            ..state::new_document(&project.name, ENVIRONMENT)
        });
        let answers = refresh::questions(client, &registry, &project, &document).await.map_err(Trouble::Api)?;
        let desired = project.resolve(&answers).map_err(Trouble::Diagnostics)?;
        let age = store.written().map(|at| self.outside.now().duration_since(at).as_secs());
        let recent = age.is_some_and(|seconds| seconds < refresh::LAG_SECONDS);
        let ask = refresh::Ask { desired: &desired, state: &document, registry: &registry, only: None, recent, destroy: options.destroy };
        let mut live = refresh::read(client, &ask).await;
        let secrets = secrets(&desired);
        let make = |live: &refresh::Snapshot| {
            plan::make(&plan::Inputs {
                desired: &desired,
                state: &document,
                state_place: "state".to_owned(),
                live: Some(live),
                preflight: None,
                environment: &project.environment,
                project: &project.name,
                workspace: WorkspaceIdentity { host: "local".to_owned(), id: id.clone() },
                host: "http://local",
                registry: &registry,
                options,
                policies: &project.policies,
                secrets: &secrets,
                caller: None,
                known: None,
            })
        };
        let mut plan = make(&live);
        let unopened = plan::unopened(&plan, &registry, &live);
        let unread: Vec<_> = plan::unread(&plan, &registry, &live).into_iter().map(|p| (p.address, p.kind, p.body)).collect();
        if !unopened.is_empty() || !unread.is_empty() {
            refresh::look_inside(client, &mut live, &unopened).await;
            refresh::look_at_parts(client, &mut live, unread).await;
            plan = make(&live);
        }
        ran.planning = taken();
        ran.plan = Some(plan.clone());
        if plan.is_empty() || plan.is_blocked() {
            return Ok(());
        }
        let session = apply::Session {
            client,
            store,
            state: document,
            registry: &registry,
            outside: &self.outside,
            parallelism,
            caller,
            commit: None,
            operation: if plan.destroy { "destroy" } else { "apply" },
            stop: Arc::clone(&self.stop),
            events: &|event| {
                let _ = writeln!(self.told.lock().expect("no test panics while it writes"), "{event:?}");
            },
        };
        ran.report = Some(apply::apply(&plan, session).await.map_err(Trouble::Apply)?);
        Ok(())
    }

    fn remember(&self, ran: &Ran) {
        let mut told = self.told.lock().expect("no test panics while it writes");
        let plan = ran.plan.as_ref().map(|p| format!("{}\n{p:?}\n", report::json::plan(p, true))).unwrap_or_default();
        let trouble = ran.trouble.as_ref().map(|t| format!("{t}\n{t:?}")).unwrap_or_default();
        let _ = writeln!(told, "{plan}\n{:?}\n{trouble}\n{}", ran.report, self.kept());
    }
}

/// A request as people write it: `POST /api/2.2/jobs/create {"name":"x"}`.
pub fn request(line: &str) -> Request {
    let mut parts = line.splitn(3, ' ');
    let (method, path) = (parts.next().expect("a method"), parts.next().expect("a path"));
    let body = parts.next().map_or(RequestBody::Empty, |b| RequestBody::Json(b.to_owned()));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = query.split('&').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    Request { method: method.to_owned(), path: path.to_owned(), query, headers: vec![], body }
}

/// A folder in memory where there is some: thousands of worlds flush their files.
fn in_memory() -> tempfile::TempDir {
    let memory = FilePath::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

fn copy_all(from: &FilePath, to: &FilePath) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (path, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).expect("an entry");
        if path.is_dir() {
            std::fs::create_dir(&to).expect("a folder");
            copy_all(&path, &to);
        } else {
            std::fs::copy(&path, &to).expect("a file");
        }
    }
}

/// The value that no output may hold.
pub const PLANTED: &str = "planted-7f3a\"secret";

/// Every secret's recorded form.
fn secrets(desired: &project::Desired) -> BTreeMap<String, Value> {
    let key = StateKey::new(PLANTED.as_bytes());
    let mut all = BTreeMap::new();
    for resource in desired.resources.values() {
        resource.body.each_deferred(&mut Path::root(), &mut |_, deferred| {
            if deferred.secrets().next().is_some() {
                let print = key.fingerprint(PLANTED.as_bytes()).0;
                let form = Value::map([("$secret", Value::text(deferred.source.as_str())), ("fingerprint", print.into())]);
                all.insert(deferred.source.clone(), form);
            }
        });
    }
    all
}
