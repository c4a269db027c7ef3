//! Google Cloud Storage: where the credentials come from.
//!
//! A service account's key (a file or the text itself), the application default credentials that `gcloud` writes, then the
//! machine's identity.

use std::sync::Arc;

use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};

use super::cloud::{Cloud, connector, host_of, retry};
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
    if let Some(text) = outside.variable("GOOGLE_CREDENTIALS") {
        builder = if text.trim_start().starts_with('{') {
            builder.with_service_account_key(text)
        } else {
            builder.with_service_account_path(outside.path(text).display().to_string())
        };
    } else if let Some(path) = outside.variable("GOOGLE_APPLICATION_CREDENTIALS") {
        builder = builder.with_application_credentials(outside.path(path).display().to_string());
    } else if let Some(path) =
        outside.home().map(|home| home.join(".config/gcloud/application_default_credentials.json")).filter(|p| p.is_file())
    {
        builder = builder.with_application_credentials(path.display().to_string());
    }
    if let Some(endpoint) = endpoint {
        builder = builder.with_base_url(endpoint);
        if crate::client::is_loopback(&host) {
            // An emulator on this machine knows no Google account.
            builder = builder.with_skip_signature(true);
        }
    }
    let builder = builder.with_bucket_name(&bucket.name).with_retry(retry()).with_http_connector(connector(outside, &host)?);
    let store = builder.build().map_err(|error| ObjectError { why: error.to_string(), help: help() })?;
    Ok(Cloud::new("gs", bucket, environment, Arc::new(store), help()))
}

fn help() -> Vec<String> {
    vec![
        "credentials are looked for in GOOGLE_CREDENTIALS, GOOGLE_APPLICATION_CREDENTIALS, what `gcloud auth application-default login` wrote, then the machine's identity".to_owned(),
        "the role `Storage Object User` on the bucket is enough".to_owned(),
    ]
}
