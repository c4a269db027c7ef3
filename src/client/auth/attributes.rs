//! The attributes of the unified authentication: file keys, environment variables, which sort of authentication each
//! belongs to. Names and sorts as in the official SDKs.

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name; the key in a profile file and in an environment's `workspace:`.
    pub name: &'static str,
    /// Its environment variables, the first wins.
    pub variables: &'static [&'static str],
    /// Never shown.
    pub secret: bool,
    /// The sort of authentication that it configures; attributes of two sorts are in conflict.
    pub group: Option<&'static str>,
}

const fn plain(name: &'static str, variables: &'static [&'static str]) -> Attribute {
    Attribute { name, variables, secret: false, group: None }
}

const fn of(group: &'static str, attribute: Attribute) -> Attribute {
    Attribute { group: Some(group), ..attribute }
}

const fn secret(group: &'static str, name: &'static str, variables: &'static [&'static str]) -> Attribute {
    Attribute { name, variables, secret: true, group: Some(group) }
}

/// All attributes that matter here or that say which sort of authentication is meant.
pub const ATTRIBUTES: &[Attribute] = &[
    plain("host", &["DATABRICKS_HOST"]),
    secret("pat", "token", &["DATABRICKS_TOKEN"]),
    of("oauth-m2m", plain("client_id", &["DATABRICKS_CLIENT_ID"])),
    secret("oauth-m2m", "client_secret", &["DATABRICKS_CLIENT_SECRET"]),
    plain("auth_type", &["DATABRICKS_AUTH_TYPE"]),
    plain("profile", &["DATABRICKS_CONFIG_PROFILE"]),
    plain("config_file", &["DATABRICKS_CONFIG_FILE"]),
    plain("account_id", &["DATABRICKS_ACCOUNT_ID"]),
    plain("workspace_id", &["DATABRICKS_WORKSPACE_ID"]),
    of("basic", plain("username", &["DATABRICKS_USERNAME"])),
    secret("basic", "password", &["DATABRICKS_PASSWORD"]),
    secret("metadata-service", "metadata_service_url", &["DATABRICKS_METADATA_SERVICE_URL"]),
    plain("databricks_cli_path", &["DATABRICKS_CLI_PATH"]),
    of("env-oidc", plain("oidc_token_env", &["DATABRICKS_OIDC_TOKEN_ENV"])),
    of("file-oidc", plain("oidc_token_filepath", &["DATABRICKS_OIDC_TOKEN_FILEPATH", "DATABRICKS_OIDC_TOKEN_FILE"])),
    plain("token_audience", &["DATABRICKS_TOKEN_AUDIENCE"]),
    of("azure", plain("azure_workspace_resource_id", &["DATABRICKS_AZURE_RESOURCE_ID"])),
    of("azure", plain("azure_use_msi", &["ARM_USE_MSI"])),
    of("azure", plain("azure_client_id", &["ARM_CLIENT_ID"])),
    secret("azure", "azure_client_secret", &["ARM_CLIENT_SECRET"]),
    of("azure", plain("azure_tenant_id", &["ARM_TENANT_ID"])),
    plain("azure_environment", &["ARM_ENVIRONMENT"]),
    of("google", plain("google_service_account", &["DATABRICKS_GOOGLE_SERVICE_ACCOUNT"])),
    secret("google", "google_credentials", &["GOOGLE_CREDENTIALS"]),
    plain("cluster_id", &["DATABRICKS_CLUSTER_ID"]),
    plain("warehouse_id", &["DATABRICKS_WAREHOUSE_ID"]),
    plain("serverless_compute_id", &["DATABRICKS_SERVERLESS_COMPUTE_ID"]),
    plain("discovery_url", &["DATABRICKS_DISCOVERY_URL"]),
    plain("cloud", &["DATABRICKS_CLOUD"]),
    plain("rate_limit", &["DATABRICKS_RATE_LIMIT"]),
    plain("debug_headers", &["DATABRICKS_DEBUG_HEADERS"]),
    plain("debug_truncate_bytes", &["DATABRICKS_DEBUG_TRUNCATE_BYTES"]),
    plain("http_timeout_seconds", &[]),
    plain("retry_timeout_seconds", &[]),
    plain("skip_verify", &[]),
    plain("scopes", &[]),
];

/// The attribute of this name; the Go SDK's spellings are read too.
pub fn attribute(name: &str) -> Option<&'static Attribute> {
    let name = match name {
        "databricks_id_token_filepath" => "oidc_token_filepath",
        "audience" => "token_audience",
        name => name,
    };
    ATTRIBUTES.iter().find(|attribute| attribute.name == name)
}
