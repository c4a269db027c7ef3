//! Services other than a workspace that are asked on the way to credentials: a pipeline's own identity, Microsoft Entra,
//! Google, a machine's metadata. Over HTTPS, or to this machine; an answer within a bounded time; nothing secret in an error.

use std::time::Duration;

use serde_json::Value;

use super::{LiveError, http_client, is_loopback};
use crate::model::{Outside, bounded};

/// How long one try may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How often a service that does not answer, or is in trouble, is asked.
const TRIES: u32 = 3;

/// Asks other services.
pub(crate) struct Elsewhere {
    usual: reqwest::Client,
    /// Without a proxy: this machine, and the address where a cloud tells its machines who they are.
    direct: reqwest::Client,
    limit: Duration,
}

/// What is asked.
pub(crate) struct Question<'a> {
    /// Who, for messages: `GitHub`.
    pub(crate) whom: &'a str,
    /// `GET` or `POST`.
    pub(crate) method: &'static str,
    /// Where.
    pub(crate) url: String,
    /// With which headers.
    pub(crate) headers: Vec<(&'a str, String)>,
    /// With what.
    pub(crate) body: Asked<'a>,
}

/// The body of a question.
pub(crate) enum Asked<'a> {
    /// None.
    Nothing,
    /// Form fields.
    Form(Vec<(&'a str, &'a str)>),
    /// JSON.
    Json(Value),
}

/// There is no answer that can be used. Says nothing of what the question held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    /// A refusal, with the service's own reason where it gave one.
    #[error("{whom} refused ({status}){}", why.as_ref().map_or(String::new(), |why| format!(": {why}")))]
    Refused {
        /// Who.
        whom: String,
        /// The status.
        status: u16,
        /// The reason.
        why: Option<String>,
    },
    /// No answer.
    #[error("{whom} ({host}) cannot be asked: {why}")]
    Silent {
        /// Who.
        whom: String,
        /// Where.
        host: String,
        /// What happened.
        why: String,
    },
    /// An answer that says something else.
    #[error("{whom} answered {what}")]
    Malformed {
        /// Who.
        whom: String,
        /// Without what, or what it is instead.
        what: String,
    },
    /// The address is not one that may be asked.
    #[error("{whom} is asked over HTTPS only, and `{url}` is none such")]
    Plain {
        /// Who.
        whom: String,
        /// The address up to its path.
        url: String,
    },
}

impl Elsewhere {
    /// With the proxies and certificates of `outside`.
    ///
    /// # Errors
    /// [`LiveError`]: a proxy or certificates that cannot be used.
    pub(crate) fn new(outside: &Outside) -> Result<Self, LiveError> {
        Ok(Self { usual: http_client(outside, "")?, direct: http_client(outside, "localhost")?, limit: LIMIT })
    }

    /// The same with another limit for each try.
    #[cfg(test)]
    pub(crate) fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Asks for JSON.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub(crate) async fn ask(&self, question: &Question<'_>) -> Result<Value, Unanswered> {
        let text = self.text(question).await?;
        let malformed = || Unanswered::Malformed { whom: question.whom.to_owned(), what: "no JSON".to_owned() };
        serde_json::from_str(&text).map_err(|_| malformed())
    }

    /// Asks for text. A service that is out of reach, slow or in trouble is asked again.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub(crate) async fn text(&self, question: &Question<'_>) -> Result<String, Unanswered> {
        let mut wait = Duration::from_millis(500);
        for _ in 1..TRIES {
            match self.once(question).await {
                Err(Unanswered::Silent { .. } | Unanswered::Refused { status: 429 | 500..=599, .. }) => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                done => return done,
            }
        }
        self.once(question).await
    }

    async fn once(&self, question: &Question<'_>) -> Result<String, Unanswered> {
        let whom = || question.whom.to_owned();
        let plain = || Unanswered::Plain { whom: whom(), url: question.url.split('?').next().unwrap_or_default().to_owned() };
        let url = reqwest::Url::parse(&question.url).map_err(|_| plain())?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let near = is_near(&host);
        if url.scheme() != "https" && !(url.scheme() == "http" && near) {
            return Err(plain());
        }
        let silent = |why: &str| Unanswered::Silent { whom: whom(), host: host.clone(), why: why.to_owned() };
        let method = reqwest::Method::from_bytes(question.method.as_bytes()).map_err(|_| silent("no such method"))?;
        let mut request = if near { &self.direct } else { &self.usual }.request(method, url.clone()).header("accept", "application/json");
        for (name, value) in &question.headers {
            request = request.header(*name, value);
        }
        request = match &question.body {
            Asked::Nothing if question.method == "POST" => request.header("content-length", "0"),
            Asked::Nothing => request,
            Asked::Form(fields) => request.form(fields),
            Asked::Json(body) => request.json(body),
        };
        let exchange = async {
            let mut answer =
                request.send().await.map_err(|error| silent(if error.is_timeout() { "no answer" } else { "no connection" }))?;
            let status = answer.status();
            let mut said = vec![];
            while let Some(more) = answer.chunk().await.map_err(|_| silent("the answer broke off"))? {
                said.extend_from_slice(&more);
                if said.len() as u64 > bounded::CREDENTIALS {
                    return Err(Unanswered::Malformed { whom: whom(), what: "more than credentials ever are".to_owned() });
                }
            }
            Ok((status, String::from_utf8_lossy(&said).into_owned()))
        };
        let late = || silent(&format!("no answer within {} s", self.limit.as_secs_f32()));
        let (status, said) = tokio::time::timeout(self.limit, exchange).await.unwrap_or_else(|_| Err(late()))?;
        if status.is_success() {
            return Ok(said);
        }
        Err(Unanswered::Refused { whom: whom(), status: status.as_u16(), why: reason(&said).map(|why| scrubbed(&why, question)) })
    }
}

