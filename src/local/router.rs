//! From a request to an answer: latency, faults, credentials, limits, the operation's handler, the record.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::answer::{Answer, Handled, Refusal};
use super::core::{Core, visible};
use super::exchange::{Caller, Exchange, Setting, digest, uuid_of};
use super::faults::{Armed, Effect};
use super::limits::Limits;
use super::record::Record;
use super::routes::{self, OpenRoom, Route};
use super::{FaultWhen, LocalError, LocalOptions, credentials, peer, services, validate};
use crate::catalogue::Body;
use crate::client::{Request, RequestBody, Response, TransportError};
use crate::model::{Map, Outside, Value, json};

/// A workspace and how it behaves.
pub struct Inner {
    core: Arc<Core>,
    options: LocalOptions,
    setting: Setting,
    outside: Outside,
    faults: Armed,
    limits: Limits,
    record: Option<Record>,
    requests: AtomicU64,
    killed: AtomicBool,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub enum Origin {
    /// This process: no credentials needed.
    Process,
    /// A socket on loopback.
    Socket {
        /// The client's end.
        peer: SocketAddr,
        /// Ours.
        own: SocketAddr,
    },
}

/// Opens a workspace; see [`super::LocalWorkspace::open`].
pub fn open(file: Option<&Path>, options: LocalOptions) -> Result<Inner, LocalError> {
    let outside = outside(&options).map_err(|why| LocalError::Open { path: "the current folder".to_owned(), why })?;
    let core = Core::open(file, options.workspace_id, outside.now().as_millisecond())?;
    behave(Arc::new(core), options, outside)
}

fn outside(options: &LocalOptions) -> Result<Outside, String> {
    options.outside.clone().map_or_else(|| Outside::real().map_err(|e| e.to_string()), Ok)
}

fn behave(core: Arc<Core>, options: LocalOptions, outside: Outside) -> Result<Inner, LocalError> {
    let fail = |path: String, why: String| LocalError::Open { path, why };
    let record = match &options.record {
        None => None,
        Some(file) => Some(Record::open(file).map_err(|e| fail(file.display().to_string(), e.to_string()))?),
    };
    let rivals = options
        .rivals
        .iter()
        .map(|name| services::Rival::named(name).ok_or_else(|| fail("rival habits".to_owned(), format!("there is no rival `{name}`"))))
        .collect::<Result<_, _>>()?;
    let setting = Setting {
        workspace_id: core.workspace_id(),
        rivals,
        met: AtomicU64::new(0),
        seen: Mutex::default(),
        settle_ms: options.settle_ms.and_then(|ms| i64::try_from(ms).ok()).unwrap_or(150),
        token_seconds: options.token_seconds.unwrap_or(3600),
        federation: options.federation.clone(),
    };
    Ok(Inner {
        core,
        setting,
        outside,
        faults: Armed::new(options.faults.clone()),
        limits: Limits::new(options.rate_limit),
        record,
        requests: AtomicU64::new(0),
        killed: AtomicBool::new(false),
        options,
    })
}

impl Inner {
    /// Its id.
    pub fn workspace_id(&self) -> u64 {
        self.core.workspace_id()
    }

    /// A bit for each rival habit that was asked for.
    pub fn rivals_met(&self) -> u64 {
        self.setting.met.load(Ordering::Relaxed)
    }

    /// Empties it.
    pub fn reset(&self) -> Result<(), LocalError> {
        self.core.reset(self.now())
    }

    /// The same workspace behaving otherwise.
    pub fn with(&self, options: LocalOptions) -> Result<Self, LocalError> {
        let outside = options.outside.clone().unwrap_or_else(|| self.outside.clone());
        behave(Arc::clone(&self.core), options, outside)
    }

    /// Another workspace in memory that holds what this one holds now, and behaves alike.
    pub fn copy(&self, outside: Outside) -> Result<Self, LocalError> {
        let options = LocalOptions { outside: Some(outside.clone()), ..self.options.clone() };
        let mut copy = behave(Arc::new(self.core.copy()?), options, outside)?;
        copy.setting.seen = Mutex::new(self.setting.seen.lock().unwrap_or_else(PoisonError::into_inner).clone());
        Ok(copy)
    }

    /// Its objects.
    pub fn dump(&self) -> BTreeMap<String, Value> {
        self.core.dump()
    }

    /// How many requests it has seen.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    fn now(&self) -> i64 {
        self.outside.now().as_millisecond()
    }
}

/// Every operation served: name, method, path.
pub fn coverage() -> Vec<(&'static str, String, String)> {
    let mut all: Vec<_> = services::rooms()
        .iter()
        .flat_map(OpenRoom::routes)
        .map(|route| (route.name, route.method.clone(), route.template.text.clone()))
        .collect();
    all.sort();
    all
}

/// Answers a request from this process.
pub async fn handle(inner: &Inner, request: Request) -> Result<Response, TransportError> {
    handle_from(inner, request, Origin::Process).await
}

/// What a request came to.
enum Outcome {
    Response(Response),
    Cut,
    Killed,
}

