//! S3 and what speaks it (`MinIO`, R2, moto): where the credentials come from.
//!
//! In the order of AWS's own tools: keys in the environment, a web identity (what GitHub's and EKS's OIDC give), a profile of
//! `~/.aws` (keys, `credential_process`, or whatever else the `aws` program can make of it: single sign-on, assumed roles),
//! then the container's or the machine's role.

use std::sync::{Arc, Mutex, PoisonError};

use ini::Ini;
use jiff::{SignedDuration, Timestamp};
use object_store::CredentialProvider;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;

use super::cloud::{Access, Cloud, NoCredentials, connector, host_of, retry};
use super::objects::{About, ObjectError};
use super::place::Bucket;
use crate::client::BoxFuture;
use crate::client::elsewhere::without_tokens;
use crate::model::{Outside, bounded};

/// Opens a bucket.
pub(super) fn open(bucket: &Bucket, environment: &str, outside: &Outside) -> Result<Cloud, ObjectError> {
    let profile = Profile::read(bucket, outside)?;
    let endpoint = bucket.settings.get("endpoint").map(String::as_str);
    let endpoint = endpoint.or_else(|| outside.variable("AWS_ENDPOINT_URL_S3")).or_else(|| outside.variable("AWS_ENDPOINT_URL"));
    let region = bucket.settings.get("region").map(String::as_str);
    let region = region.or_else(|| outside.variable("AWS_REGION")).or_else(|| outside.variable("AWS_DEFAULT_REGION"));
    let host = endpoint.and_then(host_of).unwrap_or_default();
    let mut builder = AmazonS3Builder::new();
    for (name, value) in outside.variables.iter().filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty()) {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    let from = of_environment(outside);
    let mut credentials = from.clone().unwrap_or_else(|| of_machine(outside));
    if let Some(keys) = profile.keys(outside, from.is_some())? {
        credentials = profile.told();
        builder = builder.with_credentials(Arc::new(keys));
    }
    builder = builder
        .with_bucket_name(&bucket.name)
        .with_region(region.map(str::to_owned).or(profile.region).unwrap_or_else(|| "us-east-1".to_owned()))
        .with_retry(retry())
        .with_http_connector(connector(outside, &host)?);
    if let Some(endpoint) = endpoint {
        // Plain HTTP is for this machine only, as everywhere.
        builder = builder.with_endpoint(endpoint).with_allow_http(crate::client::is_loopback(&host));
    }
    let store = builder.build().map_err(|error| ObjectError { why: error.to_string(), help: help(), ..Default::default() })?;
    Ok(Cloud::new("s3", bucket, environment, Arc::new(store), Access::new(credentials, help(), outside)))
}

/// What the environment's variables say of who we are; none where they say nothing.
fn of_environment(outside: &Outside) -> Option<String> {
    let is = |name: &str| outside.variable(name).is_some_and(|value| !value.is_empty());
    if is("AWS_ACCESS_KEY_ID") {
        let temporary = if is("AWS_SESSION_TOKEN") { ", with AWS_SESSION_TOKEN" } else { "" };
        return Some(format!("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment{temporary}"));
    }
    let role = outside.variable("AWS_ROLE_ARN")?;
    is("AWS_WEB_IDENTITY_TOKEN_FILE").then(|| format!("the web identity of AWS_WEB_IDENTITY_TOKEN_FILE, as {role} of AWS_ROLE_ARN"))
}

fn of_machine(outside: &Outside) -> String {
    let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    match container.iter().find(|name| outside.variable(name).is_some()) {
        Some(name) => format!("the container's role ({name})"),
        None => "the machine's role: there is nothing in the environment and no profile in ~/.aws".to_owned(),
    }
}

fn help() -> Vec<String> {
    vec![
        "credentials are looked for in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, the profile of AWS_PROFILE in ~/.aws, the container's and the machine's role".to_owned(),
        "reading, writing, listing and deleting objects below the folder is all that is needed (s3:GetObject, s3:PutObject, s3:ListBucket, s3:DeleteObject)".to_owned(),
    ]
}

/// Keys, and the program that gives others when these run out.
struct Keys {
    /// As they are now.
    last: Arc<Mutex<Given>>,
    program: Option<Arc<Program>>,
    /// Held by the one who asks the program.
    turn: Arc<tokio::sync::Mutex<Turn>>,
}

/// When the program may be asked again.
#[derive(Default)]
struct Turn {
    /// None: at once.
    pause: Option<Timestamp>,
    /// What went wrong last, if it did.
    failed: Option<ObjectError>,
}

