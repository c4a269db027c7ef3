//! Events to trees: anchors and aliases, keys, tags, depth.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, ScalarStyle, StructureStyle, Tag};

use super::parse::MAX_DEPTH;
use super::{Data, Entry, Node, Scalar, Style, merge, node, quoting};
use crate::diagnostic::{Diagnostic, Source, Span};
use crate::model::Value;

/// Most nodes that the aliases of one source may add. A bomb passes it within ten lines; ten thousand jobs that share
/// a cluster block do not.
const MAX_ALIASED: usize = 500_000;

/// Where a scalar is long, it counts as several nodes.
const BYTES_A_NODE: usize = 64;

/// Where the reading stood when it ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// End of the last event, in bytes.
    pub last_end: usize,
    /// The innermost `{` or `[` that is open, in bytes.
    pub open_bracket: Option<usize>,
    /// The last scalar.
    pub last_scalar: Range<usize>,
}

/// An anchored node, finished.
struct Anchored {
    node: Node,
    weight: usize,
    depth: usize,
}

/// A list or map that is being read.
struct Frame {
    start: usize,
    flow: bool,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(MapFrame),
}

#[derive(Default)]
struct MapFrame {
    entries: Vec<Entry>,
    /// Places of the keys in `entries`, once there are many.
    index: HashMap<String, usize>,
    key: Key,
    /// Values of `<<`, each with where it stands and before which entry.
    merges: Vec<merge::Merge>,
    merge_key: Option<Span>,
}

/// The key whose value comes next.
#[derive(Default)]
enum Key {
    #[default]
    None,
    Named(String, Span),
    Merge(Span),
    /// It was refused; its value is read and dropped.
    Refused,
}

/// Below this many entries a map is searched from end to end.
const SMALL_MAP: usize = 12;

pub(super) struct Builder<'a> {
    source: &'a Arc<Source>,
    documents: Vec<Node>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    aliased: usize,
    diagnostics: Vec<Diagnostic>,
    gave_up: bool,
    place: Place,
}

impl<'a> Builder<'a> {
    pub fn new(source: &'a Arc<Source>) -> Self {
        Self {
            source,
            documents: Vec::new(),
            frames: Vec::new(),
            anchors: HashMap::new(),
            aliased: 0,
            diagnostics: Vec::new(),
            gave_up: false,
            place: Place::default(),
        }
    }

    /// Whether reading on is pointless: a bomb, or too deep.
    pub fn gave_up(&self) -> bool {
        self.gave_up
    }

    pub fn place(&self) -> Place {
        // `[a: 1]` holds a map without braces: it has none to close.
        let bracket = |f: &&Frame| f.flow && self.source.text.get(f.start..).is_some_and(|rest| rest.starts_with(['[', '{']));
        let open_bracket = self.frames.iter().rev().find(bracket).map(|f| f.start);
        Place { open_bracket, ..self.place.clone() }
    }

    pub fn finish(self) -> (Vec<Node>, Vec<Diagnostic>) {
        (self.documents, self.diagnostics)
    }

