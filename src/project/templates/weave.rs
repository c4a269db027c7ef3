//! A template's own tree with marks woven in, so that every byte of the result leads back to its place, and with a list
//! of the names that it mentions.

use std::sync::Arc;

use handlebars::Template;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};

use super::map::{mark_tag, mark_text};
use super::tags::{Tag, Wrong, scan};
use crate::diagnostic::{Source, Span};

/// The helper that prints a plain `{{name}}`: values that have no place in text are errors there.
pub const PRINT: &str = "__print";

/// A name that a template mentions.
#[derive(Debug, Clone)]
pub struct Word {
    /// As it is written: `env.name`, `../catalog`.
    pub path: String,
    /// Where.
    pub span: Span,
    /// Whether it is printed as it is; else a helper or block looks at its value.
    pub printed: bool,
    /// Whether it is looked up in the template's own scope, not in an item of a list.
    pub rooted: bool,
}

impl Word {
    /// The steps of the path below the template's scope: `env`, `name`.
    pub fn steps(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("@root").trim_start_matches("../").trim_start_matches("./");
        let path = path.strip_prefix("this.").unwrap_or(path);
        path.split(['.', '/']).filter(|step| !step.is_empty() && *step != "this").collect()
    }
}

/// A template that has been read.
pub struct Woven {
    /// With marks.
    pub template: Template,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// The names it mentions.
    pub words: Vec<Word>,
    /// Its partials: the path as it is written, and where.
    pub partials: Vec<(String, Span)>,
}

/// Reads a template; `part` is its number in marks.
pub fn weave(source: &Arc<Source>, part: usize) -> Result<Woven, Wrong> {
    let text = source.text.as_str();
    let tags = scan(text)?;
    let mut template = Template::compile(text).map_err(|error| {
        let at = error.pos().map_or(0, |(line, column)| offset(text, line, column));
        let tag = tags.iter().find(|t| t.to > at).or(tags.last());
        let (from, to) = tag.map_or((at, at), |t| (t.from, t.to));
        let help =
            Some("a tag is `{{name}}`, `{{#if name}}..{{/if}}`, `{{#each list}}..{{/each}}` or `{{> file}}`; `\\{{` is no tag".to_owned());
        Wrong { from, to, message: format!("`{}` cannot be read", text[from..to].trim()), help, beside: None }
    })?;
    let mut weaver = Weaver {
        source,
        part,
        tags: &tags,
        segments: segments(text, &tags),
        next: 0,
        shifts: 0,
        locals: Vec::new(),
        words: Vec::new(),
        partials: Vec::new(),
    };
    weaver.template(&mut template);
    let (words, partials) = (weaver.words, weaver.partials);
    Ok(Woven { template, tags, words, partials })
}

/// Line and column, both from 1, as a byte.
pub fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

/// The text between tags.
fn segments(text: &str, tags: &[Tag]) -> Vec<(usize, usize)> {
    let mut at = 0;
    let mut found: Vec<(usize, usize)> = tags.iter().map(|tag| (std::mem::replace(&mut at, tag.to), tag.from)).collect();
    found.push((at, text.len()));
    found
}

struct Weaver<'a> {
    source: &'a Arc<Source>,
    part: usize,
    tags: &'a [Tag],
    segments: Vec<(usize, usize)>,
    /// The first segment that no text was found in yet.
    next: usize,
    /// How many blocks around this place look names up in an item.
    shifts: usize,
    /// Names of block parameters.
    locals: Vec<String>,
    words: Vec<Word>,
    partials: Vec<(String, Span)>,
}

