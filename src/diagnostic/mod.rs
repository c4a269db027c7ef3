//! What is wrong with the user's files: plain data, no rendering (see `report::diagnostics`).
//!
//! Owns the shape of a diagnostic and of a place in a source. Refuses I/O, colour and layout.

use std::sync::Arc;

/// A file (or a stand-in such as `--var catalog`) whose text diagnostics point into.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The name as a user would type it: relative to the project's folder, with `/`.
    pub name: String,
    /// The whole text; spans are byte ranges into it.
    pub text: String,
}

/// A byte range in a source. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Where the text is.
    pub source: Arc<Source>,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.source.name)
    }
}

impl Span {
    /// A span over `start..end` of `source`.
    #[must_use]
    pub fn new(source: &Arc<Source>, start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n.min(source.text.len())).unwrap_or(u32::MAX);
        Self { source: Arc::clone(source), start: clamp(start), end: clamp(end.max(start)) }
    }

    /// A part of this span: `from..to` are bytes relative to its start.
    #[must_use]
    pub fn within(&self, from: usize, to: usize) -> Self {
        let base = self.start as usize;
        Self::new(&self.source, base + from, base + to)
    }

    /// Line and column of the first byte, both from 1, columns in characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.start as usize).unwrap_or(&self.source.text);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        (line, column)
    }

    /// `file:line`, as citations in messages are written.
    #[must_use]
    pub fn cite(&self) -> String {
        format!("{}:{}", self.source.name, self.line_column().0)
    }
}

/// How bad it is. An error stops before anything is sent; `--strict` makes warnings errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is sent.
    Error,
    /// The run goes on.
    Warning,
}

/// A text beside a place. The first label of a diagnostic is the primary one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there; may be empty.
    pub text: String,
}

/// A change that would mend it: replace the span by the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// One thing that is wrong in the user's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, `E0107` or `W0301`; `docs/reference/diagnostics.md` lists them (see [`codes`]).
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// One line, lower case, names the thing.
    pub message: String,
    /// Places, the primary first. Empty only where there is no file (an unknown `--var`).
    pub labels: Vec<Label>,
    /// What to do next, each a line.
    pub help: Vec<String>,
    /// Mends, offered as `-` and `+` lines.
    pub patches: Vec<Patch>,
    /// Places whose text is never shown, in this diagnostic or in another of the same run: a secret written as a literal.
    pub concealed: Vec<Span>,
}

impl Diagnostic {
    /// An error without a place yet.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), labels: vec![], help: vec![], patches: vec![], concealed: vec![] }
    }

    /// A warning without a place yet.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Adds a labelled place; the first one added is the primary one.
    #[must_use]
    pub fn at(mut self, span: &Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span: span.clone(), text: text.into() });
        self
    }

    /// Adds a line of help.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds a mend.
    #[must_use]
    pub fn patch(mut self, span: &Span, text: impl Into<String>) -> Self {
        self.patches.push(Patch { span: span.clone(), text: text.into() });
        self
    }

    /// Hides the text of a place wherever the source is shown.
    #[must_use]
    pub fn conceal(mut self, span: &Span) -> Self {
        self.concealed.push(span.clone());
        self
    }

    /// Whether it stops the run.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

pub mod codes;
pub mod suggest;
pub mod unseen;
