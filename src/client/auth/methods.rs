//! The methods of authentication, in the order in which the Databricks SDKs try them. Each says which attributes it needs,
//! what it needs of the world around us, and which building block makes its tokens.
//!
//! The order is the Python SDK's; `azure-msi`, which only the Go SDK has, stands where that has it: before the other
//! methods of Azure.

#![expect(clippy::unnecessary_wraps, reason = "each is an entry of the table of methods")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::AuthError;
use super::azure::{self, AzureCli, Cloud, Entra, ManagedIdentity, Proof};
use super::google::{self, ApplicationDefault, Google, Key, Wanted, Who};
use super::identity::{Identity, Lacking};
use super::program::{Chosen, DatabricksCli, Program};
use super::resolve::Given;
use super::signing::{Needed, Signing};
use super::trust::By;
use super::way::Way;

/// A method of authentication.
pub struct Method {
    /// `oauth-m2m`, as in `auth_type`.
    pub name: &'static str,
    /// The attributes that it needs.
    pub needs: &'static [&'static str],
    /// Further attributes that it uses.
    pub uses: &'static [&'static str],
    /// What it needs of the world around us.
    pub around: Around,
    /// How it signs requests; none: it is known and not supported.
    make: Option<Make>,
}

type Make = fn(&Given<'_>) -> Result<Signing, AuthError>;

/// What a method needs beside attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// Nothing.
    Nothing,
    /// A variable with an ID token.
    Variable,
    /// A run of GitHub's.
    Github,
    /// A job of Azure DevOps'.
    AzureDevops,
    /// A workspace of Azure's, and the program `az`.
    Az,
    /// The program `databricks`.
    Databricks,
    /// That `azure_use_msi` is true.
    Managed,
    /// That somebody asks for it by `auth_type`.
    Asked,
}

const AZURE: &[&str] = &["azure_client_id", "azure_tenant_id", "azure_environment", "azure_workspace_resource_id"];
const CLI: &[&str] = &["azure_tenant_id", "azure_environment", "azure_workspace_resource_id"];
const FEDERATED: &[&str] = &["client_id", "token_audience"];

