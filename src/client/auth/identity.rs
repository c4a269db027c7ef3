//! Where ID tokens come from: a variable, a file, the pipeline that runs us. What is asked, and with what, is in each
//! provider's reference and in the Databricks SDKs, which read the same names.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::client::elsewhere::{Asked, Elsewhere, Question, Unanswered, field};
use crate::model::{Outside, bounded};

/// A source of ID tokens.
pub(crate) enum Identity {
    /// An environment variable: its name and value.
    Variable(String, Zeroizing<String>),
    /// A file, read at each use: it may be written anew while we run.
    File(PathBuf),
    /// GitHub's token of a run with `permissions: id-token: write`.
    Github(Request),
    /// Azure DevOps' token of a job. Its audience is always `api://AzureADTokenExchange`.
    AzureDevops(Request),
}

/// An address and the token that opens it.
pub(crate) struct Request {
    url: String,
    bearer: Zeroizing<String>,
}

/// Variables that are not there, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lacking {
    /// Which.
    pub(crate) variables: Vec<&'static str>,
    /// What to do.
    pub(crate) help: &'static str,
}

const GITHUB: [&str; 2] = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
const AZURE_DEVOPS: [&str; 6] = [
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
    "SYSTEM_TEAMPROJECTID",
    "SYSTEM_HOSTTYPE",
    "SYSTEM_PLANID",
    "SYSTEM_JOBID",
];

impl Identity {
    /// GitHub's, where this is a run of GitHub's that may ask for it.
    ///
    /// # Errors
    /// [`Lacking`].
    pub(crate) fn github(outside: &Outside) -> Result<Self, Lacking> {
        let help = "GitHub sets them in a job with `permissions: id-token: write`";
        let [url, bearer] = all(outside, GITHUB, help)?;
        Ok(Self::Github(Request { url, bearer: Zeroizing::new(bearer) }))
    }

    /// Azure DevOps', where this is a job of its.
    ///
    /// # Errors
    /// [`Lacking`].
    pub(crate) fn azure_devops(outside: &Outside) -> Result<Self, Lacking> {
        let help =
            "Azure Pipelines sets them, but for the token, which a step asks for: `env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }`";
        let [bearer, collection, project, hub, plan, job] = all(outside, AZURE_DEVOPS, help)?;
        let collection = collection.trim_end_matches('/');
        let url =
            format!("{collection}/{project}/_apis/distributedtask/hubs/{hub}/plans/{plan}/jobs/{job}/oidctoken?api-version=7.2-preview.1");
        Ok(Self::AzureDevops(Request { url, bearer: Zeroizing::new(bearer) }))
    }

    /// An ID token for this audience; a variable's and a file's has the audience that it has.
    ///
    /// # Errors
    /// A sentence without any token.
    pub(crate) async fn token(&self, audience: &str, elsewhere: &Elsewhere) -> Result<Zeroizing<String>, String> {
        match self {
            Self::Variable(name, token) if !is_token(token) => Err(not_sent(name)),
            Self::Variable(_, token) => Ok(token.clone()),
            Self::File(path) => {
                let text =
                    bounded::text(path, bounded::CREDENTIALS).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
                let token = Zeroizing::new(text.trim().to_owned());
                match token.is_empty() {
                    true => Err(format!("{} is empty", path.display())),
                    false if !is_token(&token) => Err(not_sent(&path.display().to_string())),
                    false => Ok(token),
                }
            }
            Self::Github(request) => request.github(audience, elsewhere).await.map_err(|error| error.to_string()),
            Self::AzureDevops(request) => request.azure_devops(elsewhere).await.map_err(|error| error.to_string()),
        }
    }

    /// What it is, for people, without its value.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Variable(name, _) => format!("the ID token of {name}"),
            Self::File(path) => format!("the ID token in {}", path.display()),
            Self::Github(_) => "GitHub's ID token of this run".to_owned(),
            Self::AzureDevops(_) => "Azure DevOps' ID token of this job".to_owned(),
        }
    }

    /// What to do where the ID token is over.
    pub(crate) fn renewal(&self) -> &'static str {
        match self {
            Self::Variable(..) => {
                "a variable is not renewed while a job runs: run the job again, or write the token into a file that is (file-oidc)"
            }
            Self::File(_) => "whoever writes the file has to write a new token into it",
            Self::Github(_) | Self::AzureDevops(_) => "run the job again",
        }
    }
}

impl Request {
    async fn github(&self, audience: &str, elsewhere: &Elsewhere) -> Result<Zeroizing<String>, Unanswered> {
        let mut url = self.url.clone();
        if let Ok(mut parsed) = reqwest::Url::parse(&url) {
            parsed.query_pairs_mut().append_pair("audience", audience);
            url = parsed.into();
        }
        let answer = elsewhere.ask(&self.question("GitHub", "GET", url)).await?;
        field(&answer, "value", "GitHub").map(Zeroizing::new)
    }

    async fn azure_devops(&self, elsewhere: &Elsewhere) -> Result<Zeroizing<String>, Unanswered> {
        let answer = elsewhere.ask(&self.question("Azure DevOps", "POST", self.url.clone())).await?;
        field(&answer, "oidcToken", "Azure DevOps").map(Zeroizing::new)
    }

    fn question<'a>(&self, whom: &'a str, method: &'static str, url: String) -> Question<'a> {
        let mut headers = vec![("authorization", format!("Bearer {}", *self.bearer))];
        headers.extend((method == "POST").then(|| ("content-type", "application/json".to_owned())));
        Question { whom, method, url, headers, body: Asked::Nothing }
    }
}

fn all<const N: usize>(outside: &Outside, names: [&'static str; N], help: &'static str) -> Result<[String; N], Lacking> {
    let lacking: Vec<&'static str> = names.iter().copied().filter(|name| outside.variable(name).is_none()).collect();
    if !lacking.is_empty() {
        return Err(Lacking { variables: lacking, help });
    }
    Ok(names.map(|name| outside.variable(name).unwrap_or_default().to_owned()))
}

fn not_sent(place: &str) -> String {
    format!("what {place} holds is no JSON web token (three parts between dots, a header with `alg` first), and was not sent")
}

/// Whether a text has the form of a JSON web token. What has not is no ID token: a key or password of something else, that
/// the workspace must never be sent.
fn is_token(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_encoded = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'='));
    let header = URL_SAFE_NO_PAD.decode(parts[0].trim_end_matches('=')).unwrap_or_default();
    let header: Option<serde_json::Value> = serde_json::from_slice(&header).ok();
    let names_algorithm = header.is_some_and(|header| header.get("alg").is_some_and(serde_json::Value::is_string));
    parts.len() == 3 && parts.iter().all(is_encoded) && names_algorithm
}

/// The claims of a JSON web token, unverified: what it says of itself, for messages. None for what is no such token.
pub(crate) fn claims(token: &str) -> Option<serde_json::Value> {
    let payload = token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok().filter(serde_json::Value::is_object)
}
