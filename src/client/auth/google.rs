//! Google: a service account's key, another's impersonation, a federated identity. What is asked, where and with what is
//! in Google's references on service accounts, on short-lived credentials and on workload identity federation.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::source::{Token, Trouble};
use super::way::World;
use crate::client::elsewhere::{Asked, Elsewhere, Question, Unanswered, field, number};
use crate::model::{Outside, bounded};

/// The header with a token for Google's own interfaces, which a few operations of accounts want.
pub const BESIDE: &str = "x-databricks-gcp-sa-access-token";
const SCOPES: &str = "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/compute";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKENS: &str = "https://oauth2.googleapis.com/token";

/// A token of a service account.
pub struct Google {
    pub who: Who,
    pub wanted: Wanted,
}

/// Which service account.
#[derive(Clone)]
pub enum Who {
    /// The one whose key this is.
    Key(Key),
    /// One that whoever we are may act as.
    Impersonated { account: String, endpoint: String, default: ApplicationDefault },
}

/// What for.
pub enum Wanted {
    /// An ID token for this audience.
    IdToken(String),
    /// An access token for Google's own interfaces.
    Access,
}

/// A service account's key.
#[derive(Clone)]
pub struct Key {
    email: String,
    id: String,
    private: Zeroizing<String>,
    url: String,
}

/// Who we are to Google where nothing says it: a file, else the machine.
#[derive(Clone)]
pub struct ApplicationDefault {
    file: Option<PathBuf>,
    machine: String,
    outside: Outside,
}

impl ApplicationDefault {
    /// `GOOGLE_APPLICATION_CREDENTIALS`, what `gcloud auth application-default login` left, the machine's account.
    pub fn new(outside: &Outside) -> Self {
        let named = outside.variable("GOOGLE_APPLICATION_CREDENTIALS").map(|path| outside.path(path));
        let folder = outside.variable("CLOUDSDK_CONFIG").map(PathBuf::from).or_else(|| Some(outside.home()?.join(".config/gcloud")));
        let left = folder.map(|folder| folder.join("application_default_credentials.json")).filter(|file| file.is_file());
        let host = outside.variable("GCE_METADATA_HOST").unwrap_or("169.254.169.254");
        Self { file: named.or(left), machine: format!("http://{host}"), outside: outside.clone() }
    }

    async fn access(&self, world: &World<'_>) -> Result<Token, Trouble> {
        let Some(file) = &self.file else {
            let url = format!("{}/computeMetadata/v1/instance/service-accounts/default/token", self.machine);
            let whom = "this machine's service account";
            let headers = vec![("metadata-flavor", "Google".to_owned())];
            let answer = world.elsewhere()?.ask(&Question { whom, method: "GET", url, headers, body: Asked::Nothing }).await.map_err(|error| {
                Trouble::from(error)
                    .with("say who you are to Google: `gcloud auth application-default login`, or GOOGLE_APPLICATION_CREDENTIALS names a file")
            })?;
            return Ok(Token::new(field(&answer, "access_token", whom)?, world.life(&answer)));
        };
        let text = bounded::text(file, bounded::CREDENTIALS)
            .map_err(|error| Trouble::new(format!("{} cannot be read: {error}", file.display())))?;
        let wrong = |why: &str| Trouble::new(format!("{}: {why}", file.display()));
        let value: Value = serde_json::from_str(&text).map_err(|_| wrong("it is no JSON"))?;
        match value.get("type").and_then(Value::as_str).unwrap_or_default() {
            "service_account" => Key::read(&value).map_err(|why| wrong(&why))?.token(&Wanted::Access, world).await,
            "authorized_user" => user(&value, world).await,
            "external_account" => {
                let external = External::read(&text, &self.outside).map_err(|why| wrong(&why))?;
                let (token, seconds) = external.token(world.elsewhere()?).await.map_err(Trouble::new)?;
                Ok(Token::new(token, seconds))
            }
            other => Err(wrong(&format!("credentials of the type `{other}` are not known"))),
        }
    }
}

