//! From a method to the headers of a request.

use zeroize::Zeroizing;

use super::azure;
use super::source::{Source, Trouble};
use super::way::{Way, World};

/// A header of a request: its lower-case name and its value.
pub type Header = (&'static str, Zeroizing<String>);

/// The headers that a method puts on each request.
pub struct Signing {
    /// The method.
    pub auth_type: &'static str,
    /// The service principal, where one is named; for messages.
    pub client: Option<String>,
    scheme: &'static str,
    source: Source,
    beside: Vec<Beside>,
    fixed: Vec<(&'static str, String)>,
}

/// A token beside the authorization.
struct Beside {
    header: &'static str,
    source: Source,
    needed: Needed,
}

/// Whether a request goes out without a token beside the authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// Never.
    Always,
    /// For people; for others where there is none.
    OfMachines,
    /// Where there is none.
    IfThere,
}

impl Signing {
    /// With an authorization that begins with `scheme` and a blank.
    pub fn new(auth_type: &'static str, scheme: &'static str, way: Way) -> Self {
        Self { auth_type, client: None, scheme, source: Source::new(way), beside: vec![], fixed: vec![] }
    }

    /// With a bearer token.
    pub fn bearer(auth_type: &'static str, way: Way) -> Self {
        Self::new(auth_type, "Bearer ", way)
    }

    /// Names the service principal.
    pub fn of_client(self, client: String) -> Self {
        Self { client: Some(client), ..self }
    }

    /// With a token in another header too.
    pub fn beside(mut self, header: &'static str, way: Way, needed: Needed) -> Self {
        self.beside.push(Beside { header, source: Source::new(way), needed });
        self
    }

    /// With a header that is always the same.
    pub fn with(mut self, header: &'static str, value: String) -> Self {
        self.fixed.push((header, value));
        self
    }

    /// The headers, with tokens that are good for a while.
    pub async fn headers(&self, world: &World<'_>) -> Result<Vec<Header>, Trouble> {
        let token = self.source.token(world).await?;
        let mut headers = vec![("authorization", Zeroizing::new(format!("{}{}", self.scheme, *token)))];
        for beside in &self.beside {
            if beside.needed == Needed::OfMachines && azure::is_human(&token) {
                continue;
            }
            match beside.source.token(world).await {
                Ok(token) => headers.push((beside.header, token)),
                Err(trouble) if beside.needed == Needed::Always => return Err(trouble),
                Err(trouble) => tracing::debug!(header = beside.header, why = trouble.why, "goes without"),
            }
        }
        headers.extend(self.fixed.iter().map(|(name, value)| (*name, Zeroizing::new(value.clone()))));
        Ok(headers)
    }

    /// Drops the tokens of these headers, if they are still the kept ones. Whether others may be had.
    pub async fn forget(&self, headers: &[Header]) -> bool {
        let value = |name: &str| headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str());
        for beside in &self.beside {
            beside.source.forget(value(beside.header)).await;
        }
        let authorization = value("authorization");
        self.source.forget(authorization.strip_prefix(self.scheme).unwrap_or(authorization)).await
    }
}
