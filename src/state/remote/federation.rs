//! Tokens in exchange for tokens, where the store's own library knows no way: a pipeline's identity for one of Azure's or of
//! Google's. What is asked, where and with what is in each cloud's reference on workload identity federation.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::objects::ObjectError;
use crate::client::is_loopback;
use crate::model::Outside;

/// How long an exchange may take.
const LIMIT: Duration = Duration::from_secs(20);
/// How long before its end a token is exchanged anew.
const MARGIN: Duration = Duration::from_secs(120);

/// A way to a token, and how long that lasts.
pub(super) struct Federation {
    http: reqwest::Client,
    way: Way,
    last: tokio::sync::Mutex<Option<(String, Instant)>>,
}

/// Which exchange.
pub(super) enum Way {
    /// GitHub's token for one of Azure's storage.
    GithubToAzure {
        /// `ACTIONS_ID_TOKEN_REQUEST_URL` and its token.
        request: (String, String),
        /// `https://login.microsoftonline.com`.
        authority: String,
        tenant: String,
        client: String,
    },
    /// What an `external_account` file of Google's says.
    Google { audience: String, subject_type: String, token_url: String, source: Source, impersonation: Option<String> },
}

/// Where the token comes from that is exchanged.
pub(super) enum Source {
    /// A file, read each time.
    File(std::path::PathBuf, Option<String>),
    /// An address, with headers.
    Url(String, Vec<(String, String)>, Option<String>),
}

impl std::fmt::Debug for Federation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Federation")
    }
}

/// The exchange did not work.
#[derive(Debug, thiserror::Error)]
#[error("no credentials: {0}")]
pub(super) struct Failed(String);

impl Federation {
    pub(super) fn new(outside: &Outside, way: Way) -> Result<Self, ObjectError> {
        let http = crate::client::http_client(outside, "").map_err(|error| ObjectError::new(error.to_string()))?;
        let direct = crate::client::http_client(outside, "localhost").map_err(|error| ObjectError::new(error.to_string()))?;
        let near = matches!(&way, Way::GithubToAzure { authority, .. } if on_this_machine(authority))
            || matches!(&way, Way::Google { token_url, .. } if on_this_machine(token_url));
        Ok(Self { http: if near { direct } else { http }, way, last: tokio::sync::Mutex::default() })
    }

    /// A token that is good for two minutes at least.
    ///
    /// # Errors
    /// What was asked, and what was answered, without any token.
    pub(super) async fn token(&self) -> Result<String, Failed> {
        let mut last = self.last.lock().await;
        if let Some((token, until)) = &*last
            && *until > Instant::now() + MARGIN
        {
            return Ok(token.clone());
        }
        let asked = tokio::time::timeout(LIMIT, self.exchange()).await;
        let (token, seconds) = asked.map_err(|_| Failed("the exchange of tokens does not end".to_owned()))??;
        *last = Some((token.clone(), Instant::now() + Duration::from_secs(seconds)));
        Ok(token)
    }

    async fn exchange(&self) -> Result<(String, u64), Failed> {
        match &self.way {
            Way::GithubToAzure { request: (url, bearer), authority, tenant, client } => {
                let mut address = reqwest::Url::parse(url).map_err(|_| Failed("ACTIONS_ID_TOKEN_REQUEST_URL is no URL".to_owned()))?;
                address.query_pairs_mut().append_pair("audience", "api://AzureADTokenExchange");
                let answer = self.ask("GitHub", self.http.get(address.clone()).bearer_auth(bearer), address.as_str()).await?;
                let subject = text(&answer, "value", "GitHub")?;
                let url = format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
                let form = [
                    ("grant_type", "client_credentials"),
                    ("client_id", client),
                    ("scope", "https://storage.azure.com/.default"),
                    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                    ("client_assertion", &subject),
                ];
                let answer = self.ask("Azure", self.http.post(&url).form(&form), &url).await?;
                Ok((text(&answer, "access_token", "Azure")?, seconds(&answer)))
            }
            Way::Google { audience, subject_type, token_url, source, impersonation } => {
                let subject = self.subject(source).await?;
                let scope = "https://www.googleapis.com/auth/cloud-platform";
                let form = [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                    ("audience", audience),
                    ("scope", scope),
                    ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                    ("subject_token_type", subject_type),
                    ("subject_token", &subject),
                ];
                let answer = self.ask("Google", self.http.post(token_url).form(&form), token_url).await?;
                let token = text(&answer, "access_token", "Google")?;
                let Some(url) = impersonation else { return Ok((token, seconds(&answer))) };
                let body = serde_json::json!({ "scope": [scope] });
                let answer = self.ask("Google", self.http.post(url).bearer_auth(token).json(&body), url).await?;
                Ok((text(&answer, "accessToken", "Google")?, 3600))
            }
        }
    }

