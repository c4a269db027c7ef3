//! Azure Blob Storage: where the credentials come from.
//!
//! An access key or a shared access signature in the environment, a client secret, a federated token (what GitHub's OIDC
//! and AKS give), the machine's identity, then whoever is logged in with the `az` program.

use std::sync::Arc;

use object_store::CredentialProvider;
use object_store::azure::{AzureConfigKey, AzureCredential, MicrosoftAzureBuilder};

use super::cloud::{Access, Cloud, connector, host_of, retry};
use super::federation::{Federation, Way};
use super::objects::{About, ObjectError};
use super::place::Bucket;
use crate::client::BoxFuture;
use crate::client::auth::Identity;
use crate::model::Outside;

/// Opens a container.
pub(super) fn open(bucket: &Bucket, environment: &str, outside: &Outside) -> Result<Cloud, ObjectError> {
    let account = bucket.settings.get("account").map(String::as_str).or_else(|| outside.variable("AZURE_STORAGE_ACCOUNT_NAME"));
    let Some(account) = account.or_else(|| outside.variable("AZURE_STORAGE_ACCOUNT")) else {
        return Err(ObjectError {
            why: "the URL names no storage account".to_owned(),
            help: vec![format!("write `az://{}/{}?account=NAME`", bucket.name, bucket.prefix)],
            ..Default::default()
        });
    };
    let endpoint = bucket.settings.get("endpoint").map(String::as_str).or_else(|| outside.variable("AZURE_STORAGE_ENDPOINT"));
    let host = endpoint.and_then(host_of).unwrap_or_default();
    let mut builder = MicrosoftAzureBuilder::new();
    let mut known = vec![];
    for (name, value) in outside.variables.iter().filter(|(name, value)| name.starts_with("AZURE_") && !value.is_empty()) {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AzureConfigKey>() {
            known.extend(is_credential(key).then_some((key, name.as_str())));
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
            known.extend(is_credential(key).then_some((key, name)));
            builder = builder.with_config(key, value);
        }
    }
    let whole = ["AZURE_TENANT_ID", "ARM_TENANT_ID"].iter().any(|name| outside.variable(name).is_some())
        && ["AZURE_CLIENT_ID", "ARM_CLIENT_ID"].iter().any(|name| outside.variable(name).is_some());
    let needs_whole = |key: AzureConfigKey| matches!(key, AzureConfigKey::ClientSecret | AzureConfigKey::FederatedTokenFile);
    if let Some((_, name)) = known.iter().find(|(key, _)| needs_whole(*key) && !whole) {
        return Err(ObjectError {
            why: format!("{name} is set, but with it the client and its tenant have to be known"),
            help: vec!["set AZURE_CLIENT_ID and AZURE_TENANT_ID (or ARM_CLIENT_ID and ARM_TENANT_ID) as well".to_owned()],
            about: About::Credentials,
        });
    }
    for (name, key) in [("IDENTITY_ENDPOINT", AzureConfigKey::MsiEndpoint), ("MSI_ENDPOINT", AzureConfigKey::MsiEndpoint)] {
        if let Some(value) = outside.variable(name) {
            builder = builder.with_config(key, value);
        }
    }
    let asked = outside.variable("ARM_USE_MSI").is_some_and(|value| value == "true");
    let managed = asked || ["IDENTITY_ENDPOINT", "MSI_ENDPOINT"].iter().any(|name| outside.variable(name).is_some());
    let github = github(outside).filter(|_| known.is_empty());
    let federated = github.is_some();
    if let Some(way) = github {
        builder = builder.with_credentials(Arc::new(Exchanged(Federation::new(outside, way)?)));
    } else if known.is_empty() && !managed {
        builder = builder.with_use_azure_cli(true);
    }
    // In the order in which the store takes them.
    known.sort_by_key(|(key, _)| ORDER.iter().position(|first| first == key));
    let credentials = match known.first() {
        Some((_, name)) => format!("{name} of the environment"),
        None if federated => "GitHub's identity of this run, exchanged for the client of AZURE_CLIENT_ID or ARM_CLIENT_ID".to_owned(),
        None if managed => "the machine's managed identity".to_owned(),
        None => "whoever is logged in with the `az` program".to_owned(),
    };
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint.to_owned()).with_allow_http(crate::client::is_loopback(&host));
    }
    let builder =
        builder.with_account(account).with_container_name(&bucket.name).with_retry(retry()).with_http_connector(connector(outside, &host)?);
    let store = builder.build().map_err(|error| ObjectError { why: error.to_string(), help: help(), ..Default::default() })?;
    Ok(Cloud::new("az", bucket, environment, Arc::new(store), Access::new(credentials, help(), outside)))
}

/// The exchange of GitHub's token, where this is a run of GitHub's that may ask for one, and a client is named.
fn github(outside: &Outside) -> Option<Way> {
    let either = |first: &str, second: &str| outside.variable(first).or_else(|| outside.variable(second)).map(str::to_owned);
    Some(Way::ToAzure {
        identity: Identity::github(outside).ok()?,
        authority: outside.variable("AZURE_AUTHORITY_HOST").unwrap_or("https://login.microsoftonline.com").to_owned(),
        tenant: either("AZURE_TENANT_ID", "ARM_TENANT_ID")?,
        client: either("AZURE_CLIENT_ID", "ARM_CLIENT_ID")?,
    })
}

/// Gives a store the tokens of an exchange.
#[derive(Debug)]
struct Exchanged(Federation);

impl CredentialProvider for Exchanged {
    type Credential = AzureCredential;

    fn get_credential<'a, 'f>(&'a self) -> BoxFuture<'f, object_store::Result<Arc<AzureCredential>>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let token = self.0.token().await;
            let failed = |error| object_store::Error::Generic { store: "az", source: Box::new(error) };
            token.map(|token| Arc::new(AzureCredential::BearerToken(token))).map_err(failed)
        })
    }
}

/// What says who we are, first what is taken first.
const ORDER: [AzureConfigKey; 5] = [
    AzureConfigKey::Token,
    AzureConfigKey::AccessKey,
    AzureConfigKey::FederatedTokenFile,
    AzureConfigKey::ClientSecret,
    AzureConfigKey::SasKey,
];

fn is_credential(key: AzureConfigKey) -> bool {
    ORDER.contains(&key)
}

fn help() -> Vec<String> {
    vec![
        "credentials are looked for in AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN, AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE and AZURE_TENANT_ID (or their ARM_ names), GitHub's identity of a run with `id-token: write` for such a client, the machine's managed identity (in a container or function, or with ARM_USE_MSI=true), then `az login`".to_owned(),
        "the role `Storage Blob Data Contributor` on the container is enough".to_owned(),
    ]
}
