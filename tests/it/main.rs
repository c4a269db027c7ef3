//! The one integration binary: a module a topic.

mod arrows;
mod codes;
mod lint;
mod rust_source;