    pub fn event(&mut self, event: Event<'_>, span: &granit_parser::Span) {
        let range = span.byte_range().unwrap_or(0..0);
        let tagged = span.tag_span().and_then(|s| s.byte_range()).unwrap_or(range.clone());
        self.place.last_end = self.place.last_end.max(range.end);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref().map(|tag| (tag, self.span(tagged)));
                self.scalar(&text, style, anchor, tag, range);
            }
            Event::Alias(id) => self.alias(id, range),
            Event::SequenceStart(style, anchor, tag) => {
                self.tag_of_collection(tag.as_deref(), "seq", tagged);
                let start = if style == StructureStyle::Block { self.dash(range.start) } else { range.start };
                self.open(style, anchor, start, Content::List(Vec::new()));
            }
            Event::MappingStart(style, anchor, tag) => {
                self.tag_of_collection(tag.as_deref(), "map", tagged);
                self.open(style, anchor, range.start, Content::Map(MapFrame::default()));
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&range),
            Event::DocumentStart(..) => self.anchors.clear(),
            _ => {} // the stream's ends, a document's end; comments, anchor events and unresolved aliases are not asked for
        }
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.source, range.start, range.end)
    }

    fn open(&mut self, style: StructureStyle, anchor: usize, start: usize, content: Content) {
        if self.frames.len() >= MAX_DEPTH {
            self.too_deep(start..start);
            return;
        }
        self.frames.push(Frame { start, flow: style == StructureStyle::Flow, anchor, content });
    }

    /// A list that is not indented below its key is told from behind its first `-`.
    fn dash(&self, start: usize) -> usize {
        let before = self.source.text.get(..start).unwrap_or_default().trim_end();
        let at_dash = self.source.text.get(start..).is_some_and(|rest| rest.starts_with('-'));
        if !at_dash && before.ends_with('-') { before.len() - 1 } else { start }
    }

    fn too_deep(&mut self, range: Range<usize>) {
        let span = self.span(range);
        self.diagnostics.push(
            Diagnostic::error("E0005", format!("lists and maps are nested more than {MAX_DEPTH} deep"))
                .at(&span, "")
                .help("nothing in a workspace nests like this; was the file generated?"),
        );
        self.gave_up = true;
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, tag: Option<(&Tag, Span)>, range: Range<usize>) {
        // An empty value is told as `~` at an empty place; the text of a node is what its span spells.
        let text = if range.is_empty() && style == ScalarStyle::Plain { "" } else { text };
        let raw = self.source.text.get(range.clone()).unwrap_or_default();
        let range = match style {
            // The span of a block scalar runs up to the next token; cut it where its text ends, blanks of its last line included.
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let text = raw.trim_end().len();
                let blanks = raw[text..].bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
                range.start..range.start + text + if text > 0 { blanks } else { 0 }
            }
            _ => range,
        };
        self.place.last_scalar = range.clone();
        if style == ScalarStyle::Plain
            && let Some(found) = quoting::cut_by_comment(self.source, &range)
        {
            self.diagnostics.push(found);
        }
        let mut scalar = Scalar { text: text.to_owned(), style: style_of(style), forced_text: false };
        let span = self.span(range);
        if let Some((tag, tagged)) = tag {
            self.tag_of_scalar(tag, &tagged, &mut scalar, &span);
        }
        self.complete(Node { span, data: Data::Scalar(scalar) }, anchor);
    }

    fn alias(&mut self, id: usize, range: Range<usize>) {
        let span = self.span(range.clone());
        let Some(anchored) = self.anchors.get(&id) else {
            let name = span.source.text.get(range).unwrap_or_default().to_owned();
            self.diagnostics
                .push(Diagnostic::error("E0006", format!("`{name}` stands inside what it refers to")).at(&span, "refers to itself"));
            self.gave_up = true;
            return;
        };
        if self.frames.len() + anchored.depth > MAX_DEPTH {
            self.too_deep(range);
            return;
        }
        self.aliased += anchored.weight;
        if self.aliased > MAX_ALIASED {
            let name = span.source.text.get(range).unwrap_or_default().to_owned();
            self.diagnostics.push(
                Diagnostic::error("E0004", "the aliases of this file would grow to more than 500,000 nodes")
                    .at(&span, format!("with `{name}` the limit is passed"))
                    .help("aliases of aliases multiply: write out what is needed, or use variables"),
            );
            self.gave_up = true;
            return;
        }
        let node = anchored.node.clone();
        self.complete(node, 0);
    }

    fn close(&mut self, range: &Range<usize>) {
        let Some(frame) = self.frames.pop() else { return };
        let (data, last_child) = match frame.content {
            Content::List(mut items) => {
                items.shrink_to_fit(); // trees are kept as long as the project
                let end = items.last().map(|n| n.span.clone());
                (Data::List(items), end)
            }
            Content::Map(map) => {
                let end =
                    map.entries.last().map(|e| if e.value.span.end > e.key_span.end { e.value.span.clone() } else { e.key_span.clone() });
                let mut entries = merge::apply(map.entries, map.merges, &mut self.diagnostics);
                entries.shrink_to_fit();
                (Data::Map(entries), end)
            }
        };
        // A block ends where the next token begins; an alias's span may lie elsewhere: keep to what is ours.
        let own = |s: &Span| (s.end as usize) <= range.end && (s.start as usize) >= frame.start;
        let end =
            if frame.flow { range.end } else { last_child.filter(own).map_or(self.trimmed(frame.start, range.end), |s| s.end as usize) };
        let node = Node { span: self.span(frame.start..end), data };
        self.complete(node, frame.anchor);
    }

    /// The end of the text in `start..end` without white space behind it.
    fn trimmed(&self, start: usize, end: usize) -> usize {
        self.source.text.get(start..end).map_or(start, |raw| start + raw.trim_end().len())
    }

    /// A node is whole: it is an item, a key, a value, or a document.
    fn complete(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            let (weight, depth) = measure(&node);
            self.anchors.insert(anchor, Anchored { node: node.clone(), weight, depth });
        }
        let Some(frame) = self.frames.last_mut() else {
            let empty = node.scalar().is_some_and(|s| s.text.is_empty() && s.style == Style::Plain);
            if !empty {
                self.documents.push(node);
            }
            return;
        };
        match &mut frame.content {
            Content::List(items) => items.push(node),
            Content::Map(map) => match std::mem::take(&mut map.key) {
                Key::None => {
                    let parent = frame.start;
                    map.key = key_of(node, map, parent, self.source, &mut self.diagnostics);
                }
                Key::Refused => {}
                Key::Named(key, key_span) => map.push(Entry { key, key_span, value: node }),
                Key::Merge(span) => map.merges.push(merge::Merge { at: map.entries.len(), span, value: node }),
            },
        }
    }

    fn tag_of_collection(&mut self, tag: Option<&Tag>, expected: &str, tagged: Range<usize>) {
        if let Some(tag) = tag
            && !tag.is_yaml_core_schema_tag(expected)
            && !is_non_specific(tag)
        {
            let span = self.span(tagged);
            self.diagnostics.push(refused_tag(tag, &span));
        }
    }

    fn tag_of_scalar(&mut self, tag: &Tag, tagged: &Span, scalar: &mut Scalar, span: &Span) {
        if is_non_specific(tag) || tag.is_yaml_core_schema_tag("str") {
            scalar.forced_text = true;
            return;
        }
        let value = node::plain(&scalar.text);
        let fits = match tag.core_suffix() {
            Some("int") => matches!(value, Value::Int(_) | Value::UInt(_)),
            Some("float") => matches!(value, Value::Float(_)),
            Some("bool") => matches!(value, Value::Bool(_)),
            Some("null") => matches!(value, Value::Null),
            _ => {
                self.diagnostics.push(text_behind(refused_tag(tag, tagged), tagged, span, scalar.style));
                return;
            }
        };
        if fits {
            scalar.style = Style::Plain;
        } else {
            let message = format!("`{}` is tagged `{}` and is none", scalar.text, tag.original());
            self.diagnostics.push(Diagnostic::error("E0007", message).at(span, "").help("take the tag away"));
        }
    }
}

