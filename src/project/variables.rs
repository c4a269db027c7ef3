//! Variables: declarations, values from every source, and which one wins.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::findings::{Findings, boolean, known_keys, map, meant, text, wrong_sort};
use super::{Ask, files};
use crate::diagnostic::{Diagnostic, Source, Span, suggest};
use crate::kinds::Registry;
use crate::model::{Outside, Value};
use crate::yaml::{Data, Entry, Node, Scalar, Style};

/// What environment variables that set variables begin with.
pub const PREFIX: &str = "BRICKFORM_VAR_";

/// Names that mean something else in expressions.
const RESERVED: &[&str] = &["env", "var", "each", "bundle", "resources", "lookup", "file", "secret", "template", "range", "dict"];

/// The declared type of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Text.
    Text,
    /// Any number.
    Number,
    /// A whole number.
    Integer,
    /// A boolean.
    Boolean,
    /// A list.
    List,
    /// A map.
    Map,
    /// Anything.
    Any,
}

impl Sort {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("string", Self::Text),
        ("number", Self::Number),
        ("integer", Self::Integer),
        ("boolean", Self::Boolean),
        ("list", Self::List),
        ("map", Self::Map),
        ("any", Self::Any),
    ];

    /// As declarations spell it.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, sort)| *sort == self).map_or("any", |(name, _)| name)
    }

    /// Whether a value is of this type; what waits is taken at its word.
    pub fn admits(self, value: &Value) -> bool {
        match value {
            Value::Unknown(_) | Value::Secret(_) => true,
            Value::Null => self == Self::Any,
            Value::Text(_) => matches!(self, Self::Text | Self::Any),
            Value::Int(_) | Value::UInt(_) => matches!(self, Self::Integer | Self::Number | Self::Any),
            Value::Float(_) => matches!(self, Self::Number | Self::Any),
            Value::Bool(_) => matches!(self, Self::Boolean | Self::Any),
            Value::List(_) => matches!(self, Self::List | Self::Any),
            Value::Map(_) => matches!(self, Self::Map | Self::Any),
        }
    }
}

/// A declared variable.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Where its name stands.
    pub span: Span,
    /// `type`; none: not said.
    pub sort: Option<Sort>,
    /// `default`.
    pub default: Option<Node>,
    /// `enum`.
    pub choices: Option<Vec<Value>>,
    /// `pattern`, anchored at both ends.
    pub pattern: Option<(regex_lite::Regex, String)>,
    /// `sensitive`.
    pub sensitive: bool,
}

/// The declarations of `conf/project.yaml`.
pub fn declarations(node: &Node, findings: &mut Findings) -> IndexMap<String, Declaration> {
    let Some(node) = map(node, "`variables`", findings) else { return IndexMap::new() };
    node.entries().iter().map(|entry| (entry.key.clone(), declaration(entry, findings))).collect()
}

fn declaration(entry: &Entry, findings: &mut Findings) -> Declaration {
    let mut made = Declaration { span: entry.key_span.clone(), sort: None, default: None, choices: None, pattern: None, sensitive: false };
    let what = format!("variable `{}`", entry.key);
    if !matches!(entry.value.data, Data::Map(_)) {
        if !entry.value.is_null() {
            made.default = Some(entry.value.clone()); // what was meant, so that nobody else complains of it
            findings.add(
                Diagnostic::error("E0220", format!("{what} is declared by {}, not by a map", entry.value.sort()))
                    .at(&entry.value.span, "")
                    .help(format!("write `{}: {{ default: .. }}`; environments give values, `conf/project.yaml` declares", entry.key)),
            );
        }
        return made;
    }
    known_keys(&entry.value, &["type", "default", "description", "enum", "pattern", "sensitive"], &what, "E0220", findings);
    for member in entry.value.entries() {
        match member.key.as_str() {
            "type" => made.sort = sort(&member.value, &what, findings),
            "default" => made.default = Some(member.value.clone()),
            "enum" => match &member.value.data {
                Data::List(items) if !items.is_empty() => made.choices = Some(items.iter().map(Node::value).collect()),
                _ => findings.add(wrong_sort(&member.value, "`enum`", "a list of values")),
            },
            "pattern" => made.pattern = pattern(&member.value, &what, findings),
            "sensitive" => made.sensitive = boolean(&member.value, "`sensitive`", findings).unwrap_or_default(),
            _ => {}
        }
    }
    made
}

fn sort(node: &Node, what: &str, findings: &mut Findings) -> Option<Sort> {
    let name = text(node, "`type`", findings)?;
    let found = Sort::NAMES.iter().find(|(n, _)| *n == name).map(|(_, sort)| *sort);
    if found.is_none() {
        let diagnostic = Diagnostic::error("E0220", format!("{what} has the unknown type `{name}`")).at(&node.span, "");
        findings.add(meant(diagnostic, &name, Sort::NAMES.iter().map(|(n, _)| *n), &node.span));
    }
    found
}

