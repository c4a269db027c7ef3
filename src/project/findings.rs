//! Diagnostics of a run as they are found, and small readers of nodes that report what they refuse.

use crate::diagnostic::{Diagnostic, Severity, Span, suggest, unseen};
use crate::yaml::Node;

/// Something was wrong and has been reported; the caller only has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported;

/// Diagnostics in the order they were found.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Diagnostic>,
    /// The command line is at fault.
    pub usage: bool,
}

impl Findings {
    /// Keeps one.
    pub fn add(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Whether the same was said before, as of a file that is read at several places.
    pub fn has(&self, diagnostic: &Diagnostic) -> bool {
        let same = |other: &Diagnostic| {
            let places = |of: &Diagnostic| of.labels.iter().map(|label| label.span.clone()).collect::<Vec<_>>();
            (other.code, &other.message) == (diagnostic.code, &diagnostic.message) && places(other) == places(diagnostic)
        };
        self.list.iter().any(same)
    }

    /// Keeps several.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(diagnostics);
    }

    /// Takes the first of these out.
    pub fn take(&mut self, test: impl Fn(&Diagnostic) -> bool) -> Option<Diagnostic> {
        let at = self.list.iter().position(test)?;
        Some(self.list.remove(at))
    }

    /// Goes over all of them.
    pub fn each(&mut self, mend: impl FnMut(&mut Diagnostic)) {
        self.list.iter_mut().for_each(mend);
    }

    /// Leaves out those for which this does not hold.
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.list.retain(keep);
    }

    /// Whether a file could not be read as YAML: what it uses and declares is not known.
    pub fn any_unreadable(&self) -> bool {
        self.list.iter().any(|d| d.is_error() && d.code.starts_with("E00"))
    }

    /// Whether any of them is an error.
    pub fn any_error(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// Whether any error stands in the file of this place.
    pub fn any_error_in_file_of(&self, span: &Span) -> bool {
        self.list.iter().any(|d| d.is_error() && d.labels.first().is_some_and(|l| l.span.source == span.source))
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        !self.list.is_empty()
    }

    /// All of them by place, each once; with `strict` warnings are errors.
    pub fn sorted(self, strict: bool) -> Vec<Diagnostic> {
        sorted(self.list, strict)
    }
}

/// Diagnostics by place (those without one first), each once; with `strict` warnings are errors.
pub fn sorted(mut list: Vec<Diagnostic>, strict: bool) -> Vec<Diagnostic> {
    for diagnostic in &mut list {
        unseen::name(diagnostic);
        if strict {
            diagnostic.severity = Severity::Error;
        }
    }
    list.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| (a.code, &a.message).cmp(&(b.code, &b.message))));
    list.dedup();
    once_for_each(list)
}

/// A mistake in a `for_each` or in a loop of a template is made once, however many resources come of it.
fn once_for_each(list: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut kept: Vec<(Diagnostic, usize)> = Vec::new();
    for diagnostic in list {
        let again = kept.iter_mut().rev().take_while(|(d, _)| place(d) == place(&diagnostic)).find(|(d, _)| {
            d.code == diagnostic.code
                && !d.labels.is_empty()
                && d.labels == diagnostic.labels
                && anonymous(&d.message) == anonymous(&diagnostic.message)
        });
        match again {
            Some((first, more)) => *more += usize::from(first.message != diagnostic.message),
            None => kept.push((diagnostic, 0)),
        }
    }
    let told = |(diagnostic, more): (Diagnostic, usize)| match more {
        0 => diagnostic,
        more => diagnostic.help(format!("the same mistake reaches {} made from this place", many(more))),
    };
    kept.into_iter().map(told).collect()
}

fn many(more: usize) -> String {
    if more == 1 { "1 more resource".to_owned() } else { format!("{more} more resources") }
}

/// A message without the addresses in it: `jobs.a["eu"]` and `jobs.a["us"]` are the same there.
fn anonymous(message: &str) -> String {
    let address = |word: &str| {
        word.split_once('.').is_some_and(|(kind, key)| {
            !kind.is_empty()
                && kind.bytes().all(|b| b == b'_' || b.is_ascii_lowercase())
                && key.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        })
    };
    message.split(' ').map(|word| if address(word) { "@" } else { word }).collect::<Vec<_>>().join(" ")
}

fn place(diagnostic: &Diagnostic) -> Option<(&str, u32, u32)> {
    diagnostic.labels.first().map(|label| (label.span.source.name.as_str(), label.span.start, label.span.end))
}

