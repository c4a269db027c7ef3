//! Live objects as YAML and files that a person would have written: names instead of wrapping, no ids, no defaults. Drift
//! goes back into the file that its value comes from.
//!
//! Owns the shape of exported documents, how they come into a folder, and which edits write live back. Sends nothing: what it
//! writes was read by others.

pub mod accept;
pub mod edited;
pub mod facets;
mod files;
mod json_like;
mod name;
pub mod object;
mod overlay;
mod packed;
mod place;
mod respell;
mod select;
mod source;
mod spaces;
#[cfg(test)]
mod tests;
mod twins;
pub mod write;

pub use files::{Exported, FileError, Overwrite, write};
pub use name::{Keys, Names, safe};
pub use select::fits;
pub use spaces::{Form, document, key_of, text};
