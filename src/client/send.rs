//! Sending: the driver of [`Retry`] and [`Throttle`] over a transport, with authorization.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::auth::{Credentials, Header, RESOURCE};
use super::elsewhere::SECRET;
use super::retry::{Decision, Limits, Moment, Outcome, Retry};
use super::throttle::{Admit, Throttle};
use super::{ApiError, ApiErrorKind, Options, Reply, Request, RequestBody, Response, SharedTransport, TransportError, agent, reply};
use crate::kinds::Repeat;
use crate::model::{Outside, Scrubber};

/// Sends requests of one workspace.
pub struct Sender {
    transport: SharedTransport,
    credentials: Option<Credentials>,
    outside: Outside,
    limits: Limits,
    agent: String,
    start: Instant,
    seed: AtomicU64,
    requests: AtomicU64,
    /// The server's clock as last seen, seconds since 1970; 0 before the first reply.
    server_seconds: AtomicI64,
    in_flight: Semaphore,
    throttle: Mutex<Throttle>,
    ended: Mutex<BTreeMap<String, Arc<Notify>>>,
}

/// A request with what its sending needs to know.
pub struct Errand<'a> {
    /// The request, without authorization.
    pub request: Request,
    /// The operation, whose limits it shares.
    pub endpoint: &'a str,
    /// Whether it may be sent twice.
    pub repeat: Repeat,
    /// Whether the reply is not JSON.
    pub raw: bool,
}

impl Sender {
    pub fn new(transport: SharedTransport, credentials: Option<Credentials>, outside: &Outside, options: &Options) -> Self {
        let seed = u64::try_from(outside.now().as_nanosecond().rem_euclid(i128::from(u64::MAX))).unwrap_or(0);
        Self {
            agent: agent::user_agent(outside, credentials.as_ref()),
            transport,
            credentials,
            outside: outside.clone(),
            limits: options.limits(),
            start: Instant::now(),
            seed: AtomicU64::new(seed),
            requests: AtomicU64::new(0),
            server_seconds: AtomicI64::new(0),
            in_flight: Semaphore::new(options.parallelism.max(1)),
            throttle: Mutex::new(Throttle::new(options.parallelism)),
            ended: Mutex::new(BTreeMap::new()),
        }
    }

    pub fn host(&self) -> &str {
        self.transport.host()
    }

    /// How long the first wait before a repeat is.
    pub const fn first_wait(&self) -> std::time::Duration {
        self.limits.first_wait
    }

    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub fn server_seconds(&self) -> Option<i64> {
        Some(self.server_seconds.load(Ordering::Relaxed)).filter(|seconds| *seconds > 0)
    }

    /// Sends with authorization. A token that the server no longer takes is renewed once.
    pub async fn send(&self, errand: &Errand<'_>) -> Result<Reply, ApiError> {
        let Some(credentials) = &self.credentials else { return self.attempt(errand, &[]).await };
        let headers = credentials.headers(self).await.map_err(|error| error.of_request(&errand.request))?;
        let result = self.attempt(errand, &headers).await;
        match result {
            Err(error) if error.status == Some(401) && credentials.forget(&headers).await => {
                let headers = credentials.headers(self).await.map_err(|error| error.of_request(&errand.request))?;
                self.attempt(errand, &headers).await
            }
            result => result,
        }
    }

    /// Sends once, without authorization, and gives whatever is answered.
    pub async fn once(&self, request: Request) -> Result<Response, TransportError> {
        let slow = || TransportError { message: format!("{}: no answer", self.host()), may_have_been_sent: true };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let sent = self.transport.send(self.dressed(&request, false, &[]));
        tokio::time::timeout(std::time::Duration::from_secs(20), sent).await.unwrap_or_else(|_| Err(slow()))
    }

    /// The world outside.
    pub const fn outside(&self) -> &Outside {
        &self.outside
    }

    /// The time now, seconds since 1970.
    pub fn now_seconds(&self) -> i64 {
        self.outside.now().as_second()
    }

    /// Sends until the state machine ends it.
    pub async fn attempt(&self, errand: &Errand<'_>, authorization: &[Header]) -> Result<Reply, ApiError> {
        let seed = self.seed.fetch_add(1, Ordering::Relaxed);
        let mut retry = Retry::new(errand.repeat, self.limits, seed);
        let mut last = None;
        loop {
            let slot = self.enter(errand.endpoint).await;
            let mut decision = retry.next(Outcome::Ready, self.moment());
            if let Decision::Send { timeout } = decision {
                let (result, outcome) = self.one_try(errand, authorization, timeout, retry.tries(), slot).await;
                let result = result.map_err(|error| ApiError { tries: retry.tries(), ..error });
                let Some(outcome) = outcome else { return result };
                last = Some(result);
                decision = retry.next(outcome, self.moment());
            }
            match decision {
                Decision::WaitUntil(moment) => tokio::time::sleep_until(self.start + moment).await,
                Decision::Send { .. } => {}
                Decision::GiveUp => return last.expect("giving up follows a try"),
            }
        }
    }

