//! One changed field as a row: its path, what it was and becomes, why.

use similar::{ChangeTag, TextDiff};

use super::answers::principal;
use super::item;
use super::style::{Label, Paint, columns, pad, visible};
use super::value::{block, brief, entry, inline, is_recorded_secret};
use crate::diff::{FieldChange, Reason};
use crate::kinds::BYTES;
use crate::model::{Fingerprint, Map, Step, Value};

/// Where values begin at most, counted from the path.
const WIDEST_PATH: usize = 40;
/// How many lines of a text are shown at most.
const MOST_LINES: usize = 12;

/// A row of a table of fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The path.
    pub path: String,
    /// What fits beside it; may be empty.
    pub value: String,
    /// Lines below.
    pub below: Vec<String>,
    /// Why; may be empty.
    pub note: String,
}

/// How rows are made.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Colour.
    pub paint: Paint,
    /// Columns for a value beside its path.
    pub room: usize,
    /// Whether the whole object is new: values stand alone, without `+`.
    pub fresh: bool,
}

/// A changed field as a row. `forces`: its change replaces the object.
#[must_use]
pub fn row(change: &FieldChange, forces: bool, style: &Style) -> Row {
    let mut row = Row { path: change.path.to_string(), value: String::new(), below: vec![], note: note(change, forces, style) };
    let item = matches!(change.path.steps().last(), Some(Step::Key(..) | Step::Index(_))) || is_of_set(change);
    if let Some((sign, label, words)) = whole_item(change, item) {
        // Who may do what says itself; its path would only repeat it.
        row.path = style.paint.label(label, &format!("{sign} {words}"));
        return row;
    }
    if let Some(who) = principal(&change.path) {
        row.path = who;
    }
    let named = item::place(&change.path);
    if let Some((item, _)) = &named {
        row.path.clone_from(item);
    }
    let held = |v: &Value| item::held(&change.path, v).filter(|_| change.old.is_none() || change.new.is_none());
    let told =
        |value: &Option<Value>| value.as_ref().map(|v| of_bytes(v).map(Value::Text).or_else(|| held(v)).unwrap_or_else(|| v.clone()));
    let (old, new) = (told(&change.old), told(&change.new));
    if named.as_ref().is_some_and(|(_, field)| field.is_empty()) && !style.fresh {
        // It is there or not: the sign stands before its name, what it holds below.
        let (sign, label) = if change.new.is_some() { ("+", Label::Add) } else { ("-", Label::Remove) };
        if let Some(Value::Map(rest)) = old.as_ref().xor(new.as_ref()) {
            row.path = style.paint.label(label, &format!("{sign} {}", row.path));
            row.below = if rest.is_empty() { vec![] } else { cut(block(&Value::Map(rest.clone()), style.room), style) };
            return row;
        }
    }
    match (&old, &new) {
        (None, None) => {}
        // Its name is all that it holds.
        (None, Some(Value::Map(rest))) if style.fresh && named.is_some() && rest.is_empty() => {}
        (None, Some(new)) if style.fresh => fresh(new, style, &mut row),
        (None, Some(new)) => one_sided("+", Label::Add, new, item, style, &mut row),
        (Some(old), None) => one_sided("-", Label::Remove, old, item, style, &mut row),
        (Some(old), Some(new)) => both(old, new, style, &mut row),
    }
    if let (Reason::Conflict, Some(applied)) = (change.reason, change.applied.as_ref().filter(|v| is_text(v))) {
        row.below.push(style.paint.label(Label::Dim, "last applied:"));
        row.below.extend(cut(block(applied, style.room).into_iter().map(|line| format!("   {line}")).collect(), style));
    }
    if let Some((_, field)) = named.filter(|(_, field)| !field.is_empty()) {
        let between = if is_diff(old.as_ref(), new.as_ref()) { " changed, " } else { "  " };
        row.value = format!("{field}{between}{}", row.value);
    }
    row
}

/// Whether it is one item of a facet's list that has neither keys nor an order: it is told under the list's name.
fn is_of_set(change: &FieldChange) -> bool {
    let one = change.old.as_ref().xor(change.new.as_ref());
    matches!(change.path.steps(), [Step::Field(list)] if list == "entries") && one.is_some_and(|value| value.as_map().is_some())
}

/// What is said of bytes that are no text: how many, and the beginning of their digest.
pub(super) fn of_bytes(value: &Value) -> Option<String> {
    use base64::Engine as _;
    let encoded = value.get(BYTES)?.as_str()?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    let digest = Fingerprint::of(&bytes).0;
    Some(format!("{} bytes, sha256 {}", bytes.len(), digest.get(..12).unwrap_or(&digest)))
}