    async fn subject(&self, source: &Source) -> Result<String, Failed> {
        let (said, field, whose) = match source {
            Source::File(path, field) => {
                let read = std::fs::read_to_string(path);
                (read.map_err(|error| Failed(format!("{} cannot be read: {error}", path.display())))?, field, path.display().to_string())
            }
            Source::Url(url, headers, field) => {
                let mut request = self.http.get(url);
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                (self.said("the pipeline", request, url).await?, field, "the pipeline".to_owned())
            }
        };
        match field {
            None => Ok(said.trim().to_owned()),
            Some(field) => {
                let answer = serde_json::from_str(&said).map_err(|_| Failed(format!("{whose} did not give JSON")))?;
                text(&answer, field, &whose)
            }
        }
    }

    async fn ask(&self, whom: &str, request: reqwest::RequestBuilder, url: &str) -> Result<Value, Failed> {
        let said = self.said(whom, request, url).await?;
        serde_json::from_str(&said).map_err(|_| Failed(format!("{whom} did not answer in JSON")))
    }

    async fn said(&self, whom: &str, request: reqwest::RequestBuilder, url: &str) -> Result<String, Failed> {
        if !url.starts_with("https://") && !on_this_machine(url) {
            return Err(Failed(format!("{whom} is asked over HTTPS only")));
        }
        let failed = |error: &reqwest::Error| {
            Failed(format!("{whom} cannot be asked: {}", if error.is_timeout() { "no answer" } else { "no connection" }))
        };
        let answer = request.send().await.map_err(|error| failed(&error))?;
        let status = answer.status();
        let said = answer.text().await.map_err(|error| failed(&error))?;
        if status.is_success() {
            return Ok(said);
        }
        // Azure and Google say why in `error_description`; nothing else of an answer is repeated.
        let why = serde_json::from_str::<Value>(&said).ok().and_then(|answer| {
            let line = answer.get("error_description")?.as_str()?.lines().next()?.to_owned();
            Some(format!(": {line}"))
        });
        Err(Failed(format!("{whom} refused the exchange of tokens ({}){}", status.as_u16(), why.unwrap_or_default())))
    }
}

fn on_this_machine(url: &str) -> bool {
    super::cloud::host_of(url).is_some_and(|host| is_loopback(&host))
}

fn text(answer: &Value, field: &str, whom: &str) -> Result<String, Failed> {
    let found = answer.get(field).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| Failed(format!("{whom} answered without `{field}`")))
}

fn seconds(answer: &Value) -> u64 {
    let told = answer.get("expires_in");
    told.and_then(|v| v.as_u64().or_else(|| v.as_str()?.parse().ok())).unwrap_or(3600)
}

/// The exchange that an `external_account` file says; why it is none, a sentence, where it says something else.
pub(super) fn google(text: &str, outside: &Outside) -> Result<Way, String> {
    let value: Value = serde_json::from_str(text).map_err(|_| "it is no JSON".to_owned())?;
    let word = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let needed = |field: &str| word(field).ok_or_else(|| format!("it lacks `{field}`"));
    let source = value.get("credential_source").ok_or("it lacks `credential_source`")?;
    let format = source.get("format");
    let json = format.and_then(|f| f.get("type")).and_then(Value::as_str) == Some("json");
    let field = format.and_then(|f| f.get("subject_token_field_name")).and_then(Value::as_str).map(str::to_owned).filter(|_| json);
    let source = if let Some(file) = source.get("file").and_then(Value::as_str) {
        Source::File(outside.path(file), field)
    } else if let Some(url) = source.get("url").and_then(Value::as_str) {
        let headers = source.get("headers").and_then(Value::as_object);
        let headers = headers.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Source::Url(url.to_owned(), headers.collect(), field)
    } else {
        return Err("its `credential_source` is neither a `file` nor a `url`: that is what a state can use".to_owned());
    };
    Ok(Way::Google {
        audience: needed("audience")?,
        subject_type: needed("subject_token_type")?,
        token_url: word("token_url").unwrap_or_else(|| "https://sts.googleapis.com/v1/token".to_owned()),
        source,
        impersonation: word("service_account_impersonation_url"),
    })
}
