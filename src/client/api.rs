//! Calls of the catalogue over a transport, with auth, retry, throttle and paging.

use std::sync::Arc;
use std::time::Duration;

use super::me::Me;
use super::page::{Pages, join};
use super::request::{build, never_sent};
use super::retry::Limits;
use super::send::{Errand, Sender};
use super::{ApiError, ApiErrorKind, Request, RequestBody, SharedTransport};
use crate::catalogue::{self, Operation, Paging};
use crate::kinds::{Call, Repeat};
use crate::model::{Outside, Value};

/// How the client behaves.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Most requests in flight.
    pub parallelism: usize,
    /// Seconds for one try.
    pub timeout_seconds: u64,
    /// Seconds for all tries of one call.
    pub retry_seconds: u64,
    /// Milliseconds of the first wait before a repeat where the server names none; it doubles with each try.
    pub first_wait_millis: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { parallelism: 64, timeout_seconds: 60, retry_seconds: 300, first_wait_millis: 500 }
    }
}

impl Options {
    /// The same as limits of the retry machine.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            budget: Duration::from_secs(self.retry_seconds),
            try_timeout: Duration::from_secs(self.timeout_seconds.max(1)),
            first_wait: Duration::from_millis(self.first_wait_millis),
            ..Limits::default()
        }
    }
}

/// What a call answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The JSON body; an empty map where there was none.
    pub body: Value,
    /// The body itself, of an operation that answers something else than JSON; else empty.
    pub bytes: Vec<u8>,
    /// The server's clock (`date` header), seconds since 1970.
    pub server_seconds: Option<i64>,
    /// The server's request id.
    pub request_id: Option<String>,
    /// `x-databricks-org-id`.
    pub org_id: Option<String>,
}

/// A client of one workspace. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    sender: Arc<Sender>,
}

impl Client {
    /// A client over a transport. `auth`: where tokens come from; none for the embedded workspace.
    #[must_use]
    pub fn new(transport: SharedTransport, auth: Option<super::auth::Credentials>, outside: &Outside, options: Options) -> Self {
        Self { sender: Arc::new(Sender::new(transport, auth, outside, &options)) }
    }

    /// One call. Retries by its [`crate::kinds::Repeat`]: a create is never repeated blindly.
    ///
    /// # Errors
    /// [`ApiError`] after all tries; also where a value inside is unknown or secret without a value (never sent).
    pub async fn call(&self, call: &Call) -> Result<Reply, ApiError> {
        self.call_operation(operation(call)?, call).await
    }

    /// One call of an operation that is at hand.
    async fn call_operation(&self, operation: &Operation, call: &Call) -> Result<Reply, ApiError> {
        let request = build(operation, call)?;
        self.sender.send(&Errand { request, endpoint: operation.name, repeat: call.repeat, raw: operation.raw_reply }).await
    }

