//! `jobs.*`, `jobs.ingest[*]`, `*.nightly`: addresses with `*` for any text.

use std::fmt;
use std::str::FromStr;

use super::{Address, AddressError};

/// What names addresses on the command line: one, with its instances and facets, or all that look so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Kinds: `jobs`, `*`.
    pub kind: String,
    key: String,
    instance: Option<String>,
    facet: Option<String>,
    text: String,
}

impl Pattern {
    /// Whether an address is meant: itself, its instances, its facets.
    #[must_use]
    pub fn covers(&self, address: &Address) -> bool {
        let open = |given: &Option<String>, known: &Option<String>| match (given, known) {
            (None, _) => true,
            (Some(given), Some(known)) => fits(given, known),
            (Some(_), None) => false,
        };
        fits(&self.kind, &address.kind)
            && fits(&self.key, &address.key)
            && open(&self.instance, &address.instance)
            && open(&self.facet, &address.facet)
    }

    /// Whether it may name several addresses that have nothing to do with each other.
    #[must_use]
    pub fn is_open(&self) -> bool {
        [Some(&self.kind), Some(&self.key), self.instance.as_ref(), self.facet.as_ref()]
            .into_iter()
            .flatten()
            .any(|part| part.contains('*'))
    }

    /// The same of another kind: an alias becomes the kind's own name.
    #[must_use]
    pub fn of_kind(self, kind: &str) -> Self {
        if self.kind == kind {
            return self;
        }
        let rest = self.text.strip_prefix(self.kind.as_str()).unwrap_or_default();
        Self { text: format!("{kind}{rest}"), kind: kind.to_owned(), ..self }
    }
}

impl From<Address> for Pattern {
    fn from(address: Address) -> Self {
        let text = address.to_string();
        Self { kind: address.kind, key: address.key, instance: address.instance, facet: address.facet, text }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Stands for `*` while a text is read as an address. No key holds it.
const STAR: &str = "STAR_STAR_STAR";

impl FromStr for Pattern {
    type Err = AddressError;

    /// Reads an address in which `*` stands for any text; what is in brackets then needs no quotes: `jobs.ingest[*]`,
    /// `jobs.ingest[eu-*]`.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        if !text.contains('*') {
            return text.parse::<Address>().map(Self::from);
        }
        let quoted = with_quotes(text);
        let address: Address =
            quoted.replace('*', STAR).parse().map_err(|error: AddressError| AddressError { text: text.to_owned(), ..error })?;
        let back = |part: String| part.replace(STAR, "*");
        Ok(Self {
            kind: back(address.kind),
            key: back(address.key),
            instance: address.instance.map(back),
            facet: address.facet.map(back),
            text: text.to_owned(),
        })
    }
}

/// `[eu-*]` → `["eu-*"]`.
fn with_quotes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('[') {
        out.push_str(before);
        let bare = inside.split_once(']').filter(|(word, _)| !word.starts_with(['"', '\'']));
        if let Some((word, after)) = bare {
            out.extend(["[", &serde_json::Value::from(word).to_string(), "]"]);
            rest = after;
        } else {
            out.push('[');
            out.push_str(inside);
            return out;
        }
    }
    out + rest
}

/// Whether a text looks like this, `*` being any text.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_look_so_or_do_not() {
        for (pattern, address, covers) in [
            ("jobs.*", "jobs.nightly", true),
            ("jobs.*", r#"jobs.ingest["eu"]/permissions"#, true),
            ("jobs.*", r#"jobs["my job"]"#, true),
            ("jobs.*", "job.nightly", false),
            ("jobs.night*", "jobs.nightly", true),
            ("jobs.*ly", "jobs.nightly", true),
            ("jobs.n*t*y", "jobs.nightly", true),
            ("jobs.n*x*y", "jobs.nightly", false),
            ("jobs.nightly*nightly", "jobs.nightly", false),
            ("*.nightly", "alerts.nightly", true),
            ("*.*", "alerts.nightly", true),
            ("jobs.ingest[*]", r#"jobs.ingest["e]u"]"#, true),
            ("jobs.ingest[*]", "jobs.ingest", false),
            ("jobs.ingest[eu-*]", r#"jobs.ingest["eu-west"]"#, true),
            ("jobs.ingest[eu-*]", r#"jobs.ingest["us"]"#, false),
            (r#"jobs.ingest["eu-*"]"#, r#"jobs.ingest["eu-west"]/permissions"#, true),
            ("jobs.*/permissions", "jobs.nightly/permissions", true),
            ("jobs.*/permissions", "jobs.nightly", false),
            ("jobs.*/*", "jobs.nightly/permissions", true),
            ("jobs.nightly", "jobs.nightly/permissions", true),
            ("jobs.nightly", "jobs.nightly2", false),
        ] {
            let read: Pattern = pattern.parse().expect(pattern);
            assert_eq!(read.covers(&address.parse().expect(address)), covers, "{pattern} {address}");
            assert_eq!(read.to_string(), pattern);
        }
    }

    #[test]
    fn what_looks_like_no_address_is_refused() {
        for text in ["*", "jobs.", "jobs.*.name", "jobs.*[*", "jobs.a b*"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_alias_becomes_the_kind() {
        let pattern: Pattern = "sql_warehouses.*".parse().expect("a pattern");
        assert_eq!(pattern.of_kind("warehouses").to_string(), "warehouses.*");
    }
}
