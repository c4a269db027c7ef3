//! An object store on loopback, as far as Google's XML API is used: conditional writes by generation, lists in one page. Its
//! objects can be spoilt, and it misbehaves when told.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Frame;

/// What it holds and how it behaves.
#[derive(Default)]
pub struct Held {
    /// Bytes and generation by name, the bucket's folders in it.
    pub objects: BTreeMap<String, (Vec<u8>, u64)>,
    generation: u64,
    /// Takes any write, whatever its precondition.
    pub careless: bool,
    /// Status and code for requests of this method (any: empty) whose name holds this text.
    pub deny: Option<(u16, &'static str, &'static str, &'static str)>,
    /// From so many writes of the journal on, `deny` holds.
    pub from: usize,
    /// How many more requests are denied; none: all.
    pub times: Option<usize>,
    /// How many requests came.
    pub asked: usize,
    /// The object whose name contains this is said to be of ten gibibytes, which never come.
    pub huge: Option<&'static str>,
    journalled: usize,
}

/// A running store.
pub struct Bucket {
    /// `http://127.0.0.1:PORT`.
    pub host: String,
    held: Arc<Mutex<Held>>,
    _runtime: tokio::runtime::Runtime,
}

impl Bucket {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let held: Arc<Mutex<Held>> = Arc::default();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let host = format!("http://{}", listener.local_addr().expect("an address"));
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&held));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { host, held, _runtime: runtime }
    }

    pub fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no test panics while it holds it")
    }

    /// The names that contain this.
    pub fn names(&self, part: &str) -> Vec<String> {
        self.held().objects.keys().filter(|name| name.contains(part)).cloned().collect()
    }

    pub fn text(&self, name: &str) -> String {
        let held = self.held();
        let (bytes, _) = held.objects.get(name).unwrap_or_else(|| panic!("{name} is not in {:?}", held.objects.keys()));
        String::from_utf8(bytes.clone()).expect("text")
    }

    pub fn write(&self, name: &str, text: &str) {
        let mut held = self.held();
        held.generation += 1;
        let generation = held.generation;
        held.objects.insert(name.to_owned(), (text.as_bytes().to_vec(), generation));
    }

    /// Deletes what contains this.
    pub fn delete(&self, part: &str) {
        self.held().objects.retain(|name, _| !name.contains(part));
    }
}

impl Held {
    fn denied(&mut self, method: &Method, path: &str) -> Option<Response> {
        if *method == Method::PUT && path.contains("/journal/") {
            self.journalled += 1;
        }
        let (status, code, only, part) = self.deny?;
        if self.journalled < self.from || !(only.is_empty() || only == method.as_str()) || !path.contains(part) {
            return None;
        }
        match &mut self.times {
            Some(0) => return None,
            Some(times) => *times -= 1,
            None => {}
        }
        let text = format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>Told so.</Message></Error>");
        Some((StatusCode::from_u16(status).expect("a status"), text).into_response())
    }

    fn list(&self, bucket: &str, prefix: &str) -> String {
        let mut text = format!("<Name>{bucket}</Name><Prefix>{prefix}</Prefix><IsTruncated>false</IsTruncated>");
        for (name, (bytes, generation)) in self.objects.iter().filter(|(name, _)| name.starts_with(prefix)) {
            let (modified, size) = ("2026-01-01T00:00:00.000Z", bytes.len());
            let about = format!("<LastModified>{modified}</LastModified><ETag>\"{generation}\"</ETag><Size>{size}</Size>");
            text.extend(["<Contents><Key>", name, "</Key>", &about, "</Contents>"]);
        }
        format!("<?xml version='1.0' encoding='UTF-8'?><ListBucketResult>{text}</ListBucketResult>")
    }
}

fn about(generation: u64) -> [(&'static str, String); 3] {
    let modified = "Thu, 01 Jan 2026 00:00:00 GMT".to_owned();
    [("etag", format!("\"{generation}\"")), ("x-goog-generation", generation.to_string()), ("last-modified", modified)]
}

fn fault(status: StatusCode, code: &str) -> Response {
    (status, format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>.</Message></Error>")).into_response()
}

/// `%2E` as `.`.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let byte = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()).expect("a code of two digits");
        out + &char::from(byte).to_string() + &part[2..]
    })
}

/// A body that begins and never ends.
struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Pending
    }
}

async fn answer(State(held): State<Arc<Mutex<Held>>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut held = held.lock().expect("no test panics while it holds it");
    held.asked += 1;
    let path = decoded(uri.path().trim_start_matches('/'));
    if let Some(denied) = held.denied(&method, &path) {
        return denied;
    }
    let (bucket, name) = path.split_once('/').unwrap_or((&path, ""));
    if name.is_empty() {
        let query = uri.query().unwrap_or_default();
        let prefix = decoded(query.split('&').find_map(|part| part.strip_prefix("prefix=")).unwrap_or_default());
        return held.list(bucket, &prefix).into_response();
    }
    let there = held.objects.get(name).cloned();
    match (method.as_str(), there) {
        ("GET", Some((_, generation))) if held.huge.is_some_and(|part| name.contains(part)) => {
            let length = [("content-length", (10_u64 << 30).to_string())];
            (about(generation), length, axum::body::Body::new(Endless)).into_response()
        }
        ("GET" | "HEAD", Some((bytes, generation))) => (about(generation), bytes).into_response(),
        ("DELETE", Some(_)) => {
            held.objects.remove(name);
            StatusCode::NO_CONTENT.into_response()
        }
        ("PUT", there) => {
            let wanted: Option<u64> = headers.get("x-goog-if-generation-match").and_then(|value| value.to_str().ok()?.parse().ok());
            let now = there.map_or(0, |(_, generation)| generation);
            if !held.careless && wanted.is_some_and(|wanted| wanted != now) {
                return fault(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
            }
            held.generation += 1;
            let generation = held.generation;
            held.objects.insert(name.to_owned(), (body.to_vec(), generation));
            about(generation).into_response()
        }
        _ => fault(StatusCode::NOT_FOUND, "NoSuchKey"),
    }
}