/// Keys as they were given.
struct Given {
    credential: Arc<AwsCredential>,
    /// When they run out; none: never, or nobody says.
    expires: Option<Timestamp>,
}

/// A program that gives keys in the form of `credential_process`.
struct Program {
    profile: String,
    name: String,
    arguments: Vec<String>,
    outside: Outside,
}

/// How long before their end keys are asked for anew.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// How long the program is left alone after it was asked.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

impl Keys {
    fn fixed(id: &str, secret: &str, token: Option<&str>) -> Self {
        let credential = Arc::new(AwsCredential { key_id: id.to_owned(), secret_key: secret.to_owned(), token: token.map(str::to_owned) });
        Self::with(Given { credential, expires: None }, None)
    }

    /// Asks the program once now, so that what is wrong with it is told at once.
    fn of(program: Program) -> Result<Self, ObjectError> {
        let given = program.ask()?;
        Ok(Self::with(given, Some(Arc::new(program))))
    }

    fn with(given: Given, program: Option<Arc<Program>>) -> Self {
        Self { last: Arc::new(Mutex::new(given)), program, turn: Arc::default() }
    }

    /// Keys that hold: others are asked for in good time, beside whoever needs them; waited for only once these are over.
    async fn current(&self) -> Result<Arc<AwsCredential>, ObjectError> {
        let Some(program) = &self.program else { return Ok(self.last().0) };
        let now = program.outside.now();
        let (credential, expires) = self.last();
        let Some(expires) = expires.filter(|expires| now + MARGIN >= *expires) else { return Ok(credential) };
        if now < expires {
            if let Ok(turn) = Arc::clone(&self.turn).try_lock_owned()
                && turn.pause.is_none_or(|pause| now >= pause)
            {
                // Whether that goes well is seen by whoever comes next.
                drop(self.renew(program, turn));
            }
            return Ok(credential);
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let now = program.outside.now();
        // Somebody else may have asked meanwhile.
        match (self.last(), &turn.failed) {
            ((credential, Some(expires)), _) if now < expires => return Ok(credential),
            ((credential, None), _) => return Ok(credential),
            (_, Some(failed)) if turn.pause.is_some_and(|pause| now < pause) => return Err(failed.clone()),
            _ => {}
        }
        self.renew(program, turn).await.unwrap_or_else(|error| Err(ObjectError::new(error.to_string())))
    }

    fn last(&self) -> (Arc<AwsCredential>, Option<Timestamp>) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        (Arc::clone(&last.credential), last.expires)
    }

    /// Asks the program, also where nobody waits for it any more.
    fn renew(&self, program: &Arc<Program>, mut turn: OwnedMutexGuard<Turn>) -> JoinHandle<Result<Arc<AwsCredential>, ObjectError>> {
        let (program, last) = (Arc::clone(program), Arc::clone(&self.last));
        tokio::task::spawn_blocking(move || {
            let asked = program.ask();
            turn.pause = Some(program.outside.now() + PAUSE);
            turn.failed = asked.as_ref().err().cloned();
            let given = asked?;
            let credential = Arc::clone(&given.credential);
            *last.lock().unwrap_or_else(PoisonError::into_inner) = given;
            Ok(credential)
        })
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl CredentialProvider for Keys {
    type Credential = AwsCredential;

    fn get_credential<'a, 'f>(&'a self) -> BoxFuture<'f, object_store::Result<Arc<AwsCredential>>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let failed =
                |error: ObjectError| object_store::Error::Generic { store: "s3", source: Box::new(NoCredentials(error.to_string())) };
            self.current().await.map_err(failed)
        })
    }
}

impl Program {
    fn ask(&self) -> Result<Given, ObjectError> {
        let fail = |why: String| ObjectError {
            why: format!("the profile `{}` of ~/.aws: {why}", self.profile),
            help: vec![],
            about: About::Credentials,
        };
        let name = &self.name;
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let output = self.outside.system.run_within(name, &arguments, &self.outside.folder, std::time::Duration::from_secs(60));
        let output = output.map_err(|e| fail(format!("`{name}` cannot be run: {e}")))?;
        if output.code != Some(0) {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = without_tokens(said.trim().lines().last().unwrap_or("it said nothing"));
            return Err(fail(format!("`{name}` failed: {said}")));
        }
        let answer: serde_json::Value =
            serde_json::from_slice(&output.stdout).map_err(|_| fail(format!("`{name}` did not answer in JSON")))?;
        let text = |key: &str| answer.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        let (Some(key_id), Some(secret_key)) = (text("AccessKeyId"), text("SecretAccessKey")) else {
            return Err(fail(format!("`{name}` answered without AccessKeyId and SecretAccessKey")));
        };
        let expires = text("Expiration").map(|end| end.parse().map_err(|_| fail(format!("`{name}` answered with no time as Expiration"))));
        let credential = Arc::new(AwsCredential { key_id, secret_key, token: text("SessionToken") });
        Ok(Given { credential, expires: expires.transpose()? })
    }
}

