//! How a YAML file is laid out: two columns a level, one blank behind `:` and `,`, blanks inside braces, no trailing blanks,
//! one blank line at most, a line end at the end, quotes where a reader of YAML 1.1 or of expressions needs them.
//!
//! Only blanks and quotes change. The text is parsed again and must give the same trees; if it does not, it stays as it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::spell::{double, misread};
use super::{Data, Entry, Node, Scalar, Style, node::plain, parse};
use crate::diagnostic::{Diagnostic, Source};
use crate::model::Value;

/// The text laid out.
///
/// # Errors
/// The file cannot be read: its diagnostics.
pub fn layout(source: &Arc<Source>) -> Result<String, Vec<Diagnostic>> {
    let windows = source.text.contains("\r\n");
    let first = Arc::new(Source { name: source.name.clone(), text: source.text.replace("\r\n", "\n") });
    let wanted = values(&parse(source)?);
    let mut now = first;
    // What one round moves another may tidy; three are enough for anything that a person writes.
    for _ in 0..5 {
        let next = round(&now, &wanted);
        if next == now.text {
            break;
        }
        now = Arc::new(Source { name: now.name.clone(), text: next });
    }
    Ok(if windows { now.text.replace('\n', "\r\n") } else { now.text.clone() })
}

fn values(documents: &[Node]) -> Vec<Value> {
    documents.iter().map(Node::value).collect()
}

/// One round: each part is kept only if the trees stay.
fn round(source: &Arc<Source>, wanted: &[Value]) -> String {
    let mut now = Arc::clone(source);
    for part in [on_one_line as fn(&str, &[Node]) -> Option<String>, indented, blanks] {
        let Ok(documents) = parse(&now) else { return now.text.clone() };
        let Some(text) = part(&now.text, &documents) else { continue };
        let next = Arc::new(Source { name: now.name.clone(), text });
        if parse(&next).is_ok_and(|d| values(&d) == *wanted) {
            now = next;
        }
    }
    now.text.clone()
}

/// Replacements by where they begin: what several aliases lead to is replaced once.
type Patches = BTreeMap<usize, (usize, String)>;

fn patched(text: &str, patches: &Patches) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (start, (end, with)) in patches.iter().filter(|(start, (end, _))| start <= &end) {
        if *start < at {
            continue;
        }
        out.push_str(&text[at..*start]);
        out.push_str(with);
        at = *end;
    }
    out.push_str(&text[at..]);
    out
}

/// Blanks on a line and quotes.
#[expect(clippy::unnecessary_wraps, reason = "the form of a part of the layout")]
fn on_one_line(text: &str, documents: &[Node]) -> Option<String> {
    let mut patches = Patches::new();
    for document in documents {
        visit(document, &mut |node| on_lines(text, node, &mut patches));
    }
    Some(patched(text, &patches))
}

fn visit<'n>(node: &'n Node, work: &mut impl FnMut(&'n Node)) {
    work(node);
    match &node.data {
        Data::Map(entries) => entries.iter().for_each(|e| visit(&e.value, work)),
        Data::List(items) => items.iter().for_each(|i| visit(i, work)),
        Data::Scalar(_) => {}
    }
}

fn gap(text: &str, start: usize, end: usize, with: &str, patches: &mut Patches) {
    if text.get(start..end).is_some_and(|t| t != with && t.bytes().all(|b| b == b' ')) {
        patches.insert(start, (end, with.to_owned()));
    }
}

fn on_lines(text: &str, node: &Node, patches: &mut Patches) {
    let (start, end) = (node.span.start as usize, node.span.end as usize);
    let braces = matches!(text.get(start..=start), Some("{" | "["));
    match &node.data {
        Data::Scalar(scalar) => quoted(text, start, end, scalar, patches),
        Data::Map(entries) => {
            for entry in entries {
                key(text, entry, patches);
            }
            let ends: Vec<(usize, usize)> =
                entries.iter().map(|e| (e.key_span.start as usize, (e.value.span.end as usize).max(e.key_span.end as usize))).collect();
            if braces {
                inside(text, (start, end), &ends, " ", patches);
            }
        }
        Data::List(items) if braces => {
            inside(
                text,
                (start, end),
                &items.iter().map(|i| (i.span.start as usize, i.span.end as usize)).collect::<Vec<_>>(),
                "",
                patches,
            );
        }
        Data::List(_) => {}
    }
}