const fn method(name: &'static str, needs: &'static [&'static str], uses: &'static [&'static str], around: Around, make: Make) -> Method {
    Method { name, needs, uses, around, make: Some(make) }
}

const fn unsupported(name: &'static str) -> Method {
    Method { name, needs: &[], uses: &[], around: Around::Asked, make: None }
}

/// All methods.
pub static METHODS: &[Method] = &[
    method("pat", &["token"], &[], Around::Nothing, pat),
    method("basic", &["username", "password"], &[], Around::Nothing, basic),
    method("metadata-service", &["metadata_service_url"], &[], Around::Nothing, metadata),
    method("oauth-m2m", &["client_id", "client_secret"], &[], Around::Nothing, machine),
    method("env-oidc", &[], &["oidc_token_env", "client_id"], Around::Variable, env_oidc),
    method("file-oidc", &["oidc_token_filepath"], &["client_id"], Around::Nothing, file_oidc),
    method("github-oidc", &["client_id"], FEDERATED, Around::Github, github_oidc),
    method("azure-msi", &["azure_use_msi"], AZURE, Around::Managed, azure_msi),
    method("azure-client-secret", &["azure_client_id", "azure_client_secret"], AZURE, Around::Nothing, azure_client_secret),
    method("github-oidc-azure", &["azure_client_id"], AZURE, Around::Github, github_oidc_azure),
    method("azure-cli", &[], CLI, Around::Az, azure_cli),
    method("azure-devops-oidc", &["client_id"], FEDERATED, Around::AzureDevops, azure_devops_oidc),
    unsupported("external-browser"),
    method("databricks-cli", &[], &["databricks_cli_path"], Around::Databricks, databricks_cli),
    unsupported("runtime-oauth"),
    unsupported("runtime"),
    method("google-credentials", &["google_credentials"], &[], Around::Nothing, google_credentials),
    method("google-id", &["google_service_account"], &[], Around::Nothing, google_id),
    unsupported("model-serving"),
];

/// What a method lacks of the world around us.
pub struct Lack {
    /// What is not there.
    pub what: String,
    /// What to do about it.
    pub help: String,
}

impl Method {
    /// The method of this name, if it is supported.
    pub fn named(name: &str) -> Option<&'static Self> {
        METHODS.iter().find(|method| method.name == name && method.make.is_some())
    }

    /// The names of those that are supported.
    pub fn supported() -> String {
        METHODS.iter().filter(|method| method.make.is_some()).map(|method| method.name).collect::<Vec<_>>().join(", ")
    }

    /// Whether its attributes alone say that it is meant.
    pub fn is_configured_by_attributes(&self) -> bool {
        !self.needs.is_empty() && matches!(self.around, Around::Nothing | Around::Managed)
    }

    /// What it lacks of the world around us; `asked`: somebody asks for it by name.
    pub fn lacks(&self, given: &Given<'_>, asked: bool) -> Option<Lack> {
        let variables = |lacking: Lacking| {
            let is = if lacking.variables.len() == 1 { "is not set" } else { "are not set" };
            Lack { what: format!("{} {is}", lacking.variables.join(", ")), help: lacking.help.to_owned() }
        };
        let program = |program: Program| {
            let lack = || Lack { what: format!("the program `{}` is not there", program.name()), help: program.help().to_owned() };
            (!program.is_there(given.outside)).then(lack)
        };
        match self.around {
            Around::Nothing => None,
            Around::Variable => {
                let name = token_variable(given);
                given.outside.variable(&name).is_none().then(|| Lack {
                    what: format!("{name} is not set"),
                    help: "the pipeline has to put an ID token into it (GitLab: `id_tokens:` of the job); `oidc_token_env` or DATABRICKS_OIDC_TOKEN_ENV names another variable".to_owned(),
                })
            }
            Around::Github => Identity::github(given.outside).err().map(variables),
            Around::AzureDevops => Identity::azure_devops(given.outside).err().map(variables),
            Around::Az if !asked && !Cloud::has(given.host) => {
                Some(Lack { what: "the workspace is none of Azure's".to_owned(), help: String::new() })
            }
            Around::Az => program(Program::AZ),
            Around::Databricks => program(databricks_program(given)),
            Around::Managed => (!asked && !matches!(given.text("azure_use_msi").as_deref(), Some("true" | "True" | "TRUE" | "1")))
                .then(|| Lack { what: "`azure_use_msi` is not true".to_owned(), help: "set it to true".to_owned() }),
            Around::Asked => (!asked).then(|| Lack { what: "nobody asks for it".to_owned(), help: String::new() }),
        }
    }

    /// How it signs requests.
    ///
    /// # Errors
    /// A value that means nothing.
    pub fn signing(&self, given: &Given<'_>) -> Result<Signing, AuthError> {
        let make = self.make.ok_or_else(|| AuthError::Unsupported {
            auth_type: self.name.to_owned(),
            at: given.source("auth_type"),
            supported: Self::supported(),
        })?;
        make(given)
    }

    /// What it takes from the world around us, for `auth describe`: name, what is shown, where from.
    pub fn around(&self, given: &Given<'_>) -> Option<(&'static str, String, String)> {
        let sensitive = || "(sensitive)".to_owned();
        Some(match self.around {
            Around::Variable => ("id_token", sensitive(), token_variable(given)),
            Around::Github => ("id_token", "GitHub's of this run".to_owned(), "ACTIONS_ID_TOKEN_REQUEST_URL".to_owned()),
            Around::AzureDevops => ("id_token", "Azure DevOps' of this job".to_owned(), "SYSTEM_ACCESSTOKEN".to_owned()),
            Around::Az => ("program", "az account get-access-token".to_owned(), "PATH".to_owned()),
            Around::Databricks => {
                let program = databricks_program(given);
                let from = given.values.get("databricks_cli_path").map_or("PATH".to_owned(), |found| found.source.clone());
                ("program", format!("{} auth token", program.name()), from)
            }
            Around::Nothing | Around::Managed | Around::Asked => return None,
        })
    }
}

fn pat(given: &Given<'_>) -> Result<Signing, AuthError> {
    Ok(Signing::bearer("pat", Way::Fixed(given.secret("token"))))
}

fn basic(given: &Given<'_>) -> Result<Signing, AuthError> {
    let both = Zeroizing::new(format!("{}:{}", *given.secret("username"), *given.secret("password")));
    Ok(Signing::new("basic", "Basic ", Way::Fixed(Zeroizing::new(STANDARD.encode(both.as_bytes())))))
}

fn metadata(given: &Given<'_>) -> Result<Signing, AuthError> {
    let url = given.secret("metadata_service_url").to_string();
    Ok(Signing::bearer("metadata-service", Way::Metadata { url, host: given.host.to_owned() }))
}

fn machine(given: &Given<'_>) -> Result<Signing, AuthError> {
    let client = given.needed("client_id");
    Ok(Signing::bearer("oauth-m2m", Way::Secret { client: client.clone(), secret: given.secret("client_secret") }).of_client(client))
}

fn token_variable(given: &Given<'_>) -> String {
    given.text("oidc_token_env").unwrap_or_else(|| "DATABRICKS_OIDC_TOKEN".to_owned())
}

fn env_oidc(given: &Given<'_>) -> Result<Signing, AuthError> {
    let name = token_variable(given);
    let token = Zeroizing::new(given.outside.variable(&name).unwrap_or_default().to_owned());
    Ok(federated("env-oidc", Identity::Variable(name, token), given))
}

fn file_oidc(given: &Given<'_>) -> Result<Signing, AuthError> {
    Ok(federated("file-oidc", Identity::File(given.outside.path(&given.needed("oidc_token_filepath"))), given))
}

fn github_oidc(given: &Given<'_>) -> Result<Signing, AuthError> {
    Ok(federated("github-oidc", Identity::github(given.outside).map_err(|lacking| absent("github-oidc", &lacking))?, given))
}

fn azure_devops_oidc(given: &Given<'_>) -> Result<Signing, AuthError> {
    let identity = Identity::azure_devops(given.outside).map_err(|lacking| absent("azure-devops-oidc", &lacking))?;
    Ok(federated("azure-devops-oidc", identity, given))
}

fn federated(name: &'static str, identity: Identity, given: &Given<'_>) -> Signing {
    let client = given.text("client_id");
    let signing = Signing::bearer(name, Way::Exchange { identity, audience: given.text("token_audience"), client: client.clone() });
    match client {
        Some(client) => signing.of_client(client),
        None => signing,
    }
}

fn absent(auth_type: &str, lacking: &Lacking) -> AuthError {
    AuthError::Absent { auth_type: auth_type.to_owned(), lacks: lacking.variables.join(", "), help: lacking.help.to_owned() }
}

fn cloud(given: &Given<'_>) -> Result<Cloud, AuthError> {
    let named = given.text("azure_environment");
    Cloud::of(given.host, named.as_deref(), given.outside).ok_or_else(|| AuthError::Value {
        name: "azure_environment".to_owned(),
        at: given.source("azure_environment"),
        why: format!("there is no cloud `{}`: public, usgovernment and china are", named.unwrap_or_default()),
    })
}

fn entra(given: &Given<'_>, cloud: &Cloud, proof: Proof, resource: &str) -> Way {
    Way::Entra(Entra {
        authority: cloud.authority.clone(),
        tenant: given.text("azure_tenant_id"),
        client: given.needed("azure_client_id"),
        proof,
        resource: resource.to_owned(),
    })
}

/// The headers by which Azure's own roles let in an identity that the workspace does not know.
fn beside(signing: Signing, management: Way, needed: Needed, given: &Given<'_>) -> Signing {
    let signing = signing.beside(azure::MANAGEMENT, management, needed);
    match given.text("azure_workspace_resource_id") {
        Some(id) => signing.with(azure::RESOURCE, id),
        None => signing,
    }
}

fn azure_client_secret(given: &Given<'_>) -> Result<Signing, AuthError> {
    let cloud = cloud(given)?;
    let way = |resource: &str| entra(given, &cloud, Proof::Secret(given.secret("azure_client_secret")), resource);
    let signing = Signing::bearer("azure-client-secret", way(azure::DATABRICKS)).of_client(given.needed("azure_client_id"));
    Ok(beside(signing, way(cloud.management), Needed::Always, given))
}

fn github_oidc_azure(given: &Given<'_>) -> Result<Signing, AuthError> {
    let identity = Identity::github(given.outside).map_err(|lacking| absent("github-oidc-azure", &lacking))?;
    let way = entra(given, &cloud(given)?, Proof::Assertion(identity), azure::DATABRICKS);
    Ok(Signing::bearer("github-oidc-azure", way).of_client(given.needed("azure_client_id")))
}

fn azure_msi(given: &Given<'_>) -> Result<Signing, AuthError> {
    let cloud = cloud(given)?;
    let way = |resource: &str| Way::Managed(ManagedIdentity::new(given.text("azure_client_id"), resource, given.outside));
    Ok(beside(Signing::bearer("azure-msi", way(azure::DATABRICKS)), way(cloud.management), Needed::Always, given))
}

fn azure_cli(given: &Given<'_>) -> Result<Signing, AuthError> {
    let cloud = cloud(given)?;
    let way = |resource: &str| {
        let (workspace, tenant) = (given.text("azure_workspace_resource_id"), given.text("azure_tenant_id"));
        Way::AzureCli(AzureCli { resource: resource.to_owned(), workspace, tenant })
    };
    Ok(beside(Signing::bearer("azure-cli", way(azure::DATABRICKS)), way(cloud.management), Needed::OfMachines, given))
}

fn databricks_program(given: &Given<'_>) -> Program {
    let found = given.values.get("databricks_cli_path");
    let chosen = if found.is_some_and(|found| found.by == By::Project) { Chosen::Project } else { Chosen::Outside };
    Program::databricks(found.map_or("databricks", |found| &found.text), chosen)
}

fn databricks_cli(given: &Given<'_>) -> Result<Signing, AuthError> {
    let program = databricks_program(given);
    let profile = given.text("profile");
    Ok(Signing::bearer("databricks-cli", Way::DatabricksCli(DatabricksCli { program, profile, host: given.host.to_owned() })))
}

fn google(name: &'static str, who: &Who, given: &Given<'_>) -> Signing {
    let way = |wanted| Way::Google(Google { who: who.clone(), wanted });
    Signing::bearer(name, way(Wanted::IdToken(given.host.to_owned()))).beside(google::BESIDE, way(Wanted::Access), Needed::IfThere)
}

fn google_credentials(given: &Given<'_>) -> Result<Signing, AuthError> {
    let key = Key::of(&given.secret("google_credentials"), given.outside).map_err(|why| AuthError::Value {
        name: "google_credentials".to_owned(),
        at: given.source("google_credentials"),
        why,
    })?;
    Ok(google("google-credentials", &Who::Key(key), given))
}

fn google_id(given: &Given<'_>) -> Result<Signing, AuthError> {
    let endpoint = given.outside.variable("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS");
    let who = Who::Impersonated {
        account: given.needed("google_service_account"),
        endpoint: endpoint.unwrap_or("https://iamcredentials.googleapis.com").to_owned(),
        default: ApplicationDefault::new(given.outside),
    };
    Ok(google("google-id", &who, given))
}
