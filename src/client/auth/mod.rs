//! The unified authentication of the Databricks SDKs: names, files, methods, order.
//!
//! What is said more explicitly wins, whatever method it is: the environment's own file and options, then the profile that
//! they name, then the process environment, then the profile that it (or the configuration file) names. Two sorts that are
//! said equally explicitly are an error.
//!
//! `methods` declares each method over a few building blocks (`way`); `source` keeps a token and renews it; `signing` makes
//! headers of them.

mod attributes;
mod azure;
mod error;
mod google;
mod identity;
mod methods;
mod profile;
mod program;
mod resolve;
mod signing;
mod source;
#[cfg(test)]
mod tests;
mod trust;
mod way;
mod workspace;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use zeroize::Zeroizing;

use super::elsewhere::Elsewhere;
use super::send::Sender;
use signing::Signing;
use source::Trouble;
use way::{Way, World};

pub use attributes::{ATTRIBUTES, Attribute};
pub(super) use azure::RESOURCE;
pub use error::AuthError;
pub(crate) use google::External;
pub(crate) use identity::Identity;
pub use resolve::{Described, Description, Explicit, Resolved, configured, resolve};
pub(super) use signing::Header;

/// Where tokens come from. Never printable. Clones share their tokens.
#[derive(Clone)]
pub struct Credentials {
    shared: Arc<Shared>,
}

struct Shared {
    /// The first that gives a token is kept to.
    choices: Vec<Signing>,
    chosen: AtomicUsize,
    elsewhere: OnceLock<Result<Elsewhere, String>>,
}

impl Credentials {
    /// A personal access token.
    #[must_use]
    pub fn token(token: impl Into<String>) -> Self {
        Self::of(vec![Signing::bearer("pat", Way::Fixed(Zeroizing::new(token.into())))])
    }

    /// A service principal's client id and secret.
    #[must_use]
    pub fn machine(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        let client = client_id.into();
        let way = Way::Secret { client: client.clone(), secret: Zeroizing::new(client_secret.into()) };
        Self::of(vec![Signing::bearer("oauth-m2m", way).of_client(client)])
    }

    /// The first of these that gives a token; at least one.
    fn of(choices: Vec<Signing>) -> Self {
        Self { shared: Arc::new(Shared { choices, chosen: AtomicUsize::new(0), elsewhere: OnceLock::new() }) }
    }

    /// Asks other services with this; for tests.
    #[cfg(test)]
    fn asking(self, elsewhere: Elsewhere) -> Self {
        let _ = self.shared.elsewhere.set(Ok(elsewhere));
        self
    }

    fn signing(&self) -> &Signing {
        let chosen = self.shared.chosen.load(Ordering::Relaxed);
        self.shared.choices.get(chosen).expect("one of the choices")
    }

    /// `pat`, `oauth-m2m`, `github-oidc`.
    #[must_use]
    pub fn auth_type(&self) -> &'static str {
        self.signing().auth_type
    }

    /// The headers of a request; a token that is about to expire is fetched anew, by one caller for all.
    pub(super) async fn headers(&self, sender: &Sender) -> Result<Vec<Header>, AuthError> {
        let world = World::new(sender, &self.shared.elsewhere);
        let first = self.shared.chosen.load(Ordering::Relaxed);
        let mut failed = vec![];
        for (index, signing) in self.shared.choices.iter().enumerate().skip(first) {
            match signing.headers(&world).await {
                Ok(headers) => {
                    self.shared.chosen.store(index, Ordering::Relaxed);
                    return Ok(headers);
                }
                Err(trouble) => failed.push((signing, trouble)),
            }
        }
        Err(no_token(failed, sender.host()))
    }

    /// Drops the tokens that the server did not take; whether others can be had.
    pub(super) async fn forget(&self, headers: &[Header]) -> bool {
        self.signing().forget(headers).await
    }
}

/// Why none of them gave a token: the reason of the first, with those of the others.
fn no_token(failed: Vec<(&Signing, Trouble)>, host: &str) -> AuthError {
    let mut failed = failed.into_iter();
    let (first, trouble) = failed.next().expect("at least one was tried");
    let Trouble { why, mut help, cause } = trouble;
    let mut all = vec![why];
    for (signing, trouble) in failed {
        all.push(format!("nor by {}: {}", signing.auth_type, trouble.why));
        help.extend(trouble.help);
    }
    let why = all.join("; ");
    AuthError::NoToken { auth_type: first.auth_type, host: host.to_owned(), client: first.client.clone(), why, help, cause }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.auth_type())
    }
}
