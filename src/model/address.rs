//! `jobs.nightly`, `jobs.nightly/permissions`, `jobs.ingest["eu"]`: one printer, one parser.

use std::fmt;
use std::str::FromStr;

/// The key of an instance of a `for_each`.
pub type Instance = String;

/// The address of a resource or of a facet of one.
///
/// Ordered by kind, key, instance, facet: a facet follows its parent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The kind's name: `jobs`.
    pub kind: String,
    /// The key in YAML: `nightly`.
    pub key: String,
    /// The `for_each` key: `eu`.
    pub instance: Option<Instance>,
    /// The facet: `permissions`.
    pub facet: Option<String>,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address: {why} (an address looks like `jobs.nightly`, `jobs.ingest[\"eu\"]` or `jobs.nightly/permissions`)")]
pub struct AddressError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Address {
    /// `kind.key`.
    #[must_use]
    pub fn new(kind: impl Into<String>, key: impl Into<String>) -> Self {
        Self { kind: kind.into(), key: key.into(), instance: None, facet: None }
    }

    /// The facet of this resource.
    #[must_use]
    pub fn facet(&self, name: &str) -> Self {
        Self { facet: Some(name.to_owned()), ..self.clone() }
    }

    /// The resource that this is a facet of, or itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self { facet: None, ..self.clone() }
    }

    /// Whether it is a facet.
    #[must_use]
    pub fn is_facet(&self) -> bool {
        self.facet.is_some()
    }
}

/// Whether a text may be a key: `[A-Za-z_][A-Za-z0-9_-]*`.
#[must_use]
pub fn is_key(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_') && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_key(&self.key) {
            write!(f, "{}.{}", self.kind, self.key)?;
        } else {
            write!(f, "{}[{}]", self.kind, quoted(&self.key))?;
        }
        if let Some(instance) = &self.instance {
            write!(f, "[{}]", quoted(instance))?;
        }
        if let Some(facet) = &self.facet {
            write!(f, "/{facet}")?;
        }
        Ok(())
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let fail = |why| AddressError { text: text.to_owned(), why };
        let kind_end = text.find(['.', '[', '/']).ok_or_else(|| fail("the key is missing"))?;
        let (kind, mut rest) = text.split_at(kind_end);
        if !is_key(kind) {
            return Err(fail("the kind is missing"));
        }
        let mut address = Self::new(kind, "");
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['[', '/']).unwrap_or(after.len());
            if !is_key(&after[..end]) {
                return Err(fail("the key is not a name"));
            }
            after[..end].clone_into(&mut address.key);
            rest = &after[end..];
        } else {
            let (key, after) = bracket(rest).ok_or_else(|| fail("the key is missing"))?;
            address.key = key;
            rest = after;
        }
        if let Some((instance, after)) = bracket(rest) {
            address.instance = Some(instance);
            rest = after;
        }
        if let Some(facet) = rest.strip_prefix('/') {
            if !is_key(facet) {
                return Err(fail("the part after `/` is not a name"));
            }
            address.facet = Some(facet.to_owned());
            rest = "";
        }
        if rest.is_empty() { Ok(address) } else { Err(fail("something follows the key")) }
    }
}

/// `["text"]rest` → (text, rest); single quotes are read too.
fn bracket(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('[')?;
    if let Some(single) = inner.strip_prefix('\'') {
        let (key, rest) = single.split_once("']")?;
        return Some((key.to_owned(), rest));
    }
    let mut stream = serde_json::Deserializer::from_str(inner).into_iter::<String>();
    let key = stream.next()?.ok()?;
    let rest = inner.get(stream.byte_offset()..)?.strip_prefix(']')?;
    Some((key, rest))
}

impl serde::Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn prints_what_it_parses() {
        for text in [
            "jobs.nightly",
            "jobs.my-job",
            "jobs.nightly/permissions",
            r#"jobs.ingest["eu"]"#,
            r#"jobs.ingest["e\"u]/x"]/permissions"#,
            r#"jobs["my job"]"#,
            r#"jobs["a.b"]["c"]"#,
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "jobs", "jobs.", ".x", "jobs.a b", "jobs.a/", "jobs.a[eu]", "jobs.a/b/c", "jobs.1x", r#"jobs.a["eu""#] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_facet_follows_its_parent() {
        let mut all: Vec<Address> = ["jobs.b", "jobs.a/permissions", "jobs.a", "grants.x"].iter().map(|t| t.parse().unwrap()).collect();
        all.sort();
        assert_eq!(all.iter().map(ToString::to_string).collect::<Vec<_>>(), ["grants.x", "jobs.a", "jobs.a/permissions", "jobs.b"]);
    }
}
