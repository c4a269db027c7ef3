//! The one integration binary: a module a topic.

mod adopt_write;
mod adoption;
mod arrows;
mod cli;
mod clusters;
mod codes;
mod corpus;
mod crash;
mod docs;
mod examples;
mod fuzz;
mod guards;
mod inside;
mod language;
mod laws;
mod laws_cases;
mod lint;
mod looking;
mod pages;
mod rename;
mod rust_source;
mod simulation;
mod traffic;
mod walk;
mod world;
mod write_back;