/// Answers a request.
pub async fn handle_from(inner: &Inner, request: Request, origin: Origin) -> Result<Response, TransportError> {
    let serial = inner.requests.fetch_add(1, Ordering::Relaxed) + 1;
    if inner.killed.load(Ordering::Relaxed) {
        return Err(crash());
    }
    if inner.options.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(inner.options.latency_ms)).await;
    }
    let request_id = uuid_of(&digest(&inner.setting.workspace_id.to_string(), serial));
    let mut ignored = Vec::new();
    let outcome = if let Some(effect) = inner.faults.strike(FaultWhen::Before, &request.method, &request.path) {
        strike(inner, effect, origin, &request_id).await
    } else {
        let response = answer(inner, &request, origin, &request_id, &mut ignored).await;
        match inner.faults.strike(FaultWhen::After, &request.method, &request.path) {
            Some(effect) => strike(inner, effect, origin, &request_id).await,
            None => Outcome::Response(response),
        }
    };
    if let Some(record) = &inner.record {
        record.line(&request, if let Outcome::Response(r) = &outcome { Some(r) } else { None }, &ignored);
    }
    match outcome {
        Outcome::Response(response) => Ok(response),
        Outcome::Cut => Err(TransportError { message: "connection reset by the workspace".to_owned(), may_have_been_sent: true }),
        Outcome::Killed => Err(crash()),
    }
}

fn crash() -> TransportError {
    TransportError { message: "simulated crash".to_owned(), may_have_been_sent: true }
}

async fn strike(inner: &Inner, effect: Effect, origin: Origin, request_id: &str) -> Outcome {
    match (effect, origin) {
        (Effect::Cut, _) => Outcome::Cut,
        (Effect::Kill, Origin::Process) => {
            inner.killed.store(true, Ordering::Relaxed);
            Outcome::Killed
        }
        (Effect::Kill, Origin::Socket { peer, own }) => {
            let outside = inner.outside.clone();
            // Looking through /proc and running a program block; the answer is cut either way.
            let _panicked = tokio::task::spawn_blocking(move || peer::kill(&outside, peer, own)).await;
            Outcome::Cut
        }
        (Effect::Status(status), _) => {
            let (code, message) = injected(status);
            let mut refusal = Refusal::new(status, code, message);
            if matches!(status, 429 | 503) {
                refusal.headers.push(("retry-after".to_owned(), "0".to_owned()));
            }
            Outcome::Response(respond(inner, Err(refusal), request_id))
        }
    }
}

fn injected(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("UNAUTHENTICATED", "Injected: the credentials are not accepted."),
        403 => ("PERMISSION_DENIED", "Injected: the caller may not do this."),
        404 => ("RESOURCE_DOES_NOT_EXIST", "Injected: there is no such resource."),
        409 => ("RESOURCE_CONFLICT", "Injected: a conflict."),
        429 => ("REQUEST_LIMIT_EXCEEDED", "Injected: too many requests."),
        501 => ("NOT_IMPLEMENTED", "Injected: not implemented."),
        503 => ("TEMPORARILY_UNAVAILABLE", "Injected: the service is temporarily unavailable."),
        504 => ("DEADLINE_EXCEEDED", "Injected: the deadline was exceeded."),
        500..=599 => ("INTERNAL_ERROR", "Injected: an internal error."),
        _ => ("BAD_REQUEST", "Injected: a bad request."),
    }
}

async fn answer(inner: &Inner, request: &Request, origin: Origin, request_id: &str, ignored: &mut Vec<String>) -> Response {
    let is_head = request.method == "HEAD";
    let handled = match admitted(inner, request, origin) {
        Err(refusal) => Err(refusal),
        Ok((route, parameters, caller)) => serve(inner, request, route, parameters, caller, ignored).await,
    };
    let mut response = respond(inner, handled, request_id);
    if is_head {
        response.body.clear();
    }
    response
}

type Admitted<'r> = (&'r Route, BTreeMap<String, String>, Caller);

/// Finds the operation and lets the caller in.
fn admitted<'r>(inner: &Inner, request: &Request, origin: Origin) -> Result<Admitted<'r>, Refusal> {
    let path = routes::canonical(&request.path);
    let method = if request.method == "HEAD" { "GET" } else { request.method.as_str() };
    let found = routes::find(services::rooms(), method, &path);
    let open = found.as_ref().is_some_and(|(route, _)| services::needs_no_credentials(route.name));
    let caller = match origin {
        Origin::Socket { .. } if !open => credentials::caller(request, &inner.options, inner.now())?,
        Origin::Process | Origin::Socket { .. } => credentials::default_caller(&inner.options),
    };
    let Some((route, parameters)) = found else { return Err(unknown(method, &request.path, &path)) };
    if let Err(seconds) = inner.limits.take(route.name, inner.outside.now()) {
        let mut refusal = Refusal::new(429, "REQUEST_LIMIT_EXCEEDED", format!("Requests to {} are limited. Try again later.", route.name));
        refusal.headers.push(("retry-after".to_owned(), seconds.to_string()));
        return Err(refusal);
    }
    Ok((route, parameters, caller))
}

