//! Federation policies: whose ID tokens are exchanged for tokens of this workspace. Issuer, audience and subject are compared
//! as the reference on federation policies says; signatures are not checked, for there is nobody to ask for keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// A policy, as the interface of accounts writes it, with the service principal that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederationPolicy {
    /// The application id of the service principal; none: of the whole account, whose users the subjects are.
    #[serde(default)]
    pub service_principal: Option<String>,
    /// What is compared.
    pub oidc_policy: OidcPolicy,
}

/// What of an ID token is compared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcPolicy {
    /// `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// Any of these; empty: the token endpoint of this workspace.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// `repo:acme/shop:environment:prod`; none: any.
    #[serde(default)]
    pub subject: Option<String>,
    /// Where the subject stands; none: `sub`.
    #[serde(default)]
    pub subject_claim: Option<String>,
}

impl FederationPolicy {
    /// Policies of a file: a list in JSON.
    ///
    /// # Errors
    /// What is wrong, with the place.
    pub fn list(text: &str) -> Result<Vec<Self>, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

/// Whom an ID token makes: the service principal that is asked for, or the subject. Without policies every token is taken
/// that is one and has not run out. `now`: seconds since 1970; `endpoint`: the token endpoint.
///
/// # Errors
/// Why it is refused.
pub fn identity(token: &str, client: Option<&str>, policies: &[FederationPolicy], now: i64, endpoint: &str) -> Result<String, String> {
    let claims = claims(token).ok_or("the subject token is no JSON web token.")?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if claims.get("exp").and_then(Value::as_i64).is_some_and(|end| end <= now) {
        return Err("the subject token has expired.".to_owned());
    }
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => vec![],
    };
    let subject = |policy: &OidcPolicy| text(policy.subject_claim.as_deref().unwrap_or("sub")).to_owned();
    let fits = |policy: &&FederationPolicy| {
        let oidc = &policy.oidc_policy;
        let audience = |wanted: &str| audiences.contains(&wanted);
        policy.service_principal.as_deref() == client
            && oidc.issuer == text("iss")
            && if oidc.audiences.is_empty() { audience(endpoint) } else { oidc.audiences.iter().any(|wanted| audience(wanted)) }
            && oidc.subject.as_ref().is_none_or(|wanted| *wanted == subject(oidc))
    };
    let found = policies.iter().find(fits);
    if found.is_none() && !policies.is_empty() {
        return Err("no federation policy matches the issuer, subject and audience of the subject token.".to_owned());
    }
    let name = client.map_or_else(|| found.map_or_else(|| text("sub").to_owned(), |policy| subject(&policy.oidc_policy)), str::to_owned);
    if name.is_empty() { Err("the subject token names no subject.".to_owned()) } else { Ok(name) }
}

fn claims(token: &str) -> Option<Value> {
    let parts: Vec<&str> = token.split('.').collect();
    let [_, payload, _] = parts.as_slice() else { return None };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn policies_are_compared_with_issuer_subject_and_audience() {
        let policies = FederationPolicy::list(
            r#"[{"service_principal":"app","oidc_policy":{"issuer":"https://ci","audiences":["us"],"subject":"repo:a"}},
                {"service_principal":"any","oidc_policy":{"issuer":"https://ci"}},
                {"oidc_policy":{"issuer":"https://ci","audiences":["us"],"subject_claim":"email"}}]"#,
        )
        .unwrap();
        let good = r#"{"iss":"https://ci","sub":"repo:a","aud":["x","us"],"exp":100}"#;
        for (claims, client, with, want) in [
            (good, Some("app"), true, Ok("app")),
            (good, Some("app"), false, Ok("app")),
            (good, None, false, Ok("repo:a")),
            (good, Some("other"), true, Err("no federation policy")),
            (r#"{"iss":"https://ci","sub":"repo:a","aud":"us","exp":99}"#, Some("app"), true, Err("has expired")),
            (r#"{"iss":"https://ci","sub":"repo:a","aud":"them"}"#, Some("app"), true, Err("no federation policy")),
            (r#"{"iss":"https://ci","sub":"repo:b","aud":"us"}"#, Some("app"), true, Err("no federation policy")),
            (r#"{"iss":"https://evil","sub":"repo:a","aud":"us"}"#, Some("app"), true, Err("no federation policy")),
            (r#"{"iss":"https://ci","sub":"z","aud":"http://local/oidc/v1/token"}"#, Some("any"), true, Ok("any")),
            (r#"{"iss":"https://ci","email":"a@b.c","aud":"us"}"#, None, true, Ok("a@b.c")),
            (r#"{"iss":"https://ci","aud":"us"}"#, None, true, Err("names no subject")),
        ] {
            let policies: &[FederationPolicy] = if with { &policies } else { &[] };
            let got = identity(&token(claims), client, policies, 99, "http://local/oidc/v1/token");
            match want {
                Ok(name) => assert_eq!(got.as_deref(), Ok(name), "{claims}"),
                Err(part) => assert!(got.as_ref().is_err_and(|why| why.contains(part)), "{claims}: {got:?}"),
            }
        }
        assert!(identity("opaque", None, &[], 0, "").is_err_and(|why| why.contains("no JSON web token")));
        assert!(FederationPolicy::list("[{}]").is_err());
    }
}
