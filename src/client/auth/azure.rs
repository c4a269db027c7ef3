//! Azure: its clouds, tokens of Microsoft Entra by a secret or an assertion, managed identities, the `az` program.
//! Endpoints, parameters and the resource id of Databricks as in the Databricks SDKs and in Microsoft's reference.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use zeroize::Zeroizing;

use super::identity::{Identity, claims};
use super::program::{self, Program};
use super::source::{Token, Trouble};
use super::way::World;
use crate::client::elsewhere::{Asked, Question, field, number};
use crate::client::{Request, RequestBody};
use crate::model::Outside;

/// The application id of Azure Databricks, in every cloud.
pub const DATABRICKS: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d";
/// The audience of a pipeline's token that Entra takes.
pub(crate) const ASSERTION: &str = "api://AzureADTokenExchange";
/// The header with the token for Azure's own management, by which a service principal is let in that the workspace does
/// not know yet.
pub const MANAGEMENT: &str = "x-databricks-azure-sp-management-token";
/// The header that names the workspace as Azure knows it.
pub const RESOURCE: &str = "x-databricks-azure-workspace-resource-id";

/// One of Azure's clouds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    /// `https://login.microsoftonline.com`, without a slash at the end.
    pub authority: String,
    /// What a token for Azure's management is asked for.
    pub management: &'static str,
}

const CLOUDS: [(&str, &str, &str, &str); 3] = [
    ("PUBLIC", ".azuredatabricks.net", "https://login.microsoftonline.com", "https://management.core.windows.net/"),
    ("USGOVERNMENT", ".databricks.azure.us", "https://login.microsoftonline.us", "https://management.core.usgovcloudapi.net/"),
    ("CHINA", ".databricks.azure.cn", "https://login.chinacloudapi.cn", "https://management.core.chinacloudapi.cn/"),
];

impl Cloud {
    /// The cloud of a host, else the one that is named (`ARM_ENVIRONMENT`), else the public one. `AZURE_AUTHORITY_HOST`
    /// replaces the address of Entra. None: there is no cloud of that name.
    pub fn of(host: &str, named: Option<&str>, outside: &Outside) -> Option<Self> {
        let by_host = CLOUDS.iter().find(|(_, zone, ..)| host.ends_with(zone));
        let plain = named.map(|name| name.to_ascii_uppercase().trim_start_matches("AZURE").trim_end_matches("CLOUD").to_owned());
        let (_, _, authority, management) = match (by_host, plain.as_deref()) {
            (Some(cloud), _) => cloud,
            (None, None | Some("")) => &CLOUDS[0],
            (None, Some(name)) => CLOUDS.iter().find(|(known, ..)| *known == name)?,
        };
        let authority = outside.variable("AZURE_AUTHORITY_HOST").unwrap_or(authority).trim_end_matches('/').to_owned();
        Some(Self { authority, management })
    }

    /// Whether a host is one of Azure's.
    pub fn has(host: &str) -> bool {
        CLOUDS.iter().any(|(_, zone, ..)| host.ends_with(zone))
    }
}

/// A token of Entra for an application.
pub struct Entra {
    pub authority: String,
    /// None: the workspace's own, which it tells.
    pub tenant: Option<String>,
    pub client: String,
    pub proof: Proof,
    pub resource: String,
}

/// What an application proves with that it is itself.
pub enum Proof {
    /// Its secret.
    Secret(Zeroizing<String>),
    /// A pipeline's ID token.
    Assertion(Identity),
}