impl MapFrame {
    fn find(&self, key: &str) -> Option<&Entry> {
        if self.entries.len() <= SMALL_MAP {
            return self.entries.iter().find(|e| e.key == key);
        }
        self.index.get(key).and_then(|i| self.entries.get(*i))
    }

    fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        let count = self.entries.len();
        if count > SMALL_MAP {
            let from = if self.index.is_empty() { 0 } else { count - 1 };
            for (i, entry) in self.entries.iter().enumerate().skip(from) {
                self.index.insert(entry.key.clone(), i);
            }
        }
    }
}

/// What a finished node is as a key of this map.
fn key_of(node: Node, map: &mut MapFrame, parent: usize, source: &Arc<Source>, diagnostics: &mut Vec<Diagnostic>) -> Key {
    let Data::Scalar(scalar) = node.data else {
        diagnostics.push(quoting::braces_as_key(source, parent, &node.span).unwrap_or_else(|| {
            let sort = if matches!(node.data, Data::List(_)) { "a list" } else { "a map" };
            Diagnostic::error("E0010", format!("{sort} cannot be a key")).at(&node.span, "a key is text")
        }));
        return Key::Refused;
    };
    if scalar.style == Style::Plain && scalar.text == "<<" {
        if let Some(first) = &map.merge_key {
            diagnostics.push(
                Diagnostic::error("E0003", "`<<` stands twice in one map")
                    .at(&node.span, "again")
                    .at(first, "first here")
                    .help("merge several maps with a list: `<<: [*a, *b]`"),
            );
            return Key::Refused;
        }
        map.merge_key = Some(node.span.clone());
        return Key::Merge(node.span);
    }
    if scalar.text.is_empty() && scalar.style == Style::Plain {
        diagnostics.push(Diagnostic::error("E0010", "a key is missing before `:`").at(&node.span, "write a name here"));
        return Key::Refused;
    }
    if let Some(first) = map.find(&scalar.text) {
        diagnostics.push(
            Diagnostic::error("E0003", format!("the key `{}` stands twice in one map", scalar.text))
                .at(&node.span, "again")
                .at(&first.key_span, "first here")
                .help("keep one of the two: YAML readers disagree on which would count"),
        );
        return Key::Refused;
    }
    Key::Named(scalar.text, node.span)
}