/// Braces on one line: a blank inside those of maps, one behind each comma.
fn inside(text: &str, (start, end): (usize, usize), parts: &[(usize, usize)], pad: &str, patches: &mut Patches) {
    let ordered = parts.windows(2).all(|w| w[0].1 <= w[1].0);
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return };
    if !ordered || first.0 <= start || last.1 >= end {
        return;
    }
    gap(text, start + 1, first.0, pad, patches);
    // A key of several lines without a value: its value that is not there is found at the brace, behind the blanks.
    let last = text.get(..last.1).map_or(last.1, |before| before.trim_end().len()).max(start + 1);
    gap(text, last, end - 1, pad, patches);
    for pair in parts.windows(2) {
        let (from, to) = (pair[0].1, pair[1].0);
        let between = text.get(from..to).unwrap_or_default();
        if between.trim() == "," && !between.contains('\n') && between != ", " {
            patches.insert(from, (to, ", ".to_owned()));
        }
    }
}

/// `key :  value` is `key: value`.
fn key(text: &str, entry: &Entry, patches: &mut Patches) {
    let (start, end) = (entry.key_span.start as usize, entry.key_span.end as usize);
    let Some(spelled) = text.get(start..end) else { return };
    if spelled == entry.key
        && misread(spelled)
        && !matches!(plain(spelled), Value::Int(_) | Value::UInt(_) | Value::Float(_))
        && spelled != "<<"
    {
        patches.insert(start, (end, double(spelled)));
    }
    let Some(colon) = text[end..].find(':').map(|n| end + n) else { return };
    gap(text, end, colon, "", patches);
    let value = entry.value.span.start as usize;
    if value > colon && (value as u64) < u64::from(entry.value.span.end) {
        gap(text, colon + 1, value, " ", patches);
    }
}

/// A plain text that must have quotes.
fn quoted(text: &str, start: usize, end: usize, scalar: &Scalar, patches: &mut Patches) {
    let is_text = matches!(plain(&scalar.text), Value::Text(_));
    if scalar.style == Style::Plain
        && !scalar.forced_text
        && is_text
        && text.get(start..end) == Some(&scalar.text)
        && (scalar.text.contains("${") || misread(&scalar.text))
    {
        let single = scalar.text.contains('"') && !scalar.text.contains(['\'', '\n']);
        patches.insert(start, (end, if single { format!("'{}'", scalar.text) } else { double(&scalar.text) }));
    }
}

/// What becomes of the blanks at the start of a line.
#[derive(Clone, Copy)]
enum Start {
    /// It begins a key, an item or a value: this column.
    At(usize),
    /// It goes on with what began on an earlier line: moved along by this many columns, at least to that one.
    By(isize, usize),
}

struct Lines<'t> {
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
    want: BTreeMap<usize, Start>,
    patches: Patches,
    /// Something in it is laid out in a way that is not understood here.
    odd: bool,
}

/// Two columns a level.
fn indented(text: &str, documents: &[Node]) -> Option<String> {
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(n, _)| n + 1)).collect();
    let mut lines =
        Lines { text, starts, want: BTreeMap::new(), patches: Patches::new(), odd: text.contains("\n? ") || text.starts_with("? ") };
    for document in documents {
        lines.block(document, 0);
    }
    if lines.odd {
        return None;
    }
    lines.remarks();
    let mut patches = std::mem::take(&mut lines.patches);
    for (line, start) in &lines.want {
        let (from, old) = (lines.starts[*line], lines.column_of(*line));
        let new = match start {
            Start::At(column) => *column,
            Start::By(by, least) => old.saturating_add_signed(*by).max(*least),
        };
        if new != old {
            patches.insert(from, (from + old, " ".repeat(new)));
        }
    }
    Some(patched(text, &patches))
}

