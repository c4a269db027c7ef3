//! A live host over HTTPS (reqwest, rustls).

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Certificate, NoProxy, Proxy, Url, redirect};

use super::{BoxFuture, Request, RequestBody, Response, Transport, TransportError};
use crate::model::url::masked_host;
use crate::model::{Outside, bounded};

/// A live host. The HTTP client is built at the first request, so that commands which send nothing need no certificates.
pub struct Live {
    host: String,
    base: Url,
    settings: Settings,
    http: OnceLock<Result<reqwest::Client, LiveError>>,
}

/// What of the world outside matters.
struct Settings {
    proxies: Vec<(&'static str, String)>,
    no_proxy: Option<String>,
    certificates: Option<std::path::PathBuf>,
}

/// A host cannot be talked to at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// It is no URL, or plain HTTP to another machine.
    #[error("the host `{host}` {why}")]
    Host {
        /// The host.
        host: String,
        /// What is wrong.
        why: String,
    },
    /// The certificates cannot be read.
    #[error("the certificates of SSL_CERT_FILE ({file}) cannot be used: {why}")]
    Certificates {
        /// The file.
        file: String,
        /// The cause.
        why: String,
    },
    /// The proxy is no URL.
    #[error("the proxy of {variable} cannot be used: {why}")]
    Proxy {
        /// The environment variable.
        variable: &'static str,
        /// The cause.
        why: String,
    },
    /// The HTTP client cannot be built.
    #[error("no TLS: {0}")]
    Tls(String),
}

impl Live {
    /// A host as [`super::auth::resolve`] gives it: `https://...`; `http` only for loopback. Proxies
    /// (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) and `SSL_CERT_FILE` are taken from `outside`.
    ///
    /// # Errors
    /// [`LiveError::Host`].
    pub fn new(host: &str, outside: &Outside) -> Result<Self, LiveError> {
        let fail = |why: String| LiveError::Host { host: masked_host(host).into_owned(), why };
        let base = Url::parse(host).map_err(|why| fail(format!("is no URL: {why}")))?;
        let name = base.host_str().unwrap_or_default();
        if base.scheme() != "https" && !(base.scheme() == "http" && is_loopback(name)) {
            return Err(fail("is not https (http is for loopback only)".to_owned()));
        }
        let settings = Settings {
            proxies: if is_loopback(name) { vec![] } else { proxies(outside, base.scheme()) },
            no_proxy: first(outside, &["NO_PROXY", "no_proxy"]).map(|(_, value)| value),
            certificates: outside.variable("SSL_CERT_FILE").map(|file| outside.path(file)),
        };
        Ok(Self { host: host.trim_end_matches('/').to_owned(), base, settings, http: OnceLock::new() })
    }

    fn http(&self) -> Result<&reqwest::Client, TransportError> {
        let built = self.http.get_or_init(|| build(&self.settings));
        built.as_ref().map_err(|error| TransportError { message: error.to_string(), may_have_been_sent: false })
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let builder = self.prepare(self.http()?, request)?;
        let answer = builder.send().await.map_err(|error| self.failure(&error, !(error.is_connect() || error.is_builder())))?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let body = self.body(answer).await?;
        Ok(Response { status, headers, body })
    }

    /// The bytes of an answer, as far as its size allows: nothing fills the memory.
    async fn body(&self, mut answer: reqwest::Response) -> Result<Vec<u8>, TransportError> {
        let too_large = |size: u64| TransportError {
            message: format!("{}: the answer is too large: {}", self.host, bounded::sizes(size, bounded::RECORD)),
            may_have_been_sent: true,
        };
        if let Some(size) = answer.content_length().filter(|size| *size > bounded::RECORD) {
            return Err(too_large(size));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.failure(&error, true))? {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > bounded::RECORD {
                return Err(too_large(body.len() as u64));
            }
        }
        Ok(body)
    }

