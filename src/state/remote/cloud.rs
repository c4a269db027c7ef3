//! Buckets of the clouds: S3 and what speaks it, Azure Blob Storage, Google Cloud Storage.
//!
//! Credentials are found the way each cloud's own tools find them (`credentials`); requests go through the same HTTP client
//! as those to a workspace, so that proxies and certificates are configured once.

use std::sync::Arc;
use std::time::Duration;

use object_store::client::{ClientConfigKey, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, RetryConfig, UpdateVersion};

use super::objects::{About, Condition, Locking, Object, ObjectError, Objects, Put, Tag};
use super::place::Bucket;
use crate::client::elsewhere::without_tokens;
use crate::client::{BoxFuture, http_client, is_loopback};
use crate::model::{Outside, Scrubber};

/// A folder of a bucket.
pub(super) struct Cloud {
    place: String,
    prefix: Path,
    store: Arc<dyn ObjectStore>,
    access: Access,
}

/// How a bucket is got into.
pub(super) struct Access {
    /// Which credentials are used, and where they came from, never their value: `AWS_ACCESS_KEY_ID of the environment`.
    pub(super) credentials: String,
    /// What to do when the store refuses us.
    pub(super) help: Vec<String>,
    /// What a store may not have repeated.
    secrets: Scrubber,
}

impl Access {
    /// By these credentials; `outside`: whose variables may hold them.
    pub(super) fn new(credentials: String, help: Vec<String>, outside: &Outside) -> Self {
        let of_cloud = |name: &str| ["AWS_", "AZURE_", "ARM_", "GOOGLE_"].iter().any(|start| name.starts_with(start));
        let is_secret = |name: &str| ["SECRET", "TOKEN", "KEY", "PASSWORD"].iter().any(|end| name.ends_with(end));
        let mut secrets = Scrubber::default();
        for (_, value) in outside.variables.iter().filter(|(name, value)| of_cloud(name) && is_secret(name) && value.len() >= 8) {
            secrets.learn(value);
        }
        Self { credentials, help, secrets }
    }
}

/// How long a store may take to begin its answer.
const ANSWER: Duration = Duration::from_secs(20);
/// How long the address where a cloud tells its machines who they are may take. Elsewhere nobody answers there.
const METADATA: Duration = Duration::from_secs(2);

/// Gives every store our own HTTP client, with an end to each request.
#[derive(Debug)]
pub(super) struct Ours {
    usual: reqwest::Client,
    /// Without a proxy: a machine asks itself who it is.
    direct: reqwest::Client,
}

impl HttpConnector for Ours {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        // Those of the metadata address are the only ones that are given another time to connect.
        let connect = |options: &ClientOptions| options.get_config_value(&ClientConfigKey::ConnectTimeout);
        let metadata = connect(options) != connect(&ClientOptions::new());
        Ok(HttpClient::new(if metadata {
            Ended { client: self.direct.clone(), limit: METADATA, metadata }
        } else {
            Ended { client: self.usual.clone(), limit: ANSWER, metadata }
        }))
    }
}

/// An HTTP client whose requests end.
#[derive(Debug)]
struct Ended {
    client: reqwest::Client,
    limit: Duration,
    metadata: bool,
}

#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("{0} does not answer")]
    Late(String),
    #[error("{0} is asked over HTTPS only: plain HTTP is for this machine")]
    Plain(String),
    #[error("no credentials were found: this machine is none of the cloud's either ({0} does not answer)")]
    Metadata(String),
}

impl HttpService for Ended {
    fn call<'a, 'f>(&'a self, request: HttpRequest) -> BoxFuture<'f, Result<HttpResponse, HttpError>>
    where
        'a: 'f,
        Self: 'f,
    {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let plain = request.uri().scheme_str() == Some("http");
        Box::pin(async move {
            if plain && !self.metadata && !is_near(&host) {
                return Err(HttpError::new(HttpErrorKind::Unknown, NoAnswer::Plain(host)));
            }
            match (tokio::time::timeout(self.limit, self.client.call(request)).await, self.metadata) {
                (Ok(Ok(answer)), _) => Ok(answer),
                // Not tried again: where nobody is, nobody will be.
                (_, true) => Err(HttpError::new(HttpErrorKind::Unknown, NoAnswer::Metadata(host))),
                (Ok(Err(error)), false) => Err(error),
                (Err(_), false) => Err(HttpError::new(HttpErrorKind::Timeout, NoAnswer::Late(host))),
            }
        })
    }
}

/// Whether a host is this machine, or an address that only its own container's or machine's keeper has.
fn is_near(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    is_loopback(host) || address.is_ok_and(|address| matches!(address, std::net::IpAddr::V4(v4) if v4.is_link_local()))
}

/// How requests are sent and tried again: a lost lease must be noticed long before a store gives up by itself.
pub(super) fn retry() -> RetryConfig {
    RetryConfig { max_retries: 4, retry_timeout: Duration::from_secs(20), ..RetryConfig::default() }
}

/// The host of an endpoint.
pub(super) fn host_of(url: &str) -> Option<String> {
    reqwest::Url::parse(url).ok()?.host_str().map(str::to_owned)
}

/// The HTTP client for a store.
pub(super) fn connector(outside: &Outside, host: &str) -> Result<Ours, ObjectError> {
    let made = |host: &str| http_client(outside, host).map_err(|error| ObjectError::new(error.to_string()));
    Ok(Ours { usual: made(host)?, direct: made("localhost")? })
}

impl Cloud {
    /// A bucket through a store that knows its credentials. `scheme`: as in the URL; `environment`: the last part of the
    /// folder.
    pub(super) fn new(scheme: &str, bucket: &Bucket, environment: &str, store: Arc<dyn ObjectStore>, access: Access) -> Self {
        let folder = [bucket.prefix.as_str(), environment].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        Self { place: format!("{scheme}://{}/{folder}", bucket.name), prefix: Path::from(folder), store, access }
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.prefix))
    }

    /// What a store said, in one line and without what it was asked with.
    fn error(&self, error: &object_store::Error) -> ObjectError {
        use object_store::Error;
        if lacks_bucket(error) {
            return ObjectError {
                why: format!("{} does not exist", self.place.split('/').take(3).collect::<Vec<_>>().join("/")),
                help: vec!["check its name, its account and its region; Brickform makes no buckets".to_owned()],
                ..Default::default()
            };
        }
        let why = without_tokens(&self.access.secrets.scrub(innermost(error)));
        let refused = matches!(error, Error::Unauthenticated { .. } | Error::PermissionDenied { .. });
        if !refused && !is_about_credentials(error) {
            return ObjectError::new(why);
        }
        let mut help = vec![format!("credentials used: {}", self.access.credentials)];
        help.extend(self.access.help.iter().cloned());
        ObjectError { why, help, about: About::Credentials }
    }

    async fn names(&self, folder: Path) -> Result<Vec<String>, ObjectError> {
        let mut found = vec![];
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            let listed = self.store.list_with_delimiter(Some(&folder)).await.map_err(|e| self.error(&e))?;
            folders.extend(listed.common_prefixes);
            let under = format!("{}/", self.prefix);
            found.extend(listed.objects.iter().filter_map(|object| object.location.as_ref().strip_prefix(&under).map(str::to_owned)));
        }
        found.sort();
        Ok(found)
    }
}