impl Lines<'_> {
    fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|s| *s <= at).saturating_sub(1)
    }

    /// The blanks at the start of a line.
    fn column_of(&self, line: usize) -> usize {
        let rest = &self.text[self.starts[line]..];
        rest.len() - rest.trim_start_matches(' ').len()
    }

    fn is_first(&self, at: usize) -> bool {
        let line = self.line(at);
        self.starts[line] + self.column_of(line) == at
    }

    fn begins(&mut self, at: usize, column: usize) {
        if self.is_first(at) {
            self.want.insert(self.line(at), Start::At(column));
        }
    }

    fn is_braced(&self, node: &Node) -> bool {
        self.text[node.span.start as usize..].starts_with(['{', '['])
    }

    /// A node whose first text is to stand at this column, if it begins a line.
    fn block(&mut self, node: &Node, column: usize) {
        let start = node.span.start as usize;
        match &node.data {
            Data::Map(entries) if !self.is_braced(node) => {
                let within = |at: u32| at >= node.span.start && at < node.span.end;
                for entry in entries.iter().filter(|e| within(e.key_span.start)) {
                    self.begins(entry.key_span.start as usize, column);
                    let own = entry.value.span.start >= entry.key_span.end && entry.value.span.end <= node.span.end;
                    if own {
                        self.block(&entry.value, column + 2);
                    }
                }
            }
            Data::List(items) if !self.is_braced(node) => self.items(node, items, column),
            Data::Scalar(scalar) => self.scalar(node, scalar, column),
            Data::Map(_) | Data::List(_) => {
                let (first, last) = (self.line(start), self.line((node.span.end as usize).saturating_sub(1)));
                self.begins(start, column);
                self.follow(first, last, column);
            }
        }
    }

    /// Lines that go on with what began on `first` move along with it.
    fn follow(&mut self, first: usize, last: usize, column: usize) {
        let by = match self.want.get(&first) {
            Some(Start::At(new)) => new.cast_signed() - self.column_of(first).cast_signed(),
            _ => 0,
        };
        for line in first + 1..=last {
            self.want.insert(line, Start::By(by, column.saturating_sub(2)));
        }
    }

    fn items(&mut self, list: &Node, items: &[Node], column: usize) {
        let mut from = list.span.start as usize;
        let old = from - self.starts[self.line(from)];
        for item in items {
            let start = item.span.start as usize;
            if start < from || item.span.end > list.span.end {
                self.odd = true; // an alias, whose own place is not known
                return;
            }
            let between = &self.text[from..start];
            let dash = between.match_indices('-').map(|(n, _)| from + n).find(|at| *at - self.starts[self.line(*at)] == old || *at == from);
            let Some(dash) = dash else {
                self.odd = true;
                return;
            };
            self.begins(dash, column);
            if self.line(dash) == self.line(start) {
                gap(self.text, dash + 1, start, " ", &mut self.patches);
            }
            self.block(item, column + 2);
            from = (item.span.end as usize).max(dash + 1);
        }
    }

    fn scalar(&mut self, node: &Node, scalar: &Scalar, column: usize) {
        let (start, end) = (node.span.start as usize, node.span.end as usize);
        if start == end {
            return;
        }
        let (first, last) = (self.line(start), self.line(end.saturating_sub(1)));
        if !matches!(scalar.style, Style::Literal | Style::Folded) {
            self.begins(start, column);
            for line in first + 1..=last {
                self.want.insert(line, Start::At(column));
            }
            return;
        }
        // The lines of a block scalar, all moved by as much as the least indented needs.
        let head = self.text[..start].trim_end();
        let digits = head.rsplit(['|', '>']).next().is_some_and(|mark| {
            mark.starts_with(|c: char| c.is_ascii_digit() || c == '+')
                || mark.starts_with('-') && mark.len() > 1 && mark.as_bytes()[1].is_ascii_digit()
        });
        if digits {
            self.odd = true;
            return;
        }
        let content = |line: &usize| !self.text[self.starts[*line]..].split('\n').next().unwrap_or_default().trim().is_empty();
        let lines: Vec<usize> = (first..=last).filter(content).collect();
        let Some(least) = lines.iter().map(|l| self.column_of(*l)).min() else { return };
        for line in lines {
            self.want.insert(line, Start::By(column.cast_signed() - least.cast_signed(), column));
        }
    }

    /// A line with a remark alone stands as the line that it stood level with: the next one, else one before.
    fn remarks(&mut self) {
        let level = |lines: &Self, line: usize| match lines.want.get(&line) {
            Some(Start::At(new)) => Some((lines.column_of(line), *new)),
            _ => None,
        };
        for line in 0..self.starts.len() {
            let at = self.starts[line] + self.column_of(line);
            if self.want.contains_key(&line) || !self.text[at..].starts_with('#') {
                continue;
            }
            let old = self.column_of(line);
            let next = (line + 1..self.starts.len()).find_map(|l| level(self, l));
            let before = (0..line)
                .rev()
                .filter(|l| !self.text[self.starts[*l]..].trim_start().starts_with('#'))
                .filter_map(|l| level(self, l))
                .find(|(c, _)| *c == old);
            let new = match (next, before) {
                (Some((column, new)), _) if column == old => new,
                (_, Some((_, new))) | (Some((_, new)), None) => new,
                (None, None) => continue,
            };
            if new != old {
                self.patches.insert(self.starts[line], (at, " ".repeat(new)));
            }
        }
    }
}