    fn prepare(&self, http: &reqwest::Client, request: Request) -> Result<reqwest::RequestBuilder, TransportError> {
        let unsendable = |why: String| TransportError { message: format!("{}: {why}", self.host), may_have_been_sent: false };
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).map_err(|why| unsendable(why.to_string()))?;
        let mut url = self.base.clone();
        url.set_path(&request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut builder = http.request(method, url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        Ok(match request.body {
            RequestBody::Empty => builder,
            RequestBody::Json(text) => builder.header("content-type", "application/json").body(text),
            RequestBody::Form(fields) => builder.form(&fields),
            RequestBody::Bytes(bytes) => builder.header("content-type", "application/octet-stream").body(bytes),
        })
    }

    /// What happened to the connection, with the host and without the URL's query.
    fn failure(&self, error: &reqwest::Error, may_have_been_sent: bool) -> TransportError {
        // The innermost cause says what happened; what is around it says only that it did.
        let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
        let why = causes.last().map(ToString::to_string).unwrap_or_default();
        let why = why.split(" (os error").next().unwrap_or_default();
        let why = if why.is_empty() { "the connection failed" } else { why };
        TransportError { message: format!("{}: {why}", self.host), may_have_been_sent }
    }
}

impl Transport for Live {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.exchange(request))
    }

    fn host(&self) -> &str {
        &self.host
    }
}

/// Whether a host's name can only be this machine.
#[must_use]
pub fn is_loopback(name: &str) -> bool {
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn first(outside: &Outside, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| outside.variable(name).map(|value| (*name, value.to_owned())))
}

fn proxies(outside: &Outside, scheme: &str) -> Vec<(&'static str, String)> {
    let names: &[&'static str] = if scheme == "https" {
        &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    } else {
        &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    };
    first(outside, names).into_iter().collect()
}

fn build(settings: &Settings) -> Result<reqwest::Client, LiveError> {
    install_provider();
    let tls = |error: &reqwest::Error| LiveError::Tls(cause_of(error));
    let builder = || -> Result<reqwest::ClientBuilder, LiveError> {
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(20))
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_keepalive(Duration::from_secs(30));
        for (variable, proxy) in &settings.proxies {
            // The value may hold a password: the message names the variable only.
            let proxy = Proxy::all(proxy.as_str()).map_err(|_| LiveError::Proxy { variable, why: "it is no URL".to_owned() })?;
            builder = builder.proxy(proxy.no_proxy(settings.no_proxy.as_deref().and_then(NoProxy::from_string)));
        }
        Ok(builder)
    };
    if let Some(file) = &settings.certificates {
        let fail = |why: String| LiveError::Certificates { file: file.display().to_string(), why };
        let pem = std::fs::read(file).map_err(|why| fail(why.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|why| fail(cause_of(&why)))?;
        if certificates.is_empty() {
            return Err(fail("it holds no certificate".to_owned()));
        }
        return builder()?.tls_certs_only(certificates).build().map_err(|why| fail(cause_of(&why)));
    }
    // The system's own roots; where it has none (a bare container), the ones we carry.
    match builder()?.build() {
        Ok(client) => Ok(client),
        Err(_) => builder()?.tls_backend_preconfigured(bundled_roots()).build().map_err(|why| tls(&why)),
    }
}

/// An HTTP client for another service than a workspace, with the same proxies and certificates. `host` is where it goes: this
/// machine is reached without a proxy.
///
/// # Errors
/// [`LiveError`].
pub fn http_client(outside: &Outside, host: &str) -> Result<reqwest::Client, LiveError> {
    build(&Settings {
        proxies: if is_loopback(host) { vec![] } else { proxies(outside, "https") },
        no_proxy: first(outside, &["NO_PROXY", "no_proxy"]).map(|(_, value)| value),
        certificates: outside.variable("SSL_CERT_FILE").map(|file| outside.path(file)),
    })
}

