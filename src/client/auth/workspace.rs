//! OAuth at the workspace itself: its token endpoint, a service principal's secret, the exchange of an ID token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::source::{Token, Trouble};
use super::trust;
use super::way::World;
use crate::client::send::{Errand, Sender};
use crate::client::{ApiError, Request, RequestBody};
use crate::kinds::Repeat;
use crate::model::Value;

/// What a token is asked for with.
pub enum Grant<'a> {
    /// A service principal's id and secret.
    Secret { client: &'a str, secret: &'a Zeroizing<String> },
    /// An ID token; with a client, as that service principal.
    Exchange { token: &'a str, client: Option<&'a str> },
}

/// A token of the workspace.
pub async fn token(grant: Grant<'_>, world: &World<'_>) -> Result<Token, Trouble> {
    let url = endpoint(world.sender).await?;
    let path = path_on(world.sender.host(), &url)
        .ok_or_else(|| Trouble::new(format!("the workspace names `{url}` as its token endpoint, which is another host")))?;
    let mut headers = vec![];
    let mut form = vec![];
    let mut say = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
    match grant {
        Grant::Secret { client, secret } => {
            let basic = Zeroizing::new(format!("{client}:{}", **secret));
            headers.push(("authorization".to_owned(), format!("Basic {}", STANDARD.encode(basic.as_bytes()))));
            say("grant_type", "client_credentials");
        }
        Grant::Exchange { token, client } => {
            say("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
            say("subject_token_type", "urn:ietf:params:oauth:token-type:jwt");
            say("subject_token", token);
            if let Some(client) = client {
                say("client_id", client);
            }
        }
    }
    say("scope", "all-apis");
    let request = Request { method: "POST".to_owned(), path, query: vec![], headers, body: RequestBody::Form(form) };
    let errand = Errand { request, endpoint: "oidc.token", repeat: Repeat::Safe, raw: false };
    let reply = world.sender.attempt(&errand, &[]).await.map_err(refused)?;
    let text = reply.body.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
    let text = text.ok_or_else(|| Trouble::new("the workspace answered without `access_token`"))?;
    let seconds = reply.body.get("expires_in").and_then(Value::as_i64).and_then(|n| u64::try_from(n).ok()).unwrap_or(300);
    Ok(Token::new(text.to_owned(), seconds))
}

/// The audience that the workspace wants of an ID token: what its discovery says, else its token endpoint.
pub async fn audience(world: &World<'_>) -> Result<String, Trouble> {
    let config = get(world.sender, "/.well-known/databricks-config", "discovery").await;
    let text = |name: &str| config.as_ref().ok()?.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let said = config.as_ref().ok().and_then(|config| config.get("token_federation_default_oidc_audiences"));
    let host = world.sender.host();
    let first = said.and_then(Value::as_list).and_then(|all| all.first()).and_then(Value::as_str);
    if let Some(first) = first.filter(|first| trust::is_own_audience(first, host)) {
        return Ok(first.to_owned());
    }
    // A host without a workspace is an account's.
    let audience = match (text("workspace_id"), text("account_id")) {
        (None, Some(account)) => account,
        _ => endpoint(world.sender).await?,
    };
    if trust::is_own_audience(&audience, host) {
        return Ok(audience);
    }
    // A host that nobody should have named would get a token with which others let it in.
    Err(Trouble::new(format!("the workspace asks for an ID token for `{audience}`, which is not for a workspace of Databricks"))
        .with("if that is meant, set DATABRICKS_TOKEN_AUDIENCE"))
}

/// The URL of the token endpoint, as the workspace itself says.
async fn endpoint(sender: &Sender) -> Result<String, Trouble> {
    let body = get(sender, "/oidc/.well-known/oauth-authorization-server", "oidc.discovery").await.map_err(refused)?;
    Ok(body.get("token_endpoint").and_then(Value::as_str).unwrap_or_default().to_owned())
}

async fn get(sender: &Sender, path: &str, endpoint: &'static str) -> Result<Value, ApiError> {
    let request = Request { method: "GET".to_owned(), path: path.to_owned(), query: vec![], headers: vec![], body: RequestBody::Empty };
    let errand = Errand { request, endpoint, repeat: Repeat::Safe, raw: false };
    sender.attempt(&errand, &[]).await.map(|reply| reply.body)
}

fn refused(error: ApiError) -> Trouble {
    Trouble { why: error.to_string(), help: vec![], cause: Some(Box::new(error)) }
}

/// The path of a URL on this host; none where it is on another, which gets no secret.
fn path_on(host: &str, url: &str) -> Option<String> {
    let host = host.trim_end_matches('/');
    let rest = url.get(..host.len()).filter(|start| start.eq_ignore_ascii_case(host)).and_then(|_| url.get(host.len()..))?;
    rest.starts_with('/').then(|| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