    /// One try: its result, and how it ended where that may be repeated.
    async fn one_try(
        &self,
        errand: &Errand<'_>,
        authorization: &[Header],
        timeout: Moment,
        tries: u32,
        mut slot: Slot<'_>,
    ) -> (Result<Reply, ApiError>, Option<Outcome>) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = self.dressed(&errand.request, errand.raw, authorization);
        let sent = tokio::time::timeout(timeout, self.transport.send(request)).await;
        let answered = sent.unwrap_or_else(|_| {
            Err(TransportError { message: format!("{}: no answer within {} s", self.host(), timeout.as_secs()), may_have_been_sent: true })
        });
        let (result, outcome) = match &answered {
            Ok(response) => {
                let result = reply::read(&errand.request, errand.raw, response);
                let result = result.map_err(|error| without_credentials(error, &errand.request, authorization));
                if let Ok(Reply { server_seconds: Some(seconds), .. }) = &result {
                    self.server_seconds.fetch_max(*seconds, Ordering::Relaxed);
                }
                let outcome = reply::outcome(response, result.as_ref().err(), self.now_seconds());
                (result, outcome)
            }
            Err(error) => {
                (Err(network(&errand.request, error)), Some(if error.may_have_been_sent { Outcome::Lost } else { Outcome::NotSent }))
            }
        };
        log(errand, tries, self.moment().saturating_sub(slot.began), &answered, &result);
        slot.ending = match outcome {
            // However long the server wants this one to wait: the others try again within the budget of a call.
            Some(Outcome::Throttled(after)) => Ending::Throttled(after.unwrap_or(2 * self.limits.first_wait).min(self.limits.budget)),
            Some(Outcome::Lost | Outcome::NotSent) => Ending::Unanswered,
            _ => Ending::Answered,
        };
        (result, outcome)
    }

    fn dressed(&self, request: &Request, raw: bool, authorization: &[Header]) -> Request {
        let mut request = request.clone();
        request.headers.push(("user-agent".to_owned(), self.agent.clone()));
        // A reply that is no JSON (a file) is asked for as it is; errors are JSON all the same.
        let accepted = if raw { "application/octet-stream, application/json" } else { "application/json" };
        request.headers.push(("accept".to_owned(), accepted.to_owned()));
        request.headers.extend(authorization.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())));
        request
    }

    /// Waits until a request of this endpoint may go, then until there is room in all.
    async fn enter<'a>(&'a self, endpoint: &'a str) -> Slot<'a> {
        let ended = self.ended(endpoint);
        loop {
            let admit = self.throttle().admit(endpoint, self.moment());
            match admit {
                Admit::Go => break,
                Admit::At(moment) => tokio::time::sleep_until(self.start + moment).await,
                Admit::Full => ended.notified().await,
            }
        }
        // The window may have grown by more than one: pass the word on.
        if self.throttle().has_room(endpoint) {
            ended.notify_one();
        }
        let mut slot = Slot { sender: self, endpoint, ended, began: self.moment(), ending: Ending::Unanswered, permit: None };
        slot.permit = self.in_flight.acquire().await.ok();
        slot.began = self.moment();
        slot
    }

    fn ended(&self, endpoint: &str) -> Arc<Notify> {
        let mut all = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(endpoint.to_owned()).or_default())
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Endpoints that the server slows down now, with the rate a second where one is kept.
    pub fn throttled(&self) -> Vec<(String, Option<f64>)> {
        let now = self.moment();
        self.throttle().slowed(now)
    }

    fn moment(&self) -> Moment {
        self.start.elapsed()
    }
}

/// The right to have one request in flight; given back when dropped, also where the caller goes away in the middle.
struct Slot<'a> {
    sender: &'a Sender,
    endpoint: &'a str,
    ended: Arc<Notify>,
    began: Moment,
    ending: Ending,
    permit: Option<SemaphorePermit<'a>>,
}