fn pattern(node: &Node, what: &str, findings: &mut Findings) -> Option<(regex_lite::Regex, String)> {
    let source = text(node, "`pattern`", findings)?;
    match regex_lite::Regex::new(&format!("^(?:{source})$")) {
        Ok(regex) => Some((regex, source)),
        Err(error) => {
            findings.add(Diagnostic::error("E0220", format!("{what} has a pattern that does not parse: {error}")).at(&node.span, ""));
            None
        }
    }
}

/// Where a value comes from, lowest first.
#[derive(Debug, Clone)]
pub enum Given {
    /// A node of `conf/project.yaml`, an environment or a `--var-file`: expressions in it are evaluated.
    Node(Node),
    /// Text of the process environment or the command line, parsed by the declared type; never an expression.
    Text {
        /// The text, as a source of its own.
        source: Arc<Source>,
        /// `BRICKFORM_VAR_k`, if that is where it came from.
        environment: Option<String>,
    },
}

impl Given {
    /// The place, for messages.
    pub fn span(&self) -> Span {
        match self {
            Self::Node(node) => node.span.clone(),
            Self::Text { source, .. } => Span::new(source, 0, source.text.len()),
        }
    }

    /// The place in words: `environments/prod.yaml:4`, `--var`, `BRICKFORM_VAR_k`.
    pub fn origin(&self) -> String {
        match self {
            Self::Node(node) => node.span.cite(),
            Self::Text { source, .. } => source.name.clone(),
        }
    }
}

/// A variable of the chosen environment.
#[derive(Debug, Clone)]
pub struct Defined {
    /// Its declaration; none where environment files declare.
    pub declaration: Option<Declaration>,
    /// The value that won; none: it is declared and nobody gives one.
    pub given: Option<Given>,
}

/// All sources together: `layers` are the `variables:` of the environment's chain, lowest first.
pub fn gather(
    declared: Option<&IndexMap<String, Declaration>>,
    layers: &[&Node],
    outside: &Outside,
    ask: &Ask,
    registry: &Registry,
    findings: &mut Findings,
) -> IndexMap<String, Defined> {
    let mut all: IndexMap<String, Defined> = IndexMap::new();
    for (name, declaration) in declared.into_iter().flatten() {
        check_name(name, &declaration.span, registry, findings);
        let given = declaration.default.clone().map(Given::Node);
        all.insert(name.clone(), Defined { declaration: Some(declaration.clone()), given });
    }
    for layer in layers {
        for entry in layer.entries() {
            from_layer(entry, declared.is_some(), &mut all, registry, findings);
        }
    }
    from_process(outside, &mut all, findings);
    for path in &ask.variable_files {
        from_file(path, outside, &mut all, findings);
    }
    for (name, value) in &ask.variables {
        let source = Arc::new(Source { name: format!("--var {name}"), text: value.clone() });
        if let Some(variable) = all.get_mut(name) {
            variable.given = Some(Given::Text { source, environment: None });
        } else {
            findings.usage = true;
            findings.add(undeclared(&format!("`--var {name}` sets a variable that nobody declares"), name, None, &all));
        }
    }
    all
}

fn check_name(name: &str, span: &Span, registry: &Registry, findings: &mut Findings) {
    let taken = if registry.get(name).is_some() {
        "the name of a kind"
    } else if RESERVED.contains(&name) {
        "a word of expressions"
    } else if !crate::model::Address::new("x", name).to_string().ends_with(name) || name.contains('-') {
        "not a name (letters, digits and `_`, not beginning with a digit)"
    } else {
        return;
    };
    findings.add(Diagnostic::error("E0227", format!("a variable cannot be called `{name}`: it is {taken}")).at(span, ""));
}

fn undeclared(message: &str, name: &str, span: Option<&Span>, all: &IndexMap<String, Defined>) -> Diagnostic {
    let mut found = Diagnostic::error("E0224", message.to_owned());
    if let Some(span) = span {
        found = found.at(span, "");
    }
    let names = all.keys().map(String::as_str);
    match (suggest::nearest(name, names.clone()), span) {
        (Some(near), Some(span)) => found.help(format!("did you mean `{near}`?")).patch(span, near),
        (Some(near), None) => found.help(format!("did you mean `{near}`?")),
        (None, _) if all.is_empty() => found.help("no variable is declared: see `variables:` in conf/project.yaml"),
        (None, _) => found.help(format!("declared are {}", super::findings::list_of(&names.collect::<Vec<_>>()))),
    }
}

fn from_layer(entry: &Entry, declared: bool, all: &mut IndexMap<String, Defined>, registry: &Registry, findings: &mut Findings) {
    // Genie-Forge's files say the environment's own name, which is known without it.
    let stem = Path::new(&entry.key_span.source.name).file_stem().map(|stem| stem.to_string_lossy());
    if entry.key == "env" && entry.value.text().is_some() && entry.value.text() == stem.as_deref() {
        return;
    }
    let given = Some(Given::Node(entry.value.clone()));
    if let Some(variable) = all.get_mut(&entry.key) {
        variable.given = given;
    } else if declared {
        let message = format!("variable `{}` is not declared in conf/project.yaml", entry.key);
        findings.add(undeclared(&message, &entry.key, Some(&entry.key_span), all));
    } else {
        check_name(&entry.key, &entry.key_span, registry, findings);
        all.insert(entry.key.clone(), Defined { declaration: None, given });
    }
}

