//! An expression that waits for something: pure data that a plan can hold and a later process can finish.
//!
//! A scalar such as `"wh-${warehouses.bi.id}-${catalog}"` becomes pieces; names that were known are bound, references
//! to resources, lookups and secrets are numbered. `project::expression::finish` evaluates it once they are known.

use super::{Address, Map, Path};

/// A field of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// The resource.
    pub address: Address,
    /// The field below it: `id`, `settings.name`.
    pub path: Path,
}

/// A question that the workspace answers: the object of this kind with this natural key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lookup {
    /// The kind's name.
    pub kind: String,
    /// What a person calls the object.
    pub name: String,
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretSource {
    /// The name given to `secret()`, or of the sensitive variable.
    pub name: String,
    /// What is read for it, at the moment of sending.
    pub from: SecretFrom,
}

impl SecretSource {
    /// A secret read from the environment variable of its own name.
    #[must_use]
    pub fn environment(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { from: SecretFrom::Environment(name.clone()), name }
    }
}

/// What is read for a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretFrom {
    /// This variable of the process environment.
    Environment(String),
    /// This file, absolute; one line end at its end is not part of the secret.
    File(std::path::PathBuf),
    /// The standard output of this program, run in this folder; one line end at its end is not part of the secret.
    Command {
        /// The program and its arguments; never empty.
        command: Vec<String>,
        /// Where it runs.
        folder: std::path::PathBuf,
    },
    /// Given as text for a sensitive variable (`--var`, an environment file).
    Given(Held),
}

/// A secret's text in memory: never shown or serialised, wiped on drop.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Held(std::sync::Arc<Wiped>);

#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Wiped(String);

impl Drop for Wiped {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl Held {
    /// Holds this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(std::sync::Arc::new(Wiped(text.into())))
    }

    /// The text, for the moment of sending.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0.0
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held(..)")
    }
}

/// One thing that an expression waits for; in expressions it is the name `__0`, `__1`, ...
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variable {
    /// A field of a resource that is created by this plan, or read from live.
    Reference(Reference),
    /// A lookup (its object; `.id` is taken in the expression).
    Lookup(Lookup),
    /// A secret.
    Secret(SecretSource),
}

/// A part of a scalar.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Piece {
    /// Literal text.
    Text(String),
    /// An expression in which what it waits for is written `__0`, `__1`, ... (indexes into [`Deferred::waits`]).
    Expression(String),
}

/// An expression that waits for something.
#[derive(Clone, PartialEq)]
pub struct Deferred {
    /// The scalar as the user wrote it; what plans show beside `(known after apply)`. Holds no value of a secret.
    pub source: String,
    /// Its parts. One `Expression` piece alone keeps the type of its result; otherwise the result is text.
    pub pieces: Vec<Piece>,
    /// What it waits for.
    pub waits: Vec<Variable>,
    /// Names used by the pieces that were known when it was deferred.
    pub bound: Map,
}

impl Deferred {
    /// The resources it refers to.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.waits.iter().filter_map(|w| if let Variable::Reference(r) = w { Some(r) } else { None })
    }

    /// The secrets it reads.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretSource> {
        self.waits.iter().filter_map(|w| if let Variable::Secret(s) = w { Some(s) } else { None })
    }

    /// A value that is exactly the field of a resource: `${jobs.nightly.id}`.
    #[must_use]
    pub fn of(reference: Reference) -> Self {
        Self {
            source: format!("${{{}.{}}}", reference.address, reference.path),
            pieces: vec![Piece::Expression("__0".to_owned())],
            waits: vec![Variable::Reference(reference)],
            bound: Map::new(),
        }
    }
}
