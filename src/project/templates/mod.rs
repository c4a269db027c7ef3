//! Handlebars, for text: `template("sql/x.sql.hbs")` and whole sources (`conf/x.yaml.hbs`). Never on YAML scalars: there
//! `{{...}}` is Databricks' own.
//!
//! Strict: a name that is not there is an error at its place in the template. What waits for the workspace and what is
//! secret may be printed, and looked at by no block.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use handlebars::{Context, Handlebars, Helper, HelperResult, JsonValue, Output, RenderContext, RenderError, RenderErrorReason};

use super::files;
use crate::diagnostic::{Diagnostic, Source, Span, suggest};
use crate::model::{Map, Value, json};

mod map;
mod tags;
mod weave;

pub use map::Rendered;
use weave::{PRINT, Woven};

/// What stands in rendered text for a value that waits: its number between two of these.
const WAITS: (char, char) = ('\u{F0002}', '\u{F0003}');

/// A template with its partials.
pub struct Text {
    sources: Vec<Arc<Source>>,
    woven: Vec<Woven>,
    /// Partials: as they are written, and which part they are.
    names: BTreeMap<String, usize>,
}

/// A piece of a rendered template.
pub enum Piece {
    /// Text.
    Text(String),
    /// A value that waits.
    Value(Value),
}

impl Text {
    /// Reads a template and the partials that it names, relative to the project's folder.
    ///
    /// # Errors
    /// What is wrong with one of them, at its place.
    pub fn read(folder: &Path, source: Arc<Source>) -> Result<Self, Vec<Diagnostic>> {
        let mut text = Self { sources: vec![source], woven: Vec::new(), names: BTreeMap::new() };
        let mut wrong = Vec::new();
        let mut part = 0;
        while part < text.sources.len() {
            let source = Arc::clone(&text.sources[part]);
            match weave::weave(&source, part) {
                Ok(woven) => {
                    for (name, span) in &woven.partials {
                        if !text.names.contains_key(name) {
                            match partial(folder, name, span) {
                                Ok(found) => {
                                    text.names.insert(name.clone(), text.sources.len());
                                    text.sources.push(found);
                                }
                                Err(found) => wrong.push(*found),
                            }
                        }
                    }
                    text.woven.push(woven);
                }
                Err(found) => {
                    wrong.push(said(&source, found));
                    return Err(wrong);
                }
            }
            part += 1;
        }
        wrong.extend(text.circle());
        if wrong.is_empty() { Ok(text) } else { Err(wrong) }
    }

    /// A partial that leads back to itself, which would never end.
    fn circle(&self) -> Option<Diagnostic> {
        // Parts that were seen to end, and those that we are in.
        let mut ends = vec![false; self.woven.len()];
        self.around(0, &mut ends, &mut vec![])
    }

    fn around(&self, part: usize, ends: &mut [bool], within: &mut Vec<usize>) -> Option<Diagnostic> {
        within.push(part);
        for (name, span) in &self.woven.get(part)?.partials {
            let Some(next) = self.names.get(name).copied().filter(|next| !ends[*next]) else { continue };
            if within.contains(&next) {
                let found =
                    Diagnostic::error("E0229", format!("the partial `{name}` leads back to itself")).at(span, "it is being rendered here");
                return Some(found.help("a partial cannot contain itself, also not through others"));
            }
            // Each level is a file of its own: there are not many.
            if let Some(found) = self.around(next, ends, within) {
                return Some(found);
            }
        }
        within.pop();
        ends[part] = true;
        None
    }

    /// The names that it mentions.
    pub fn words(&self) -> impl Iterator<Item = &weave::Word> {
        self.woven.iter().flat_map(|woven| &woven.words)
    }

    /// Whether a word stands in the template itself, not in a partial, whose scope its caller may have changed.
    fn is_own(&self, word: &weave::Word) -> bool {
        word.span.source == self.sources[0]
    }

