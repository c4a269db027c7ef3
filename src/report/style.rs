//! Colour as labels, mapped in data. Colour never carries meaning alone: every label stands on text that says the same.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Something new.
    Add,
    /// Something changed.
    Change,
    /// Something that goes away.
    Remove,
    /// Something taken over, moved or dropped from the state.
    Record,
    /// A block.
    Blocked,
    /// Something changed behind its back.
    Drift,
    /// A heading.
    Heading,
    /// Of less weight.
    Dim,
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
}

/// The colours: ANSI "select graphic rendition" parameters.
const PALETTE: &[(Label, &str)] = &[
    (Label::Add, "32"),
    (Label::Change, "33"),
    (Label::Remove, "31"),
    (Label::Record, "36"),
    (Label::Blocked, "1;31"),
    (Label::Drift, "35"),
    (Label::Heading, "1"),
    (Label::Dim, "2"),
    (Label::Good, "32"),
    (Label::Bad, "1;31"),
];

/// What marks a sequence as one of ours until it reaches the terminal: nobody else's text can hold it. It stands in the place of
/// more parameters, of four digits as the longest there are, so that whoever measures or cuts a text takes the whole for colour.
static OWN: LazyLock<String> = LazyLock::new(|| {
    let mut rest = RandomState::new().hash_one(0_u8);
    let mut mark = String::new();
    for _ in 0..4 {
        mark.push_str(&format!(";{:04}", rest % 10_000));
        rest /= 10_000;
    }
    mark + "m"
});

/// Paints, or leaves as it is. Painted text goes through [`steerless`] before a terminal sees it.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    /// With colour.
    pub colour: bool,
}

impl Paint {
    /// The text under a label.
    #[must_use]
    pub fn label(self, label: Label, text: &str) -> String {
        match PALETTE.iter().find(|(l, _)| *l == label) {
            Some((_, code)) if self.colour && !text.is_empty() => format!("\u{1b}[{code}{own}{text}\u{1b}[0{own}", own = *OWN),
            _ => text.to_owned(),
        }
    }
}

/// A text whose colours are all ours, marked as such.
#[must_use]
pub fn own(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('m').filter(|(code, _)| is_code(code)) {
            Some((code, rest)) => out.push_str(&format!("\u{1b}[{code}{}{rest}", *OWN)),
            None => out.push_str(&format!("\u{1b}[{part}")),
        }
    }
    out
}

fn is_code(code: &str) -> bool {
    !code.is_empty() && code.bytes().all(|b| b.is_ascii_digit() || b == b';')
}

