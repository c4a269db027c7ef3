//! Signs of one language in texts of another: `{{catalog}}` where nothing is rendered, `${catalog}` where nothing is evaluated,
//! and paths where the text of a file is meant. Only names of the project count: jobs and queries have braces of their own.

use std::ops::Range;
use std::sync::Arc;

use super::expression::{Part, is_template, scan};
use super::findings::{Findings, span_text};
use super::scope::Resolver;
use crate::diagnostic::{Diagnostic, Source, Span};
use crate::kinds::Kind;
use crate::yaml::{Data, Node};

/// Who has read a text that is sent as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// `file()`.
    File,
    /// `template()`, which has put in what stands in `{{...}}`.
    Template,
}

/// Fields in which nobody means a path.
const TEXTS: &[&str] = &["sql", "text", "content", "query", "query_text", "description", "comment", "condition", "instruction", "question"];

/// Files that hold such texts.
const ENDINGS: &[&str] = &[".sql", ".md", ".txt", ".hbs"];

/// Names in double braces that old jobs have of their own; the others are written with a dot.
const OF_JOBS: &[&str] =
    &["input", "job_id", "run_id", "parent_run_id", "start_date", "start_time", "task_key", "task_retry_count", "task_run_id"];

impl Resolver<'_> {
    /// Tells what looks like a place for a value in the text of a file, and stays as it is.
    pub(super) fn left_in(&self, source: &Arc<Source>, reader: Reader, given: &[&str]) {
        let name = &source.name;
        let is_name = |word: &str| self.inner.variables.contains_key(word) || given.contains(&word);
        for (range, inside) in expressions(&source.text).filter(|(_, inside)| is_name(word_of(inside)) || self.is_member(inside)) {
            let inside = inside.trim();
            let (why, help) = match reader {
                Reader::File => (
                    "file() evaluates nothing in the text of a file",
                    format!("write `{{{{{inside}}}}}` here and read the file by `${{template('{name}')}}`"),
                ),
                Reader::Template => ("template() puts in what stands in `{{...}}`", format!("write `{{{{{inside}}}}}`")),
            };
            let span = Span::new(source, range.start, range.end);
            self.warn_once(
                Diagnostic::warning("W0232", format!("`{}` is sent as it is: {why}", &source.text[range])).at(&span, "").help(help),
            );
        }
    }

    fn warn_once(&self, found: Diagnostic) {
        let mut findings = self.findings.borrow_mut();
        if !findings.has(&found) {
            findings.add(found);
        }
    }

    /// Whether this is a member of what the project knows: `env.name`, `jobs.nightly.id`.
    fn is_member(&self, inside: &str) -> bool {
        let word = word_of(inside);
        let is_namespace = ["var", "env", "bundle", "resources"].contains(&word) || self.inner.kind_names.contains_key(word);
        is_namespace && inside.trim_start()[word.len()..].starts_with(['.', '['])
    }

    /// Whether a name in double braces is a variable: `catalog`, `var.catalog`.
    fn is_variable(&self, word: &str) -> bool {
        self.inner.variables.contains_key(word.strip_prefix("var.").unwrap_or(word))
    }

    /// Looks through the tree of a resource. What is wrong at such a place already gets the remedy.
    pub(super) fn left_in_tree(&self, kind: &Kind, node: &Node, findings: &mut Findings) {
        let own: Vec<&str> =
            node.get("parameters").map(Node::items).unwrap_or_default().iter().filter_map(|p| p.get("name")?.text()).collect();
        let is_own = |word: &str| own.contains(&word) || kind.name == "jobs" && OF_JOBS.contains(&word);
        self.walk(node, "", &is_own, findings);
    }

    fn walk(&self, node: &Node, field: &str, is_own: &dyn Fn(&str) -> bool, findings: &mut Findings) {
        match &node.data {
            Data::Map(entries) => entries.iter().for_each(|entry| self.walk(&entry.value, &entry.key, is_own, findings)),
            Data::List(items) => items.iter().for_each(|item| self.walk(item, field, is_own, findings)),
            Data::Scalar(scalar) => {
                let source = &node.span.source.name;
                // In a template of YAML `\{{` has made them, and in a definition without expressions nothing is put in.
                if !is_template_file(source) && !self.inner.literal.contains(source) {
                    self.braces(node, &scalar.text, is_own, findings);
                }
                if TEXTS.contains(&field) {
                    self.path(node, &scalar.text, findings);
                }
            }
        }
    }

    fn braces(&self, node: &Node, text: &str, is_own: &dyn Fn(&str) -> bool, findings: &mut Findings) {
        let evaluated: Vec<Range<usize>> = if is_template(text) { inside(text) } else { Vec::new() };
        for (range, word) in tags(text).filter(|(_, word)| self.is_variable(word) && !is_own(word)) {
            if evaluated.iter().any(|other| other.contains(&range.start)) {
                continue;
            }
            let tag = &text[range.clone()];
            let span = node.span_in(range.start, range.end);
            let instead = format!("${{{}}}", word.strip_prefix("var.").unwrap_or(word));
            let help = format!("in YAML a variable is written `{instead}`");
            let mut found = findings.at_or(&span, || {
                Diagnostic::warning("W0232", format!("`{tag}` is sent as it is: scalars of YAML are no templates"))
                    .at(&span, "")
                    .help(format!("where the braces are meant, write `${{'{tag}'}}`"))
            });
            found.help.insert(0, help);
            if span_text(&span) == tag {
                found = found.patch(&span, instead);
            }
            findings.add(found);
        }
    }

    /// A text of one line that names a file which is there.
    fn path(&self, node: &Node, text: &str, findings: &mut Findings) {
        let text = text.trim();
        let is_path = ENDINGS.iter().any(|ending| text.len() > ending.len() && text.ends_with(ending)) && !text.contains(['\n', '$']);
        let named = std::path::Path::new(text);
        if !is_path || named.is_absolute() || text.split('/').any(|part| part == "..") || !self.inner.folder.join(named).is_file() {
            return;
        }
        let function = if is_template_file(text) { "template" } else { "file" };
        let call = format!("${{{function}('{text}')}}");
        let found = Diagnostic::warning("W0136", format!("`{text}` is the path of a file, and is sent as a text"))
            .at(&node.span, "")
            .help(format!("`{call}` reads it"));
        let is_on_a_line = !span_text(&node.span).contains('\n');
        findings.add(if is_on_a_line { found.patch(&node.span, format!("\"{call}\"")) } else { found });
    }
}