/// Trailing blanks, blank lines, the end of the file; not inside texts of several lines.
fn blanks(text: &str, documents: &[Node]) -> Option<String> {
    let mut texts: Vec<(usize, usize)> = Vec::new();
    let mut keeps = false;
    for document in documents {
        visit(document, &mut |node| {
            let (start, end) = (node.span.start as usize, node.span.end as usize);
            if node.scalar().is_some() && text[start..end].contains('\n') {
                texts.push((start, end));
            }
            keeps |= node.scalar().is_some_and(|s| matches!(s.style, Style::Literal | Style::Folded) && s.text.ends_with("\n\n"));
        });
    }
    if keeps {
        return None; // blank lines behind such a text are its own
    }
    let mut out = String::with_capacity(text.len());
    let (mut at, mut empty) = (0, 0);
    for line in text.split_inclusive('\n') {
        let end = at + line.trim_end_matches('\n').len();
        let inside = texts.iter().any(|(s, e)| *s <= end && end < *e);
        let kept = if inside { line.trim_end_matches('\n') } else { line.trim_end() };
        empty = if kept.is_empty() && !inside { empty + 1 } else { 0 };
        if empty < 2 && !(out.is_empty() && kept.is_empty()) {
            out.push_str(kept);
            out.push('\n');
        }
        at += line.len();
    }
    let body = out.trim_end_matches('\n').len();
    out.truncate(body);
    if !out.is_empty() {
        out.push('\n');
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{layout, parse, values};
    use crate::diagnostic::Source;

    fn laid(text: &str) -> String {
        layout(&Arc::new(Source { name: "a.yaml".to_owned(), text: text.to_owned() })).unwrap()
    }

    #[test]
    fn files_are_laid_out() {
        let table = [
            ("a:   1  \nb :  2", "a: 1\nb: 2\n"),
            (
                "a:\n    b: 1 # x\n    # about c\n    c:\n        - d: 1\n          e: 2\n",
                "a:\n  b: 1 # x\n  # about c\n  c:\n    - d: 1\n      e: 2\n",
            ),
            ("a:\n- 1\n-   b: 1\n    c: 2\n", "a:\n  - 1\n  - b: 1\n    c: 2\n"),
            ("a: {b: 1,c: [ 1,2 ]}\n", "a: { b: 1, c: [1, 2] }\n"),
            ("a: {b:m\n more}\n", "a: { b:m\n more }\n"),
            ("a: ${x}\nb: yes\non: 1\n", "a: \"${x}\"\nb: \"yes\"\n\"on\": 1\n"),
            ("a: 1\n\n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n"),
            ("a: |\n      one  \n       two\n\n\n\n      three\nb: 1\n", "a: |\n  one  \n   two\n\n\n\n  three\nb: 1\n"),
            ("a: one\n      two\n", "a: one\n  two\n"),
            ("a: {\n    b: 1\n  }\n", "a: {\n    b: 1\n  }\n"),
            ("a: 1\r\nb:   2\r\n", "a: 1\r\nb: 2\r\n"),
            ("a: 007\nb: 1.10\nc: 'x'\n", "a: 007\nb: 1.10\nc: 'x'\n"),
            ("# only\n", "# only\n"),
            ("a: &x   {b: 1}\nc: *x\n", "a: &x   { b: 1 }\nc: *x\n"),
            ("", ""),
        ];
        for (text, want) in table {
            assert_eq!(laid(text), want, "{text}");
            assert_eq!(laid(want), want, "twice: {text}");
        }
    }

    fn tree() -> impl Strategy<Value = String> {
        let line = (
            "( {0,6})",
            "([a-c]|on|x y)( ?)",
            "( {1,3})(1|x|yes|\\$\\{x\\}|\\{a: 1,b: \\[1,2 \\]\\}|'q'|\\|\\n          t  \\n           u|\"d  e\"|)",
            "( # r|)",
            "(\\n|\\n\\n\\n| \\n)",
        );
        prop::collection::vec(line.prop_map(|(pad, key, value, remark, end)| format!("{pad}{key}:{value}{remark}{end}")), 0..9)
            .prop_map(|l| l.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, max_global_rejects: 200_000, ..ProptestConfig::default() })]

        #[test]
        fn laying_out_twice_is_laying_out_once_and_means_the_same(text in tree()) {
            let source = Arc::new(Source { name: "a.yaml".to_owned(), text: text.clone() });
            if let Ok(before) = parse(&source) {
                let once = laid(&text);
                let after = parse(&Arc::new(Source { name: "a.yaml".to_owned(), text: once.clone() })).unwrap();
                prop_assert_eq!(values(&before), values(&after), "{}", once);
                prop_assert_eq!(laid(&once), once.clone(), "{}", text);
                let remarks = |t: &str| t.matches("# r").count();
                prop_assert_eq!(remarks(&text), remarks(&once));
            }
        }
    }
}
