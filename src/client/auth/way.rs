//! The building blocks: the ways to an access token. A method of authentication is one of them, with what it needs.

use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::azure::{AzureCli, Entra, ManagedIdentity};
use super::google::Google;
use super::identity::Identity;
use super::program::DatabricksCli;
use super::source::{Token, Trouble};
use super::workspace::{self, Grant};
use crate::client::elsewhere::{Asked, Elsewhere, Question, Unanswered, field, number};
use crate::client::send::Sender;

/// A way to an access token.
pub enum Way {
    /// It is given.
    Fixed(Zeroizing<String>),
    /// A service principal's secret, at the workspace.
    Secret { client: String, secret: Zeroizing<String> },
    /// An ID token, exchanged at the workspace (RFC 8693). Without an audience: the one that the workspace wants. Without a
    /// client: federation of the whole account.
    Exchange { identity: Identity, audience: Option<String>, client: Option<String> },
    /// Microsoft Entra.
    Entra(Entra),
    /// A managed identity of Azure.
    Managed(ManagedIdentity),
    /// The `az` program.
    AzureCli(AzureCli),
    /// The `databricks` program.
    DatabricksCli(DatabricksCli),
    /// A metadata service of Databricks (an editor's extension runs one).
    Metadata { url: String, host: String },
    /// A service account of Google's.
    Google(Google),
}

/// What a way may ask.
pub struct World<'a> {
    /// The workspace, the clock, the programs.
    pub sender: &'a Sender,
    elsewhere: &'a OnceLock<Result<Elsewhere, String>>,
}

impl<'a> World<'a> {
    pub fn new(sender: &'a Sender, elsewhere: &'a OnceLock<Result<Elsewhere, String>>) -> Self {
        Self { sender, elsewhere }
    }

    /// Other services; built when first asked, so that who needs none needs no certificates.
    pub fn elsewhere(&self) -> Result<&'a Elsewhere, Trouble> {
        let made = self.elsewhere.get_or_init(|| Elsewhere::new(self.sender.outside()).map_err(|error| error.to_string()));
        made.as_ref().map_err(Trouble::new)
    }

    /// Seconds from now until a moment (seconds since 1970); none for the past.
    pub fn seconds_until(&self, moment: i64) -> u64 {
        u64::try_from(moment.saturating_sub(self.sender.now_seconds())).unwrap_or(0)
    }

    /// How long a token of an answer holds: `expires_in`, or until `expires_on`; five minutes where neither is said.
    pub fn life(&self, answer: &serde_json::Value) -> u64 {
        let left = number(answer, "expires_in").and_then(|seconds| u64::try_from(seconds).ok());
        left.or_else(|| number(answer, "expires_on").map(|moment| self.seconds_until(moment))).unwrap_or(300)
    }
}

impl From<Unanswered> for Trouble {
    fn from(error: Unanswered) -> Self {
        Self::new(error.to_string())
    }
}

impl Way {
    /// Whether it gives the same token always.
    pub const fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// Fetches a token.
    pub async fn fetch(&self, world: &World<'_>) -> Result<Token, Trouble> {
        match self {
            Self::Fixed(token) => Ok(Token::new(token.to_string(), u64::MAX)),
            Self::Secret { client, secret } => workspace::token(Grant::Secret { client, secret }, world).await,
            Self::Exchange { identity, audience, client } => exchange(identity, audience.as_deref(), client.as_deref(), world).await,
            Self::Entra(entra) => entra.token(world).await,
            Self::Managed(identity) => identity.token(world).await,
            Self::AzureCli(program) => program.token(world).await,
            Self::DatabricksCli(program) => program.token(world).await,
            Self::Metadata { url, host } => metadata(url, host, world).await,
            Self::Google(google) => google.token(world).await,
        }
    }
}

async fn exchange(identity: &Identity, audience: Option<&str>, client: Option<&str>, world: &World<'_>) -> Result<Token, Trouble> {
    let audience = match (audience, identity) {
        (Some(audience), _) => audience.to_owned(),
        (None, Identity::Github(_)) => workspace::audience(world).await?,
        // Theirs cannot be chosen.
        (None, Identity::Variable(..) | Identity::File(_) | Identity::AzureDevops(_)) => String::new(),
    };
    let token = identity.token(&audience, world.elsewhere()?).await.map_err(Trouble::new)?;
    let exchanged = workspace::token(Grant::Exchange { token: &token, client }, world).await;
    exchanged.map_err(|trouble| about(&trouble, identity, &token, world))
}

/// A refused exchange, with what the ID token says of itself: that is what a federation policy is compared with.
fn about(trouble: &Trouble, identity: &Identity, token: &str, world: &World<'_>) -> Trouble {
    let trouble = trouble.clone();
    if trouble.cause.as_ref().is_none_or(|cause| cause.status.is_none()) {
        return trouble;
    }
    let Some(claims) = super::identity::claims(token) else {
        let why = format!("{} ({} is no JSON web token)", trouble.why, identity.told());
        return Trouble { why, ..trouble }.with(format!("check where it comes from; {}", identity.renewal()));
    };
    if let Some(end) = number(&claims, "exp").filter(|end| *end <= world.sender.now_seconds()) {
        let end = jiff::Timestamp::from_second(end).map_or_else(|_| "some time ago".to_owned(), |end| end.to_string());
        return Trouble { why: format!("{}; {} ran out at {end}", trouble.why, identity.told()), ..trouble }.with(identity.renewal());
    }
    let claim = |name: &str| match claims.get(name) {
        Some(serde_json::Value::String(text)) => format!("{name} `{text}`"),
        Some(other) => format!("{name} {other}"),
        None => format!("no {name}"),
    };
    let said = ["iss", "sub", "aud"].map(claim).join(", ");
    trouble.with(format!(
        "{} has {said}: a federation policy of the service principal has to name the same issuer, subject and audience",
        identity.told()
    ))
}

async fn metadata(url: &str, host: &str, world: &World<'_>) -> Result<Token, Trouble> {
    let whom = "the metadata service";
    let headers = vec![("X-Databricks-Metadata-Version", "1".to_owned()), ("X-Databricks-Host", host.to_owned())];
    let question = Question { whom, method: "GET", url: url.to_owned(), headers, body: Asked::Nothing };
    let answer = world.elsewhere()?.ask(&question).await?;
    Ok(Token::new(field(&answer, "access_token", whom)?, world.life(&answer)))
}
