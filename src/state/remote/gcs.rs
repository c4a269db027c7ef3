//! Google Cloud Storage: where the credentials come from.
//!
//! A service account's key (a file or the text itself), a federated identity (`external_account`, what GitHub's action for
//! Google writes), the application default credentials that `gcloud` writes, then the
//! machine's identity.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{CredentialProvider, StaticCredentialProvider};

use super::cloud::{Access, Cloud, connector, host_of, retry};
use super::federation::{Federation, Way};
use super::objects::{About, ObjectError};
use super::place::Bucket;
use crate::client::BoxFuture;
use crate::client::auth::External;
use crate::model::{Outside, bounded};

/// Opens a bucket.
pub(super) fn open(bucket: &Bucket, environment: &str, outside: &Outside) -> Result<Cloud, ObjectError> {
    let endpoint = bucket.settings.get("endpoint").map(String::as_str).or_else(|| outside.variable("STORAGE_EMULATOR_HOST"));
    let host = endpoint.and_then(host_of).unwrap_or_default();
    let mut builder = GoogleCloudStorageBuilder::new();
    for (name, value) in outside.variables.iter().filter(|(name, value)| name.starts_with("GOOGLE_") && !value.is_empty()) {
        if let Ok(key) = name.to_ascii_lowercase().parse::<GoogleConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    let (mut credentials, text) = found(outside)?;
    if let Some((text, variable)) = text {
        match sort(&text).as_deref() {
            Some("external_account") => {
                let fail = |why| ObjectError {
                    why: format!("the federated identity of {variable}: {why}"),
                    help: help(),
                    about: About::Credentials,
                };
                let way = Way::ToGoogle(External::read(&text, outside).map_err(fail)?);
                builder = builder.with_credentials(Arc::new(Exchanged(Federation::new(outside, way)?)));
                credentials.push_str(", a federated identity");
            }
            Some("authorized_user") => {
                // The library reads these from a file only.
                builder = builder.with_application_credentials(variable.path()?);
            }
            Some("service_account") => builder = builder.with_service_account_key(text),
            other => return Err(unusable(&variable, other)),
        }
    }
    if let Some(endpoint) = endpoint {
        builder = builder.with_base_url(endpoint);
        if crate::client::is_loopback(&host) && !credentials.ends_with("a federated identity") {
            // An emulator on this machine knows no Google account. (A store that skips the signature asks for one all the
            // same when it writes.)
            let nobody = GcpCredential { bearer: "emulator".to_owned() };
            builder = builder.with_credentials(Arc::new(StaticCredentialProvider::new(nobody)));
            "none: the endpoint is this machine".clone_into(&mut credentials);
        }
    }
    let builder = builder.with_bucket_name(&bucket.name).with_retry(retry()).with_http_connector(connector(outside, &host)?);
    let store = builder.build().map_err(|error| ObjectError { why: error.to_string(), help: help(), ..Default::default() })?;
    Ok(Cloud::new("gs", bucket, environment, Arc::new(store), Access::new(credentials, help(), outside)))
}

/// Where credentials were found.
enum Where {
    /// In the variable itself.
    Variable(&'static str),
    /// In a file that it names, or that `gcloud` wrote.
    File(PathBuf),
}

impl std::fmt::Display for Where {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Where {
    fn path(&self) -> Result<String, ObjectError> {
        match self {
            Self::File(path) => Ok(path.display().to_string()),
            Self::Variable(name) => Err(ObjectError {
                why: format!("{name} holds a person's credentials"),
                help: vec!["give the path of the file that `gcloud auth application-default login` wrote, not its text".to_owned()],
                about: About::Credentials,
            }),
        }
    }
}

/// What is used, as it is told, and its text with where that was; none for the machine's own identity.
fn found(outside: &Outside) -> Result<(String, Option<(String, Where)>), ObjectError> {
    let read = |path: PathBuf, told: &str| {
        let text = bounded::text(&path, bounded::CREDENTIALS).map_err(|error| ObjectError {
            why: format!("{}, {told}, cannot be read: {error}", path.display()),
            help: vec!["name a file that is there, or unset the variable".to_owned()],
            about: About::Credentials,
        })?;
        Ok((format!("{}, {told}", path.display()), Some((text, Where::File(path)))))
    };
    // The SDKs' variable for it holds a path or the key itself.
    if let Some(text) = outside.variable("GOOGLE_CREDENTIALS") {
        if text.trim_start().starts_with('{') {
            let told = "GOOGLE_CREDENTIALS of the environment".to_owned();
            return Ok((told, Some((text.to_owned(), Where::Variable("GOOGLE_CREDENTIALS")))));
        }
        return read(outside.path(text), "which GOOGLE_CREDENTIALS names");
    }
    if let Some(path) = outside.variable("GOOGLE_APPLICATION_CREDENTIALS") {
        return read(outside.path(path), "which GOOGLE_APPLICATION_CREDENTIALS names");
    }
    let default = outside.home().map(|home| home.join(".config/gcloud/application_default_credentials.json"));
    if let Some(path) = default.filter(|path| path.is_file()) {
        return read(path, "which `gcloud auth application-default login` wrote");
    }
    let machine = "the machine's service account: there is nothing in the environment and nobody is logged in with `gcloud`";
    Ok((machine.to_owned(), None))
}

/// Of which sort credentials are. Nothing of them is ever repeated.
fn sort(text: &str) -> Option<String> {
    serde_json::from_str::<serde_json::Value>(text).ok()?.get("type")?.as_str().map(str::to_owned)
}

fn unusable(found: &Where, sort: Option<&str>) -> ObjectError {
    let why = match sort {
        Some(sort) => format!("{found} holds credentials of the type `{sort}`, which a state cannot use"),
        None => format!("{found} holds no credentials of Google's: JSON with a `type`"),
    };
    let help = "use a service account's key, a federated identity (`external_account`) or `gcloud auth application-default login`";
    ObjectError { why, help: vec![help.to_owned()], about: About::Credentials }
}

/// Gives a store the tokens of an exchange.
#[derive(Debug)]
struct Exchanged(Federation);

impl CredentialProvider for Exchanged {
    type Credential = GcpCredential;

    fn get_credential<'a, 'f>(&'a self) -> BoxFuture<'f, object_store::Result<Arc<GcpCredential>>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let failed = |error| object_store::Error::Generic { store: "gs", source: Box::new(error) };
            self.0.token().await.map(|bearer| Arc::new(GcpCredential { bearer })).map_err(failed)
        })
    }
}

fn help() -> Vec<String> {
    vec![
        "credentials are looked for in GOOGLE_CREDENTIALS, GOOGLE_APPLICATION_CREDENTIALS, what `gcloud auth application-default login` wrote, then the machine's identity".to_owned(),
        "the role `Storage Object User` on the bucket is enough".to_owned(),
    ]
}
