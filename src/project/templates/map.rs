//! From bytes of a rendered text back to the template.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Source, Span};
use crate::yaml::{Data, Node};

/// Marks that the rendering leaves in the text: a place of the template begins here.
pub const MARK: (char, char) = ('\u{F0000}', '\u{F0001}');

/// Where a run of rendered text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// First byte in the rendered text.
    at: usize,
    /// The template: its place among the parts.
    part: usize,
    /// First byte there.
    from: usize,
    /// One past the last byte of the tag whose value it is; none: text that stands there as it is.
    tag: Option<usize>,
}

/// A rendered text with the places it comes from.
#[derive(Debug)]
pub struct Rendered {
    /// The text, without marks.
    pub text: String,
    /// In order of `at`.
    runs: Vec<Run>,
    /// The templates: the first is the one that was asked for, the others its partials.
    parts: Vec<Arc<Source>>,
}

/// A mark for text that stands at `from` as it is.
pub fn mark_text(part: usize, from: usize) -> String {
    format!("{}{part}:{from}{}", MARK.0, MARK.1)
}

/// A mark for the value of the tag `from..to`.
pub fn mark_tag(part: usize, from: usize, to: usize) -> String {
    format!("{}{part}:{from}:{to}{}", MARK.0, MARK.1)
}

impl Rendered {
    /// Takes the marks out.
    pub fn read(marked: &str, parts: Vec<Arc<Source>>) -> Self {
        let mut rendered = Self { text: String::with_capacity(marked.len()), runs: Vec::new(), parts };
        let mut pieces = marked.split(MARK.0);
        rendered.text.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let Some((mark, rest)) = piece.split_once(MARK.1) else { continue };
            let mut numbers = mark.split(':').map(|n| n.parse::<usize>().ok());
            if let (Some(Some(part)), Some(Some(from))) = (numbers.next(), numbers.next()) {
                rendered.runs.push(Run { at: rendered.text.len(), part, from, tag: numbers.next().flatten() });
            }
            rendered.text.push_str(rest);
        }
        rendered
    }

    /// The run that a byte belongs to.
    fn run(&self, at: usize) -> Option<&Run> {
        self.runs[..self.runs.partition_point(|run| run.at <= at)].last()
    }

    /// The place in the template of `from..to` of the text.
    pub fn place(&self, from: usize, to: usize) -> Span {
        let whole = || Span::new(&self.parts[0], 0, 0);
        let Some(first) = self.run(from) else { return whole() };
        let start = if first.tag.is_some() { first.from } else { first.from + (from - first.at) };
        let last = if to > from { self.run(to - 1) } else { None }.filter(|run| run.part == first.part);
        let end = match last {
            Some(Run { tag: Some(end), .. }) => *end,
            Some(run) => run.from + (to - run.at),
            None => first.tag.unwrap_or(start),
        };
        let end = if end < start { first.tag.unwrap_or(start) } else { end };
        Span::new(&self.parts[first.part], start, end)
    }

    fn span(&self, span: &Span) -> Span {
        self.place(span.start as usize, span.end as usize)
    }

    /// A tree of the rendered text with places in the template.
    pub fn node(&self, mut node: Node) -> Node {
        node.span = self.span(&node.span);
        match &mut node.data {
            Data::Scalar(_) => {}
            Data::List(items) => {
                let old = std::mem::take(items);
                items.extend(old.into_iter().map(|item| self.node(item)));
            }
            Data::Map(entries) => {
                let old = std::mem::take(entries);
                entries.extend(old.into_iter().map(|mut entry| {
                    entry.key_span = self.span(&entry.key_span);
                    entry.value = self.node(entry.value);
                    entry
                }));
            }
        }
        node
    }

    /// A diagnostic of the rendered text with places in the template; the rendered line is quoted where it reads
    /// differently there. A patch that would change a tag is left out.
    pub fn diagnostic(&self, mut found: Diagnostic) -> Diagnostic {
        if let Some(label) = found.labels.first() {
            let at = label.span.start as usize;
            let line = line_of(&self.text, at);
            let place = self.span(&label.span);
            if line_of(&place.source.text, place.start as usize) != line && !line.trim().is_empty() {
                found.help.push(format!("rendered, the line is `{}`", line.trim()));
            }
        }
        for label in &mut found.labels {
            label.span = self.span(&label.span);
        }
        found.patches.retain(|patch| {
            let text = self.text.get(patch.span.start as usize..patch.span.end as usize).unwrap_or_default();
            let place = self.span(&patch.span);
            place.source.text.get(place.start as usize..place.end as usize) == Some(text)
        });
        for patch in &mut found.patches {
            patch.span = self.span(&patch.span);
        }
        for span in &mut found.concealed {
            *span = self.span(span);
        }
        found
    }
}

fn line_of(text: &str, at: usize) -> &str {
    let at = at.min(text.len());
    let before = text.get(..at).map_or(0, |b| b.rfind('\n').map_or(0, |n| n + 1));
    let after = text.get(at..).map_or(text.len(), |a| a.find('\n').map_or(text.len(), |n| at + n));
    &text[before..after]
}

#[cfg(test)]
mod tests {
    use super::{Rendered, mark_tag, mark_text};
    use crate::diagnostic::Source;
    use std::sync::Arc;

    #[test]
    fn places_lead_back() {
        let template = "a: {{x}}\nb: c\n";
        let part = Arc::new(Source { name: "t.hbs".to_owned(), text: template.to_owned() });
        let marked = format!("{}a: {}long value{}\nb: c\n", mark_text(0, 0), mark_tag(0, 3, 8), mark_text(0, 8));
        let rendered = Rendered::read(&marked, vec![part]);
        assert_eq!(rendered.text, "a: long value\nb: c\n");
        for (word, want) in [("a", "a"), ("long", "{{x}}"), ("b", "b"), ("c", "c"), ("a: long value", "a: {{x}}")] {
            let at = rendered.text.find(word).unwrap();
            let place = rendered.place(at, at + word.len());
            assert_eq!(&template[place.start as usize..place.end as usize], want, "{word}");
        }
    }
}
