//! Where things stand in the text of a YAML document: the bytes of a node, of its key, its line, its dash.

use std::ops::Range;

use super::fold::refolded;
use super::spell::{self, Dialect};
use super::splice::is_block;
use super::{Data, Entry, Node, Style};
use crate::model::{Path, Step, Value};

/// What a path leads to.
pub enum Found<'n> {
    /// A node that stands there itself.
    Node(Seat<'n>),
    /// The map (or empty value) that would hold the last field, which is not there.
    Inside(Seat<'n>),
    /// The way leads through an alias or a `<<`, first at this path.
    Shared(Path),
    /// Neither.
    Nothing,
}

/// A node and how it sits in its parent.
#[derive(Clone, Copy)]
pub struct Seat<'n> {
    /// The node.
    pub node: &'n Node,
    /// Its entry, if it is the value of one.
    entry: Option<&'n Entry>,
    /// What it is in, if that is a list.
    list: Option<(&'n Node, usize)>,
    /// Whether it stands inside braces or brackets.
    flow: bool,
}

/// Follows a path.
#[must_use]
pub fn find<'n>(root: &'n Node, path: &Path) -> Found<'n> {
    let mut seat = Seat { node: root, entry: None, list: None, flow: false };
    let mut so_far = Path::root();
    for (i, step) in path.steps().iter().enumerate() {
        let flow = seat.flow || seat.is_braced();
        let last = i + 1 == path.steps().len();
        so_far.push(step.clone());
        seat = match step {
            Step::Field(name) => match seat.node.entry(name) {
                Some(entry) if !seat.owns_key(entry) || !owns_value(seat.node, entry) => return Found::Shared(so_far),
                Some(entry) => Seat { node: &entry.value, entry: Some(entry), list: None, flow },
                None if last => return Found::Inside(seat),
                None => return Found::Nothing,
            },
            Step::Index(n) => match seat.node.items().get(*n) {
                Some(item) if !within(&bytes(item), &bytes(seat.node)) => return Found::Shared(so_far),
                Some(item) => Seat { node: item, entry: None, list: Some((seat.node, *n)), flow },
                None => return Found::Nothing,
            },
            Step::Key(..) | Step::Inside => return Found::Nothing,
        };
    }
    Found::Node(seat)
}

/// The bytes of a node; those of a block scalar begin at its `|` or `>`, which its span leaves out.
fn bytes(node: &Node) -> Range<usize> {
    let (start, end) = (node.span.start as usize, node.span.end as usize);
    // The span of one without text begins at its mark.
    let is_bare = node.scalar().is_some_and(|scalar| scalar.text.trim().is_empty()) && text(node)[start..].starts_with(['|', '>']);
    if is_bare {
        return start..end;
    }
    if is_block(spell::style_of(node)) { header(text(node), start).unwrap_or(start)..end } else { start..end }
}

/// Where the `|` or `>` of the block scalar is whose first text begins at `content`.
fn header(text: &str, content: usize) -> Option<usize> {
    let before = text.get(..content)?.trim_end();
    let line = line_start(text, before.len());
    let is_header = |rest: &str| {
        let rest = rest[1..].trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+')).trim_start();
        rest.is_empty() || rest.starts_with('#')
    };
    before[line..].match_indices(['|', '>']).map(|(at, _)| line + at).find(|at| is_header(&before[*at..]))
}

/// Whether the spelling of a value ends in a block scalar, behind which no comment can stand.
fn ends_open(value: &Value) -> bool {
    match value {
        Value::Text(text) => spell::is_block_text(text),
        Value::Map(map) => map.values().last().is_some_and(ends_open),
        Value::List(items) => items.last().is_some_and(ends_open),
        _ => false,
    }
}

fn within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    inner.start >= outer.start && inner.end <= outer.end
}

/// Whether the value of an entry stands behind its key: an alias's does not.
fn owns_value(map: &Node, entry: &Entry) -> bool {
    let value = bytes(&entry.value);
    value.start >= entry.key_span.end as usize && (value.end <= map.span.end as usize || value.is_empty())
}

fn text(node: &Node) -> &str {
    &node.span.source.text
}

/// The start of the line that holds a byte.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |n| n + 1)
}

/// The end of the line that holds a byte: before its line end.
fn line_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    if text[..end].ends_with('\r') && end > at { end - 1 } else { end }
}

/// The column of a byte, from 0, in characters.
fn column(text: &str, at: usize) -> usize {
    text[line_start(text, at)..at].chars().count()
}

