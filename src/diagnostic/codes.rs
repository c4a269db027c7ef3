//! Every diagnostic code with a line that explains it: `docs/reference/diagnostics.md` and
//! `brickform explain CODE` are made from this table. Codes are never reused.
//!
//! 00xx YAML, 01xx resources and fields, 02xx expressions and variables, 03xx environments and projects.

/// One row of the table.
pub struct Code {
    /// `E0107`.
    pub code: &'static str,
    /// What it means, in a few words.
    pub title: &'static str,
    /// Why it is refused and what to do, a few sentences.
    pub explain: &'static str,
}

/// All codes, sorted.
pub static ALL: &[Code] = &[];