impl Google {
    pub async fn token(&self, world: &World<'_>) -> Result<Token, Trouble> {
        match &self.who {
            Who::Key(key) => key.token(&self.wanted, world).await,
            Who::Impersonated { account, endpoint, default } => {
                let own = default.access(world).await?;
                let (verb, body, name) = match &self.wanted {
                    Wanted::IdToken(audience) => ("generateIdToken", json!({ "audience": audience, "includeEmail": true }), "token"),
                    Wanted::Access => ("generateAccessToken", json!({ "scope": SCOPES.split(' ').collect::<Vec<_>>() }), "accessToken"),
                };
                let url = format!("{}/v1/projects/-/serviceAccounts/{account}:{verb}", endpoint.trim_end_matches('/'));
                let headers = vec![("authorization", format!("Bearer {}", *own.text))];
                let question = Question { whom: "Google", method: "POST", url, headers, body: Asked::Json(body) };
                let answer = world.elsewhere()?.ask(&question).await.map_err(|error| {
                    Trouble::from(error).with(format!("whoever we are has to have the role `Service Account Token Creator` on {account}"))
                })?;
                Ok(Token::new(field(&answer, name, "Google")?, 3600))
            }
        }
    }
}

impl Key {
    /// From the JSON of a key, or the path of a file with it.
    ///
    /// # Errors
    /// A sentence without a word of it.
    pub fn of(given: &str, outside: &Outside) -> Result<Self, String> {
        let path = outside.path(given);
        let text = if path.is_file() {
            Zeroizing::new(
                bounded::text(&path, bounded::CREDENTIALS).map_err(|error| format!("{} cannot be read: {error}", path.display()))?,
            )
        } else {
            Zeroizing::new(given.to_owned())
        };
        let value: Value = serde_json::from_str(&text).map_err(|_| "it is neither a file nor JSON".to_owned())?;
        Self::read(&value)
    }

    fn read(value: &Value) -> Result<Self, String> {
        let word = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let needed = |name: &str| word(name).ok_or_else(|| format!("it lacks `{name}`"));
        Ok(Self {
            email: needed("client_email")?,
            private: Zeroizing::new(needed("private_key")?),
            id: word("private_key_id").unwrap_or_default(),
            url: word("token_uri").unwrap_or_else(|| TOKENS.to_owned()),
        })
    }