/// A string of an answer.
///
/// # Errors
/// [`Unanswered::Malformed`] where it is absent or empty.
pub(crate) fn field(answer: &Value, name: &str, whom: &str) -> Result<String, Unanswered> {
    let found = answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    found.ok_or_else(|| Unanswered::Malformed { whom: whom.to_owned(), what: format!("without `{name}`") })
}

/// A number of an answer, which some services write as text.
pub(crate) fn number(answer: &Value, name: &str) -> Option<i64> {
    let found = answer.get(name)?;
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let whole = |number: f64| number as i64;
    found.as_i64().or_else(|| found.as_f64().map(whole)).or_else(|| found.as_str()?.trim().parse().ok())
}

/// Why a service refused, where it says so in a form that is known: OAuth's, Google's, GitHub's. The first line.
fn reason(said: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(said).ok()?;
    let error = answer.get("error");
    let text = answer
        .get("error_description")
        .or_else(|| error.and_then(|error| error.get("message")))
        .or_else(|| answer.get("message"))
        .or(error)
        .and_then(Value::as_str)?;
    let line = text.lines().next().unwrap_or_default();
    Some(line.chars().take(400).collect())
}

/// A reason without what the question held.
fn scrubbed(why: &str, question: &Question<'_>) -> String {
    let is_open = |name: &str| OPEN.iter().any(|open| open.eq_ignore_ascii_case(name));
    let headers = question.headers.iter().filter(|(name, _)| !is_open(name));
    let mut held: Vec<&str> = headers.map(|(_, value)| value.trim_start_matches("Bearer ")).collect();
    if let Asked::Form(fields) = &question.body {
        held.extend(fields.iter().filter(|(name, _)| SECRET.contains(name)).map(|(_, value)| *value));
    }
    let without = held.iter().filter(|value| value.len() > 3).fold(why.to_owned(), |text, value| text.replace(value, "(sensitive)"));
    without_tokens(&without)
}

/// Headers that everybody may read: words like `true` and `Google`. Any other may be a secret, also one that a file names.
const OPEN: &[&str] = &["accept", "content-type", "metadata", "metadata-flavor", "x-databricks-metadata-version", "x-databricks-host"];

/// Fields of a form that nobody may read.
pub(crate) const SECRET: &[&str] = &["client_secret", "client_assertion", "subject_token", "refresh_token", "assertion"];

/// A text of somebody else's without what looks like a token: JSON web tokens, personal access tokens, long runs of letters
/// and digits that are no path, address or id.
pub(crate) fn without_tokens(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '=' | '~' | '/' | ':');
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain(std::iter::once('\n')) {
        if is_part(c) {
            word.push(c);
            continue;
        }
        out.push_str(if is_tokenlike(&word) { "(sensitive)" } else { &word });
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

fn is_tokenlike(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ':']);
    let value = word.rsplit_once('=').map_or(word, |(_, value)| if value.is_empty() { word } else { value });
    let uuid = value.len() == 36 && value.matches('-').count() == 4;
    let mixed = value.bytes().any(|b| b.is_ascii_digit()) && value.bytes().any(|b| b.is_ascii_alphabetic());
    let known = ["eyJ", "dapi", "dose", "ghp_", "ghs_"].iter().any(|start| value.starts_with(start) && value.len() > 12);
    known || (value.len() >= 32 && mixed && !uuid && !value.contains(['/', ':']))
}

/// Whether a host is this machine, or an address that only its own container's or machine's keeper has.
pub(crate) fn is_near(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    is_loopback(host) || address.is_ok_and(|address| matches!(address, std::net::IpAddr::V4(v4) if v4.is_link_local()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_token_is_not_repeated() {
        for (text, want) in [
            ("ERROR: no subscription found. Run 'az login'.", "ERROR: no subscription found. Run 'az login'."),
            ("got eyJhbGciOi.eyJzdWIi.c2ln, sorry", "got (sensitive), sorry"),
            ("token=dapi0123456789abcdef", "(sensitive)"),
            ("Trace ID: 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d.", "Trace ID: 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d."),
            ("see https://aka.ms/azure/some/very/long/path0/indeed", "see https://aka.ms/azure/some/very/long/path0/indeed"),
            ("key A1b2C3d4E5f6A1b2C3d4E5f6A1b2C3d4E5f6", "key (sensitive)"),
        ] {
            assert_eq!(without_tokens(text), want);
        }
    }

    #[test]
    fn of_what_was_asked_only_secrets_are_left_out_of_a_reason() {
        let headers = vec![
            ("Metadata", "true".to_owned()),
            ("metadata-flavor", "Google".to_owned()),
            ("Authorization", "Bearer run-7".to_owned()),
            ("X-IDENTITY-HEADER", "mine".to_owned()),
        ];
        let body = Asked::Form(vec![("client_id", "client"), ("client_secret", "hush")]);
        let question = Question { whom: "Google", method: "POST", url: String::new(), headers, body };
        assert_eq!(
            scrubbed("Google: true, but run-7, mine and hush of client are not", &question),
            "Google: true, but (sensitive), (sensitive) and (sensitive) of client are not"
        );
    }

    #[test]
    fn reasons_are_found_in_each_form() {
        for (said, want) in [
            (r#"{"error":"invalid_client","error_description":"AADSTS7000215: wrong.\r\nTrace"}"#, Some("AADSTS7000215: wrong.")),
            (r#"{"error":{"code":403,"message":"denied"}}"#, Some("denied")),
            (r#"{"message":"not found"}"#, Some("not found")),
            (r#"{"error":"invalid_grant"}"#, Some("invalid_grant")),
            ("<html>", None),
        ] {
            assert_eq!(reason(said).as_deref(), want);
        }
    }
}
