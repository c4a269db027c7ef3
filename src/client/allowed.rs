//! Where credentials may go: `BRICKFORM_ALLOWED_HOSTS`, which whoever runs us sets and no file of a project can change.

use crate::model::{Outside, fits};

/// The variable: names of hosts between commas, `*` for any text.
pub(crate) const VARIABLE: &str = "BRICKFORM_ALLOWED_HOSTS";

/// The hosts that may be given credentials and ID tokens.
pub(crate) struct AllowedHosts {
    patterns: Vec<String>,
}

impl AllowedHosts {
    /// The list; none where it is not set: any host may be asked then.
    pub(crate) fn of(outside: &Outside) -> Option<Self> {
        let plain = |entry: &str| {
            let entry = entry.trim().to_ascii_lowercase();
            let name = entry.split_once("://").map_or(entry.as_str(), |(_, rest)| rest);
            let name = name.split('/').next().unwrap_or_default();
            // `[::1]` keeps its colons, `localhost:8080` loses its port.
            match name.rsplit_once(':') {
                Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host.to_owned(),
                _ => name.to_owned(),
            }
        };
        let list = outside.variable(VARIABLE)?;
        Some(Self { patterns: list.split(',').map(plain).filter(|entry| !entry.is_empty()).collect() })
    }

    /// Whether the host of a URL is one of them. What is no URL is none.
    pub(crate) fn has(&self, url: &str) -> bool {
        let Some(host) = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase)) else { return false };
        self.patterns.iter().any(|pattern| fits(pattern, &host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing;

    #[test]
    fn hosts_are_compared_whole() {
        let allowed = |list: &str, url: &str| AllowedHosts::of(&testing::outside(&[(VARIABLE, list)])).is_none_or(|all| all.has(url));
        for (list, url, want) in [
            ("", "https://any.net", true),
            ("a.net, *.azuredatabricks.net", "https://a.net", true),
            ("a.net,*.azuredatabricks.net", "https://adb-1.2.AzureDatabricks.net", true),
            ("https://a.net/", "https://a.net:8443", true),
            ("localhost:80", "http://localhost:90", true),
            ("[::1]:80", "http://[::1]:90", true),
            ("[::1]", "http://[::1]:90", true),
            ("a.net", "https://a.net.evil", false),
            ("a.net", "https://b.a.net", false),
            ("*.a.net", "https://evila.net", false),
            ("*.a.net", "https://evil/x.a.net", false),
            ("a.net", "a.net", false),
            (",", "https://a.net", false),
        ] {
            assert_eq!(allowed(list, url), want, "{list} {url}");
        }
    }
}