fn from_process(outside: &Outside, all: &mut IndexMap<String, Defined>, findings: &mut Findings) {
    for (key, value) in outside.variables.iter() {
        let Some(name) = key.strip_prefix(PREFIX) else { continue };
        let lower = name.to_lowercase();
        let known = [name, lower.as_str()].into_iter().find(|n| all.contains_key(*n)).map(str::to_owned);
        let Some(variable) = known.and_then(|n| all.get_mut(&n)) else {
            let message = format!("the environment variable {key} sets a variable that nobody declares");
            let mut stray = Diagnostic::warning("W0225", message);
            if let Some(near) = suggest::nearest(&lower, all.keys().map(String::as_str)) {
                stray = stray.help(format!("did you mean {PREFIX}{near}?"));
            }
            findings.add(stray);
            continue;
        };
        let source = Arc::new(Source { name: key.clone(), text: value.clone() });
        variable.given = Some(Given::Text { source, environment: Some(key.clone()) });
    }
}

fn from_file(path: &Path, outside: &Outside, all: &mut IndexMap<String, Defined>, findings: &mut Findings) {
    let absolute = outside.path(&path.to_string_lossy());
    let documents = match files::read(&outside.folder, &absolute) {
        Ok(source) => match crate::yaml::parse(&source) {
            Ok(documents) => documents,
            Err(diagnostics) => return findings.extend(diagnostics),
        },
        Err(mut diagnostic) => {
            diagnostic.code = "E0228";
            findings.usage = true;
            return findings.add((*diagnostic).help("`--var-file` takes a YAML or JSON file with a map of variables"));
        }
    };
    for document in &documents {
        let Some(document) = map(document, "a file of variables", findings) else { continue };
        for entry in document.entries() {
            if let Some(variable) = all.get_mut(&entry.key) {
                variable.given = Some(Given::Node(entry.value.clone()));
            } else {
                let message = format!("`{}` is a variable that nobody declares", entry.key);
                // It may be meant for one that is sensitive.
                let found = undeclared(&message, &entry.key, Some(&entry.key_span), all).conceal(&entry.value.span);
                findings.add(found);
            }
        }
    }
}

/// Text as the declared type wants it.
///
/// # Errors
/// What it is not.
pub fn parse_text(source: &Arc<Source>, sort: Sort) -> Result<Node, String> {
    let text = source.text.trim();
    let span = Span::new(source, 0, source.text.len());
    let scalar =
        |text: &str, style| Node { span: span.clone(), data: Data::Scalar(Scalar { text: text.to_owned(), style, forced_text: false }) };
    match sort {
        Sort::Text => Ok(scalar(&source.text, Style::Double)),
        Sort::Number | Sort::Integer | Sort::Boolean => {
            let node = scalar(text, Style::Plain);
            if sort.admits(&node.value()) { Ok(node) } else { Err(format!("it is not {}", words(sort))) }
        }
        Sort::List | Sort::Map | Sort::Any => {
            let documents = crate::yaml::parse(source).map_err(|d| d.first().map_or_else(String::new, |d| d.message.clone()))?;
            match <[Node; 1]>::try_from(documents) {
                Ok([node]) if sort.admits(&node.value()) => Ok(node),
                Err(none) if none.is_empty() && sort == Sort::Any => Ok(scalar("", Style::Double)),
                _ => Err(format!("it is not {} in YAML or JSON", words(sort))),
            }
        }
    }
}

/// The type, as messages name a value of it.
pub fn words(sort: Sort) -> &'static str {
    match sort {
        Sort::Text => "text",
        Sort::Number => "a number",
        Sort::Integer => "a whole number",
        Sort::Boolean => "true or false",
        Sort::List => "a list",
        Sort::Map => "a map",
        Sort::Any => "a value",
    }
}

#[cfg(test)]
mod tests {
    use super::{Sort, parse_text};
    use crate::diagnostic::Source;
    use crate::model::json;
    use std::sync::Arc;

    #[test]
    fn text_is_parsed_by_the_declared_type() {
        for (sort, text, want) in [
            (Sort::Text, "1.10", Some(r#""1.10""#)),
            (Sort::Text, "", Some(r#""""#)),
            (Sort::Integer, "42", Some("42")),
            (Sort::Integer, "4.5", None),
            (Sort::Number, "4.5", Some("4.5")),
            (Sort::Number, "x", None),
            (Sort::Boolean, "true", Some("true")),
            (Sort::Boolean, "yes", None),
            (Sort::List, "[1, a]", Some(r#"[1, "a"]"#)),
            (Sort::List, "a", None),
            (Sort::Map, r#"{"a": 1}"#, Some(r#"{"a": 1}"#)),
            (Sort::Any, "12", Some("12")),
        ] {
            let source = Arc::new(Source { name: "--var x".to_owned(), text: text.to_owned() });
            let got = parse_text(&source, sort).ok().map(|n| json::display(&n.value()));
            assert_eq!(got.as_deref(), want, "{sort:?} {text}");
        }
    }
}