impl Findings {
    /// The error that there is at a place, taken out to be added to, or else a new diagnostic.
    fn at_or(&mut self, span: &Span, new: impl FnOnce() -> Diagnostic) -> Diagnostic {
        let covers = |d: &Diagnostic| {
            let label = d.labels.first().map(|label| &label.span);
            d.is_error() && label.is_some_and(|at| at.source == span.source && at.start <= span.start && span.end <= at.end)
        };
        self.take(covers).unwrap_or_else(new)
    }
}

/// Offers `${name}` where YAML could not be read for a `{{name}}` of a variable.
pub fn offer(found: &mut Diagnostic, is_variable: &dyn Fn(&str) -> bool) {
    if found.code != "E0009" {
        return;
    }
    let Some(span) = found.labels.first().map(|label| label.span.clone()) else { return };
    let text = span_text(&span);
    let known: Vec<(Range<usize>, String)> = tags(text)
        .map(|(range, word)| (range, word.strip_prefix("var.").unwrap_or(word).to_owned()))
        .filter(|(_, word)| is_variable(word))
        .collect();
    let Some((_, word)) = known.first() else { return };
    found.help = vec![format!("write `${{{word}}}` for the variable `{word}`: scalars of YAML are no templates")];
    for patch in found.patches.iter_mut().filter(|patch| patch.span == span) {
        for (range, word) in &known {
            patch.text = patch.text.replace(&text[range.clone()], &format!("${{{word}}}"));
        }
    }
}

fn is_template_file(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|ending| ending == "hbs")
}

/// The word that an expression begins with.
fn word_of(inside: &str) -> &str {
    let inside = inside.trim_start();
    &inside[..inside.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(inside.len())]
}

/// What looks like `${...}`, and what stands in it; escaped ones do not count.
fn expressions(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.match_indices("${").filter(|(at, _)| !text[..*at].ends_with(['$', '\\'])).filter_map(|(at, _)| {
        let (inside, _) = text[at + 2..].split_once('}')?;
        Some((at..at + inside.len() + 3, inside))
    })
}

/// What looks like `{{name}}` or `{{var.name}}`, and the name; escaped ones do not count.
fn tags(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.match_indices("{{").filter(|(at, _)| !text[..*at].ends_with(['$', '\\', '{'])).filter_map(|(at, _)| {
        let (inside, _) = text[at + 2..].split_once("}}")?;
        let name = inside.trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c == '_' || c == '.' || c.is_alphanumeric());
        is_name.then_some((at..at + inside.len() + 4, name))
    })
}

/// Where the expressions of a text stand.
fn inside(text: &str) -> Vec<Range<usize>> {
    let parts = scan(text).unwrap_or_default();
    parts.into_iter().filter_map(|part| if let Part::Expression { from, to } = part { Some(from..to) } else { None }).collect()
}