/// What `~/.aws/credentials` and `~/.aws/config` say of one profile.
struct Profile {
    name: String,
    /// Named by the URL or by `AWS_PROFILE`: then it wins over keys in the environment only if the URL named it.
    asked: bool,
    forced: bool,
    /// Id, secret and session token.
    keys: Option<(String, String, Option<String>)>,
    process: Option<String>,
    /// It says how to get in by some other way, which the `aws` program knows.
    other: bool,
    region: Option<String>,
}

impl Profile {
    fn read(bucket: &Bucket, outside: &Outside) -> Result<Self, ObjectError> {
        let forced = bucket.settings.get("profile").cloned();
        let asked = forced.clone().or_else(|| outside.variable("AWS_PROFILE").map(str::to_owned));
        let name = asked.clone().unwrap_or_else(|| "default".to_owned());
        let file = |variable: &str, default: &str| {
            outside.variable(variable).map(|path| outside.path(path)).or_else(|| Some(outside.home()?.join(".aws").join(default)))
        };
        let mut found = Self {
            name: name.clone(),
            asked: asked.is_some(),
            forced: forced.is_some(),
            keys: None,
            process: None,
            other: false,
            region: None,
        };
        let mut known = false;
        let sections = [
            (file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), name.clone()),
            (file("AWS_CONFIG_FILE", "config"), if name == "default" { name.clone() } else { format!("profile {name}") }),
        ];
        for (path, section) in sections {
            let Some(path) = path.filter(|path| path.is_file()) else { continue };
            let text = bounded::text(&path, bounded::CREDENTIALS)
                .map_err(|e| ObjectError::new(format!("{} cannot be read: {e}", path.display())))?;
            let ini = Ini::load_from_str_noescape(&text)
                .map_err(|e| ObjectError::new(format!("{}, line {}: {}", path.display(), e.line + 1, e.msg)))?;
            let Some(section) = ini.section(Some(section)) else { continue };
            known = true;
            let value = |key: &str| section.get(key).map(str::to_owned).filter(|v| !v.is_empty());
            if let (None, Some(id), Some(secret)) = (&found.keys, value("aws_access_key_id"), value("aws_secret_access_key")) {
                found.keys = Some((id, secret, value("aws_session_token")));
            }
            found.process = found.process.or_else(|| value("credential_process"));
            found.region = found.region.or_else(|| value("region"));
            found.other |= ["sso_session", "sso_start_url", "role_arn", "login_session"].iter().any(|key| section.contains_key(*key));
        }
        if found.asked && !known {
            return Err(ObjectError {
                why: format!("~/.aws has no profile `{name}`"),
                help: vec!["`aws configure list-profiles` shows those that there are".to_owned()],
                about: About::Credentials,
            });
        }
        Ok(found)
    }

    /// Where its keys come from.
    fn told(&self) -> String {
        match (&self.keys, &self.process) {
            (Some(_), _) => format!("the keys of the profile `{}` of ~/.aws", self.name),
            (None, Some(_)) => format!("the credential_process of the profile `{}` of ~/.aws", self.name),
            (None, None) => format!("what `aws configure export-credentials --profile {}` gave", self.name),
        }
    }

    /// Its keys where they are wanted: never against what the environment says, unless the URL names the profile.
    fn keys(&self, outside: &Outside, environment_has_keys: bool) -> Result<Option<Keys>, ObjectError> {
        if environment_has_keys && !self.forced {
            return Ok(None);
        }
        if let Some((id, secret, token)) = &self.keys {
            return Ok(Some(Keys::fixed(id, secret, token.as_deref())));
        }
        let program = |name: &str, arguments: &[&str]| Program {
            profile: self.name.clone(),
            name: name.to_owned(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            outside: outside.clone(),
        };
        if let Some(command) = &self.process {
            let (name, arguments) = shell(command);
            return Keys::of(program(name, &arguments)).map(Some);
        }
        if self.other {
            let arguments = ["configure", "export-credentials", "--profile", &self.name, "--format", "process"];
            return Keys::of(program("aws", &arguments)).map(Some);
        }
        Ok(None)
    }
}

/// A command line as the shell of this system takes it.
fn shell(command: &str) -> (&'static str, Vec<&str>) {
    if cfg!(windows) { ("cmd", vec!["/C", command]) } else { ("sh", vec!["-c", command]) }
}