/// An access entry that comes or goes as a whole.
fn whole_item(change: &FieldChange, item: bool) -> Option<(&'static str, Label, String)> {
    let (sign, label, value) = match (&change.old, &change.new) {
        (None, Some(new)) => ("+", Label::Add, new),
        (Some(old), None) => ("-", Label::Remove, old),
        (None, None) | (Some(_), Some(_)) => return None,
    };
    if item { entry(value).map(|words| (sign, label, words)) } else { None }
}

fn note(change: &FieldChange, forces: bool, style: &Style) -> String {
    let mut parts = vec![];
    if forces {
        parts.push(style.paint.label(Label::Blocked, "# forces replacement"));
    }
    match change.reason {
        Reason::Changed => {}
        Reason::Drift => {
            let what = match (&change.old, &change.new) {
                (_, None) => "drift: added in the workspace",
                (None, _) => "drift: removed in the workspace",
                _ => "drift: set in the workspace",
            };
            parts.push(style.paint.label(Label::Drift, what));
        }
        Reason::Conflict => {
            let applied = match &change.applied {
                Some(text) if is_text(text) => ": below".to_owned(),
                applied => format!(" {}", applied.as_ref().map_or_else(|| "nothing".to_owned(), inline)),
            };
            parts.push(style.paint.label(Label::Drift, &format!("conflict: changed in YAML and in the workspace, last applied{applied}")));
        }
        Reason::Removed => parts.push(style.paint.label(Label::Dim, "removed: not in YAML")),
    }
    parts.join("  ")
}

fn fresh(new: &Value, style: &Style, row: &mut Row) {
    let lines = block(new, style.room);
    match lines.as_slice() {
        [one] => row.value = format!("{one}{}", source(new, style)),
        _ if is_text(new) => row.below = cut(lines, style),
        _ => row.below = lines,
    }
}

/// Whether both are text, and one of several lines: what differs is shown line by line.
fn is_diff(old: Option<&Value>, new: Option<&Value>) -> bool {
    matches!((old, new), (Some(a @ Value::Text(_)), Some(b @ Value::Text(_))) if is_text(a) || is_text(b))
}

/// Text of several lines.
fn is_text(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.contains('\n'))
}

/// The expression behind a value that is not known yet.
fn source(value: &Value, style: &Style) -> String {
    match value {
        Value::Unknown(deferred) => format!("  {}", style.paint.label(Label::Dim, &deferred.source)),
        _ => String::new(),
    }
}

fn one_sided(sign: &str, label: Label, value: &Value, item: bool, style: &Style, row: &mut Row) {
    let short = if item { brief(value) } else { inline(value) };
    let long_text = is_text(value);
    if !long_text && columns(&short) + 2 <= style.room {
        row.value = format!("{}{}", style.paint.label(label, &format!("{sign} {short}")), source(value, style));
        return;
    }
    let lines = block(value, style.room).iter().map(|l| style.paint.label(label, &format!("{sign} {l}"))).collect();
    row.below = if long_text { cut(lines, style) } else { lines };
}

fn both(old: &Value, new: &Value, style: &Style, row: &mut Row) {
    match (old, new) {
        (Value::Text(a), Value::Text(b)) if a.contains('\n') || b.contains('\n') => text(a, b, style, row),
        (Value::List(a), Value::List(b)) => gather(list(a, b, style), old, new, style, row),
        (Value::Map(a), Value::Map(b)) if !is_recorded_secret(a) && !is_recorded_secret(b) => {
            gather(map(a, b, style), old, new, style, row);
        }
        _ => arrow(old, new, style, row),
    }
}

fn arrow(old: &Value, new: &Value, style: &Style, row: &mut Row) {
    let (mut a, mut b) = (inline(old), inline(new));
    if let (Value::Unknown(before), Value::Unknown(after)) = (old, new) {
        // Two that wait differ by what they wait for.
        (a, b) = (format!("{a} {}", before.source), format!("{b} {}", after.source));
    }
    if a == b {
        row.value = format!("{b} {}", style.paint.label(Label::Dim, "(another value)"));
    } else if columns(&a) + columns(&b) + 3 <= style.room {
        row.value = format!("{} → {}{}", style.paint.label(Label::Remove, &a), style.paint.label(Label::Add, &b), source(new, style));
    } else {
        row.below = vec![style.paint.label(Label::Remove, &format!("- {a}")), style.paint.label(Label::Add, &format!("+ {b}"))];
    }
}

/// Differences of items or entries: one beside the path, several below it; none: only the order differs.
fn gather(mut lines: Vec<String>, old: &Value, new: &Value, style: &Style, row: &mut Row) {
    match lines.len() {
        0 => {
            arrow(old, new, style, row);
            let order = style.paint.label(Label::Dim, "only the order");
            row.note = if row.note.is_empty() { order } else { format!("{}  {order}", row.note) };
        }
        1 if columns(&lines[0]) <= style.room => row.value = lines.remove(0),
        _ => row.below = lines,
    }
}