    /// One call that sends these bytes as its body, such as the upload of a file.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn upload(&self, call: &Call, bytes: Vec<u8>) -> Result<Reply, ApiError> {
        let operation = operation(call)?;
        let request = Request { body: RequestBody::Bytes(bytes), ..build(operation, call)? };
        self.sender.send(&Errand { request, endpoint: operation.name, repeat: call.repeat, raw: operation.raw_reply }).await
    }

    /// One object that may come in pages (`jobs.get`): `token` is the query parameter that takes the reply's
    /// `next_page_token`; lists of the reply and of its member `wrap` are joined. The token is not in the result.
    ///
    /// # Errors
    /// [`ApiError`], of any page.
    pub async fn read_pages(&self, call: &Call, token: &str, wrap: &str) -> Result<Reply, ApiError> {
        self.read_pages_of(operation(call)?, call, token, wrap).await
    }

    async fn read_pages_of(&self, operation: &Operation, call: &Call, token: &str, wrap: &str) -> Result<Reply, ApiError> {
        let mut whole = self.call_operation(operation, call).await?;
        let mut next = take_token(&mut whole.body);
        let mut seen = std::collections::BTreeSet::new();
        while let Some(text) = next {
            if !seen.insert(text.clone()) {
                return Err(bad_list(operation, "the server gave the same page token twice".to_owned()));
            }
            let mut further = call.clone();
            further.query.insert(token.to_owned(), Value::Text(text));
            let mut page = self.call_operation(operation, &further).await?;
            next = take_token(&mut page.body);
            join(&mut whole.body, page.body, wrap);
        }
        Ok(whole)
    }

    /// All items of a list, over all its pages, in the server's order.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn list(&self, call: &Call) -> Result<Vec<Value>, ApiError> {
        let mut list = self.pages(call)?;
        let mut items = Vec::new();
        while let Some(page) = list.next().await? {
            items.extend(page);
        }
        Ok(items)
    }

    /// The pages of a list, one by one, for those who may stop early.
    ///
    /// # Errors
    /// The operation is not known.
    pub fn pages(&self, call: &Call) -> Result<List, ApiError> {
        let operation = operation(call)?;
        let paging = operation.paging.clone().ok_or_else(|| never_sent(call.op.to_owned(), &format!("`{}` is no list", call.op)))?;
        Ok(self.pages_of(operation, paging, call))
    }

    fn pages_of(&self, operation: &'static Operation, paging: Paging, call: &Call) -> List {
        List { client: self.clone(), operation, pages: Pages::new(call.clone(), paging) }
    }

    /// The workspace's id, and who calls (user name or application id).
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiErrorKind::BadReply`] where the answer names neither, as a proxy's would.
    pub async fn whoami(&self) -> Result<(String, String), ApiError> {
        self.me().await.map(|me| (me.workspace, me.name))
    }

    /// Who calls, with the groups that the workspace says they are in.
    ///
    /// # Errors
    /// As [`Client::whoami`].
    pub async fn me(&self) -> Result<Me, ApiError> {
        let request = Request {
            method: "GET".into(),
            path: "/api/2.0/preview/scim/v2/Me".into(),
            query: vec![],
            headers: vec![],
            body: RequestBody::Empty,
        };
        let named = request.to_string();
        let reply = self.sender.send(&Errand { request, endpoint: "iam.current_user.me", repeat: Repeat::Safe, raw: false }).await?;
        let who = ["userName", "applicationId", "displayName"].iter().find_map(|name| reply.body.get(name)?.as_str());
        match (&reply.org_id, who) {
            (Some(id), Some(who)) => Ok(Me::of(id, who, &reply.body)),
            (id, _) => {
                let missing = if id.is_none() { "the header x-databricks-org-id" } else { "userName" };
                let message = format!("the answer lacks {missing}: is {} a workspace?", self.host());
                Err(ApiError {
                    kind: ApiErrorKind::BadReply,
                    status: Some(200),
                    message,
                    request_id: reply.request_id,
                    tries: 1,
                    ..never_sent(named, "")
                })
            }
        }
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> String {
        self.sender.host().to_owned()
    }

    /// The server's clock as its answers told it last, seconds since 1970; none before the first.
    #[must_use]
    pub fn server_seconds(&self) -> Option<i64> {
        self.sender.server_seconds()
    }

    /// Waits before something is looked at again: as long as before the first repeat of a call, twice that the next time.
    pub async fn pause(&self, look: u32) {
        tokio::time::sleep(self.sender.first_wait() * 2_u32.saturating_pow(look)).await;
    }

    /// Endpoints that the workspace slows down now, with the rate a second where one is kept.
    #[must_use]
    pub fn throttled(&self) -> Vec<(String, Option<f64>)> {
        self.sender.throttled()
    }

    /// How many requests were sent so far, tries included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.sender.requests()
    }
}

/// A list that is read page by page.
pub struct List {
    client: Client,
    operation: &'static Operation,
    pages: Pages,
}

impl List {
    /// The next page; none after the last. A page may be empty.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn next(&mut self) -> Result<Option<Vec<Value>>, ApiError> {
        let Some(call) = self.pages.next_call() else { return Ok(None) };
        let reply = self.client.call_operation(self.operation, call).await?;
        self.pages.take(reply.body).map(Some).map_err(|why| bad_list(self.operation, why))
    }
}

fn operation(call: &Call) -> Result<&'static Operation, ApiError> {
    catalogue::operation(call.op).ok_or_else(|| never_sent(call.op.to_owned(), &format!("the catalogue has no operation `{}`", call.op)))
}

fn take_token(body: &mut Value) -> Option<String> {
    let token = body.as_map_mut()?.shift_remove("next_page_token")?;
    token.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn bad_list(operation: &Operation, why: String) -> ApiError {
    let request = format!("{} {}", operation.method, operation.path);
    ApiError { kind: ApiErrorKind::BadReply, message: why, status: Some(200), tries: 1, ..never_sent(request, "") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Body, Members};
    use crate::client::auth::Credentials;
    use crate::client::testing::{self, Answer, Scripted, cut, json, with_header};
    use crate::model::Map;

    fn operation(method: &str, paging: Option<Paging>) -> &'static Operation {
        Box::leak(Box::new(Operation {
            name: "test.things.op",
            service: "test",
            method: method.into(),
            path: "/api/2.0/things".into(),
            path_params: vec![],
            query: Members::new(),
            body: if method == "GET" { Body::None } else { Body::Members(Members::new()) },
            response: None,
            item: None,
            result: None,
            paging,
            waiter: None,
            raw_reply: false,
        }))
    }

    fn call(repeat: Repeat) -> Call {
        Call { op: "test.things.op", path: Map::new(), query: Map::new(), body: None, why: "test", repeat }
    }

    fn client(server: &Arc<Scripted>, auth: Option<Credentials>) -> Client {
        let options = Options { first_wait_millis: 1, ..Options::default() };
        Client::new(Arc::<Scripted>::clone(server) as SharedTransport, auth, &testing::outside(&[("GITHUB_ACTIONS", "true")]), options)
    }

    #[tokio::test]
    async fn repeats_what_may_be_repeated() {
        let ok = || json(200, "{}");
        let slow = || with_header(json(429, "{}"), "retry-after", "0");
        for (repeat, answers, tries, good) in [
            (Repeat::Safe, vec![cut(true), cut(false), json(502, ""), slow(), ok()], 5, true),
            (Repeat::AfterLookup, vec![slow(), cut(false), ok()], 3, true),
            (Repeat::AfterLookup, vec![with_header(json(503, "{}"), "retry-after", "0"), ok()], 1, false),
            (Repeat::AfterLookup, vec![slow(), cut(true)], 2, false),
            (Repeat::AfterLookup, vec![json(503, "{}")], 1, false),
            (Repeat::AfterLookup, vec![json(500, "{}")], 1, false),
            (Repeat::Safe, vec![json(400, "{}")], 1, false),
        ] {
            let server = Scripted::answers(answers);
            let client = client(&server, None);
            let result = client.call_operation(operation("POST", None), &call(repeat)).await;
            assert_eq!(result.is_ok(), good);
            assert_eq!(client.requests(), tries);
            if let Err(error) = result {
                assert_eq!(u64::from(error.tries), tries);
                assert_eq!(error.request, "POST /api/2.0/things");
                assert_eq!(error.may_have_happened, error.status != Some(400));
            }
        }
    }

    #[tokio::test]
    async fn lists_all_pages() {
        let paging = Paging::Token { in_body: false, param: "page_token".into(), from: "next_page_token".into(), items: "things".into() };
        let server =
            Scripted::answers([json(200, r#"{"things":[1],"next_page_token":"t"}"#), json(429, "{}"), json(200, r#"{"things":[2]}"#)]);
        let client = client(&server, None);
        let mut pages = client.pages_of(operation("GET", Some(paging.clone())), paging, &call(Repeat::Safe));
        let mut items = vec![];
        while let Some(page) = pages.next().await.unwrap() {
            items.extend(page);
        }
        assert_eq!(items, [Value::Int(1), Value::Int(2)]);
        assert_eq!(server.lines(), ["GET /api/2.0/things", "GET /api/2.0/things?page_token=t", "GET /api/2.0/things?page_token=t"]);
    }

    #[tokio::test]
    async fn joins_pages_of_one_object() {
        let server = Scripted::answers([
            json(200, r#"{"id":1,"settings":{"tasks":[1]},"next_page_token":"t"}"#),
            json(200, r#"{"id":1,"settings":{"tasks":[2],"job_clusters":[]}}"#),
        ]);
        let reply =
            client(&server, None).read_pages_of(operation("GET", None), &call(Repeat::Safe), "page_token", "settings").await.unwrap();
        assert_eq!(format!("{:?}", reply.body), r#"{"id": 1, "settings": {"tasks": [1, 2], "job_clusters": []}}"#);
    }

    #[tokio::test]
    async fn asks_who_it_is() {
        let server = Scripted::answers([json(200, r#"{"userName":"a@b.c"}"#)]);
        let client = client(&server, Some(Credentials::token("dapi-planted")));
        assert_eq!(client.whoami().await.unwrap(), ("42".to_owned(), "a@b.c".to_owned()));
        let seen = server.seen.lock().unwrap();
        let header = |name: &str| seen[0].headers.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone());
        assert_eq!(header("authorization").as_deref(), Some("Bearer dapi-planted"));
        assert_eq!(
            header("user-agent"),
            Some(format!("brickform/{} os/{} auth/pat cicd/github", env!("CARGO_PKG_VERSION"), std::env::consts::OS))
        );
        assert!(!format!("{:?}", seen[0]).contains("planted"));
    }

    /// A workspace with OAuth: each token fetched has its number; `good` says which are taken.
    fn oauth(expires_in: u64, good: fn(&str) -> bool) -> Arc<Scripted> {
        let fetched = std::sync::atomic::AtomicU64::new(0);
        Scripted::by(move |request| -> Answer {
            let authorization = request.headers.iter().find(|(k, _)| k == "authorization").map_or("", |(_, v)| v.as_str());
            match request.path.as_str() {
                "/oidc/.well-known/oauth-authorization-server" => json(200, r#"{"token_endpoint":"https://test.net/oidc/v1/token"}"#),
                "/oidc/v1/token" if authorization == "Basic aWQ6c2VjcmV0" => {
                    let n = fetched.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    json(200, &format!(r#"{{"access_token":"t{n}","token_type":"Bearer","expires_in":{expires_in}}}"#))
                }
                "/oidc/v1/token" => json(401, r#"{"error":"invalid_client","error_description":"no such client"}"#),
                _ if good(authorization) => json(200, "{}"),
                _ => json(401, r#"{"error_code":"UNAUTHENTICATED","message":"expired"}"#),
            }
        })
    }

    #[tokio::test]
    async fn fetches_one_token_for_many_callers_and_renews_it() {
        let server = oauth(3600, |_| true);
        let one = client(&server, Some(Credentials::machine("id", "secret")));
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let one = one.clone();
            calls.spawn(async move { one.call_operation(operation("GET", None), &call(Repeat::Safe)).await.is_ok() });
        }
        assert!(calls.join_all().await.into_iter().all(|good| good));
        assert_eq!(one.requests(), 22, "{:?}", server.lines());

        let server = oauth(0, |_| true);
        let two = client(&server, Some(Credentials::machine("id", "secret")));
        for _ in 0..2 {
            two.call_operation(operation("GET", None), &call(Repeat::Safe)).await.unwrap();
        }
        assert_eq!(two.requests(), 6, "an expired token is not used");
    }

    #[tokio::test]
    async fn a_token_that_is_not_taken_is_renewed_once() {
        let server = oauth(3600, |authorization| authorization == "Bearer t1");
        let good = client(&server, Some(Credentials::machine("id", "secret")));
        assert!(good.call_operation(operation("POST", None), &call(Repeat::AfterLookup)).await.is_ok());
        let server = oauth(3600, |_| false);
        let bad = client(&server, Some(Credentials::machine("id", "secret")));
        let error = bad.call_operation(operation("POST", None), &call(Repeat::AfterLookup)).await.expect_err("never taken");
        assert_eq!((error.kind, bad.requests()), (ApiErrorKind::Unauthenticated, 6));
    }

    #[tokio::test]
    async fn a_wrong_secret_is_an_error_without_it() {
        let server = oauth(3600, |_| true);
        let error = client(&server, Some(Credentials::machine("id", "planted")))
            .call_operation(operation("POST", None), &call(Repeat::AfterLookup))
            .await
            .expect_err("wrong secret");
        assert_eq!((error.kind, error.may_have_happened), (ApiErrorKind::Unauthenticated, false));
        assert_eq!(error.message, "no token by oauth-m2m (client id) for https://test.net: 401 invalid_client: no such client");
    }
}