fn unknown(method: &str, path: &str, canonical: &str) -> Refusal {
    match routes::unserved(method, canonical) {
        Some(operation) => Refusal::new(
            501,
            "NOT_IMPLEMENTED",
            format!("{} ({method} {path}) is not served by the local workspace; `brickform local coverage` lists what is.", operation.name),
        ),
        None => Refusal::new(404, "ENDPOINT_NOT_FOUND", format!("No API found for '{method} {path}'")),
    }
}

async fn serve(
    inner: &Inner,
    request: &Request,
    route: &Route,
    parameters: BTreeMap<String, String>,
    caller: Caller,
    ignored: &mut Vec<String>,
) -> Handled {
    let raw = bytes_of(request, route);
    let (body, form) = if raw.is_empty() { read_body(request, route, ignored)? } else { Bodies::default() };
    if let Some(operation) = route.operation {
        validate::query(operation, &request.query)?;
    }
    let lag = if route.method == "GET" { inner.options.stale_reads as usize } else { 0 };
    let version = request.path.strip_prefix("/api/").and_then(|p| p.split('/').next()).unwrap_or_default().to_owned();
    let (now, unknown) = (inner.now(), ignored.clone());
    let done = inner
        .core
        .transact(lag, |objects| {
            let mut exchange = Exchange {
                objects,
                parameters,
                query: request.query.clone(),
                headers: request.headers.clone(),
                form,
                body,
                unknown,
                raw,
                version,
                caller,
                now,
                setting: &inner.setting,
            };
            (route.handler)(&mut exchange)
        })
        .map_err(|why| broken(&why))?;
    let answer = done.settled(&inner.core).await.map_err(|why| broken(&why))??;
    Ok(shown(inner, route, answer))
}

fn broken(why: &str) -> Refusal {
    Refusal::new(500, "INTERNAL_ERROR", format!("The local workspace cannot write its database: {why}"))
}

/// The answer as the habits of the whole server show it.
fn shown(inner: &Inner, route: &Route, mut answer: Answer) -> Answer {
    if inner.setting.does(services::Rival::OmitZeros)
        && let Some(operation) = route.operation
    {
        answer.body = validate::without_zeros(visible(&answer.body), operation);
    }
    answer
}

type Bodies = (Map, Vec<(String, String)>);

/// The body as it came, where the operation takes bytes.
fn bytes_of(request: &Request, route: &Route) -> Vec<u8> {
    match &request.body {
        _ if route.operation.is_none_or(|operation| operation.body != Body::Raw) => Vec::new(),
        RequestBody::Empty | RequestBody::Form(_) => Vec::new(),
        RequestBody::Json(text) => text.clone().into_bytes(),
        RequestBody::Bytes(bytes) => bytes.clone(),
    }
}

fn read_body(request: &Request, route: &Route, ignored: &mut Vec<String>) -> Result<Bodies, Refusal> {
    let text = match &request.body {
        RequestBody::Empty => return checked(route, Value::Null, ignored),
        RequestBody::Form(pairs) => return Ok((Map::new(), pairs.clone())),
        RequestBody::Json(text) => text.as_bytes(),
        RequestBody::Bytes(bytes) => bytes.as_slice(),
    };
    if text.is_empty() || matches!(request.method.as_str(), "GET" | "HEAD") {
        return checked(route, Value::Null, ignored);
    }
    let value = json::parse(text)
        .map_err(|e| Refusal::new(400, "MALFORMED_REQUEST", format!("Could not parse request object: the body is not JSON: {e}")))?;
    checked(route, value, ignored)
}

fn checked(route: &Route, value: Value, ignored: &mut Vec<String>) -> Result<Bodies, Refusal> {
    let Some(operation) = route.operation else { return Ok((value.as_map().cloned().unwrap_or_default(), Vec::new())) };
    let (map, unknown) = validate::body(operation, value)?;
    *ignored = unknown;
    Ok((map, Vec::new()))
}

fn respond(inner: &Inner, handled: Handled, request_id: &str) -> Response {
    let (status, body, bytes, headers) = match handled {
        Ok(answer) => (answer.status, visible(&answer.body), answer.bytes, answer.headers),
        Err(refusal) => (refusal.status, refusal.body(request_id), None, refusal.headers),
    };
    let content_type = if bytes.is_some() { "application/octet-stream" } else { "application/json" };
    let mut all = vec![
        ("content-type".to_owned(), content_type.to_owned()),
        ("date".to_owned(), inner.outside.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ("x-request-id".to_owned(), request_id.to_owned()),
        ("x-databricks-org-id".to_owned(), inner.setting.workspace_id.to_string()),
    ];
    all.extend(headers);
    let body = bytes.unwrap_or_else(|| match body {
        Value::Null => Vec::new(),
        body => json::write(&body).unwrap_or_default().into_bytes(),
    });
    Response { status, headers: all, body }
}
