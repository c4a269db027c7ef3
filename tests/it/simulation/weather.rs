//! What goes wrong: on the line to the workspace, on the disk, with the process itself.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brickform::client::{BoxFuture, Request, RequestBody, Response, Transport, TransportError};
use brickform::local::LocalWorkspace;
use brickform::model::json;
use brickform::state::{Document, Flush, Local, LockInfo, Record, StateError, Store, Version, Waiting};

use super::random::Random;
use crate::world::Sent;

/// How bad it is: each so many times in a thousand requests (or writes).
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// The connection is cut, before or after the effect.
    pub cuts: u64,
    /// 500 or 503, before or after the effect.
    pub failures: u64,
    /// 429 with a time to wait.
    pub throttles: u64,
    /// The process ends, before or after the effect.
    pub crashes: u64,
    /// The process ends at a write to the disk, before it, in the middle or after it.
    pub disk: u64,
    /// Somebody wants the run to end: soon, or now.
    pub interrupts: u64,
}

/// The end of the process: nothing that belongs to it goes on.
#[derive(Debug, Default)]
pub struct End {
    over: AtomicBool,
    told: tokio::sync::Notify,
}

impl End {
    /// Ends it.
    pub fn now(&self) {
        self.over.store(true, Ordering::SeqCst);
        self.told.notify_one();
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Waits for it.
    pub async fn comes(&self) {
        self.told.notified().await;
    }
}

/// The line to the workspace: answers come late and in any order.
pub struct Wire {
    workspace: LocalWorkspace,
    weather: Weather,
    random: Mutex<Random>,
    log: Mutex<Vec<Sent>>,
    strikes: AtomicU64,
    end: Arc<End>,
    stop: Arc<AtomicU8>,
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passes,
    Cut,
    Fails(u16),
    Ends,
}

impl Wire {
    pub fn new(workspace: &LocalWorkspace, weather: Weather, random: Random, end: &Arc<End>, stop: &Arc<AtomicU8>) -> Arc<Self> {
        stop.store(0, Ordering::SeqCst);
        Arc::new(Self {
            workspace: workspace.clone(),
            weather,
            random: Mutex::new(random),
            log: Mutex::default(),
            strikes: AtomicU64::new(0),
            end: Arc::clone(end),
            stop: Arc::clone(stop),
        })
    }

    /// What arrived since this was last asked.
    pub fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.log.lock().expect("nobody panics while it is held"))
    }

    /// How many requests were struck.
    pub fn strikes(&self) -> u64 {
        self.strikes.load(Ordering::SeqCst)
    }

    /// Before the effect, how long it takes to get there; after it, how long to come back.
    fn fate(&self) -> (Fate, bool, [Duration; 2]) {
        let mut random = self.random.lock().expect("nobody panics while it is held");
        let Weather { cuts, failures, throttles, crashes, .. } = self.weather;
        if random.chance(self.weather.interrupts) {
            self.stop.fetch_max(1 + u8::from(random.chance(500)), Ordering::SeqCst);
        }
        let times = [Duration::from_millis(random.below(40)), Duration::from_millis(random.below(40))];
        let (roll, before) = (random.below(1000), random.chance(500));
        let fate = match roll {
            n if n < cuts => Fate::Cut,
            n if n < cuts + failures => Fate::Fails(*random.one(&[500, 503])),
            n if n < cuts + failures + throttles => return (Fate::Fails(429), true, times),
            n if n < cuts + failures + throttles + crashes => Fate::Ends,
            _ => Fate::Passes,
        };
        (fate, before, times)
    }

    async fn struck(&self, fate: Fate) -> Option<Result<Response, TransportError>> {
        if fate != Fate::Passes {
            self.strikes.fetch_add(1, Ordering::SeqCst);
        }
        match fate {
            Fate::Passes => None,
            Fate::Cut => Some(Err(TransportError { message: "the connection was cut".to_owned(), may_have_been_sent: true })),
            Fate::Fails(status) => {
                let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
                if status == 429 {
                    headers.push(("retry-after".to_owned(), "1".to_owned()));
                }
                let body = br#"{"error_code":"TEMPORARILY_UNAVAILABLE","message":"struck"}"#.to_vec();
                Some(Ok(Response { status, headers, body }))
            }
            Fate::Ends => {
                self.end.now();
                std::future::pending().await
            }
        }
    }

    async fn pass(&self, request: Request) -> Result<Response, TransportError> {
        let body = match &request.body {
            RequestBody::Json(text) => json::parse(text.as_bytes()).ok(),
            _ => None,
        };
        let (fate, before, [there, back]) = self.fate();
        tokio::time::sleep(there).await;
        if self.end.is_over() {
            std::future::pending::<()>().await;
        }
        if before && let Some(result) = self.struck(fate).await {
            return result;
        }
        let answer = self.workspace.handle(request.clone()).await;
        let status = answer.as_ref().ok().map(|a| a.status);
        self.log.lock().expect("nobody panics while it is held").push(Sent { request, body, status });
        tokio::time::sleep(back).await;
        if !before && let Some(result) = self.struck(fate).await {
            return result;
        }
        answer
    }
}

