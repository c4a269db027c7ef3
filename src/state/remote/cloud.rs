//! Buckets of the clouds: S3 and what speaks it, Azure Blob Storage, Google Cloud Storage.
//!
//! Credentials are found the way each cloud's own tools find them (`credentials`); requests go through the same HTTP client
//! as those to a workspace, so that proxies and certificates are configured once.

use std::sync::Arc;
use std::time::Duration;

use object_store::client::{ClientConfigKey, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, RetryConfig, UpdateVersion};

use super::objects::{About, Condition, Locking, Object, ObjectError, Objects, Put, Tag, fits};
use super::place::Bucket;
use crate::client::elsewhere::{is_near, without_tokens};
use crate::client::{BoxFuture, http_client};
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

/// One of our own ways to credentials found none.
#[derive(Debug, thiserror::Error)]
#[error("no credentials: {0}")]
pub(super) struct NoCredentials(pub(super) String);

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
        if lacks_bucket(error) {
            return ObjectError {
                why: format!("{} does not exist", self.place.split('/').take(3).collect::<Vec<_>>().join("/")),
                help: vec!["check its name, its account and its region; Brickform makes no buckets".to_owned()],
                ..Default::default()
            };
        }
        let why = without_tokens(&self.access.secrets.scrub(innermost(error)));
        if !is_about_credentials(error) {
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
    let text = causes(error).map(ToString::to_string).filter(|text| !text.is_empty()).last().unwrap_or_default();
    match (inside(&text, "Code"), inside(&text, "Message")) {
        (Some(code), Some(message)) => format!("{code}: {}", message.lines().next().unwrap_or_default().trim_end_matches('.')),
        (Some(code), None) => code.to_owned(),
        _ => text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().trim_end_matches(':').to_owned(),
    }
}

/// An error and what caused it, the innermost last.
fn causes(error: &object_store::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |cause| cause.source())
}

/// What stands in this element of a store's answer.
fn inside<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{tag}>"))?;
    rest.split_once(&format!("</{tag}>")).map(|(inside, _)| inside.trim())
}

/// Whether it is the bucket that is not there, not an object in it: every cloud has a word for it.
fn lacks_bucket(error: &object_store::Error) -> bool {
    let text = format!("{error:?}");
    ["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"].iter().any(|word| text.contains(word))
}

/// Whether it is about who we are. Never because of the words in an address: a bucket may be called `tokens`.
fn is_about_credentials(error: &object_store::Error) -> bool {
    if matches!(error, object_store::Error::Unauthenticated { .. } | object_store::Error::PermissionDenied { .. }) {
        return true;
    }
    let ours = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<NoCredentials>() || matches!(cause.downcast_ref(), Some(NoAnswer::Metadata(_)))
    };
    if causes(error).any(ours) {
        return true;
    }
    let texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    let said = texts.last().map_or("", String::as_str);
    let status = said.strip_prefix(STATUS).and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
    match status {
        Some(401 | 403) => true,
        Some(408 | 429 | 500..) => false,
        Some(_) => {
            inside(said, "Code").is_some_and(|code| CODES.contains(&code))
                || texts.iter().any(|text| ASKING.iter().any(|start| text.starts_with(start)) || text.contains(MACHINE))
        }
        None => texts.iter().any(|text| LACKING.iter().any(|start| text.starts_with(start))),
    }
}

/// With what the library's text of a refusal begins; then comes the status.
const STATUS: &str = "Server returned non-2xx status code: ";
/// What a store calls credentials that it does not take, where it answers with 400.
const CODES: &[&str] = &["ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAuthenticationInfo", "AuthenticationFailed"];
/// With what the library's text begins where it was a token that was asked for, not the store: Azure's and Google's way, and
/// AWS' security token service, whose address it does not tell.
const ASKING: &[&str] = &["Error performing token request", "Error performing POST REDACTED"];
/// Addresses of a machine's or a container's keeper, which gives it credentials.
const MACHINE: &str = "://169.254.";
/// With what the library's text begins where it found no credentials, or none that it can read.
const LACKING: &[&str] = &[
    "Error reading federated token file",
    "Failed to read token file",
    "Failed to read EKS token file",
    "Invalid AssumeRoleWithWebIdentity response",
    "'az account get-access-token' command failed",
    "Failed to parse azure cli response",
    "Invalid Access Key",
    "Unable to open service account file",
    "Unable to decode service account file",
];

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
            // What the answer's head says of its length is all that comes: the rest is not read.
            fits(name, found.meta.size)?;
            let tag = tag(found.meta.e_tag.as_deref(), found.meta.version.as_deref());
            let bytes = found.bytes().await.map_err(|e| self.error(&e))?.to_vec();
            Ok(Some(Object { bytes, tag }))
        })
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>, condition: Condition) -> BoxFuture<'a, Result<Put, ObjectError>> {
        Box::pin(async move {
            fits(name, bytes.len() as u64)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As the library tells it: what was asked for, then what was answered.
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Asked(&'static str, #[source] Answered);

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Answered(&'static str);

    #[test]
    fn what_is_about_credentials_is_told_by_the_answer_not_by_an_address() {
        for (asked, answered, want) in [
            ("Error performing PUT https://ci-tokens.s3.amazonaws.com/metadata/lease.json", "503 Service Unavailable: slow down", false),
            ("Error performing GET https://credentials.s3.amazonaws.com/x", "400 Bad Request: <Code>InvalidArgument</Code>", false),
            ("Error performing GET https://acme.s3.amazonaws.com/x", "400 Bad Request: <Code>ExpiredToken</Code>", true),
            ("Error performing list request: Error", "403 Forbidden: <Code>AccessDenied</Code>", true),
            ("Error performing POST REDACTED in 1s", "400 Bad Request: <Code>InvalidIdentityToken</Code>", true),
            ("Error performing POST REDACTED in 1s", "503 Service Unavailable: ", false),
            ("Error performing token request: Error", "400 Bad Request: invalid_client", true),
            ("Error performing GET http://169.254.169.254/latest/meta-data/iam/security-credentials/", "404 Not Found: ", true),
        ] {
            let answered = Answered(Box::leak(format!("{STATUS}{answered}").into_boxed_str()));
            let error = object_store::Error::Generic { store: "S3", source: Box::new(Asked(asked, answered)) };
            assert_eq!(is_about_credentials(&error), want, "{error}");
        }
        let of = |source| object_store::Error::Generic { store: "S3", source };
        assert!(is_about_credentials(&of(Box::new(NoCredentials("x".to_owned())))));
        assert!(is_about_credentials(&of(Box::new(Answered("Failed to read token file '/t': not found")))));
        assert!(!is_about_credentials(&of(Box::new(Answered("tokens.example.com does not answer")))));
    }
}