/// The innermost cause that says anything, in one line: a store's own code and message where it gave them.
fn innermost(error: &object_store::Error) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |cause| cause.source());
    let texts: Vec<String> = causes.map(ToString::to_string).filter(|text| !text.is_empty()).collect();
    let text = texts.last().cloned().unwrap_or_default();
    let inside = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        rest.split_once(&format!("</{tag}>")).map(|(inside, _)| inside.trim().to_owned())
    };
    match (inside("Code"), inside("Message")) {
        (Some(code), Some(message)) => format!("{code}: {}", message.lines().next().unwrap_or_default().trim_end_matches('.')),
        (Some(code), None) => code,
        _ => text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().trim_end_matches(':').to_owned(),
    }
}

/// Whether it is the bucket that is not there, not an object in it: every cloud has a word for it.
fn lacks_bucket(error: &object_store::Error) -> bool {
    let text = format!("{error:?}");
    ["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"].iter().any(|word| text.contains(word))
}

fn is_about_credentials(error: &object_store::Error) -> bool {
    let text = format!("{error:?}").to_ascii_lowercase();
    ["credential", "metadata", "token", "accessdenied", "authentication"].iter().any(|word| text.contains(word))
}

impl Objects for Cloud {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn locking(&self) -> Locking {
        Locking::Tags
    }

    fn credentials(&self) -> Option<String> {
        Some(self.access.credentials.clone())
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Object>, ObjectError>> {
        Box::pin(async move {
            let found = match self.store.get(&self.path(name)).await {
                Ok(found) => found,
                Err(error @ object_store::Error::NotFound { .. }) if !lacks_bucket(&error) => return Ok(None),
                Err(error) => return Err(self.error(&error)),
            };
            let tag = tag(found.meta.e_tag.as_deref(), found.meta.version.as_deref());
            let bytes = found.bytes().await.map_err(|e| self.error(&e))?.to_vec();
            Ok(Some(Object { bytes, tag }))
        })
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>, condition: Condition) -> BoxFuture<'a, Result<Put, ObjectError>> {
        Box::pin(async move {
            let mode = match condition {
                Condition::Absent => PutMode::Create,
                Condition::Same(tag) => PutMode::Update(version(&tag)),
            };
            let creates = mode == PutMode::Create;
            match self.store.put_opts(&self.path(name), PutPayload::from(bytes), PutOptions::from(mode)).await {
                Ok(done) => Ok(Put::Done(tag(done.e_tag.as_deref(), done.version.as_deref()))),
                Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(Put::Refused),
                // An object that was deleted has no version that could be the same.
                Err(error @ object_store::Error::NotFound { .. }) if !creates && !lacks_bucket(&error) => Ok(Put::Refused),
                Err(error) => Err(self.error(&error)),
            }
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, ObjectError>> {
        Box::pin(self.names(self.path(prefix)))
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        Box::pin(async move {
            match self.store.delete(&self.path(name)).await {
                Ok(()) => Ok(()),
                Err(error @ object_store::Error::NotFound { .. }) if !lacks_bucket(&error) => Ok(()),
                Err(error) => Err(self.error(&error)),
            }
        })
    }
}

/// Some stores tell versions by etag (S3, Azure), one by generation (Google): both are kept and handed back.
fn tag(etag: Option<&str>, version: Option<&str>) -> Tag {
    Tag(format!("{}\n{}", etag.unwrap_or_default(), version.unwrap_or_default()))
}

fn version(tag: &Tag) -> UpdateVersion {
    let (etag, version) = tag.0.split_once('\n').unwrap_or((&tag.0, ""));
    let some = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    UpdateVersion { e_tag: some(etag), version: some(version) }
}