fn list(old: &[Value], new: &[Value], style: &Style) -> Vec<String> {
    let mut left: Vec<&Value> = new.iter().collect();
    let mut lines = vec![];
    for item in old {
        match left.iter().position(|n| *n == item) {
            Some(at) => drop(left.remove(at)),
            None => lines.push(style.paint.label(Label::Remove, &format!("- {}", brief(item)))),
        }
    }
    lines.extend(left.into_iter().map(|item| style.paint.label(Label::Add, &format!("+ {}", brief(item)))));
    lines
}

fn map(old: &Map, new: &Map, style: &Style) -> Vec<String> {
    let mut lines = vec![];
    for (key, before) in old {
        match new.get(key) {
            None => lines.push(style.paint.label(Label::Remove, &format!("- {key} = {}", inline(before)))),
            Some(after) if after == before => {}
            Some(after) => {
                lines.push(style.paint.label(Label::Change, &format!("~ {key} = {} → {}", inline(before), inline(after))));
            }
        }
    }
    for (key, after) in new.iter().filter(|(k, _)| !old.contains_key(*k)) {
        lines.push(style.paint.label(Label::Add, &format!("+ {key} = {}", inline(after))));
    }
    lines
}

/// The first of many lines of text, the rest counted.
fn cut(mut lines: Vec<String>, style: &Style) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST_LINES);
    // One line is no longer than the words that would stand for it.
    if more > 1 {
        lines.truncate(MOST_LINES);
        lines.push(style.paint.label(Label::Dim, &format!("... {more} more lines")));
    }
    lines
}

/// Several lines of text: how many came and went, then the differences with a line of context.
fn text(old: &str, new: &str, style: &Style, row: &mut Row) {
    // How a line ends makes no other line of it, unless nothing else differs.
    let [before, after]: [Vec<&str>; 2] = [old, new].map(|text| text.lines().collect());
    if before == after {
        "the same lines, with other ends".clone_into(&mut row.value);
        return;
    }
    let diff = TextDiff::from_slices(&before, &after);
    let (mut added, mut removed) = (0, 0);
    for group in diff.grouped_ops(1) {
        if !row.below.is_empty() {
            row.below.push(style.paint.label(Label::Dim, "..."));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = visible(change.value());
            row.below.push(match change.tag() {
                ChangeTag::Delete => {
                    removed += 1;
                    style.paint.label(Label::Remove, &format!("-  {line}"))
                }
                ChangeTag::Insert => {
                    added += 1;
                    style.paint.label(Label::Add, &format!("+  {line}"))
                }
                ChangeTag::Equal => format!("   {line}"),
            });
        }
    }
    row.below = cut(std::mem::take(&mut row.below), style);
    row.value = format!("+{added} -{removed} lines");
}