fn is_first_on_line(text: &str, at: usize) -> bool {
    text[line_start(text, at)..at].trim().is_empty()
}

/// Where the text of an entry's value may begin: behind the colon.
fn behind_colon(entry: &Entry) -> Option<usize> {
    let text = &entry.key_span.source.text;
    let end = entry.key_span.end as usize;
    let rest = &text[end..];
    let blank = rest.len() - rest.trim_start_matches([' ', '\t', '"', '\'']).len();
    rest[blank..].starts_with(':').then_some(end + blank + 1)
}

/// The bytes of `*name` where it is the value of an entry.
fn alias(entry: &Entry) -> Option<Range<usize>> {
    let text = &entry.key_span.source.text;
    let from = behind_colon(entry)?;
    let start = from + (text[from..].len() - text[from..].trim_start().len());
    let rest = text[start..].strip_prefix('*')?;
    let length = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}')).unwrap_or(rest.len());
    Some(start..start + 1 + length)
}

/// Where an entry ends, its value included.
fn entry_end(map: &Node, entry: &Entry) -> Option<usize> {
    if !owns_value(map, entry) {
        return alias(entry).map(|r| r.end);
    }
    let value = bytes(&entry.value);
    if value.is_empty() { behind_colon(entry).or(Some(entry.key_span.end as usize)) } else { Some(value.end) }
}

