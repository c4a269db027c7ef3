//! Credentials that URLs carry, taken out of text that people read: who calls (`https://user:password@host`) and what a query
//! proves it with (`?sig=...`).

use std::borrow::Cow;
use std::ops::Range;

/// What stands in the place of a credential.
const MASK: &str = "(sensitive)";

/// Schemes whose first part before an `@` is the name of a container, or a user name that everyone has.
const NAMED: [&str; 6] = ["abfss", "abfs", "wasbs", "wasb", "ssh", "git"];

/// The text with every credential of every URL in it hidden.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    hidden(text, credentials(text))
}

/// The same for text that is a host, which may leave its scheme out: `user:password@host`.
#[must_use]
pub fn masked_host(text: &str) -> Cow<'_, str> {
    if text.contains("://") {
        return masked(text);
    }
    let found = user(text, "").into_iter().chain(query(text)).collect();
    hidden(text, found)
}

/// The same, byte for byte: every other place stays where it is.
#[must_use]
pub fn blotted(text: &str) -> Cow<'_, str> {
    let found = credentials(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    for range in found {
        bytes[range].fill(b'*');
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn hidden(text: &str, found: Vec<Range<usize>>) -> Cow<'_, str> {
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for range in found {
        out.push_str(&text[from..range.start]);
        out.push_str(MASK);
        from = range.end;
    }
    Cow::Owned(out + &text[from..])
}

/// Where credentials stand, in order.
fn credentials(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        if found.last().is_some_and(|last: &Range<usize>| last.end > at) {
            continue;
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
        let url = text[start..].split(ends).next().unwrap_or_default();
        let scheme = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let inside = user(url, scheme).into_iter().chain(query(url));
        found.extend(inside.map(|range| range.start + start..range.end + start));
    }
    found
}

/// The user and password of what follows `://`.
fn user(url: &str, scheme: &str) -> Option<Range<usize>> {
    let before_query = url.find(['?', '#']).unwrap_or(url.len());
    let authority = url.find(['/', '?', '#']).unwrap_or(url.len());
    let at = url[..authority].rfind('@').or_else(|| {
        // A password with a slash in it that nobody escaped: what looks like a port is none.
        let port = url[..authority].rsplit_once(':').map(|(_, port)| port)?;
        let is_port = port.bytes().all(|b| b.is_ascii_digit());
        if is_port { None } else { url[..before_query].rfind('@') }
    })?;
    let named = NAMED.iter().any(|known| known.eq_ignore_ascii_case(scheme)) && !url[..at].contains(':');
    (at > 0 && !named).then_some(0..at)
}

/// The values of a query that prove who calls.
fn query(url: &str) -> Vec<Range<usize>> {
    let Some(begin) = url.find('?') else { return vec![] };
    let mut found = Vec::new();
    let mut at = begin + 1;
    for pair in url[at..].split(['&', ';', '#']) {
        if let Some((name, value)) = pair.split_once('=')
            && tells(name)
            && !value.is_empty()
        {
            let start = at + name.len() + 1;
            found.push(start..start + value.len());
        }
        at += pair.len() + 1;
    }
    found
}

/// Whether a parameter of this name holds a credential.
fn tells(name: &str) -> bool {
    const PARTS: [&str; 7] = ["token", "secret", "passw", "signature", "credential", "accesskey", "apikey"];
    let plain: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    matches!(plain.as_str(), "sig" | "pwd" | "pass" | "key" | "code" | "auth" | "jwt") || PARTS.iter().any(|part| plain.contains(part))
}

#[cfg(test)]
mod tests {
    use super::{blotted, masked, masked_host};

    #[test]
    fn credentials_of_urls_are_hidden() {
        for (text, want) in [
            ("https://x.net/?o=1", "https://x.net/?o=1"),
            ("https://ana:hunter2@x.net/a", "https://(sensitive)@x.net/a"),
            ("https://hunter2@x.net", "https://(sensitive)@x.net"),
            ("https://ana:hun@ter2@x.net", "https://(sensitive)@x.net"),
            ("https://ana:hun/ter2@x.net/a", "https://(sensitive)@x.net/a"),
            ("https://x.net:443/Repos/ana@x.net/p", "https://x.net:443/Repos/ana@x.net/p"),
            ("go to `https://ana:hunter2@x.net` and to https://b.net.", "go to `https://(sensitive)@x.net` and to https://b.net."),
            ("az://state/bf?sv=2024-11-04&sig=hunter2%3D&se=2027", "az://state/bf?sv=2024-11-04&sig=(sensitive)&se=2027"),
            ("s3://b/k?X-Amz-Signature=hunter2&region=eu", "s3://b/k?X-Amz-Signature=(sensitive)&region=eu"),
            ("https://x.net/?access_token=hunter2", "https://x.net/?access_token=(sensitive)"),
            ("abfss://state@acme.dfs.core.windows.net/bf", "abfss://state@acme.dfs.core.windows.net/bf"),
            ("ssh://git@github.com/a/b", "ssh://git@github.com/a/b"),
            ("http://a:hunter2@p:3128, http://b:hunter2@q", "http://(sensitive)@p:3128, http://(sensitive)@q"),
            ("grüße an https://ü:hunter2@x.net", "grüße an https://(sensitive)@x.net"),
            ("ana@x.net", "ana@x.net"),
        ] {
            assert_eq!(masked(text), want, "{text}");
            let blotted = blotted(text);
            assert_eq!(blotted.len(), text.len(), "{text}");
            assert!(!blotted.contains("hunter2"), "{blotted}");
        }
    }

    #[test]
    fn a_host_may_leave_its_scheme_out() {
        for (text, want) in [
            ("ana:hunter2@x.net", "(sensitive)@x.net"),
            ("x.net", "x.net"),
            ("x.net:8080", "x.net:8080"),
            ("x.net?token=hunter2", "x.net?token=(sensitive)"),
            ("https://ana:hunter2@x.net", "https://(sensitive)@x.net"),
        ] {
            assert_eq!(masked_host(text), want, "{text}");
        }
    }
}