/// What the throttle learns from a try.
#[derive(Clone, Copy)]
enum Ending {
    /// Nothing.
    Unanswered,
    /// The server keeps up.
    Answered,
    /// The server wants less, and a rest.
    Throttled(Moment),
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let now = self.sender.moment();
        {
            let mut throttle = self.sender.throttle();
            match self.ending {
                Ending::Throttled(rest) => throttle.throttled(self.endpoint, self.began, now, rest),
                Ending::Unanswered => throttle.lost(self.endpoint),
                Ending::Answered => throttle.done(self.endpoint),
            }
        }
        self.permit.take();
        self.ended.notify_one();
    }
}

/// The shortest credential that is looked for in the words of a server; what is shorter would take other words apart.
const CREDENTIAL: usize = 8;

/// An error without what the request proved itself with: a server, or a proxy before it, may repeat that.
fn without_credentials(error: ApiError, request: &Request, authorization: &[Header]) -> ApiError {
    let mut scrubber = Scrubber::default();
    let mut learn = |text: &str| (text.len() >= CREDENTIAL).then(|| scrubber.learn(text));
    let given = request.headers.iter().filter(|(name, _)| name == "authorization").map(|(_, value)| value.as_str());
    for value in authorization.iter().filter(|(name, _)| *name != RESOURCE).map(|(_, value)| value.as_str()).chain(given) {
        let value = value.strip_prefix("Bearer ").unwrap_or(value);
        if let Some(pair) = value.strip_prefix("Basic ") {
            learn(pair);
            let pair = STANDARD.decode(pair).ok().and_then(|pair| String::from_utf8(pair).ok()).map(Zeroizing::new);
            if let Some((_, password)) = pair.as_ref().and_then(|pair| pair.split_once(':')) {
                learn(password);
            }
        } else {
            learn(value);
        }
    }
    if let RequestBody::Form(fields) = &request.body {
        fields.iter().filter(|(name, _)| SECRET.contains(&name.as_str())).for_each(|(_, value)| {
            learn(value);
        });
    }
    ApiError {
        message: scrubber.scrub(error.message),
        code: scrubber.scrub(error.code),
        request_id: error.request_id.map(|id| scrubber.scrub(id)),
        ..error
    }
}

/// The error of a try without a response.
fn network(request: &Request, error: &TransportError) -> ApiError {
    let write = !matches!(request.method.as_str(), "GET" | "HEAD");
    ApiError {
        kind: ApiErrorKind::Network,
        status: None,
        code: String::new(),
        message: error.message.clone(),
        request: request.to_string(),
        request_id: None,
        tries: 0,
        may_have_happened: write && error.may_have_been_sent,
    }
}

/// A line a try for `--log`: names, sizes and times; never a header, a query value or a body.
fn log(errand: &Errand<'_>, tries: u32, took: Moment, answered: &Result<Response, TransportError>, result: &Result<Reply, ApiError>) {
    let request_id = match result {
        Ok(reply) => reply.request_id.as_deref(),
        Err(error) => error.request_id.as_deref(),
    };
    let names: Vec<&str> = errand.request.query.iter().map(|(name, _)| name.as_str()).collect();
    tracing::debug!(
        method = errand.request.method,
        path = errand.request.path,
        query = names.join(","),
        body = ?errand.request.body,
        endpoint = errand.endpoint,
        tries,
        millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        status = answered.as_ref().ok().map(|response| response.status),
        bytes = answered.as_ref().ok().map(|response| response.body.len()),
        unanswered = answered.as_ref().err().map(|error| error.message.as_str()),
        request_id,
        "request"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_repeats_of_credentials_is_cut_out() {
        let token = "dapi-0123456789-planted";
        let pair = STANDARD.encode("client-1:a-planted-secret");
        let headers = vec![("authorization".to_owned(), format!("Basic {pair}"))];
        let body = RequestBody::Form(vec![("subject_token".to_owned(), "planted-id-token".to_owned())]);
        let request = Request { method: "POST".to_owned(), path: "/x".to_owned(), query: vec![], headers, body };
        let authorization: Vec<Header> = vec![("authorization", Zeroizing::new(format!("Bearer {token}")))];
        let said = format!("denied {token}, {}, {pair}, a-planted-secret, planted-id-token", STANDARD.encode(token));
        let error = ApiError { message: said, ..network(&request, &TransportError { message: String::new(), may_have_been_sent: false }) };
        let message = without_credentials(error, &request, &authorization).message;
        assert!(message.starts_with("denied (sensitive)"), "{message}");
        assert!(!message.contains("planted") && !message.contains(&pair[..16]) && !message.contains("ZGFwaS0"), "{message}");
    }
}
