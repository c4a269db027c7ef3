//! Google Cloud Storage: where the credentials come from.
//!
//! A service account's key (a file or the text itself), the application default credentials that `gcloud` writes, then the
//! machine's identity.

use std::sync::Arc;

use object_store::StaticCredentialProvider;
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};

use super::cloud::{Access, Cloud, connector, host_of, retry};
use super::objects::ObjectError;
use super::place::Bucket;
use crate::model::Outside;

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
    // The SDKs' variable for it holds a path or the key itself.
    let mut credentials = if let Some(text) = outside.variable("GOOGLE_CREDENTIALS") {
        if text.trim_start().starts_with('{') {
            check(text, "GOOGLE_CREDENTIALS")?;
            builder = builder.with_service_account_key(text);
        } else {
            builder = builder.with_service_account_path(readable(outside, text, "GOOGLE_CREDENTIALS")?);
        }
        "GOOGLE_CREDENTIALS of the environment".to_owned()
    } else if let Some(path) = outside.variable("GOOGLE_APPLICATION_CREDENTIALS") {
        builder = builder.with_application_credentials(readable(outside, path, "GOOGLE_APPLICATION_CREDENTIALS")?);
        "the file that GOOGLE_APPLICATION_CREDENTIALS names".to_owned()
    } else if let Some(path) =
        outside.home().map(|home| home.join(".config/gcloud/application_default_credentials.json")).filter(|p| p.is_file())
    {
        builder = builder.with_application_credentials(path.display().to_string());
        "what `gcloud auth application-default login` wrote".to_owned()
    } else {
        "the machine's service account: there is nothing in the environment and nobody is logged in with `gcloud`".to_owned()
    };
    if let Some(endpoint) = endpoint {
        builder = builder.with_base_url(endpoint);
        if crate::client::is_loopback(&host) {
            // An emulator on this machine knows no Google account. (A store that skips the signature asks for one all the
            // same when it writes.)
            let nobody = GcpCredential { bearer: "emulator".to_owned() };
            builder = builder.with_credentials(Arc::new(StaticCredentialProvider::new(nobody)));
            "none: the endpoint is this machine".clone_into(&mut credentials);
        }
    }
    let builder = builder.with_bucket_name(&bucket.name).with_retry(retry()).with_http_connector(connector(outside, &host)?);
    let store = builder.build().map_err(|error| ObjectError { why: error.to_string(), help: help() })?;
    Ok(Cloud::new("gs", bucket, environment, Arc::new(store), Access { credentials, help: help() }))
}

/// The path of a file of credentials, if it is one.
fn readable(outside: &Outside, path: &str, variable: &str) -> Result<String, ObjectError> {
    let path = outside.path(path).display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| ObjectError { why: format!("the file {path} that {variable} names cannot be read: {error}"), help: vec![] })?;
    check(&text, variable)?;
    Ok(path)
}

/// What is in it is never repeated: only whether it is of a sort that can be used.
fn check(text: &str, variable: &str) -> Result<(), ObjectError> {
    let fail = |why: String, help: &str| Err(ObjectError { why, help: vec![help.to_owned()] });
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        return fail(format!("{variable} holds no JSON"), "it is the path of a key file, or for GOOGLE_CREDENTIALS the text of one");
    };
    match value.get("type").and_then(|sort| sort.as_str()) {
        Some("service_account" | "authorized_user") | None => Ok(()),
        Some(other) => fail(
            format!("{variable} holds credentials of the type `{other}`, which the state cannot use"),
            "use a service account's key or `gcloud auth application-default login`",
        ),
    }
}

fn help() -> Vec<String> {
    vec![
        "credentials are looked for in GOOGLE_CREDENTIALS, GOOGLE_APPLICATION_CREDENTIALS, what `gcloud auth application-default login` wrote, then the machine's identity".to_owned(),
        "the role `Storage Object User` on the bucket is enough".to_owned(),
    ]
}