impl Weaver<'_> {
    fn template(&mut self, template: &mut Template) {
        let elements = std::mem::take(&mut template.elements);
        let mapping = std::mem::take(&mut template.mapping);
        for (i, element) in elements.into_iter().enumerate() {
            let place = mapping.get(i).cloned();
            let at = place.as_ref().map_or(0, |place| offset(&self.source.text, place.0, place.1));
            for woven in self.element(element, at) {
                template.elements.push(woven);
                template.mapping.extend(place.clone());
            }
        }
    }

    /// An element with its mark before it.
    fn element(&mut self, element: TemplateElement, at: usize) -> Vec<TemplateElement> {
        let tag = self.tags.iter().find(|tag| tag.from <= at && at < tag.to).cloned();
        let (from, to) = tag.map_or((at, at), |tag| (tag.from, tag.to));
        let mark = TemplateElement::RawString(mark_tag(self.part, from, to));
        match element {
            TemplateElement::RawString(text) => vec![TemplateElement::RawString(self.text(&text))],
            TemplateElement::Expression(mut helper) | TemplateElement::HtmlExpression(mut helper) => {
                let plain = helper.params.is_empty() && helper.hash.is_empty();
                self.look(&helper, (from, to), plain);
                if plain && matches!(helper.name, Parameter::Path(_)) {
                    let name = std::mem::replace(&mut helper.name, Parameter::Name(PRINT.to_owned()));
                    helper.params.push(name);
                }
                vec![mark, TemplateElement::Expression(helper)]
            }
            TemplateElement::HelperBlock(mut helper) => {
                self.look(&helper, (from, to), false);
                let shifting = matches!(helper.name.as_name(), Some("each" | "with"));
                let before = self.locals.len();
                if let Some(handlebars::template::BlockParam::Single(name)) = &helper.block_param {
                    self.locals.extend(name.as_name().map(str::to_owned));
                }
                if let Some(handlebars::template::BlockParam::Pair((one, two))) = &helper.block_param {
                    self.locals.extend([one, two].into_iter().filter_map(|n| n.as_name()).map(str::to_owned));
                }
                self.shifts += usize::from(shifting);
                if let Some(inner) = &mut helper.template {
                    self.template(inner);
                }
                self.shifts -= usize::from(shifting);
                self.locals.truncate(before);
                if let Some(inverse) = &mut helper.inverse {
                    self.template(inverse);
                }
                vec![TemplateElement::HelperBlock(helper)]
            }
            TemplateElement::PartialExpression(ref partial) | TemplateElement::PartialBlock(ref partial) => {
                let name = partial.name.as_name().unwrap_or_default().to_owned();
                self.partials.push((name.clone(), self.within((from, to), &name)));
                vec![element]
            }
            other => vec![other],
        }
    }

    /// Text with a mark before it, and one behind every backslash that was taken off.
    fn text(&mut self, text: &str) -> String {
        let Some(mut at) = self.find(text) else { return text.to_owned() };
        let mut out = mark_text(self.part, at);
        for c in text.chars() {
            let rest = &self.source.text[at..];
            if c != '\\' && rest.starts_with('\\') {
                at += 1;
                out.push_str(&mark_text(self.part, at));
            }
            out.push(c);
            at += c.len_utf8();
        }
        out
    }

    /// Where a text stands: the parser trims some, and keeps the order.
    fn find(&mut self, text: &str) -> Option<usize> {
        for (i, (from, to)) in self.segments.iter().enumerate().skip(self.next) {
            let segment = &self.source.text[*from..*to];
            let unescaped = segment.replace("\\{{", "{{");
            let Some(found) = unescaped.find(text) else { continue };
            if !unescaped[..found].trim().is_empty()
                || !unescaped[found + text.len()..].trim_matches(['\\', ' ', '\n', '\t', '\r']).is_empty()
            {
                continue;
            }
            self.next = i + 1;
            return Some(from + found); // only whitespace is before it, and that has no escapes
        }
        None
    }

    fn within(&self, (from, to): (usize, usize), word: &str) -> Span {
        let tag = self.source.text.get(from..to).unwrap_or_default();
        match tag.find(word).filter(|_| !word.is_empty()) {
            Some(at) => Span::new(self.source, from + at, from + at + word.len()),
            None => Span::new(self.source, from, to),
        }
    }

    /// Notes the names that a tag mentions.
    fn look(&mut self, helper: &HelperTemplate, tag: (usize, usize), plain: bool) {
        if plain {
            self.parameter(&helper.name, tag, true);
        }
        helper.params.iter().chain(helper.hash.values()).for_each(|p| self.parameter(p, tag, false));
    }

    fn parameter(&mut self, parameter: &Parameter, tag: (usize, usize), printed: bool) {
        match parameter {
            Parameter::Path(_) => {
                let Some(path) = parameter.as_name() else { return };
                if path.starts_with('@') && !path.starts_with("@root") || path.contains("/@") {
                    return;
                }
                let ups = path.matches("../").count();
                let first = path.split(['.', '/']).next().unwrap_or_default();
                if self.locals.iter().any(|local| local == first) || path == "this" || path == "." {
                    return;
                }
                let rooted = path.starts_with("@root") || ups >= self.shifts;
                self.words.push(Word { path: path.to_owned(), span: self.within(tag, path), printed, rooted });
            }
            Parameter::Subexpression(inner) => {
                inner.params().into_iter().flatten().for_each(|p| self.parameter(p, tag, false));
                inner.hash().into_iter().flat_map(|h| h.values()).for_each(|p| self.parameter(p, tag, false));
            }
            _ => {}
        }
    }
}
