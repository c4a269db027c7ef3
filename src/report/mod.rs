//! A plan, a result, a diagnostic as text and JSON; colour as labels. Pure: gives text back, prints nothing.

pub mod diagnostics;
pub mod json;
pub mod style;
pub mod text;