/// A transport that may be shared (the trait is implemented for the wire behind it).
pub struct Line(pub Arc<Wire>);

impl Transport for Line {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.0.pass(request))
    }

    fn host(&self) -> &'static str {
        "local"
    }
}

/// A state whose writes may be the last thing that the process does: before them, in the middle, or after them.
pub struct Disk {
    inner: Local,
    weather: Weather,
    random: Mutex<Random>,
    end: Arc<End>,
}

impl Disk {
    pub fn new(inner: Local, weather: Weather, random: Random, end: &Arc<End>) -> Self {
        Self { inner, weather, random: Mutex::new(random), end: Arc::clone(end) }
    }

    fn file(&self, suffix: &str) -> std::path::PathBuf {
        format!("{}{suffix}", self.inner.place()).into()
    }

    /// Whether the process ends at this write, and how far it gets: from 0 to below `ways`.
    fn ends(&self, ways: u64) -> Option<(u64, u64)> {
        let mut random = self.random.lock().expect("nobody panics while it is held");
        random.chance(self.weather.disk).then(|| (random.below(ways), random.next()))
    }

    fn over(&self) -> StateError {
        StateError::Io { place: self.inner.place(), verb: "written", why: "the process has ended".to_owned() }
    }

    /// Nothing is written any more.
    fn end<T>(&self) -> Result<T, StateError> {
        self.end.now();
        Err(self.over())
    }
}

impl Store for Disk {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn load(&self) -> Result<Option<Document>, StateError> {
        self.inner.load()
    }

    fn lock(&self, info: &LockInfo, waiting: Waiting<'_>) -> Result<Option<LockInfo>, StateError> {
        self.inner.lock(info, waiting)
    }

    fn unlock(&self) {
        self.inner.unlock();
    }

    fn holder(&self) -> Option<LockInfo> {
        self.inner.holder()
    }

    fn append(&self, records: &[Record], flush: Flush) -> Result<(), StateError> {
        if self.end.is_over() {
            return Err(self.over());
        }
        let Some((how, chance)) = self.ends(3) else { return self.inner.append(records, flush) };
        if how == 0 {
            return self.end();
        }
        let journal = self.file(".journal");
        let before = std::fs::metadata(&journal).map_or(0, |m| m.len());
        self.inner.append(records, flush)?;
        if how == 1 {
            // Torn: some bytes of it got to the disk.
            let after = std::fs::metadata(&journal).expect("it was written").len();
            // What an earlier crash left torn was cut off before.
            let from = before.min(after);
            let left = from + chance % (after - from).max(1);
            std::fs::OpenOptions::new().write(true).open(&journal).and_then(|f| f.set_len(left)).expect("it is there");
        }
        self.end()
    }

    fn save(&self, document: &Document, by: &str) -> Result<(), StateError> {
        if self.end.is_over() {
            return Err(self.over());
        }
        let Some((how, _)) = self.ends(4) else { return self.inner.save(document, by) };
        if how == 0 {
            return self.end();
        }
        let (version, journal) = (self.file(&format!(".versions/{}.json", document.serial)), self.file(".journal"));
        let old = [std::fs::read(&version).ok(), std::fs::read(&journal).ok()];
        self.inner.save(document, by)?;
        // Files are replaced one after the other: the document, its version, then the journal goes.
        let put_back = |path: &std::path::Path, bytes: &Option<Vec<u8>>| match bytes {
            Some(bytes) => std::fs::write(path, bytes).expect("it can be written"),
            None => drop(std::fs::remove_file(path)),
        };
        if how < 3 {
            put_back(&journal, &old[1]);
        }
        if how < 2 {
            put_back(&version, &old[0]);
        }
        self.end()
    }

    fn kept(&self, serial: u64) -> Result<Option<Document>, StateError> {
        self.inner.kept(serial)
    }
    fn history(&self) -> Result<Vec<Version>, StateError> {
        self.inner.history()
    }
}
