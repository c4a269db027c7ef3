//! The unified authentication of the Databricks SDKs: names, files, order. Personal access tokens and OAuth for service
//! principals (client id and secret); the other ways are recognised and refused by name.
//!
//! What is said more explicitly wins, whatever sort it is: the environment's own file and options, then the profile that
//! they name, then the process environment, then the profile that it (or the configuration file) names.

mod attributes;
mod error;
mod machine;
mod profile;
mod resolve;

use std::sync::Arc;

use zeroize::Zeroizing;

use super::send::Sender;

pub use attributes::{ATTRIBUTES, Attribute};
pub use error::AuthError;
pub use resolve::{Described, Description, Explicit, Resolved, configured, resolve};

/// Where tokens come from. Never printable.
#[derive(Clone)]
pub struct Credentials {
    method: Method,
}

#[derive(Clone)]
enum Method {
    /// A personal access token.
    Token(Arc<Zeroizing<String>>),
    /// OAuth for a service principal.
    Machine(Arc<machine::Machine>),
}

impl Credentials {
    /// A personal access token.
    #[must_use]
    pub fn token(token: impl Into<String>) -> Self {
        Self { method: Method::Token(Arc::new(Zeroizing::new(token.into()))) }
    }

    /// A service principal's client id and secret.
    #[must_use]
    pub fn machine(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self { method: Method::Machine(Arc::new(machine::Machine::new(client_id.into(), client_secret.into()))) }
    }

    /// `pat` or `oauth-m2m`.
    #[must_use]
    pub fn auth_type(&self) -> &'static str {
        match self.method {
            Method::Token(_) => "pat",
            Method::Machine(_) => "oauth-m2m",
        }
    }

    /// The value of the `Authorization` header; a token that is about to expire is fetched anew, by one caller for all.
    pub(super) async fn authorization(&self, sender: &Sender) -> Result<Zeroizing<String>, AuthError> {
        let token = match &self.method {
            Method::Token(token) => Zeroizing::clone(token),
            Method::Machine(machine) => machine.token(sender).await?,
        };
        Ok(Zeroizing::new(format!("Bearer {}", *token)))
    }

    /// Drops the cached token that the server did not take; whether another can be had.
    pub(super) async fn forget(&self, authorization: &str) -> bool {
        match &self.method {
            Method::Token(_) => false,
            Method::Machine(machine) => machine.forget(authorization.trim_start_matches("Bearer ")).await,
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.auth_type())
    }
}

#[cfg(test)]
mod tests {
    use super::Credentials;

    #[test]
    fn are_never_printed() {
        for credentials in [Credentials::token("dapi-planted"), Credentials::machine("id", "planted")] {
            assert!(!format!("{credentials:?}").contains("planted"));
        }
    }
}