impl Entra {
    pub async fn token(&self, world: &World<'_>) -> Result<Token, Trouble> {
        let tenant = match &self.tenant {
            Some(tenant) => tenant.clone(),
            None => tenant(world).await.ok_or_else(|| {
                Trouble::new("the workspace does not say which tenant it belongs to").with("set `azure_tenant_id` or ARM_TENANT_ID")
            })?,
        };
        let elsewhere = world.elsewhere()?;
        let mut form = vec![("grant_type", "client_credentials"), ("client_id", &self.client), ("resource", &self.resource)];
        let assertion;
        match &self.proof {
            Proof::Secret(secret) => form.push(("client_secret", secret)),
            Proof::Assertion(identity) => {
                assertion = identity.token(ASSERTION, elsewhere).await.map_err(Trouble::new)?;
                form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
                form.push(("client_assertion", &assertion));
            }
        }
        let whom = "Microsoft Entra";
        let url = format!("{}/{tenant}/oauth2/token", self.authority);
        let answer = elsewhere.ask(&Question { whom, method: "POST", url, headers: vec![], body: Asked::Form(form) }).await;
        let answer = answer.map_err(|error| {
            Trouble::from(error).with(format!(
                "asked for client {} of the tenant {tenant}: check both, and that what it proves itself with is current",
                self.client
            ))
        })?;
        Ok(Token::new(field(&answer, "access_token", whom)?, world.life(&answer)))
    }
}

/// The tenant of the workspace: where its login page sends a browser. None where it says nothing.
async fn tenant(world: &World<'_>) -> Option<String> {
    let request =
        Request { method: "GET".to_owned(), path: "/aad/auth".to_owned(), query: vec![], headers: vec![], body: RequestBody::Empty };
    let response = world.sender.once(request).await.ok().filter(|response| (300..400).contains(&response.status))?;
    let location = reqwest::Url::parse(response.header("location")?).ok()?;
    let tenant = location.path_segments()?.next()?.to_owned();
    let plain = |tenant: &str| !tenant.is_empty() && tenant.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    Some(tenant).filter(|tenant| plain(tenant))
}

/// The identity that Azure gives to one of its machines.
pub struct ManagedIdentity {
    endpoint: String,
    header: (&'static str, String),
    version: &'static str,
    client: Option<String>,
    resource: String,
}

impl ManagedIdentity {
    /// Asks where the machine is told to ask (`IDENTITY_ENDPOINT`: containers, functions), else at the address that every
    /// machine of Azure's has. Without a client: the machine's own.
    pub fn new(client: Option<String>, resource: &str, outside: &Outside) -> Self {
        let resource = resource.to_owned();
        if let (Some(endpoint), Some(header)) = (outside.variable("IDENTITY_ENDPOINT"), outside.variable("IDENTITY_HEADER")) {
            let header = ("x-identity-header", header.to_owned());
            return Self { endpoint: endpoint.to_owned(), header, version: "2019-08-01", client, resource };
        }
        let host = outside.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST").unwrap_or("http://169.254.169.254").trim_end_matches('/');
        let endpoint = format!("{host}/metadata/identity/oauth2/token");
        Self { endpoint, header: ("metadata", "true".to_owned()), version: "2018-02-01", client, resource }
    }

