//! A plan, a result, a diagnostic as text and JSON; colour as labels. Pure: gives text back, prints nothing.

#![expect(clippy::format_push_string, reason = "`write!` to text cannot fail but gives a result that would have to be thrown away")]

pub mod about;
pub mod answers;
pub mod bar;
pub mod benchmarks;
pub mod between;
pub mod calls;
pub mod change;
pub mod conflict;
pub mod diagnostics;
pub mod difference;
pub mod editor;
pub mod environment;
pub mod findings;
pub mod graph;
pub mod history;
pub mod html;
pub mod item;
pub mod job_run;
pub mod json;
pub mod junit;
pub mod kept;
pub mod kind_page;
pub mod markdown;
mod needed;
pub mod origin;
pub mod outcome;
pub mod outputs;
pub mod overview;
pub mod published;
pub mod render;
pub mod sarif;
pub mod schema;
pub mod shown;
pub mod step;
pub mod style;
pub mod text;
mod untold;
pub mod value;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod saved_plans;
#[cfg(test)]
mod tests;
