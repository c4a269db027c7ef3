//! Stand-ins for tests: a world outside, a transport that follows a script.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::{BoxFuture, Request, Response, Transport, TransportError};
use crate::model::{CommandOutput, Outside, System};

struct Still;

impl System for Still {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn run(&self, _: &str, _: &[&str], _: &Path) -> io::Result<CommandOutput> {
        Err(io::Error::other("no programs in tests"))
    }
}

/// A world with these environment variables, at the beginning of 1970.
pub fn outside(variables: &[(&str, &str)]) -> Outside {
    Outside {
        variables: Arc::new(variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()),
        folder: "/".into(),
        system: Arc::new(Still),
    }
}

/// What a scripted server does with one request.
pub type Answer = Result<Response, TransportError>;

/// A good or bad response of JSON text.
#[expect(clippy::unnecessary_wraps, reason = "an answer beside `cut`")]
pub fn json(status: u16, body: &str) -> Answer {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned()), ("x-databricks-org-id".to_owned(), "42".to_owned())];
    Ok(Response { status, headers, body: body.as_bytes().to_vec() })
}

/// A response with one header more.
pub fn with_header(answer: Answer, name: &str, value: &str) -> Answer {
    answer.map(|mut response| {
        response.headers.push((name.to_owned(), value.to_owned()));
        response
    })
}

/// No response.
pub fn cut(may_have_been_sent: bool) -> Answer {
    Err(TransportError { message: "cut".to_owned(), may_have_been_sent })
}

type Handler = Box<dyn Fn(&Request) -> Answer + Send + Sync>;

/// A server that is a function; it keeps the requests that it saw.
pub struct Scripted {
    handler: Handler,
    /// The requests, in order.
    pub seen: Mutex<Vec<Request>>,
}

impl Scripted {
    /// Answers by a function.
    pub fn by(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { handler: Box::new(handler), seen: Mutex::new(vec![]) })
    }

    /// Answers one after the other; more requests than answers fail the test.
    pub fn answers(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let queue: Mutex<VecDeque<Answer>> = Mutex::new(answers.into_iter().collect());
        Self::by(move |request| queue.lock().unwrap().pop_front().unwrap_or_else(|| panic!("one request too many: {request}")))
    }

    /// `GET /path?a=b` of each request.
    pub fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let line = |request: &Request| {
            let query: Vec<String> = request.query.iter().map(|(k, v)| format!("{k}={v}")).collect();
            format!("{request}{}{}", if query.is_empty() { "" } else { "?" }, query.join("&"))
        };
        seen.iter().map(line).collect()
    }
}

impl Transport for Scripted {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let answer = (self.handler)(&request);
        self.seen.lock().unwrap().push(request);
        Box::pin(async move { answer })
    }

    fn host(&self) -> &'static str {
        "https://test.net"
    }
}

/// Other services on loopback: every request is answered by a function, and kept as it came.
pub struct StandIn {
    /// `http://127.0.0.1:PORT`.
    pub host: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    /// Answers by a function of the request's text; none: never.
    pub fn by(answer: impl Fn(&str) -> Option<(u16, String)> + Send + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let host = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut silent = vec![];
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&mut stream);
                log.lock().unwrap().push(request.clone());
                let Some((status, body)) = answer(&request) else {
                    silent.push(stream);
                    continue;
                };
                // What stores of objects say of one besides.
                let object = "etag: \"1\"\r\nx-goog-generation: 1\r\nlast-modified: Sat, 21 Nov 2026 08:00:00 GMT";
                let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{object}\r\nconnection: close");
                let _ = io::Write::write_all(&mut stream, format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes());
            }
        });
        Self { host, asked }
    }

    /// Answers with these bodies, by the beginning of the request; 404 to anything else.
    pub fn of(answers: &'static [(&'static str, &'static str)]) -> Self {
        Self::by(move |request| {
            let found = answers.iter().find(|(line, _)| request.starts_with(line));
            Some(found.map_or((404, String::new()), |(_, body)| (200, (*body).to_owned())))
        })
    }

    /// The last request.
    pub fn last(&self) -> String {
        self.asked().pop().unwrap_or_default()
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &mut std::net::TcpStream) -> String {
    let (mut bytes, mut buffer) = (vec![], [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match io::Read::read(stream, &mut buffer) {
            Ok(0) | Err(_) => return text,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
