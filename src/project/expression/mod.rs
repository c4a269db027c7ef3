//! `${...}`: Jinja expressions on the parsed tree (minijinja), with our own lexer for references.
//!
//! Owns where an expression begins and ends, what it mentions, and its evaluation. What a mention stands for is answered
//! by a `Scope`; an expression that mentions something unknown or secret becomes a [`Deferred`](crate::model::Deferred)
//! without being evaluated.

mod defer;
mod evaluate;
mod finish;
mod jinja;
mod lexer;
mod mention;
mod meter;
mod scan;
mod spell;
mod words;

pub(crate) use evaluate::{Place, Scope, argument, joined, scalar};
pub use finish::{fill, finish};
pub(crate) use jinja::{check as syntax_of, evaluate as evaluate_plain};
pub(crate) use mention::{Found, Function, Mention, Names, find};
pub(crate) use scan::{Part, is_template, scan};
pub use spell::{spelled, variable_of};
