//! Who calls over HTTP: bearer tokens and OAuth tokens of this workspace.

use super::LocalOptions;
use super::answer::Refusal;
use super::exchange::{Caller, Principal, hexadecimal};
use crate::client::Request;

/// The user that calls where nothing says otherwise.
pub const DEFAULT_USER: &str = "admin@brickform.local";

const OAUTH: &str = "brickform-local-oauth.";

/// Who calls where no token is asked for.
pub fn default_caller(options: &LocalOptions) -> Caller {
    Caller::named(options.caller.as_deref().unwrap_or(DEFAULT_USER))
}

/// Who calls, by the request's bearer token.
///
/// # Errors
/// 401 without a token that is accepted, 403 for a denied one.
pub fn caller(request: &Request, options: &LocalOptions, now: i64) -> Result<Caller, Refusal> {
    let header = request.headers.iter().find(|(k, _)| k == "authorization").map_or("", |(_, v)| v.as_str());
    let token = header.strip_prefix("Bearer ").map(str::trim).filter(|t| !t.is_empty());
    let Some(token) = token else {
        return Err(Refusal::new(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type for this API."));
    };
    if options.denied_tokens.iter().any(|t| t == token) {
        return Err(Refusal::new(403, "PERMISSION_DENIED", "Invalid access token."));
    }
    if let Some(rest) = token.strip_prefix(OAUTH) {
        return by_oauth(rest, now);
    }
    if !options.tokens.is_empty() && !options.tokens.iter().any(|t| t == token) {
        return Err(Refusal::new(401, "UNAUTHENTICATED", "Invalid access token."));
    }
    Ok(default_caller(options))
}

/// An OAuth token of this workspace for a client; it says itself whose it is and until when it holds.
pub fn issue(client_id: &str, until: i64) -> String {
    let hex = hexadecimal(client_id.as_bytes());
    format!("{OAUTH}{hex}.{until}")
}

fn by_oauth(rest: &str, now: i64) -> Result<Caller, Refusal> {
    let read = || {
        let (hex, until) = rest.split_once('.')?;
        let bytes: Option<Vec<u8>> =
            (0..hex.len()).step_by(2).map(|i| hex.get(i..i + 2).and_then(|h| u8::from_str_radix(h, 16).ok())).collect();
        Some((String::from_utf8(bytes?).ok()?, until.parse::<i64>().ok()?))
    };
    match read() {
        // Federation of a whole account makes users.
        Some((name, until)) if now < until && name.contains('@') => Ok(Caller { name, sort: Principal::User }),
        Some((name, until)) if now < until => Ok(Caller { name, sort: Principal::ServicePrincipal }),
        Some(_) => Err(Refusal::new(401, "UNAUTHENTICATED", "Access token has expired.")),
        None => Err(Refusal::new(401, "UNAUTHENTICATED", "Invalid access token.")),
    }
}