    /// Names that are not in `scope`, each with a diagnostic.
    pub fn undefined(&self, scope: &dyn Fn(&str) -> bool, known: &[&str]) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for word in self.words().filter(|w| w.rooted && self.is_own(w)) {
            let steps = word.steps();
            let Some(first) = steps.first().filter(|first| !scope(first)) else { continue };
            found.push(missing(first, &word.span, known, false));
        }
        found
    }

    /// Renders it with these names.
    ///
    /// # Errors
    /// What is wrong, at its place in the template.
    pub fn render(&self, names: &Map) -> Result<(Rendered, Vec<Value>), Vec<Diagnostic>> {
        let mut waiting = Vec::new();
        let mut wrong = Vec::new();
        for word in self.words().filter(|w| !w.printed) {
            let mut steps = word.steps().into_iter();
            let mut value = steps.next().and_then(|first| names.get(first));
            while let (Some(Value::Map(map)), Some(step)) = (value, steps.clone().next()) {
                value = map.get(step);
                steps.next();
            }
            if let Some(value @ (Value::Unknown(_) | Value::Secret(_))) = value {
                let message = format!("`{}` is {} here, and a template can only print it", word.path, value.sort());
                wrong.push(
                    Diagnostic::error("E0231", message)
                        .at(&word.span, "")
                        .help("what a block or a helper looks at must be known when it is planned"),
                );
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let names = Value::Map(names.iter().map(|(k, v)| (k.clone(), sealed(v, &mut waiting))).collect());
        let mut engine = engine();
        for (name, part) in &self.names {
            engine.register_template(name, self.woven[*part].template.clone());
        }
        engine.register_template(MAIN, self.woven[0].template.clone());
        let document: JsonValue = json::write(&names).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(JsonValue::Null);
        let context = Context::wraps(document).map_err(|_| Vec::new())?;
        match engine.render_with_context(MAIN, &context) {
            Ok(marked) => Ok((Rendered::read(&marked, self.sources.clone()), waiting)),
            Err(error) => Err(vec![self.failed(&error, &names)]),
        }
    }

    /// An error of the rendering in our words.
    fn failed(&self, error: &RenderError, names: &Value) -> Diagnostic {
        let part = error.template_name.as_ref().and_then(|name| self.names.get(name)).copied().unwrap_or_default();
        let source = &self.sources[part];
        let at = weave::offset(&source.text, error.line_no.unwrap_or(1), error.column_no.unwrap_or(1));
        let tag = self.woven[part].tags.iter().find(|t| t.from <= at && at < t.to);
        let span = tag.map_or_else(|| Span::new(source, at, at), |t| Span::new(source, t.from, t.to));
        let within = |word: &str| match files_text(&span).find(word) {
            Some(at) if !word.is_empty() => span.within(at, at + word.len()),
            _ => span.clone(),
        };
        match error.reason() {
            RenderErrorReason::MissingVariable(path) => {
                let path = path.clone().unwrap_or_default();
                let known: Vec<&str> = names.as_map().into_iter().flat_map(Map::keys).map(String::as_str).collect();
                let inside = !path.contains("../") && known.contains(&path.split(['.', '/']).next().unwrap_or_default());
                missing(&path, &within(&path), &known, inside)
            }
            RenderErrorReason::HelperNotFound(name) => Diagnostic::error("E0230", format!("there is no helper `{name}`"))
                .at(&within(name), "")
                .help("a tag with a space in it calls a helper: `{{name}}` prints a value; Databricks' own braces are written `\\{{`"),
            RenderErrorReason::Other(why) => Diagnostic::error("E0231", why.clone()).at(&span, ""),
            other => Diagnostic::error("E0231", format!("`{}` cannot be rendered: {other}", files_text(&span))).at(&span, ""),
        }
    }
}

/// The name that the template itself is known by to its engine.
const MAIN: &str = "{main}";

/// A rendered text cut where values wait.
pub fn pieces(text: &str, waiting: &[Value]) -> Vec<Piece> {
    let mut made = Vec::new();
    let mut parts = text.split(WAITS.0);
    made.extend(parts.next().map(|first| Piece::Text(first.to_owned())));
    for part in parts {
        let Some((number, rest)) = part.split_once(WAITS.1) else { continue };
        made.extend(number.parse::<usize>().ok().and_then(|n| waiting.get(n)).cloned().map(Piece::Value));
        made.push(Piece::Text(rest.to_owned()));
    }
    made
}

/// A value with a stand-in for everything that waits.
fn sealed(value: &Value, waiting: &mut Vec<Value>) -> Value {
    match value {
        Value::Unknown(_) | Value::Secret(_) => {
            waiting.push(value.clone());
            Value::Text(format!("{}{}{}", WAITS.0, waiting.len() - 1, WAITS.1))
        }
        Value::List(items) => Value::List(items.iter().map(|item| sealed(item, waiting)).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), sealed(v, waiting))).collect()),
        known => known.clone(),
    }
}

