//! The attributes of the unified authentication: file keys, environment variables, which sort of authentication each
//! belongs to. Names as in the official SDKs.

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name; the key in a profile file and in an environment's `workspace:`.
    pub name: &'static str,
    /// Its environment variables, the first wins.
    pub variables: &'static [&'static str],
    /// Never shown.
    pub secret: bool,
}

const fn plain(name: &'static str, variables: &'static [&'static str]) -> Attribute {
    Attribute { name, variables, secret: false }
}

const fn secret(name: &'static str, variables: &'static [&'static str]) -> Attribute {
    Attribute { name, variables, secret: true }
}

/// All attributes that matter here or that say which sort of authentication is meant.
pub const ATTRIBUTES: &[Attribute] = &[
    plain("host", &["DATABRICKS_HOST"]),
    secret("token", &["DATABRICKS_TOKEN"]),
    plain("client_id", &["DATABRICKS_CLIENT_ID"]),
    secret("client_secret", &["DATABRICKS_CLIENT_SECRET"]),
    plain("auth_type", &["DATABRICKS_AUTH_TYPE"]),
    plain("profile", &["DATABRICKS_CONFIG_PROFILE"]),
    plain("config_file", &["DATABRICKS_CONFIG_FILE"]),
    plain("account_id", &["DATABRICKS_ACCOUNT_ID"]),
    plain("workspace_id", &["DATABRICKS_WORKSPACE_ID"]),
    plain("username", &["DATABRICKS_USERNAME"]),
    secret("password", &["DATABRICKS_PASSWORD"]),
    plain("metadata_service_url", &["DATABRICKS_METADATA_SERVICE_URL"]),
    plain("databricks_cli_path", &["DATABRICKS_CLI_PATH"]),
    plain("oidc_token_env", &["DATABRICKS_OIDC_TOKEN_ENV"]),
    plain("oidc_token_filepath", &["DATABRICKS_OIDC_TOKEN_FILEPATH", "DATABRICKS_OIDC_TOKEN_FILE"]),
    plain("token_audience", &["DATABRICKS_TOKEN_AUDIENCE"]),
    plain("azure_workspace_resource_id", &["DATABRICKS_AZURE_RESOURCE_ID"]),
    plain("azure_use_msi", &["ARM_USE_MSI"]),
    plain("azure_client_id", &["ARM_CLIENT_ID"]),
    secret("azure_client_secret", &["ARM_CLIENT_SECRET"]),
    plain("azure_tenant_id", &["ARM_TENANT_ID"]),
    plain("azure_environment", &["ARM_ENVIRONMENT"]),
    plain("google_service_account", &["DATABRICKS_GOOGLE_SERVICE_ACCOUNT"]),
    secret("google_credentials", &["GOOGLE_CREDENTIALS"]),
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

/// Attributes that decide nothing here, so that a profile is not "configured" by them alone.
pub const DECIDES: &[&str] = &[
    "host",
    "token",
    "client_id",
    "client_secret",
    "username",
    "password",
    "metadata_service_url",
    "azure_workspace_resource_id",
    "azure_client_id",
    "azure_client_secret",
    "azure_use_msi",
    "google_service_account",
    "google_credentials",
    "oidc_token_filepath",
    "auth_type",
];

/// A sort of authentication: its name as in `auth_type`, and the attributes that configure it. Those without attributes
/// are meant only where `auth_type` says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// `oauth-m2m`.
    pub name: &'static str,
    /// What it needs.
    pub needs: &'static [&'static str],
    /// Whether this build knows it.
    pub supported: bool,
}

const fn other(name: &'static str, needs: &'static [&'static str]) -> Sort {
    Sort { name, needs, supported: false }
}

/// All sorts, in the order in which the SDKs try them.
pub const SORTS: &[Sort] = &[
    Sort { name: "pat", needs: &["token"], supported: true },
    other("basic", &["username", "password"]),
    Sort { name: "oauth-m2m", needs: &["client_id", "client_secret"], supported: true },
    other("metadata-service", &["metadata_service_url"]),
    other("env-oidc", &[]),
    other("file-oidc", &["oidc_token_filepath"]),
    other("github-oidc", &[]),
    other("azure-devops-oidc", &[]),
    other("github-oidc-azure", &[]),
    other("azure-msi", &["azure_use_msi"]),
    other("azure-client-secret", &["azure_client_id", "azure_client_secret", "azure_tenant_id"]),
    other("azure-cli", &[]),
    other("external-browser", &[]),
    other("databricks-cli", &[]),
    other("runtime-oauth", &[]),
    other("runtime", &[]),
    other("google-credentials", &["google_credentials"]),
    other("google-id", &["google_service_account"]),
    other("model-serving", &[]),
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