impl<'n> Seat<'n> {
    fn text(&self) -> &'n str {
        &self.node.span.source.text
    }

    fn start(&self) -> usize {
        bytes(self.node).start
    }

    fn end(&self) -> usize {
        self.node.span.end as usize
    }

    /// Whether it is written in braces or brackets itself.
    fn is_braced(&self) -> bool {
        !matches!(self.node.data, Data::Scalar(_)) && self.text()[self.start()..].starts_with(['{', '['])
    }

    fn owns_key(&self, entry: &Entry) -> bool {
        within(&(entry.key_span.start as usize..entry.key_span.end as usize), &bytes(self.node))
    }

    /// The entries that stand in the map itself, in order of the text.
    fn own(&self) -> Vec<&'n Entry> {
        let mut own: Vec<&Entry> = self.node.entries().iter().filter(|e| self.owns_key(e)).collect();
        own.sort_by_key(|e| e.key_span.start);
        own
    }

    fn column(&self) -> usize {
        column(self.text(), self.start())
    }

    /// Whether nothing stands behind it on its last line.
    fn ends_its_line(&self) -> bool {
        self.text()[self.end()..line_end(self.text(), self.end())].trim().is_empty()
    }

    /// The bytes to replace, and by what, to give it another value.
    #[must_use]
    pub fn replaced(&self, value: &Value, dialect: Dialect) -> (Range<usize>, String) {
        let range = self.start()..self.end();
        if self.flow || dialect == Dialect::Json || self.is_root() && self.is_braced() && !self.ends_its_line() {
            return self.on_one_line(value, dialect);
        }
        let braced = self.is_braced();
        let collection = !spell::is_short(value) && !matches!(value, Value::Text(_));
        if !matches!(self.node.data, Data::Scalar(_)) && !braced && collection {
            // A comment behind the last inner line goes with what it is about.
            let end = if ends_open(value) { line_end(self.text(), range.end) } else { range.end };
            return (range.start..end, spell::block(value, self.column()));
        }
        if braced && spell::is_flat(value) && collection {
            return (range, spell::flow(value, dialect));
        }
        if !self.ends_its_line() && ends_open(value) {
            return self.on_one_line(value, dialect);
        }
        match (self.entry.and_then(|e| Some((e, behind_colon(e)?))), self.list) {
            (Some(_), _) if self.is_scalar_for_scalar(value) && !range.is_empty() => (range, self.scalar(value, self.indent())),
            (Some((entry, from)), _) => {
                let column = column(self.text(), entry.key_span.start as usize);
                let between = self.text().get(from..self.start()).unwrap_or_default();
                let end = if range.is_empty() { from } else { range.end };
                let mut spelled = spell::after_key(value, column);
                let (mark, remark) =
                    between.trim().split_once('#').map_or((between.trim(), None), |(mark, remark)| (mark.trim(), Some(remark)));
                let start = if range.is_empty() || mark.is_empty() { from } else { from + 1 + mark.len() };
                if let Some(remark) = remark.and_then(|r| r.lines().next()).filter(|_| !range.is_empty()) {
                    if !spelled.contains('\n') && self.ends_its_line() {
                        spelled = format!("{spelled} #{remark}");
                    } else if spelled.starts_with('\n') {
                        spelled = format!(" #{remark}{spelled}");
                    }
                }
                (start..end, spelled)
            }
            (None, Some((list, _))) if collection => {
                let dash = column(self.text(), list.span.start as usize);
                (range, spell::element(value, dash, false).split_off(2))
            }
            _ if self.is_scalar_for_scalar(value) => (range, self.scalar(value, self.indent())),
            _ => (range, spell::block(value, self.column())),
        }
    }

    /// The anchor that stands before it, and its line.
    #[must_use]
    pub fn anchor(&self) -> Option<(&'n str, usize)> {
        let before = self.text()[..self.start()].trim_end();
        let word = before.rsplit(|c: char| c.is_whitespace() || matches!(c, '{' | '[' | ',' | ':')).next()?;
        Some((word.strip_prefix('&').filter(|name| !name.is_empty())?, before.matches('\n').count() + 1))
    }

    fn is_root(&self) -> bool {
        self.entry.is_none() && self.list.is_none()
    }

    fn is_scalar_for_scalar(&self, value: &Value) -> bool {
        matches!(self.node.data, Data::Scalar(_)) && !matches!(value, Value::List(_) | Value::Map(_))
    }

    fn on_one_line(&self, value: &Value, dialect: Dialect) -> (Range<usize>, String) {
        let range = self.start()..self.end();
        let like = spell::style_of(self.node).filter(|s| !is_block(Some(*s)));
        let spelled = match value {
            Value::List(_) | Value::Map(_) => spell::flow(value, dialect),
            single => spell::scalar(single, self.flow, like, dialect),
        };
        match self.entry.and_then(behind_colon) {
            Some(from) if range.is_empty() => (from..from, format!(" {spelled}")),
            _ => (range, spelled),
        }
    }

    /// A single value, as a block scalar where it is one; what is remarked behind the header of a block scalar stays.
    fn scalar(&self, value: &Value, indent: usize) -> String {
        let spelled = self.bare(value, indent);
        let header = self.text()[self.start()..self.end()].lines().next().unwrap_or_default();
        let Some(remark) = header.find('#').filter(|_| is_block(spell::style_of(self.node))) else { return spelled };
        let remark = &header[header[..remark].trim_end().len()..];
        match spelled.split_once('\n') {
            Some((first, rest)) => format!("{first}{remark}\n{rest}"),
            None => format!("{spelled}{remark}"),
        }
    }

    fn bare(&self, value: &Value, indent: usize) -> String {
        let style = spell::style_of(self.node);
        if let Some(folded) = value.as_str().and_then(|text| self.folded(text, indent)) {
            return folded;
        }
        match value {
            Value::Text(text) if spell::is_block_text(text) => spell::block_text(text, indent),
            Value::Text(text)
                if is_block(style) && text.ends_with('\n') && spell::is_block_text(&format!("x\n{text}")) && !text.trim().is_empty() =>
            {
                if text.starts_with([' ', '\t', '\n']) {
                    spell::double(text)
                } else {
                    spell::block_text(text, indent)
                }
            }
            single => spell::scalar(single, false, style.filter(|s| !is_block(Some(*s))), Dialect::Yaml),
        }
    }

    /// A text in the lines of the folded scalar that is there.
    fn folded(&self, text: &str, indent: usize) -> Option<String> {
        let old = self.node.scalar().filter(|scalar| scalar.style == Style::Folded)?;
        let raw = &self.text()[self.start()..self.end()];
        let lines: Vec<&str> = raw.lines().skip(1).map(|line| line.get(indent..).unwrap_or_default().trim_end_matches('\r')).collect();
        let (new, mark) = text.strip_suffix('\n').map_or((text, ">-"), |text| (text, ">"));
        let printable = !text.chars().any(|c| (c.is_control() && c != '\n') || spell::is_break(c));
        let lines = refolded(
            lines.split_last().filter(|(last, _)| last.is_empty()).map_or(&lines, |(_, rest)| rest),
            old.text.trim_end_matches('\n'),
            new,
        );
        let blanks = " ".repeat(indent);
        let line = |line: String| if line.is_empty() { "\n".to_owned() } else { format!("\n{blanks}{line}") };
        lines.filter(|_| printable).map(|lines| format!("{mark}{}", lines.into_iter().map(line).collect::<String>()))
    }

    /// Where the lines of a block scalar in its place stand: where they stood, else two columns below what holds it.
    fn indent(&self) -> usize {
        let held = self.entry.map_or_else(
            || self.list.map_or(0, |(list, _)| column(self.text(), list.span.start as usize)),
            |e| column(self.text(), e.key_span.start as usize),
        );
        if is_block(spell::style_of(self.node)) {
            let raw = &self.text()[self.start()..self.end()];
            let lines = raw.lines().skip(1).filter(|l| !l.trim().is_empty());
            let least = lines.map(|l| l.len() - l.trim_start_matches(' ').len()).min();
            return least.filter(|n| *n > held).unwrap_or(held + 2);
        }
        held + 2
    }

    /// A new entry of this map, last.
    #[must_use]
    pub fn entry_added(&self, name: &str, value: &Value, dialect: Dialect) -> Option<(Range<usize>, String)> {
        if matches!(self.node.data, Data::List(_)) || matches!(self.node.data, Data::Scalar(_)) && !self.node.is_null() {
            return None;
        }
        let entry = Value::map([(name.to_owned(), value.clone())]);
        let own = self.own();
        let Some(last) = own.last() else {
            if self.node.entries().is_empty() {
                return Some(self.replaced(&entry, dialect));
            }
            // Only `<<` stands in it.
            let at = line_end(self.text(), self.start());
            let column = self.column();
            let spelled = format!("\n{}{}{}", " ".repeat(column), spell::key(name, dialect), spell::after_key(value, column));
            return (!self.flow && !self.is_braced()).then_some((at..at, spelled));
        };
        let end = entry_end(self.node, last)?;
        let key_at = last.key_span.start as usize;
        if self.flow || self.is_braced() {
            let spelled = format!("{} {}", spell::key(name, dialect), spell::flow(value, dialect));
            let line = column(self.text(), key_at);
            let between = if is_first_on_line(self.text(), key_at) { format!(",\n{}", " ".repeat(line)) } else { ", ".to_owned() };
            return Some((end..end, format!("{between}{spelled}")));
        }
        let (at, column) = (line_end(self.text(), end), column(self.text(), key_at));
        Some((at..at, format!("\n{}{}{}", " ".repeat(column), spell::key(name, dialect), spell::after_key(value, column))))
    }

    /// The alias that is the value of a field, replaced by what it stands for.
    #[must_use]
    pub fn alias_replaced(&self, name: &str, value: &Value, dialect: Dialect) -> Option<(Range<usize>, String)> {
        let entry = self.own().into_iter().find(|e| e.key == name)?;
        let range = alias(entry)?;
        if self.flow || self.is_braced() || dialect == Dialect::Json {
            return Some((range, spell::flow(value, dialect)));
        }
        let from = behind_colon(entry)?;
        Some((from..range.end, spell::after_key(value, column(self.text(), entry.key_span.start as usize))))
    }

    /// The dash of an item.
    fn dash(&self, nth: usize) -> Option<usize> {
        let items = self.node.items();
        let column_of = column(self.text(), self.start());
        let from = match nth.checked_sub(1).and_then(|i| items.get(i)) {
            Some(before) => bytes(before).end,
            None => self.start(),
        };
        let to = items.get(nth).map(|n| bytes(n).start)?;
        let between = self.text().get(from..to)?;
        let is_dash = |at: usize| at == self.start() || is_first_on_line(self.text(), at) && column(self.text(), at) == column_of;
        between.match_indices('-').map(|(n, _)| from + n).find(|at| is_dash(*at))
    }

    /// A new item of this list.
    #[must_use]
    pub fn item_at(&self, nth: usize, value: &Value, dialect: Dialect) -> Option<(Range<usize>, String)> {
        let items = self.node.items();
        let Data::List(_) = self.node.data else { return None };
        if items.is_empty() {
            return Some(self.replaced(&Value::List(vec![value.clone()]), dialect));
        }
        let before = nth.checked_sub(1).and_then(|i| items.get(i)).or_else(|| (nth > 0).then(|| items.last()).flatten());
        if before.is_some_and(|b| !within(&bytes(b), &bytes(self.node))) {
            return None;
        }
        if self.flow || self.is_braced() {
            let spelled = spell::flow(value, dialect);
            return Some(match before {
                Some(before) => (bytes(before).end..bytes(before).end, format!(", {spelled}")),
                None => (bytes(&items[0]).start..bytes(&items[0]).start, format!("{spelled}, ")),
            });
        }
        let braces = items.iter().all(|i| self.text()[bytes(i)].starts_with('{'));
        let spelled = spell::element(value, self.column(), braces);
        let indent = " ".repeat(self.column());
        match before {
            Some(before) => {
                let at = line_end(self.text(), bytes(before).end);
                Some((at..at, format!("\n{indent}{spelled}")))
            }
            None => Some((self.start()..self.start(), format!("{spelled}\n{indent}"))),
        }
    }

    /// The bytes of one of several entries or items, with its line where it has lines of its own.
    #[must_use]
    pub fn without(&self, step: &Step, gone: &Seat<'_>) -> Option<(Range<usize>, String)> {
        let (start, end, before, next) = match step {
            Step::Field(name) => {
                let own = self.own();
                let at = own.iter().position(|e| e.key == *name)?;
                let before = at.checked_sub(1).and_then(|i| own.get(i)).and_then(|e| entry_end(self.node, e));
                let next = own.get(at + 1).map(|e| e.key_span.start as usize);
                (own[at].key_span.start as usize, entry_end(self.node, own[at])?, before, next)
            }
            Step::Index(n) if self.flow || self.is_braced() => {
                let items = self.node.items();
                let before = n.checked_sub(1).and_then(|i| items.get(i)).map(|i| bytes(i).end);
                (gone.start(), gone.end(), before, items.get(n + 1).map(|i| bytes(i).start))
            }
            Step::Index(n) => (self.dash(*n)?, gone.end(), None, self.dash(n + 1)),
            Step::Key(..) | Step::Inside => return None,
        };
        if self.flow || self.is_braced() {
            return Some(match (next, before) {
                (Some(next), _) => (start..next, String::new()),
                (None, Some(before)) => (before..end, String::new()),
                (None, None) => return None,
            });
        }
        if !is_first_on_line(self.text(), start) {
            return next.map(|next| (start..next, String::new()));
        }
        let (from, to) = (line_start(self.text(), start), line_end(self.text(), end));
        let to_next = self.text()[to..].find('\n').map(|n| to + n + 1);
        Some(match to_next {
            Some(to) => (from..to, String::new()),
            None => (from.saturating_sub(usize::from(from > 0))..to, String::new()),
        })
    }
}

