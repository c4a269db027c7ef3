//! Tokens in exchange for tokens, where the store's own library knows no way: a pipeline's identity for one of Azure's or of
//! Google's. The exchanges themselves are the client's, which opens workspaces with them too.

use std::time::Duration;

use tokio::time::Instant;

use super::cloud::NoCredentials;
use super::objects::ObjectError;
use crate::client::auth::{External, Identity};
use crate::client::elsewhere::{Asked, Elsewhere, Question, field, number};
use crate::model::Outside;

/// How long an exchange may take.
const LIMIT: Duration = Duration::from_secs(20);
/// How long before its end a token is exchanged anew, at most; a fifth of its life where that is less.
const MARGIN: Duration = Duration::from_secs(120);
/// No token is taken to hold longer, whatever its giver says: the clock's arithmetic has an end.
const LONGEST: u64 = 10 * 365 * 86_400;
/// How long an exchange that failed is left alone while the last token holds.
const PAUSE: Duration = Duration::from_secs(10);

/// A way to a token, and how long that lasts.
pub(super) struct Federation {
    elsewhere: Elsewhere,
    way: Way,
    last: tokio::sync::Mutex<Option<Kept>>,
}

/// The last token.
struct Kept {
    token: String,
    /// From here on another is asked for.
    renew: Instant,
    /// From here on it is worth nothing.
    expires: Instant,
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

impl Federation {
    pub(super) fn new(outside: &Outside, way: Way) -> Result<Self, ObjectError> {
        let elsewhere = Elsewhere::new(outside).map_err(|error| ObjectError::new(error.to_string()))?;
        Ok(Self { elsewhere, way, last: tokio::sync::Mutex::default() })
    }

    /// A token that is good for a while: where the exchange fails, the last one for as long as it holds.
    ///
    /// # Errors
    /// What was asked, and what was answered, without any token.
    pub(super) async fn token(&self) -> Result<String, NoCredentials> {
        let mut last = self.last.lock().await;
        let asked = Instant::now();
        if let Some(kept) = last.as_ref().filter(|kept| asked < kept.renew) {
            return Ok(kept.token.clone());
        }
        let answer = tokio::time::timeout(LIMIT, self.exchange()).await;
        match answer.unwrap_or_else(|_| Err("the exchange of tokens does not end".to_owned())) {
            Ok((token, seconds)) => {
                let life = Duration::from_secs(seconds.min(LONGEST));
                let expires = asked + life;
                let renew = asked + life.saturating_sub(MARGIN.min(life / 5));
                Ok(last.insert(Kept { token, renew, expires }).token.clone())
            }
            Err(why) => {
                let now = Instant::now();
                let Some(kept) = last.as_mut().filter(|kept| now < kept.expires) else { return Err(NoCredentials(why)) };
                kept.renew = now + PAUSE.min(kept.expires.saturating_duration_since(now) / 2);
                Ok(kept.token.clone())
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_token_is_used_for_as_long_as_it_holds() {
        let outside = super::super::tests::outside(0);
        // Its file is not there: each exchange fails.
        let way = Way::ToAzure {
            identity: Identity::File("/nowhere/token".into()),
            authority: "https://login.microsoftonline.com".to_owned(),
            tenant: "t".to_owned(),
            client: "c".to_owned(),
        };
        let federation = Federation::new(&outside, way).unwrap();
        assert!(federation.token().await.unwrap_err().to_string().contains("/nowhere/token"));
        let now = Instant::now();
        let kept = Kept { token: "last".to_owned(), renew: now, expires: now + Duration::from_secs(100) };
        *federation.last.lock().await = Some(kept);
        for _ in 0..99 {
            assert_eq!(federation.token().await.unwrap(), "last");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(federation.token().await.is_err(), "now it is over");
    }
}
