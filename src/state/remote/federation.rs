//! Tokens in exchange for tokens, where the store's own library knows no way: a pipeline's identity for one of Azure's or of
//! Google's. The exchanges themselves are the client's, which opens workspaces with them too.

use std::time::Duration;

use tokio::time::Instant;

use super::objects::ObjectError;
use crate::client::auth::{External, Identity};
use crate::client::elsewhere::{Asked, Elsewhere, Question, field, number};
use crate::model::Outside;

/// How long an exchange may take.
const LIMIT: Duration = Duration::from_secs(20);
/// How long before its end a token is exchanged anew.
const MARGIN: Duration = Duration::from_secs(120);

/// A way to a token, and how long that lasts.
pub(super) struct Federation {
    elsewhere: Elsewhere,
    way: Way,
    last: tokio::sync::Mutex<Option<(String, Instant)>>,
}

/// Which exchange.
pub(super) enum Way {
    /// A pipeline's token for one of Azure's storage.
    ToAzure {
        /// The pipeline's.
        identity: Identity,
        /// `https://login.microsoftonline.com`.
        authority: String,
        tenant: String,
        client: String,
    },
    /// What an `external_account` file of Google's says.
    ToGoogle(External),
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
        let elsewhere = Elsewhere::new(outside).map_err(|error| ObjectError::new(error.to_string()))?;
        Ok(Self { elsewhere, way, last: tokio::sync::Mutex::default() })
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
        let (token, seconds) = asked.map_err(|_| Failed("the exchange of tokens does not end".to_owned()))?.map_err(Failed)?;
        *last = Some((token.clone(), Instant::now() + Duration::from_secs(seconds)));
        Ok(token)
    }

    async fn exchange(&self) -> Result<(String, u64), String> {
        match &self.way {
            Way::ToAzure { identity, authority, tenant, client } => {
                let subject = identity.token("api://AzureADTokenExchange", &self.elsewhere).await?;
                let url = format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
                let form = vec![
                    ("grant_type", "client_credentials"),
                    ("client_id", client.as_str()),
                    ("scope", "https://storage.azure.com/.default"),
                    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                    ("client_assertion", &subject),
                ];
                let question = Question { whom: "Azure", method: "POST", url, headers: vec![], body: Asked::Form(form) };
                let answer = self.elsewhere.ask(&question).await.map_err(|error| error.to_string())?;
                let token = field(&answer, "access_token", "Azure").map_err(|error| error.to_string())?;
                Ok((token, number(&answer, "expires_in").and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(3600)))
            }
            Way::ToGoogle(external) => external.token(&self.elsewhere).await,
        }
    }
}