fn engine() -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(handlebars::no_escape);
    engine.unregister_helper("log");
    engine.register_helper(PRINT, Box::new(print));
    engine.register_helper("json", Box::new(as_json));
    engine
}

/// `{{name}}`: text, a number or a boolean.
fn print(helper: &Helper<'_>, _: &Handlebars<'_>, _: &Context, _: &mut RenderContext<'_, '_>, out: &mut dyn Output) -> HelperResult {
    let Some(value) = helper.param(0) else { return Ok(()) };
    let path = value.relative_path();
    if value.is_value_missing() {
        return Err(RenderError::strict_error(path));
    }
    let refuse = |sort: &str, help: &str| {
        let name = path.map_or("this", String::as_str);
        Err(RenderErrorReason::Other(format!("`{name}` is {sort}, which has no place inside text{help}")).into())
    };
    match value.value() {
        JsonValue::String(text) => out.write(text)?,
        JsonValue::Bool(on) => out.write(&on.to_string())?,
        JsonValue::Number(number) => out.write(&number.to_string())?,
        JsonValue::Null => return refuse("null", ""),
        JsonValue::Array(_) => return refuse("a list", ": go through it with `{{#each}}`, or write it as `{{json name}}`"),
        JsonValue::Object(_) => return refuse("a map", ": name a member of it, or write it as `{{json name}}`"),
    }
    Ok(())
}

/// `{{json name}}`: any value as JSON.
fn as_json(helper: &Helper<'_>, _: &Handlebars<'_>, _: &Context, _: &mut RenderContext<'_, '_>, out: &mut dyn Output) -> HelperResult {
    let Some(value) = helper.param(0) else { return Ok(()) };
    if value.is_value_missing() {
        return Err(RenderError::strict_error(value.relative_path()));
    }
    out.write(&value.value().to_string())?;
    Ok(())
}

fn missing(name: &str, span: &Span, known: &[&str], inside: bool) -> Diagnostic {
    let found = Diagnostic::error("E0230", format!("`{name}` is not defined in this template")).at(span, "");
    if inside {
        return found.help(format!("inside `{{{{#each}}}}` and `{{{{#with}}}}` names are those of the item: write `../{name}`"));
    }
    match suggest::nearest(name, known.iter().copied()) {
        Some(near) if files_text(span) == name => found.help(format!("did you mean `{near}`?")).patch(span, near),
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None => found.help("Databricks' own braces are written `\\{{`: they stay as they are"),
    }
}

fn files_text(span: &Span) -> &str {
    super::findings::span_text(span)
}

fn said(source: &Arc<Source>, wrong: tags::Wrong) -> Diagnostic {
    let mut found = Diagnostic::error("E0229", wrong.message).at(&Span::new(source, wrong.from, wrong.to), "");
    if let Some((from, to, label)) = wrong.beside {
        found = found.at(&Span::new(source, from, to), label);
    }
    match wrong.help {
        Some(help) => found.help(help),
        None => found,
    }
}

/// The file of a partial: as it is written, or with `.hbs` behind it.
fn partial(folder: &Path, name: &str, span: &Span) -> Result<Arc<Source>, Box<Diagnostic>> {
    let written = name.trim_matches(['\'', '"', '[', ']']);
    let hbs = format!("{written}.hbs");
    let read = files::text_of(folder, written).map(|text| (written.to_owned(), text));
    let (name, text) =
        read.or_else(|why| files::text_of(folder, &hbs).map(|text| (hbs.clone(), text)).map_err(|_| why)).map_err(|why| {
            Box::new(
                Diagnostic::error("E0229", format!("a partial: {why}"))
                    .at(span, "")
                    .help("`{{> sql/part.hbs}}` names a file, relative to the project's folder"),
            )
        })?;
    Ok(Arc::new(Source { name, text }))
}