/// Columns that a text takes, colours not counted.
#[must_use]
pub fn columns(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The text, filled with spaces to so many columns.
#[must_use]
pub fn pad(text: &str, to: usize) -> String {
    let mut out = text.to_owned();
    out.extend(std::iter::repeat_n(' ', to.saturating_sub(columns(text))));
    out
}

/// The text in at most so many columns: what does not fit is cut, and `…` says so.
#[must_use]
pub fn fit(text: &str, most: usize) -> String {
    console::truncate_str(text, most, "…").into_owned()
}

/// Left and right text on one line of this width; the right one on a line of its own (indented) where it does not fit.
#[must_use]
pub fn spread(left: &str, right: &str, width: usize, indent: usize) -> String {
    if right.is_empty() {
        return left.to_owned();
    }
    let (taken, wanted) = (columns(left), columns(right));
    if taken + 2 + wanted <= width {
        return format!("{}{right}", pad(left, width - wanted));
    }
    format!("{left}\n{}{right}", " ".repeat(indent))
}

/// A name in quotes. Emoji joined by invisible characters stay whole; what would move the cursor or turn the text around
/// is written out.
#[must_use]
pub fn quoted(name: &str) -> String {
    let mut out = String::from("\"");
    for c in name.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.extend(c.escape_unicode()),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a sign turns text around or breaks a line where no line ends.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// A line of somebody's text as it can stand on a terminal or in a page: what would move the cursor, colour or turn the text
/// around is written out. Tabs and emoji joined by invisible characters stay.
#[must_use]
pub fn visible(line: &str) -> Cow<'_, str> {
    let hidden = |c: char| turns(c) || (c.is_control() && c != '\t');
    if !line.contains(hidden) {
        return Cow::Borrowed(line);
    }
    let mut out = String::new();
    for c in line.chars() {
        if hidden(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// A text of several lines as it can go to a terminal: what [`Paint`] painted has its colours where there are colours, and whatever
/// else would steer it is written out, were it the very sequence of a colour.
#[must_use]
pub fn steerless(text: &str, colours: bool) -> Cow<'_, str> {
    let steers = |c: char| turns(c) || (c.is_control() && c != '\n' && c != '\t');
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(steers) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((code, after)) = own_colour(rest).filter(|_| colours) {
            out.push_str(&format!("\u{1b}[{code}m"));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("\r\n") {
            out.push_str("\r\n");
            rest = after;
        } else if let Some(c) = rest.chars().next() {
            out.extend(c.escape_unicode());
            rest = &rest[c.len_utf8()..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The code of the sequence at the start of a text that is marked as ours, and what follows it.
fn own_colour(text: &str) -> Option<(&str, &str)> {
    let (code, after) = text.strip_prefix("\u{1b}[")?.split_once(OWN.as_str())?;
    is_code(code).then_some((code, after))
}

/// JSON as it can go to a terminal: what would steer it is escaped as JSON has it. Outside of its texts there is no such thing.
#[must_use]
pub fn escaped(json: &str) -> Cow<'_, str> {
    let steers = |c: char| turns(c) || (c.is_control() && c != '\n' && c != '\t');
    if !json.contains(steers) {
        return Cow::Borrowed(json);
    }
    let mut out = String::new();
    for c in json.chars() {
        if steers(c) { out.push_str(&format!("\\u{:04x}", u32::from(c))) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// A text whose lines are broken between words where they are wider than this; what follows is indented further. A command
/// goes on after a backslash, so that it can still be pasted. A word that is wider by itself stays whole.
#[must_use]
pub fn fold(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if columns(line) <= width {
            out.push_str(line);
        } else {
            fold_line(line, width, &mut out);
        }
        out.push('\n');
    }
    out
}

fn fold_line(line: &str, width: usize, out: &mut String) {
    let body = line.trim_start_matches(' ');
    let indent = line.len() - body.len();
    let hang = (indent + 4).min(width / 2);
    let (command, remark) = match body.find("brickform ") {
        Some(at) if body[..at].trim_end().is_empty() || body[..at].trim_end().ends_with(':') => {
            let (command, remark) = body[at..].split_once("    ").map_or((body, ""), |(c, r)| (&body[..at + c.len()], r.trim_start()));
            (Some(command), remark)
        }
        _ => (None, ""),
    };
    let (text, tail) = (command.unwrap_or(body), if command.is_some() { " \\" } else { "" });
    out.push_str(&" ".repeat(indent));
    broken(text, indent, (width, hang, tail), out);
    if !remark.is_empty() {
        out.push_str(&format!("\n{}", " ".repeat(hang)));
        broken(remark, hang, (width, hang, ""), out);
    }
}

/// Words from this column on; `tail` ends each line but the last.
fn broken(text: &str, from: usize, (width, hang, tail): (usize, usize, &str), out: &mut String) {
    let (mut column, mut fresh) = (from, true);
    for piece in text.split_inclusive(' ') {
        let wide = columns(piece.trim_end_matches(' '));
        if !fresh && wide > 0 && column + wide + tail.len() > width {
            out.truncate(out.trim_end_matches(' ').len());
            out.push_str(&format!("{tail}\n{}", " ".repeat(hang)));
            column = hang;
        }
        fresh = fresh && wide == 0;
        out.push_str(piece);
        column += columns(piece);
    }
    out.truncate(out.trim_end_matches(' ').len());
}

/// A text in lines of at most this width, broken between words; a longer word stands alone.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if columns(line) + 1 + columns(word) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{Label, PALETTE, Paint, columns, escaped, fit, fold, own, pad, quoted, spread, steerless, visible, wrap};

    #[test]
    fn nothing_but_colour_steers_a_terminal() {
        for (text, colours, shown) in [
            ("plain\n\ttext\r\n", true, "plain\n\ttext\r\n"),
            // Somebody's name that looks like ours.
            ("\u{1b}[1;31mred\u{1b}[0m", true, "\\u{1b}[1;31mred\\u{1b}[0m"),
            ("\u{1b}[1;31mred\u{1b}[0m", false, "\\u{1b}[1;31mred\\u{1b}[0m"),
            ("\u{1b}[0;1mred\u{1b}[0;12345m", true, "\\u{1b}[0;1mred\\u{1b}[0;12345m"),
            ("\u{1b}[8mhidden\u{1b}[30;40m", true, "\\u{1b}[8mhidden\\u{1b}[30;40m"),
            ("\u{1b}]0;title\u{7}", true, "\\u{1b}]0;title\\u{7}"),
            ("\u{1b}[2Jgone\r", true, "\\u{1b}[2Jgone\\u{d}"),
            ("a\u{202e}b\u{2066}c\u{2028}d\u{2029}\n", true, "a\\u{202e}b\\u{2066}c\\u{2028}d\\u{2029}\n"),
        ] {
            assert_eq!(steerless(text, colours), shown);
        }
        let painted = Paint { colour: true }.label(Label::Blocked, "a \u{1b}[32mb\u{1b}[0m");
        assert_eq!(columns(&painted), columns("a b"), "measured as colour, all of it");
        assert_eq!(steerless(&painted, true), "\u{1b}[1;31ma \\u{1b}[32mb\\u{1b}[0m\u{1b}[0m");
        let ours = own("\u{1b}[1m\u{1b}[91merror\u{1b}[0m: \u{1b}[2Ja");
        assert_eq!(steerless(&ours, true), "\u{1b}[1m\u{1b}[91merror\u{1b}[0m: \\u{1b}[2Ja");
        assert_eq!(columns(&fit(&Paint { colour: true }.label(Label::Bad, "abcdef"), 4)), 4);
    }

    #[test]
    fn json_is_escaped_as_json() {
        let text = "{\n\t\"a\": \"x\u{85}y\u{7f}z\"\n}";
        let shown = escaped(text);
        assert_eq!(shown, "{\n\t\"a\": \"x\\u0085y\\u007fz\"\n}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), serde_json::from_str::<serde_json::Value>(text).unwrap());
        assert_eq!(escaped("{\"a\": \"\u{9b}\u{202e}x\u{2028}\"}\n"), "{\"a\": \"\\u009b\\u202ex\\u2028\"}\n");
    }

    #[test]
    fn every_label_has_a_colour() {
        for label in [
            Label::Add,
            Label::Change,
            Label::Remove,
            Label::Record,
            Label::Blocked,
            Label::Drift,
            Label::Heading,
            Label::Dim,
            Label::Good,
            Label::Bad,
        ] {
            assert_eq!(PALETTE.iter().filter(|(l, _)| *l == label).count(), 1, "{label:?}");
        }
    }

    #[test]
    fn folds_what_is_too_wide_and_keeps_commands_whole() {
        assert_eq!(fold("  a  bb cccc\n  x\n", 9), "  a  bb\n    cccc\n  x\n");
        assert_eq!(fold("put: brickform apply --env dev", 20), "put: brickform \\\n    apply --env \\\n    dev\n");
        assert_eq!(fold("Next: brickform apply --env dev    (2 steps)", 34), "Next: brickform apply --env dev\n    (2 steps)\n");
        assert_eq!(fold("表表表 表表表", 8), "表表表\n    表表表\n");
        assert_eq!(visible("a\tb 👩\u{200d}👧"), "a\tb 👩\u{200d}👧");
        assert_eq!(visible("\u{1b}[2J\u{7}\u{202e}b\r"), "\\u{1b}[2J\\u{7}\\u{202e}b\\u{d}");
        assert_eq!(quoted("👩\u{200d}👧 \"a\"\n\u{202e}b"), "\"👩\u{200d}👧 \\\"a\\\"\\n\\u{202e}b\"");
    }

    #[test]
    fn breaks_between_words() {
        assert_eq!(wrap("a bb ccc dddddddd e", 6), ["a bb", "ccc", "dddddddd", "e"]);
        assert_eq!(wrap("", 6), [""]);
    }

    #[test]
    fn widths_count_columns_not_bytes() {
        let red = Paint { colour: true }.label(Label::Remove, "größe 表");
        assert_eq!(columns(&red), 8);
        assert_eq!(pad("表", 4), "表  ");
        assert_eq!(spread("ab", "cd", 8, 2), "ab    cd");
        assert_eq!(spread("ab", "cdefgh", 8, 2), "ab\n  cdefgh");
    }
}
