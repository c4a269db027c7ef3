//! The words everything else is written in: values, paths, addresses, fingerprints, the world outside.
//!
//! Pure data and functions. The library reads the clock, the environment and programs only through [`Outside`].

mod address;
pub mod bounded;
mod deferred;
mod fingerprint;
pub mod git;
pub mod json;
mod known;
mod map;
mod outside;
mod path;
mod pattern;
mod scrub;
pub mod url;
mod value;
mod word;

pub use address::{Address, AddressError, Instance, is_key};
pub use deferred::{Deferred, Held, Lookup, Piece, Reference, SecretFrom, SecretSource, Variable};
pub use fingerprint::{Fingerprint, StateKey};
pub use known::{Known, Written};
pub use map::Map;
pub use outside::{CommandOutput, Outside, System};
pub use path::{Path, PathError, Step};
pub use pattern::{Pattern, fits};
pub(crate) use scrub::Scrubber;
pub use value::Value;
pub use word::word;