    pub async fn token(&self, world: &World<'_>) -> Result<Token, Trouble> {
        let whom = "this machine's managed identity";
        let mut url = reqwest::Url::parse(&self.endpoint).map_err(|_| Trouble::new(format!("`{}` is no URL", self.endpoint)))?;
        url.query_pairs_mut().append_pair("api-version", self.version).append_pair("resource", &self.resource);
        if let Some(client) = &self.client {
            url.query_pairs_mut().append_pair("client_id", client);
        }
        let headers = vec![(self.header.0, self.header.1.clone())];
        let question = Question { whom, method: "GET", url: url.into(), headers, body: Asked::Nothing };
        let answer = world.elsewhere()?.ask(&question).await.map_err(|error| {
            Trouble::from(error)
                .with("a managed identity is there on machines of Azure's only: assign one to this machine, or authenticate otherwise")
        })?;
        // `expires_in` is text here, and counts from when the machine's keeper got the token.
        let life = number(&answer, "expires_on").map_or_else(|| world.life(&answer), |moment| world.seconds_until(moment));
        Ok(Token::new(field(&answer, "access_token", whom)?, life))
    }
}

/// Whoever is logged in with the `az` program.
pub struct AzureCli {
    pub resource: String,
    /// `/subscriptions/ID/...`: the workspace as Azure knows it.
    pub workspace: Option<String>,
    pub tenant: Option<String>,
}

impl AzureCli {
    pub async fn token(&self, world: &World<'_>) -> Result<Token, Trouble> {
        let mut arguments = vec!["account", "get-access-token", "--resource", &self.resource, "--output", "json"];
        let tenant = match &self.tenant {
            Some(tenant) => Some(tenant.clone()),
            None => tenant(world).await,
        };
        if let Some(tenant) = &tenant
            && !is_managed(world).await
        {
            arguments.extend(["--tenant", tenant]);
        }
        let subscription = self.workspace.as_deref().and_then(|id| id.split('/').nth(2)).filter(|id| !id.is_empty());
        if let Some(subscription) = subscription {
            let mut with = arguments.clone();
            with.extend(["--subscription", subscription]);
            // Somebody may know the workspace and not its subscription.
            if let Ok(answer) = program::ask(&Program::AZ, &with, world).await {
                return read(&answer, world);
            }
        }
        read(&program::ask(&Program::AZ, &arguments, world).await?, world)
    }
}

fn read(answer: &serde_json::Value, world: &World<'_>) -> Result<Token, Trouble> {
    let token = field(answer, "accessToken", "`az`")?;
    let end = number(answer, "expires_on").or_else(|| local(answer.get("expiresOn")?.as_str()?));
    Ok(Token::new(token, end.map_or(300, |end| world.seconds_until(end))))
}

/// `2026-11-21 18:30:00.000000`, in the time of this machine, as seconds since 1970.
fn local(text: &str) -> Option<i64> {
    let time: DateTime = text.trim().replace(' ', "T").parse().ok()?;
    Some(time.to_zoned(TimeZone::system()).ok()?.timestamp().as_second())
}

/// Whether `az` is logged in as a machine's identity, which has no other tenant.
async fn is_managed(world: &World<'_>) -> bool {
    let Ok(account) = program::ask(&Program::AZ, &["account", "show", "--output", "json"], world).await else { return false };
    let user = |name: &str| account.get("user").and_then(|user| user.get(name)).and_then(serde_json::Value::as_str);
    user("type") == Some("servicePrincipal") && matches!(user("name"), Some("systemAssignedIdentity" | "userAssignedIdentity"))
}

/// Whether a token of Entra is a person's: theirs have a user principal name.
pub fn is_human(token: &str) -> bool {
    claims(token).is_some_and(|claims| claims.get("upn").is_some())
}

/// How long a program may take.
pub const PROGRAM: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing;

    #[test]
    fn clouds_are_known_by_host_and_by_name() {
        let login = |host: &str, named: Option<&str>| Cloud::of(host, named, &testing::outside(&[])).map(|cloud| cloud.authority);
        for (host, named, want) in [
            ("https://adb-1.2.azuredatabricks.net", None, "https://login.microsoftonline.com"),
            ("https://adb-1.2.databricks.azure.us", None, "https://login.microsoftonline.us"),
            ("https://adb-1.2.databricks.azure.cn", Some("PUBLIC"), "https://login.chinacloudapi.cn"),
            ("http://127.0.0.1:1", Some("usgovernment"), "https://login.microsoftonline.us"),
            ("http://127.0.0.1:1", Some("AzureChinaCloud"), "https://login.chinacloudapi.cn"),
            ("http://127.0.0.1:1", None, "https://login.microsoftonline.com"),
        ] {
            assert_eq!(login(host, named).as_deref(), Some(want), "{host} {named:?}");
        }
        assert_eq!(login("http://127.0.0.1:1", Some("moon")), None);
        let pointed = testing::outside(&[("AZURE_AUTHORITY_HOST", "http://127.0.0.1:9/")]);
        assert_eq!(Cloud::of("https://x.azuredatabricks.net", None, &pointed).unwrap().authority, "http://127.0.0.1:9");
        assert!(Cloud::has("https://x.azuredatabricks.net") && !Cloud::has("https://x.cloud.databricks.com"));
    }
}