fn install_provider() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Another library of the process may have been first: then its provider is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn bundled_roots() -> rustls::ClientConfig {
    let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect::<rustls::RootCertStore>();
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

fn cause_of(error: &reqwest::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::client::testing;

    fn request(path: &str) -> Request {
        Request {
            method: "POST".into(),
            path: path.into(),
            query: vec![("a b".into(), "c&d".into())],
            headers: vec![("x-test".into(), "1".into())],
            body: RequestBody::Json("{}".into()),
        }
    }

    #[test]
    fn only_loopback_may_be_plain() {
        let outside = testing::outside(&[]);
        for (host, good) in [
            ("https://x.net", true),
            ("http://127.0.0.1:1", true),
            ("http://localhost", true),
            ("http://[::1]:8080", true),
            ("http://x.net", false),
            ("http://localhost.x.net", false),
            ("x.net", false),
        ] {
            assert_eq!(Live::new(host, &outside).is_ok(), good, "{host}");
        }
    }

    #[tokio::test]
    async fn a_refused_connection_was_never_sent() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let live = Live::new(&format!("http://127.0.0.1:{port}"), &testing::outside(&[])).unwrap();
        let error = live.send(request("/a")).await.expect_err("nobody listens");
        assert!(!error.may_have_been_sent, "{error}");
        assert!(error.message.contains("127.0.0.1"), "{error}");
    }

    #[tokio::test]
    async fn an_answer_that_would_fill_the_memory_is_not_read() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live = Live::new(&format!("http://{}", listener.local_addr().unwrap()), &testing::outside(&[])).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n").await.unwrap();
            // The rest never comes: whoever waited for it would wait for ever.
            std::future::pending::<()>().await;
        });
        let error = tokio::time::timeout(Duration::from_secs(60), live.send(request("/a"))).await.unwrap().expect_err("it is too large");
        assert!(error.message.ends_with("the answer is too large: 10240.0 MiB of at most 1024.0 MiB"), "{error}");
    }

    #[tokio::test]
    async fn sends_as_given_and_sees_a_cut_connection() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live =
            Live::new(&format!("http://{}", listener.local_addr().unwrap()), &testing::outside(&[("HTTP_PROXY", "http://127.0.0.1:1")]))
                .unwrap();
        let server = tokio::spawn(async move {
            let (mut first, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 4096];
            let n = first.read(&mut buffer).await.unwrap();
            let seen = String::from_utf8_lossy(&buffer[..n]).into_owned();
            first.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-Request-Id: r\r\nconnection: close\r\n\r\n{}").await.unwrap();
            drop(first);
            let (mut second, _) = listener.accept().await.unwrap();
            let _ = second.read(&mut buffer).await.unwrap();
            drop(second);
            seen
        });
        let response = live.send(request("/a/b%2Fc")).await.unwrap();
        assert_eq!((response.status, response.header("x-request-id"), response.body.as_slice()), (200, Some("r"), &b"{}"[..]));
        let error = live.send(request("/a")).await.expect_err("cut");
        assert!(error.may_have_been_sent, "{error}");
        let seen = server.await.unwrap();
        assert!(seen.starts_with("POST /a/b%2Fc?a+b=c%26d HTTP/1.1\r\n"), "{seen}");
        assert!(seen.contains("x-test: 1") && seen.contains("content-type: application/json"), "{seen}");
    }

    #[test]
    fn certificates_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "no certificate").unwrap();
        let outside = testing::outside(&[("SSL_CERT_FILE", file.to_str().unwrap())]);
        let live = Live::new("https://x.invalid", &outside).unwrap();
        assert!(live.http().expect_err("no certificate").message.contains("ca.pem"));
    }

    #[test]
    fn bundled_roots_stand_in() {
        install_provider();
        assert!(reqwest::Client::builder().tls_backend_preconfigured(bundled_roots()).build().is_ok());
    }
}
