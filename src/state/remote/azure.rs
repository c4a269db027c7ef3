//! Azure Blob Storage: where the credentials come from.
//!
//! An access key or a shared access signature in the environment, a client secret, a federated token (what GitHub's OIDC
//! and AKS give), the machine's identity, then whoever is logged in with the `az` program.

use std::sync::Arc;

use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};

use super::cloud::{Cloud, connector, host_of, retry};
use super::objects::ObjectError;
use super::place::Bucket;
use crate::model::Outside;

/// Opens a container.
pub(super) fn open(bucket: &Bucket, environment: &str, outside: &Outside) -> Result<Cloud, ObjectError> {
    let account = bucket.settings.get("account").map(String::as_str).or_else(|| outside.variable("AZURE_STORAGE_ACCOUNT_NAME"));
    let Some(account) = account.or_else(|| outside.variable("AZURE_STORAGE_ACCOUNT")) else {
        return Err(ObjectError {
            why: "the URL names no storage account".to_owned(),
            help: vec![format!("write `az://{}/{}?account=NAME`", bucket.name, bucket.prefix)],
        });
    };
    let endpoint = bucket.settings.get("endpoint").map(String::as_str).or_else(|| outside.variable("AZURE_STORAGE_ENDPOINT"));
    let host = endpoint.and_then(host_of).unwrap_or_default();
    let mut builder = MicrosoftAzureBuilder::new();
    let mut known = false;
    for (name, value) in outside.variables.iter().filter(|(name, value)| name.starts_with("AZURE_") && !value.is_empty()) {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AzureConfigKey>() {
            known |= is_credential(key);
            builder = builder.with_config(key, value);
        }
    }
    // Terraform's and the Databricks SDKs' names for the same.
    let named = [
        ("ARM_CLIENT_ID", AzureConfigKey::ClientId),
        ("ARM_CLIENT_SECRET", AzureConfigKey::ClientSecret),
        ("ARM_TENANT_ID", AzureConfigKey::AuthorityId),
        ("ARM_ACCESS_KEY", AzureConfigKey::AccessKey),
        ("ARM_SAS_TOKEN", AzureConfigKey::SasKey),
        ("ARM_OIDC_TOKEN_FILE_PATH", AzureConfigKey::FederatedTokenFile),
    ];
    for (name, key) in named {
        if let Some(value) = outside.variable(name) {
            known |= is_credential(key);
            builder = builder.with_config(key, value);
        }
    }
    let managed = ["IDENTITY_ENDPOINT", "MSI_ENDPOINT"].iter().any(|name| outside.variable(name).is_some());
    if !known && !managed {
        builder = builder.with_use_azure_cli(true);
    }
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint.to_owned()).with_allow_http(crate::client::is_loopback(&host));
    }
    let builder =
        builder.with_account(account).with_container_name(&bucket.name).with_retry(retry()).with_http_connector(connector(outside, &host)?);
    let store = builder.build().map_err(|error| ObjectError { why: error.to_string(), help: help() })?;
    Ok(Cloud::new("az", bucket, environment, Arc::new(store), help()))
}

fn is_credential(key: AzureConfigKey) -> bool {
    matches!(
        key,
        AzureConfigKey::AccessKey
            | AzureConfigKey::SasKey
            | AzureConfigKey::ClientSecret
            | AzureConfigKey::FederatedTokenFile
            | AzureConfigKey::Token
    )
}

fn help() -> Vec<String> {
    vec![
        "credentials are looked for in AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN, AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE and AZURE_TENANT_ID (or their ARM_ names), the machine's identity, then `az login`".to_owned(),
        "the role `Storage Blob Data Contributor` on the container is enough".to_owned(),
    ]
}