    async fn token(&self, wanted: &Wanted, world: &World<'_>) -> Result<Token, Trouble> {
        let now = world.sender.now_seconds();
        let mut claims = json!({ "iss": self.email, "sub": self.email, "aud": self.url, "iat": now, "exp": now + 3600 });
        let name = match wanted {
            Wanted::IdToken(audience) => {
                claims["target_audience"] = json!(audience);
                "id_token"
            }
            Wanted::Access => {
                claims["scope"] = json!(SCOPES);
                "access_token"
            }
        };
        let assertion = self.signed(&claims).map_err(|why| Trouble::new(format!("the key of {} cannot sign: {why}", self.email)))?;
        let form = vec![("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.as_str())];
        let question = Question { whom: "Google", method: "POST", url: self.url.clone(), headers: vec![], body: Asked::Form(form) };
        let answer = world.elsewhere()?.ask(&question).await.map_err(Trouble::from)?;
        let life = number(&answer, "expires_in").and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(3600);
        Ok(Token::new(field(&answer, name, "Google")?, life))
    }

    fn signed(&self, claims: &Value) -> Result<Zeroizing<String>, &'static str> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.id });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let key = PrivateKeyDer::from_pem_slice(self.private.as_bytes()).map_err(|_| "`private_key` is no PEM")?;
        let key = rustls::crypto::ring::sign::any_supported_type(&key).map_err(|_| "`private_key` is of no known sort")?;
        let signer = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).ok_or("`private_key` is no RSA key")?;
        let signature = signer.sign(message.as_bytes()).map_err(|_| "it failed")?;
        Ok(Zeroizing::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

/// Whoever ran `gcloud auth application-default login`.
async fn user(value: &Value, world: &World<'_>) -> Result<Token, Trouble> {
    let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let url = value.get("token_uri").and_then(Value::as_str).unwrap_or(TOKENS).to_owned();
    let form = vec![
        ("grant_type", "refresh_token"),
        ("client_id", word("client_id")),
        ("client_secret", word("client_secret")),
        ("refresh_token", word("refresh_token")),
    ];
    let question = Question { whom: "Google", method: "POST", url, headers: vec![], body: Asked::Form(form) };
    let answer = world.elsewhere()?.ask(&question).await;
    let answer = answer.map_err(|error| Trouble::from(error).with("log in anew: `gcloud auth application-default login`"))?;
    Ok(Token::new(field(&answer, "access_token", "Google")?, world.life(&answer)))
}

/// What an `external_account` file says: a token of somebody else's, exchanged for one of Google's.
pub(crate) struct External {
    audience: String,
    subject_type: String,
    url: String,
    subject: Subject,
    impersonation: Option<String>,
}

/// Where the token comes from that is exchanged.
enum Subject {
    /// A file, read each time; the field of JSON, if it is JSON.
    File(PathBuf, Option<String>),
    /// An address, with headers.
    Url(String, Vec<(String, String)>, Option<String>),
}

impl External {
    /// Reads such a file's text.
    ///
    /// # Errors
    /// Why it is none, a sentence.
    pub(crate) fn read(text: &str, outside: &Outside) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|_| "it is no JSON".to_owned())?;
        let word = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let needed = |name: &str| word(name).ok_or_else(|| format!("it lacks `{name}`"));
        let source = value.get("credential_source").ok_or("it lacks `credential_source`")?;
        let format = source.get("format");
        let is_json = format.and_then(|f| f.get("type")).and_then(Value::as_str) == Some("json");
        let name = format.and_then(|f| f.get("subject_token_field_name")).and_then(Value::as_str).map(str::to_owned).filter(|_| is_json);
        let subject = if let Some(file) = source.get("file").and_then(Value::as_str) {
            Subject::File(outside.path(file), name)
        } else if let Some(url) = source.get("url").and_then(Value::as_str) {
            let headers = source.get("headers").and_then(Value::as_object);
            let headers = headers.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
            Subject::Url(url.to_owned(), headers.collect(), name)
        } else {
            return Err("its `credential_source` is neither a `file` nor a `url`: those are what can be used".to_owned());
        };
        Ok(Self {
            audience: needed("audience")?,
            subject_type: needed("subject_token_type")?,
            url: word("token_url").unwrap_or_else(|| "https://sts.googleapis.com/v1/token".to_owned()),
            subject,
            impersonation: word("service_account_impersonation_url"),
        })
    }

    /// A token for Google's own interfaces, and for how many seconds.
    ///
    /// # Errors
    /// What was asked and what was answered, without any token.
    pub(crate) async fn token(&self, elsewhere: &Elsewhere) -> Result<(String, u64), String> {
        let subject = self.subject(elsewhere).await?;
        self.exchanged(&subject, elsewhere).await.map_err(|error| error.to_string())
    }

    async fn exchanged(&self, subject: &str, elsewhere: &Elsewhere) -> Result<(String, u64), Unanswered> {
        let whom = "Google";
        let form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("audience", self.audience.as_str()),
            ("scope", SCOPE),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token_type", &self.subject_type),
            ("subject_token", subject),
        ];
        let question = Question { whom, method: "POST", url: self.url.clone(), headers: vec![], body: Asked::Form(form) };
        let answer = elsewhere.ask(&question).await?;
        let token = field(&answer, "access_token", whom)?;
        let Some(url) = &self.impersonation else {
            return Ok((token, number(&answer, "expires_in").and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(3600)));
        };
        let headers = vec![("authorization", format!("Bearer {token}"))];
        let body = Asked::Json(json!({ "scope": [SCOPE] }));
        let answer = elsewhere.ask(&Question { whom, method: "POST", url: url.clone(), headers, body }).await?;
        Ok((field(&answer, "accessToken", whom)?, 3600))
    }

    async fn subject(&self, elsewhere: &Elsewhere) -> Result<String, String> {
        let (said, name, whose) = match &self.subject {
            Subject::File(path, name) => {
                let read = bounded::text(path, bounded::CREDENTIALS);
                (read.map_err(|error| format!("{} cannot be read: {error}", path.display()))?, name, path.display().to_string())
            }
            Subject::Url(url, headers, name) => {
                let headers = headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
                let question = Question { whom: "the pipeline", method: "GET", url: url.clone(), headers, body: Asked::Nothing };
                (elsewhere.text(&question).await.map_err(|error| error.to_string())?, name, "the pipeline".to_owned())
            }
        };
        let Some(name) = name else { return Ok(said.trim().to_owned()) };
        let answer = serde_json::from_str(&said).map_err(|_| format!("{whose} did not give JSON"))?;
        field(&answer, name, &whose).map_err(|error| error.to_string())
    }
}