/// Lays rows out: paths in one column, values in the next, notes beside them where they fit.
#[must_use]
pub fn lay(rows: &[Row], indent: usize, width: usize) -> String {
    let column = value_column(rows.iter().map(|r| r.path.as_str()));
    let widest = rows.iter().filter(|r| !r.note.is_empty()).map(|r| columns(&r.value)).filter(|w| *w <= width / 2).max().unwrap_or(0);
    let mut out = String::new();
    for row in rows {
        let mut line = format!("{}{}", " ".repeat(indent), pad(&row.path, column));
        if columns(&row.path) >= column {
            line.push_str("  ");
        }
        line.push_str(&row.value);
        if !row.note.is_empty() {
            let noted = format!("{}  {}", pad(&line, indent + column + widest), row.note);
            if columns(&noted) <= width {
                line = noted;
            } else {
                line = format!("{}\n{}{}", line.trim_end(), " ".repeat(indent + 4), row.note);
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
        for below in &row.below {
            out.push_str(&" ".repeat(indent + 4));
            out.push_str(below);
            out.push('\n');
        }
    }
    out
}

/// Where values begin, for these paths.
pub fn value_column<'a>(paths: impl Iterator<Item = &'a str>) -> usize {
    paths.map(columns).filter(|w| *w <= WIDEST_PATH).max().unwrap_or(0).max(22) + 2
}

#[cfg(test)]
mod tests {
    use super::{Paint, Row, Style, lay, row};
    use crate::diff::{FieldChange, Reason};
    use crate::model::{Value, json};

    fn value(text: &str) -> Option<Value> {
        (!text.is_empty()).then(|| json::parse(text.as_bytes()).unwrap())
    }

    fn change(path: &str, old: &str, new: &str, reason: Reason) -> FieldChange {
        FieldChange { path: path.parse().unwrap(), old: value(old), new: value(new), applied: None, reason }
    }

    fn shown(change: &FieldChange, forces: bool) -> String {
        let style = Style { paint: Paint { colour: false }, room: 50, fresh: false };
        lay(&[row(change, forces, &style)], 0, 100)
    }

    #[test]
    fn each_sort_of_change_reads_as_itself() {
        let table = [
            (
                change("schedule.pause_status", "\"A\"", "\"B\"", Reason::Drift),
                "schedule.pause_status   \"A\" → \"B\"  drift: set in the workspace\n",
            ),
            (change("comment", "\"A\"", "", Reason::Removed), "comment                 - \"A\"  removed: not in YAML\n"),
            (change("comment", "", "\"A\"", Reason::Changed), "comment                 + \"A\"\n"),
            (
                change("tags", r#"{"a":"1","o":"ana"}"#, r#"{"a":"1"}"#, Reason::Drift),
                "tags                    - o = \"ana\"  drift: set in the workspace\n",
            ),
            (change("x", "[1,2,3]", "[1,3,4]", Reason::Changed), "x\n    - 2\n    + 4\n"),
            (change("x", "[1,2]", "[2,1]", Reason::Changed), "x                       [1, 2] → [2, 1]  only the order\n"),
            (
                change(
                    "entries",
                    r#"[{"group_name":"a","permission_level":"CAN_RUN"}]"#,
                    r#"[{"group_name":"b","permission_level":"CAN_RUN"}]"#,
                    Reason::Changed,
                ),
                "entries\n    - CAN_RUN  group \"a\"\n    + CAN_RUN  group \"b\"\n",
            ),
            (change("entries", "", r#"{"pypi":{"package":"x==1"}}"#, Reason::Changed), "+ pypi \"x==1\"\n"),
            (
                change("q", r#""a\nb\nc\nd""#, r#""a\nb\nX\nd""#, Reason::Changed),
                "q                       +1 -1 lines\n       b\n    -  c\n    +  X\n       d\n",
            ),
            (
                change("t", r#"{"$secret":"s","fingerprint":"1"}"#, r#"{"$secret":"s","fingerprint":"2"}"#, Reason::Changed),
                "t                       (sensitive) (another value)\n",
            ),
        ];
        for (given, want) in table {
            assert_eq!(shown(&given, false), want, "{}", given.path);
        }
        let forced = change("volume_type", "\"A\"", "\"B\"", Reason::Changed);
        assert_eq!(shown(&forced, true), "volume_type             \"A\" → \"B\"  # forces replacement\n");
    }

    #[test]
    fn text_is_compared_line_by_line_and_a_question_is_called_by_its_words() {
        let lines = |from: usize| (from..from + 40).flat_map(|i| [i.to_string(), "\\n".to_owned()]).collect::<String>();
        let at = |field: &str| format!("instructions.example_sql[question=\"Top customers\"]{field}");
        let sql = change(&at(".sql"), r#""SELECT a\nFROM t""#, r#""SELECT b\nFROM t""#, Reason::Changed);
        let want = "example question \"Top customers\"  sql changed, +1 -1 lines\n    -  SELECT a\n    +  SELECT b\n       FROM t\n";
        assert_eq!(shown(&sql, false), want);
        let guidance = change(&at(".usage_guidance"), r#""a""#, r#""b""#, Reason::Drift);
        let want = "example question \"Top customers\"  usage_guidance  \"a\" → \"b\"  drift: set in the workspace\n";
        assert_eq!(shown(&guidance, false), want);
        let long = change("content", &format!("\"{}\"", lines(0)), &format!("\"{}\"", lines(100)), Reason::Changed);
        let text = shown(&long, false);
        assert!(text.starts_with("content                 +40 -40 lines\n    -  0\n"), "{text}");
        assert!(text.ends_with("    -  11\n    ... 68 more lines\n"), "{text}");
    }

    #[test]
    fn long_values_go_below_and_nothing_is_cut() {
        let long = change("description", &format!("\"{}\"", "x".repeat(60)), "\"short\"", Reason::Changed);
        assert_eq!(shown(&long, false), format!("description\n    - \"{}\"\n    + \"short\"\n", "x".repeat(60)));
    }

    #[test]
    fn a_note_that_does_not_fit_goes_below() {
        let rows = [Row { path: "a".to_owned(), value: "v".repeat(30), below: vec![], note: "n".repeat(30) }];
        assert_eq!(lay(&rows, 2, 60), format!("  {:24}{}\n      {}\n", "a", "v".repeat(30), "n".repeat(30)));
    }
}
