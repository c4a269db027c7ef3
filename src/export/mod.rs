//! Live objects as YAML and files that a person would have written: names instead of wrapping, no ids, no defaults.
//!
//! Owns the shape of exported documents and how they come into a folder. Sends nothing: what it writes was read by others.

mod files;
mod select;
mod spaces;

pub use files::{Exported, FileError, Overwrite, write};
pub use select::fits;
pub use spaces::{Form, document, key_of, text};
