//! OAuth for a service principal: client credentials, a cached token, one caller that fetches for all.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::AuthError;
use crate::client::send::{Errand, Sender};
use crate::client::{ApiError, Request, RequestBody};
use crate::kinds::Repeat;
use crate::model::Value;

/// A service principal.
pub struct Machine {
    client_id: String,
    client_secret: Zeroizing<String>,
    cached: Mutex<Option<Cached>>,
}

struct Cached {
    token: Zeroizing<String>,
    /// From here on a new one is fetched.
    renew: Instant,
    /// From here on it is worth nothing.
    expires: Instant,
}

impl Machine {
    pub fn new(client_id: String, client_secret: String) -> Self {
        Self { client_id, client_secret: Zeroizing::new(client_secret), cached: Mutex::new(None) }
    }

    /// A token that is good for a while. Whoever comes first fetches it while the others wait.
    pub async fn token(&self, sender: &Sender) -> Result<Zeroizing<String>, AuthError> {
        let mut cached = self.cached.lock().await;
        let now = Instant::now();
        if let Some(known) = cached.as_ref().filter(|known| now < known.renew) {
            return Ok(known.token.clone());
        }
        match self.fetch(sender).await {
            Ok(fresh) => Ok(cached.insert(fresh).token.clone()),
            Err(error) => cached.as_ref().filter(|known| now < known.expires).map(|known| known.token.clone()).ok_or(error),
        }
    }

    /// Drops this token, if it is still the cached one. True: another may be had.
    pub async fn forget(&self, token: &str) -> bool {
        let mut cached = self.cached.lock().await;
        if cached.as_ref().is_some_and(|known| known.token.as_str() == token) {
            *cached = None;
        }
        true
    }

    async fn fetch(&self, sender: &Sender) -> Result<Cached, AuthError> {
        let path = self.endpoint(sender).await?;
        let form = [("grant_type", "client_credentials"), ("scope", "all-apis")];
        let basic = Zeroizing::new(format!("{}:{}", self.client_id, *self.client_secret));
        let request = Request {
            method: "POST".to_owned(),
            path,
            query: vec![],
            headers: vec![("authorization".to_owned(), format!("Basic {}", base64(basic.as_bytes())))],
            body: RequestBody::Form(form.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec()),
        };
        let asked = Instant::now();
        let errand = Errand { request, endpoint: "oidc.token", repeat: Repeat::Safe, raw: false };
        let reply = sender.attempt(&errand, None).await.map_err(|error| self.no_token(sender, error.to_string(), Some(error)))?;
        let token = reply.body.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
        let token = Zeroizing::new(token.ok_or_else(|| self.no_token(sender, "the answer has no `access_token`".into(), None))?.to_owned());
        let seconds = reply.body.get("expires_in").and_then(Value::as_i64).and_then(|n| u64::try_from(n).ok()).unwrap_or(300);
        let expires = asked + Duration::from_secs(seconds);
        // A fifth of its life before its end, a minute at most.
        Ok(Cached { token, renew: asked + Duration::from_secs(seconds.saturating_sub((seconds / 5).min(60))), expires })
    }

    /// The path of the token endpoint, as the workspace itself says. Another host gets no secret.
    async fn endpoint(&self, sender: &Sender) -> Result<String, AuthError> {
        let path = "/oidc/.well-known/oauth-authorization-server".to_owned();
        let request = Request { method: "GET".to_owned(), path, query: vec![], headers: vec![], body: RequestBody::Empty };
        let errand = Errand { request, endpoint: "oidc.discovery", repeat: Repeat::Safe, raw: false };
        let reply = sender.attempt(&errand, None).await.map_err(|error| self.no_token(sender, error.to_string(), Some(error)))?;
        let url = reply.body.get("token_endpoint").and_then(Value::as_str).unwrap_or_default();
        path_on(sender.host(), url)
            .ok_or_else(|| self.no_token(sender, format!("the workspace names `{url}` as its token endpoint, which is another host"), None))
    }

    fn no_token(&self, sender: &Sender, why: String, cause: Option<ApiError>) -> AuthError {
        AuthError::NoToken { host: sender.host().to_owned(), client_id: self.client_id.clone(), why, cause: cause.map(Box::new) }
    }
}

/// The path of a URL on this host; none where it is on another.
fn path_on(host: &str, url: &str) -> Option<String> {
    let host = host.trim_end_matches('/');
    let rest = url.get(..host.len()).filter(|start| start.eq_ignore_ascii_case(host)).and_then(|_| url.get(host.len()..))?;
    rest.starts_with('/').then(|| rest.to_owned())
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0u32, |word, (i, byte)| word | u32::from(*byte) << (16 - 8 * i));
        for i in 0..4 {
            out.push(if i <= chunk.len() { char::from(LETTERS[(word >> (18 - 6 * i) & 63) as usize]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_rfc_4648() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn only_the_workspace_itself_gets_the_secret() {
        for (url, want) in [
            ("https://a.net/oidc/v1/token", Some("/oidc/v1/token")),
            ("https://A.net/oidc", Some("/oidc")),
            ("https://a.net.evil/oidc", None),
            ("http://a.net/oidc", None),
            ("", None),
        ] {
            assert_eq!(path_on("https://a.net", url).as_deref(), want, "{url}");
        }
    }
}
