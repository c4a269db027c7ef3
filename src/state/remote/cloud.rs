//! Buckets of the clouds: S3 and what speaks it, Azure Blob Storage, Google Cloud Storage.
//!
//! Credentials are found the way each cloud's own tools find them (`credentials`); requests go through the same HTTP client
//! as those to a workspace, so that proxies and certificates are configured once.

use std::sync::Arc;
use std::time::Duration;

use object_store::client::{HttpClient, HttpConnector};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, RetryConfig, UpdateVersion};

use super::objects::{Condition, Locking, Object, ObjectError, Objects, Put, Tag};
use super::place::Bucket;
use crate::client::{BoxFuture, http_client};
use crate::model::Outside;

/// A folder of a bucket.
pub(super) struct Cloud {
    place: String,
    prefix: Path,
    store: Arc<dyn ObjectStore>,
    /// What to do when the store refuses us.
    help: Vec<String>,
}

/// Gives every store our own HTTP client.
#[derive(Debug)]
pub(super) struct Ours(pub(super) reqwest::Client);

impl HttpConnector for Ours {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
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
    http_client(outside, host).map(Ours).map_err(|error| ObjectError::new(error.to_string()))
}

impl Cloud {
    /// A bucket through a store that knows its credentials. `scheme`: as in the URL; `environment`: the last part of the
    /// folder.
    pub(super) fn new(scheme: &str, bucket: &Bucket, environment: &str, store: Arc<dyn ObjectStore>, help: Vec<String>) -> Self {
        let folder = [bucket.prefix.as_str(), environment].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        Self { place: format!("{scheme}://{}/{folder}", bucket.name), prefix: Path::from(folder), store, help }
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.prefix))
    }

    /// What a store said, in one line and without what it was asked with.
    fn error(&self, error: &object_store::Error) -> ObjectError {
        use object_store::Error;
        let why = innermost(error);
        let refused = matches!(error, Error::Unauthenticated { .. } | Error::PermissionDenied { .. });
        ObjectError { why, help: if refused || is_about_credentials(error) { self.help.clone() } else { vec![] } }
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

/// The first line of the innermost cause that says anything.
fn innermost(error: &object_store::Error) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |cause| cause.source());
    let texts: Vec<String> = causes.map(ToString::to_string).filter(|text| !text.is_empty()).collect();
    let text = texts.last().cloned().unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
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

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Object>, ObjectError>> {
        Box::pin(async move {
            let found = match self.store.get(&self.path(name)).await {
                Ok(found) => found,
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
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
            match self.store.put_opts(&self.path(name), PutPayload::from(bytes), PutOptions::from(mode)).await {
                Ok(done) => Ok(Put::Done(tag(done.e_tag.as_deref(), done.version.as_deref()))),
                Err(
                    object_store::Error::AlreadyExists { .. }
                    | object_store::Error::Precondition { .. }
                    // An object that was deleted has no version that could be the same.
                    | object_store::Error::NotFound { .. },
                ) => Ok(Put::Refused),
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
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
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