/// The document of a source that a node stands in: how many non-empty documents begin before it.
#[must_use]
pub fn document_of(documents: &[Node], at: usize) -> Option<usize> {
    documents.iter().rposition(|d| d.span.start as usize <= at)
}

/// The path of fields and indexes to the innermost node whose bytes are exactly these.
#[must_use]
pub fn path_to(root: &Node, start: usize, end: usize) -> Option<Path> {
    fn go(node: &Node, start: usize, end: usize, path: &mut Path) -> bool {
        // A block scalar is told with its header or without.
        let own = node.span.start as usize..node.span.end as usize;
        if (bytes(node) == (start..end) || own == (start..end)) && !text(node).is_empty() {
            return true;
        }
        for (step, child) in children(node) {
            path.push(step);
            if bytes(child).start <= start && end <= bytes(child).end && go(child, start, end, path) {
                return true;
            }
            path.pop();
        }
        false
    }
    let mut path = Path::root();
    go(root, start, end, &mut path).then_some(path)
}

fn children(node: &Node) -> Vec<(Step, &Node)> {
    match &node.data {
        Data::Map(entries) => entries.iter().map(|e| (Step::Field(e.key.clone()), &e.value)).collect(),
        Data::List(items) => items.iter().enumerate().map(|(i, n)| (Step::Index(i), n)).collect(),
        Data::Scalar(_) => vec![],
    }
}

/// The path to the entry whose key stands at these bytes; of the list form, to the item whose `$key` does.
#[must_use]
pub fn key_path(root: &Node, start: usize, end: usize) -> Option<Path> {
    fn go(node: &Node, wanted: &Range<usize>, path: &mut Path) -> bool {
        let span = |s: &crate::diagnostic::Span| s.start as usize..s.end as usize;
        for entry in node.entries() {
            if entry.key == "$key" && span(&entry.value.span) == *wanted {
                return true;
            }
            if span(&entry.key_span) == *wanted {
                path.push(Step::Field(entry.key.clone()));
                return true;
            }
        }
        for (step, child) in children(node) {
            path.push(step);
            if go(child, wanted, path) {
                return true;
            }
            path.pop();
        }
        false
    }
    let mut path = Path::root();
    go(root, &(start..end), &mut path).then_some(path)
}