/// How many nodes a tree counts for, and how deep it is.
fn measure(node: &Node) -> (usize, usize) {
    let sum = |children: &mut dyn Iterator<Item = (usize, &Node)>| {
        children.fold((1, 0), |(weight, depth), (extra, child)| {
            let (w, d) = measure(child);
            (weight + w + extra, depth.max(d))
        })
    };
    let (weight, depth) = match &node.data {
        Data::Scalar(scalar) => return (1 + scalar.text.len() / BYTES_A_NODE, 0),
        Data::List(items) => sum(&mut items.iter().map(|n| (0, n))),
        Data::Map(entries) => sum(&mut entries.iter().map(|e| (e.key.len() / BYTES_A_NODE, &e.value))),
    };
    (weight, depth + 1)
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

/// `!` alone: text for scalars, nothing for the rest.
fn is_non_specific(tag: &Tag) -> bool {
    tag.original() == "!"
}

/// A text that begins with a sign of YAML's own: `!Which one?`.
fn text_behind(found: Diagnostic, sign: &Span, text: &Span, style: Style) -> Diagnostic {
    let whole = Span { end: text.end, ..sign.clone() };
    let meant = whole.source.text.get(whole.start as usize..whole.end as usize).unwrap_or_default();
    if style != Style::Plain || meant.contains('\n') || sign.end > text.start || text.start == text.end {
        return found;
    }
    let found = found.help("if it is one text, quote it");
    // Names of tags are small letters.
    if meant.strip_prefix('!').is_some_and(|name| name.starts_with(char::is_uppercase)) {
        found.patch(&whole, quoting::quoted(meant))
    } else {
        found
    }
}

fn refused_tag(tag: &Tag, span: &Span) -> Diagnostic {
    Diagnostic::error("E0007", format!("the tag `{}` is not understood", tag.original())).at(span, "").help(
        "take it away (`${file(...)}` reads a file); only `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!map` and `!!seq` are read",
    )
}
