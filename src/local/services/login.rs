//! What clients ask before they call: discovery, OAuth tokens; and telemetry, which is accepted and dropped.

use crate::local::answer::{Answer, Handled, Refusal, Shape};
use crate::local::credentials;
use crate::local::exchange::Exchange;
use crate::local::federation;
use crate::local::routes::{Room, Source::Beside, Source::Catalogue};
use crate::local::services::{Evidence, Habit, habit};
use crate::model::{Map, Value};

/// The operations.
pub const ROOM: Room = Room::new(
    &["/.well-known/", "/oidc/", "/telemetry-ext"],
    &[
        (Catalogue("extra.discovery.databricks_config"), config),
        (Catalogue("extra.discovery.workspace_oauth_server"), oauth_server),
        (Catalogue("extra.oauth.token"), token),
        (Beside("telemetry", "POST", "/telemetry-ext"), telemetry),
    ],
);

/// The habits.
pub const HABITS: &[Habit] = &[
    habit("oauth", "takes client id and secret by HTTP Basic or in the form", Evidence::Sdk),
    habit("oauth", "answers 401 invalid_client for a wrong secret; here that is the word `wrong`", Evidence::Sdk),
    habit("oauth", "exchanges an ID token that fits a federation policy; here without checking its signature", Evidence::Docs),
    habit("oauth", "refuses an exchange with 400 invalid_grant and the reason", Evidence::Unverified),
    habit("discovery", "names the token endpoint under the host that was asked", Evidence::Sdk),
];

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

fn base(exchange: &Exchange<'_, '_>) -> String {
    let host = exchange.headers.iter().find(|(k, _)| k == "host").map_or("local", |(_, v)| v.as_str());
    format!("http://{host}")
}

fn config(exchange: &mut Exchange<'_, '_>) -> Handled {
    Ok(Answer::ok(Value::map([
        ("oidc_endpoint", Value::Text(format!("{}/oidc", base(exchange)))),
        ("workspace_id", Value::Text(exchange.setting.workspace_id.to_string())),
        ("cloud", "azure".into()),
        ("host_type", "workspace".into()),
    ])))
}

fn oauth_server(exchange: &mut Exchange<'_, '_>) -> Handled {
    let base = base(exchange);
    Ok(Answer::ok(Value::map([
        ("authorization_endpoint", Value::Text(format!("{base}/oidc/v1/authorize"))),
        ("token_endpoint", Value::Text(format!("{base}/oidc/v1/token"))),
        ("issuer", Value::Text(format!("{base}/oidc"))),
        ("grant_types_supported", Value::List(vec!["client_credentials".into(), EXCHANGE.into()])),
        ("token_endpoint_auth_methods_supported", Value::List(vec!["client_secret_basic".into(), "client_secret_post".into()])),
    ])))
}

fn telemetry(_: &mut Exchange<'_, '_>) -> Handled {
    Ok(Answer::ok(Value::map([("errors", Value::List(Vec::new())), ("numProtoSuccess", Value::Int(0)), ("numSuccess", Value::Int(0))])))
}

fn token(exchange: &mut Exchange<'_, '_>) -> Handled {
    let refuse = |status: u16, code: &str, why: &str| Refusal::new(status, code, why).shaped(Shape::OAuth);
    let field = |name: &str| exchange.form.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone());
    match field("grant_type").as_deref() {
        Some("client_credentials") => {}
        Some(EXCHANGE) => return exchanged(exchange),
        Some(other) => return Err(refuse(400, "unsupported_grant_type", &format!("The grant type {other} is not supported."))),
        None => return Err(refuse(400, "invalid_request", "grant_type is missing.")),
    }
    let header = exchange.headers.iter().find(|(k, _)| k == "authorization").and_then(|(_, v)| v.strip_prefix("Basic "));
    let by_header = header.and_then(basic);
    let by_form = field("client_id").zip(field("client_secret"));
    let Some((id, secret)) = by_header.or(by_form) else {
        return Err(refuse(401, "invalid_client", "Client authentication failed: no credentials."));
    };
    if id.is_empty() || secret.is_empty() || secret == "wrong" {
        return Err(refuse(401, "invalid_client", "Client authentication failed."));
    }
    Ok(given(exchange, &id))
}

/// An ID token for a token of this workspace (RFC 8693).
fn exchanged(exchange: &mut Exchange<'_, '_>) -> Handled {
    let refuse = |code: &str, why: &str| Refusal::new(400, code, why).shaped(Shape::OAuth);
    let field = |name: &str| exchange.form.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty());
    if field("subject_token_type") != Some(JWT) {
        return Err(refuse("invalid_request", &format!("subject_token_type has to be {JWT}.")));
    }
    let Some(token) = field("subject_token") else { return Err(refuse("invalid_request", "subject_token is missing.")) };
    let endpoint = format!("{}/oidc/v1/token", base(exchange));
    let identity = federation::identity(token, field("client_id"), &exchange.setting.federation, exchange.now / 1000, &endpoint);
    let identity = identity.map_err(|why| refuse("invalid_grant", &format!("Token exchange failed: {why}")))?;
    Ok(given(exchange, &identity))
}

/// A token for this caller.
fn given(exchange: &Exchange<'_, '_>, id: &str) -> Answer {
    let scope = exchange.form.iter().find(|(k, _)| k == "scope").map(|(_, v)| v.clone());
    let seconds = exchange.setting.token_seconds;
    let until = exchange.now + i64::try_from(seconds).unwrap_or(i64::MAX / 2000).saturating_mul(1000);
    let mut reply = Map::new();
    reply.insert("access_token".to_owned(), Value::Text(credentials::issue(id, until)));
    reply.insert("token_type".to_owned(), "Bearer".into());
    reply.insert("expires_in".to_owned(), Value::from(seconds));
    reply.insert("scope".to_owned(), Value::Text(scope.unwrap_or_else(|| "all-apis".to_owned())));
    Answer::ok(reply)
}

/// User and password of a Basic header.
fn basic(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(base64(encoded.trim())?).ok()?;
    text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

/// Base 64; none for what is not.
fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|a| *a == letter)?;
        held = (held << 6) | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{base64, basic};

    #[test]
    fn basic_headers() {
        assert_eq!(basic("aWQ6c2VjcmV0"), Some(("id".into(), "secret".into())));
        assert_eq!(basic("aWQ6czpl"), Some(("id".into(), "s:e".into())));
        assert_eq!(base64("YQ==").as_deref(), Some(&b"a"[..]));
        assert_eq!(base64("*"), None);
    }
}