/// Refuses members that are none of `known`.
pub fn known_keys(node: &Node, known: &[&str], what: &str, code: &'static str, findings: &mut Findings) {
    for entry in node.entries() {
        if known.contains(&entry.key.as_str()) {
            continue;
        }
        let found = Diagnostic::error(code, format!("unknown key `{}` in {what}", entry.key)).at(&entry.key_span, "");
        findings.add(meant(found, &entry.key, known.iter().copied(), &entry.key_span));
    }
}

/// Adds what was probably meant, as help and patch, or else the names there are.
pub fn meant<'a>(diagnostic: Diagnostic, word: &str, names: impl IntoIterator<Item = &'a str>, span: &Span) -> Diagnostic {
    let mut all: Vec<&str> = names.into_iter().collect();
    if let Some(near) = suggest::nearest(word, all.iter().copied()) {
        let patch = if span_text(span) == word { Some(near.to_owned()) } else { None };
        let diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        return match patch {
            Some(text) => diagnostic.patch(span, text),
            None => diagnostic,
        };
    }
    all.sort_unstable();
    all.dedup();
    match all.len() {
        0 => diagnostic,
        1..=12 => diagnostic.help(format!("there is {}", list_of(&all))),
        n => {
            // Of many those that are most like it.
            all.sort_by_key(|name| suggest::distance(word, name));
            diagnostic.help(format!("there are {n}, among them {}", list_of(&all[..8])))
        }
    }
}

/// `a`, `b` and `c`.
pub fn list_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The source text under a span.
pub fn span_text(span: &Span) -> &str {
    span.source.text.get(span.start as usize..span.end as usize).unwrap_or_default()
}

/// A setting that may only be one of these words.
pub fn no_choice<const N: usize>(node: &Node, what: &str, choices: [&str; N], code: &'static str) -> Diagnostic {
    let words: Vec<String> = choices.iter().map(|word| format!("`{word}`")).collect();
    let words = words.split_last().map_or_else(String::new, |(last, rest)| format!("{} or {last}", rest.join(", ")));
    let Some(given) = node.text().filter(|_| !node.is_null()) else {
        return Diagnostic::error(code, format!("{what} must be {words}, not {}", node.sort())).at(&node.span, "");
    };
    let found = Diagnostic::error(code, format!("{what} is `{given}`, and may only be {words}")).at(&node.span, "");
    if suggest::nearest(given, choices).is_some() { meant(found, given, choices, &node.span) } else { found }
}

/// A wrong sort of value in a settings file.
pub fn wrong_sort(node: &Node, what: &str, wants: &str) -> Diagnostic {
    Diagnostic::error("E0303", format!("{what} must be {wants}, not {}", node.sort())).at(&node.span, format!("this is {}", node.sort()))
}

/// Text of a settings file; a number or boolean keeps its spelling.
pub fn text(node: &Node, what: &str, findings: &mut Findings) -> Option<String> {
    match node.text() {
        Some(text) if !node.is_null() => Some(text.to_owned()),
        _ => {
            findings.add(wrong_sort(node, what, "text"));
            None
        }
    }
}

/// A boolean of a settings file.
pub fn boolean(node: &Node, what: &str, findings: &mut Findings) -> Option<bool> {
    let found = node.value().as_bool();
    if found.is_none() {
        findings.add(wrong_sort(node, what, "true or false"));
    }
    found
}

/// A whole number from zero of a settings file.
pub fn count(node: &Node, what: &str, findings: &mut Findings) -> Option<u64> {
    let found = node.value().as_i64().and_then(|n| u64::try_from(n).ok());
    if found.is_none() {
        findings.add(wrong_sort(node, what, "a whole number from 0"));
    }
    found
}

/// A list of text, or one text alone.
pub fn texts(node: &Node, what: &str, findings: &mut Findings) -> Vec<(String, Span)> {
    let slips = crate::yaml::slips::dashes(node);
    if !slips.is_empty() {
        for slip in slips {
            findings.add(slip);
        }
        return Vec::new();
    }
    match &node.data {
        crate::yaml::Data::List(items) => items.iter().filter_map(|i| text(i, what, findings).map(|t| (t, i.span.clone()))).collect(),
        crate::yaml::Data::Scalar(_) => text(node, what, findings).map(|t| (t, node.span.clone())).into_iter().collect(),
        crate::yaml::Data::Map(_) => {
            findings.add(wrong_sort(node, what, "a list of text"));
            Vec::new()
        }
    }
}

/// Refuses what is no map.
pub fn map<'a>(node: &'a Node, what: &str, findings: &mut Findings) -> Option<&'a Node> {
    match node.data {
        crate::yaml::Data::Map(_) => Some(node),
        _ if node.is_null() => None,
        _ => {
            findings.add(wrong_sort(node, what, "a map"));
            None
        }
    }
}
